//! The operations of the trait, each a few lines around its kernel.

use gollm_tensor::{
    Backend, CachedAttention, DType, HostBytes, Place, Result, RopeTable, Storage, Tensor,
};

use crate::Cpu;
use crate::kernels::elementwise::{Softmax, Swiglu};
use crate::kernels::quantized::QuantizedWeight;
use crate::memory::{
    CacheMut, Numbers, Weight, cache_mut, check_memory, matrix_shape, numbers, result, values,
    weight,
};

/// Numbers in a piece of an operation that need not know where rows end: enough to be worth handing
/// out.
const PIECE: usize = 4096;

impl Backend for Cpu {
    fn name(&self) -> &str {
        "cpu"
    }

    fn description(&self) -> String {
        let (isa, n) = (self.isa(), self.n_threads());
        let cache = if self.half_cache { ", f16 cache" } else { "" };
        let s = if n == 1 { "" } else { "s" };
        format!("cpu: {isa} kernels, {n} thread{s}{cache}")
    }

    fn upload(&self, shape: &[usize], dtype: DType, bytes: HostBytes) -> Result<Storage> {
        Ok(Storage::new(Numbers::from_bytes(
            shape,
            dtype,
            bytes,
            &self.budget,
        )))
    }

    fn zeros(&self, shape: &[usize]) -> Result<Storage> {
        // Into memory that is used again: this is where a mixture of experts adds up, layer by
        // layer.
        let mut zeros = self.take(check_memory::<f32>("", shape)?);
        zeros.fill(0.0);
        Ok(Storage::new(Numbers::Result(zeros)))
    }

    fn cache(&self, shape: &[usize]) -> Result<(DType, Storage)> {
        // `vec!` gets zeroed pages, which take no memory until they are written.
        if !self.half_cache {
            let n_elements = check_memory::<f32>("a cache of ", shape)?;
            return Ok((
                DType::F32,
                Storage::new(Numbers::Own(vec![0.0; n_elements])),
            ));
        }
        let n_elements = check_memory::<u16>("a cache of ", shape)?;
        Ok((DType::F16, Storage::new(Numbers::Half(vec![0; n_elements]))))
    }

    fn download(&self, tensor: &Tensor) -> Result<Vec<f32>> {
        numbers(tensor)?.to_f32(tensor.dtype(), tensor.n_elements())
    }

    fn embed(&self, table: &Tensor, ids: &[u32]) -> Result<Tensor> {
        let (_, width) = matrix_shape(table);
        let mut out = self.take(ids.len() * width);
        let weight = weight(table)?;
        for (&id, out) in ids.iter().zip(out.chunks_exact_mut(width.max(1))) {
            let row = id as usize;
            match &weight {
                Weight::Quantized(QuantizedWeight::Panels(panels)) => {
                    gollm_tensor::dequantize(&panels.row(row), table.dtype(), out)?;
                }
                Weight::Quantized(QuantizedWeight::Blocks(blocks)) => {
                    gollm_tensor::dequantize(blocks.rows(row..row + 1), table.dtype(), out)?;
                }
                Weight::Rows(rows) => {
                    let n_bytes = rows.dtype.n_bytes(&[width])?;
                    let row = &rows.bytes[row * n_bytes..(row + 1) * n_bytes];
                    gollm_tensor::dequantize(row, rows.dtype, out)?;
                }
            }
        }
        Ok(result(table, &[ids.len(), width], out))
    }

    fn rms_norm(&self, x: &Tensor, weight: &Tensor, eps: f32) -> Result<Tensor> {
        Ok(result(x, x.shape(), self.normalized(x, weight, eps)?))
    }

    fn matmul(&self, x: &Tensor, weight: &Tensor) -> Result<Tensor> {
        let (n_tokens, n_in) = (x.shape()[0], x.shape()[1]);
        let n_out = matrix_shape(weight).0;
        let mut outs = self.products(values(x)?, n_in, &[weight])?;
        let out = outs.pop().unwrap_or_else(|| self.take(0));
        Ok(result(x, &[n_tokens, n_out], out))
    }

    fn rope(&self, x: &Tensor, table: &RopeTable, places: &[Place]) -> Result<Tensor> {
        Ok(result(x, x.shape(), self.rotated(x, table, places)?))
    }

    fn write_rows(&self, cache: &mut Tensor, rows: &Tensor, places: &[Place]) -> Result<()> {
        write(cache, "cache", values(rows)?, places)
    }

    fn attention(
        &self,
        q: &Tensor,
        keys: &Tensor,
        values_: &Tensor,
        places: &[Place],
        head_dim: usize,
    ) -> Result<Tensor> {
        let width = matrix_shape(q).1;
        let out = self.attend(values(q)?, width, [keys, values_], places, head_dim)?;
        Ok(result(q, q.shape(), out))
    }

    fn swiglu(&self, gate: &Tensor, up: &Tensor) -> Result<Tensor> {
        let shape = gate.shape();
        let (gate_values, up) = (values(gate)?, values(up)?);
        let mut out = self.take(up.len());
        self.in_pieces(&mut out, PIECE, |range, out| {
            self.run(Swiglu {
                gate: &gate_values[range.clone()],
                up: &up[range],
                out,
            });
        });
        Ok(result(gate, shape, out))
    }

    fn add(&self, a: &Tensor, b: &Tensor) -> Result<Tensor> {
        Ok(result(a, a.shape(), self.sum(a, b)?))
    }

    fn add_rows(&self, sum: &mut Tensor, rows: &Tensor, to: &[u32], scales: &[f32]) -> Result<()> {
        self.add_to_rows(sum, rows, to, scales)
    }

    fn softmax(&self, x: &Tensor) -> Result<Tensor> {
        let width = matrix_shape(x).1;
        let values = values(x)?;
        let mut out = self.take(values.len());
        self.in_pieces(&mut out, width, |range, out| {
            self.run(Softmax {
                x: &values[range],
                width,
                out,
            });
        });
        Ok(result(x, x.shape(), out))
    }

    fn norm_matmul(
        &self,
        x: &Tensor,
        norm: &Tensor,
        eps: f32,
        weights: &[&Tensor],
    ) -> Result<Vec<Tensor>> {
        let (n_tokens, n_in) = (x.shape()[0], x.shape()[1]);
        let normalized = self.normalized(x, norm, eps)?;
        let outs = self.products(&normalized, n_in, weights)?;
        let tensors = outs.into_iter().zip(weights).map(|(out, weight)| {
            let n_out = matrix_shape(weight).0;
            result(x, &[n_tokens, n_out], out)
        });
        Ok(tensors.collect())
    }

    fn cached_attention(
        &self,
        q: &Tensor,
        k: &Tensor,
        v: &Tensor,
        cache: CachedAttention<'_>,
    ) -> Result<Tensor> {
        let (places, width) = (cache.places, matrix_shape(q).1);
        let rotated_q = self.rotated(q, cache.rope, places)?;
        let rotated_k = self.rotated(k, cache.rope, places)?;
        write(cache.keys, "keys", &rotated_k, places)?;
        write(cache.values, "values", values(v)?, places)?;
        let caches = [&*cache.keys, &*cache.values];
        let out = self.attend(&rotated_q, width, caches, places, cache.head_dim)?;
        Ok(result(q, q.shape(), out))
    }

    fn feed_forward(
        &self,
        x: &Tensor,
        norm: &Tensor,
        eps: f32,
        [gate, up, down]: [&Tensor; 3],
    ) -> Result<Tensor> {
        let (n_tokens, n_in) = (x.shape()[0], x.shape()[1]);
        let (hidden_dim, n_out) = (matrix_shape(gate).0, matrix_shape(down).0);
        let normalized = self.normalized(x, norm, eps)?;
        let opened = self.products(&normalized, n_in, &[gate, up])?;
        let mut hidden = self.take(n_tokens * hidden_dim);
        self.in_pieces(&mut hidden, PIECE, |range, out| {
            self.run(Swiglu {
                gate: &opened[0][range.clone()],
                up: &opened[1][range],
                out,
            });
        });
        drop(opened);
        let mut outs = self.products(&hidden, hidden_dim, &[down])?;
        let out = outs.pop().unwrap_or_else(|| self.take(0));
        Ok(result(x, &[n_tokens, n_out], out))
    }
}

/// `cache[sequence_t, position_t] = rows_t`.
fn write(cache: &mut Tensor, name: &'static str, rows: &[f32], places: &[Place]) -> Result<()> {
    let (context_length, width) = (cache.shape()[1], cache.shape()[2]);
    let mut cache = cache_mut(cache, name)?;
    for (row, place) in rows.chunks_exact(width.max(1)).zip(places) {
        let start = (place.sequence * context_length + place.position) * width;
        match &mut cache {
            CacheMut::F32(cache) => cache[start..start + width].copy_from_slice(row),
            CacheMut::F16(cache) => {
                for (to, from) in cache[start..start + width].iter_mut().zip(row) {
                    *to = half::f16::from_f32(*from).to_bits().to_le();
                }
            }
        }
    }
    Ok(())
}
