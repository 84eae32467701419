//! Models with biases, norms of queries and keys, and experts: the same tokens as PyTorch's.

mod common;
#[expect(
    clippy::unwrap_used,
    reason = "helpers of tests are not marked as tests"
)]
#[path = "../../gollm-weights/tests/support/pytorch_text.rs"]
mod pytorch_text;

use gollm_tensor::Device;
use gollm_wgpu::Options;
use pytorch_text::{NAMES, assert_writes_what_pytorch_writes};

#[test]
fn they_write_what_pytorch_writes() {
    // Whole; and, where there is most to cut, in windows of a few rows each, with an f16 cache.
    for (max_binding_bytes, half_cache, names) in
        [(None, false, &NAMES[..]), (Some(4096), true, &NAMES[2..])]
    {
        let options = Options {
            max_binding_bytes,
            half_cache,
            ..Options::default()
        };
        let Some(wgpu) = common::open(options) else {
            return;
        };
        let device = Device::new(wgpu);
        for name in names {
            assert_writes_what_pytorch_writes(name, &device);
        }
    }
}
