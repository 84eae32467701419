//! What can go wrong between a prompt and its continuation.

use std::path::PathBuf;

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why no text could be generated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The model and the tokenizer count different numbers of ids.
    #[error(
        "the model has logits for {model} ids but the tokenizer has {tokenizer}; \
         they were not made for each other: export the model together with its own tokenizer"
    )]
    VocabularyMismatch {
        /// Ids of the model.
        model: usize,
        /// Ids of the tokenizer.
        tokenizer: usize,
    },

    /// Nothing to continue: no text, and no token that begins one.
    #[error(
        "the prompt is empty: there is no token to continue from; give at least one word, or a \
         tokenizer with <|begin_of_text|> to begin with"
    )]
    EmptyPrompt,

    /// The prompt does not fit into the model's memory.
    #[error(
        "the prompt has {n_tokens} tokens but the model's context is {context_length}; \
         leave out at least {}", n_tokens.saturating_sub(*context_length)
    )]
    PromptTooLong {
        /// Tokens of the prompt, with the beginning-of-text token if there is one.
        n_tokens: usize,
        /// Most tokens that the model can see at once.
        context_length: usize,
    },

    /// An id of the prompt that the model has no embedding for.
    #[error("token {position} of the prompt has id {id}, expected an id below {vocab_size}")]
    UnknownPromptId {
        /// The id.
        id: u32,
        /// Where it stands in the prompt, from 0.
        position: usize,
        /// Ids of the model.
        vocab_size: usize,
    },

    /// One option of the generation is not usable.
    #[error("option `{option}`: {problem}")]
    Option {
        /// The field of [`GenerateOptions`](crate::GenerateOptions) or the argument.
        option: &'static str,
        /// What is wrong with it and what is expected.
        problem: String,
    },

    /// A sampling option is out of its range.
    #[error(transparent)]
    Sampler(#[from] gollm_sampler::Error),

    /// No next id could be drawn from the model's logits.
    #[error("after {n_tokens} tokens: {source}")]
    Sampling {
        /// Tokens that the model had seen.
        n_tokens: usize,
        /// Why.
        source: gollm_sampler::Error,
    },

    /// An id could not be turned into text.
    #[error(transparent)]
    Tokenizer(#[from] gollm_tokenizer::Error),

    /// The transformer failed; the message is its own.
    #[error(transparent)]
    Transformer(#[from] gollm_model::Error),

    /// Another kind of [`LanguageModel`](crate::LanguageModel) failed; the message is its own.
    #[error(transparent)]
    Model(Box<dyn std::error::Error + Send + Sync>),

    /// A [`LanguageModel`](crate::LanguageModel) broke its own contract.
    #[error("the model returned {found}, expected {expected}; its `LanguageModel` is wrong")]
    Contract {
        /// What came back.
        found: String,
        /// What the trait asks for.
        expected: String,
    },

    /// A text in which nothing can be predicted.
    #[error(
        "the text has {n_tokens} tokens; perplexity needs at least 2, \
         one to start from and one to predict"
    )]
    TextTooShort {
        /// Tokens of the text.
        n_tokens: usize,
    },

    /// A model file could not be opened; the message names it.
    #[error(transparent)]
    File(#[from] gollm_weights::Error),

    /// A model file that opens but holds no usable model.
    #[error("{}: {source}", path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<Error>,
    },

    /// A file of weights alone.
    #[error(
        "the model file has no tokenizer, so text cannot become ids; \
         export it again together with its tokenizer"
    )]
    NoTokenizer,

    /// A [`CancelFlag`](crate::CancelFlag) was raised where there is no partial result to return.
    #[error("cancelled")]
    Cancelled,
}
