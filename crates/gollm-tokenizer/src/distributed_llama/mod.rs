//! distributed-llama's tokenizer files (`.t`): vocabularies of both kinds in one form.
//!
//! The file is 32-bit numbers, little-endian, and bytes: a magic number, the length of the head, numbered
//! numbers, the chat template, the ids that end a text, and then for each id a score, a length and that
//! many bytes. Which kind of vocabulary it is follows from where its bytes are: those of a SentencePiece
//! vocabulary are ids 3 to 258.
//!
//! | file | what it knows |
//! |---|---|
//! | `head.rs` | all that stands before the tokens |
//! | `ranked.rs` | byte-level vocabularies, whose ids are in the order of merging |
//! | `cut.rs` | how text is cut before it is merged, which the file does not say |
//!
//! Source: `src/tokenizer.cpp`, `converter/tokenizer-writer.py` and `converter/convert-tokenizer-*.py` of
//! <https://github.com/b4rtaz/distributed-llama>.

mod cut;
mod head;
mod ranked;

use crate::little_endian::{LittleEndian, wrong};
use crate::scored_list::ScoredList;
use crate::{Result, Tokenizer};
use head::Head;

const FILE: &str = "distributed-llama's tokenizer";

impl Tokenizer {
    /// Reads the bytes of distributed-llama's `.t`, and the chat template in it.
    ///
    /// A byte-level vocabulary does not say how text is cut before it is merged. What its marks are called
    /// says which models it belongs to, and so how: those of Llama 3, of Qwen 2 and 3, and DeepSeek's of
    /// both are known.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Metadata`] for bytes of another form, for the first kind of such files, and where
    /// the marks do not tell how text is cut; [`crate::Error::Vocabulary`] and
    /// [`crate::Error::SpecialToken`] for tokens that do not make a vocabulary.
    pub fn from_distributed_llama(bytes: &[u8]) -> Result<(Self, Option<String>)> {
        let mut reader = LittleEndian::new(FILE, bytes);
        let head = Head::read(&mut reader)?;
        let list = ScoredList::read(&mut reader, head.longest)?;
        let (found, expected) = (list.tokens.len(), head.n_tokens);
        if found != expected {
            let problem = format!("it has {found} tokens, but its vocab_size is {expected}");
            return Err(wrong(FILE, problem));
        }
        let tokenizer = match list.byte_spelling() {
            None => ranked::tokenizer(&list, &head)?,
            Some(spelling) => {
                check_pieces(&list, &head)?;
                list.sentence_piece(spelling, head.roles())?
            }
        };
        Ok((tokenizer, head.chat_template))
    }
}

/// What can be wrong with a SentencePiece vocabulary in this form alone.
fn check_pieces(list: &ScoredList<'_>, head: &Head) -> Result<()> {
    if head.begin != 1 {
        let problem = format!(
            "bos_id is {}, expected 1, which begins a text in the SentencePiece vocabularies that are read",
            head.begin
        );
        return Err(wrong(FILE, problem));
    }
    // The marks and the bytes come first, and raw bytes are not UTF-8.
    let mut texts = list.tokens.iter().enumerate().skip(3 + 256);
    match texts.find(|(_, token)| std::str::from_utf8(token).is_err()) {
        None => Ok(()),
        Some((id, token)) => {
            let problem = format!(
                "token {id} (\"{}\") is not UTF-8: the converter spoils accented letters of a SentencePiece \
                 vocabulary that it takes from tokenizer.json; have it take tokenizer.model, which it does \
                 where `tokenizer_class` is LlamaTokenizer",
                token
                    .iter()
                    .take(40)
                    .copied()
                    .collect::<Vec<u8>>()
                    .escape_ascii()
            );
            Err(wrong(FILE, problem))
        }
    }
}
