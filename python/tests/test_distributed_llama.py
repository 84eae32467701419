"""distributed-llama's files: a `.t` gives the ids of PyPI's tokenizers, a `.m` PyTorch's tokens."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path

import gollm
import numpy as np
import pytest
import sentencepiece
from conftest import tiny_model
from odd_texts import odd_texts
from test_gguf import adjacent, run
from test_tokenizers import (
    LINES,
    LLAMA_3,
    N_TEXTS,
    QWEN_2,
    TEMPLATE,
    module_of,
    same_ids,
    split_by,
    trained_pieces,
)
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, trainers
from tokenizers import pre_tokenizers as cut

from model import Decoder

LLAMA_MARKS = ["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"]
QWEN_MARKS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
ADDED = ["<tool_call>", "</tool_call>", "<think>"]
# The parts of a layer in the order of the file, matrices first.
PARTS = ["attn.q_proj", "attn.k_proj", "attn.v_proj", "attn.o_proj"]
PARTS += ["ffn.gate_proj", "ffn.down_proj", "ffn.up_proj", "attn_norm", "ffn_norm"]
Token = tuple[bytes, float]


def write_model(model: Decoder, path: Path) -> None:
    """A `.m` of version 0 in f32: numbered numbers, then the tensors."""
    config = model.config
    weights = {name: weight.detach().numpy() for name, weight in model.named_parameters()}
    head = {0: 0, 1: 0xABCD00, 2: config.emb_dim, 3: config.hidden_dim, 4: config.n_layers}
    head |= {5: config.n_heads, 6: config.n_kv_heads, 9: config.vocab_size}
    head |= {10: config.context_length, 11: 1, 12: int(config.rope_theta), 13: 0}
    heads = {"attn.q_proj": config.n_heads, "attn.k_proj": config.n_kv_heads}
    tensors = [weights["tok_emb.weight"]]
    for layer in range(config.n_layers):
        for part in PARTS:
            weight = weights[f"blocks.{layer}.{part}.weight"]
            tensors.append(adjacent(weight, heads[part]) if part in heads else weight)
    tensors += [weights["final_norm.weight"], weights["out_head.weight"]]
    data = b"".join(np.ascontiguousarray(tensor).tobytes() for tensor in tensors)
    path.write_bytes(numbered(0x0A00ABCD, head) + data)


def numbered(magic: int, numbers: dict[int, int]) -> bytes:
    """A head: the magic, its own length, pairs of a key and a value."""
    pairs = [number for pair in numbers.items() for number in pair]
    return struct.pack(f"<{2 + len(pairs)}i", magic, 4 * (2 + len(pairs)), *pairs)


def write_tokenizer(
    path: Path, tokens: list[Token], begin: int, ends: list[int], *, add_bos: bool = True
) -> None:
    """A `.t`: the head, the template, the ids that end a text, then scores, lengths and bytes."""
    template = TEMPLATE.encode()
    longest = max(len(token) for token, _ in tokens)
    head = {0: 1, 1: len(tokens), 2: longest, 3: begin, 7: len(template), 9: len(ends)}
    data = numbered(0x567124, head | {10: int(add_bos)}) + template
    data += struct.pack(f"<{len(ends)}i", *ends)
    data += b"".join(struct.pack("<fI", score, len(t)) + t for t, score in tokens)
    path.write_bytes(data)


def trained(pre_tokenizer: cut.PreTokenizer, marks: list[str]) -> Tokenizer:
    """A byte-level vocabulary whose special tokens come last, as Llama 3's and Qwen's."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = cut.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=900, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(LINES, trainer)
    tokenizer.add_special_tokens(marks)
    tokenizer.add_tokens([AddedToken(text, normalized=False) for text in ADDED])
    return tokenizer


def ranked(tokenizer: Tokenizer) -> list[Token]:
    """The tokens as bytes, which the alphabet of bytes hides, and minus their ids as scores."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in plain]
    byte_of = {chr(byte): byte for byte in plain}
    byte_of |= {chr(0x100 + index): byte for index, byte in enumerate(hidden)}
    added = {token.content for token in tokenizer.get_added_tokens_decoder().values()}
    ids = tokenizer.get_vocab()
    texts = sorted(ids, key=lambda text: ids[text])
    tokens = [t.encode() if t in added else bytes(byte_of[c] for c in t) for t in texts]
    return [(token, -float(i)) for i, token in enumerate(tokens)]


def id_of(tokenizer: Tokenizer, token: str) -> int:
    found = tokenizer.token_to_id(token)
    assert found is not None, token
    return int(found)


def llama_3() -> tuple[Tokenizer, list[str]]:
    return trained(split_by(LLAMA_3), LLAMA_MARKS), LLAMA_MARKS


def qwen_2() -> tuple[Tokenizer, list[str]]:
    tokenizer = trained(split_by(QWEN_2), QWEN_MARKS)
    tokenizer.normalizer = normalizers.NFC()
    return tokenizer, QWEN_MARKS


def beside_a_model(path: Path, n_tokens: int) -> Decoder:
    """A small random model with three rows more than tokens."""
    model = tiny_model(vocab_size=n_tokens + 3, tie_embeddings=False)
    write_model(model, path)
    return model


@pytest.mark.parametrize("make", [llama_3, qwen_2])
def test_byte_level_ids_are_those_of_tokenizers(
    tmp_path: Path, make: Callable[[], tuple[Tokenizer, list[str]]]
) -> None:
    theirs, marks = make()
    tokens = ranked(theirs)
    path = tmp_path / "dllama_model_tiny.m"
    beside_a_model(path, len(tokens))
    ids = {mark: id_of(theirs, mark) for mark in marks}
    ends = [ids[mark] for mark in marks[1:]]
    is_llama = marks == LLAMA_MARKS
    write_tokenizer(
        tmp_path / "dllama_tokenizer_tiny.t", tokens, ids[marks[0]], ends, add_bos=is_llama
    )
    ours = module_of(path)
    assert ours.pattern == ("llama3" if is_llama else "qwen2")
    same_ids(theirs, ours, [*marks, *ADDED])
    assert set(ours.added_tokens) == set(ADDED)
    roles = json.loads(ours.to_json())
    assert roles["end"] == ends
    assert roles.get("begin") == (ids[marks[0]] if is_llama else None)


def pieces_of(model: sentencepiece.SentencePieceProcessor, spelling: str) -> list[Token]:
    """The tokens as distributed-llama's converters have written them, now and before."""
    tokens = []
    for i in range(model.GetPieceSize()):
        text, score = model.IdToPiece(i), model.GetScore(i)
        token = text.replace("▁", " ").encode()
        if spelling == "raw bytes" and model.IsByte(i):
            token = bytes([int(text[1:-1], 16)])
        if spelling == "ids as scores":
            token, score = text.encode(), -float(i)
        tokens.append((token, score))
    return tokens


@pytest.mark.parametrize("spelling", ["named bytes", "raw bytes", "ids as scores"])
def test_sentence_piece_ids_are_those_of_sentencepiece(tmp_path: Path, spelling: str) -> None:
    theirs = trained_pieces(tmp_path, True)
    tokens = pieces_of(theirs, spelling)
    path = tmp_path / "tiny.m"
    beside_a_model(path, len(tokens))
    write_tokenizer(tmp_path / "tiny.t", tokens, theirs.bos_id(), [theirs.eos_id()])
    ours = module_of(path)
    for text in odd_texts(N_TEXTS, seed=6):
        ids = theirs.Encode(text)
        assert ours.encode(text) == ids, text
        assert ours.decode(ids) == theirs.Decode(ids), text


def test_a_model_with_its_tokenizer_writes_what_pytorch_computes(tmp_path: Path) -> None:
    theirs, marks = llama_3()
    tokens = ranked(theirs)
    path, n_tokens = tmp_path / "dllama_model_tiny.m", 16
    model = beside_a_model(path, len(tokens))
    begin, *ends = (id_of(theirs, mark) for mark in marks)
    # Of another name, and the only one there.
    write_tokenizer(tmp_path / "dllama_tokenizer_llama3.t", tokens, begin, ends)
    converted = tmp_path / "tiny.gollm"
    run("convert", str(path), str(converted))
    prompt = "the hen and her chicks"
    ids = [begin, *theirs.encode(prompt).ids]
    expected = model.generate(ids, n_tokens)
    options = ["--device", "reference", "--temp", "0", "--ignore-eos", "--json"]
    for file in (path, converted):
        answer = run("generate", "-m", str(file), "-n", str(n_tokens), *options, prompt)
        assert json.loads(answer)["ids"] == expected
        shown = run("inspect", str(file))
        assert "pattern llama3" in shown
        assert TEMPLATE in shown
        assert gollm.Model.load(str(file)).chat_template == TEMPLATE
    # The template writes "user: hi" and no end, so the answer continues these words.
    chat = ["chat", "-m", str(path), "-p", "hi", "-n", "4", "--temp", "0", "--device", "reference"]
    first = model.generate([begin, *theirs.encode("user: hi").ids], 4)
    answered = theirs.decode(first, skip_special_tokens=True)
    assert run(*chat).strip() == answered.strip()
