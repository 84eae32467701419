//! PyTorch's numbers, layer by layer. The files in `test_data/goldens/` are made by
//! `python/goldens.py`, which says what is in them; `test_data/MANIFEST.toml` has their seeds and
//! checksums.
#![allow(
    clippy::expect_used,
    reason = "a test whose setting cannot be made should panic"
)]

use std::path::PathBuf;

use gollm_model::gpt::{LayerNorm, gelu};
use gollm_model::{
    Config, Decoder, RmsNorm, RopeScaling, SequenceTokens, WeightSource, loss, rope,
};
use gollm_tensor::{Device, Place, RopeTable, Tensor};
use gollm_weights::{ModelFile, OpenOptions};
use ndarray::{Array1, Array2};
use serde_json::Value;

/// The configurations of `python/golden_models.py`.
const NAMES: [&str; 8] = [
    "tied",
    "untied",
    "one_kv_head",
    "odd_sizes",
    "llama3_rope",
    "qkv_bias",
    "qk_norm",
    "experts",
];

fn read(file: &str) -> Vec<u8> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../test_data/goldens");
    std::fs::read(root.join(file)).unwrap_or_else(|error| {
        panic!("test_data/goldens/{file}: {error}; remake it with `python goldens.py` in python/")
    })
}

fn json(file: &str) -> Value {
    serde_json::from_slice(&read(file)).expect("JSON")
}

fn numbers(value: &Value) -> Vec<f32> {
    let value = value.get("data").unwrap_or(value);
    value
        .as_array()
        .expect("a list")
        .iter()
        .map(|v| v.as_f64().expect("a number") as f32)
        .collect()
}

fn ids(value: &Value) -> Vec<u32> {
    serde_json::from_value(value.clone()).expect("a list of ids")
}

fn shape(value: &Value) -> Vec<usize> {
    serde_json::from_value(value["shape"].clone()).expect("a shape")
}

/// One tiny model and what PyTorch computed with it.
struct Golden {
    index: Value,
    numbers: Vec<f32>,
    file: ModelFile,
}

impl Golden {
    fn open(name: &str) -> Self {
        let bytes = read(&format!("{name}.bin"));
        let value = |b: &[u8]| f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join(format!("../../test_data/goldens/{name}.gollm"));
        Self {
            index: json(&format!("{name}.json")),
            numbers: bytes.chunks_exact(4).map(value).collect(),
            file: ModelFile::open(path, &OpenOptions::default()).expect("a model file"),
        }
    }

    fn decoder(&self) -> Decoder {
        Decoder::load(self.file.config(), &self.file, &Device::reference()).expect("loads")
    }

    fn ids(&self) -> Vec<u32> {
        ids(&self.index["ids"])
    }

    /// PyTorch's array `name`.
    fn array(&self, name: &str) -> &[f32] {
        let arrays = self.index["arrays"].as_array().expect("a list");
        let entry = arrays
            .iter()
            .find(|a| a["name"] == name)
            .expect("an array of that name");
        let start = entry["offset"].as_u64().expect("an offset") as usize;
        let length: usize = shape(entry).iter().product();
        &self.numbers[start..start + length]
    }
}

/// Fails with the worst place when two arrays differ by more than `bound`, relative to the largest
/// number expected.
fn assert_close(what: &str, found: &[f32], expected: &[f32], bound: f32) {
    assert_eq!(found.len(), expected.len(), "{what}: length");
    let largest = expected.iter().fold(0.0f32, |m, v| m.max(v.abs()));
    let differences = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    let (at, worst) = differences
        .enumerate()
        .fold((0, 0.0), |worst, (i, difference)| {
            if difference > worst.1 || difference.is_nan() {
                (i, difference)
            } else {
                worst
            }
        });
    assert!(
        worst <= bound * largest,
        "{what}: at {at} found {}, PyTorch {}; difference {:.2e} of {largest}, bound {bound:.0e}",
        found[at],
        expected[at],
        worst / largest
    );
}

fn append(tokens: &[u32]) -> SequenceTokens<'_> {
    SequenceTokens {
        sequence: 0,
        tokens,
    }
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.to_vec().expect("readable")
}

#[test]
fn every_layer_computes_what_pytorch_computes() {
    for name in NAMES {
        let golden = Golden::open(name);
        let (decoder, ids) = (golden.decoder(), golden.ids());
        let config = golden.file.config().clone();
        let device = Device::reference();
        let norm = |name: &str, x: &Tensor| {
            let norm = RmsNorm::load(&golden.file, name, config.emb_dim, config.norm_eps, &device);
            values(&norm.expect("there").forward(x).expect("fits"))
        };
        // Differences grow with depth; each operation alone is within 1e-5 (see the book's parts).
        let check = |what: &str, found: &[f32]| {
            assert_close(&format!("{name}: {what}"), found, golden.array(what), 1e-5);
        };

        let mut cache = decoder.new_cache(1).expect("small");
        let places = cache.next_places(0, ids.len()).expect("room");
        let x = decoder.embed(&ids).expect("ids of the vocabulary");
        check("tok_emb", &values(&x));
        let mut stream = x.clone();
        let mut seen = 0;
        let hidden = decoder
            .layers_observed(&x, &places, &mut cache, &mut |what, output| {
                check(what, &values(output));
                seen += 1;
                if what.ends_with(".attn") {
                    let norm_name = what.replace(".attn", ".attn_norm");
                    check(&norm_name, &norm(&format!("{norm_name}.weight"), &stream));
                    stream = stream.add(output)?;
                    let norm_name = what.replace(".attn", ".ffn_norm");
                    check(&norm_name, &norm(&format!("{norm_name}.weight"), &stream));
                } else if !what.ends_with(".ffn") {
                    stream = output.clone();
                }
                Ok(())
            })
            .expect("runs");
        assert_eq!(seen, 3 * config.n_layers);
        check("final_norm", &norm("final_norm.weight", &hidden));
        check("logits", &values(&decoder.head(&hidden).expect("runs")));
    }
}

#[test]
fn logits_are_within_1e_4_and_the_greedy_tokens_are_the_same() {
    for name in NAMES {
        let golden = Golden::open(name);
        let (decoder, ids) = (golden.decoder(), golden.ids());
        let mut cache = decoder.new_cache(1).expect("small");
        let logits = values(&decoder.forward_all(append(&ids), &mut cache).expect("runs"));
        for (found, expected) in logits.iter().zip(golden.array("logits")) {
            assert!(
                (found - expected).abs() < 1e-4,
                "{name}: {found} and {expected}"
            );
        }
        cache.truncate(0, 0).expect("to nothing");
        let expected: Vec<u32> = crate::ids(&golden.index["greedy"]);
        let mut next = ids;
        let mut greedy: Vec<u32> = Vec::new();
        for _ in 0..expected.len() {
            let logits = decoder.forward(&[append(&next)], &mut cache).expect("runs");
            next = logits.argmax().expect("one row");
            greedy.extend(&next);
        }
        assert_eq!(greedy, expected, "{name}");
    }
}

#[test]
fn the_loss_is_pytorchs() {
    for name in NAMES {
        let golden = Golden::open(name);
        let (ids, vocab_size) = (golden.ids(), golden.file.config().vocab_size);
        let logits = &golden.array("logits")[..(ids.len() - 1) * vocab_size];
        let found = loss::mean_cross_entropy(logits, &ids[1..]).expect("finite");
        let expected = golden.index["loss"].as_f64().expect("a number");
        assert!(
            (found - expected).abs() < 1e-5 * expected,
            "{name}: {found} and {expected}"
        );
    }
}

#[test]
fn the_books_parts_compute_what_pytorch_computes() {
    let book = json("book.json");
    let device = Device::reference();
    let tensor = |v: &Value| device.tensor(&shape(v), &numbers(v)).expect("its shape");
    let array = |v: &Value| {
        Array2::from_shape_vec((shape(v)[0], shape(v)[1]), numbers(v)).expect("its shape")
    };
    let eps = |v: &Value| v["eps"].as_f64().expect("a number") as f32;

    let part = &book["layer_norm"];
    let norm = LayerNorm {
        scale: Array1::from(numbers(&part["scale"])),
        shift: Array1::from(numbers(&part["shift"])),
        eps: eps(part),
    };
    let y = norm.forward(&array(&part["x"])).expect("fits");
    assert_close(
        "layer_norm",
        y.as_slice().expect("contiguous"),
        &numbers(&part["y"]),
        1e-5,
    );

    let part = &book["gelu"];
    let y: Vec<f32> = numbers(&part["x"]).into_iter().map(gelu).collect();
    assert_close("gelu", &y, &numbers(&part["y"]), 1e-5);

    let part = &book["rms_norm"];
    let y = tensor(&part["x"])
        .rms_norm(&tensor(&part["weight"]), eps(part))
        .expect("fits");
    assert_close("rms_norm", &values(&y), &numbers(&part["y"]), 1e-5);

    let part = &book["swiglu"];
    let y = tensor(&part["gate"])
        .swiglu(&tensor(&part["up"]))
        .expect("fits");
    assert_close("swiglu", &values(&y), &numbers(&part["y"]), 1e-5);

    let part = &book["softmax"];
    let y = tensor(&part["x"]).softmax().expect("a matrix");
    assert_close("softmax", &values(&y), &numbers(&part["y"]), 1e-5);

    let part = &book["cross_entropy"];
    let found = loss::mean_cross_entropy(&numbers(&part["logits"]), &ids(&part["targets"]))
        .expect("finite");
    let expected = part["loss"].as_f64().expect("a number");
    assert!(
        (found - expected).abs() < 1e-5 * expected,
        "{found} and {expected}"
    );
    let expected = part["perplexity"].as_f64().expect("a number");
    assert!((loss::perplexity(found) - expected).abs() < 1e-5 * expected);

    let part = &book["rope"];
    let frequencies: Vec<f64> = (0..3)
        .map(|i| 10_000f64.powf(-f64::from(i) / 3.0))
        .collect();
    let table = RopeTable::new(&device, &frequencies, 4).expect("small");
    let y = tensor(&part["x"])
        .rope(&table, &Place::run(0, 0, 4))
        .expect("fits");
    assert_close("rope", &values(&y), &numbers(&part["y"]), 1e-5);
}

#[test]
fn llama_3_frequencies_and_tables_are_pytorchs() {
    let part = &json("book.json")["llama3_rope"];
    let number = |key: &str| part[key].as_f64().expect("a number");
    let config = Config::from_yaml(
        "{vocab_size: 2, context_length: 8192, emb_dim: 128, n_heads: 1, n_kv_heads: 1, \
          hidden_dim: 1, n_layers: 1}",
    );
    let config = Config {
        rope_theta: number("rope_theta"),
        rope_scaling: Some(RopeScaling {
            factor: number("factor"),
            low_freq_factor: number("low_freq_factor"),
            high_freq_factor: number("high_freq_factor"),
            original_context_length: number("original_context_length") as usize,
        }),
        ..config.expect("valid")
    };
    let frequencies = rope::frequencies(&config);
    let expected = part["frequencies"].as_array().expect("a list");
    assert_eq!(frequencies.len(), expected.len());
    for (found, expected) in frequencies.iter().zip(expected) {
        let expected = expected.as_f64().expect("a number");
        // Both are f64; the two libraries' powers may differ in the last digits.
        assert!((found - expected).abs() < 1e-14, "{found} and {expected}");
    }
    let table = RopeTable::new(&Device::reference(), &frequencies, 8192).expect("small");
    let rows: Vec<usize> = serde_json::from_value(part["positions"].clone()).expect("positions");
    for (name, table) in [("cos", table.cos()), ("sin", table.sin())] {
        let found = values(&table.rows(&rows).expect("inside the table"));
        assert_close(name, &found, &numbers(&part[name]), 1e-6);
    }
}

#[test]
fn the_file_and_the_index_say_the_same_config() {
    for name in NAMES {
        let golden = Golden::open(name);
        let config = Config::from_value(&golden.index["config"]).expect("valid");
        assert_eq!(&config, golden.file.config(), "{name}");
        assert!(golden.file.tensor("tok_emb.weight").is_ok());
    }
}
