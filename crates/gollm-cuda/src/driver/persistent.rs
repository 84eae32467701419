//! A step that repeats: launches in a row that the persistent kernel can play are one launch of it, and what
//! it cannot play is queued before and behind, in order.
//!
//! The blocks of the kernel wait for each other, so all of them must be on the GPU at once. How many fit
//! is asked of the driver. From Pascal on the launch is a cooperative one, which the driver refuses rather
//! than begin what cannot end. Maxwell has none: there the blocks are as many as fit, and begin together
//! because the stream's work before has ended and nothing else of this process runs.

mod table;

use std::ffi::CString;
use std::fmt;
use std::sync::Arc;

use gollm_tensor::Result;

use super::command::Command;
use super::context::Context;
use super::cubin_cache::CubinCache;
use super::cuda::Handle;
use super::gpu::COOPERATIVE_LAUNCH;
use super::kernels::Compilation;
use super::nvrtc::Nvrtc;
use super::owned::{Module, Stream};
use crate::attend::MOST_SHARED_BYTES;
use crate::persistent::{Operation, SOURCE, WEIGHTS, common_weight, name};
use table::{Loaded, Table};

/// Fewer launches in a row are not worth a table.
const FEWEST_OPERATIONS: usize = 2;

/// The kernels on the GPU.
#[derive(Debug)]
pub(super) struct Persistent(Arc<Loaded>);

/// A recorded step.
#[derive(Debug)]
pub(super) struct Program(Vec<Part>);

#[derive(Debug)]
enum Part {
    Command(Command),
    Table(Table),
}

impl Persistent {
    /// Compiles and loads the kernels.
    ///
    /// # Errors
    ///
    /// If not even one block of each fits on a multiprocessor.
    pub(super) fn open(context: &Arc<Context>, nvrtc: &Nvrtc, cache: &CubinCache) -> Result<Self> {
        let sm = context.gpu.sm();
        let sources = std::slice::from_ref(&SOURCE);
        let compilation = Compilation::of(sources, nvrtc, &sm, cache)?;
        let cubin = compilation.cubins.first().map_or(&[][..], Vec::as_slice);
        let module = Module::load(context, SOURCE.file, cubin)?;
        let function = |weight| {
            let name = CString::new(name(weight))
                .map_err(|_| context.error("a kernel's name has a zero byte"))?;
            Ok((weight, module.function(&name)?))
        };
        let kernels = Loaded {
            functions: WEIGHTS.into_iter().map(function).collect::<Result<_>>()?,
            cooperative: context.attribute(COOPERATIVE_LAUNCH)? != 0,
            context: Arc::clone(context),
            _module: module,
        };
        for weight in WEIGHTS {
            kernels.blocks_at_once(weight, MOST_SHARED_BYTES)?;
        }
        Ok(Self(Arc::new(kernels)))
    }

    /// The step as a program; none where there is nothing in it that the kernels play.
    pub(super) fn program(&self, commands: &[Command], stream: &Stream) -> Result<Option<Program>> {
        let mut parts = Vec::new();
        let mut held = Vec::new();
        for command in commands {
            let operation = match command {
                Command::Launch(run) => run.operation(),
                _ => None,
            };
            let Some(operation) = operation else {
                self.end_table(&mut held, &mut parts, stream)?;
                parts.push(Part::Command(command.clone()));
                continue;
            };
            let before = held.iter().map(|(_, operation)| operation);
            if common_weight(before.chain([&operation])).is_none() {
                self.end_table(&mut held, &mut parts, stream)?;
            }
            held.push((command.clone(), operation));
        }
        self.end_table(&mut held, &mut parts, stream)?;
        let plays = parts.iter().any(|part| matches!(part, Part::Table(_)));
        Ok(plays.then_some(Program(parts)))
    }

    /// Makes a table of what was held, if that is worth one.
    fn end_table(
        &self,
        held: &mut Vec<(Command, Operation)>,
        parts: &mut Vec<Part>,
        stream: &Stream,
    ) -> Result<()> {
        let (commands, operations): (Vec<_>, Vec<_>) = held.drain(..).unzip();
        if operations.len() < FEWEST_OPERATIONS {
            parts.extend(commands.into_iter().map(Part::Command));
        } else {
            parts.push(Part::Table(Table::new(&self.0, &operations, stream)?));
        }
        Ok(())
    }
}

impl fmt::Display for Persistent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = match self.0.cooperative {
            true => "a cooperative launch",
            false => "a plain launch of no more blocks than fit",
        };
        write!(f, "persistent decode kernel by {how}")
    }
}

impl Program {
    /// Queues all of it; `queue` queues a command that is not in a table.
    pub(super) fn run(
        &self,
        stream: Handle,
        mut queue: impl FnMut(&Command) -> Result<()>,
    ) -> Result<()> {
        self.0.iter().try_for_each(|part| match part {
            Part::Command(command) => queue(command),
            Part::Table(table) => table.launch(stream),
        })
    }
}
