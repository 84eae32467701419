//! What a model's other files say about a tokenizer: which ids begin and end a text, and how many
//! there are.

use crate::vocabulary::MAX_VOCAB_SIZE;
use crate::{Error, Result, Tokenizer};

/// Which ids begin and end a text, for vocabularies that say so.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Roles {
    /// Put before a text that is to be continued; `None` where nothing is.
    pub begin: Option<u32>,
    /// Any of these ends a text.
    pub end: Vec<u32>,
}

impl Tokenizer {
    /// The tokenizer with these ids to begin and end a text, whatever its files said.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownId`] for an id that the vocabulary does not have.
    pub fn with_roles(self, roles: Roles) -> Result<Self> {
        let (special, added) = (self.owned_tokens(true), self.owned_tokens(false));
        Self::of_parts(self.into_method(), special, added, Some(roles))
    }

    /// Gives each id below `vocab_size` that stands for nothing a special token, `[PAD4095]`, for models
    /// whose embedding table has more rows than their tokenizer has tokens.
    ///
    /// # Errors
    ///
    /// [`Error::Vocabulary`] if the tokenizer has more ids than that already, [`Error::SpecialToken`]
    /// if one of the texts is taken, [`Error::VocabSizeTooLarge`] above [`crate::MAX_VOCAB_SIZE`].
    pub fn padded_to(self, vocab_size: usize) -> Result<Self> {
        let found = self.vocab_size();
        if found > vocab_size {
            let problem = format!("it has {found} ids, more than the {vocab_size} of the model");
            return Err(Error::Vocabulary { problem });
        }
        if vocab_size > MAX_VOCAB_SIZE {
            return Err(Error::VocabSizeTooLarge {
                vocab_size,
                maximum: MAX_VOCAB_SIZE,
            });
        }
        let mut special = self.owned_tokens(true);
        let nothing = (0..vocab_size as u32).filter(|id| self.token_bytes(*id).is_none());
        special.extend(nothing.map(|id| (format!("[PAD{id}]"), id)));
        let (added, roles) = (self.owned_tokens(false), self.roles().cloned());
        Self::of_parts(self.into_method(), special, added, roles)
    }

    fn owned_tokens(&self, special: bool) -> Vec<(String, u32)> {
        let tokens = self.special.iter(special);
        tokens.map(|(text, id)| (text.to_owned(), id)).collect()
    }
}
