//! The comparisons: each runs once on the reference and once on the device under test.

use gollm_tensor::{DType, Device, Result, Tensor};

use crate::numbers::{Numbers, difference};
use crate::{Bounds, Check};

/// Everything one comparison needs.
pub(crate) struct Suite<'a> {
    device: &'a Device,
    pub(crate) bounds: &'a Bounds,
    pub(crate) numbers: Numbers,
    checks: Vec<Check>,
}

/// Runs every comparison.
pub(crate) fn all(device: &Device, bounds: &Bounds) -> Result<Vec<Check>> {
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
    pub(crate) fn compare(
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
