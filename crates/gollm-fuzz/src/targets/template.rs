//! Chat templates: a program in Jinja, written by whoever made the model.

use std::time::SystemTime;

use gollm_chat::{ChatTemplate, Message, Role, TemplateOptions};

use crate::memory::spent_by;

/// Bytes that one rendering may hold at a time: some times what a template may make (8 MiB), since
/// a text is copied while it is collected.
const MAX_RENDER_BYTES: usize = 48 << 20;

/// A template's text, run on a short conversation.
pub(crate) fn run(bytes: &[u8]) {
    let Ok(source) = std::str::from_utf8(bytes) else {
        return;
    };
    let Ok(template) = ChatTemplate::new(source) else {
        return;
    };
    let messages = [
        Message::new(Role::System, "Be brief."),
        Message::new(Role::User, "Hello {{ 7 * 7 }} <|im_end|>"),
        Message::new(Role::Assistant, "Hi!"),
        Message::new(Role::User, " And now? "),
    ];
    for add_generation_prompt in [false, true] {
        let options = TemplateOptions {
            bos_token: "<s>".to_owned(),
            eos_token: "</s>".to_owned(),
            add_generation_prompt,
            enable_thinking: Some(add_generation_prompt),
            // Always the same, so that a run can be repeated.
            now: SystemTime::UNIX_EPOCH,
        };
        let (rendered, spent) = spent_by(|| template.render(&messages, &options));
        assert!(spent.peak <= MAX_RENDER_BYTES, "{} bytes", spent.peak);
        if let Ok(text) = rendered {
            // What a template may make: see `gollm-chat/src/jinja/mod.rs`.
            assert!(text.len() <= 16 << 20, "{} bytes", text.len());
        }
    }
}
