//! distributed-llama's tokenizer files: what is read; `distributed_llama/hostile.rs` has what is refused.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use gollm_tokenizer::{Pattern, Roles, Tokenizer};
use support::llama2c_file;

const MAGIC: i32 = 0x56_7124;
const TEMPLATE: &str = "{{ messages[0].content }}";
/// Joined from bytes: `ab` first.
const WORDS: [&[u8]; 6] = [b"ab", b" ab", b"abc", b"cab", b"cabc", "é".as_bytes()];
const LLAMA_3: [&str; 4] = [
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|eot_id|>",
    "<think>",
];
const QWEN_2: [&str; 4] = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<tool_call>"];

/// A file that is being put together.
#[derive(Clone)]
struct RawFile {
    magic: i32,
    head_bytes: Option<i32>,
    pairs: Vec<(i32, i32)>,
    /// The template and, in old files, the text behind it.
    texts: Vec<u8>,
    ends: Vec<i32>,
    tokens: Vec<(Vec<u8>, f32)>,
    trailing: Vec<u8>,
}

impl RawFile {
    fn new(tokens: Vec<(Vec<u8>, f32)>, begin: i32, ends: &[i32]) -> Self {
        let longest = tokens.iter().map(|(token, _)| token.len()).max().unwrap();
        let pairs = [
            (3, begin),
            (0, 1),
            (1, tokens.len() as i32),
            (2, longest as i32),
            (7, TEMPLATE.len() as i32),
            (9, ends.len() as i32),
        ];
        RawFile {
            magic: MAGIC,
            head_bytes: None,
            pairs: pairs.to_vec(),
            texts: TEMPLATE.into(),
            ends: ends.to_vec(),
            tokens,
            trailing: Vec::new(),
        }
    }

    /// A byte-level vocabulary: the bytes, `words`, `marks`; scores are minus the ids.
    fn ranked(words: &[&[u8]], marks: &[&str]) -> Self {
        let bytes = (0..=255u8).map(|byte| vec![byte]);
        let words = words.iter().map(|word| word.to_vec());
        let marks = marks.iter().map(|mark| mark.as_bytes().to_vec());
        let tokens: Vec<_> = bytes
            .chain(words)
            .chain(marks)
            .enumerate()
            .map(|(id, token)| (token, -(id as f32)))
            .collect();
        let begin = 256 + WORDS.len() as i32;
        RawFile::new(tokens, begin, &[begin + 1, begin + 2])
    }

    fn llama_3() -> Self {
        RawFile::ranked(&WORDS, &LLAMA_3)
    }

    fn set(&mut self, key: i32, value: i32) {
        self.remove(key);
        self.pairs.push((key, value));
    }

    fn remove(&mut self, key: i32) {
        self.pairs.retain(|(known, _)| *known != key);
    }

    fn bytes(&self) -> Vec<u8> {
        let head_bytes = self.head_bytes.unwrap_or(8 + 8 * self.pairs.len() as i32);
        let pairs = self.pairs.iter().flat_map(|(key, value)| [*key, *value]);
        let numbers = [self.magic, head_bytes].into_iter().chain(pairs);
        let mut bytes: Vec<u8> = numbers.flat_map(i32::to_le_bytes).collect();
        bytes.extend(&self.texts);
        bytes.extend(self.ends.iter().flat_map(|end| end.to_le_bytes()));
        for (token, score) in &self.tokens {
            bytes.extend(score.to_le_bytes());
            bytes.extend((token.len() as i32).to_le_bytes());
            bytes.extend(token);
        }
        bytes.extend(&self.trailing);
        bytes
    }

    fn read(&self) -> Tokenizer {
        Tokenizer::from_distributed_llama(&self.bytes()).unwrap().0
    }

    fn refused(&self) -> String {
        let read = Tokenizer::from_distributed_llama(&self.bytes());
        read.unwrap_err().to_string()
    }
}

/// A SentencePiece vocabulary, its bytes by name or raw.
fn pieces(texts: &[(&str, f32)], raw: bool) -> RawFile {
    let marks = ["<unk>", "\n<s>\n", "\n</s>\n"].map(|mark| mark.as_bytes().to_vec());
    let bytes = (0..=255u8).map(|byte| match raw {
        true => vec![byte],
        false => format!("<0x{byte:02X}>").into_bytes(),
    });
    let texts = texts
        .iter()
        .map(|(text, score)| (text.as_bytes().to_vec(), *score));
    let before = marks.into_iter().chain(bytes).map(|token| (token, 0.0));
    RawFile::new(before.chain(texts).collect(), 1, &[2])
}

#[test]
fn llama_3_cuts_text_as_its_marks_say_and_keeps_its_special_tokens_from_typed_text() {
    let file = RawFile::llama_3();
    let (read, template) = Tokenizer::from_distributed_llama(&file.bytes()).unwrap();
    assert_eq!(template.as_deref(), Some(TEMPLATE));
    assert_eq!(read.pattern(), Some(Pattern::Llama3));
    let ranks = file.tokens[..262].iter().map(|(token, _)| token.clone());
    let plain = Tokenizer::new(ranks.collect(), Pattern::Llama3, Vec::new()).unwrap();
    for text in ["cab cabc abab\n\n ab", "12345 é ababc", "cabcabc", ""] {
        assert_eq!(read.encode(text), plain.encode(text), "{text:?}");
        assert_eq!(read.decode(&read.encode(text)).unwrap(), text);
    }
    let roles = Roles {
        begin: Some(262),
        end: vec![263, 264],
    };
    assert_eq!(read.roles(), Some(&roles));
    assert!(!read.encode("<|eot_id|>").contains(&264));
    assert_eq!(read.encode_with_special("<|eot_id|>"), [264]);
    // Text that the model prints and anybody may write.
    assert_eq!(read.encode("<think>"), [265]);
    assert!(!read.is_special(265));
    let again = Tokenizer::from_json(&read.to_json()).unwrap();
    assert_eq!(again.to_json(), read.to_json());
}

#[test]
fn qwen_2_composes_text_and_begins_with_nothing_where_the_file_says_so() {
    let mut file = RawFile::ranked(&WORDS, &QWEN_2);
    file.set(10, 0);
    let read = file.read();
    assert_eq!(read.pattern(), Some(Pattern::Qwen2));
    assert_eq!(read.roles().unwrap().begin, None);
    assert_eq!(read.encode("e\u{301}"), [261]);
    assert_eq!(read.encode("<tool_call>"), [265]);
    file.set(10, 1);
    assert_eq!(file.read().roles().unwrap().begin, Some(262));
}

#[test]
fn deepseek_s_marks_go_with_both_and_numbers_tell_which() {
    let marks = [
        "<｜end▁of▁sentence｜>",
        "<｜User｜>",
        "<｜begin▁of▁sentence｜>",
    ];
    let mut file = RawFile::ranked(&WORDS, &marks);
    // What ends a text comes first here; what lies between is a mark as well.
    file.set(3, 264);
    file.ends = vec![262];
    file.set(9, 1);
    let read = file.read();
    assert_eq!(read.pattern(), Some(Pattern::Qwen2));
    assert_eq!(read.special_id("<｜User｜>"), Some(263));
    assert_eq!(read.roles().unwrap().begin, Some(264));
    file.tokens[261].0 = b"10".to_vec();
    assert_eq!(file.read().pattern(), Some(Pattern::Llama3));
}

#[test]
fn old_files_name_what_ends_a_text_in_the_head_and_have_a_text_behind_the_template() {
    let mut file = RawFile::llama_3();
    file.remove(9);
    file.ends.clear();
    file.pairs.extend([(4, 263), (5, -1), (6, 264), (8, 5)]);
    file.texts.extend(b"<end>");
    assert_eq!(file.read().roles().unwrap().end, [263, 264]);
    file.texts.clear();
    file.remove(7);
    file.remove(8);
    let (read, template) = Tokenizer::from_distributed_llama(&file.bytes()).unwrap();
    assert_eq!(template, None);
    assert_eq!(read.to_json(), RawFile::llama_3().read().to_json());
}

#[test]
fn a_sentencepiece_vocabulary_is_that_of_llama2_c_however_its_bytes_are_written() {
    let spaced = [(" ", -3.0), ("a", -2.0), ("é", -4.0), (" a", -1.0)];
    let visible = spaced.map(|(text, score)| (text.replace(' ', "▁"), score));
    let visible: Vec<(&str, f32)> = visible.iter().map(|(t, s)| (t.as_str(), *s)).collect();
    let expected = Tokenizer::from_llama2c(&llama2c_file(&spaced)).unwrap();
    for raw in [false, true] {
        assert_eq!(pieces(&spaced, raw).read().to_json(), expected.to_json());
        assert_eq!(pieces(&visible, raw).read().to_json(), expected.to_json());
    }
}

/// cl100k, with or without its tokens of several digits; Qwen's vocabulary was made of it without them.
fn cl100k(numbers: bool) -> Vec<Vec<u8>> {
    let is_number = |token: &[u8]| {
        let mut pairs = token.windows(2);
        pairs.any(|pair| pair.iter().all(u8::is_ascii_digit))
    };
    let theirs = tiktoken_rs::cl100k_base_singleton();
    (0..100_256)
        .map(|id| theirs.decode_bytes(&[id]).unwrap())
        .filter(|token| numbers || !is_number(token))
        .collect()
}

#[test]
fn a_published_vocabulary_gives_the_ids_of_its_ranks() {
    for (numbers, marks, pattern) in [
        (true, LLAMA_3, Pattern::Llama3),
        (false, QWEN_2, Pattern::Qwen2),
    ] {
        let ranks = cl100k(numbers);
        let n_ranks = ranks.len();
        let whole = marks.iter().map(|mark| mark.as_bytes().to_vec());
        let tokens = ranks.iter().cloned().chain(whole).enumerate();
        let tokens = tokens.map(|(id, token)| (token, -(id as f32))).collect();
        let read = RawFile::new(tokens, n_ranks as i32, &[n_ranks as i32 + 1]).read();
        assert_eq!(read.pattern(), Some(pattern));
        let plain = Tokenizer::new(ranks, pattern, Vec::new()).unwrap();
        for text in [
            include_str!("../src/pattern.rs"),
            "In 2026 it's 1,234,567.89 €\r\n\n\t  Привет, мир! 你好，世界 안녕하세요 👩\u{200d}🌾",
            &" ".repeat(500),
            &"aaaaab".repeat(200),
        ] {
            assert_eq!(read.encode(text), plain.encode(text), "{text:?}");
        }
    }
}

#[path = "distributed_llama/hostile.rs"]
mod hostile;
