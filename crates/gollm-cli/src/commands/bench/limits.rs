//! What a device could do: the two limits that each figure stands beside.

use std::time::{Duration, Instant};

use gollm_cpu::roofline::Roofline;
use gollm_tensor::{DType, Device, Result};

/// The matrices whose sum is timed: 128 MiB each, more than the caches of a GPU hold.
const MATRIX: [usize; 2] = [8192, 4096];
/// Sides of the squares that are multiplied: larger ones until one takes long enough.
const SIDES: [usize; 6] = [256, 512, 1024, 2048, 4096, 8192];
/// How long a product must take, so that starting it counts for nothing.
const LONG_ENOUGH: Duration = Duration::from_millis(20);
/// Runs of each, of which the best counts; one more goes before them, which compiles kernels.
const RUNS: usize = 5;

/// The limits of a device for a model of one storage type.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Bytes a second from the device's memory.
    pub(super) bytes_per_second: f64,
    /// Operations a second in products with weights of the type, a multiply-add as two.
    pub(super) products_per_second: f64,
    /// Operations a second in attention.
    pub(super) attention_per_second: f64,
}

impl Limits {
    /// Those of a CPU: attention is in f32, and quantized weights are multiplied as bytes.
    pub(super) fn of_cpu(roofline: &Roofline, dtype: DType) -> Self {
        Self {
            bytes_per_second: roofline.bytes_per_second,
            products_per_second: match dtype {
                DType::F32 | DType::F16 | DType::BF16 => roofline.f32_per_second,
                DType::Q8_0 | DType::Q4_0 => roofline.i8_per_second,
            },
            attention_per_second: roofline.f32_per_second,
        }
    }

    /// Those of any device, by what its own operations reach: adding up two large arrays, and multiplying
    /// a large square by one of the storage type.
    pub(super) fn of_device(device: &Device, dtype: DType) -> Result<Self> {
        let products = product_rate(device, dtype)?;
        Ok(Self {
            bytes_per_second: copy_rate(device)?,
            products_per_second: products,
            attention_per_second: products,
        })
    }
}

/// Bytes read and written a second by an addition.
fn copy_rate(device: &Device) -> Result<f64> {
    let [a, b] = [device.zeros(&MATRIX)?, device.zeros(&MATRIX)?];
    let seconds = fastest(device, || a.add(&b).map(drop))?;
    Ok((3 * 4 * MATRIX[0] * MATRIX[1]) as f64 / seconds)
}

/// Operations a second of a product that is large enough to keep the device busy.
fn product_rate(device: &Device, dtype: DType) -> Result<f64> {
    let mut best = 0.0f64;
    for side in SIDES {
        let x = device.zeros(&[side, side])?;
        let weight = device.stored(&[side, side], dtype, &vec![0.0; side * side])?;
        let seconds = fastest(device, || x.matmul(&weight).map(drop))?;
        best = best.max(2.0 * (side as f64).powi(3) / seconds);
        if seconds > LONG_ENOUGH.as_secs_f64() {
            break;
        }
    }
    Ok(best)
}

/// The seconds of the best of some runs.
fn fastest(device: &Device, run: impl Fn() -> Result<()>) -> Result<f64> {
    let mut best = f64::INFINITY;
    for i in 0..=RUNS {
        let started = Instant::now();
        run()?;
        device.backend().synchronize()?;
        if i > 0 {
            best = best.min(started.elapsed().as_secs_f64());
        }
    }
    Ok(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_multiplied_by_integers_and_attended_to_in_f32() {
        let roofline = Roofline {
            bytes_per_second: 1.0,
            f32_per_second: 2.0,
            i8_per_second: 3.0,
            region_seconds: 4.0,
        };
        let of = |dtype| {
            let limits = Limits::of_cpu(&roofline, dtype);
            (limits.products_per_second, limits.attention_per_second)
        };
        assert_eq!(of(DType::F16), (2.0, 2.0));
        assert_eq!(of(DType::Q4_0), (3.0, 2.0));
    }
}
