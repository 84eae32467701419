//! The matrix product and attention, from the plain loop to what the backend runs.
//!
//! Chapter 9 of the notes climbs these steps; `gollm bench matmul` and `gollm bench attention` time
//! them. Every step gives the same result within rounding (`tests/ch09.rs`); only the last ones are
//! wired into [`Cpu`].

use gollm_tensor::{DType, Place};

use crate::Cpu;
use crate::kernels::attention::{Attention, Sizes, tiles};
use crate::kernels::dot::Dots;
use crate::kernels::gemm::{PackTokens, PackedProducts, TileSize};
use crate::kernels::rows::Rows;
use crate::memory::Weight;
use crate::product::Product;
use crate::simd::LANES;
use crate::threads::Shared;

/// The numbers of one matrix product: `out = x · weightᵀ`.
///
/// # Shapes
///
/// - `x`: `[n_tokens, n_in]`
/// - `weight`: `[n_out, n_in]`
/// - the result: `[n_tokens, n_out]`
#[derive(Debug)]
pub struct Matmul {
    x: Vec<f32>,
    weight: Vec<f32>,
    n_tokens: usize,
    n_in: usize,
    n_out: usize,
}

/// One step of a ladder.
#[derive(Debug, Clone, Copy)]
pub struct Step<Problem: 'static> {
    /// A short lower-case name.
    pub name: &'static str,
    /// What is new in it, in a few words.
    pub idea: &'static str,
    run: fn(&Cpu, &Problem, &mut [f32]),
}

impl<Problem> Step<Problem> {
    /// Computes the result.
    ///
    /// # Panics
    ///
    /// If `out` is shorter than the problem's `n_outputs`, or a size of the problem is 0.
    pub fn run(&self, cpu: &Cpu, problem: &Problem, out: &mut [f32]) {
        (self.run)(cpu, problem, out);
    }
}

/// The steps of the matrix product.
pub const MATMUL: [Step<Matmul>; 6] = [
    Step {
        name: "plain",
        idea: "three loops, as the formula says",
        run: plain,
    },
    Step {
        name: "sums",
        idea: "16 sums that do not wait for each other",
        run: sums,
    },
    Step {
        name: "vectors",
        idea: "one instruction for 16 of them, 4 rows at a time",
        run: vectors,
    },
    Step {
        name: "tile",
        idea: "each weight loaded once for 4 tokens",
        run: tile,
    },
    Step {
        name: "packed",
        idea: "a larger tile, fed from packed memory",
        run: packed,
    },
    Step {
        name: "threads",
        idea: "panels dealt out to all threads",
        run: threads,
    },
];

impl Matmul {
    /// A product of these sizes with numbers that look random.
    #[must_use]
    pub fn new(n_tokens: usize, n_in: usize, n_out: usize) -> Self {
        Self {
            x: numbers(n_tokens * n_in, 1),
            weight: numbers(n_out * n_in, 2),
            n_tokens,
            n_in,
            n_out,
        }
    }

    /// How many numbers the result has.
    #[must_use]
    pub fn n_outputs(&self) -> usize {
        self.n_tokens * self.n_out
    }

    /// Floating-point operations, a multiply-add as two.
    #[must_use]
    pub fn flops(&self) -> u64 {
        2 * (self.n_tokens * self.n_in * self.n_out) as u64
    }

    fn rows(&self) -> Rows<'_> {
        // SAFETY: any `f32` is four bytes.
        let bytes = unsafe { self.weight.align_to::<u8>().1 };
        Rows {
            bytes,
            dtype: DType::F32,
            n_rows: self.n_out,
            n_columns: self.n_in,
        }
    }
}

fn plain(_: &Cpu, p: &Matmul, out: &mut [f32]) {
    for t in 0..p.n_tokens {
        for o in 0..p.n_out {
            let mut sum = 0.0;
            for i in 0..p.n_in {
                sum += p.x[t * p.n_in + i] * p.weight[o * p.n_in + i];
            }
            out[t * p.n_out + o] = sum;
        }
    }
}

fn sums(_: &Cpu, p: &Matmul, out: &mut [f32]) {
    for t in 0..p.n_tokens {
        let x = &p.x[t * p.n_in..(t + 1) * p.n_in];
        for o in 0..p.n_out {
            let weight = &p.weight[o * p.n_in..(o + 1) * p.n_in];
            let mut sums = [0.0f32; LANES];
            let (xs, x_rest) = x.as_chunks::<LANES>();
            let (weights, weight_rest) = weight.as_chunks::<LANES>();
            let rest: f32 = x_rest.iter().zip(weight_rest).map(|(x, w)| x * w).sum();
            for (x, weight) in xs.iter().zip(weights) {
                for lane in 0..LANES {
                    sums[lane] += x[lane] * weight[lane];
                }
            }
            out[t * p.n_out + o] = sums.iter().sum::<f32>() + rest;
        }
    }
}

fn vectors(cpu: &Cpu, p: &Matmul, out: &mut [f32]) {
    let tokens = p.x.chunks_exact(p.n_in).zip(out.chunks_exact_mut(p.n_out));
    for (x, out) in tokens {
        cpu.isa().run(Dots {
            weight: p.rows(),
            x,
            out: Shared::new(out),
            range: 0..p.n_out,
        });
    }
}

fn tile(cpu: &Cpu, p: &Matmul, out: &mut [f32]) {
    cpu.isa().run(Dots {
        weight: p.rows(),
        x: &p.x,
        out: Shared::new(out),
        range: 0..p.n_out,
    });
}

fn packed(cpu: &Cpu, p: &Matmul, out: &mut [f32]) {
    let size = TileSize::of(cpu.isa());
    let mut packed = vec![0.0; size.packed_len(p.n_tokens, p.n_in)];
    cpu.isa().run(PackTokens {
        x: &p.x,
        n_columns: p.n_in,
        packed: Shared::new(&mut packed),
        range: 0..p.n_tokens.div_ceil(size.tokens),
    });
    cpu.isa().run(PackedProducts {
        weight: p.rows(),
        packed: &packed,
        n_tokens: p.n_tokens,
        out: Shared::new(out),
        range: 0..p.n_out.div_ceil(size.outputs),
    });
}

fn threads(cpu: &Cpu, p: &Matmul, out: &mut [f32]) {
    let weight = Weight::Rows(p.rows());
    cpu.executor
        .products(&p.x, p.n_in, &mut [Product { weight, out }]);
}

/// The numbers of one attention: a prompt of `n_tokens` that attends to itself.
///
/// # Shapes
///
/// - `q` and the result: `[n_tokens, n_heads · head_dim]`
/// - `keys`, `values`: `[n_tokens, n_kv_heads · head_dim]`
#[derive(Debug)]
pub struct Heads {
    q: Vec<f32>,
    keys: Vec<f32>,
    values: Vec<f32>,
    n_tokens: usize,
    n_heads: usize,
    n_kv_heads: usize,
    head_dim: usize,
}

/// The steps of attention.
pub const ATTENTION: [Step<Heads>; 4] = [
    Step {
        name: "plain",
        idea: "all scores, then softmax, then the sum",
        run: attention_plain,
    },
    Step {
        name: "one-pass",
        idea: "no scores kept: sums shrink when a larger one comes",
        run: attention_one_pass,
    },
    Step {
        name: "vectors",
        idea: "64 keys at a time, for all heads that share them",
        run: attention_vectors,
    },
    Step {
        name: "threads",
        idea: "tiles and heads dealt out to all threads",
        run: attention_threads,
    },
];

impl Heads {
    /// An attention of these sizes with numbers that look random.
    #[must_use]
    pub fn new(n_tokens: usize, [n_heads, n_kv_heads, head_dim]: [usize; 3]) -> Self {
        Self {
            q: numbers(n_tokens * n_heads * head_dim, 3),
            keys: numbers(n_tokens * n_kv_heads * head_dim, 4),
            values: numbers(n_tokens * n_kv_heads * head_dim, 5),
            n_tokens,
            n_heads,
            n_kv_heads,
            head_dim,
        }
    }

    /// How many numbers the result has.
    #[must_use]
    pub fn n_outputs(&self) -> usize {
        self.q.len()
    }

    /// Floating-point operations of the scores and sums, a multiply-add as two.
    #[must_use]
    pub fn flops(&self) -> u64 {
        let pairs = self.n_tokens * (self.n_tokens + 1) / 2;
        4 * (pairs * self.n_heads * self.head_dim) as u64
    }

    /// One head's row of a matrix of `n_heads` heads.
    fn head<'a>(&self, x: &'a [f32], n_heads: usize, token: usize, head: usize) -> &'a [f32] {
        &x[(token * n_heads + head) * self.head_dim..][..self.head_dim]
    }

    /// Calls `f` with the query, the index of its key/value head, and where its result goes.
    fn each(&self, out: &mut [f32], f: impl Fn(usize, &[f32], usize, &mut [f32])) {
        let heads = out.chunks_exact_mut(self.head_dim).enumerate();
        for (index, out) in heads {
            let (token, head) = (index / self.n_heads, index % self.n_heads);
            let q = self.head(&self.q, self.n_heads, token, head);
            f(token, q, head * self.n_kv_heads / self.n_heads, out);
        }
    }

    fn score(&self, q: &[f32], position: usize, kv_head: usize) -> f32 {
        let key = self.head(&self.keys, self.n_kv_heads, position, kv_head);
        let dot: f32 = q.iter().zip(key).map(|(q, k)| q * k).sum();
        dot / (self.head_dim as f32).sqrt()
    }

    fn task<'a>(
        &'a self,
        places: &'a [Place],
        tiles: &'a [crate::kernels::attention::Tile],
        out: Shared<'a, f32>,
        pieces: std::ops::Range<usize>,
    ) -> Attention<'a> {
        // SAFETY: any `f32` is four bytes.
        let (keys, values) = unsafe { (self.keys.align_to().1, self.values.align_to().1) };
        Attention {
            q: &self.q,
            keys,
            values,
            dtype: DType::F32,
            places,
            tiles,
            sizes: Sizes {
                context_length: self.n_tokens,
                n_kv_heads: self.n_kv_heads,
                group: self.n_heads / self.n_kv_heads,
                head_dim: self.head_dim,
            },
            out,
            pieces,
        }
    }
}

fn attention_plain(_: &Cpu, p: &Heads, out: &mut [f32]) {
    p.each(out, |token, q, kv_head, out| {
        let mut weights: Vec<f32> = (0..=token).map(|s| p.score(q, s, kv_head)).collect();
        let largest = weights.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        weights.iter_mut().for_each(|w| *w = (*w - largest).exp());
        let total: f32 = weights.iter().sum();
        out.fill(0.0);
        for (position, weight) in weights.iter().enumerate() {
            let value = p.head(&p.values, p.n_kv_heads, position, kv_head);
            out.iter_mut()
                .zip(value)
                .for_each(|(out, v)| *out += weight / total * v);
        }
    });
}

fn attention_one_pass(_: &Cpu, p: &Heads, out: &mut [f32]) {
    p.each(out, |token, q, kv_head, out| {
        let (mut largest, mut total) = (f32::NEG_INFINITY, 0.0f32);
        out.fill(0.0);
        for position in 0..=token {
            let score = p.score(q, position, kv_head);
            let new_largest = largest.max(score);
            let (shrink, weight) = ((largest - new_largest).exp(), (score - new_largest).exp());
            let value = p.head(&p.values, p.n_kv_heads, position, kv_head);
            out.iter_mut()
                .zip(value)
                .for_each(|(out, v)| *out = *out * shrink + weight * v);
            total = total * shrink + weight;
            largest = new_largest;
        }
        out.iter_mut().for_each(|out| *out /= total);
    });
}

fn attention_vectors(cpu: &Cpu, p: &Heads, out: &mut [f32]) {
    let places = Place::run(0, 0, p.n_tokens);
    let cut = tiles(&places);
    let pieces = 0..cut.len() * p.n_kv_heads;
    cpu.isa()
        .run(p.task(&places, &cut, Shared::new(out), pieces));
}

fn attention_threads(cpu: &Cpu, p: &Heads, out: &mut [f32]) {
    let places = Place::run(0, 0, p.n_tokens);
    let cut = tiles(&places);
    let shared = Shared::new(out);
    let n_pieces = cut.len() * p.n_kv_heads;
    cpu.executor.pool.for_each(n_pieces, 1, |pieces| {
        cpu.isa().run(p.task(&places, &cut, shared, pieces));
    });
}

/// Numbers between -1 and 1 that look random.
fn numbers(n: usize, seed: u64) -> Vec<f32> {
    let mut state = seed;
    let next = |_| {
        // A linear congruential generator; the upper bits are the good ones. Source: Knuth, "The
        // Art of Computer Programming", volume 2, section 3.3.4.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..n).map(next).collect()
}
