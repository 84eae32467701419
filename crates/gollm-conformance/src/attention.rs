//! RoPE, cache writes and attention, over a cache that earlier tokens have filled.

use gollm_tensor::{CachedAttention, Place, Result, RopeTable};

use crate::cases::Suite;

impl Suite<'_> {
    /// RoPE, cache writes and attention: head sizes, sharing ratios, prompts, decode steps and
    /// mixtures of both.
    pub(crate) fn attention(&mut self) -> Result<()> {
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
}
