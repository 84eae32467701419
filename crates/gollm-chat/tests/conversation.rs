//! What the model is shown of a conversation, and what it need not compute again.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use gollm_chat::{ChatTemplate, Conversation, Error, Message, Role, Saved, Stops};
use gollm_engine::{Engine, GenerateOptions, LanguageModel, SequenceTokens};
use gollm_sampler::SamplerOptions;
use gollm_tokenizer::{Pattern, Tokenizer};

const END: u32 = 257;
const CONTEXT: usize = 200;

fn tokenizer() -> Tokenizer {
    let bytes = (0..=255).map(|byte| vec![byte]).collect();
    let special = ["<|im_start|>", "<|im_end|>", "<think>", "</think>"];
    let special = special.map(str::to_owned).into_iter().zip(256..);
    Tokenizer::new(bytes, Pattern::Gpt2, special.collect()).unwrap()
}

fn conversation() -> Conversation {
    Conversation::new(ChatTemplate::built_in("chatml").unwrap())
}

/// Answers "ok" and ends its turn; counts the tokens that it is given.
struct Polite {
    history: Vec<u32>,
    n_given: Arc<Mutex<usize>>,
}

impl LanguageModel for Polite {
    fn vocab_size(&self) -> usize {
        260
    }
    fn context_length(&self) -> usize {
        CONTEXT
    }
    fn n_sequences(&self) -> usize {
        1
    }
    fn forward(&mut self, batch: &[SequenceTokens<'_>]) -> gollm_engine::Result<Vec<Vec<f32>>> {
        for entry in batch {
            self.history.extend_from_slice(entry.tokens);
            *self.n_given.lock().unwrap() += entry.tokens.len();
        }
        let next = match self.history.as_slice() {
            [.., 111, 107] => END,
            [.., 111] => u32::from(b'k'),
            _ => u32::from(b'o'),
        };
        let mut logits = vec![0.0; 260];
        logits[next as usize] = 9.0;
        Ok(vec![logits])
    }
    fn length(&self, _sequence: usize) -> usize {
        self.history.len()
    }
    fn truncate(&mut self, _sequence: usize, length: usize) -> gollm_engine::Result<()> {
        self.history.truncate(length);
        Ok(())
    }
}

/// Asks, lets the model answer, and says how many tokens it was given and how many exchanges were
/// left out.
fn exchange(
    conversation: &mut Conversation,
    engine: &mut Engine,
    n_given: &Mutex<usize>,
    question: &str,
) -> (usize, usize) {
    let prepared = conversation
        .ask(question, engine.tokenizer(), CONTEXT, 20)
        .unwrap();
    let stops = Stops::new(engine.tokenizer(), conversation.template());
    let options = GenerateOptions {
        sampler: SamplerOptions::greedy(),
        stop_ids: stops.ids,
        ..GenerateOptions::default()
    };
    *n_given.lock().unwrap() = 0;
    let generation = engine
        .generate_further(prepared.ids, &options, |_| ControlFlow::Continue(()))
        .unwrap();
    assert_eq!(generation.text, "ok");
    conversation.answer(&generation.text, false);
    (*n_given.lock().unwrap(), prepared.n_dropped)
}

fn engine(n_given: &Arc<Mutex<usize>>) -> Engine {
    let model = Polite {
        history: Vec::new(),
        n_given: Arc::clone(n_given),
    };
    Engine::new(Box::new(model), tokenizer()).unwrap()
}

/// `<|im_start|>user\n…<|im_end|>\n<|im_start|>assistant\n`
const AROUND_A_QUESTION: usize = 6 + 2 + 11;

#[test]
fn a_question_costs_its_own_tokens_and_not_the_conversation_s() {
    let n_given = Arc::default();
    let (mut engine, mut conversation) = (engine(&n_given), conversation());
    let (first, _) = exchange(&mut conversation, &mut engine, &n_given, "one?");
    assert_eq!(first, AROUND_A_QUESTION + "one?".len() + "ok".len());
    // The end of the first answer was drawn and never seen; with its line end it comes first now.
    let (second, _) = exchange(&mut conversation, &mut engine, &n_given, "two?");
    assert_eq!(second, 2 + first);
    // Another system message changes the beginning: all is new.
    conversation.set_system(Some("brief".to_owned()));
    let (third, _) = exchange(&mut conversation, &mut engine, &n_given, "x");
    assert!(third > 2 * first, "{third}");
}

#[test]
fn the_oldest_exchanges_are_left_out_and_the_system_message_stays() {
    let n_given = Arc::default();
    let (mut engine, mut conversation) = (engine(&n_given), conversation());
    conversation.set_system(Some("SYSTEM".to_owned()));
    let mut dropped = 0;
    for number in 0..12 {
        let question = format!("question {number}");
        dropped += exchange(&mut conversation, &mut engine, &n_given, &question).1;
    }
    assert!(dropped > 5, "{dropped}");
    assert_eq!(conversation.messages().len(), 24, "nothing is forgotten");
    let ids = conversation
        .ask("last", &tokenizer(), CONTEXT, 20)
        .unwrap()
        .ids;
    let text = tokenizer().decode(&ids).unwrap();
    assert!(
        text.contains("SYSTEM") && text.contains("question 11"),
        "{text}"
    );
    assert!(!text.contains("question 5"), "{text}");
    assert!(text.find("<|im_start|>user").unwrap() < text.find("<|im_start|>assistant").unwrap());
    assert!(ids.len() <= CONTEXT - 20);
}

#[test]
fn only_as_many_exchanges_are_left_out_as_are_in_the_way() {
    let mut conversation = conversation();
    let messages = (0..20).map(|n| match n % 2 {
        0 => Message::new(Role::User, "a question"),
        _ => Message::new(Role::Assistant, "an answer"),
    });
    conversation.load(Saved::new(None, messages.collect()));
    let tokenizer = tokenizer();
    for context in [60, 100, 101, 150, 333, 500, 2000] {
        let mut conversation = conversation.clone();
        let prepared = conversation.ask("q", &tokenizer, context, 10).unwrap();
        let room = prepared.ids.len() + 10_usize.min(context / 4);
        assert!(room <= context, "{room} of {context}");
        let exchange = 2 * 8 + 15 + "a question".len() + "an answer".len() - 4;
        assert!(
            prepared.n_dropped == 0 || room + exchange > context,
            "{room} of {context}"
        );
    }
}

#[test]
fn a_question_that_cannot_fit_is_refused_and_leaves_no_trace() {
    let mut conversation = conversation();
    conversation
        .ask("short", &tokenizer(), CONTEXT, 20)
        .unwrap();
    conversation.answer("yes", false);
    let before = conversation.messages().to_vec();
    let error = conversation
        .ask(&"x".repeat(170), &tokenizer(), CONTEXT, 20)
        .unwrap_err();
    let Error::MessageTooLong {
        n_tokens,
        n_room,
        context_length,
    } = error
    else {
        panic!("{error}");
    };
    assert_eq!(
        (n_tokens, n_room, context_length),
        (170 + AROUND_A_QUESTION, 180, CONTEXT)
    );
    assert_eq!(conversation.messages(), before);
    assert_eq!(
        conversation
            .ask("again", &tokenizer(), CONTEXT, 20)
            .unwrap()
            .n_dropped,
        0
    );
}

#[test]
fn a_template_that_refuses_leaves_no_trace_either() {
    let source = "{{ raise_exception('no ' + messages[-1].content) }}";
    let mut conversation = Conversation::new(ChatTemplate::new(source).unwrap());
    let error = conversation
        .ask("way", &tokenizer(), CONTEXT, 20)
        .unwrap_err();
    assert_eq!(error.to_string(), "chat template, line 1: no way");
    assert!(conversation.messages().is_empty());
}

#[test]
fn an_answer_that_was_stopped_is_kept_and_marked() {
    let mut conversation = conversation();
    conversation.ask("one", &tokenizer(), CONTEXT, 20).unwrap();
    conversation.answer("beg", true);
    conversation.ask("two", &tokenizer(), CONTEXT, 20).unwrap();
    conversation.answer("", true);
    let cut = Message {
        cut: true,
        ..Message::new(Role::Assistant, "beg")
    };
    assert_eq!(
        conversation.messages(),
        [Message::new(Role::User, "one"), cut]
    );
    assert_eq!(conversation.take_back().as_deref(), Some("one"));
    assert_eq!(conversation.take_back(), None);
}

#[test]
fn thinking_that_the_template_begins_is_noticed() {
    for (end, is_thinking) in [
        ("<think>\n", true),
        ("<think>\n\n</think>\n\n", false),
        ("", false),
    ] {
        let source = format!("{{{{ messages[-1].content }}}}<|im_start|>{end}");
        let mut conversation = Conversation::new(ChatTemplate::new(&source).unwrap());
        let prepared = conversation
            .ask("<think>", &tokenizer(), CONTEXT, 20)
            .unwrap();
        assert_eq!(prepared.is_thinking, is_thinking, "{end:?}");
    }
}

#[test]
fn answers_end_at_tokens_where_there_are_any_and_else_at_their_texts() {
    let stops = Stops::new(&tokenizer(), &ChatTemplate::built_in("chatml").unwrap());
    assert_eq!((stops.ids, stops.shown_ids), (vec![END], vec![258, 259]));
    assert!(stops.strings.is_empty());
    let plain = Tokenizer::new(
        (0..=255).map(|byte| vec![byte]).collect(),
        Pattern::Gpt2,
        Vec::new(),
    );
    let stops = Stops::new(&plain.unwrap(), &ChatTemplate::built_in("gemma").unwrap());
    assert_eq!(stops.strings, ["<end_of_turn>"]);
    assert!(stops.ids.is_empty() && stops.shown_ids.is_empty());
}

#[test]
fn a_saved_conversation_comes_back_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("talk.json");
    let mut conversation = conversation();
    conversation.set_system(Some("be «brief»\n".to_owned()));
    conversation
        .ask("a\u{1b}[2Jb", &tokenizer(), CONTEXT, 20)
        .unwrap();
    conversation.answer("half", true);
    conversation.to_saved().write(&path).unwrap();
    let saved = Saved::read(&path).unwrap();
    assert_eq!(saved, conversation.to_saved());
    let mut other = self::conversation();
    other.load(saved);
    assert_eq!(other.messages(), conversation.messages());
    assert_eq!(other.system(), conversation.system());
    // A question that waits for its answer is not part of it.
    conversation.ask("open", &tokenizer(), CONTEXT, 20).unwrap();
    assert_eq!(conversation.to_saved().messages.len(), 2);
}

#[test]
fn files_that_are_no_conversation_are_refused_and_say_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("talk.json");
    let message = |role: &str| format!(r#"{{"role": "{role}", "content": "x"}}"#);
    let (user, assistant) = (message("user"), message("assistant"));
    for (text, part) in [
        (String::new(), "no saved conversation"),
        ("{".to_owned(), "no saved conversation"),
        (r#"{"messages": []}"#.to_owned(), "missing field `version`"),
        (
            r#"{"version": 2, "new": 1}"#.to_owned(),
            "of version 2, expected 1",
        ),
        (
            r#"{"version": 1, "messages": [], "more": 1}"#.to_owned(),
            "unknown field `more`",
        ),
        (
            format!(r#"{{"version": 1, "messages": [{user}]}}"#),
            "no answer",
        ),
        (
            format!(r#"{{"version": 1, "messages": [{assistant}, {user}]}}"#),
            "message 0 is from `assistant`",
        ),
        (
            format!(r#"{{"version": 1, "messages": [{user}, {user}]}}"#),
            "message 1 is from `user`",
        ),
        (
            format!(
                r#"{{"version": 1, "messages": [{user}, {}]}}"#,
                message("tool")
            ),
            "unknown variant `tool`",
        ),
        ("[".repeat(100_000), "no saved conversation"),
    ] {
        std::fs::write(&path, &text).unwrap();
        let error = Saved::read(&path).unwrap_err().to_string();
        assert!(
            error.contains(part) && error.contains("talk.json"),
            "{error}"
        );
    }
    std::fs::write(&path, b"\xff").unwrap();
    assert!(
        Saved::read(&path)
            .unwrap_err()
            .to_string()
            .starts_with("cannot read")
    );
    assert!(Saved::read(&folder.path().join("none")).is_err());
    assert!(
        Saved::new(None, Vec::new())
            .write(&folder.path().join("a/b"))
            .is_err()
    );
}
