"""The valid GGUF files that fuzzing starts from: PyPI's `gguf` and we read the same tensors."""

from __future__ import annotations

import subprocess
from pathlib import Path

import gguf
import numpy as np
import pytest
from numpy.typing import NDArray
from test_binary import REPOSITORY, binary

CORPUS = REPOSITORY / "crates" / "gollm-fuzz" / "corpus" / "gguf"
# Types that are used as they lie; the others become q8_0.
KEPT = ["F32", "F16", "BF16", "Q8_0", "Q4_0"]


def tensors(path: Path) -> dict[str, gguf.ReaderTensor]:
    return {tensor.name: tensor for tensor in gguf.GGUFReader(str(path)).tensors}


def values(tensor: gguf.ReaderTensor) -> NDArray[np.float32]:
    return gguf.quants.dequantize(tensor.data, tensor.tensor_type)


def has_vocabulary(path: Path) -> bool:
    return "tokenizer.ggml.tokens" in gguf.GGUFReader(str(path)).fields


# A vocabulary without the 256 bytes is read with the file and refused by the tokenizer.
FILES = [path for path in sorted(CORPUS.iterdir()) if not has_vocabulary(path)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_we_read_and_write_again_is_what_gguf_reads(path: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.gguf"
    command = [str(binary()), "convert", str(path), str(again)]
    subprocess.run(command, capture_output=True, check=True, timeout=60)
    before, after = tensors(path), tensors(again)
    assert before.keys() == after.keys()
    for name, tensor in before.items():
        ours = after[name]
        assert ours.shape.tolist() == tensor.shape.tolist(), name
        if tensor.tensor_type.name in KEPT:
            assert ours.tensor_type == tensor.tensor_type, name
            assert np.array_equal(ours.data, tensor.data), name
        else:
            assert ours.tensor_type.name == "Q8_0", name
            rounded = gguf.quants.quantize(values(tensor), gguf.GGMLQuantizationType.Q8_0)
            assert np.array_equal(ours.data, rounded), name


def test_the_corpus_has_a_file_of_every_type_that_is_read() -> None:
    found = {tensor.tensor_type.name for path in FILES for tensor in tensors(path).values()}
    blocks = {"Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K"}
    assert found == blocks | set(KEPT)
