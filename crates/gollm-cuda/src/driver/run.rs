//! [`Driver`]: the backend's [`Runtime`] on a real GPU.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gollm_tensor::Result;

use super::command::{Command, Run};
use super::compilers;
use super::context::Context;
use super::cubin_cache::CubinCache;
use super::cublas::Cublas;
use super::cuda::Libcuda;
use super::gpu;
use super::kernels::{Compilation, Kernels};
use super::machine::{Machine, Recorded};
use super::nvrtc::Nvrtc;
use super::options::{CublasUse, DriverOptions, Replay};
use super::persistent::Persistent;
use super::places::Places;
use super::replay::Queue;
use super::staging::LARGEST_WRITE;
use crate::runtime::{Launch, Library, LibraryProduct, Runtime};

/// A GPU, with its kernels loaded.
pub(crate) struct Driver {
    work: Mutex<Work>,
    description: String,
    library: Library,
    context: Arc<Context>,
}

/// The queue and what it drives.
pub(super) struct Work {
    queue: Queue<Recorded>,
    pub(super) machine: Machine,
}

impl Driver {
    /// Opens the GPU that the options ask for: driver, compiler, kernels and cuBLAS.
    ///
    /// # Errors
    ///
    /// If any of them is missing or unfit; the message says what was looked for, where, and what to do.
    pub(crate) fn open(options: &DriverOptions) -> Result<Self> {
        Self::open_from(options, &Places::new(&options.library_folders))
    }

    pub(super) fn open_from(options: &DriverOptions, places: &Places) -> Result<Self> {
        let cuda = Libcuda::open(places)?;
        let gpu = gpu::choose(&gpu::gpus(&cuda)?, options)?.clone();
        let nvrtc = compilers::open(&gpu, places)?;
        let context = Arc::new(Context::new(cuda, gpu)?);
        let cache = CubinCache::new(options.cache_folder.as_deref());
        let compilation = Compilation::of_all(&nvrtc, &context.gpu.sm(), &cache)?;
        let kernels = Kernels::load(&context, &compilation)?;
        let (library, cublas) = open_cublas(&context, &nvrtc, options, places)?;
        let replay = if options.check {
            Replay::Off // whoever waits after each kernel wants to see each kernel
        } else {
            options.replay
        };
        let persistent = match replay {
            Replay::Persistent => Some(Persistent::open(&context, &nvrtc, &cache)?),
            _ => None,
        };
        let cublas_used = describe_cublas(library, cublas.as_ref());
        let (major, minor) = nvrtc.version;
        let steps = match (&persistent, replay) {
            (Some(persistent), _) => persistent.to_string(),
            (None, Replay::Off) => "no graphs".to_owned(),
            (None, _) => "graphs".to_owned(),
        };
        let description = format!(
            "{}, kernels by NVRTC {major}.{minor} ({compilation}), {cublas_used}, {steps}",
            context.gpu
        );
        Ok(Self {
            work: Mutex::new(Work {
                queue: Queue::new(replay != Replay::Off),
                machine: Machine::new(&context, kernels, persistent, cublas, options.check)?,
            }),
            description,
            library,
            context,
        })
    }

    /// The queue, with this GPU current for the calling thread.
    pub(super) fn work(&self) -> Result<MutexGuard<'_, Work>> {
        self.context.enter()?;
        // A panic in between leaves nothing half done that matters: commands are queued or are not.
        Ok(self.work.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// cuBLAS as the options want it. It is missed silently only where the caller did not say that it is
/// wanted; then the description says so.
fn open_cublas(
    context: &Arc<Context>,
    nvrtc: &Nvrtc,
    options: &DriverOptions,
    places: &Places,
) -> Result<(Library, Option<Cublas>)> {
    let library = match options.cublas_use() {
        CublasUse::Off => return Ok((Library::Off, None)),
        CublasUse::F16 => Library::F16,
        CublasUse::F32 => Library::F32,
    };
    // Of the compiler's version: what the one serves, the other does.
    match Cublas::open(context, nvrtc.version.0, places) {
        Ok(cublas) => Ok((library, Some(cublas))),
        Err(error) if options.cublas.is_some() => Err(error),
        Err(_) => Ok((Library::Off, None)),
    }
}

fn describe_cublas(library: Library, cublas: Option<&Cublas>) -> String {
    match (library, cublas) {
        (Library::F16, Some(cublas)) => format!("cuBLAS {} in f16", cublas.version()),
        (Library::F32, Some(cublas)) => format!("cuBLAS {} in f32", cublas.version()),
        _ => "no cuBLAS".to_owned(),
    }
}

impl Runtime for Driver {
    fn name(&self) -> &str {
        &self.context.name
    }

    fn description(&self) -> String {
        self.description.clone()
    }

    fn allocate(&self, n_bytes: usize) -> Result<u64> {
        self.context.allocate(n_bytes)
    }

    fn free(&self, address: u64) {
        // The work before may use the memory. If the device failed, there is nothing left to free, and
        // the next call that can tell will.
        let freed = self.work().and_then(|mut work| {
            let Work { queue, machine } = &mut *work;
            queue.flush(machine)?;
            machine.streams.last().synchronize()?;
            self.context.free(address)
        });
        freed.ok();
    }

    fn write(&self, to: u64, bytes: &[u8]) -> Result<()> {
        let mut work = self.work()?;
        let Work { queue, machine } = &mut *work;
        if bytes.is_empty() {
            return Ok(());
        }
        if bytes.len() > LARGEST_WRITE {
            queue.flush(machine)?;
            return machine.write_at_once(to, bytes);
        }
        let range = match machine.staging.put(bytes) {
            Some(range) => range,
            None => {
                queue.flush(machine)?;
                machine.synchronize()?;
                let range = machine.staging.put(bytes);
                range.ok_or_else(|| self.context.error("no room to stage a write"))?
            }
        };
        queue.push(Command::Write { to, bytes: range }, machine)
    }

    fn read(&self, from: u64, bytes: &mut [u8]) -> Result<()> {
        let mut work = self.work()?;
        let Work { queue, machine } = &mut *work;
        queue.end_step(machine)?;
        machine.read(from, bytes)
    }

    fn zero(&self, to: u64, n_bytes: usize) -> Result<()> {
        let mut work = self.work()?;
        let Work { queue, machine } = &mut *work;
        queue.push(Command::Zero { to, n_bytes }, machine)
    }

    fn launch(&self, launch: &Launch<'_>) -> Result<()> {
        let mut work = self.work()?;
        let Work { queue, machine } = &mut *work;
        let run = Run::new(launch).ok_or_else(|| {
            self.context.error(format_args!(
                "{} was given {} arguments, more than any kernel has",
                launch.kernel.name(),
                launch.arguments.len()
            ))
        })?;
        queue.push(Command::Launch(run), machine)
    }

    fn library(&self) -> Library {
        self.library
    }

    fn product(&self, product: &LibraryProduct) -> Result<bool> {
        if self.library == Library::Off {
            return Ok(false);
        }
        let mut work = self.work()?;
        let Work { queue, machine } = &mut *work;
        queue.push(Command::Product(*product), machine)?;
        Ok(true)
    }

    fn synchronize(&self) -> Result<()> {
        let mut work = self.work()?;
        let Work { queue, machine } = &mut *work;
        queue.end_step(machine)?;
        machine.synchronize()
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Driver({})", self.context.name)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Nothing may still run when its memory is given back. An error was or will be someone else's.
        self.synchronize().ok();
    }
}
