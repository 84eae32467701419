//! The config: what it accepts, what it refuses, and in which words.

use gollm_model::{Config, Error, RopeScaling};
use gollm_tensor::DType;
use proptest::prelude::*;

/// Every key, none at its default.
const FULL: &str = "\
vocab_size: 320
context_length: 128
emb_dim: 48
n_heads: 6
n_kv_heads: 3
head_dim: 10
hidden_dim: 100
n_layers: 4
rope_theta: 500000.0
rope_scaling:
  factor: 8.0
  low_freq_factor: 1.0
  high_freq_factor: 4.0
  original_context_length: 64
norm_eps: 1.0e-6
tie_embeddings: false
dtype: bf16
";

/// Every required key and no other.
const SHORT: &str = "{vocab_size: 256, context_length: 64, emb_dim: 32, n_heads: 4, \
                     n_kv_heads: 2, hidden_dim: 96, n_layers: 2}";

fn full() -> Config {
    Config {
        vocab_size: 320,
        context_length: 128,
        emb_dim: 48,
        n_heads: 6,
        n_kv_heads: 3,
        head_dim: 10,
        hidden_dim: 100,
        n_layers: 4,
        rope_theta: 500_000.0,
        rope_scaling: Some(RopeScaling {
            factor: 8.0,
            low_freq_factor: 1.0,
            high_freq_factor: 4.0,
            original_context_length: 64,
        }),
        norm_eps: 1e-6,
        tie_embeddings: false,
        dtype: DType::BF16,
        qkv_bias: false,
        qk_norm: false,
        n_experts: 0,
        n_experts_per_token: 0,
        norm_topk_prob: false,
    }
}

/// The message about `FULL` with one line put in the place of another.
fn message_after(from: &str, to: &str) -> String {
    assert!(FULL.contains(from), "`{from}` is not in the example");
    match Config::from_yaml(&FULL.replace(from, to)) {
        Ok(config) => panic!("`{to}` was accepted: {config:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn every_key_is_read_from_yaml() {
    assert_eq!(Config::from_yaml(FULL).unwrap(), full());
}

#[test]
fn keys_left_out_or_empty_have_the_documented_defaults() {
    let config = Config::from_yaml(SHORT).unwrap();
    assert_eq!(config.head_dim, 8);
    assert_eq!(config.rope_theta, 10_000.0);
    assert_eq!(config.rope_scaling, None);
    assert_eq!(config.norm_eps, 1e-5);
    assert!(config.tie_embeddings);
    assert_eq!(config.dtype, DType::F32);
    let nulls = SHORT.replace('}', ", head_dim: null, rope_scaling: null, dtype: null}");
    assert_eq!(Config::from_yaml(&nulls).unwrap(), config);
}

#[test]
fn the_configs_of_the_project_are_valid() {
    for name in ["gollm-stories.yaml", "gollm-85m.yaml"] {
        let path = format!("{}/../../configs/{name}", env!("CARGO_MANIFEST_DIR"));
        let config = Config::from_yaml_file(path).unwrap();
        assert_eq!(config.dtype, DType::F16, "{name}");
    }
}

#[test]
fn a_training_section_is_accepted_and_not_looked_into() {
    for section in [
        "training: {steps: 100, anything: [1, 2]}",
        "training:",
        "training: 7",
    ] {
        assert_eq!(
            Config::from_yaml(&format!("{FULL}{section}\n")).unwrap(),
            full()
        );
    }
}

#[test]
fn heads_together_need_not_be_as_wide_as_the_stream() {
    let config = full();
    assert_ne!(config.n_heads * config.head_dim, config.emb_dim);
    config.validate().unwrap();
    assert_eq!(
        (config.q_dim(), config.kv_dim(), config.heads_per_kv()),
        (60, 30, 2)
    );
}

#[test]
fn yaml_and_json_round_trips_give_the_same_config() {
    for config in [full(), Config::from_yaml(SHORT).unwrap()] {
        let (yaml, json) = (config.to_yaml().unwrap(), config.to_json().unwrap());
        assert_eq!(Config::from_yaml(&yaml).unwrap(), config, "{yaml}");
        assert_eq!(Config::from_json(&json).unwrap(), config, "{json}");
        // A config inside a larger serde type is checked as well.
        assert_eq!(
            serde_json::from_str::<Vec<Config>>(&format!("[{json}]")).unwrap(),
            [config]
        );
    }
}

#[test]
fn a_config_inside_a_larger_json_is_checked_too() {
    let json = full()
        .to_json()
        .unwrap()
        .replace("\"n_kv_heads\":3", "\"n_kv_heads\":4");
    let message = serde_json::from_str::<Vec<Config>>(&format!("[{json}]"))
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("a multiple of n_kv_heads = 4"),
        "{message}"
    );
}

/// One mistake a line: what is replaced in `FULL` => by what => what the message must hold, its parts
/// with ` | ` between them.
const MISTAKES: &str = r#"
n_heads: 6 => n_heads: 0 => `n_heads` is 0 | from 1 to
vocab_size: 320 => vocab_size: 0 => `vocab_size` is 0
vocab_size: 320 => vocab_size: -1 => `vocab_size` is -1 | whole number
vocab_size: 320 => vocab_size: 1.5 => `vocab_size` is 1.5 | whole number
vocab_size: 320 => vocab_size: 99999999999 => `vocab_size` is 99999999999 | 16777216
vocab_size: 320 => vocab_size: 1e400 => config
vocab_size: 320 => vocab_size: many => `vocab_size` is the text "many"
vocab_size: 320 => vocab_size: [1] => `vocab_size` is a list
vocab_size: 320 => vocab_size: true => `vocab_size` is true
vocab_size: 320\n =>  => `vocab_size` is missing | add it
vocab_size: 320 => vocab_size: => `vocab_size` is missing
context_length: 128 => context_length: 0 => `context_length` is 0
context_length: 128 => context_length: 16777217 => `context_length` is 16777217
emb_dim: 48 => emb_dim: 0 => `emb_dim` is 0
emb_dim: 48 => emb_dim: 1048577 => `emb_dim` is 1048577 | 1048576
hidden_dim: 100 => hidden_dim: 0 => `hidden_dim` is 0
n_layers: 4 => n_layers: 0 => `n_layers` is 0
n_layers: 4 => n_layers: 1001 => `n_layers` is 1001 | 1000
n_kv_heads: 3 => n_kv_heads: 0 => `n_kv_heads` is 0
n_kv_heads: 3 => n_kv_heads: 4 => `n_heads` is 6 | multiple of n_kv_heads = 4
n_kv_heads: 3 => n_kv_heads: 12 => `n_heads` is 6 | multiple of n_kv_heads = 12
head_dim: 10 => head_dim: 9 => `head_dim` is 9 | even | RoPE
head_dim: 10 => head_dim: 0 => `head_dim` is 0
head_dim: 10 => head_dim: 5000 => `head_dim` is 5000 | 4096
n_heads: 6 => n_heads: 600000 => `n_heads` is 600000 | n_heads · head_dim
rope_theta: 500000.0 => rope_theta: 0.5 => `rope_theta` is 0.5 | at least 1
rope_theta: 500000.0 => rope_theta: .inf => config
rope_theta: 500000.0 => rope_theta: .nan => config
rope_theta: 500000.0 => rope_theta: big => `rope_theta` is the text "big"
norm_eps: 1.0e-6 => norm_eps: 0 => `norm_eps` is 0 | greater than 0
norm_eps: 1.0e-6 => norm_eps: 1.0e-60 => `norm_eps` is 0 | in f32
norm_eps: 1.0e-6 => norm_eps: -1.0e-6 => `norm_eps` is -0.000001
norm_eps: 1.0e-6 => norm_eps: 2 => `norm_eps` is 2
tie_embeddings: false => tie_embeddings: 1 => `tie_embeddings` is 1 | true or false
dtype: bf16 => dtype: fp16 => `dtype` is the text "fp16" | f32, f16, bf16, q8_0, q4_0
dtype: bf16 => dtype: 16 => `dtype` is 16
factor: 8.0 => factor: 0.5 => `rope_scaling.factor` is 0.5 | at least 1
low_freq_factor: 1.0 => low_freq_factor: 0 => `rope_scaling.low_freq_factor` is 0
low_freq_factor: 1.0 => low_freq_factor: 4 => high_freq_factor` is 4 | divides
  low_freq_factor: 1.0\n =>  => `rope_scaling.low_freq_factor` is missing
low_freq_factor: 1.0 => low_freq: 1.0 => `rope_scaling.low_freq` | `rope_scaling.low_freq_factor`
original_context_length: 64 => original_context_length: 0 => original_context_length` is 0
n_kv_heads: 3 => n_kv_head: 3 => unknown key `n_kv_head` | did you mean `n_kv_heads`?
norm_eps: 1.0e-6 => rms_norm_eps: 1.0e-6 => `rms_norm_eps` | did you mean `norm_eps`?
dtype: bf16 => colour: red => unknown key `colour` | remove it
dtype: bf16 => n_heads: 6 => YAML | n_heads
dtype: bf16 => dtype: [ => not well-formed YAML
dtype: bf16 => qkv_bias: 1 => `qkv_bias` is 1 | true or false
dtype: bf16 => qk_norm: yes please => `qk_norm` is the text "yes please"
dtype: bf16 => n_experts: -1 => `n_experts` is -1 | at least 0
dtype: bf16 => n_experts: 5 => `n_experts_per_token` is 0 | from 1 to n_experts = 5
dtype: bf16 => n_experts: 5\nn_experts_per_token: 6 => `n_experts_per_token` is 6 | each at most once
dtype: bf16 => n_experts: 1025\nn_experts_per_token: 1 => `n_experts` is 1025 | 0 to 1024
n_layers: 4 => n_layers: 40\nn_experts: 1024\nn_experts_per_token: 1 => `n_experts` is 1024 | n_layers · n_experts of at most 32768
dtype: bf16 => n_experts_per_token: 2 => `n_experts_per_token` is 2 | since n_experts is 0
dtype: bf16 => norm_topk_prob: true => `norm_topk_prob` is true | since n_experts is 0
dtype: bf16 => n_expert: 2 => unknown key `n_expert` | did you mean `n_experts`?
"#;

#[test]
fn each_mistake_has_its_own_message() {
    for line in MISTAKES.trim().lines() {
        let fields: Vec<String> = line.split(" => ").map(|f| f.replace("\\n", "\n")).collect();
        let [from, to, parts] = fields.as_slice() else {
            panic!("not three fields: {line}")
        };
        let message = message_after(from, to);
        for part in parts.split(" | ") {
            assert!(
                message.contains(part),
                "`{to}`: `{part}` is not in: {message}"
            );
        }
        assert!(
            message.len() < 700,
            "`{to}`: a message to read, not a dump: {message}"
        );
    }
}

#[test]
fn without_head_dim_the_heads_must_divide_the_stream() {
    assert_eq!(
        Config::from_yaml(&FULL.replace("head_dim: 10\n", ""))
            .unwrap()
            .head_dim,
        8
    );
    let text = FULL
        .replace("head_dim: 10\n", "")
        .replace("emb_dim: 48", "emb_dim: 50");
    let message = Config::from_yaml(&text).unwrap_err().to_string();
    assert!(
        message.contains("`emb_dim` is 50, expected a multiple of n_heads = 6"),
        "{message}"
    );
}

#[test]
fn a_config_that_is_no_mapping_is_refused() {
    for text in [
        "",
        "hello",
        "[1, 2]",
        "42",
        "--- a\n--- b",
        "\u{0}",
        "a: &x [*x]",
    ] {
        assert!(Config::from_yaml(text).is_err(), "{text:?}");
        assert!(Config::from_json(text).is_err(), "{text:?}");
    }
}

#[test]
fn a_file_that_is_missing_or_not_text_names_its_path() {
    let missing = Config::from_yaml_file("no/such/config.yaml").unwrap_err();
    assert!(matches!(missing, Error::ConfigFile { .. }));
    assert!(
        missing.to_string().contains("no/such/config.yaml"),
        "{missing}"
    );
    let folder = Config::from_yaml_file(env!("CARGO_MANIFEST_DIR")).unwrap_err();
    assert!(folder.to_string().contains("could not be read"), "{folder}");
}

#[test]
fn absurd_products_are_refused_although_each_size_is_allowed() {
    let wide = Config {
        emb_dim: 1 << 20,
        hidden_dim: 1 << 20,
        n_layers: 1000,
        ..full()
    };
    assert!(
        wide.validate()
            .unwrap_err()
            .to_string()
            .contains("all layers together")
    );
    let table = Config {
        emb_dim: 1 << 20,
        vocab_size: 1 << 24,
        ..full()
    };
    assert!(
        table
            .validate()
            .unwrap_err()
            .to_string()
            .contains("embedding table")
    );
    let rope = Config {
        context_length: 1 << 24,
        head_dim: 4096,
        ..full()
    };
    assert!(
        rope.validate()
            .unwrap_err()
            .to_string()
            .contains("cosines and sines")
    );
}

#[test]
fn large_published_models_are_within_the_bounds() {
    let llama_405b = Config {
        vocab_size: 128_256,
        context_length: 131_072,
        emb_dim: 16_384,
        n_heads: 128,
        n_kv_heads: 8,
        head_dim: 128,
        hidden_dim: 53_248,
        n_layers: 126,
        ..full()
    };
    llama_405b.validate().unwrap();
}

/// A key that says nothing new is not written, so older releases read the configs of models without
/// these parts.
#[test]
fn options_of_other_models_are_written_only_where_they_say_something() {
    let plain = full().to_json().unwrap() + &full().to_yaml().unwrap();
    for key in ["qkv_bias", "qk_norm", "expert", "norm_topk_prob"] {
        assert!(!plain.contains(key), "{key}");
    }
    let absent = "qkv_bias: false\nqk_norm: false\nn_experts: 0\nn_experts_per_token: 0\n\
                  norm_topk_prob: false\n";
    assert_eq!(
        Config::from_yaml(&format!("{FULL}{absent}")).unwrap(),
        full()
    );
    let all = Config {
        qkv_bias: true,
        qk_norm: true,
        n_experts: 7,
        n_experts_per_token: 2,
        norm_topk_prob: true,
        ..full()
    };
    assert_eq!(Config::from_json(&all.to_json().unwrap()).unwrap(), all);
    assert_eq!(Config::from_yaml(&all.to_yaml().unwrap()).unwrap(), all);
    assert!(all.has_options() && !full().has_options());
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,200}") {
        drop(Config::from_yaml(&text));
        drop(Config::from_json(&text));
    }

    #[test]
    fn no_damage_to_one_byte_makes_the_reader_panic(at in 0..FULL.len(), byte in 0u8..128) {
        let mut bytes = FULL.as_bytes().to_vec();
        bytes[at] = byte;
        if let Ok(config) = Config::from_yaml(&String::from_utf8(bytes).unwrap()) {
            prop_assert!(config.validate().is_ok());
        }
    }

    #[test]
    fn every_valid_config_survives_both_round_trips(
        sizes in prop::array::uniform6(1usize..5000),
        kv in 1usize..8,
        group in 1usize..8,
        theta in 1.0f64..1e7,
        eps in 1e-12f32..0.5,
        tie_embeddings: bool,
        dtype in prop::sample::select(DType::ALL.to_vec()),
    ) {
        let config = Config {
            vocab_size: sizes[0],
            context_length: sizes[1],
            emb_dim: sizes[2],
            hidden_dim: sizes[3],
            n_layers: 1 + sizes[4] % 1000,
            head_dim: 2 * (1 + sizes[5] % 100),
            n_heads: kv * group,
            n_kv_heads: kv,
            rope_theta: theta,
            norm_eps: eps,
            tie_embeddings,
            dtype,
            ..full()
        };
        prop_assert_eq!(&Config::from_yaml(&config.to_yaml().unwrap()).unwrap(), &config);
        prop_assert_eq!(&Config::from_json(&config.to_json().unwrap()).unwrap(), &config);
    }

    #[test]
    fn any_numbers_either_pass_or_fail_with_a_message(sizes in prop::array::uniform8(any::<usize>())) {
        let config = Config {
            vocab_size: sizes[0],
            context_length: sizes[1],
            emb_dim: sizes[2],
            n_heads: sizes[3],
            n_kv_heads: sizes[4],
            head_dim: sizes[5],
            hidden_dim: sizes[6],
            n_layers: sizes[7],
            ..full()
        };
        if let Err(error) = config.validate() {
            prop_assert!(error.to_string().starts_with("config: `"));
        }
    }
}
