//! A model's config: YAML as a user writes it, JSON as it stands in a file.

use gollm_model::{Config, ParameterCounts, expected_tensors, kv_bytes};
use gollm_tensor::DType;

/// What is valid can be counted, and stays the same when it is written and read again.
pub(crate) fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let read = [Config::from_yaml(text), Config::from_json(text)];
    for config in read.into_iter().flatten() {
        check(&config);
    }
}

fn check(config: &Config) {
    let json = config.to_json().map(|text| Config::from_json(&text));
    assert_eq!(json.ok().and_then(Result::ok).as_ref(), Some(config));
    let yaml = config.to_yaml().map(|text| Config::from_yaml(&text));
    assert_eq!(yaml.ok().and_then(Result::ok).as_ref(), Some(config));
    assert!(ParameterCounts::new(config).is_ok() && kv_bytes(config, DType::F32).is_ok());
    // Its length is that of the model and not of the text, so only small models are listed.
    if config.n_layers <= 8 {
        assert!(expected_tensors(config).is_ok());
    }
}
