//! Measures a whole model: reading a prompt, writing, writing several texts at once.

use gollm_cpu::roofline::Roofline;
use gollm_cpu::{Cpu, Isa};
use gollm_model::{Config, Decoder, ParameterCounts, SequenceTokens};
use gollm_sampler::Random;
use gollm_tensor::{DType, Device};

use super::Args;
use super::cost::{Cost, Test};
use super::limits::Limits;
use super::measure::{rates, timed};
use super::subject::Subject;
use super::table::{self, Row};
use crate::cli_error::CliError;
use crate::device::{DeviceName, GpuOptions, open_gpu};
use crate::output::Notes;

/// A device with its description and limits.
struct Bench {
    device: Device,
    name: String,
    kernels: String,
    /// None of the CPU's: 0.
    n_threads: usize,
    limits: Option<Limits>,
}

impl Bench {
    /// A device other than the CPU.
    fn other(name: &DeviceName, dtype: DType, notes: Notes) -> Result<Self, CliError> {
        let device = match name {
            DeviceName::Reference => Device::reference(),
            DeviceName::Auto => {
                return Err(CliError::usage(
                    "--device auto: bench measures the devices that it is told; `gollm devices` lists them",
                ));
            }
            name => open_gpu(name, GpuOptions::default())?,
        };
        notes.say(device.backend().description());
        // The reference is not for speed.
        let limits = (*name != DeviceName::Reference)
            .then(|| Limits::of_device(&device, dtype))
            .transpose()?;
        if let Some(limits) = limits {
            notes.say(format_args!(
                "{name}: memory {:.1} GB/s, products in {dtype} {:.0} GFLOP/s",
                limits.bytes_per_second / 1e9,
                limits.products_per_second / 1e9,
            ));
        }
        Ok(Self {
            device,
            name: name.to_string(),
            kernels: String::new(),
            n_threads: usize::from(*name == DeviceName::Reference),
            limits,
        })
    }
}

pub(super) fn run(args: &Args, notes: Notes) -> Result<(), CliError> {
    let mut subject = Subject::of(args)?;
    args.check_lengths(&subject.config)?;
    // The cache is made for what is measured, not for all that the model could see.
    subject.config.context_length = args.n_prompt.max(args.n_gen).max(1);
    let mut rows = Vec::new();
    for bench in args.benches(subject.config.dtype, notes)? {
        let decoder = Decoder::load(&subject.config, &*subject.weights, &bench.device)?;
        for test in args.tests() {
            let row = measure(
                &subject,
                &decoder,
                &bench,
                test,
                usize::from(args.repetitions),
            )?;
            notes.say(format_args!(
                "{} {} {} threads: {} {:.1} t/s",
                row.dtype, row.device, row.n_threads, row.test, row.avg_ts
            ));
            rows.push(row);
        }
    }
    table::print(&rows, args.output)
}

impl Args {
    fn tests(&self) -> Vec<Test> {
        let prompt = (self.n_prompt > 0).then_some(Test::Prompt(self.n_prompt));
        let n_tokens = self.n_gen;
        let writes = self.batch.iter().map(|&n| Test::Write {
            n_tokens,
            n_batch: usize::from(n),
        });
        let writes = writes.filter(|_| n_tokens > 0);
        prompt.into_iter().chain(writes).collect()
    }

    fn check_lengths(&self, config: &Config) -> Result<(), CliError> {
        for (flag, n) in [("--n-prompt", self.n_prompt), ("--n-gen", self.n_gen)] {
            if n > config.context_length {
                return Err(CliError::usage(format!(
                    "{flag} {n} is more than the model's context_length {}",
                    config.context_length
                )));
            }
        }
        Ok(())
    }

    fn benches(&self, dtype: DType, notes: Notes) -> Result<Vec<Bench>, CliError> {
        let isa = self.kernels.unwrap_or_else(Isa::detect);
        let threads = if self.threads.is_empty() {
            &[0][..]
        } else {
            &self.threads
        };
        let mut benches = Vec::new();
        for name in &self.device {
            if *name != DeviceName::Cpu {
                benches.push(Bench::other(name, dtype, notes)?);
                continue;
            }
            for &n in threads {
                let cpu = Cpu::with_isa(usize::from(n), isa)?;
                let (n_threads, roofline) = (cpu.n_threads(), Roofline::measure(&cpu));
                notes.say(format_args!(
                    "{n_threads} threads, {isa}: memory {:.1} GB/s, f32 {:.0} GFLOP/s, 8-bit {:.0} Gop/s, an empty parallel region {:.1} µs",
                    roofline.bytes_per_second / 1e9,
                    roofline.f32_per_second / 1e9,
                    roofline.i8_per_second / 1e9,
                    roofline.region_seconds * 1e6,
                ));
                benches.push(Bench {
                    device: Device::new(cpu),
                    name: name.to_string(),
                    kernels: isa.to_string(),
                    n_threads,
                    limits: Some(Limits::of_cpu(&roofline, dtype)),
                });
            }
        }
        Ok(benches)
    }
}

fn measure(
    subject: &Subject,
    decoder: &Decoder,
    bench: &Bench,
    test: Test,
    repetitions: usize,
) -> Result<Row, CliError> {
    let config = &subject.config;
    let n_batch = match test {
        Test::Prompt(_) => 1,
        Test::Write { n_batch, .. } => n_batch,
    };
    let mut cache = decoder.new_cache(n_batch)?;
    let mut random = Random::new(1);
    let mut token = || (random.next_f64() * config.vocab_size as f64) as u32;
    let sample = match test {
        Test::Prompt(n) => {
            let prompt: Vec<u32> = (0..n).map(|_| token()).collect();
            rates(n as f64, repetitions, || {
                cache.truncate(0, 0)?;
                timed(|| {
                    let append = SequenceTokens {
                        sequence: 0,
                        tokens: &prompt,
                    };
                    decoder.forward(&[append], &mut cache)?.to_vec()?;
                    Ok::<_, CliError>(())
                })
            })?
        }
        Test::Write { n_tokens, n_batch } => {
            let tokens: Vec<[u32; 1]> = (0..n_batch).map(|_| [token()]).collect();
            let batch: Vec<SequenceTokens<'_>> = tokens
                .iter()
                .enumerate()
                .map(|(sequence, tokens)| SequenceTokens { sequence, tokens })
                .collect();
            rates((n_tokens * n_batch) as f64, repetitions, || {
                (0..n_batch).try_for_each(|sequence| cache.truncate(sequence, 0))?;
                timed(|| {
                    for _ in 0..n_tokens {
                        decoder.forward(&batch, &mut cache)?.to_vec()?;
                    }
                    Ok::<_, CliError>(())
                })
            })?
        }
    };
    let cost = Cost::of(config, test)?;
    let roofline = bench.limits.map(|limits| cost.limits(&limits));
    Ok(Row {
        model: subject.name.clone(),
        n_params: ParameterCounts::new(config)?.total(),
        dtype: config.dtype.to_string(),
        device: bench.name.clone(),
        kernels: bench.kernels.clone(),
        n_threads: bench.n_threads,
        n_batch,
        test: test.name(),
        avg_ts: sample.mean,
        stddev_ts: sample.deviation,
        bytes_per_step: cost.bytes,
        flops_per_step: cost.flops,
        bandwidth_gb_s: bench.limits.map(|limits| limits.bytes_per_second / 1e9),
        peak_gflop_s: bench.limits.map(|limits| limits.products_per_second / 1e9),
        roofline_ts: roofline.map(|(ts, _)| ts),
        roofline_limit: roofline.map(|(_, limit)| limit),
        roofline_fraction: roofline.map(|(ts, _)| sample.mean / ts),
    })
}
