//! `gollm params`: what a model of some config costs, before anyone trains it.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use gollm_model::{
    Config, FlopCounts, ParameterCounts, bytes_read_per_token, kv_bytes, kv_bytes_per_token,
    weight_bytes,
};
use gollm_tensor::DType;
use gollm_weights::{ModelFile, OpenOptions};
use serde_json::{Value, json};

use crate::args::switch;
use crate::cli_error::CliError;
use crate::numbers::{approximately, bytes, grouped};
use crate::output;

/// Count the parameters, bytes and operations of a config
///
/// The counts are exact: they are those of the decoder that would be built. A model file or folder
/// stands for the config in it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Config file (YAML), or a model
    config: PathBuf,

    /// Print one JSON object
    #[arg(long, env = "GOLLM_JSON", value_parser = switch)]
    json: bool,
}

/// Everything that is counted.
struct Costs {
    config: Config,
    parameters: ParameterCounts,
    /// Of each storage type that the matrices can be stored in.
    weight_bytes: Vec<(DType, u64)>,
    kv_bytes_per_token: u64,
    kv_bytes: u64,
    first_token: FlopCounts,
    last_token: FlopCounts,
    /// In the config's own type, at the end of the context.
    bytes_read_per_token: u64,
}

pub(crate) fn run(args: &Args) -> Result<(), CliError> {
    let costs = Costs::of(config_of(&args.config)?)?;
    if args.json {
        return output::print_json(&costs.to_json()?);
    }
    output::print(costs.to_text())
}

/// The config in a model, or in a YAML file.
fn config_of(path: &Path) -> Result<Config, CliError> {
    const MODELS: [&str; 5] = ["gollm", "gguf", "safetensors", "bin", "m"];
    let ending = path.extension().and_then(|ending| ending.to_str());
    let holds_config = path.join("config.json").is_file();
    if holds_config || ending.is_some_and(|ending| MODELS.contains(&ending)) {
        let file = ModelFile::open(path, &OpenOptions::default())?;
        return Ok(file.config().clone());
    }
    read_config(path)
}

/// Reads a config; a failure names the file.
pub(crate) fn read_config(path: &Path) -> Result<Config, CliError> {
    Config::from_yaml_file(path).map_err(|error| match error {
        // This one names the file itself.
        error @ gollm_model::Error::ConfigFile { .. } => error.into(),
        error => CliError::from(error).context(path.display()),
    })
}

impl Costs {
    fn of(config: Config) -> Result<Self, CliError> {
        let fits = |dtype: &DType| weight_bytes(&config, *dtype).ok().map(|n| (*dtype, n));
        Ok(Self {
            parameters: ParameterCounts::new(&config)?,
            weight_bytes: DType::ALL.iter().filter_map(fits).collect(),
            kv_bytes_per_token: kv_bytes_per_token(&config, DType::F32)?,
            kv_bytes: kv_bytes(&config, DType::F32)?,
            first_token: FlopCounts::per_token(&config, 1)?,
            last_token: FlopCounts::per_token(&config, config.context_length)?,
            bytes_read_per_token: bytes_read_per_token(
                &config,
                config.dtype,
                DType::F32,
                config.context_length,
            )?,
            config,
        })
    }

    fn to_text(&self) -> String {
        let mut text = self.parameters_to_text();
        text.push('\n');
        let mut row = |name: &str, value: String| {
            let _ = writeln!(text, "{name:<30} {value}");
        };
        for (dtype, n_bytes) in &self.weight_bytes {
            let mark = if *dtype == self.config.dtype {
                "  (this config)"
            } else {
                ""
            };
            row(&format!("weights as {dtype}"), both(*n_bytes) + mark);
        }
        row("key/value cache, one token", both(self.kv_bytes_per_token));
        row("key/value cache, full context", both(self.kv_bytes));
        row(
            "read for one token, at most",
            both(self.bytes_read_per_token),
        );
        text.push('\n');
        self.flops_to_text(&mut text);
        text
    }

    /// The table of parameters, one line for each layer.
    fn parameters_to_text(&self) -> String {
        let counts = &self.parameters;
        let mut text = format!(
            "{:<14} {:>14} {:>17} {:>11} {:>17}\n",
            "parameters", "attention", "feed-forward", "norms", "total"
        );
        let mut row = |name: &str, parts: Option<[u64; 3]>, total: u64| {
            let [a, f, n] = parts.map_or_else(Default::default, |parts| parts.map(grouped));
            let total = grouped(total);
            let _ = writeln!(text, "{name:<14} {a:>14} {f:>17} {n:>11} {total:>17}");
        };
        row("embedding", None, counts.embedding);
        let parts = [
            counts.attention_per_layer,
            counts.feed_forward_per_layer,
            counts.norms_per_layer,
        ];
        for layer in 0..counts.n_layers {
            row(&format!("layer {layer}"), Some(parts), counts.per_layer());
        }
        row("final norm", None, counts.final_norm);
        if counts.head == 0 {
            let _ = writeln!(text, "output head    the embedding table, counted once");
        } else {
            let _ = writeln!(text, "{:<14} {:>62}", "output head", grouped(counts.head));
        }
        let _ = writeln!(text, "{:<30} {:>46}", "total", grouped(counts.total()));
        if counts.active() < counts.total() {
            let active = grouped(counts.active());
            let _ = writeln!(text, "{:<30} {active:>46}", "used by one token");
        }
        let without = grouped(counts.without_embeddings());
        let _ = writeln!(text, "{:<30} {without:>46}", "without embeddings");
        text
    }

    fn flops_to_text(&self, text: &mut String) {
        let (first, last) = (&self.first_token, &self.last_token);
        let context = format!("token {}", grouped(self.config.context_length as u128));
        let _ = writeln!(
            text,
            "{:<20} {:>24} {context:>24}",
            "FLOPs of", "the first token"
        );
        let rows = [
            ("projections", first.projections, last.projections),
            ("attention", first.attention, last.attention),
            ("feed-forward", first.feed_forward, last.feed_forward),
            ("output head", first.head, last.head),
            ("total", first.total(), last.total()),
        ];
        for (name, first, last) in rows {
            let _ = writeln!(
                text,
                "{name:<20} {:>24} {:>24}",
                grouped(first),
                grouped(last)
            );
        }
        let most = approximately(u128::from(last.total()));
        let _ = writeln!(
            text,
            "\nA token costs at most {most} FLOPs, a multiply-add as two."
        );
    }

    fn to_json(&self) -> Result<Value, CliError> {
        let config = super::inspect::config_json(&self.config)?;
        let counts = &self.parameters;
        let weights = self.weight_bytes.iter();
        let weights = weights
            .map(|(dtype, n)| (dtype.name().to_owned(), json!(n)))
            .collect();
        Ok(json!({
            "config": config,
            "parameters": {
                "embedding": counts.embedding,
                "attention_per_layer": counts.attention_per_layer,
                "feed_forward_per_layer": counts.feed_forward_per_layer,
                "idle_per_layer": counts.inactive_per_layer,
                "norms_per_layer": counts.norms_per_layer,
                "n_layers": counts.n_layers,
                "final_norm": counts.final_norm,
                "head": counts.head,
                "without_embeddings": counts.without_embeddings(),
                "total": counts.total(),
                "active": counts.active(),
            },
            "weight_bytes": Value::Object(weights),
            "kv_bytes_per_token": self.kv_bytes_per_token,
            "kv_bytes": self.kv_bytes,
            "bytes_read_per_token": self.bytes_read_per_token,
            "flops_first_token": flops_to_json(&self.first_token),
            "flops_last_token": flops_to_json(&self.last_token),
        }))
    }
}

/// A size exactly and as people say it.
fn both(n_bytes: u64) -> String {
    format!(
        "{:>17} bytes  {}",
        grouped(n_bytes),
        bytes(u128::from(n_bytes))
    )
}

fn flops_to_json(flops: &FlopCounts) -> Value {
    json!({
        "projections": flops.projections,
        "attention": flops.attention,
        "feed_forward": flops.feed_forward,
        "head": flops.head,
        "total": flops.total(),
    })
}
