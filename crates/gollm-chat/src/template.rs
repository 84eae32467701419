//! Chat templates: a list of messages as the one text that a model was trained on.

use std::time::SystemTime;

use gollm_engine::begin_of_text_id;
use gollm_tokenizer::Tokenizer;
use minijinja::Value;

use crate::special_token_guard::SpecialTokenGuard;
use crate::{Error, Message, Result, built_in, jinja};

/// The longest template that is read. The longest published ones have some 20 KiB.
pub const MAX_TEMPLATE_BYTES: usize = 128 << 10;

/// A template that was read and can be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatTemplate {
    source: String,
}

/// What a template is told besides the messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateOptions {
    /// The text of the token that begins a text; empty where there is none.
    pub bos_token: String,
    /// The text of the token that ends a text.
    pub eos_token: String,
    /// End with the beginning of an answer, so that the model goes on with it.
    pub add_generation_prompt: bool,
    /// Whether a model that can think before it answers should. `None` leaves it to the template.
    pub enable_thinking: Option<bool>,
    /// What `strftime_now` takes for now.
    pub now: SystemTime,
}

impl TemplateOptions {
    /// The options for the next answer of a model with this tokenizer.
    #[must_use]
    pub fn for_tokenizer(tokenizer: &Tokenizer) -> Self {
        let text = |id: Option<u32>| {
            let bytes = id.and_then(|id| tokenizer.token_bytes(id));
            bytes.map_or_else(String::new, |bytes| {
                String::from_utf8_lossy(bytes).into_owned()
            })
        };
        let ends = gollm_engine::end_of_text_ids(tokenizer);
        Self {
            bos_token: text(begin_of_text_id(tokenizer)),
            eos_token: text(ends.first().copied()),
            add_generation_prompt: true,
            enable_thinking: None,
            now: SystemTime::now(),
        }
    }
}

impl ChatTemplate {
    /// Reads a template.
    ///
    /// # Errors
    ///
    /// [`Error::TemplateTooLong`] above [`MAX_TEMPLATE_BYTES`], [`Error::Template`] for one that is
    /// not Jinja, or asks for what chat templates do not have (`include`, `import`, `extends`).
    pub fn new(source: &str) -> Result<Self> {
        if source.len() > MAX_TEMPLATE_BYTES {
            return Err(Error::TemplateTooLong {
                n_bytes: source.len(),
            });
        }
        let source = without_generation_blocks(source);
        jinja::check(&source)?;
        Ok(Self { source })
    }

    /// One of the templates that many models share: see [`crate::BUILT_IN`].
    #[must_use]
    pub fn built_in(name: &str) -> Option<Self> {
        let source = built_in::source(name)?.to_owned();
        Some(Self { source })
    }

    /// The template's text, as it is run.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The conversation as one text. Whatever it says about special tokens is text: give
    /// [`encode`](Self::encode) the messages instead where it goes to a model.
    ///
    /// # Errors
    ///
    /// [`Error::Template`] if the template fails, refuses (`raise_exception`), or takes more steps,
    /// text or time than a conversation of this length needs.
    pub fn render(&self, messages: &[Message], options: &TemplateOptions) -> Result<String> {
        let message = |message: &Message| {
            Value::from_pairs([
                ("role", Value::from(message.role.name())),
                ("content", Value::from(message.content.as_str())),
            ])
        };
        let mut variables = vec![
            (
                "messages",
                Value::from(messages.iter().map(message).collect::<Vec<_>>()),
            ),
            ("bos_token", Value::from(options.bos_token.as_str())),
            ("eos_token", Value::from(options.eos_token.as_str())),
            (
                "add_generation_prompt",
                Value::from(options.add_generation_prompt),
            ),
            ("tools", Value::from(())),
            ("documents", Value::from(())),
        ];
        if let Some(enable_thinking) = options.enable_thinking {
            variables.push(("enable_thinking", Value::from(enable_thinking)));
        }
        let n_bytes = messages.iter().map(|message| message.content.len()).sum();
        jinja::render(
            &self.source,
            Value::from_pairs(variables),
            (messages.len(), n_bytes),
            options.now,
        )
    }

    /// The conversation as ids. Special tokens come from the template alone: the text of one that
    /// occurs in a message is encoded as text, also where the template changes its letters
    /// ([`SpecialTokenGuard`] says how).
    ///
    /// The token that begins a text is put first if the vocabulary asks for one and the template
    /// does not write it.
    ///
    /// # Errors
    ///
    /// As [`render`](Self::render), and [`Error::NoSentinel`].
    pub fn encode(
        &self,
        tokenizer: &Tokenizer,
        messages: &[Message],
        options: &TemplateOptions,
    ) -> Result<Vec<u32>> {
        let guard = SpecialTokenGuard::new(tokenizer, messages, &self.source)?;
        let render = |messages: Vec<Message>| {
            self.render(&messages, options)
                .map_err(|error| guard.without_sentinels(error))
        };
        let text = render(guard.messages(messages))?;
        // A template may refuse a conversation without words; then there is nothing to compare
        // with.
        let mut ids = match render(guard.placeholders(messages)) {
            Ok(empty) if guard.special_tokens_of(&text) != guard.special_tokens_of(&empty) => {
                let text = render(guard.messages_broken_everywhere(messages))?;
                guard.encode_only(&text, &guard.special_tokens_of(&empty))
            }
            _ => guard.encode(&text),
        };
        let begin = begin_of_text_id(tokenizer).filter(|begin| ids.first() != Some(begin));
        ids.splice(..0, begin);
        Ok(ids)
    }
}

/// Training masks: `{% generation %}` encloses what a model is trained to say. Nothing is trained
/// here, so the tags become a condition that always holds, with the same white space around.
fn without_generation_blocks(source: &str) -> String {
    let mut result = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(start) = rest.find("{%") {
        let (before, tag) = rest.split_at(start);
        result.push_str(before);
        let end = tag.find("%}").map_or(tag.len(), |end| end + 2);
        let (tag, after) = tag.split_at(end);
        let word = tag
            .trim_start_matches(['{', '%', '-', '+'])
            .trim_end_matches(['}', '%', '-', '+'])
            .trim();
        match word {
            "generation" => result.push_str(&tag.replacen(word, "if true", 1)),
            "endgeneration" => result.push_str(&tag.replacen(word, "endif", 1)),
            _ => result.push_str(tag),
        }
        rest = after;
    }
    result.push_str(rest);
    result
}
