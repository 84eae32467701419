//! Models without weights, and a vocabulary small enough to read.

#![allow(
    dead_code,
    reason = "each test file compiles this module and uses a part of it"
)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use gollm_engine::{
    Engine, Error, GenerateOptions, Generation, LanguageModel, Result, SequenceTokens,
};
use gollm_model::{Config, StoredTensor, expected_tensors};
use gollm_sampler::{Random, SamplerOptions};
use gollm_tensor::DType;
use gollm_tokenizer::{Pattern, Tokenizer};

/// "<|begin_of_text|>"
pub(crate) const BEGIN: u32 = 258;
/// "<|end_of_text|>"
pub(crate) const END: u32 = 259;
/// "<|eot_id|>"
pub(crate) const END_OF_TURN: u32 = 260;
/// "<|start_header_id|>", a special token that ends nothing.
pub(crate) const HEADER: u32 = 261;
/// "hello" and " world": the only tokens of more than one byte.
pub(crate) const HELLO: u32 = 256;
pub(crate) const WORLD: u32 = 257;

/// Every byte is a token with its own value as id, so a script can be written as text.
pub(crate) fn tokenizer() -> Tokenizer {
    let mut ranks: Vec<Vec<u8>> = (0..=255).map(|byte| vec![byte]).collect();
    ranks.extend([b"hello".to_vec(), b" world".to_vec()]);
    let special = [
        ("<|begin_of_text|>", BEGIN),
        ("<|end_of_text|>", END),
        ("<|eot_id|>", END_OF_TURN),
        ("<|start_header_id|>", HEADER),
    ];
    let special = special.map(|(text, id)| (text.to_owned(), id)).to_vec();
    Tokenizer::new(ranks, Pattern::Gpt2, special).unwrap()
}

/// One pass through a model: for each entry its sequence and how many tokens it brought.
pub(crate) type Pass = Vec<(usize, usize)>;

/// Logits from the tokens of a sequence so far.
pub(crate) type LogitsOf = dyn Fn(&[u32]) -> Vec<f32> + Send;

/// A model whose logits are any function of the tokens of a sequence, and which notes every pass.
pub(crate) struct MockModel {
    pub(crate) logits: Box<LogitsOf>,
    pub(crate) vocab_size: usize,
    pub(crate) context_length: usize,
    pub(crate) histories: Vec<Vec<u32>>,
    pub(crate) passes: Arc<Mutex<Vec<Pass>>>,
}

impl MockModel {
    pub(crate) fn new(logits: impl Fn(&[u32]) -> Vec<f32> + Send + 'static) -> Self {
        Self {
            logits: Box::new(logits),
            vocab_size: tokenizer().vocab_size(),
            context_length: 64,
            histories: vec![Vec::new()],
            passes: Arc::default(),
        }
    }

    /// Continues any prompt of `n_prompt` tokens with `script`, then with dots.
    pub(crate) fn scripted(n_prompt: usize, script: &[u32]) -> Self {
        let script = script.to_vec();
        Self::new(move |history| {
            let next = script.get(history.len() - n_prompt);
            one_hot(next.copied().unwrap_or(u32::from(b'.')))
        })
    }

    /// Logits that depend on every token so far, and on their order: FNV-1a over the ids.
    pub(crate) fn hashing() -> Self {
        Self::new(|history| {
            let fnv = |hash: u64, id: &u32| (hash ^ u64::from(*id)).wrapping_mul(0x0100_0000_01B3);
            let seed = history.iter().fold(0xCBF2_9CE4_8422_2325, fnv);
            let mut random = Random::new(seed);
            // Letters only, so that the text has no broken characters.
            let logit = |id: u32| {
                if (97..123).contains(&id) {
                    random.next_f64() as f32 * 4.0
                } else {
                    -50.0
                }
            };
            (0..262).map(logit).collect()
        })
    }
}

pub(crate) fn one_hot(id: u32) -> Vec<f32> {
    let mut logits = vec![0.0; tokenizer().vocab_size()];
    logits[id as usize] = 30.0;
    logits
}

impl LanguageModel for MockModel {
    fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    fn context_length(&self) -> usize {
        self.context_length
    }

    fn n_sequences(&self) -> usize {
        self.histories.len()
    }

    fn forward(&mut self, batch: &[SequenceTokens<'_>]) -> Result<Vec<Vec<f32>>> {
        let pass = batch
            .iter()
            .map(|entry| (entry.sequence, entry.tokens.len()));
        self.passes.lock().unwrap().push(pass.collect());
        let mut every = Vec::new();
        for entry in batch {
            let history = &mut self.histories[entry.sequence];
            history.extend_from_slice(entry.tokens);
            if history.len() > self.context_length {
                return Err(Error::Model("the mock's context is full".into()));
            }
            every.push((self.logits)(history));
        }
        Ok(every)
    }

    fn length(&self, sequence: usize) -> usize {
        self.histories[sequence].len()
    }

    fn truncate(&mut self, sequence: usize, length: usize) -> Result<()> {
        self.histories[sequence].truncate(length);
        Ok(())
    }
}

pub(crate) fn engine(model: MockModel) -> Engine {
    Engine::new(Box::new(model), tokenizer()).unwrap()
}

/// Greedy, without a beginning-of-text token: the mock's script alone decides.
pub(crate) fn greedy() -> GenerateOptions {
    GenerateOptions {
        sampler: SamplerOptions::greedy(),
        begin_of_text: false,
        ..Default::default()
    }
}

/// Text as the ids of its bytes.
pub(crate) fn bytes(text: &str) -> Vec<u32> {
    text.bytes().map(u32::from).collect()
}

/// A callback that keeps every piece and never breaks off.
pub(crate) fn keep(pieces: &mut Vec<String>) -> impl FnMut(&str) -> ControlFlow<()> {
    |piece| {
        pieces.push(piece.to_owned());
        ControlFlow::Continue(())
    }
}

pub(crate) fn ignore(_piece: &str) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Continues the prompt "ab" by a script; returns the result and the streamed pieces.
pub(crate) fn run(script: &[u32], options: &GenerateOptions) -> (Generation, Vec<String>) {
    let mut pieces = Vec::new();
    let mut engine = engine(MockModel::scripted(2, script));
    let generation = engine.generate("ab", options, keep(&mut pieces)).unwrap();
    assert_eq!(generation.text, pieces.concat(), "the pieces are the text");
    assert!(pieces.iter().all(|piece| !piece.is_empty()));
    (generation, pieces)
}

/// Greedy, ending at any of these.
pub(crate) fn stopping_at(stop_strings: &[&str]) -> GenerateOptions {
    GenerateOptions {
        stop_strings: stop_strings.iter().map(ToString::to_string).collect(),
        max_tokens: 30,
        ..greedy()
    }
}

/// Longest text of the small transformer below.
pub(crate) const CONTEXT: usize = 48;

/// A transformer that is run in a moment, for the vocabulary of [`tokenizer`].
pub(crate) fn config() -> Config {
    Config::from_yaml(&format!(
        "{{vocab_size: 262, context_length: {CONTEXT}, emb_dim: 32, n_heads: 4, n_kv_heads: 2, \
           hidden_dim: 64, n_layers: 2}}"
    ))
    .unwrap()
}

/// Random weights for [`config`], the same each time.
pub(crate) fn weights() -> HashMap<String, StoredTensor> {
    let mut random = Random::new(11);
    let mut weights = HashMap::new();
    for spec in expected_tensors(&config()).unwrap() {
        let n_values: usize = spec.shape.iter().product();
        let value = |_| ((random.next_f64() - 0.5) * 0.8) as f32;
        let values: Vec<u8> = (0..n_values)
            .map(value)
            .flat_map(f32::to_le_bytes)
            .collect();
        let stored = StoredTensor {
            shape: spec.shape,
            dtype: DType::F32,
            bytes: values.into(),
        };
        weights.insert(spec.name, stored);
    }
    weights
}
