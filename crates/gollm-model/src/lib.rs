//! A LLaMA-3-style decoder and the book's ladder that leads to it.
