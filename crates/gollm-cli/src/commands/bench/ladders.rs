//! `gollm bench matmul` and `gollm bench attention`: the steps of chapter 9, timed.

use gollm_cpu::ladder::{ATTENTION, Heads, MATMUL, Matmul, Step};
use gollm_cpu::roofline::Roofline;
use gollm_cpu::{Cpu, Isa};
use serde_json::json;

use super::measure::{rates, timed};
use super::table::{Format, aligned};
use crate::cli_error::CliError;
use crate::output::{self, Notes};

/// What both ladders are asked.
#[derive(Debug, clap::Args)]
struct Common {
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

    /// Threads of the last step [default: one for each physical core]
    #[arg(short, long, value_name = "N", env = "GOLLM_THREADS")]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,

    /// Vector instructions [default: the best that there are]
    #[arg(long, value_name = "NAME", env = "GOLLM_KERNELS")]
    kernels: Option<Isa>,

    /// How to print: md, csv or json
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        env = "GOLLM_OUTPUT",
        default_value = "md"
    )]
    output: Format,
}

/// The sizes of the product.
#[derive(Debug, clap::Args)]
pub(super) struct MatmulArgs {
    /// Tokens
    #[arg(long, value_name = "N", env = "GOLLM_N_TOKENS", default_value_t = 512)]
    n_tokens: usize,

    /// Inputs: the columns of the weight
    #[arg(long, value_name = "N", env = "GOLLM_N_IN", default_value_t = 768)]
    n_in: usize,

    /// Outputs: the rows of the weight
    #[arg(long, value_name = "N", env = "GOLLM_N_OUT", default_value_t = 2048)]
    n_out: usize,

    #[command(flatten)]
    common: Common,
}

/// The sizes of the attention.
#[derive(Debug, clap::Args)]
pub(super) struct AttentionArgs {
    /// Tokens of the prompt
    #[arg(long, value_name = "N", env = "GOLLM_N_TOKENS", default_value_t = 512)]
    n_tokens: usize,

    /// Query heads
    #[arg(long, value_name = "N", env = "GOLLM_N_HEADS", default_value_t = 12)]
    n_heads: usize,

    /// Key/value heads
    #[arg(long, value_name = "N", env = "GOLLM_N_KV_HEADS", default_value_t = 4)]
    n_kv_heads: usize,

    /// Numbers of a head
    #[arg(long, value_name = "N", env = "GOLLM_HEAD_DIM", default_value_t = 64)]
    head_dim: usize,

    #[command(flatten)]
    common: Common,
}

/// One timed step.
struct Timed {
    name: &'static str,
    idea: &'static str,
    gflop_s: f64,
    deviation: f64,
    fraction: f64,
}

pub(super) fn matmul(args: &MatmulArgs, notes: Notes) -> Result<(), CliError> {
    let sizes = [args.n_tokens, args.n_in, args.n_out];
    check(
        sizes.iter().product::<usize>() > 0,
        "every size must be at least 1",
    )?;
    let problem = Matmul::new(args.n_tokens, args.n_in, args.n_out);
    let (flops, n_outputs) = (problem.flops(), problem.n_outputs());
    run(&args.common, notes, &MATMUL, &problem, flops, n_outputs)
}

pub(super) fn attention(args: &AttentionArgs, notes: Notes) -> Result<(), CliError> {
    let heads = [args.n_heads, args.n_kv_heads, args.head_dim];
    let positive = args.n_tokens > 0 && heads.iter().product::<usize>() > 0;
    check(positive, "every size must be at least 1")?;
    check(
        args.n_heads.is_multiple_of(args.n_kv_heads),
        "--n-heads must be a multiple of --n-kv-heads",
    )?;
    let problem = Heads::new(args.n_tokens, heads);
    let (flops, n_outputs) = (problem.flops(), problem.n_outputs());
    run(&args.common, notes, &ATTENTION, &problem, flops, n_outputs)
}

fn check(good: bool, message: &str) -> Result<(), CliError> {
    if good {
        Ok(())
    } else {
        Err(CliError::usage(message))
    }
}

fn run<P>(
    args: &Common,
    notes: Notes,
    steps: &[Step<P>],
    problem: &P,
    flops: u64,
    n_outputs: usize,
) -> Result<(), CliError> {
    let isa = args.kernels.unwrap_or_else(Isa::detect);
    let cpu = Cpu::with_isa(args.threads.map_or(0, usize::from), isa)?;
    let one = Cpu::with_isa(1, isa)?;
    let peak = Roofline::measure(&one).f32_per_second;
    let mut out = vec![0.0; n_outputs];
    let mut rows = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        // All steps but the last use one thread.
        let n_threads = if index + 1 == steps.len() {
            cpu.n_threads()
        } else {
            1
        };
        let sample = rates(flops as f64 / 1e9, usize::from(args.repetitions), || {
            timed(|| {
                step.run(&cpu, problem, &mut out);
                Ok::<_, CliError>(())
            })
        })?;
        notes.say(format_args!("{}: {:.1} GFLOP/s", step.name, sample.mean));
        rows.push(Timed {
            name: step.name,
            idea: step.idea,
            gflop_s: sample.mean,
            deviation: sample.deviation,
            fraction: sample.mean * 1e9 / (peak * n_threads as f64),
        });
    }
    print(&rows, &isa, cpu.n_threads(), args.output)
}

fn print(rows: &[Timed], isa: &Isa, n_threads: usize, format: Format) -> Result<(), CliError> {
    let first = rows.first().map_or(1.0, |row| row.gflop_s);
    match format {
        Format::Json => {
            let rows = rows.iter().map(|row| {
                json!({
                    "step": row.name, "idea": row.idea, "gflop_s": row.gflop_s,
                    "stddev_gflop_s": row.deviation, "speedup": row.gflop_s / first,
                    "roofline_fraction": row.fraction, "kernels": isa.name(),
                    "n_threads": n_threads,
                })
            });
            output::print_json(&rows.collect::<Vec<_>>())
        }
        Format::Csv => {
            let lines = rows.iter().map(|row| {
                format!(
                    "{},\"{}\",{},{},{},{}\n",
                    row.name,
                    row.idea,
                    row.gflop_s,
                    row.deviation,
                    row.gflop_s / first,
                    row.fraction
                )
            });
            let names = "step,idea,gflop_s,stddev_gflop_s,speedup,roofline_fraction\n";
            output::print(format!("{names}{}", lines.collect::<String>()))
        }
        Format::Md => {
            let names = [
                "step",
                "what is new",
                "GFLOP/s",
                "times the first",
                "of the peak",
            ];
            let cells = rows.iter().map(|row| {
                [
                    row.name.to_owned(),
                    row.idea.to_owned(),
                    format!("{:.1} ± {:.1}", row.gflop_s, row.deviation),
                    format!("{:.1}", row.gflop_s / first),
                    format!("{:.0} %", 100.0 * row.fraction),
                ]
            });
            let cells: Vec<_> = cells.collect();
            output::print(aligned(&names.map(str::to_owned), &cells, 2))
        }
    }
}
