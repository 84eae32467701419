//! How each peer is asked to learn a vocabulary: cl100k's expression, bytes, the same chunks.
//!
//! Hugging Face's trainer and rustbpe use all the cores they are given: `RAYON_NUM_THREADS=2`
//! says how many threads, `taskset -c 0` how many cores.

use gollm_tokenizer::Pattern;
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{
    DecoderWrapper, NormalizerWrapper, PostProcessorWrapper, SplitDelimiterBehavior, TokenizerImpl,
};

/// The text in chunks of about 100 kB, cut at line breaks, so that trainers with several threads
/// have something to share out.
pub fn chunks(text: &str) -> Vec<String> {
    let mut chunks = vec![String::new()];
    for line in text.split_inclusive('\n') {
        if chunks.last().is_some_and(|chunk| chunk.len() > 100_000) {
            chunks.push(String::new());
        }
        if let Some(chunk) = chunks.last_mut() {
            chunk.push_str(line);
        }
    }
    chunks
}

type HuggingFace = TokenizerImpl<
    BPE,
    NormalizerWrapper,
    PreTokenizerWrapper,
    PostProcessorWrapper,
    DecoderWrapper,
>;

pub fn hugging_face(chunks: &[String], vocab_size: usize) {
    let expression = SplitPattern::Regex(Pattern::Cl100k.regex().to_owned());
    let split = Split::new(expression, SplitDelimiterBehavior::Isolated, false).unwrap();
    let bytes = ByteLevel::new(false, false, false);
    let mut tokenizer = HuggingFace::new(BPE::default());
    let steps = vec![
        PreTokenizerWrapper::Split(split),
        PreTokenizerWrapper::ByteLevel(bytes),
    ];
    tokenizer.with_pre_tokenizer(Some(PreTokenizerWrapper::Sequence(Sequence::new(steps))));
    let mut trainer = BpeTrainer::builder()
        .show_progress(false)
        .vocab_size(vocab_size)
        .min_frequency(2)
        .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
        .build();
    tokenizer.train(&mut trainer, chunks.iter()).unwrap();
    assert_eq!(tokenizer.get_vocab_size(false), vocab_size);
}

#[cfg(feature = "rustbpe")]
pub fn rustbpe(chunks: &[String], vocab_size: usize) {
    use pyo3::types::PyList;

    pyo3::Python::with_gil(|py| {
        let list = PyList::new(py, chunks).unwrap();
        let mut tokenizer = rustbpe::Tokenizer::new();
        let pattern = Some(Pattern::Cl100k.regex().to_owned());
        let size = u32::try_from(vocab_size).unwrap();
        tokenizer
            .train_from_iterator(py, list.as_any(), size, 8192, pattern)
            .unwrap();
        assert_eq!(tokenizer.merges.len(), vocab_size - 256);
    });
}
