//! The gollm binary.
fn main() {}
