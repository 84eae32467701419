//! SentencePiece vocabularies of GGUF files.

use super::*;

fn f32_array(values: &[f32]) -> Raw {
    let mut bytes = 6u32.to_le_bytes().to_vec();
    bytes.extend((values.len() as u64).to_le_bytes());
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    Raw::Bytes(9, bytes)
}

fn texts(texts: [&str; 8]) -> Raw {
    Raw::Texts(texts.map(str::to_owned).to_vec())
}

/// The file with a vocabulary of eight pieces, without bytes.
fn pieces_file() -> RawGguf {
    let mut file = f32_file();
    file.values
        .retain(|(key, _)| !key.starts_with("tokenizer."));
    file.set("tokenizer.ggml.model", Raw::Text("llama".to_owned()));
    let tokens = ["<unk>", "<s>", "</s>", "▁", "a", "▁a", "<tool>", "[PAD]"];
    file.set("tokenizer.ggml.tokens", texts(tokens));
    let kinds = Raw::I32s(vec![2, 3, 3, 1, 1, 1, 4, 5]);
    file.set("tokenizer.ggml.token_type", kinds);
    let scores = [0.0, 0.0, 0.0, -1.0, -2.0, -0.5, -1000.0, 0.0];
    file.set("tokenizer.ggml.scores", f32_array(&scores));
    file
}

#[test]
fn what_a_file_does_not_say_is_llama_cpp_s_rule() {
    let file = open(&pieces_file()).unwrap();
    let expected = json!({
        "kind": "sentencepiece", "version": 1,
        "tokens": ["", "", "", "▁", "a", "▁a", "", ""],
        "special": {"<unk>": 0, "<s>": 1, "</s>": 2, "[PAD]": 7}, "added": {"<tool>": 6},
        "bytes": [], "unknown": 0, "fuses_unknown": true,
        "scores": [0.0, 0.0, 0.0, -1.0, -2.0, -0.5, -1000.0, 0.0],
        "first_space": "each_part", "strips_first_space": true, "begin": 1, "end": [2],
    });
    assert_eq!(file.tokenizer_json(), Some(&expected));
    let mut file = pieces_file();
    file.set("tokenizer.ggml.add_space_prefix", Raw::Bool(0));
    file.set("tokenizer.ggml.add_bos_token", Raw::Bool(0));
    file.set("tokenizer.ggml.eos_token_id", Raw::U32(7));
    let file = open(&file).unwrap();
    let json = file.tokenizer_json().unwrap();
    assert_eq!(json["first_space"], "never");
    assert_eq!((json.get("begin"), &json["end"]), (None, &json!([7])));
}

#[test]
fn user_defined_tokens_of_bytes_are_found_in_any_text() {
    let mut file = f32_file();
    let tokens = ["a", "b", "c", "ab", "Ġ", "<s>", "<t>", "x y"];
    file.set("tokenizer.ggml.tokens", texts(tokens));
    let kinds = Raw::I32s(vec![1, 1, 1, 1, 1, 3, 4, 4]);
    file.set("tokenizer.ggml.token_type", kinds);
    let file = open(&file).unwrap();
    let json = file.tokenizer_json().unwrap();
    assert_eq!(json["version"], 3);
    assert_eq!(json["added"], json!({"<t>": 6, "x y": 7}));
    assert_eq!(json["tokens"], "a\nb\nc\nab\nĠ\n\n<t>\n\n");
}

#[test]
fn each_list_of_pieces_that_cannot_be_used_is_refused_by_name() {
    type Change = fn(&mut RawGguf);
    let cases: [(&str, Change); 9] = [
        ("`tokenizer.ggml.scores`", |f| {
            f.values.retain(|(key, _)| key != "tokenizer.ggml.scores");
        }),
        ("`tokenizer.ggml.token_type`", |f| {
            f.values
                .retain(|(key, _)| key != "tokenizer.ggml.token_type");
        }),
        ("7 entries for 8 tokens", |f| {
            f.set("tokenizer.ggml.scores", f32_array(&[0.0; 7]));
        }),
        ("the score of token 3 is NaN", |f| {
            let mut scores = [0.0; 8];
            scores[3] = f32::NAN;
            f.set("tokenizer.ggml.scores", f32_array(&scores));
        }),
        ("a whole number, expected a number in each place", |f| {
            f.set("tokenizer.ggml.scores", Raw::I32s(vec![0; 8]));
        }),
        ("token 3 is of type 6 and `▁`, expected `<0x00>`", |f| {
            let kinds = Raw::I32s(vec![2, 3, 3, 6, 1, 1, 4, 5]);
            f.set("tokenizer.ggml.token_type", kinds);
        }),
        ("token 3 is of type 7, expected 1 to 6", |f| {
            let kinds = Raw::I32s(vec![2, 3, 3, 7, 1, 1, 4, 5]);
            f.set("tokenizer.ggml.token_type", kinds);
        }),
        ("tokens 1 and 2 are both `<s>`", |f| {
            let tokens = ["<unk>", "<s>", "<s>", "▁", "a", "▁a", "<tool>", "[PAD]"];
            f.set("tokenizer.ggml.tokens", texts(tokens));
        }),
        ("tokens 3 and 4 are both `<0x0A>`", |f| {
            let tokens = [
                "<unk>", "<s>", "</s>", "<0x0A>", "<0x0A>", "▁a", "<tool>", "[PAD]",
            ];
            f.set("tokenizer.ggml.tokens", texts(tokens));
            let kinds = Raw::I32s(vec![2, 3, 3, 6, 6, 1, 4, 5]);
            f.set("tokenizer.ggml.token_type", kinds);
        }),
    ];
    for (expected, change) in cases {
        let mut file = pieces_file();
        change(&mut file);
        let message = open(&file).unwrap_err().to_string();
        assert!(message.contains(expected), "{expected}: {message}");
    }
}
