//! Measures a whole model: reading a prompt, writing, writing several texts at once.

use std::collections::HashMap;
use std::sync::Arc;

use gollm_cpu::roofline::Roofline;
use gollm_cpu::{Cpu, Machine};
use gollm_model::{
    Append, Config, Decoder, ParameterCounts, StoredTensor, WeightSource, expected_tensors,
};
use gollm_sampler::Random;
use gollm_tensor::{DType, Device, n_elements, quantize};

use super::Args;
use super::cost::{Cost, Test, peak};
use super::measure::{rates, timed};
use super::table::{self, Row};
use crate::device::{DeviceName, open_gpu};
use crate::failure::Failure;
use crate::output::Notes;

/// What is measured, loaded once.
struct Subject {
    name: String,
    config: Config,
    weights: Arc<dyn WeightSource>,
}

/// A device with its description and limits.
struct Bench {
    device: Device,
    name: String,
    kernels: String,
    n_threads: usize,
    roofline: Option<Roofline>,
}

impl Bench {
    /// A device whose limits this program does not measure.
    fn without_roofline(name: &DeviceName, notes: Notes) -> Result<Self, Failure> {
        let device = match name {
            DeviceName::Reference => Device::reference(),
            DeviceName::Auto => {
                return Err(Failure::usage(
                    "--device auto: bench measures the devices that it is told; `gollm devices` lists them",
                ));
            }
            name => open_gpu(name, None)?,
        };
        notes.say(device.backend().description());
        Ok(Self {
            device,
            name: name.to_string(),
            kernels: String::new(),
            n_threads: 1,
            roofline: None,
        })
    }
}

pub(super) fn run(args: &Args, notes: Notes) -> Result<(), Failure> {
    let subject = subject(args)?;
    args.check_lengths(&subject.config)?;
    let mut rows = Vec::new();
    for bench in args.benches(notes)? {
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

fn subject(args: &Args) -> Result<Subject, Failure> {
    let Some(path) = &args.random else {
        let model = args.model.open()?;
        return Ok(Subject {
            name: model.name,
            config: model.file.config().clone(),
            weights: Arc::new(model.file),
        });
    };
    let mut config = crate::commands::params::read_config(path)?;
    config.dtype = args.dtype.unwrap_or(config.dtype);
    let name = path.file_stem().unwrap_or(path.as_os_str());
    Ok(Subject {
        name: format!("{} (random weights)", name.display()),
        weights: Arc::new(random_weights(&config)?),
        config,
    })
}

/// Weights that take the same work as trained ones: what a product costs does not depend on its
/// numbers.
fn random_weights(config: &Config) -> Result<HashMap<String, StoredTensor>, Failure> {
    let mut random = Random::new(0);
    // One run of random numbers, used again and again: making a hundred million takes longer than
    // measuring. Its length is no multiple of any row's, so rows differ.
    let pattern: Vec<f32> = (0..100_003)
        .map(|_| ((random.next_f64() - 0.5) * 0.07) as f32)
        .collect();
    let mut weights = HashMap::new();
    let mut start = 0;
    for spec in expected_tensors(config)? {
        let n = n_elements(&spec.shape)?;
        let is_norm = spec.shape.len() == 1;
        let values: Vec<f32> = if is_norm {
            vec![1.0; n]
        } else {
            pattern
                .iter()
                .cycle()
                .skip(start)
                .take(n)
                .copied()
                .collect()
        };
        start = (start + n) % pattern.len();
        let dtype = if is_norm { DType::F32 } else { config.dtype };
        let bytes = quantize(&values, dtype)?.into();
        let tensor = StoredTensor {
            shape: spec.shape.clone(),
            dtype,
            bytes,
        };
        weights.insert(spec.name, tensor);
    }
    Ok(weights)
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

    fn check_lengths(&self, config: &Config) -> Result<(), Failure> {
        for (flag, n) in [("--n-prompt", self.n_prompt), ("--n-gen", self.n_gen)] {
            if n > config.context_length {
                return Err(Failure::usage(format!(
                    "{flag} {n} is more than the model's context_length {}",
                    config.context_length
                )));
            }
        }
        Ok(())
    }

    fn benches(&self, notes: Notes) -> Result<Vec<Bench>, Failure> {
        let machine = self.kernels.unwrap_or_else(Machine::detect);
        let threads = if self.threads.is_empty() {
            &[0][..]
        } else {
            &self.threads
        };
        let mut benches = Vec::new();
        for name in &self.device {
            if *name != DeviceName::Cpu {
                benches.push(Bench::without_roofline(name, notes)?);
                continue;
            }
            for &n in threads {
                let cpu = Cpu::with_machine(usize::from(n), machine)?;
                let (n_threads, roofline) = (cpu.n_threads(), Roofline::measure(&cpu));
                notes.say(format_args!(
                    "{n_threads} threads, {machine}: memory {:.1} GB/s, f32 {:.0} GFLOP/s, 8-bit {:.0} Gop/s, an empty parallel region {:.1} µs",
                    roofline.bytes_per_second / 1e9,
                    roofline.f32_per_second / 1e9,
                    roofline.i8_per_second / 1e9,
                    roofline.region_seconds * 1e6,
                ));
                benches.push(Bench {
                    device: Device::new(cpu),
                    name: name.to_string(),
                    kernels: machine.to_string(),
                    n_threads,
                    roofline: Some(roofline),
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
) -> Result<Row, Failure> {
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
                    let append = Append {
                        sequence: 0,
                        tokens: &prompt,
                    };
                    decoder.forward(&[append], &mut cache)?.to_vec()?;
                    Ok::<_, Failure>(())
                })
            })?
        }
        Test::Write { n_tokens, n_batch } => {
            let tokens: Vec<[u32; 1]> = (0..n_batch).map(|_| [token()]).collect();
            let batch: Vec<Append<'_>> = tokens
                .iter()
                .enumerate()
                .map(|(sequence, tokens)| Append { sequence, tokens })
                .collect();
            rates((n_tokens * n_batch) as f64, repetitions, || {
                (0..n_batch).try_for_each(|sequence| cache.truncate(sequence, 0))?;
                timed(|| {
                    for _ in 0..n_tokens {
                        decoder.forward(&batch, &mut cache)?.to_vec()?;
                    }
                    Ok::<_, Failure>(())
                })
            })?
        }
    };
    let cost = Cost::of(config, test)?;
    let limits = bench
        .roofline
        .map(|roofline| cost.limits(&roofline, config.dtype));
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
        bandwidth_gb_s: bench.roofline.map(|r| r.bytes_per_second / 1e9),
        peak_gflop_s: bench.roofline.map(|r| peak(&r, config.dtype) / 1e9),
        roofline_ts: limits.map(|(ts, _)| ts),
        roofline_limit: limits.map(|(_, limit)| limit),
        roofline_fraction: limits.map(|(ts, _)| sample.mean / ts),
    })
}
