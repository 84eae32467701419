//! Templates of all published shapes, compared with what Jinja2 makes of them
//! (`python/golden_chats.py`).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use gollm_chat::{ChatTemplate, Error, Message, Role, TemplateOptions};
use serde::Deserialize;

#[derive(Deserialize)]
struct Rendered {
    now: u64,
    bos_token: String,
    eos_token: String,
    conversations: std::collections::BTreeMap<String, Vec<Message>>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    template: String,
    conversation: String,
    options: Options,
    text: Option<String>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Options {
    enable_thinking: Option<bool>,
    add_generation_prompt: Option<bool>,
}

fn template(name: &str) -> ChatTemplate {
    ChatTemplate::built_in(name).unwrap_or_else(|| {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/templates/{name}.jinja"));
        ChatTemplate::new(&fs::read_to_string(path).unwrap()).unwrap()
    })
}

#[test]
fn every_template_renders_as_in_jinja2() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rendered.json");
    let rendered: Rendered = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let mut wrong = Vec::new();
    for case in &rendered.cases {
        let options = TemplateOptions {
            bos_token: rendered.bos_token.clone(),
            eos_token: rendered.eos_token.clone(),
            add_generation_prompt: case.options.add_generation_prompt.unwrap_or(true),
            enable_thinking: case.options.enable_thinking,
            now: UNIX_EPOCH + Duration::from_secs(rendered.now),
        };
        let messages = &rendered.conversations[&case.conversation];
        let found = template(&case.template).render(messages, &options);
        let is_right = match (&found, &case.text, &case.error) {
            (Ok(found), Some(text), None) => found == text,
            (Err(Error::Template { problem, .. }), None, Some(error)) => problem == error,
            _ => false,
        };
        if !is_right {
            let expected = case.text.as_ref().or(case.error.as_ref());
            wrong.push(format!(
                "{} of {}:\n found {found:?}\n expected {expected:?}",
                case.template, case.conversation
            ));
        }
    }
    assert!(rendered.cases.len() > 200);
    assert!(
        wrong.is_empty(),
        "{} wrong; the first: {}",
        wrong.len(),
        wrong[0]
    );
}

#[test]
fn the_built_in_templates_have_the_names_that_are_listed() {
    for name in gollm_chat::BUILT_IN {
        let built_in = ChatTemplate::built_in(name).unwrap();
        assert_eq!(
            ChatTemplate::new(built_in.source()).unwrap(),
            built_in,
            "{name}"
        );
    }
    assert_eq!(ChatTemplate::built_in("llama4"), None);
}

#[test]
fn thinking_is_asked_for_only_where_the_caller_says_so() {
    let template = ChatTemplate::new("{{ enable_thinking is defined }}").unwrap();
    let messages = [Message::new(Role::User, "a")];
    let mut options = TemplateOptions {
        bos_token: String::new(),
        eos_token: String::new(),
        add_generation_prompt: true,
        enable_thinking: None,
        now: UNIX_EPOCH,
    };
    assert_eq!(template.render(&messages, &options).unwrap(), "False");
    options.enable_thinking = Some(false);
    assert_eq!(template.render(&messages, &options).unwrap(), "True");
}
