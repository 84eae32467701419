//! The decoder as a whole: caches, batches, and parts of a model that add up to the whole.
#![allow(
    clippy::expect_used,
    reason = "a test whose setting cannot be made should panic"
)]

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

mod common;

use common::{append, config, decoder, values, weights};
use gollm_model::{
    AllReduce, Config, Decoder, Error, KvCache, SequenceTokens, Shard, WeightSource,
    expected_tensors,
};
use gollm_tensor::{DType, Device, Tensor};

/// The largest difference relative to the largest magnitude.
fn difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let largest = b.iter().fold(0.0f32, |m, v| m.max(v.abs()));
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max)
        / largest
}

const PROMPT: [u32; 9] = [3, 60, 0, 17, 17, 42, 5, 9, 31];

#[test]
fn cached_decode_equals_a_full_prefill() {
    for change in [
        "tie_embeddings: true",
        "tie_embeddings: false",
        "n_kv_heads: 1",
        "n_kv_heads: 4",
    ] {
        let config = config(change);
        let decoder = decoder(&config);
        let mut cache = decoder.new_cache(1).expect("small");
        let all = values(
            &decoder
                .forward_all(append(0, &PROMPT), &mut cache)
                .expect("runs"),
        );
        let mut cache = decoder.new_cache(1).expect("small");
        for (t, id) in PROMPT.iter().enumerate() {
            let one = values(
                &decoder
                    .forward(&[append(0, &[*id])], &mut cache)
                    .expect("runs"),
            );
            let want = &all[t * config.vocab_size..(t + 1) * config.vocab_size];
            // The same sums, some in another order: design bound 1e-5.
            assert!(difference(&one, want) < 1e-5, "{change}, token {t}");
        }
    }
}

#[test]
fn a_prompt_in_chunks_equals_a_prompt_at_once() {
    let decoder = decoder(&config("rope_theta: 500.0"));
    let mut cache = decoder.new_cache(1).expect("small");
    let at_once = values(
        &decoder
            .forward(&[append(0, &PROMPT)], &mut cache)
            .expect("runs"),
    );
    let mut cache = decoder.new_cache(1).expect("small");
    let mut last = Vec::new();
    for chunk in PROMPT.chunks(4) {
        last = values(
            &decoder
                .forward(&[append(0, chunk)], &mut cache)
                .expect("runs"),
        );
    }
    assert!(difference(&last, &at_once) < 1e-5);
}

#[test]
fn sequences_of_a_batch_do_not_see_each_other() {
    let config = config("rope_theta: 10000.0");
    let decoder = decoder(&config);
    let prompts: [&[u32]; 3] = [&PROMPT, &[7], &[1, 2, 3, 4]];
    let alone = prompts.map(|prompt| {
        let mut cache = decoder.new_cache(1).expect("small");
        values(
            &decoder
                .forward(&[append(0, prompt)], &mut cache)
                .expect("runs"),
        )
    });
    let mut cache = decoder.new_cache(3).expect("small");
    let batch: Vec<SequenceTokens<'_>> = (0..3).map(|s| append(2 - s, prompts[s])).collect();
    let together = values(&decoder.forward(&batch, &mut cache).expect("runs"));
    for (logits, alone) in together.chunks(config.vocab_size).zip(&alone) {
        assert!(difference(logits, alone) < 1e-5);
    }
    assert_eq!(
        [cache.length(0), cache.length(1), cache.length(2)],
        [4, 1, 9]
    );
}

#[test]
fn a_truncated_sequence_goes_on_as_if_the_rest_had_never_been() {
    let decoder = decoder(&config("norm_eps: 1.0e-6"));
    let mut cache = decoder.new_cache(1).expect("small");
    decoder
        .forward(&[append(0, &PROMPT)], &mut cache)
        .expect("runs");
    cache.truncate(0, 3).expect("3 of 9");
    let after = values(
        &decoder
            .forward(&[append(0, &[8])], &mut cache)
            .expect("runs"),
    );
    let mut fresh = decoder.new_cache(1).expect("small");
    let want = values(
        &decoder
            .forward(&[append(0, &[3, 60, 0, 8])], &mut fresh)
            .expect("runs"),
    );
    assert!(difference(&after, &want) < 1e-5);
    let message = cache.truncate(0, 5).expect_err("4 tokens").to_string();
    assert_eq!(message, "sequence 0 holds 4 tokens and cannot be cut to 5");
}

#[test]
fn layers_in_two_shards_equal_the_whole() {
    let config = config("tie_embeddings: true");
    let (source, device) = (weights(&config, DType::F16), Device::reference());
    let whole = Decoder::load(&config, &source, &device).expect("loads");
    let shard = |layers| Shard {
        layers,
        ..Shard::whole(&config)
    };
    let load =
        |layers| Decoder::load_shard(&config, shard(layers), &source, &device).expect("loads");
    let (first, last) = (load(0..1), load(1..3));

    let mut cache = whole.new_cache(1).expect("small");
    let want = values(
        &whole
            .forward_all(append(0, &PROMPT), &mut cache)
            .expect("runs"),
    );
    let (mut near, mut far) = (
        first.new_cache(1).expect("a"),
        last.new_cache(1).expect("b"),
    );
    let places = near.next_places(0, PROMPT.len()).expect("room");
    let x = first
        .layers(&first.embed(&PROMPT).expect("ids"), &places, &mut near)
        .expect("runs");
    // The wire: only the activations travel, as f32.
    let x = device.tensor(x.shape(), &values(&x)).expect("arrives");
    let found = last
        .head(&last.layers(&x, &places, &mut far).expect("runs"))
        .expect("runs");
    assert_eq!(
        values(&found),
        want,
        "the same operations on the same numbers"
    );
    assert_eq!(
        first
            .head(&x)
            .expect_err("the head is elsewhere")
            .to_string(),
        "this shard of the model does not hold the output head"
    );
    assert!(last.embed(&PROMPT).is_err());
}

/// A reduction over two threads: each sends its partial sum to the other and adds what it gets.
struct Exchange {
    send: Sender<Vec<f32>>,
    receive: Mutex<Receiver<Vec<f32>>>,
}

impl AllReduce for Exchange {
    fn sum(&self, partial: Tensor) -> gollm_model::Result<Tensor> {
        self.send
            .send(partial.to_vec()?)
            .expect("the other shard lives");
        let other = self
            .receive
            .lock()
            .expect("one thread")
            .recv()
            .expect("the other shard lives");
        Ok(partial.add(&partial.device().tensor(partial.shape(), &other)?)?)
    }
}

#[test]
fn heads_and_columns_in_uneven_shards_add_up_to_the_whole() {
    // Three key/value heads of 32 numbers, so that some of them are whole blocks of q8_0.
    let config = Config {
        n_heads: 6,
        n_kv_heads: 3,
        head_dim: 32,
        ..config("n_kv_heads: 1")
    };
    for dtype in [DType::F32, DType::F16, DType::Q8_0] {
        let (source, device) = (weights(&config, dtype), Device::reference());
        let whole = Decoder::load(&config, &source, &device).expect("loads");
        let mut cache = whole.new_cache(1).expect("small");
        let want = values(
            &whole
                .forward_all(append(0, &PROMPT), &mut cache)
                .expect("runs"),
        );
        let ((to_b, from_a), (to_a, from_b)) = (channel(), channel());
        let shards = [(0..1, 0..32, to_b, from_b), (1..3, 32..64, to_a, from_a)];
        let found = std::thread::scope(|scope| {
            let run = |(kv_heads, hidden, send, receive)| {
                let shard = Shard {
                    layers: 0..3,
                    kv_heads,
                    hidden,
                };
                let decoder = Decoder::load_shard(&config, shard, &source, &device).expect("loads");
                let exchange = Exchange {
                    send,
                    receive: Mutex::new(receive),
                };
                let decoder = decoder.with_all_reduce(Arc::new(exchange));
                let mut cache = decoder.new_cache(1).expect("small");
                values(
                    &decoder
                        .forward_all(append(0, &PROMPT), &mut cache)
                        .expect("runs"),
                )
            };
            let threads = shards.map(|shard| scope.spawn(move || run(shard)));
            threads.map(|thread| thread.join().expect("no panic"))
        });
        // Two partial sums instead of one sum: another order of summation.
        assert!(difference(&found[0], &want) < 1e-5, "{dtype}");
        assert_eq!(
            found[0], found[1],
            "both shards must go on with the same numbers"
        );
    }
}

#[test]
fn mistakes_are_named_and_leave_the_cache_as_it_was() {
    let config = config("tie_embeddings: true");
    let decoder = decoder(&config);
    let mut cache = decoder.new_cache(2).expect("small");
    decoder
        .forward(&[append(0, &PROMPT)], &mut cache)
        .expect("runs");
    let mut message = |batch: &[SequenceTokens<'_>]| {
        let error = decoder.forward(batch, &mut cache).expect_err("a mistake");
        assert_eq!((cache.length(0), cache.length(1)), (9, 0));
        error.to_string()
    };
    assert_eq!(
        message(&[append(1, &[61])]),
        "embed: token id 61 is out of range, there are 61"
    );
    assert_eq!(
        message(&[append(0, &[1; 16])]),
        "sequence 0 holds 9 of 24 tokens and has no room for 16 more"
    );
    assert_eq!(
        message(&[append(2, &[1])]),
        "sequence 2 does not exist, the cache has 2"
    );
    assert!(message(&[append(1, &[])]).contains("sequence 1 has no new tokens"));
    assert!(message(&[append(1, &[1]), append(1, &[2])]).contains("appears twice"));
}

#[test]
fn a_missing_or_misshapen_weight_is_named() {
    let config = config("tie_embeddings: false");
    let device = Device::reference();
    for spec in expected_tensors(&config).expect("a valid config") {
        let mut source = weights(&config, DType::F32);
        source.remove(&spec.name);
        let error = Decoder::load(&config, &source, &device).expect_err("a weight is missing");
        assert!(
            matches!(&error, Error::MissingWeight { name } if *name == spec.name),
            "{error}"
        );
    }
    let mut source = weights(&config, DType::F32);
    let q_proj = source.tensor("blocks.1.attn.q_proj.weight").expect("there");
    source.insert("blocks.1.attn.k_proj.weight".to_owned(), q_proj);
    let message = Decoder::load(&config, &source, &device)
        .expect_err("k is not q")
        .to_string();
    assert_eq!(
        message,
        "weight `blocks.1.attn.k_proj.weight` has shape [64, 32], the config says [32, 32]"
    );
}

#[test]
fn a_shard_outside_the_model_is_refused() {
    let config = config("tie_embeddings: true");
    let source = weights(&config, DType::F32);
    let whole = Shard::whole(&config);
    let shards = [
        Shard {
            layers: 1..4,
            ..whole.clone()
        },
        Shard {
            layers: 2..2,
            ..whole.clone()
        },
        Shard {
            kv_heads: 0..3,
            ..whole.clone()
        },
        Shard {
            hidden: 64..64,
            ..whole
        },
    ];
    for shard in shards {
        let error = Decoder::load_shard(&config, shard, &source, &Device::reference());
        assert!(matches!(error, Err(Error::Shard { .. })));
    }
}

#[test]
fn the_cache_takes_the_memory_the_formula_says() {
    let config = config("tie_embeddings: true");
    let shard = Shard::whole(&config);
    let cache = KvCache::new(&config, &shard, 2, &Device::reference()).expect("small");
    // Keys and values · layers · sequences · context · kv heads · head_dim.
    let expected = 2 * 3 * 2 * 24 * 2 * 16;
    assert_eq!(cache.n_elements(), expected);
}
