//! distributed-llama's model files.

use super::*;

const MAGIC: u32 = 0x0A00_ABCD;
const LLAMA: i32 = 0x00AB_CD00;
const QWEN3: i32 = LLAMA + 1;
const QWEN3_MOE: i32 = LLAMA + 2;

/// A file that is being put together.
#[derive(Clone)]
struct RawFile {
    head_bytes: Option<u32>,
    pairs: Vec<(i32, i32)>,
    data: Vec<u8>,
}

impl RawFile {
    /// A valid file of this config, whose matrices are of the type with this number.
    fn new(config: &Config, float_type: i32) -> Self {
        let kind = match (config.qk_norm, config.has_experts()) {
            (false, _) => LLAMA,
            (true, false) => QWEN3,
            (true, true) => QWEN3_MOE,
        };
        let sizes = [
            (0, 0),
            (1, kind),
            (2, config.emb_dim as i32),
            (3, config.hidden_dim as i32),
            (4, config.n_layers as i32),
            (5, config.n_heads as i32),
            (6, config.n_kv_heads as i32),
            (7, config.n_experts as i32),
            (8, config.n_experts_per_token as i32),
            (9, config.vocab_size as i32),
            (10, config.context_length as i32),
            (11, 1),
            (12, config.rope_theta as i32),
            (13, float_type),
            (21, config.hidden_dim as i32),
        ];
        let mut file = Self {
            head_bytes: None,
            pairs: sizes.to_vec(),
            data: Vec::new(),
        };
        let dtype = [DType::F32, DType::F16, DType::Q4_0, DType::Q8_0][float_type as usize];
        file.push_tensors(config, dtype);
        file
    }

    fn push_tensors(&mut self, config: &Config, dtype: DType) {
        let (emb_dim, hidden_dim) = (config.emb_dim, config.hidden_dim);
        let (q_dim, kv_dim) = (config.q_dim(), config.kv_dim());
        let table = [config.vocab_size, emb_dim];
        self.push(config, "tok_emb.weight", &table, DType::F32);
        for layer in 0..config.n_layers {
            let mut parts = vec![
                ("attn.q_proj".to_owned(), vec![q_dim, emb_dim]),
                ("attn.k_proj".to_owned(), vec![kv_dim, emb_dim]),
                ("attn.v_proj".to_owned(), vec![kv_dim, emb_dim]),
                ("attn.o_proj".to_owned(), vec![emb_dim, q_dim]),
            ];
            let experts: Vec<String> = match config.n_experts {
                0 => vec!["ffn".to_owned()],
                n => {
                    parts.push(("ffn.router".to_owned(), vec![n, emb_dim]));
                    (0..n)
                        .map(|expert| format!("ffn.experts.{expert}"))
                        .collect()
                }
            };
            for expert in experts {
                parts.push((format!("{expert}.gate_proj"), vec![hidden_dim, emb_dim]));
                parts.push((format!("{expert}.down_proj"), vec![emb_dim, hidden_dim]));
                parts.push((format!("{expert}.up_proj"), vec![hidden_dim, emb_dim]));
            }
            if config.qk_norm {
                parts.push(("attn.q_norm".to_owned(), vec![config.head_dim]));
                parts.push(("attn.k_norm".to_owned(), vec![config.head_dim]));
            }
            parts.push(("attn_norm".to_owned(), vec![emb_dim]));
            parts.push(("ffn_norm".to_owned(), vec![emb_dim]));
            for (part, shape) in parts {
                let dtype = match part.as_str() {
                    "ffn.router" => DType::F32,
                    _ => gollm_weights::stored_dtype(&shape, dtype),
                };
                self.push(
                    config,
                    &format!("blocks.{layer}.{part}.weight"),
                    &shape,
                    dtype,
                );
            }
        }
        self.push(config, "final_norm.weight", &[emb_dim], DType::F32);
        self.push(config, "out_head.weight", &table, dtype);
    }

    fn push(&mut self, config: &Config, name: &str, shape: &[usize], dtype: DType) {
        let values = theirs(name, shape, config);
        self.data.extend(quantize(&values, dtype).unwrap());
    }

    fn set(&mut self, key: i32, value: i32) {
        self.remove(key);
        self.pairs.push((key, value));
    }

    fn remove(&mut self, key: i32) {
        self.pairs.retain(|(known, _)| *known != key);
    }

    fn bytes(&self) -> Vec<u8> {
        let head_bytes = self.head_bytes.unwrap_or(8 + 8 * self.pairs.len() as u32);
        let mut bytes = [MAGIC.to_le_bytes(), head_bytes.to_le_bytes()].concat();
        let numbers = self.pairs.iter().flat_map(|(key, value)| [key, value]);
        bytes.extend(numbers.flat_map(|number| number.to_le_bytes()));
        bytes.extend(&self.data);
        bytes
    }
}

fn f32_file() -> RawFile {
    RawFile::new(&config("tie_embeddings: false"), 0)
}

#[test]
fn each_float_type_gives_config_and_tensors_with_rows_of_split_halves() {
    // Half a step of the type, for numbers up to 1.
    let types = [
        ("f32", 0.0),
        ("f16", 0.0005),
        ("q4_0", 0.13),
        ("q8_0", 0.005),
    ];
    for (number, (name, tolerance)) in types.into_iter().enumerate() {
        let config = config(&format!("tie_embeddings: false, dtype: {name}"));
        let model = open(&RawFile::new(&config, number as i32).bytes()).unwrap();
        assert_eq!(*model.config(), config);
        assert_eq!(model.format(), "distributed-llama model");
        // The table stays f32 whatever the rest is.
        assert_eq!(
            model.descriptor("tok_emb.weight").unwrap().dtype,
            DType::F32
        );
        assert_named(&model, tolerance);
    }
}

#[test]
fn a_qwen_keeps_its_rows_and_brings_norms_and_experts() {
    for more in [
        "qk_norm: true",
        "qk_norm: true, n_experts: 3, n_experts_per_token: 2, norm_topk_prob: true",
    ] {
        let config = config(&format!("tie_embeddings: false, {more}"));
        let mut file = RawFile::new(&config, 0);
        file.set(18, 1);
        let model = open(&file.bytes()).unwrap();
        assert_eq!(*model.config(), config);
        assert_named(&model, 0.0);
    }
}

#[test]
fn options_of_the_head_are_read() {
    let mut file = f32_file();
    file.set(12, 500_000);
    file.set(14, 8);
    file.set(15, 1);
    file.set(16, 4);
    file.set(17, 8192);
    file.set(18, 2);
    file.set(19, 4);
    file.set(20, 6);
    let model = open(&file.bytes()).unwrap();
    let expected = RopeScaling {
        factor: 8.0,
        low_freq_factor: 1.0,
        high_freq_factor: 4.0,
        original_context_length: 8192,
    };
    let config = model.config();
    assert_eq!(
        (config.rope_theta, config.rope_scaling),
        (500_000.0, Some(expected))
    );
    assert_eq!((config.head_dim, config.norm_eps), (4, 1e-6));
}

#[test]
fn each_mistake_in_the_head_has_its_own_message() {
    type Change = fn(&mut RawFile);
    let cases: [(&str, Change); 19] = [
        ("`22`: it is not known", |f| f.set(22, 0)),
        ("`4294967295`: it is not known", |f| f.set(-1, 0)),
        ("`dim`: it is there twice", |f| f.pairs.push((2, 32))),
        ("`dim` is missing", |f| f.remove(2)),
        ("`arch_type` is missing", |f| f.remove(1)),
        ("`0xabcd03`, which is not supported", |f| {
            f.set(1, LLAMA + 3)
        }),
        ("`out_head.weight` at byte", |f| f.set(1, QWEN3)),
        ("since n_experts is 0", |f| f.set(1, QWEN3_MOE)),
        ("`dim`: it is -32", |f| f.set(2, -32)),
        ("`n_heads` is 0", |f| f.set(5, 0)),
        ("`n_experts`: experts of a llama", |f| f.set(7, 4)),
        ("`hidden_act`: it is 0", |f| f.set(11, 0)),
        ("`rope_theta`", |f| f.set(12, -1)),
        ("`weights_float_type`: it is 4", |f| f.set(13, 4)),
        ("`weights_float_type` is missing", |f| f.remove(13)),
        ("`rope_type`: 1 is not computed", |f| f.set(18, 1)),
        ("`rope_scaling_factor` is missing", |f| f.set(18, 2)),
        ("`norm_epsilon`: it is 7", |f| f.set(20, 7)),
        ("8 for each number", |f| f.head_bytes = Some(13)),
    ];
    for (expected, change) in cases {
        let mut file = f32_file();
        change(&mut file);
        assert_holds(&refused(&file.bytes()), expected);
    }
}

#[test]
fn lengths_are_compared_with_the_file() {
    let bytes = f32_file().bytes();
    for length in 0..bytes.len() {
        assert!(open(&bytes[..length]).is_err(), "{length}");
    }
    assert_holds(
        &refused(&bytes[..bytes.len() - 1]),
        "`out_head.weight` at byte",
    );
    assert_holds(&refused(&[&bytes[..], &[0]].concat()), "but it has");
    for head_bytes in [0, 7, 1 << 31, u32::MAX - 7] {
        let mut file = f32_file();
        file.head_bytes = Some(head_bytes);
        assert!(open(&file.bytes()).is_err(), "{head_bytes}");
    }
    // Sizes as large as the numbers go: refused by the config or by the first tensor.
    for key in [2, 3, 4, 5, 6, 9, 10] {
        for value in [i32::MAX, 1 << 20, 1 << 16] {
            let mut file = f32_file();
            file.set(key, value);
            // More positions take no more bytes of the file.
            assert_eq!(
                open(&file.bytes()).is_ok(),
                key == 10 && value < i32::MAX,
                "{key} {value}"
            );
        }
    }
}
