//! `gollm bench`: how fast this machine runs a model, beside how fast it could.

mod cost;
mod ladders;
mod limits;
mod measure;
mod model;
mod subject;
mod table;

use std::path::PathBuf;

use clap::Subcommand;
use gollm_tensor::DType;

use crate::cli_error::CliError;
use crate::device::DeviceName;
use crate::open_model::ModelArgs;
use crate::output::Notes;

/// Measure tokens per second, and the fraction of what the machine could do
///
/// Rows are named as llama-bench names them: pp512 reads a prompt of 512 tokens in one go, tg128 writes
/// 128 tokens one after the other; tg128@8 does so for 8 texts at once. Each figure is the mean of
/// the repetitions after one that does not count, with the standard deviation. The roofline is the time
/// in which this machine could read the bytes and do the operations that the config asks for, both
/// measured in the same run: run nothing else meanwhile.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    ladder: Option<Ladder>,

    #[command(flatten)]
    model: ModelArgs,

    /// Measure a config with random weights instead of a model file
    #[arg(
        long,
        value_name = "CONFIG",
        env = "GOLLM_RANDOM",
        conflicts_with = "model"
    )]
    random: Option<PathBuf>,

    /// Storage type of the random weights: f32, f16, bf16, q8_0 or q4_0 [default: the config's]
    #[arg(
        long = "type",
        value_name = "TYPE",
        env = "GOLLM_TYPE",
        requires = "random"
    )]
    dtype: Option<DType>,

    /// Tokens of the prompt; 0 leaves the test out
    #[arg(
        short = 'p',
        long,
        value_name = "N",
        env = "GOLLM_N_PROMPT",
        default_value_t = 512
    )]
    n_prompt: usize,

    /// Tokens to write; 0 leaves the test out
    #[arg(
        short = 'n',
        long,
        value_name = "N",
        env = "GOLLM_N_GEN",
        default_value_t = 128
    )]
    n_gen: usize,

    /// Repetitions that count
    #[arg(
        short,
        long,
        value_name = "N",
        env = "GOLLM_REPETITIONS",
        default_value_t = 5
    )]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    repetitions: u16,

    /// Threads, several separated by commas [default: one for each physical core]
    #[arg(
        short,
        long,
        value_name = "N,…",
        env = "GOLLM_THREADS",
        value_delimiter = ','
    )]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Vec<u16>,

    /// Texts to write at once, several separated by commas
    #[arg(
        short,
        long,
        value_name = "N,…",
        env = "GOLLM_BATCH",
        value_delimiter = ',',
        default_value = "1"
    )]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=256))]
    batch: Vec<u16>,

    /// Where to compute, several separated by commas: cpu, reference, or a GPU as `gollm devices` names it
    #[arg(
        long,
        value_name = "DEVICE,…",
        env = "GOLLM_DEVICE",
        value_delimiter = ',',
        default_value = "cpu"
    )]
    device: Vec<DeviceName>,

    /// Vector instructions of the cpu device [default: the best that there are]
    #[arg(long, value_name = "NAME", env = "GOLLM_KERNELS")]
    kernels: Option<gollm_cpu::Isa>,

    /// How to print: md, csv or json
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        env = "GOLLM_OUTPUT",
        default_value = "md"
    )]
    output: table::Format,
}

/// The steps from the plain loop to the kernel in use, each timed.
#[derive(Debug, Subcommand)]
enum Ladder {
    /// Time the matrix product, from the plain loop to the kernel in use
    Matmul(ladders::MatmulArgs),
    /// Time attention, from the plain loop to the kernel in use
    Attention(ladders::AttentionArgs),
}

pub(crate) fn run(args: &Args, notes: Notes) -> Result<(), CliError> {
    match &args.ladder {
        Some(Ladder::Matmul(args)) => ladders::matmul(args, notes),
        Some(Ladder::Attention(args)) => ladders::attention(args, notes),
        None => model::run(args, notes),
    }
}
