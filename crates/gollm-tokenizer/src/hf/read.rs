//! A `tokenizer.json` as a tokenizer.

use serde_json::Value;

use super::added::Added;
use super::steps::{Steps, before_merging, check_byte_level_decoder, strips_first_space};
use super::vocabulary::Bpe;
use crate::tokenizer::Method;
use crate::{Result, Tokenizer};

impl Tokenizer {
    /// Reads Hugging Face's `tokenizer.json`.
    ///
    /// `config` is the `tokenizer_config.json` beside it, which may say what begins and ends a text;
    /// `end_ids` are further ids that end one, the `eos_token_id` of `generation_config.json`. Where
    /// neither says what ends a text, the tokens named `</s>`, `<|end_of_text|>`, `<|eot_id|>`,
    /// `<|im_end|>` and `<|endoftext|>` do.
    ///
    /// Added tokens that are `special` become special tokens; all others are found in any text, as
    /// `tokenizers` does.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Metadata`] for a file of another form, and for steps that are not known here, by
    /// name; [`crate::Error::Vocabulary`], [`crate::Error::SpecialToken`] and
    /// [`crate::Error::UnknownId`] if its parts do not make a tokenizer.
    pub fn from_hf_json(
        tokenizer: &Value,
        config: Option<&Value>,
        end_ids: &[u32],
    ) -> Result<Self> {
        let steps = before_merging(tokenizer)?;
        let bpe = Bpe::of(tokenizer)?;
        let added = Added::of(tokenizer)?;
        bpe.check_ids(&added)?;
        let roles = added.roles(tokenizer, config, end_ids)?;
        let (special, in_any_text) = (added.list(true), added.list(false));
        match steps {
            Steps::ByteLevel { pattern, composes } => {
                check_byte_level_decoder(tokenizer)?;
                let mut method = bpe.byte_level(pattern, &added)?;
                method.composes = composes;
                let method = Method::ByteLevel(Box::new(method));
                Tokenizer::of_parts(method, special, in_any_text, Some(roles))
            }
            Steps::SentencePiece {
                first_space,
                splits_at_spaces,
            } => {
                let strips = strips_first_space(tokenizer)?;
                let spaces = (first_space, splits_at_spaces);
                let method = bpe.sentence_piece(spaces, strips, &added)?;
                Tokenizer::of_sentence_piece(method, special, in_any_text, roles)
            }
        }
    }
}
