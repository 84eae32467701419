//! The .gollm model file: read, write, verify.
