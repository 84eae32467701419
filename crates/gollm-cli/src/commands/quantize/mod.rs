//! `gollm quantize`: the same model in fewer bits.

mod report;

use std::path::PathBuf;

use gollm_engine::{CancelFlag, open};
use gollm_tensor::DType;
use gollm_weights::{ModelFile, OpenOptions, Quantizer, TensorChange};

use crate::args::switch;
use crate::cli_error::{CliError, Status};
use crate::interrupt;
use crate::model_path::model_path;
use crate::output::{self, Notes};
use crate::rewrite::Rewrite;

use report::Run;

/// Write a model file anew with its matrices in another storage type
///
/// Vectors (the scales of the norms) stay f32. A matrix whose rows are not whole blocks of 32 becomes
/// f16 where a blocked type is asked for. Both are named on stderr. Errors in the table are in percent
/// of the root mean square of the numbers; what they cost is measured by `gollm perplexity`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Model file to read
    #[arg(value_name = "IN")]
    input: PathBuf,

    /// Where to write the new one
    #[arg(value_name = "OUT")]
    out: PathBuf,

    /// Storage type of the matrices: f32, f16, bf16, q8_0 or q4_0
    #[arg(short = 't', long = "type", value_name = "TYPE", env = "GOLLM_TYPE")]
    dtype: DType,

    /// Replace OUT if it is there
    #[arg(long, env = "GOLLM_FORCE", value_parser = switch)]
    force: bool,

    /// Read the file into memory instead of mapping it
    ///
    /// Needs memory for all of it, but is safe where the file may be shortened while it is in use.
    #[arg(long, env = "GOLLM_NO_MMAP", value_parser = switch)]
    no_mmap: bool,

    /// Print one JSON object
    #[arg(long, env = "GOLLM_JSON", value_parser = switch)]
    json: bool,
}

pub(crate) fn run(args: &Args, notes: Notes) -> Result<Status, CliError> {
    args.rewrite().check_target(args.force)?;
    let options = OpenOptions {
        map: !args.no_mmap,
        verify: false,
    };
    let source = open(model_path(&args.input)?, &options)?;
    warn_of_earlier_loss(&source, args.dtype, notes);
    let cancel = CancelFlag::new();
    interrupt::raise_on_ctrl_c(&cancel)?;
    let Some(changes) = convert(args, &source, notes, &cancel)? else {
        notes.say("interrupted; nothing was written");
        return Ok(Status::Interrupted);
    };
    let run = Run {
        args,
        source: &source,
        bytes_after: std::fs::metadata(&args.out).map_or(0, |file| file.len()),
        changes: &changes,
    };
    for line in run.kept() {
        notes.say(line);
    }
    match args.json {
        true => output::print_json(&run.to_json())?,
        false => output::print_report(&run.to_text())?,
    }
    Ok(Status::Done)
}

/// Converts tensor by tensor; `None` if the user has interrupted it.
fn convert(
    args: &Args,
    source: &ModelFile,
    notes: Notes,
    cancel: &CancelFlag,
) -> Result<Option<Vec<TensorChange>>, CliError> {
    let failed = |error| args.rewrite().failure(error);
    let n_tensors = source.descriptors().len();
    let mut quantizer = Quantizer::create(source, args.dtype, &args.out).map_err(failed)?;
    for (index, tensor) in source.descriptors().iter().enumerate() {
        if cancel.is_cancelled() {
            notes.progress("");
            return Ok(None);
        }
        notes.progress(&format!("{} of {n_tensors}: {}", index + 1, tensor.name));
        let converted = quantizer.next_tensor();
        if converted.is_err() {
            notes.progress("");
        }
        converted.map_err(failed)?;
    }
    notes.progress("");
    quantizer.finish().map(Some).map_err(failed)
}

/// Says so when numbers were rounded to blocks before: a second rounding comes on top of the first.
fn warn_of_earlier_loss(source: &ModelFile, dtype: DType, notes: Notes) {
    let was_blocked = |from: &DType| {
        let mut tensors = source.descriptors().iter();
        from.block_len() > 1 && *from != dtype && tensors.any(|tensor| tensor.dtype == *from)
    };
    for from in DType::ALL.into_iter().filter(was_blocked) {
        notes.say(format_args!(
            "warning: the model is stored as {from} already; what that lost does not come back, and \
             loss adds up: quantize the file that it was made from instead"
        ));
    }
}

impl Args {
    fn rewrite(&self) -> Rewrite<'_> {
        Rewrite {
            from: &self.input,
            to: &self.out,
        }
    }
}
