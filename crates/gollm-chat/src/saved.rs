//! A conversation in a file.

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{Error, Message, Result, Role};

const VERSION: u64 = 1;
/// More than any context holds.
const MAX_BYTES: u64 = 64 << 20;

/// What is kept of a conversation: the messages, not the model.
///
/// ```json
/// {"version": 1, "system": "Be brief.", "messages": [
///   {"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi!"}]}
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Saved {
    version: u64,
    /// The system message, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// Questions and answers in turns, the last one an answer.
    pub messages: Vec<Message>,
}

impl Saved {
    /// A conversation to be kept.
    #[must_use]
    pub fn new(system: Option<String>, messages: Vec<Message>) -> Self {
        Self {
            version: VERSION,
            system,
            messages,
        }
    }

    /// Writes the file whole or not at all (temporary file, fsync, rename).
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if it cannot be written; what was there before is then as it was.
    pub fn write(&self, path: &Path) -> Result<()> {
        let write = || -> io::Result<()> {
            let mut json = serde_json::to_string_pretty(self)?;
            json.push('\n');
            let directory = match path.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => parent,
                _ => Path::new("."),
            };
            // Private, as temporary files are: a conversation is nobody else's business.
            let mut file = tempfile::NamedTempFile::new_in(directory)?;
            file.write_all(json.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(path)?;
            Ok(())
        };
        write().map_err(|source| Error::Io {
            action: "write",
            path: path.to_owned(),
            source,
        })
    }

    /// Reads a file that [`write`](Self::write) wrote.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if it cannot be read, [`Error::Saved`] if it is no conversation or of another
    /// version.
    pub fn read(path: &Path) -> Result<Self> {
        let text = read_text(path)?;
        let refused = |problem: String| Error::Saved {
            path: path.to_owned(),
            problem,
        };
        // The version first: a newer file may have fields that this one does not know.
        #[derive(Deserialize)]
        struct Version {
            version: u64,
        }
        let no_conversation = |error: serde_json::Error| {
            refused(format!(
                "it is no saved conversation ({error}); expected what /save writes"
            ))
        };
        let Version { version } = serde_json::from_str(&text).map_err(no_conversation)?;
        if version != VERSION {
            return Err(refused(format!(
                "it is of version {version}, expected {VERSION}; it comes from another gollm"
            )));
        }
        let saved: Self = serde_json::from_str(&text).map_err(no_conversation)?;
        check_turns(&saved.messages).map_err(refused)?;
        Ok(saved)
    }
}

fn read_text(path: &Path) -> Result<String> {
    let read = || -> io::Result<String> {
        let mut text = String::new();
        let file = fs::File::open(path)?;
        file.take(MAX_BYTES + 1).read_to_string(&mut text)?;
        Ok(text)
    };
    let text = read().map_err(|source| Error::Io {
        action: "read",
        path: path.to_owned(),
        source,
    })?;
    if text.len() as u64 > MAX_BYTES {
        return Err(Error::Saved {
            path: path.to_owned(),
            problem: format!("it has more than {MAX_BYTES} bytes"),
        });
    }
    Ok(text)
}

/// Questions and answers must take turns, as in the conversation that was saved.
fn check_turns(messages: &[Message]) -> Result<(), String> {
    for (index, message) in messages.iter().enumerate() {
        let expected = match index % 2 {
            0 => Role::User,
            _ => Role::Assistant,
        };
        if message.role != expected {
            return Err(format!(
                "message {index} is from `{}`, expected `{}`",
                message.role.name(),
                expected.name()
            ));
        }
    }
    match messages.len() % 2 {
        0 => Ok(()),
        _ => Err("its last question has no answer".to_owned()),
    }
}
