//! The comparisons: each runs once on the reference and once on the device under test.

use super::numbers::{Numbers, difference};
use super::{Bounds, Check};
use crate::backend::CachedAttention;
use crate::device::Device;
use crate::dtype::DType;
use crate::error::Result;
use crate::place::Place;
use crate::rope_table::RopeTable;
use crate::tensor::Tensor;

/// Everything one comparison needs.
pub(super) struct Suite<'a> {
    device: &'a Device,
    pub(super) bounds: &'a Bounds,
    pub(super) numbers: Numbers,
    checks: Vec<Check>,
}

/// Runs every comparison.
pub(super) fn all(device: &Device, bounds: &Bounds) -> Result<Vec<Check>> {
    let mut suite = Suite {
        device,
        bounds,
        numbers: Numbers::new(2024),
        checks: Vec::new(),
    };
    suite.storage_types()?;
    suite.embed()?;
    suite.elementwise()?;
    suite.matmul()?;
    suite.attention()?;
    suite.feed_forward()?;
    suite.more_rows_and_fewer()?;
    suite.empty()?;
    Ok(suite.checks)
}

impl Suite<'_> {
    /// Runs `compute` on the reference and on the device and compares what comes back.
    pub(super) fn compare(
        &mut self,
        case: String,
        bound: f32,
        compute: impl Fn(&Device) -> Result<Vec<Tensor>>,
    ) -> Result<()> {
        let read = |device: &Device| -> Result<Vec<f32>> {
            let tensors = compute(device)?;
            let values = tensors
                .iter()
                .map(Tensor::to_vec)
                .collect::<Result<Vec<_>>>()?;
            Ok(values.concat())
        };
        let expected = read(&Device::reference())?;
        let found = read(self.device)?;
        self.checks.push(Check {
            case,
            difference: difference(&found, &expected),
            bound,
        });
        Ok(())
    }

    /// What is uploaded comes back, exactly, for every storage type.
    fn storage_types(&mut self) -> Result<()> {
        for dtype in DType::ALL {
            let values = self.numbers.values(3 * 64);
            let upload = |device: &Device| Ok(vec![device.stored(&[3, 64], dtype, &values)?]);
            self.compare(format!("upload {dtype} [3, 64]"), 0.0, upload)?;
        }
        Ok(())
    }

    /// Looked-up rows are copies or exact dequantizations: nothing may differ.
    fn embed(&mut self) -> Result<()> {
        for dtype in DType::ALL {
            for (vocab_size, emb_dim) in [(5, 32), (97, 64), (130, 96)] {
                let table = self.numbers.values(vocab_size * emb_dim);
                let ids: Vec<u32> = (0..9)
                    .map(|_| self.numbers.below(vocab_size) as u32)
                    .collect();
                self.compare(
                    format!("embed {dtype} [{vocab_size}, {emb_dim}]"),
                    0.0,
                    |device| {
                        Ok(vec![
                            device
                                .stored(&[vocab_size, emb_dim], dtype, &table)?
                                .embed(&ids)?,
                        ])
                    },
                )?;
            }
        }
        let x = self.numbers.values(7 * 5);
        self.compare("rows [7, 5]".to_owned(), 0.0, |device| {
            Ok(vec![device.tensor(&[7, 5], &x)?.rows(&[6, 0, 3, 3])?])
        })
    }

    fn elementwise(&mut self) -> Result<()> {
        let bound = self.bounds.f32;
        for (n, width) in [(1, 1), (1, 768), (3, 7), (5, 33), (17, 129)] {
            let (a, b) = (
                self.numbers.values(n * width),
                self.numbers.values(n * width),
            );
            let weight = self.numbers.values(width);
            let shape = [n, width];
            // Activations of real models reach far beyond 1: SwiGLU and softmax must stay finite.
            let wide: Vec<f32> = a.iter().map(|v| v * 60.0).collect();
            self.compare(format!("add {shape:?}"), bound, |device| {
                Ok(vec![
                    device
                        .tensor(&shape, &a)?
                        .add(&device.tensor(&shape, &b)?)?,
                ])
            })?;
            self.compare(format!("swiglu {shape:?}"), bound, |device| {
                Ok(vec![
                    device
                        .tensor(&shape, &wide)?
                        .swiglu(&device.tensor(&shape, &b)?)?,
                ])
            })?;
            self.compare(format!("softmax {shape:?}"), bound, |device| {
                Ok(vec![device.tensor(&shape, &wide)?.softmax()?])
            })?;
            self.compare(format!("rms_norm {shape:?}"), bound, |device| {
                let weight = device.tensor(&[width], &weight)?;
                Ok(vec![device.tensor(&shape, &a)?.rms_norm(&weight, 1e-5)?])
            })?;
            self.compare(format!("argmax {shape:?}"), 0.0, |device| {
                let columns = device.tensor(&shape, &a)?.argmax()?;
                let columns: Vec<f32> = columns.iter().map(|c| *c as f32).collect();
                Ok(vec![device.tensor(&[n], &columns)?])
            })?;
        }
        Ok(())
    }

    fn matmul(&mut self) -> Result<()> {
        let odd = [
            (1, 1, 1),
            (1, 5, 3),
            (2, 31, 17),
            (3, 33, 65),
            (16, 100, 7),
            (33, 129, 130),
        ];
        let blocked = [
            (1, 32, 1),
            (1, 64, 17),
            (2, 96, 65),
            (7, 256, 33),
            (33, 512, 130),
        ];
        for dtype in DType::ALL {
            let sizes = if dtype.block_len() == 1 {
                &odd[..]
            } else {
                &[]
            };
            for &(n, n_in, n_out) in sizes.iter().chain(&blocked) {
                let (x, norm) = (self.numbers.values(n * n_in), self.numbers.values(n_in));
                let weight = self.numbers.values(n_out * n_in);
                let bound = self.bounds.of(dtype);
                let case = format!("{dtype} [{n}, {n_in}] x [{n_out}, {n_in}]");
                self.compare(format!("matmul {case}"), bound, |device| {
                    let weight = device.stored(&[n_out, n_in], dtype, &weight)?;
                    Ok(vec![device.tensor(&[n, n_in], &x)?.matmul(&weight)?])
                })?;
                self.compare(format!("norm_matmul {case}, twice"), bound, |device| {
                    let weight = device.stored(&[n_out, n_in], dtype, &weight)?;
                    let norm = device.tensor(&[n_in], &norm)?;
                    let x = device.tensor(&[n, n_in], &x)?;
                    Ok(x.norm_matmul(&norm, 1e-6, [&weight, &weight])?.into())
                })?;
            }
        }
        Ok(())
    }

    /// RoPE, cache writes and attention: head sizes, sharing ratios, prompts, decode steps and
    /// mixtures of both.
    fn attention(&mut self) -> Result<()> {
        let context_length = 37;
        let batches: [(&str, Vec<Place>); 4] = [
            ("prompt", Place::run(1, 0, 37)),
            (
                "decode",
                vec![Place {
                    sequence: 0,
                    position: 0,
                }],
            ),
            (
                "three at once",
                [(2, 9), (0, 36), (1, 0)]
                    .map(|(s, p)| Place {
                        sequence: s,
                        position: p,
                    })
                    .into(),
            ),
            (
                "mixed",
                [
                    Place::run(0, 0, 5),
                    Place::run(2, 20, 1),
                    Place::run(1, 3, 8),
                ]
                .concat(),
            ),
        ];
        for head_dim in [2, 6, 8, 16, 32, 64, 128] {
            for (n_kv_heads, ratio) in [(1, 1), (2, 1), (1, 2), (2, 3), (3, 4), (1, 8)] {
                for (name, places) in &batches {
                    let heads = [n_kv_heads * ratio, n_kv_heads, head_dim];
                    let case = format!("{name}, heads {}/{n_kv_heads} x {head_dim}", heads[0]);
                    self.cached_attention(&case, heads, places, context_length)?;
                }
            }
        }
        for head_dim in [1, 5, 7, 31] {
            self.plain_attention(head_dim)?;
        }
        Ok(())
    }

    fn cached_attention(
        &mut self,
        case: &str,
        [n_heads, n_kv_heads, head_dim]: [usize; 3],
        places: &[Place],
        context_length: usize,
    ) -> Result<()> {
        let (n, kv_width, q_width) = (places.len(), n_kv_heads * head_dim, n_heads * head_dim);
        let cache_shape = [3, context_length, kv_width];
        let q = self.numbers.values(n * q_width);
        let (k, v) = (
            self.numbers.values(n * kv_width),
            self.numbers.values(n * kv_width),
        );
        // What earlier tokens left in the cache.
        let old = self.numbers.values(2 * 3 * context_length * kv_width);
        let (old_keys, old_values) = old.split_at(old.len() / 2);
        let frequencies: Vec<f64> = (0..head_dim / 2)
            .map(|i| 10_000f64.powf(-2.0 * i as f64 / head_dim as f64))
            .collect();
        self.compare(
            format!("cached_attention {case}"),
            self.bounds.cache,
            |device| {
                let rope = &RopeTable::new(device, &frequencies, context_length)?;
                let all: Vec<Place> = (0..3)
                    .flat_map(|s| Place::run(s, 0, context_length))
                    .collect();
                let mut keys = device.cache(&cache_shape)?;
                let mut values = device.cache(&cache_shape)?;
                let rows = [3 * context_length, kv_width];
                keys.write_rows(&device.tensor(&rows, old_keys)?, &all)?;
                values.write_rows(&device.tensor(&rows, old_values)?, &all)?;
                let q = device.tensor(&[n, q_width], &q)?;
                let k = device.tensor(&[n, kv_width], &k)?;
                let v = device.tensor(&[n, kv_width], &v)?;
                let cache = CachedAttention {
                    keys: &mut keys,
                    values: &mut values,
                    rope,
                    places,
                    head_dim,
                };
                let context = q.cached_attention(&k, &v, cache)?;
                let rotated = q.rope(rope, places)?;
                Ok(vec![context, rotated, keys, values])
            },
        )
    }

    /// Head sizes that RoPE cannot turn because they are odd.
    fn plain_attention(&mut self, head_dim: usize) -> Result<()> {
        let shape = [1, 9, head_dim];
        let (q, k) = (
            self.numbers.values(9 * 2 * head_dim),
            self.numbers.values(9 * head_dim),
        );
        let v = self.numbers.values(9 * head_dim);
        let places = Place::run(0, 0, 9);
        self.compare(
            format!("attention heads 2/1 x {head_dim}"),
            self.bounds.cache,
            |device| {
                let (mut keys, mut values) = (device.cache(&shape)?, device.cache(&shape)?);
                keys.write_rows(&device.tensor(&shape[1..], &k)?, &places)?;
                values.write_rows(&device.tensor(&shape[1..], &v)?, &places)?;
                let q = device.tensor(&[9, 2 * head_dim], &q)?;
                Ok(vec![q.attention(&keys, &values, &places, head_dim)?])
            },
        )
    }

    fn feed_forward(&mut self) -> Result<()> {
        for dtype in DType::ALL {
            let sizes = [(1, 32, 64), (3, 96, 160), (18, 64, 32)];
            let odd = [(2, 33, 50)];
            let odd = if dtype.block_len() == 1 {
                &odd[..]
            } else {
                &[]
            };
            for &(n, emb_dim, hidden_dim) in sizes.iter().chain(odd) {
                let (x, norm) = (
                    self.numbers.values(n * emb_dim),
                    self.numbers.values(emb_dim),
                );
                let weights = [(); 3].map(|()| self.numbers.values(hidden_dim * emb_dim));
                let case = format!("feed_forward {dtype} [{n}, {emb_dim}], hidden {hidden_dim}");
                self.compare(case, self.bounds.of(dtype), |device| {
                    let inward = |w: &[f32]| device.stored(&[hidden_dim, emb_dim], dtype, w);
                    let (gate, up) = (inward(&weights[0])?, inward(&weights[1])?);
                    let down = device.stored(&[emb_dim, hidden_dim], dtype, &weights[2])?;
                    let norm = device.tensor(&[emb_dim], &norm)?;
                    let x = device.tensor(&[n, emb_dim], &x)?;
                    Ok(vec![x.feed_forward(&norm, 1e-5, [&gate, &up, &down])?])
                })?;
            }
        }
        Ok(())
    }

    /// No rows in, no rows out.
    fn empty(&mut self) -> Result<()> {
        self.compare("no rows at all".to_owned(), 0.0, |device| {
            let weight = device.tensor(&[3, 4], &[1.0; 12])?;
            let norm = device.tensor(&[4], &[1.0; 4])?;
            let x = device.tensor(&[0, 4], &[])?;
            Ok(vec![
                x.matmul(&weight)?,
                x.rms_norm(&norm, 1e-5)?,
                x.add(&x)?,
                x.add(&norm)?,
                weight.embed(&[])?,
            ])
        })
    }
}
