//! Conversation history, and the part of it that fits the context.

use gollm_tokenizer::Tokenizer;

use crate::{ChatTemplate, Error, Message, Result, Role, Saved, TemplateOptions};

/// Questions and answers in turns, under a template.
///
/// All of it is kept. When it outgrows the context, the model is shown the system message and as
/// many of the newest exchanges as leave room for an answer.
#[derive(Debug, Clone)]
pub struct Conversation {
    template: ChatTemplate,
    system: Option<String>,
    messages: Vec<Message>,
    /// The first message that the model is shown.
    first_shown: usize,
    enable_thinking: Option<bool>,
}

/// A question that is ready for the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// The conversation as ids, up to where the answer begins.
    pub ids: Vec<u32>,
    /// How many exchanges the model is no longer shown because of this question.
    pub n_dropped: usize,
    /// Whether the template itself begins the model's thinking, so that the answer starts inside of
    /// it.
    pub is_thinking: bool,
}

impl Conversation {
    /// An empty conversation.
    #[must_use]
    pub fn new(template: ChatTemplate) -> Self {
        Self {
            template,
            system: None,
            messages: Vec::new(),
            first_shown: 0,
            enable_thinking: None,
        }
    }

    /// The template.
    #[must_use]
    pub fn template(&self) -> &ChatTemplate {
        &self.template
    }

    /// The system message.
    #[must_use]
    pub fn system(&self) -> Option<&str> {
        self.system.as_deref()
    }

    /// Replaces the system message; it holds from the next question on.
    pub fn set_system(&mut self, system: Option<String>) {
        self.system = system;
    }

    /// Asks a model that can think whether to do so; `None` leaves it to the template.
    pub fn set_thinking(&mut self, enable_thinking: Option<bool>) {
        self.enable_thinking = enable_thinking;
    }

    /// Questions and answers so far.
    #[must_use]
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// Forgets all but the system message.
    pub fn reset(&mut self) {
        self.messages.clear();
        self.first_shown = 0;
    }

    /// Takes the last question back, with its answer if it has one, and returns it.
    pub fn take_back(&mut self) -> Option<String> {
        let is_question = |message: &Message| message.role == Role::User;
        let at = self.messages.iter().rposition(is_question)?;
        let question = self.messages.drain(at..).next()?.content;
        // What the model is shown is found anew with the next question.
        self.first_shown = 0;
        Some(question)
    }

    /// Adds a question and makes the text that the model continues with its answer.
    ///
    /// Room for an answer is `max_tokens`, at most a quarter of the context. While there is not as
    /// much, the oldest exchange is left out; the system message stays.
    ///
    /// # Errors
    ///
    /// [`Error::MessageTooLong`] if even the question alone leaves no room, and whatever the
    /// template meets. The conversation is then as it was.
    pub fn ask(
        &mut self,
        question: &str,
        tokenizer: &Tokenizer,
        context_length: usize,
        max_tokens: usize,
    ) -> Result<Prepared> {
        self.messages.push(Message::new(Role::User, question));
        let prepared = self.prepare(tokenizer, context_length, max_tokens);
        if prepared.is_err() {
            self.messages.pop();
        }
        prepared
    }

    /// Adds the model's answer. One that was stopped before its end is marked; one that was stopped
    /// before it began takes its question with it.
    pub fn answer(&mut self, text: &str, cut: bool) {
        if cut && text.is_empty() {
            self.messages.pop();
            return;
        }
        self.messages.push(Message {
            cut,
            ..Message::new(Role::Assistant, text)
        });
    }

    /// The conversation as a file holds it. A question without an answer is left out.
    #[must_use]
    pub fn to_saved(&self) -> Saved {
        let n_whole = self.messages.len() / 2 * 2;
        Saved::new(self.system.clone(), self.messages[..n_whole].to_vec())
    }

    /// Goes on with a conversation from a file.
    pub fn load(&mut self, saved: Saved) {
        self.system = saved.system;
        self.messages = saved.messages;
        self.first_shown = 0;
    }

    fn prepare(
        &mut self,
        tokenizer: &Tokenizer,
        context_length: usize,
        max_tokens: usize,
    ) -> Result<Prepared> {
        let room = max_tokens.min(context_length / 4).max(1);
        let limit = context_length.saturating_sub(room);
        let is_question = |at: &usize| self.messages[*at].role == Role::User;
        let starts: Vec<usize> = (self.first_shown..self.messages.len())
            .filter(is_question)
            .collect();
        // The longest end of the conversation that fits. Ends grow shorter along `starts`, so the
        // first that fits is found by halving; most often it is the very first.
        let mut ids = self.encode(tokenizer, self.first_shown)?;
        let (mut too_long, mut fits) = (0, starts.len());
        if ids.len() > limit {
            while fits - too_long > 1 {
                let middle = usize::midpoint(too_long, fits);
                let shorter = self.encode(tokenizer, starts[middle])?;
                if shorter.len() <= limit {
                    (fits, ids) = (middle, shorter);
                } else {
                    too_long = middle;
                }
            }
        } else {
            fits = 0;
        }
        let Some(first_shown) = starts.get(fits) else {
            let last = starts.last().copied().unwrap_or_default();
            return Err(Error::MessageTooLong {
                n_tokens: self.encode(tokenizer, last)?.len(),
                n_room: limit,
                context_length,
            });
        };
        self.first_shown = *first_shown;
        let is_thinking = ends_in_thinking(tokenizer, &ids);
        Ok(Prepared {
            ids,
            n_dropped: fits,
            is_thinking,
        })
    }

    /// The system message and the messages from `first` on, as ids.
    fn encode(&self, tokenizer: &Tokenizer, first: usize) -> Result<Vec<u32>> {
        let system = self.system.iter();
        let mut shown: Vec<Message> = system
            .map(|text| Message::new(Role::System, text))
            .collect();
        shown.extend_from_slice(&self.messages[first..]);
        let options = TemplateOptions {
            enable_thinking: self.enable_thinking,
            ..TemplateOptions::for_tokenizer(tokenizer)
        };
        self.template.encode(tokenizer, &shown, &options)
    }
}

/// Whether a prompt ends with the token that begins the model's thinking.
fn ends_in_thinking(tokenizer: &Tokenizer, ids: &[u32]) -> bool {
    // The token and a line end are a few tokens at most.
    let end = &ids[ids.len().saturating_sub(16)..];
    let text = tokenizer.decode(end).unwrap_or_default();
    text.trim_end().ends_with(crate::sentinels::THINKING[0])
}
