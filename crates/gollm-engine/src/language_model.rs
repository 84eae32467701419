//! The narrow seam: tokens in, logits out.

pub use gollm_model::SequenceTokens;
use gollm_sampler::Candidates;

use crate::{Error, Result};

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

    /// As [`forward`](Self::forward), but returns only the id of the largest logit after each entry's
    /// last token, the lowest on a tie: all that greedy decoding needs. A model on a GPU overrides
    /// the default, so that an id leaves the device instead of `vocab_size` logits.
    ///
    /// # Shapes
    ///
    /// - returns `[batch.len()]`, in the order of `batch`
    ///
    /// # Errors
    ///
    /// As [`forward`](Self::forward), and where the default looks at logits: if one is not finite.
    fn forward_argmax(&mut self, batch: &[SequenceTokens<'_>]) -> Result<Vec<u32>> {
        let logits = self.forward(batch)?;
        check_logits(&logits, batch.len(), self.vocab_size())?;
        let ids = batch.iter().zip(&logits).map(|(entry, logits)| {
            let n_tokens = self.length(entry.sequence);
            let candidates =
                Candidates::new(logits).map_err(|source| Error::Sampling { n_tokens, source })?;
            Ok(candidates.best().map_or(0, |best| best.id))
        });
        ids.collect()
    }

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

/// Checks that a model returned `n_expected` ids of its vocabulary.
pub(crate) fn check_ids(ids: &[u32], n_expected: usize, vocab_size: usize) -> Result<()> {
    if ids.len() != n_expected {
        return Err(Error::Contract {
            found: format!("{} ids", ids.len()),
            expected: format!("{n_expected}"),
        });
    }
    if let Some(id) = ids.iter().find(|&&id| id as usize >= vocab_size) {
        return Err(Error::Contract {
            found: format!("id {id}"),
            expected: format!("an id below vocab_size = {vocab_size}"),
        });
    }
    Ok(())
}
