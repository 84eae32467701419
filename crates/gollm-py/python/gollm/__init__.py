"""The Rust side of gollm for Python: tokenizer, sampler, model files and generation.

Training (PyTorch) and inference (Rust) share this one tokenizer and this one file writer, so they
cannot disagree. ``help(gollm.Tokenizer)`` and its neighbours describe each class.
"""

from gollm._native import (
    DecodeStream,
    GollmError,
    Model,
    Sampler,
    TextStream,
    Tokenizer,
    __version__,
    verify,
    write_model,
)

__all__ = [
    "DecodeStream",
    "GollmError",
    "Model",
    "Sampler",
    "TextStream",
    "Tokenizer",
    "__version__",
    "verify",
    "write_model",
]
