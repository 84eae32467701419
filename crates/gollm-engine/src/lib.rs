//! Tokens in, text out: prefill, decode, stream, stop.
