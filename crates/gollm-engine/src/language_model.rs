//! The narrow seam: tokens in, logits out.

use crate::{Error, Result};

/// Tokens to append to one sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SequenceTokens<'a> {
    /// Which sequence, below [`LanguageModel::n_sequences`].
    pub sequence: usize,
    /// At least one token; they follow those that the sequence already holds.
    pub tokens: &'a [u32],
}

/// A model as everything above it sees it: it remembers sequences of tokens, takes more, and says
/// how likely each id is to come next.
///
/// Whether the numbers come from this machine, a GPU, several machines or a test's script is not
/// visible here. Each of the [`n_sequences`](Self::n_sequences) sequences has its own memory (a
/// transformer's key/value cache), so several texts can share one pass over the weights.
pub trait LanguageModel: Send {
    /// How many ids there are: the length of every list of logits.
    fn vocab_size(&self) -> usize;

    /// The most tokens that one sequence can hold.
    fn context_length(&self) -> usize;

    /// How many sequences can be held at the same time; at least 1.
    fn n_sequences(&self) -> usize;

    /// Appends tokens to sequences and returns, for each entry of `batch`, the logits after its
    /// last token.
    ///
    /// # Shapes
    ///
    /// - returns `[batch.len()][vocab_size]`, in the order of `batch`
    ///
    /// # Errors
    ///
    /// If an entry names a sequence that does not exist or one twice, has no tokens or an unknown
    /// id, or outgrows the context, and whatever the arithmetic itself can meet. After an error the
    /// content of the named sequences is unspecified until [`truncate`](Self::truncate)d to 0.
    fn forward(&mut self, batch: &[SequenceTokens<'_>]) -> Result<Vec<Vec<f32>>>;

    /// How many tokens a sequence holds.
    fn length(&self, sequence: usize) -> usize;

    /// Forgets all but the first `length` tokens of a sequence; 0 empties it.
    ///
    /// # Errors
    ///
    /// If there is no such sequence or it holds fewer tokens.
    fn truncate(&mut self, sequence: usize, length: usize) -> Result<()>;

    /// Appends tokens to one sequence and returns the logits after each of them: what
    /// [`perplexity`](crate::perplexity) needs.
    ///
    /// The default takes one token at a time. A model that can score many positions in one pass
    /// overrides it.
    ///
    /// # Shapes
    ///
    /// - returns `[entry.tokens.len()][vocab_size]`
    ///
    /// # Errors
    ///
    /// As [`forward`](Self::forward).
    fn forward_every(&mut self, entry: SequenceTokens<'_>) -> Result<Vec<Vec<f32>>> {
        let mut every = Vec::with_capacity(entry.tokens.len());
        for token in entry.tokens.chunks(1) {
            let sequence = entry.sequence;
            let logits = self.forward(&[SequenceTokens {
                sequence,
                tokens: token,
            }])?;
            every.extend(logits);
        }
        Ok(every)
    }
}

/// Checks that a model returned `n_expected` lists of `vocab_size` logits.
pub(crate) fn check_logits(
    logits: &[Vec<f32>],
    n_expected: usize,
    vocab_size: usize,
) -> Result<()> {
    if logits.len() != n_expected {
        return Err(Error::Contract {
            found: format!("{} lists of logits", logits.len()),
            expected: format!("{n_expected}"),
        });
    }
    if let Some(index) = logits.iter().position(|list| list.len() != vocab_size) {
        return Err(Error::Contract {
            found: format!("{} logits in list {index}", logits[index].len()),
            expected: format!("vocab_size = {vocab_size}"),
        });
    }
    Ok(())
}
