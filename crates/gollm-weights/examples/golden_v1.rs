//! Makes the golden file of format version 1: `cargo run -p gollm-weights --example golden_v1 FILE`.
//!
//! The one in `test_data/` is never made again: a file of version 1 must stay readable whatever this
//! program would write later. Make a new one, under a new name, when the format gains something.

use gollm_weights::{Result, Writer};

#[path = "../tests/support/mod.rs"]
mod support;

fn main() -> Result<()> {
    let path = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "golden-v1.gollm".to_owned());
    let mut writer = Writer::create(path, &support::golden::metadata())?;
    for tensor in support::golden::tensors() {
        writer.tensor_f32(&tensor.name, &tensor.shape, tensor.dtype, &tensor.values)?;
    }
    writer.finish()
}
