//! The GPU as the queue sees it: commands, put on streams.

use std::sync::Arc;

use gollm_tensor::Result;

use super::command::{Command, Run};
use super::context::Context;
use super::cublas::Cublas;
use super::cuda::Handle;
use super::kernels::Kernels;
use super::owned::{Graph, Pinned};
use super::persistent::{Persistent, Program};
use super::replay::Executor;
use super::staging::Staging;
use super::streams::{Lane, Streams};

/// Blocks may use this much dynamic shared memory without asking.
const SHARED_BYTES_WITHOUT_ASKING: u32 = 48 << 10;
/// Reads go through pinned memory in pieces of this size: more than the logits of one token.
const READ_BYTES: usize = 1 << 20;

/// Everything that a command needs. Fields are dropped in this order: what is used last goes first.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) cublas: Option<Cublas>,
    kernels: Kernels,
    persistent: Option<Persistent>,
    pub(super) streams: Streams,
    pub(super) staging: Staging,
    reading: Pinned,
    /// Whether to wait after each command, so that an error names it.
    check: bool,
    context: Arc<Context>,
}

impl Machine {
    pub(super) fn new(
        context: &Arc<Context>,
        kernels: Kernels,
        persistent: Option<Persistent>,
        cublas: Option<Cublas>,
        check: bool,
    ) -> Result<Self> {
        Ok(Self {
            cublas,
            kernels,
            persistent,
            streams: Streams::new(context)?,
            staging: Staging::new(context)?,
            reading: Pinned::new(context, READ_BYTES)?,
            check,
            context: Arc::clone(context),
        })
    }

    /// Waits for all work. Staging starts anew, since nothing reads it now.
    pub(super) fn synchronize(&mut self) -> Result<()> {
        self.streams.last().synchronize()?;
        self.staging.restart();
        Ok(())
    }

    /// Reads device memory after all work that was queued.
    pub(super) fn read(&mut self, from: u64, bytes: &mut [u8]) -> Result<()> {
        let mut from = from;
        for piece in bytes.chunks_mut(self.reading.len()) {
            let stream = self.streams.last();
            let pinned = self.reading.address();
            // SAFETY: the pinned memory is at least as large as a piece, and is used here alone, where
            // each copy is waited for.
            unsafe {
                self.context
                    .copy_to_host(pinned, from, piece.len(), stream.handle())?;
                stream.synchronize()?;
                std::ptr::copy_nonoverlapping(pinned, piece.as_mut_ptr(), piece.len());
            }
            from += piece.len() as u64;
        }
        self.synchronize()
    }

    /// Copies bytes that are too many for staging, and waits until they are no longer needed.
    pub(super) fn write_at_once(&mut self, to: u64, bytes: &[u8]) -> Result<()> {
        let stream = self.streams.take(Lane::Plain)?;
        // SAFETY: the bytes are borrowed until the stream has done the copy.
        unsafe {
            self.context
                .copy_to_device(to, bytes.as_ptr(), bytes.len(), stream.handle())?;
        }
        stream.synchronize()
    }

    /// Queues a command on a stream.
    fn queue(&self, command: &Command, stream: Handle) -> Result<()> {
        match command {
            Command::Launch(run) => self.launch(*run, stream),
            Command::Write { to, bytes } => {
                let from = self.staging.address(bytes);
                // SAFETY: staging keeps the range as it is until all work is done.
                unsafe { self.context.copy_to_device(*to, from, bytes.len(), stream) }
            }
            Command::Zero { to, n_bytes } => self.context.zero(*to, *n_bytes, stream),
            Command::Product(product) => match &self.cublas {
                Some(cublas) => cublas.product(product, stream),
                None => Err(self.context.error("a product was queued without cuBLAS")),
            },
        }
    }

    fn launch(&self, mut run: Run, stream: Handle) -> Result<()> {
        let name = run.kernel.name();
        let function = self.kernels.function(run.kernel).ok_or_else(|| {
            self.context
                .error(format_args!("the kernel {name} is in none of the sources"))
        })?;
        if run.shared_bytes > SHARED_BYTES_WITHOUT_ASKING {
            self.context
                .allow_shared_memory(function, run.shared_bytes)?;
        }
        let mut pointers = run.argument_pointers();
        let (grid, block, shared_bytes) = (run.grid, run.block, run.shared_bytes);
        // SAFETY: the backend gives each kernel the arguments of its parameters, with addresses of
        // buffers as large as the kernel touches; the pointers are into `run`, which lives until then.
        let code = unsafe {
            self.context.launch(
                function,
                grid,
                block,
                shared_bytes,
                pointers.as_mut_ptr(),
                stream,
            )
        };
        self.context.check(
            code,
            format_args!(
                "launching {name} ({}) with grid {grid:?}, {block} threads and {shared_bytes} bytes of \
                 shared memory",
                run.kernel.source().file
            ),
        )
    }
}

/// A step that was recorded.
#[derive(Debug)]
pub(super) enum Recorded {
    Graph(Graph),
    Program(Program),
}

impl Executor for Machine {
    type Graph = Recorded;

    fn issue(&mut self, command: &Command) -> Result<()> {
        let stream = self.streams.take(Lane::Plain)?.handle();
        self.queue(command, stream)?;
        if self.check {
            self.streams.last().synchronize().map_err(|error| {
                self.context
                    .error(format_args!("{error}; the command was {command:?}"))
            })?;
        }
        Ok(())
    }

    fn record(&mut self, commands: &[Command]) -> Result<Recorded> {
        let stream = self.streams.recorder();
        if let Some(persistent) = &self.persistent
            && let Some(program) = persistent.program(commands, stream)?
        {
            return Ok(Recorded::Program(program));
        }
        let queue_all = || {
            let mut commands = commands.iter();
            commands.try_for_each(|command| self.queue(command, stream.handle()))
        };
        let graph = stream.capture(queue_all).map_err(|error| {
            self.context.error(format_args!(
                "cannot record a step as a CUDA graph: {error}; GOLLM_CUDA_GRAPH=0 does without"
            ))
        })?;
        Ok(Recorded::Graph(graph))
    }

    fn replay(&mut self, recorded: &Recorded) -> Result<()> {
        let stream = self.streams.take(Lane::Graph)?;
        match recorded {
            Recorded::Graph(graph) => graph.launch(stream),
            Recorded::Program(program) => {
                let stream = stream.handle();
                program.run(stream, |command| self.queue(command, stream))
            }
        }
    }
}
