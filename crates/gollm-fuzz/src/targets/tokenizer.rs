//! Tokenizers: our own JSON forms, with a rank file's text in one of them.

use gollm_tokenizer::Tokenizer;
use serde_json::Value;

/// Texts that cut pieces in unusual places.
const SAMPLE: &str = "Don't\tSAY  it's 12345\r\n\n  é\u{301}\u{200d}👩‍💻 <|eot_id|>\u{0}  ";

/// A JSON text; what is left of it behind its middle is encoded as well.
pub(crate) fn run(bytes: &[u8]) {
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else {
        return;
    };
    let text = String::from_utf8_lossy(&bytes[bytes.len() / 2..]);
    check_json(&value, text.get(..200).unwrap_or(&text));
}

/// A tokenizer that can be read gives back every text, if its kind promises so, and itself.
pub(crate) fn check_json(value: &Value, text: &str) {
    if let Ok(tokenizer) = Tokenizer::from_json(value) {
        check(&tokenizer, text);
    }
}

/// As [`check_json`], for a tokenizer that came from elsewhere.
pub(crate) fn check(tokenizer: &Tokenizer, text: &str) {
    let json = tokenizer.to_json();
    // SentencePiece has unknown characters and spells spaces its own way, and composing changes text.
    let exact = tokenizer.pattern().is_some() && json["composes"] != true;
    for text in [SAMPLE, text] {
        check_text(tokenizer, text, exact);
    }
    let again = Tokenizer::from_json(&json);
    assert_eq!(
        again.map(|again| again.to_json()).ok().as_ref(),
        Some(&json)
    );
}

fn check_text(tokenizer: &Tokenizer, text: &str, exact: bool) {
    for ids in [tokenizer.encode(text), tokenizer.encode_with_special(text)] {
        assert!(ids.iter().all(|id| (*id as usize) < tokenizer.vocab_size()));
        let decoded = tokenizer.decode(&ids).ok();
        assert!(decoded.is_some() && (!exact || decoded.as_deref() == Some(text)));
        let mut stream = tokenizer.stream();
        let parts = ids.iter().map(|id| stream.push(*id));
        let start: Option<String> = parts.map(Result::ok).collect();
        assert_eq!(start.map(|start| start + &stream.finish()), decoded);
    }
}

/// Makes the tables of character classes, which every tokenizer shares.
pub(crate) fn warm_up() {
    let ranks = (0..=255u8).map(|byte| vec![byte]).collect();
    if let Ok(tokenizer) = Tokenizer::new(ranks, gollm_tokenizer::Pattern::Cl100k, Vec::new()) {
        check_text(&tokenizer, SAMPLE, true);
    }
}
