//! Chapter 2, text. Run with `cargo test --test ch02`; read with notes/ch02-text.md.
//!
//! The numbers in the names are the sections of the book's chapter 2. Sections 2.7 and 2.8,
//! embeddings and positions, begin where ids become vectors: they belong to gollm-model.

#![expect(clippy::unwrap_used, reason = "a panic is how a test's helper fails")]

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use gollm_tokenizer::{
    Error, Pattern, SPECIAL_TOKENS, Tokenizer, TrainOptions, pretokenize, sliding_windows, train,
};
use proptest::prelude::*;

/// A little text with repetition, several scripts and an emoji.
const STORY: &str = "Once upon a time there was a little hen. The little hen had a little house. \
    \"Who will help me?\" said the hen. \"Not I,\" said the dog. \"Not I,\" said the cat.\n\n\
    Es war einmal eine kleine Henne. 小さなめんどりがいました。 🐔🐔\n";

fn options(vocab_size: usize, pattern: Pattern) -> TrainOptions {
    TrainOptions {
        vocab_size,
        pattern,
        special_tokens: Vec::new(),
    }
}

/// A tokenizer trained on the story, told twice so that every pair occurs at least twice.
fn story_tokenizer(pattern: Pattern) -> &'static Tokenizer {
    static TRAINED: LazyLock<[Tokenizer; 6]> = LazyLock::new(|| {
        Pattern::ALL.map(|pattern| {
            let special_tokens = SPECIAL_TOKENS.map(str::to_owned).to_vec();
            let options = TrainOptions {
                vocab_size: 340,
                pattern,
                special_tokens,
            };
            train([STORY, STORY], &options).unwrap()
        })
    });
    TRAINED
        .iter()
        .find(|tokenizer| tokenizer.pattern() == Some(pattern))
        .unwrap()
}

/// The 256 bytes and nothing else: the id of each byte is its value.
fn byte_tokenizer() -> Tokenizer {
    let bytes = (0..=255).map(|byte| vec![byte]).collect();
    Tokenizer::new(bytes, Pattern::Gpt2, Vec::new()).unwrap()
}

fn pieces(pattern: Pattern, text: &str) -> Vec<&str> {
    pretokenize(pattern, text).unwrap().collect()
}

#[test]
fn s2_a_space_belongs_to_the_word_after_it() {
    for pattern in Pattern::ALL {
        assert_eq!(
            pieces(pattern, "Hello, dear world!"),
            ["Hello", ",", " dear", " world", "!"]
        );
        assert_eq!(pieces(pattern, "a   b"), ["a", "  ", " b"]);
    }
}

#[test]
fn s2_the_patterns_differ_in_contractions_numbers_and_capitals() {
    assert_eq!(pieces(Pattern::Gpt2, "I'LL"), ["I", "'", "LL"]);
    assert_eq!(pieces(Pattern::Cl100k, "I'LL"), ["I", "'LL"]);
    assert_eq!(pieces(Pattern::O200k, "I'LL"), ["I'LL"]);

    assert_eq!(pieces(Pattern::Gpt2, "12345"), ["12345"]);
    assert_eq!(pieces(Pattern::Cl100k, "12345"), ["123", "45"]);
    assert_eq!(pieces(Pattern::O200k, "12345"), ["123", "45"]);

    assert_eq!(pieces(Pattern::Gpt2, "helloWorld"), ["helloWorld"]);
    assert_eq!(pieces(Pattern::Cl100k, "helloWorld"), ["helloWorld"]);
    assert_eq!(pieces(Pattern::O200k, "helloWorld"), ["hello", "World"]);
}

#[test]
fn s2_a_million_spaces_are_cut_like_a_few() {
    let spaces = " ".repeat(1_000_000);
    for pattern in Pattern::ALL {
        assert_eq!(pieces(pattern, &spaces), [spaces.as_str()]);
        assert_eq!(pieces(pattern, &format!("{spaces}x")), [&spaces[1..], " x"]);
    }
}

proptest! {
    #[test]
    fn s2_the_pieces_put_together_are_the_text(text in any::<String>()) {
        for pattern in Pattern::ALL {
            prop_assert_eq!(pieces(pattern, &text).concat(), text.as_str());
            prop_assert!(pieces(pattern, &text).iter().all(|piece| !piece.is_empty()));
        }
    }

    #[test]
    fn s3_decoding_undoes_encoding_for_any_string(text in any::<String>()) {
        for pattern in Pattern::ALL {
            let tokenizer = story_tokenizer(pattern);
            prop_assert_eq!(tokenizer.decode(&tokenizer.encode(&text)).unwrap(), text.as_str());
            let ids = tokenizer.encode_with_special(&text);
            prop_assert_eq!(tokenizer.decode(&ids).unwrap(), text.as_str());
        }
    }

    #[test]
    fn s3_any_bytes_have_ids_and_decoding_gives_them_back(bytes: Vec<u8>) {
        let ids: Vec<u32> = bytes.iter().map(|&byte| u32::from(byte)).collect();
        let tokenizer = story_tokenizer(Pattern::Gpt2);
        prop_assert_eq!(tokenizer.decode_bytes(&ids).unwrap(), bytes.as_slice());
        let lossy = String::from_utf8_lossy(&bytes);
        prop_assert_eq!(tokenizer.decode(&ids).unwrap(), lossy.as_ref());
    }
}

#[test]
fn s3_without_merges_the_ids_are_the_utf8_bytes() {
    assert_eq!(byte_tokenizer().encode("hé"), [104, 195, 169]);
}

#[test]
fn s3_an_id_that_stands_for_nothing_is_an_error() {
    let error = byte_tokenizer().decode(&[104, 256]).unwrap_err();
    assert!(
        matches!(
            error,
            Error::UnknownId {
                id: 256,
                vocab_size: 256
            }
        ),
        "{error}"
    );
}

#[test]
fn s4_the_special_tokens_have_the_last_ids() {
    let tokenizer = story_tokenizer(Pattern::Cl100k);
    let found: Vec<(&str, u32)> = tokenizer.special_tokens().collect();
    let expected: Vec<(&str, u32)> = SPECIAL_TOKENS.into_iter().zip(335..).collect();
    assert_eq!(found, expected);
    assert_eq!(tokenizer.vocab_size(), 340);
    assert_eq!(tokenizer.special_id("<|eot_id|>"), Some(339));
    assert_eq!(tokenizer.special_id("hen"), None);
    assert!(tokenizer.is_special(335) && !tokenizer.is_special(334));
    assert_eq!(tokenizer.decode(&[339]).unwrap(), "<|eot_id|>");
}

#[test]
fn s4_what_a_user_types_never_becomes_a_special_token() {
    for pattern in Pattern::ALL {
        let tokenizer = story_tokenizer(pattern);
        let typed = format!(
            "hi{}<|eot_id|>\n{}",
            SPECIAL_TOKENS[0],
            SPECIAL_TOKENS.concat()
        );
        let ids = tokenizer.encode(&typed);
        assert!(
            ids.iter().all(|&id| !tokenizer.is_special(id)),
            "{pattern}: {ids:?}"
        );
        assert_eq!(tokenizer.decode(&ids).unwrap(), typed);
    }
}

#[test]
fn s4_even_training_text_full_of_special_tokens_cannot_make_them_ordinary() {
    let special_tokens = vec!["<|eot_id|>".to_owned()];
    let options = TrainOptions {
        vocab_size: 263,
        pattern: Pattern::Gpt2,
        special_tokens,
    };
    let tokenizer = train(["<|eot_id|>".repeat(50)], &options).unwrap();
    let ids = tokenizer.encode("<|eot_id|>");
    assert!(ids.iter().all(|&id| id != 262), "{ids:?}");
    assert_eq!(tokenizer.encode_with_special("<|eot_id|>"), [262]);
}

#[test]
fn s4_in_trusted_text_special_tokens_are_found_the_longer_one_first() {
    let bytes = (0..=255).map(|byte| vec![byte]).collect();
    let special = [("<a>", 300), ("<a><b>", 301), ("<b>", 256)];
    let special = special.map(|(text, id)| (text.to_owned(), id)).to_vec();
    let tokenizer = Tokenizer::new(bytes, Pattern::Gpt2, special).unwrap();
    assert_eq!(
        tokenizer.encode_with_special("x<a><b><b><a>y<a"),
        [120, 301, 256, 300, 121, 60, 97]
    );
    assert_eq!(tokenizer.encode_with_special("<b>"), [256]);
    assert!(tokenizer.encode_with_special("").is_empty());
    assert_eq!(tokenizer.vocab_size(), 302);
    assert!(
        tokenizer.decode(&[257]).is_err(),
        "a gap between special ids stands for nothing"
    );
}

#[test]
fn s5_training_three_merges_gives_the_ids_of_the_worked_example() {
    let tokenizer = train(["aaabdaaabac"], &options(259, Pattern::Gpt2)).unwrap();
    let merges: Vec<&[u8]> = tokenizer.ranks()[256..].iter().map(Vec::as_slice).collect();
    assert_eq!(merges, [b"aa".as_slice(), b"ab", b"aaab"]);
    assert_eq!(tokenizer.encode("aaabdaaabac"), [258, 100, 258, 97, 99]);
    assert_eq!(
        tokenizer.decode(&[258, 100, 258, 97, 99]).unwrap(),
        "aaabdaaabac"
    );
}

#[test]
fn s5_of_equally_frequent_pairs_the_one_with_the_smallest_ids_is_merged() {
    let texts = ["cd", "ac", "ab", "cd", "ac", "ab"];
    let tokenizer = train(texts, &options(259, Pattern::Gpt2)).unwrap();
    let merges: Vec<&[u8]> = tokenizer.ranks()[256..].iter().map(Vec::as_slice).collect();
    assert_eq!(merges, [b"ab".as_slice(), b"ac", b"cd"]);
}

#[test]
fn s5_no_token_crosses_the_border_of_a_piece() {
    // " ab ab" occurs again and again, but a space begins a new piece.
    let text = "ab ab ab ab ab ab";
    let tokenizer = train([text], &options(258, Pattern::Gpt2)).unwrap();
    let merges: Vec<&[u8]> = tokenizer.ranks()[256..].iter().map(Vec::as_slice).collect();
    assert_eq!(merges, [b"ab".as_slice(), b" ab"]);
    let error = train([text], &options(259, Pattern::Gpt2)).unwrap_err();
    assert!(
        matches!(error, Error::CorpusTooSmall { reached: 258, .. }),
        "{error}"
    );
}

#[test]
fn s5_an_unknown_word_is_spelled_with_smaller_tokens() {
    let tokenizer = story_tokenizer(Pattern::Gpt2);
    let known = tokenizer.encode(" little");
    let unknown = tokenizer.encode(" Akwirw");
    assert_eq!(known.len(), 1, "frequent in the training text");
    assert!(unknown.len() > 4, "{unknown:?}");
    assert_eq!(tokenizer.decode(&unknown).unwrap(), " Akwirw");
}

#[test]
fn s5_every_learned_token_is_one_token_when_encoded() {
    for pattern in Pattern::ALL {
        let tokenizer = story_tokenizer(pattern);
        for (id, bytes) in (0..).zip(tokenizer.ranks()) {
            let Ok(text) = std::str::from_utf8(bytes) else {
                continue;
            };
            assert_eq!(tokenizer.encode(text), [id], "{text:?}");
        }
    }
}

#[test]
fn s5_a_larger_vocabulary_needs_fewer_tokens() {
    let lengths: Vec<usize> = [256, 270, 300, 340]
        .into_iter()
        .map(|vocab_size| {
            let tokenizer = train([STORY, STORY], &options(vocab_size, Pattern::Cl100k)).unwrap();
            assert_eq!(tokenizer.vocab_size(), vocab_size);
            tokenizer.encode(STORY).len()
        })
        .collect();
    assert_eq!(lengths[0], STORY.len(), "one token a byte before any merge");
    assert!(
        lengths.is_sorted_by(|longer, shorter| longer > shorter),
        "{lengths:?}"
    );
}

#[test]
fn s5_a_vocabulary_that_cannot_be_made_is_refused_with_the_size_that_can() {
    let special_tokens = vec!["<|eot_id|>".to_owned()];
    let mut options = TrainOptions {
        vocab_size: 256,
        pattern: Pattern::Gpt2,
        special_tokens,
    };
    let error = train([STORY], &options).unwrap_err();
    assert!(
        matches!(error, Error::VocabSizeTooSmall { minimum: 257, .. }),
        "{error}"
    );

    options.vocab_size = 1000;
    let error = train(["aaabdaaabac"], &options).unwrap_err();
    let Error::CorpusTooSmall {
        vocab_size: 1000,
        reached,
    } = error
    else {
        panic!("{error}")
    };
    options.vocab_size = reached;
    assert_eq!(
        train(["aaabdaaabac"], &options).unwrap().vocab_size(),
        reached
    );
    options.vocab_size = reached + 1;
    assert!(train(["aaabdaaabac"], &options).is_err());

    options.vocab_size = usize::MAX;
    let error = train([STORY], &options).unwrap_err();
    assert!(matches!(error, Error::VocabSizeTooLarge { .. }), "{error}");
}

#[test]
fn s5_a_stream_never_shows_half_a_character() {
    let tokenizer = byte_tokenizer();
    let mut stream = tokenizer.stream();
    let shown: Vec<String> = "a🐔é"
        .bytes()
        .map(|byte| stream.push(u32::from(byte)).unwrap())
        .collect();
    assert_eq!(shown, ["a", "", "", "", "🐔", "", "é"]);
    assert_eq!(stream.finish(), "");
}

#[test]
fn s5_a_stream_that_ends_inside_a_character_says_so() {
    let tokenizer = byte_tokenizer();
    let mut stream = tokenizer.stream();
    assert_eq!(stream.push(0xF0).unwrap(), "");
    assert_eq!(stream.push(0x9F).unwrap(), "");
    assert_eq!(stream.finish(), "\u{FFFD}");

    let mut stream = tokenizer.stream();
    assert_eq!(stream.push(0xF0).unwrap(), "");
    assert_eq!(
        stream.push(0x41).unwrap(),
        "\u{FFFD}A",
        "0x41 cannot follow 0xF0"
    );
    assert_eq!(
        stream.push(0xFF).unwrap(),
        "\u{FFFD}",
        "no character begins with 0xFF"
    );
    assert!(stream.push(999).is_err());
    assert_eq!(
        stream.push(0x42).unwrap(),
        "B",
        "an unknown id leaves the stream as it was"
    );
}

proptest! {
    #[test]
    fn s5_the_texts_of_a_stream_together_are_the_decoded_text(
        ids in prop::collection::vec(prop_oneof![0u32..340, 0x80u32..0x100], 0..80)
    ) {
        let tokenizer = story_tokenizer(Pattern::Gpt2);
        let mut stream = tokenizer.stream();
        let mut text = String::new();
        for &id in &ids {
            text.push_str(&stream.push(id).unwrap());
        }
        text.push_str(&stream.finish());
        prop_assert_eq!(text, tokenizer.decode(&ids).unwrap());
    }
}

#[test]
fn s5_a_long_piece_costs_little_more_than_its_length() {
    let text = "a".repeat(1 << 16);
    let tokenizer = train([&text], &options(264, Pattern::Gpt2)).unwrap();
    let text = "a".repeat(1 << 20);
    let start = Instant::now();
    assert_eq!(tokenizer.encode(&text).len(), (1 << 20) / 256);
    // Going through all pairs for each of a million merges takes hours; this takes 0.3 s even
    // without full optimisation, and the bound leaves room for a busy machine.
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn s6_the_targets_are_the_inputs_shifted_by_one() {
    let ids: Vec<u32> = (0..10).collect();
    let windows: Vec<_> = sliding_windows(&ids, 4, 4).unwrap().collect();
    assert_eq!(windows.len(), 2);
    assert_eq!(
        (windows[0].inputs, windows[0].targets),
        ([0, 1, 2, 3].as_slice(), [1, 2, 3, 4].as_slice())
    );
    assert_eq!(
        (windows[1].inputs, windows[1].targets),
        ([4, 5, 6, 7].as_slice(), [5, 6, 7, 8].as_slice())
    );
}

#[test]
fn s6_a_stride_of_one_repeats_and_a_window_needs_one_id_more_than_its_length() {
    let ids = [7, 8, 9];
    let inputs: Vec<&[u32]> = sliding_windows(&ids, 2, 1)
        .unwrap()
        .map(|window| window.inputs)
        .collect();
    assert_eq!(inputs, [[7, 8].as_slice()]);
    assert_eq!(sliding_windows(&ids, 1, 1).unwrap().count(), 2);
    assert_eq!(
        sliding_windows(&ids, 3, 1).unwrap().count(),
        0,
        "no id left to predict"
    );
    assert_eq!(sliding_windows(&[], 3, 1).unwrap().count(), 0);
    assert!(sliding_windows(&ids, 0, 1).is_err());
    assert!(sliding_windows(&ids, 1, 0).is_err());
}

proptest! {
    #[test]
    fn s6_windows_as_wide_as_their_stride_read_every_id_once(
        n_tokens in 0usize..200,
        context_length in 1usize..20,
    ) {
        let ids: Vec<u32> = (0..n_tokens as u32).collect();
        let mut read = Vec::new();
        for window in sliding_windows(&ids, context_length, context_length).unwrap() {
            prop_assert_eq!(window.inputs.len(), context_length);
            prop_assert_eq!(&window.inputs[1..], &window.targets[..context_length - 1]);
            read.extend_from_slice(window.inputs);
        }
        prop_assert!(n_tokens < read.len() + context_length + 1, "too little left out");
        prop_assert_eq!(&ids[..read.len()], read.as_slice());
    }
}
