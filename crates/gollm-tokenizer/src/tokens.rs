//! What is known of single tokens.

use crate::Tokenizer;

impl Tokenizer {
    /// The byte strings of the ordinary tokens, in the order of their ids; empty in a vocabulary with
    /// merges where an id is no ordinary token. None at all for SentencePiece, whose tokens are texts.
    pub fn ranks(&self) -> &[Vec<u8>] {
        let method = self.byte_level();
        method.map_or(&[], |method| method.vocabulary.tokens())
    }

    /// The special tokens and their ids, in the order of the ids.
    pub fn special_tokens(&self) -> impl Iterator<Item = (&str, u32)> {
        self.special.iter(true)
    }

    /// The tokens that are found as whole texts in any text, such as `<tool_call>`, and are not special:
    /// anybody may write them, and they are printed. In the order of the ids.
    pub fn added_tokens(&self) -> impl Iterator<Item = (&str, u32)> {
        self.special.iter(false)
    }

    /// The id of the special token with this text.
    pub fn special_id(&self, text: &str) -> Option<u32> {
        self.special.special_id(text)
    }

    /// Whether `id` is a special token.
    pub fn is_special(&self, id: u32) -> bool {
        self.special.is_special(id)
    }

    /// The bytes that `id` stands for, or `None` if it stands for nothing.
    pub fn token_bytes(&self, id: u32) -> Option<&[u8]> {
        let ordinary = self.method().bytes(id);
        ordinary.or_else(|| self.special.text(id).map(str::as_bytes))
    }

    /// The text of a token that is found whole.
    pub(crate) fn whole_text(&self, id: u32) -> Option<&str> {
        self.special.text(id)
    }
}
