//! Byte-level byte-pair encoding: train, encode, decode.
