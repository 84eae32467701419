//! The Python module gollm.
