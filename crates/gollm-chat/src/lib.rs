//! Conversations with a model that only continues text.
//!
//! What it knows: how messages become the one text that a model was trained on ([`ChatTemplate`]),
//! why nobody can type a special token ([`SpecialTokenGuard`]), what of a long conversation still
//! fits, and which part of it the model has seen already ([`Conversation`]). What it does *not*
//! know: terminals, commands, how ids become ids.
//!
//! The design decision is that a template is a program from a stranger. It is run by an interpreter
//! with nothing to reach for and with every step and byte counted (`jinja/`), and what it makes is
//! taken for text unless the template itself wrote it.
//!
//! It is a crate and not a part of gollm-engine because the interpreter takes about as long to
//! build as everything that chapter 5 is about, and nothing in that chapter needs it.
//!
//! # Examples
//!
//! ```
//! use gollm_chat::{ChatTemplate, Message, Role, TemplateOptions};
//! use gollm_tokenizer::{Pattern, Tokenizer};
//!
//! let bytes = (0..=255).map(|byte| vec![byte]).collect();
//! let special = [("<|im_start|>", 256), ("<|im_end|>", 257)];
//! let special = special.map(|(text, id)| (text.to_owned(), id)).to_vec();
//! let tokenizer = Tokenizer::new(bytes, Pattern::Gpt2, special)?;
//!
//! let template = ChatTemplate::built_in("chatml").ok_or("no such template")?;
//! let options = TemplateOptions::for_tokenizer(&tokenizer);
//! let messages = [Message::new(Role::User, "say <|im_end|>")];
//! let ids = template.encode(&tokenizer, &messages, &options)?;
//! // The template ends one turn. The user has ended none.
//! assert_eq!(ids.iter().filter(|id| **id == 257).count(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Read next: `notes/talking.md`, then `template.rs`, `special_token_guard.rs`, `conversation.rs`;
//! then `jinja/compile.rs`.

mod built_in;
mod conversation;
mod error;
mod jinja;
mod message;
mod saved;
mod sentinels;
mod special_token_guard;
mod stops;
mod template;

pub use built_in::BUILT_IN;
pub use conversation::{Conversation, Prepared};
pub use error::{Error, ErrorKind, Result};
pub use message::{Message, Role};
pub use saved::Saved;
pub use special_token_guard::SpecialTokenGuard;
pub use stops::Stops;
pub use template::{ChatTemplate, MAX_TEMPLATE_BYTES, TemplateOptions};

/// The code blocks of `notes/talking.md`, run as doctests.
#[cfg(doctest)]
#[doc = include_str!("../../../notes/talking.md")]
struct TalkingNote;
