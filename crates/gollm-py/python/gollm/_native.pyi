# The types of the compiled part. Each class and function describes itself: help(gollm.Tokenizer).

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from typing import Any, Literal, TypedDict, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

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

__version__: str

class GollmError(RuntimeError): ...

@final
class Tokenizer:
    @staticmethod
    def train(
        texts: Iterable[str],
        vocab_size: int,
        pattern: str = "cl100k",
        special_tokens: Sequence[str] | None = None,
    ) -> Tokenizer: ...
    @staticmethod
    def from_ranks(
        ranks: Sequence[bytes],
        pattern: str = "cl100k",
        special_tokens: Mapping[str, int] | None = None,
    ) -> Tokenizer: ...
    @staticmethod
    def load(path: str | PathLike[str]) -> Tokenizer: ...
    @staticmethod
    def from_json(text: str, /) -> Tokenizer: ...
    @staticmethod
    def from_hf_json(text: str, config: str | None = None) -> Tokenizer: ...
    def encode(self, text: str, allow_special: bool = False) -> list[int]: ...
    def encode_batch(
        self, texts: Sequence[str], allow_special: bool = False, threads: int | None = None
    ) -> tuple[NDArray[np.uint32], NDArray[np.uint64]]: ...
    def decode(self, ids: Iterable[int]) -> str: ...
    def decode_bytes(self, ids: Iterable[int]) -> bytes: ...
    def stream(self) -> DecodeStream: ...
    def token_bytes(self, id: int, /) -> bytes: ...
    def special_id(self, text: str, /) -> int | None: ...
    def is_special(self, id: int, /) -> bool: ...
    @property
    def vocab_size(self) -> int: ...
    @property
    def pattern(self) -> str | None: ...
    @property
    def special_tokens(self) -> dict[str, int]: ...
    @property
    def added_tokens(self) -> dict[str, int]: ...
    def save(self, path: str | PathLike[str]) -> None: ...
    def to_json(self) -> str: ...
    def to_hf_json(self, chat_template: str | None = None) -> tuple[str, str]: ...
    def __reduce__(self) -> tuple[Any, tuple[str]]: ...

@final
class DecodeStream:
    def push(self, id: int, /) -> str: ...
    def finish(self) -> str: ...

@final
class Sampler:
    def __new__(
        cls,
        temperature: float = 0.8,
        top_k: int = 40,
        top_p: float = 0.95,
        min_p: float = 0.05,
        repetition_penalty: float = 1.0,
        repeat_last_n: int = 64,
        presence_penalty: float = 0.0,
        frequency_penalty: float = 0.0,
        seed: int = 0,
    ) -> Sampler: ...
    def sample(self, logits: ArrayLike, previous: Iterable[int] | None = None) -> int: ...
    def distribution(
        self, logits: ArrayLike, previous: Iterable[int] | None = None
    ) -> tuple[NDArray[np.uint32], NDArray[np.float32]]: ...

@final
class Model:
    @staticmethod
    def load(
        path: str | PathLike[str],
        device: str = "auto",
        *,
        mmap: bool = True,
        verify: bool = False,
    ) -> Model: ...
    @property
    def config(self) -> dict[str, Any]: ...
    def metadata(self) -> dict[str, Any]: ...
    @property
    def tokenizer(self) -> Tokenizer | None: ...
    @property
    def chat_template(self) -> str | None: ...
    @property
    def device(self) -> str: ...
    @property
    def tensor_names(self) -> list[str]: ...
    def tensor(self, name: str, /) -> NDArray[np.float32]: ...
    def logits(self, ids: Iterable[int], chunk_size: int = 128) -> NDArray[np.float32]: ...
    def loss(self, ids: Iterable[int]) -> float: ...
    def generate_ids(
        self,
        ids: Iterable[int],
        max_tokens: int,
        temperature: float = 0.0,
        top_k: int = 40,
        top_p: float = 0.95,
        min_p: float = 0.05,
        repetition_penalty: float = 1.0,
        repeat_last_n: int = 64,
        presence_penalty: float = 0.0,
        frequency_penalty: float = 0.0,
        seed: int = 0,
        stop_ids: Iterable[int] | None = None,
        ignore_end_of_text: bool = False,
    ) -> list[int]: ...
    def generate(
        self,
        prompt: str,
        max_tokens: int = 256,
        temperature: float = 0.8,
        top_k: int = 40,
        top_p: float = 0.95,
        min_p: float = 0.05,
        repetition_penalty: float = 1.0,
        repeat_last_n: int = 64,
        presence_penalty: float = 0.0,
        frequency_penalty: float = 0.0,
        seed: int = 0,
        stop: Sequence[str] | None = None,
        begin_of_text: bool = True,
    ) -> str: ...
    def stream(
        self,
        prompt: str,
        max_tokens: int = 256,
        temperature: float = 0.8,
        top_k: int = 40,
        top_p: float = 0.95,
        min_p: float = 0.05,
        repetition_penalty: float = 1.0,
        repeat_last_n: int = 64,
        presence_penalty: float = 0.0,
        frequency_penalty: float = 0.0,
        seed: int = 0,
        stop: Sequence[str] | None = None,
        begin_of_text: bool = True,
    ) -> TextStream: ...

@final
class TextStream:
    def __iter__(self) -> TextStream: ...
    def __next__(self) -> str: ...
    def close(self) -> None: ...
    @property
    def finish_reason(
        self,
    ) -> (
        Literal["end_of_text", "stop_string", "stop_id", "length", "context", "cancelled"] | None
    ): ...
    @property
    def ids(self) -> list[int] | None: ...

class _TensorReport(TypedDict):
    name: str
    dtype: str
    n_elements: int
    n_nan: int
    n_infinite: int

class _Report(TypedDict):
    version: str
    file_bytes: int
    n_parameters: int
    tensors: list[_TensorReport]

def write_model(
    path: str | PathLike[str],
    config_json: str,
    tensors: dict[str, NDArray[np.float32]],
    dtype: str,
    tokenizer_json: str | None = None,
    chat_template: str | None = None,
    provenance_json: str | None = None,
) -> None: ...
def verify(path: str | PathLike[str]) -> _Report: ...
