//! Files that are damaged or malicious: each is refused with a reason.

use super::*;

fn assert_holds(message: &str, part: &str) {
    assert!(message.contains(part), "{message}\n  should say: {part}");
    assert!(
        message.len() < 2000 && !message.contains('\u{1b}'),
        "{message:?}"
    );
}

type Change = fn(&mut RawFile);

#[test]
fn each_mistake_in_the_head_has_its_own_message() {
    let cases: [(&str, Change); 27] = [
        ("first kind (0x567123)", |f| f.magic = 0x56_7123),
        ("begins with 0x46554747", |f| f.magic = 0x4655_4747),
        ("its version is 0, only 1", |f| f.set(0, 0)),
        ("version is missing", |f| f.remove(0)),
        ("vocab_size is missing", |f| f.remove(1)),
        ("vocab_size is 0", |f| f.set(1, 0)),
        ("vocab_size is -1", |f| f.set(1, -1)),
        ("it has 266 tokens, but its vocab_size is 267", |f| {
            f.set(1, 267)
        }),
        ("it has 266 tokens, but its vocab_size is 265", |f| {
            f.set(1, 265)
        }),
        ("max_token_length is 0", |f| f.set(2, 0)),
        ("token 262 has the length 17, expected 0 to 16", |f| {
            f.set(2, 16)
        }),
        ("bos_id is missing", |f| f.remove(3)),
        ("bos_id is -1, expected an id from 0 to 265", |f| {
            f.set(3, -1)
        }),
        ("bos_id is 266, expected", |f| f.set(3, 266)),
        ("eos_id is -1, expected", |f| f.set(4, -1)),
        ("chat_eos_id is 999, expected", |f| f.set(6, 999)),
        ("an id that ends a text is 266", |f| f.ends[0] = 266),
        ("n_eos_tokens is -1", |f| f.set(9, -1)),
        ("n_eos_tokens is 2147483647, more than its 266", |f| {
            f.set(9, i32::MAX)
        }),
        ("chat_template is -1", |f| f.set(7, -1)),
        ("has 2147483647 bytes, at most 16777216", |f| {
            f.set(7, i32::MAX)
        }),
        ("chat_stop is -7", |f| f.set(8, -7)),
        ("add_bos is 2, expected 0 or 1", |f| f.set(10, 2)),
        ("key 11 is not known; 0 to 10 are", |f| f.set(11, 0)),
        ("key -1 is not known", |f| f.set(-1, 0)),
        ("bos_id (key 3) is there twice", |f| f.pairs.push((3, 262))),
        ("is not UTF-8 from its byte 1", |f| f.texts[1] = 0xFF),
    ];
    for (expected, change) in cases {
        let mut file = RawFile::llama_3();
        change(&mut file);
        assert_holds(&file.refused(), expected);
    }
    for head_bytes in [-8, 0, 7, 13, i32::MIN] {
        let mut file = RawFile::llama_3();
        file.head_bytes = Some(head_bytes);
        assert_holds(
            &file.refused(),
            &format!("its head claims {head_bytes} bytes"),
        );
    }
    for head_bytes in [16, 64, 1 << 30, i32::MAX - 7] {
        let mut file = RawFile::llama_3();
        file.head_bytes = Some(head_bytes);
        file.refused();
    }
}

#[test]
fn each_mistake_in_a_byte_level_vocabulary_has_its_own_message() {
    let cases: [(&str, Change); 15] = [
        ("that of the next NaN", |f| f.tokens[3].1 = f32::NAN),
        ("the score of token 6 is -6 and that of the next -6", |f| {
            f.tokens[7].1 = -6.0
        }),
        ("that of the next -inf", |f| {
            f.tokens[261].1 = f32::NEG_INFINITY
        }),
        ("byte 0x41 is not among the 262 tokens", |f| {
            f.tokens[0x41].0 = b"xyz".to_vec()
        }),
        ("byte 0x0a is not among the 10 tokens", |f| f.set(3, 10)),
        ("both stand for the bytes \"ab\"", |f| {
            f.tokens[260].0 = b"ab".to_vec()
        }),
        ("id 260 stands for no bytes", |f| f.tokens[260].0.clear()),
        ("its text is empty", |f| f.tokens[264].0.clear()),
        ("token 264 (\"\\u{1b}[2J�\") is not UTF-8", |f| {
            f.tokens[264].0 = b"\x1b[2J\xFF".to_vec();
        }),
        ("it is there twice, as id 263 and 264", |f| {
            f.tokens[264] = f.tokens[263].clone()
        }),
        ("token 261 has 257 bytes, expected at most 256", |f| {
            f.tokens[261].0 = vec![b'a'; 257];
            f.set(2, 300);
        }),
        ("the first is \"<s>\") are neither", |f| {
            for (id, mark) in (262..).zip(["<s>", "</s>", "<|x|>"]) {
                f.tokens[id].0 = mark.into();
            }
        }),
        ("it has 267 tokens", |f| f.trailing = vec![0; 8]),
        ("it ends at byte", |f| f.trailing = vec![0; 7]),
        ("token 266 has the length -1", |f| {
            f.trailing = vec![0xFF; 8]
        }),
    ];
    for (expected, change) in cases {
        let mut file = RawFile::llama_3();
        change(&mut file);
        assert_holds(&file.refused(), expected);
    }
    let mut file = RawFile::ranked(&WORDS, &QWEN_2);
    file.tokens[261].0 = b"a42".to_vec();
    assert_holds(
        &file.refused(),
        "token 261 (\"a42\") has two digits in a row",
    );
}

#[test]
fn each_mistake_in_a_sentencepiece_vocabulary_has_its_own_message() {
    let cases: [(&str, Change); 6] = [
        ("bos_id is 2, expected 1", |f| f.set(3, 2)),
        ("token 260 (\"a\\xe9\") is not UTF-8: the converter", |f| {
            f.tokens[260].0 = b"a\xE9".into()
        }),
        ("the score of token 259 is NaN", |f| {
            f.tokens[259].1 = f32::NAN
        }),
        ("the score of token 259 is inf", |f| {
            f.tokens[259].1 = f32::INFINITY
        }),
        ("ids 259 and 260 both stand for \"▁\"", |f| {
            f.tokens[260].0 = "▁".into()
        }),
        ("expected at most 1024", |f| {
            f.tokens[260].0 = vec![b'a'; 2000];
            f.set(2, 2000);
        }),
    ];
    for raw in [false, true] {
        for (expected, change) in cases {
            let mut file = pieces(&[(" ", -1.0), ("a", -2.0)], raw);
            change(&mut file);
            assert_holds(&file.refused(), expected);
        }
    }
    let mut file = pieces(&[(" ", -1.0)], false);
    file.tokens[4].0 = b"<0x02>".to_vec();
    assert_holds(&file.refused(), "token 4 is \"<0x02>\", expected <0x01>");
}

#[test]
fn every_truncation_is_refused() {
    for file in [
        RawFile::llama_3(),
        pieces(&[(" ", -1.0), ("a", -2.0)], true),
    ] {
        let bytes = file.bytes();
        assert!(Tokenizer::from_distributed_llama(&bytes).is_ok());
        for length in 0..bytes.len() {
            let read = Tokenizer::from_distributed_llama(&bytes[..length]);
            let message = read.unwrap_err().to_string();
            assert_holds(&message, "distributed-llama's tokenizer: it ");
        }
    }
}

#[test]
fn tokens_that_are_made_of_each_other_in_too_many_ways_are_refused() {
    // Runs of every letter: each can be cut anywhere, so that all cuts together are many times the file.
    let runs: Vec<Vec<u8>> = (b'a'..=b'z')
        .flat_map(|letter| (2..=256).map(move |n| vec![letter; n]))
        .collect();
    let words: Vec<&[u8]> = runs.iter().map(Vec::as_slice).collect();
    let mut file = RawFile::ranked(&words, &LLAMA_3);
    let begin = 256 + words.len() as i32;
    file.set(3, begin);
    file.ends = vec![begin + 1, begin + 2];
    assert_holds(&file.refused(), "in more ways than those of any vocabulary");
}
