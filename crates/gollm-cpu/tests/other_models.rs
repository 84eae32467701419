//! Models with biases, norms of queries and keys, and experts: the same tokens as PyTorch's.

#[expect(
    clippy::unwrap_used,
    reason = "helpers of tests are not marked as tests"
)]
#[path = "../../gollm-weights/tests/support/pytorch_text.rs"]
mod pytorch_text;

use gollm_cpu::Cpu;
use gollm_tensor::Device;
use pytorch_text::{NAMES, assert_writes_what_pytorch_writes};

#[test]
fn they_write_what_pytorch_writes() {
    for name in NAMES {
        let cpu = Cpu::new(2).unwrap();
        assert_writes_what_pytorch_writes(name, &Device::new(cpu));
        // The leads of PyTorch's tokens are a hundredth and more, far beyond what f16 rounds.
        let half = Cpu::new(1).unwrap().with_half_cache();
        assert_writes_what_pytorch_writes(name, &Device::new(half));
    }
}
