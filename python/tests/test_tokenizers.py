"""Tokenizers of other projects: the same ids as PyPI's `tokenizers` and `sentencepiece`.

Vocabularies are trained on the spot, so nothing is downloaded; what is compared is the way text is
cut and merged, which is the same for the published vocabularies of each kind.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gguf
import gollm
import pytest
import sentencepiece
import transformers
from conftest import tiny_model
from odd_texts import odd_texts, training_lines
from test_gguf import run, write_gguf
from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    processors,
    trainers,
)
from tokenizers import pre_tokenizers as cut

N_TEXTS = 2000
LLAMA_3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN_2 = LLAMA_3.replace("{1,3}", "")
LINES = training_lines(1500, seed=1)
TEMPLATE = "{% for m in messages %}{{ m.role }}: {{ m.content }}{% endfor %}"
UNKNOWN = "<unk>"
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


def same_ids(theirs: Tokenizer, ours: gollm.Tokenizer, marks: list[str] | None = None) -> None:
    """Compares ids of all texts, and the text that ids become."""
    for text in odd_texts(N_TEXTS, seed=2, marks=marks):
        expected = theirs.encode(text, add_special_tokens=False).ids
        ids = ours.encode(text, allow_special=True)
        assert ids == expected, (text, theirs.encode(text).tokens)
        decoded = theirs.decode(ids, skip_special_tokens=False)
        assert ours.decode(ids) == decoded, text
    for text in marks or []:
        if text in ours.special_tokens:
            assert ours.special_tokens[text] not in ours.encode(f"a {text} b")


def byte_level(pre_tokenizer: Any, **model: Any) -> Tokenizer:
    """Trains a byte-level vocabulary whose special tokens come first, as SmolLM's."""
    tokenizer = Tokenizer(models.BPE(**model))
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=900,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=cut.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(LINES, trainer)
    return tokenizer


def split_by(expression: str) -> Any:
    split = cut.Split(Regex(expression), behavior="isolated")
    return cut.Sequence([split, cut.ByteLevel(add_prefix_space=False, use_regex=False)])


def gpt_2() -> Tokenizer:
    return byte_level(cut.ByteLevel(add_prefix_space=False))


def llama_3() -> Tokenizer:
    tokenizer = byte_level(split_by(LLAMA_3), ignore_merges=True)
    tokenizer.add_special_tokens(["<|begin_of_text|>", "<|eot_id|>"])
    begin = ("<|begin_of_text|>", tokenizer.token_to_id("<|begin_of_text|>"))
    template = processors.TemplateProcessing(single="<|begin_of_text|> $A", special_tokens=[begin])
    tokenizer.post_processor = processors.Sequence([processors.ByteLevel(), template])
    return tokenizer


def qwen_2() -> Tokenizer:
    tokenizer = byte_level(split_by(QWEN_2))
    tokenizer.normalizer = normalizers.NFC()
    calls = [AddedToken(text, normalized=False) for text in ("<tool_call>", "</tool_call>")]
    tokenizer.add_tokens(calls)
    return tokenizer


def smollm() -> Tokenizer:
    digits = cut.Digits(individual_digits=True)
    return byte_level(cut.Sequence([digits, cut.ByteLevel(add_prefix_space=False)]))


MARKS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|eot_id|>", "<tool_call>", "</tool_call>"]


@pytest.mark.parametrize("make", [gpt_2, llama_3, qwen_2, smollm])
def test_byte_level_ids_are_those_of_tokenizers(make: Any) -> None:
    theirs = make()
    ours = gollm.Tokenizer.from_hf_json(theirs.to_str())
    same_ids(theirs, ours, MARKS)
    # Through our own JSON, which a .gollm file holds, and back out.
    again = gollm.Tokenizer.from_json(ours.to_json())
    written = Tokenizer.from_str(again.to_hf_json()[0])
    same_ids(written, again, MARKS)


def test_old_files_hold_merges_as_strings() -> None:
    theirs = gpt_2()
    file = json.loads(theirs.to_str())
    file["model"]["merges"] = [" ".join(pair) for pair in file["model"]["merges"]]
    ours = gollm.Tokenizer.from_hf_json(json.dumps(file))
    assert ours.to_json() == gollm.Tokenizer.from_hf_json(theirs.to_str()).to_json()


def test_what_begins_and_ends_a_text_is_in_the_files() -> None:
    file = llama_3().to_str()
    config = {"eos_token": {"content": "<|eot_id|>"}}
    ours = gollm.Tokenizer.from_hf_json(file, json.dumps(config))
    roles = json.loads(ours.to_json())
    assert roles["begin"] == ours.special_id("<|begin_of_text|>")
    assert roles["end"] == [ours.special_id("<|eot_id|>")]


@pytest.mark.parametrize("pattern", ["gpt2", "cl100k", "o200k", "llama3", "qwen2", "smollm"])
def test_our_own_vocabularies_are_the_same_in_tokenizers(pattern: str) -> None:
    ours = gollm.Tokenizer.train(LINES, 600, pattern)
    theirs = Tokenizer.from_str(ours.to_hf_json()[0])
    same_ids(theirs, ours, list(ours.special_tokens))
    assert theirs.encode("a").ids == [ours.special_id("<|begin_of_text|>"), *ours.encode("a")]


def sentence_piece(pre_tokenizer: Any, lines: list[str]) -> Tokenizer:
    """Trains a vocabulary of characters with byte tokens, as Llama 2's, to be used in many ways."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token=UNKNOWN, fuse_unk=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizer
    trainer = trainers.BpeTrainer(
        vocab_size=1200, special_tokens=[UNKNOWN, "<s>", "</s>", *BYTES], show_progress=False
    )
    tokenizer.train_from_iterator(lines, trainer)
    # Some characters are only in the bytes; and bytes are ordinary tokens, not added ones.
    file = json.loads(tokenizer.to_str())
    file["added_tokens"] = file["added_tokens"][:3]
    return Tokenizer.from_str(json.dumps(file))


def by_words() -> Tokenizer:
    return sentence_piece(cut.Metaspace(prepend_scheme="always"), LINES[:700])


def across_words() -> Tokenizer:
    return sentence_piece(None, LINES[:60])


def back_to_text() -> Any:
    parts = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    return decoders.Sequence([*parts, decoders.Strip(" ", 1, 0)])


def llama_2(theirs: Tokenizer) -> None:
    prepend = normalizers.Prepend("▁")
    theirs.normalizer = normalizers.Sequence([prepend, normalizers.Replace(" ", "▁")])
    theirs.pre_tokenizer = None
    theirs.decoder = back_to_text()


def metaspace(scheme: str, split: bool) -> Any:
    def change(theirs: Tokenizer) -> None:
        theirs.normalizer = None
        theirs.pre_tokenizer = cut.Metaspace(prepend_scheme=scheme, split=split)
        theirs.decoder = back_to_text()

    change.__name__ = f"metaspace_{scheme}_{split}"
    return change


SPACE_RULES = [
    llama_2,
    metaspace("first", False),
    metaspace("always", False),
    metaspace("always", True),
    metaspace("never", False),
]


@pytest.mark.parametrize("make", [by_words, across_words])
@pytest.mark.parametrize("rule", SPACE_RULES)
def test_sentence_piece_ids_are_those_of_tokenizers(make: Any, rule: Any) -> None:
    theirs = make()
    rule(theirs)
    theirs.add_tokens([AddedToken("<tool_call>", normalized=False)])
    ours = gollm.Tokenizer.from_hf_json(theirs.to_str())
    assert ours.pattern is None
    same_ids(theirs, ours, ["<s>", "</s>", "<tool_call>"])
    again = gollm.Tokenizer.from_json(ours.to_json())
    same_ids(Tokenizer.from_str(again.to_hf_json()[0]), again, ["<s>", "<tool_call>"])


def test_characters_without_bytes_become_one_unknown_token() -> None:
    file = json.loads(by_words().to_str())
    file["model"]["byte_fallback"] = False
    theirs = Tokenizer.from_str(json.dumps(file))
    llama_2(theirs)
    ours = gollm.Tokenizer.from_hf_json(theirs.to_str())
    same_ids(theirs, ours)


def with_scores(model: sentencepiece.SentencePieceProcessor) -> gollm.Tokenizer:
    """A model of `sentencepiece` in the form of a `.gollm` file, as a GGUF file gives it."""
    pieces = [model.IdToPiece(i) for i in range(model.GetPieceSize())]
    special = {p: i for i, p in enumerate(pieces) if model.IsControl(i) or model.IsUnknown(i)}
    form = {
        "kind": "sentencepiece",
        "version": 1,
        "special": special,
        "tokens": ["" if p in special else p for p in pieces],
        "bytes": [i for i in range(len(pieces)) if model.IsByte(i)],
        "unknown": model.unk_id(),
        "scores": [model.GetScore(i) for i in range(len(pieces))],
        "first_space": "each_part",
        "strips_first_space": True,
        "begin": model.bos_id(),
        "end": [model.eos_id()],
    }
    return gollm.Tokenizer.from_json(json.dumps(form))


def trained_pieces(folder: Path, split_by_whitespace: bool) -> sentencepiece.SentencePieceProcessor:
    sentencepiece.SentencePieceTrainer.Train(
        sentence_iterator=iter(LINES),
        model_prefix=str(folder / "pieces"),
        model_type="bpe",
        vocab_size=750,
        byte_fallback=True,
        character_coverage=0.98,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        split_digits=True,
        split_by_whitespace=split_by_whitespace,
        minloglevel=2,
    )
    return sentencepiece.SentencePieceProcessor(model_file=str(folder / "pieces.model"))


@pytest.mark.parametrize("split_by_whitespace", [True, False])
def test_ids_by_scores_are_those_of_sentencepiece(
    tmp_path: Path, split_by_whitespace: bool
) -> None:
    model = trained_pieces(tmp_path, split_by_whitespace)
    ours = with_scores(model)
    assert len(json.loads(ours.to_json())["bytes"]) == 256
    # In Tokenizers' form the scores have become merges; the ids stay.
    merged = gollm.Tokenizer.from_hf_json(ours.to_hf_json()[0])
    for text in odd_texts(N_TEXTS, seed=3):
        ids = model.Encode(text)
        assert ours.encode(text) == ids, text
        assert merged.encode(text) == ids, text
        assert ours.decode(ids) == model.Decode(ids), text


def as_folder(tokenizer: gollm.Tokenizer, folder: Path) -> transformers.PreTrainedTokenizerBase:
    """The tokenizer beside a model's config, loaded as transformers does by itself."""
    files, config = tokenizer.to_hf_json(TEMPLATE)
    model = {"model_type": "llama", "architectures": ["LlamaForCausalLM"]}
    texts = {
        "tokenizer.json": files,
        "tokenizer_config.json": config,
        "config.json": json.dumps(model),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    loaded = transformers.AutoTokenizer.from_pretrained(folder)
    assert isinstance(loaded, transformers.PreTrainedTokenizerBase)
    return loaded


def scored() -> gollm.Tokenizer:
    theirs = by_words()
    llama_2(theirs)
    config = {"add_bos_token": True, "bos_token": "<s>", "eos_token": "</s>"}
    return gollm.Tokenizer.from_hf_json(theirs.to_str(), json.dumps(config))


def own() -> gollm.Tokenizer:
    return gollm.Tokenizer.train(LINES, 600)


@pytest.mark.parametrize("make", [own, scored])
def test_auto_tokenizer_gives_the_same_ids(tmp_path: Path, make: Any) -> None:
    ours = make()
    theirs = as_folder(ours, tmp_path)
    assert len(theirs) == ours.vocab_size
    begin = theirs.bos_token_id
    assert isinstance(begin, int)
    assert begin == ours.special_tokens[str(theirs.bos_token)]
    assert ours.is_special(int(theirs.eos_token_id or 0))
    marks = list(ours.special_tokens)
    for text in odd_texts(300, seed=4, marks=marks):
        ids = ours.encode(text, allow_special=True)
        assert theirs.encode(text) == [begin, *ids], text
        assert theirs.decode(ids) == ours.decode(ids), text
    asked = theirs.apply_chat_template([{"role": "user", "content": "hi"}], tokenize=False)
    assert asked == "user: hi"


def test_a_vocabulary_of_a_gguf_file_gives_the_ids_of_sentencepiece(tmp_path: Path) -> None:
    pieces = trained_pieces(tmp_path, True)
    n_pieces = pieces.GetPieceSize()
    model = tiny_model(vocab_size=n_pieces + 1)
    path = tmp_path / "pieces.gguf"
    kinds = [
        gguf.TokenType.UNKNOWN
        if pieces.IsUnknown(i)
        else gguf.TokenType.CONTROL
        if pieces.IsControl(i)
        else gguf.TokenType.BYTE
        if pieces.IsByte(i)
        else gguf.TokenType.NORMAL
        for i in range(n_pieces)
    ]

    def vocabulary(writer: gguf.GGUFWriter) -> None:
        writer.add_tokenizer_model("llama")
        writer.add_tokenizer_pre("default")
        writer.add_token_list([*(pieces.IdToPiece(i) for i in range(n_pieces)), "<tool_call>"])
        writer.add_token_scores([*(pieces.GetScore(i) for i in range(n_pieces)), -1000.0])
        writer.add_token_types([*kinds, gguf.TokenType.USER_DEFINED])
        writer.add_bos_token_id(pieces.bos_id())
        writer.add_eos_token_id(pieces.eos_id())

    write_gguf(model, path, gguf.GGMLQuantizationType.F32, vocabulary)
    exported = tmp_path / "again.gguf"
    run("convert", str(path), str(tmp_path / "own.gollm"))
    run("convert", str(tmp_path / "own.gollm"), str(exported))
    for file in (path, tmp_path / "own.gollm", exported):
        ours = module_of(file)
        for text in odd_texts(300, seed=5):
            assert ours.encode(text) == pieces.Encode(text), text
        assert ours.added_tokens == {"<tool_call>": n_pieces}
        assert json.loads(ours.to_json())["begin"] == pieces.bos_id()
    fields = gguf.GGUFReader(str(exported)).fields
    assert fields["tokenizer.ggml.token_type"].contents() == [*kinds, gguf.TokenType.USER_DEFINED]


def module_of(file: Path) -> gollm.Tokenizer:
    tokenizer = gollm.Model.load(str(file)).tokenizer
    assert tokenizer is not None
    return tokenizer
