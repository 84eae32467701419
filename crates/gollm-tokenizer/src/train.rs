//! Learning a vocabulary: count pairs, make the most frequent one a token, repeat.

use std::collections::HashMap;

use crate::fast::pair_counts::PairCounts;
use crate::vocabulary::MAX_VOCAB_SIZE;
use crate::{Error, Pattern, Result, Tokenizer, pretokenize};

/// What to learn.
#[derive(Debug, Clone)]
pub struct TrainOptions {
    /// All ids together: 256 bytes, the merges, and the special tokens.
    pub vocab_size: usize,
    /// How text is cut into pieces; no token crosses a piece's border.
    pub pattern: Pattern,
    /// Special tokens in the order of their ids, which follow the merges.
    pub special_tokens: Vec<String>,
}

/// Trains a byte-level BPE tokenizer on `texts`.
///
/// Ids 0 to 255 are the single bytes in order. Each further id is the pair of ids that occurs
/// most often at that moment; of equally frequent pairs the one with the smaller left id is
/// taken, and of these the one with the smaller right id. The result depends on nothing but the
/// pieces and how often each occurs: the same texts in another order, or cut differently
/// between pieces, give the same tokenizer. The special tokens take the last ids.
///
/// Pieces are counted first, so memory grows with the distinct pieces and not with the text,
/// and each text can be dropped once it has been read.
///
/// # Errors
///
/// [`Error::VocabSizeTooSmall`] if `vocab_size` cannot hold the 256 bytes and the special
/// tokens; [`Error::CorpusTooSmall`] if no pair occurs twice any more before `vocab_size` is
/// reached (a shorter vocabulary would disagree with the model's config later, and merging
/// what occurs once only learns the text by heart), naming the size that was reached;
/// [`Error::SpecialToken`] for an empty or repeated special token.
///
/// # Examples
///
/// ```
/// use gollm_tokenizer::{Pattern, TrainOptions, train};
///
/// let options =
///     TrainOptions { vocab_size: 259, pattern: Pattern::Gpt2, special_tokens: Vec::new() };
/// let tokenizer = train(["aaabdaaabac"], &options)?;
/// assert_eq!(tokenizer.token_bytes(258), Some(b"aaab".as_slice()));
/// # Ok::<(), gollm_tokenizer::Error>(())
/// ```
///
/// Source: Sennrich, Haddow & Birch 2016, <https://arxiv.org/abs/1508.07909>, algorithm 1; on
/// bytes: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners",
/// section 2.2.
pub fn train<I, S>(texts: I, options: &TrainOptions) -> Result<Tokenizer>
where
    I: IntoIterator<Item = S>,
    S: AsRef<str>,
{
    let n_merges = number_of_merges(options)?;
    let mut piece_counts: HashMap<String, u64> = HashMap::new();
    for text in texts {
        for piece in pretokenize(options.pattern, text.as_ref())? {
            match piece_counts.get_mut(piece) {
                Some(count) => *count += 1,
                None => {
                    piece_counts.insert(piece.to_owned(), 1);
                }
            }
        }
    }

    let mut ranks: Vec<Vec<u8>> = (0..=255).map(|byte| vec![byte]).collect();
    let mut pairs = PairCounts::new(&piece_counts);
    for new_id in (256u32..).take(n_merges) {
        let Some((left, right)) = pairs.most_frequent() else {
            return Err(Error::CorpusTooSmall {
                vocab_size: options.vocab_size,
                reached: ranks.len() + options.special_tokens.len(),
            });
        };
        pairs.merge((left, right), new_id);
        ranks.push([ranks[left as usize].as_slice(), &ranks[right as usize]].concat());
    }

    let special = options
        .special_tokens
        .iter()
        .cloned()
        .zip((ranks.len() as u32)..)
        .collect();
    Tokenizer::new(ranks, options.pattern, special)
}

fn number_of_merges(options: &TrainOptions) -> Result<usize> {
    let n_special = options.special_tokens.len();
    let minimum = 256usize.saturating_add(n_special);
    let vocab_size = options.vocab_size;
    if vocab_size > MAX_VOCAB_SIZE {
        return Err(Error::VocabSizeTooLarge {
            vocab_size,
            maximum: MAX_VOCAB_SIZE,
        });
    }
    vocab_size
        .checked_sub(minimum)
        .ok_or(Error::VocabSizeTooSmall {
            vocab_size,
            n_special,
            minimum,
        })
}
