//! Every instruction set does what portable Rust does.

use half::{bf16, f16};

use super::*;

/// Calls every operation with the same numbers and returns all results in a row.
struct Everything;

impl Task for Everything {
    type Output = Vec<f32>;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Vec<f32> {
        let a: Vec<f32> = (0..16).map(|i| i as f32 * 0.75 - 5.0).collect();
        let b: Vec<f32> = (0..16).map(|i| 3.0 - i as f32 * 0.5).collect();
        let halves: Vec<u8> = a
            .iter()
            .flat_map(|v| f16::from_f32(*v).to_le_bytes())
            .collect();
        let bf16s: Vec<u8> = a
            .iter()
            .flat_map(|v| bf16::from_f32(*v).to_le_bytes())
            .collect();
        let bytes: Vec<u8> = (0..64).map(|i| (i * 37 + 200) as u8).collect();
        let mut out = Vec::new();
        let mut keep = |value: S::F32| {
            let mut lanes = [0.0; LANES];
            // SAFETY: an array of 16.
            unsafe { simd.store(lanes.as_mut_ptr(), value) };
            out.extend(lanes);
        };
        // SAFETY: every vector has 16 numbers, 32 or 64 bytes as its reader needs.
        unsafe {
            let (x, y) = (simd.load(a.as_ptr()), simd.load(b.as_ptr()));
            keep(simd.add(x, y));
            keep(simd.mul(x, y));
            keep(simd.div(x, simd.splat(8.0)));
            keep(simd.fma(x, y, x));
            keep(simd.max(x, y));
            keep(simd.round(x));
            keep(simd.power_of_two(simd.round(x)));
            keep(simd.power_of_two(simd.splat(-126.0)));
            keep(simd.power_of_two(simd.splat(127.0)));
            keep(simd.splat(simd.sum(x)));
            keep(simd.splat(simd.largest(x)));
            keep(simd.load_f16(halves.as_ptr()));
            keep(simd.load_bf16(bf16s.as_ptr()));
            let mut rounded = [0i8; LANES];
            simd.store_i8(rounded.as_mut_ptr(), simd.mul(x, simd.splat(18.1)));
            keep(simd.load(rounded.map(f32::from).as_ptr()));
            let mut rows = [x; LANES];
            for (i, row) in rows.iter_mut().enumerate() {
                *row = simd.add(x, simd.splat(100.0 * i as f32));
            }
            for column in simd.transpose(rows) {
                keep(column);
            }
            let bytes = simd.load_u8(bytes.as_ptr());
            let (low, high) = simd.nibbles(bytes);
            // The extremes: -128 and 127 with bytes of up to 255.
            for quad in [[-128, 127, -1, 5], [127; 4], [-128; 4]] {
                let quad = i32::from_ne_bytes(quad.map(|q: i32| q as i8 as u8));
                for bytes in [bytes, low, high] {
                    keep(simd.to_f32(simd.dot4(simd.splat_i32(-7), bytes, quad)));
                }
            }
        }
        out
    }
}

#[test]
fn every_isa_does_what_portable_rust_does() {
    let isas = Isa::available();
    let expected = isas[0].run(Everything);
    for isa in isas {
        // Every number is small enough for exact arithmetic in any order.
        assert_eq!(isa.run(Everything), expected, "{isa}");
    }
}

#[test]
fn an_isa_is_read_as_it_is_written() {
    for isa in Isa::available() {
        assert_eq!(isa.name().parse(), Ok(isa));
    }
    assert!("sse9".parse::<Isa>().is_err());
}
