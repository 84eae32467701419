"""Writes a model with random weights as GGUF, for llama.cpp. Runs in the environment of compare.py.

The spread of the weights is that of `gollm bench --random`. What a product costs does not depend on
its numbers, as long as they are neither zeros nor so small that a processor handles them apart.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Any: these live in an environment of their own, where no type checker looks.
gguf: Any = importlib.import_module("gguf")
numpy: Any = importlib.import_module("numpy")
yaml: Any = importlib.import_module("yaml")

FILE_TYPES = {
    "f32": "ALL_F32",
    "f16": "MOSTLY_F16",
    "bf16": "MOSTLY_BF16",
    "q8_0": "MOSTLY_Q8_0",
    "q4_0": "MOSTLY_Q4_0",
}


def tensors(config: dict[str, Any]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Names and shapes, `[out, in]`. There is no `output.weight`: the head is the table."""
    width, inside = config["emb_dim"], config["hidden_dim"]
    queries = config["n_heads"] * config["head_dim"]
    keys = config["n_kv_heads"] * config["head_dim"]
    yield "token_embd", (config["vocab_size"], width)
    yield "output_norm", (width,)
    for layer in range(config["n_layers"]):
        yield f"blk.{layer}.attn_norm", (width,)
        yield f"blk.{layer}.attn_q", (queries, width)
        yield f"blk.{layer}.attn_k", (keys, width)
        yield f"blk.{layer}.attn_v", (keys, width)
        yield f"blk.{layer}.attn_output", (width, queries)
        yield f"blk.{layer}.ffn_norm", (width,)
        yield f"blk.{layer}.ffn_gate", (inside, width)
        yield f"blk.{layer}.ffn_up", (inside, width)
        yield f"blk.{layer}.ffn_down", (width, inside)


def add_sizes(writer: Any, config: dict[str, Any], dtype: str) -> None:
    writer.add_name("random weights")
    writer.add_file_type(gguf.LlamaFileType[FILE_TYPES[dtype]])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_context_length(config["context_length"])
    writer.add_embedding_length(config["emb_dim"])
    writer.add_block_count(config["n_layers"])
    writer.add_feed_forward_length(config["hidden_dim"])
    writer.add_head_count(config["n_heads"])
    writer.add_head_count_kv(config["n_kv_heads"])
    writer.add_key_length(config["head_dim"])
    writer.add_value_length(config["head_dim"])
    writer.add_rope_dimension_count(config["head_dim"])
    writer.add_rope_freq_base(config["rope_theta"])
    writer.add_layer_norm_rms_eps(config["norm_eps"])


def add_vocabulary(writer: Any, n_pieces: int) -> None:
    """Pieces that stand for nothing: only ids are read and written here."""
    kinds = gguf.TokenType
    special = [("<unk>", kinds.UNKNOWN), ("<s>", kinds.CONTROL), ("</s>", kinds.CONTROL)]
    single = [(f"<0x{byte:02X}>", kinds.BYTE) for byte in range(256)]
    n_left = n_pieces - len(special) - len(single)
    pieces = special + single + [(f"piece{number}", kinds.NORMAL) for number in range(n_left)]
    writer.add_tokenizer_model("llama")
    writer.add_token_list([text for text, _ in pieces])
    writer.add_token_scores([0.0] * len(pieces))
    writer.add_token_types([kind for _, kind in pieces])


def write(config: dict[str, Any], dtype: str, path: Path) -> None:
    if not config["tie_embeddings"] or config.get("rope_scaling"):
        raise SystemExit("only models with tied embeddings and plain RoPE can be compared")
    if any(config.get(option) for option in ("qkv_bias", "qk_norm", "n_experts")):
        raise SystemExit("only models of architecture `llama` can be compared")
    writer = gguf.GGUFWriter(path, "llama")
    add_sizes(writer, config, dtype)
    add_vocabulary(writer, config["vocab_size"])
    random = numpy.random.default_rng(0)
    kind = gguf.GGMLQuantizationType[dtype.upper()]
    for name, shape in tensors(config):
        if len(shape) == 1:
            writer.add_tensor(f"{name}.weight", numpy.ones(shape, numpy.float32))
            continue
        values = (random.random(shape, numpy.float32) - numpy.float32(0.5)) * numpy.float32(0.07)
        writer.add_tensor(f"{name}.weight", gguf.quants.quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("dtype", choices=FILE_TYPES)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    config = yaml.safe_load(arguments.config.read_text(encoding="utf-8"))
    write(config, arguments.dtype, arguments.out)


if __name__ == "__main__":
    main()
