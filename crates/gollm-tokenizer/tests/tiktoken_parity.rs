//! The published vocabularies, through our tokenizer and through tiktoken-rs: the same ids.
//!
//! Run with `cargo test -p gollm-tokenizer --test tiktoken_parity`. tiktoken-rs carries the
//! vocabularies, so no network is needed. Its `decode_bytes` gives the byte string of each id,
//! from which our tokenizer is built; everything after that is our own code.

#![expect(clippy::unwrap_used, reason = "a panic is how a test's helper fails")]

use std::sync::LazyLock;

use fancy_regex::Regex;
use gollm_tokenizer::{Pattern, Tokenizer, pretokenize};
use proptest::prelude::*;
use tiktoken_rs::{CoreBPE, cl100k_base_singleton, o200k_base_singleton, r50k_base_singleton};

/// A published vocabulary in both implementations, and the expression it is cut by.
struct Published {
    name: &'static str,
    theirs: &'static CoreBPE,
    ours: Tokenizer,
    regex: Regex,
}

impl Published {
    fn new(
        name: &'static str,
        theirs: &'static CoreBPE,
        pattern: Pattern,
        n_ranks: u32,
        special: &[(&str, u32)],
    ) -> Self {
        let ranks = (0..n_ranks)
            .map(|id| theirs.decode_bytes(&[id]).unwrap())
            .collect();
        let special = special
            .iter()
            .map(|&(text, id)| (text.to_owned(), id))
            .collect();
        let ours = Tokenizer::new(ranks, pattern, special).unwrap();
        Published {
            name,
            theirs,
            ours,
            regex: Regex::new(pattern.regex()).unwrap(),
        }
    }

    fn check_pieces(&self, text: &str) {
        let pieces: Vec<&str> = pretokenize(self.ours.pattern().unwrap(), text)
            .unwrap()
            .collect();
        let expected: Vec<&str> = self
            .regex
            .find_iter(text)
            .map(|found| found.unwrap().as_str())
            .collect();
        if let Some(at) = pieces
            .iter()
            .zip(&expected)
            .position(|(ours, theirs)| ours != theirs)
        {
            let from = at.saturating_sub(2);
            let [ours, theirs] = [&pieces, &expected].map(|all| &all[from..all.len().min(at + 3)]);
            panic!(
                "{}: pieces {ours:?}, the expression gives {theirs:?}",
                self.name
            );
        }
        assert_eq!(
            pieces.len(),
            expected.len(),
            "{}: the pieces of {text:?}",
            self.name
        );
    }

    fn check(&self, text: &str) {
        self.check_pieces(text);
        let ids = self.ours.encode(text);
        assert_eq!(
            ids,
            self.theirs.encode_ordinary(text),
            "{}: the ids of {text:?}",
            self.name
        );
        assert_eq!(
            self.ours.decode(&ids).unwrap(),
            text,
            "{}: decoded again",
            self.name
        );

        let ids = self.ours.encode_with_special(text);
        let expected = self.theirs.encode_with_special_tokens(text);
        assert_eq!(
            ids, expected,
            "{}: with special tokens, the ids of {text:?}",
            self.name
        );
    }
}

/// Sizes and ids: `tiktoken_ext/openai_public.py` of <https://github.com/openai/tiktoken>.
static PUBLISHED: LazyLock<[Published; 3]> = LazyLock::new(|| {
    [
        Published::new(
            "r50k_base",
            r50k_base_singleton(),
            Pattern::Gpt2,
            50_256,
            &[("<|endoftext|>", 50_256)],
        ),
        Published::new(
            "cl100k_base",
            cl100k_base_singleton(),
            Pattern::Cl100k,
            100_256,
            &[
                ("<|endoftext|>", 100_257),
                ("<|fim_prefix|>", 100_258),
                ("<|fim_middle|>", 100_259),
                ("<|fim_suffix|>", 100_260),
                ("<|endofprompt|>", 100_276),
            ],
        ),
        Published::new(
            "o200k_base",
            o200k_base_singleton(),
            Pattern::O200k,
            199_998,
            &[("<|endoftext|>", 199_999), ("<|endofprompt|>", 200_018)],
        ),
    ]
});

fn check_all(text: &str) {
    for published in PUBLISHED.iter() {
        published.check(text);
    }
}

#[test]
fn nasty_cases_give_the_same_ids() {
    let cases = [
        "",
        " ",
        "\n",
        "\0",
        "a\0b\0\0c \0 d",
        // Emoji: modifiers, joiners, flags, variation selectors, keycaps.
        "👍🏽 👩‍👩‍👧‍👦 🇩🇪🇫🇷 ❤️‍🔥 1️⃣2️⃣",
        "a\u{200d}b \u{200d}\u{200d} \u{feff}bom",
        // Combining marks: on a letter, alone, after a space, after digits, before capitals.
        "e\u{301}cole \u{301} \u{301}a 1\u{301}2 \u{301}ABC \u{301}\u{302}\u{303}Z a\u{20dd}B",
        "Z\u{351}\u{36b}a\u{300}\u{301}\u{302}l\u{489}g\u{334}o",
        // Line breaks of every kind.
        "a\r\nb\r\rc\n\rd\r\n\r\n  e\r\n",
        "a\u{85}b\u{85}\u{85}c\u{2028}d\u{2029}e\u{b}f\u{c}g",
        "  \n  \n  x",
        "  \n  ",
        "x  \n  ",
        "\n\n\nx",
        "x\n\n\n",
        " \t\t x\t y\t",
        // Spaces that are not 0x20.
        "a\u{a0}b\u{a0}\u{a0}c \u{3000}d\u{3000}\u{3000}",
        "a\u{202f}b \u{2003}c\u{200b}d\u{1680}e",
        // Contractions in every case; U+017F folds to "s".
        "I'm I'M you're YOU'RE we've WE'VE he'll HE'LL she'd SHE'D can't CAN'T it's IT'S",
        "it'ſ IT'ſ 'ſ 'Re 'rE 'lL 'Ll 'vE 'S 'T 'st 'sS ''s ' s 's's's",
        "don'the' 'twas y'all'd've o'clock 'l 'v 'r '",
        "don’t it’s",
        "1's A's ß's 中's ع's \n's !'s",
        // Numbers: long, other digits, letter-like and fractions.
        "1 12 123 1234 12345 123456789012345 3.14159 1,000,000",
        "٠١٢٣٤٥ १२३४ ０１２３ Ⅷ ⅷ ½ ² ①②③④ 𝟘𝟙𝟚𝟛",
        // Case changes, title case letters, letters without case, modifier letters.
        "camelCase PascalCase HTTPServer iPhone SHOUTing mIxEd XMLHttpRequest2",
        "ǅungla ǅUNGLA aǅb ǅ",
        "中文ABC中文abc ABC中文 日本語テキスト한국어 ʰABC Aʰ ªBC",
        "Straße STRASSE ΣΊΣΥΦΟΣ Σίσυφος İstanbul ıI ﬁn",
        "العربية עִבְרִית हिन्दी ไทย ཧཱུྃ தமிழ் မြန်မာ",
        "𝓗𝓮𝓵𝓵𝓸 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𐐀𐐨 𞤀𞤢",
        // Symbols, and line breaks or slashes behind them.
        "!!!\n\n x ...\r\n /// //\n/ a/b/c http://x.y/z?q=1#f\n",
        " !\n ?/\r\n/ (a) [b] {c} <d> $5 50% a+b=c x^2",
        "\u{fffd}\u{fffe}\u{e000}\u{10ffff}\u{378}",
        "\u{1}\u{7f}\u{80}\u{9f}\u{ad}\u{61c}\u{200e}",
        // Code.
        "fn main() {\n    println!(\"hi\");\n\n\treturn;\n}\n",
        // The texts of special tokens, whole and broken.
        "<|endoftext|>",
        "a<|endoftext|><|endoftext|> b <|endofprompt|>",
        "<|endoftext <|endoftext|>> <<|endoftext|>",
        "<|fim_prefix|>x<|fim_suffix|>y<|fim_middle|>",
        // GPT-2's famous odd tokens.
        " SolidGoldMagikarp rawdownloadcloneembedreportprint",
    ];
    for case in cases {
        check_all(case);
        check_all(&format!("x{case}"));
        check_all(&format!("{case}x"));
        check_all(&format!(" {case} "));
        check_all(&format!("{case}\n{case}"));
    }
}

#[test]
fn the_picture_and_the_table_in_the_notes_are_right() {
    let cl100k = &PUBLISHED[1].ours;
    let pieces: Vec<&str> = pretokenize(Pattern::Cl100k, "It's 2026!")
        .unwrap()
        .collect();
    assert_eq!(pieces, ["It", "'s", " ", "202", "6", "!"]);
    assert_eq!(cl100k.encode("It's 2026!"), [2181, 596, 220, 2366, 21, 0]);

    // Text, bytes, then the number of tokens with r50k, cl100k and o200k.
    let rows = [
        (
            "Once upon a time, there was a little hen.",
            41,
            [11, 11, 11],
        ),
        (
            "Es war einmal eine kleine Henne, die hieß Käthe.",
            50,
            [21, 16, 14],
        ),
        ("むかしむかし、小さなめんどりがいました。", 60, [25, 20, 16]),
        ("        return x + 1\n", 21, [12, 7, 7]),
        ("3.14159265358979", 16, [8, 7, 7]),
        ("🐔👩\u{200d}🌾", 15, [10, 11, 7]),
    ];
    for (text, n_bytes, n_tokens) in rows {
        assert_eq!(text.len(), n_bytes, "{text}");
        let found: Vec<usize> = PUBLISHED
            .iter()
            .map(|published| published.ours.encode(text).len())
            .collect();
        assert_eq!(found, n_tokens, "{text}");
    }
}

#[test]
fn long_runs_of_one_character_give_the_same_ids() {
    // The lengths stay below those at which the reference's own engine gives up.
    for character in [
        "a", "A", " ", "\n", "\t", "1", "!", "/", "'", "é", "中", "👍", "\u{301}",
    ] {
        for length in [2, 3, 4, 5, 31, 100, 257, 1000] {
            let run = character.repeat(length);
            check_all(&run);
            check_all(&format!("{run}x"));
            check_all(&format!("x {run} X"));
            check_all(&format!(" {run}\n"));
        }
    }
}

#[test]
fn every_character_of_unicode_is_cut_like_the_expression_says() {
    // Surrounded by what its category could attach to: a lead, a word, a number, a break.
    for published in PUBLISHED.iter() {
        let mut text = String::new();
        for character in '\0'..=char::MAX {
            text.extend([
                character, 'a', character, 'A', character, '1', ' ', character, '\n',
            ]);
            if text.len() > 60_000 {
                published.check_pieces(&text);
                text.clear();
            }
        }
        published.check_pieces(&text);
    }
}

#[test]
fn every_published_token_is_encoded_alike() {
    for published in PUBLISHED.iter() {
        for id in 0..u32::try_from(published.ours.ranks().len()).unwrap() {
            let bytes = published.ours.token_bytes(id).unwrap();
            let Ok(text) = std::str::from_utf8(bytes) else {
                continue;
            };
            assert_eq!(
                published.ours.encode(text),
                published.theirs.encode_ordinary(text),
                "{}: token {id} = {text:?}",
                published.name
            );
        }
    }
}

#[test]
fn a_long_text_with_many_repeated_words_gives_the_same_ids() {
    // Long enough for the cache of pieces, with more different pieces than it holds; and twice,
    // so that some are still there, some were replaced, and some were taken for the first time.
    let o200k = &PUBLISHED[2].ours;
    let mut text = String::new();
    for id in (300..o200k.ranks().len()).step_by(23) {
        text.push_str(&o200k.decode(&[u32::try_from(id).unwrap()]).unwrap());
        text.push_str(" the quick fox's");
    }
    check_all(&text.repeat(2));
}

#[test]
fn lone_bytes_decode_to_the_same_bytes() {
    for published in PUBLISHED.iter() {
        for id in 0..256 {
            let ids = [id, 255 - id, id];
            let bytes = published.ours.decode_bytes(&ids).unwrap();
            assert_eq!(
                bytes,
                published.theirs.decode_bytes(&ids).unwrap(),
                "{}",
                published.name
            );
        }
        assert_eq!(
            published.ours.decode(&[255 - 1]).unwrap(),
            "\u{fffd}",
            "{}",
            published.name
        );
    }
}

/// Pieces that the expressions treat in different ways, to be strung together at random.
fn fragment() -> impl Strategy<Value = String> {
    let fixed = prop::sample::select(vec![
        " ",
        "  ",
        "\n",
        "\r\n",
        "\t",
        "\u{85}",
        "\u{a0}",
        "'",
        "'s",
        "'LL",
        "'ſ",
        "a",
        "b",
        "A",
        "B",
        "É",
        "é",
        "ß",
        "ǅ",
        "ʰ",
        "中",
        "ا",
        "\u{301}",
        "\u{200d}",
        "👍",
        "🏽",
        "1",
        "23",
        "٣",
        "½",
        "/",
        "!",
        "…",
        "<|endoftext|>",
        "\0",
        "the",
        " and",
        "ing",
    ]);
    prop_oneof![
        8 => fixed.prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => "[a-zA-Z' ]{1,12}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn tangled_text_gives_the_same_ids(fragments in prop::collection::vec(fragment(), 0..40)) {
        check_all(&fragments.concat());
    }

    #[test]
    fn arbitrary_unicode_gives_the_same_ids(text in any::<String>()) {
        check_all(&text);
    }

    #[test]
    fn arbitrary_characters_give_the_same_ids(text in prop::collection::vec(any::<char>(), 0..60)) {
        check_all(&text.into_iter().collect::<String>());
    }
}
