//! Things of the driver that are given back when they are dropped: streams, events, modules, memory of
//! the host, and graphs.

use std::ffi::{CStr, c_int, c_uint, c_void};
use std::sync::Arc;

use gollm_tensor::Result;

use super::context::Context;
use super::cuda::{Code, Handle};

/// Does not wait for the stream that all of a process shares.
const NON_BLOCKING: c_uint = 1;
/// An event without a clock, which costs less.
const NO_TIMING: c_uint = 2;
/// While a thread captures, only that thread's calls are looked at for what a graph cannot hold.
const CAPTURE_THREAD_LOCAL: c_int = 1;

/// A handle and how to give it back.
#[derive(Debug)]
struct Owned {
    context: Arc<Context>,
    handle: Handle,
    give_back: unsafe extern "system" fn(Handle) -> Code,
}

impl Owned {
    /// Makes something, and remembers how to give it back.
    fn make(
        context: &Arc<Context>,
        what: &str,
        give_back: unsafe extern "system" fn(Handle) -> Code,
        make: impl FnOnce(*mut Handle) -> Code,
    ) -> Result<Self> {
        context.enter()?;
        let mut handle = Handle::NULL;
        context.check(make(&raw mut handle), what)?;
        Ok(Self {
            context: Arc::clone(context),
            handle,
            give_back,
        })
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        if self.context.enter().is_ok() {
            // SAFETY: the handle was made once and is given back once, by the function that goes with
            // it. There is nobody to tell if it fails.
            unsafe { (self.give_back)(self.handle) };
        }
    }
}

/// A queue of work that is done in order.
#[derive(Debug)]
pub(super) struct Stream(Owned);

impl Stream {
    pub(super) fn new(context: &Arc<Context>) -> Result<Self> {
        let functions = context.cuda.functions;
        Owned::make(
            context,
            "cuStreamCreate",
            functions.stream_destroy,
            // SAFETY: writes one handle.
            |handle| unsafe { (functions.stream_create)(handle, NON_BLOCKING) },
        )
        .map(Self)
    }

    pub(super) fn handle(&self) -> Handle {
        self.0.handle
    }

    /// Waits until all of its work is done. An error may be that of any kernel queued before.
    pub(super) fn synchronize(&self) -> Result<()> {
        let context = &self.0.context;
        // SAFETY: the stream lives.
        let code = unsafe { (context.cuda.functions.stream_synchronize)(self.handle()) };
        context.check(code, "work that was queued before")
    }

    /// Later work of this stream waits for the event.
    pub(super) fn wait_for(&self, event: &Event) -> Result<()> {
        let context = &self.0.context;
        // SAFETY: both live.
        let code =
            unsafe { (context.cuda.functions.stream_wait)(self.handle(), event.0.handle, 0) };
        context.check(code, "cuStreamWaitEvent")
    }

    /// Records what `queue` queues on this stream as a graph, without doing any of it.
    pub(super) fn capture(&self, queue: impl FnOnce() -> Result<()>) -> Result<Graph> {
        let context = &self.0.context;
        let functions = context.cuda.functions;
        // SAFETY: the stream lives.
        let code = unsafe { (functions.capture_begin)(self.handle(), CAPTURE_THREAD_LOCAL) };
        context.check(code, "cuStreamBeginCapture")?;
        let queued = queue();
        // Capturing ends whatever became of it, or the stream stays unusable.
        let graph = Owned::make(
            context,
            "cuStreamEndCapture",
            functions.graph_destroy,
            // SAFETY: writes one handle.
            |handle| unsafe { (functions.capture_end)(self.handle(), handle) },
        );
        queued?;
        let graph = graph?;
        Owned::make(
            context,
            "cuGraphInstantiate",
            functions.executable_destroy,
            // SAFETY: writes one handle; the graph lives until the end of this function.
            |handle| unsafe { (functions.graph_instantiate)(handle, graph.handle, 0) },
        )
        .map(Graph)
    }
}

/// A mark in a stream that another stream can wait for.
#[derive(Debug)]
pub(super) struct Event(Owned);

impl Event {
    pub(super) fn new(context: &Arc<Context>) -> Result<Self> {
        let functions = context.cuda.functions;
        Owned::make(
            context,
            "cuEventCreate",
            functions.event_destroy,
            // SAFETY: writes one handle.
            |handle| unsafe { (functions.event_create)(handle, NO_TIMING) },
        )
        .map(Self)
    }

    /// Marks the work queued on `stream` so far.
    pub(super) fn record(&self, stream: &Stream) -> Result<()> {
        let context = &self.0.context;
        // SAFETY: both live.
        let code = unsafe { (context.cuda.functions.event_record)(self.0.handle, stream.handle()) };
        context.check(code, "cuEventRecord")
    }
}

/// Launches that were recorded once and are queued together.
#[derive(Debug)]
pub(super) struct Graph(Owned);

impl Graph {
    /// Queues all of it.
    pub(super) fn launch(&self, stream: &Stream) -> Result<()> {
        let context = &self.0.context;
        // SAFETY: both live.
        let code = unsafe { (context.cuda.functions.graph_launch)(self.0.handle, stream.handle()) };
        context.check(code, "cuGraphLaunch")
    }
}

/// Compiled kernels, loaded onto the GPU.
#[derive(Debug)]
pub(super) struct Module(Owned);

impl Module {
    /// Loads a cubin.
    pub(super) fn load(context: &Arc<Context>, file: &str, cubin: &[u8]) -> Result<Self> {
        let functions = context.cuda.functions;
        let what = format!("loading {file}, compiled for {},", context.gpu.sm());
        let image = cubin.as_ptr().cast::<c_void>();
        Owned::make(
            context,
            &what,
            functions.module_unload,
            // SAFETY: writes one handle; a cubin says its own length, and this one is as the compiler
            // made it.
            |handle| unsafe { (functions.module_load)(handle, image) },
        )
        .map(Self)
    }

    /// The kernel of this name, usable as long as the module lives.
    pub(super) fn function(&self, name: &CStr) -> Result<Handle> {
        let context = &self.0.context;
        let mut function = Handle::NULL;
        let find = context.cuda.functions.module_function;
        // SAFETY: writes one handle, reads a string that ends in a zero.
        let code = unsafe { find(&raw mut function, self.0.handle, name.as_ptr()) };
        context.check(code, format_args!("looking for the kernel {name:?}"))?;
        Ok(function)
    }
}

/// Memory of the host that the GPU reads and writes by itself ("pinned": it never moves).
#[derive(Debug)]
pub(super) struct Pinned {
    owned: Owned,
    n_bytes: usize,
}

impl Pinned {
    pub(super) fn new(context: &Arc<Context>, n_bytes: usize) -> Result<Self> {
        let functions = context.cuda.functions;
        let owned = Owned::make(
            context,
            &format!("allocating {n_bytes} bytes of pinned host memory"),
            functions.host_free,
            // SAFETY: writes one address.
            |handle| unsafe { (functions.host_allocate)(handle, n_bytes, 0) },
        )?;
        Ok(Self { owned, n_bytes })
    }

    pub(super) fn len(&self) -> usize {
        self.n_bytes
    }

    /// The first byte; `len` bytes follow.
    pub(super) fn address(&self) -> *mut u8 {
        self.owned.handle.0.cast()
    }
}
