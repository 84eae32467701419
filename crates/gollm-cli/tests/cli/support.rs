//! Models and files small enough to be made for each test, and a way to run the binary on them.

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use gollm_model::{Config, expected_tensors};
use gollm_sampler::Random;
use gollm_tensor::DType;
use gollm_tokenizer::{Pattern, SPECIAL_TOKENS, Tokenizer, TrainOptions, train};
use gollm_weights::{Metadata, Writer};
use serde_json::Value;
use tempfile::TempDir;

/// Text to train tokenizers on and to measure models on.
pub(crate) const TEXT: &str = "\
Once upon a time there was a small fox who lived under a tall tree. The fox had a red ball, and the
small fox played with the red ball all day long. One day the fox lost the ball, and the fox was sad.
Then a kind bird found the red ball under the tall tree, and the bird was glad. The bird and the fox
played with the ball until the day was over. Once more the fox was glad, and the tree was tall. The
end was a good end, and the small bird lived there with the fox for a long, long time.
";

/// A config whose model runs in a moment.
pub(crate) const CONFIG: &str = "\
vocab_size: 300
context_length: 48
emb_dim: 32
n_heads: 2
n_kv_heads: 1
head_dim: 16
hidden_dim: 64
n_layers: 2
";

/// The binary, without the variables of whoever runs the tests.
pub(crate) fn gollm() -> Command {
    let mut command = assert_cmd::cargo::cargo_bin_cmd!("gollm");
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("GOLLM_") || name.starts_with("CLICOLOR") {
            command.env_remove(name.as_ref());
        }
    }
    // Else Mesa's layer for choosing Vulkan devices complains on stderr where there is no display.
    command.env("NODEVICE_SELECT", "1");
    command
}

/// A run of the binary that is over.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.stdout.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout).unwrap()
    }
}

/// Runs the binary to its end, with nothing on stdin.
pub(crate) fn run<S: AsRef<str>>(args: &[S]) -> Ran {
    run_with(args, b"", &[])
}

/// As [`run`], with stdin and environment variables.
pub(crate) fn run_with<S: AsRef<str>>(args: &[S], stdin: &[u8], env: &[(&str, &str)]) -> Ran {
    let args = args.iter().map(AsRef::as_ref);
    let mut command = gollm();
    let output = command
        .args(args)
        .envs(env.iter().copied())
        .write_stdin(stdin)
        .output()
        .unwrap();
    Ran {
        code: output.status.code(),
        stdout: output.stdout,
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// As [`run`], for commands that must succeed.
pub(crate) fn done<S: AsRef<str>>(args: &[S]) -> Ran {
    let ran = run(args);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    ran
}

/// A directory of test files that is removed at the end.
pub(crate) struct Files(TempDir);

impl Files {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// The path of a file of this name, there or not.
    pub(crate) fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    /// Writes a file and returns its path.
    pub(crate) fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        fs::write(&path, contents).unwrap();
        path
    }

    /// Writes a model of [`CONFIG`] with its own tokenizer and returns its path.
    pub(crate) fn model(&self) -> String {
        self.model_of(CONFIG, Some(&tokenizer(300)))
    }

    /// Writes a model of any config, with any tokenizer or none.
    pub(crate) fn model_of(&self, config: &str, tokenizer: Option<&Tokenizer>) -> String {
        let path = PathBuf::from(self.path("tiny.gollm"));
        let metadata = Metadata {
            tokenizer: tokenizer.map(Tokenizer::to_json),
            ..Metadata::new(Config::from_yaml(config).unwrap())
        };
        write_model(&path, &metadata);
        path.to_str().unwrap().to_owned()
    }

    /// Writes a model with a chat template in its file, or none.
    pub(crate) fn chat_model(
        &self,
        config: &str,
        tokenizer: &Tokenizer,
        template: Option<&str>,
    ) -> String {
        let path = PathBuf::from(self.path("chat.gollm"));
        let metadata = Metadata {
            tokenizer: Some(tokenizer.to_json()),
            chat_template: template.map(str::to_owned),
            ..Metadata::new(Config::from_yaml(config).unwrap())
        };
        write_model(&path, &metadata);
        path.to_str().unwrap().to_owned()
    }
}

/// A tokenizer trained on [`TEXT`], with the five special tokens.
pub(crate) fn tokenizer(vocab_size: usize) -> Tokenizer {
    let special_tokens = SPECIAL_TOKENS.map(str::to_owned).to_vec();
    train(
        [TEXT],
        &TrainOptions {
            vocab_size,
            pattern: Pattern::Cl100k,
            special_tokens,
        },
    )
    .unwrap()
}

/// Weights large enough that one token is clearly more probable than another.
fn write_model(path: &Path, metadata: &Metadata) {
    let mut writer = Writer::create(path, metadata).unwrap();
    let mut random = Random::new(1);
    for tensor in expected_tensors(&metadata.config).unwrap() {
        let n_elements = tensor.shape.iter().product();
        let values: Vec<f32> = (0..n_elements)
            .map(|_| random.next_f64() as f32 - 0.5)
            .collect();
        writer
            .tensor_f32(&tensor.name, &tensor.shape, DType::F32, &values)
            .unwrap();
    }
    writer.finish().unwrap();
}
