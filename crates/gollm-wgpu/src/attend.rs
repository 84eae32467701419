//! Rotary positions, the cache, and attention over it.

use gollm_tensor::{DType, Place, Result, RopeTable, Tensor};

use crate::kernels::Kernel;
use crate::memory::{Memory, Window, columns, memory, memory_mut};
use crate::recorder::Bound::{Buffer, List};
use crate::recorder::Launch;
use crate::rows::{LANES, pairs};
use crate::wgpu_backend::Inner;

/// Bytes of workgroup memory that attention takes besides the query.
const ATTENTION_BYTES: usize = 2 * 64 * 4;

impl Inner {
    pub(crate) fn rotated(
        &self,
        x: &Tensor,
        table: &RopeTable,
        places: &[Place],
    ) -> Result<Memory> {
        let x = memory(x)?;
        let y = self.like(x)?;
        let [cosines, sines] = self.tables(table)?;
        for (from, to) in x.windows.iter().zip(&y.windows) {
            let n_numbers = from.n_rows() * x.columns;
            let params = [n_numbers, x.columns, table.head_dim() / 2];
            self.launch(
                Kernel::Rope,
                &Launch {
                    params: &params.map(|n| n as u32),
                    buffers: &[
                        Buffer(from.buffer()),
                        Buffer(cosines),
                        Buffer(sines),
                        List(&words(&places[from.rows.clone()])),
                        Buffer(to.buffer()),
                    ],
                    n_groups: n_numbers.div_ceil(LANES),
                    work: n_numbers as u64,
                },
            )?;
        }
        Ok(y)
    }

    /// `cache[sequence_t, position_t] = rows_t`.
    pub(crate) fn write_rows(
        &self,
        cache: &mut Tensor,
        name: &'static str,
        rows: &Tensor,
        places: &[Place],
    ) -> Result<()> {
        let (context_length, half) = (cache.shape()[1], cache.dtype() == DType::F16);
        let (cache, rows) = (memory_mut(cache, name)?, memory(rows)?);
        for (to, from) in pairs(cache, rows) {
            let here = Here::new(to, from, cache, context_length);
            self.launch(
                Kernel::WriteRows { half },
                &Launch {
                    params: &here.params,
                    buffers: &[
                        Buffer(from.buffer()),
                        List(&words(&places[from.rows.clone()])),
                        Buffer(to.buffer()),
                    ],
                    n_groups: here.n_words.div_ceil(LANES),
                    work: here.n_words as u64,
                },
            )?;
        }
        Ok(())
    }

    /// Writes rotated keys, and values, into their caches.
    pub(crate) fn append(
        &self,
        caches: [&Tensor; 2],
        rows: [&Tensor; 2],
        table: &RopeTable,
        places: &[Place],
    ) -> Result<()> {
        let (context_length, half) = (caches[0].shape()[1], caches[0].dtype() == DType::F16);
        let [keys, values] = [memory(caches[0])?, memory(caches[1])?];
        let [k, v] = [memory(rows[0])?, memory(rows[1])?];
        self.same_windows(keys, values)?;
        self.same_windows(k, v)?;
        let [cosines, sines] = self.tables(table)?;
        for (keys_to, values_to) in keys.windows.iter().zip(&values.windows) {
            for (k, v) in k.windows.iter().zip(&v.windows) {
                let here = Here::new(keys_to, k, keys, context_length);
                let mut params = here.params.to_vec();
                params.push(table.head_dim() as u32 / 2);
                self.launch(
                    Kernel::Append { half },
                    &Launch {
                        params: &params,
                        buffers: &[
                            Buffer(k.buffer()),
                            Buffer(v.buffer()),
                            Buffer(cosines),
                            Buffer(sines),
                            List(&words(&places[k.rows.clone()])),
                            Buffer(keys_to.buffer()),
                            Buffer(values_to.buffer()),
                        ],
                        n_groups: here.n_words.div_ceil(LANES),
                        work: here.n_words as u64,
                    },
                )?;
            }
        }
        Ok(())
    }

    /// Attention of queries over a cache; `rope` rotates them first.
    pub(crate) fn attend(
        &self,
        q: &Tensor,
        [keys, values]: [&Tensor; 2],
        rope: Option<&RopeTable>,
        places: &[Place],
        head_dim: usize,
    ) -> Result<Memory> {
        self.check_head(head_dim)?;
        let (context_length, n_heads) = (keys.shape()[1], columns(q) / head_dim);
        let kernel = Kernel::Attention {
            half: keys.dtype() == DType::F16,
            head_dim: head_dim as u32,
            rotate: rope.is_some(),
        };
        let (q, keys, values) = (memory(q)?, memory(keys)?, memory(values)?);
        self.same_windows(keys, values)?;
        let tables = rope.map(|table| self.tables(table)).transpose()?;
        let y = self.like(q)?;
        for (from, to) in q.windows.iter().zip(&y.windows) {
            let places = &places[from.rows.clone()];
            let list = words(places);
            let longest = places.iter().map(|place| place.position + 1).max();
            let work = 2 * from.n_rows() * q.columns * longest.unwrap_or(0);
            for (key_window, value_window) in keys.windows.iter().zip(&values.windows) {
                let mut buffers = vec![
                    Buffer(from.buffer()),
                    Buffer(key_window.buffer()),
                    Buffer(value_window.buffer()),
                    List(&list),
                ];
                buffers.extend(tables.iter().flatten().copied().map(Buffer));
                buffers.push(Buffer(to.buffer()));
                let launch = Launch {
                    params: &head_params(from, q, key_window, keys, [context_length, head_dim]),
                    buffers: &buffers,
                    n_groups: from.n_rows() * n_heads,
                    work: work as u64,
                };
                self.launch(kernel, &launch)?;
            }
        }
        Ok(y)
    }

    fn check_head(&self, head_dim: usize) -> Result<()> {
        let (needed, limit) = (
            head_dim * 4 + ATTENTION_BYTES,
            self.gpu.facts.workgroup_bytes,
        );
        if needed <= limit as usize {
            return Ok(());
        }
        Err(self.gpu.error(format!(
            "heads of {head_dim} numbers need {needed} bytes of workgroup memory, this adapter has {limit}"
        )))
    }

    fn tables<'a>(&self, table: &'a RopeTable) -> Result<[&'a wgpu::Buffer; 2]> {
        let whole = |tensor: &'a Tensor| {
            let missing = || self.gpu.error("a RoPE table is empty".to_owned());
            self.whole(tensor)?.ok_or_else(missing)
        };
        Ok([whole(table.cos())?, whole(table.sin())?])
    }
}

/// Rows that are written to one window of a cache.
struct Here {
    n_words: usize,
    params: [u32; 6],
}

impl Here {
    fn new(to: &Window, from: &Window, cache: &Memory, context_length: usize) -> Self {
        let n_words = from.n_rows() * cache.row_words;
        let params = [
            n_words,
            cache.columns,
            cache.row_words,
            to.rows.start / context_length,
            to.n_rows() / context_length,
            context_length,
        ];
        Self {
            n_words,
            params: params.map(|n| n as u32),
        }
    }
}

/// The parameters of attention for one window of queries and one of a cache.
fn head_params(
    from: &Window,
    q: &Memory,
    window: &Window,
    cache: &Memory,
    [context_length, head_dim]: [usize; 2],
) -> [u32; 8] {
    [
        from.n_rows() as u32,
        (q.columns / head_dim) as u32,
        (q.columns / cache.columns) as u32,
        cache.row_words as u32,
        (window.rows.start / context_length) as u32,
        (window.n_rows() / context_length) as u32,
        context_length as u32,
        (1.0 / (head_dim as f32).sqrt()).to_bits(),
    ]
}

/// Sequence and position of each place, as kernels read them.
fn words(places: &[Place]) -> Vec<u32> {
    let pair = |place: &Place| [place.sequence as u32, place.position as u32];
    places.iter().flat_map(pair).collect()
}
