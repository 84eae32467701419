//! The Python module `gollm`: this workspace's tokenizer, sampler and models, for Python.
//!
//! The trainer in `python/` encodes its text with this module's tokenizer and writes its models
//! with this module's writer, and the parity tests compare PyTorch's logits with this module's. So
//! training and inference share one tokenizer and one description of the file format, and cannot
//! disagree about either.
//!
//! This crate knows how to hand text, ids and arrays over to Python and back. It does not know how
//! to tokenize, compute or read files: each method is a few lines around the crate that does.
//!
//! # Building
//!
//! `make python` at the root of the repository makes `.venv` with everything. In an environment of
//! one's own, with [maturin](https://www.maturin.rs) installed, in this folder:
//!
//! ```text
//! maturin develop --profile python
//! ```
//!
//! The profile `python` (in the workspace's `Cargo.toml`) optimises like a release but leaves out
//! link-time optimisation over all crates, which takes minutes and gains the module little. The
//! wheel uses Python's stable ABI: one build serves CPython 3.10 and later.
//!
//! # The tokenizer
//!
//! ```python
//! import gollm
//!
//! tokenizer = gollm.Tokenizer.train(texts, vocab_size=4096)   # any iterable of str
//! ids = tokenizer.encode("Once upon a time")                  # list[int]
//! assert tokenizer.decode(ids) == "Once upon a time"
//! tokenizer.save("tokenizer.tiktoken")                        # and tokenizer.tiktoken.json
//!
//! ids, offsets = tokenizer.encode_batch(texts)                # NumPy arrays, on all cores
//! first = ids[offsets[0]:offsets[1]]                          # the ids of texts[0]
//! ```
//!
//! What a user types never becomes a special token; `encode(text, allow_special=True)` is for text
//! that can be trusted. `tokenizer.stream()` decodes ids one at a time without showing half a
//! character. Tokenizers can be pickled.
//!
//! # Models
//!
//! ```python
//! model = gollm.Model.load("story.gollm")
//! print(model.config["n_layers"], model.metadata()["provenance"])
//! print(model.generate("Once upon a time", max_tokens=100, seed=7))
//! for piece in model.stream("Once upon a time", stop=["\n\n"]):
//!     print(piece, end="", flush=True)
//!
//! logits = model.logits(ids)                      # float32, [n_tokens, vocab_size]
//! new = model.generate_ids(ids, max_tokens=20)    # greedy
//! next_id = gollm.Sampler(top_k=5, seed=1).sample(logits[-1], previous=ids)
//! ```
//!
//! `gollm.write_model` writes a file (`python/export.py` shows how), `gollm.verify` checks every
//! byte of one.
//!
//! # Threads and Ctrl-C
//!
//! Whatever takes long (training, encoding, loading, writing, computing) releases the interpreter,
//! so other Python threads run meanwhile. Every object may be used by several threads; two calls of
//! one model wait for each other. Ctrl-C ends a generation between two tokens, and the training of
//! a tokenizer while it reads its texts, once the texts read so far are dealt with.
//!
//! # Errors
//!
//! `ValueError` and `TypeError` for a wrong argument, `OSError` (so `FileNotFoundError` and its
//! kin) when the system refuses a file, `KeyError` for the name of a tensor that is not there,
//! `MemoryError` for a file too large to read, and `gollm.GollmError`, a `RuntimeError`, for all
//! else: above all a file that is damaged, or parts that do not belong together.
//!
//! # The design decision
//!
//! The objects cannot be changed (`frozen`) and what changes inside them is behind a lock, for two
//! reasons: a method can then release the interpreter while it works on its object, and the module
//! needs nothing else to be safe on a Python without the global lock.
//!
//! Read next: `tokenizer.rs`, `model.rs`, and `error.rs` for which exception an error becomes.
//! Tests: `python/tests/test_gollm_module.py`.

mod decode_stream;
mod device;
mod encode_batch;
mod error;
mod generate;
mod ids;
mod json;
mod loaded_model;
mod model;
mod model_file;
mod sampler;
mod text_stream;
mod texts;
mod tokenizer;

/// The compiled part of the Python package `gollm`; import `gollm` instead.
#[pyo3::pymodule(name = "_native")]
mod native {
    #[pymodule_export]
    use crate::decode_stream::DecodeStream;
    #[pymodule_export]
    use crate::error::GollmError;
    #[pymodule_export]
    use crate::model::Model;
    #[pymodule_export]
    use crate::model_file::{verify, write_model};
    #[pymodule_export]
    use crate::sampler::Sampler;
    #[pymodule_export]
    use crate::text_stream::TextStream;
    #[pymodule_export]
    use crate::tokenizer::Tokenizer;

    /// The version of the package, stated in Cargo.toml.
    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "Python's name for it")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
