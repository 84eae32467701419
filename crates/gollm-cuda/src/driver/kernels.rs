//! From sources to functions on the GPU: looked up in the cache, compiled where they are not there,
//! loaded.

use std::collections::HashMap;
use std::ffi::CString;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use gollm_tensor::Result;

use super::context::Context;
use super::cubin_cache::{CubinCache, Key};
use super::cuda::Handle;
use super::nvrtc::Nvrtc;
use super::owned::Module;
use crate::kernel::{Kernel, SOURCES, Source};

/// What the compiler is told besides the architecture.
pub(super) const OPTIONS: [&str; 1] = ["--std=c++17"];

/// The kernels, on the GPU.
#[derive(Debug)]
pub(super) struct Kernels {
    functions: HashMap<Kernel, Handle>,
    /// Where the functions are; unloaded when this is dropped.
    _modules: Vec<Module>,
}

/// Compiled sources, in the order in which they were given, and how they were come by.
#[derive(Debug)]
pub(super) struct Compilation {
    pub(super) cubins: Vec<Vec<u8>>,
    n_compiled: usize,
    took: Duration,
    /// Why compiled code could not be kept.
    not_kept: Option<String>,
}

impl Kernels {
    /// Loads compiled sources.
    pub(super) fn load(context: &Arc<Context>, compilation: &Compilation) -> Result<Self> {
        let mut functions = HashMap::new();
        let mut modules = Vec::new();
        for (source, cubin) in SOURCES.iter().zip(&compilation.cubins) {
            let module = Module::load(context, source.file, cubin)?;
            for &kernel in Kernel::ALL.iter() {
                if kernel.source() != source {
                    continue;
                }
                let name = CString::new(kernel.name())
                    .map_err(|_| context.error("a kernel's name has a zero byte"))?;
                functions.insert(kernel, module.function(&name)?);
            }
            modules.push(module);
        }
        Ok(Self {
            functions,
            _modules: modules,
        })
    }

    pub(super) fn function(&self, kernel: Kernel) -> Option<Handle> {
        self.functions.get(&kernel).copied()
    }
}

impl Compilation {
    /// Gets all sources for one architecture, each from the cache or from the compiler.
    ///
    /// # Errors
    ///
    /// The compiler's messages, if a source has errors.
    pub(super) fn of_all(nvrtc: &Nvrtc, sm: &str, cache: &CubinCache) -> Result<Self> {
        Self::of(SOURCES, nvrtc, sm, cache)
    }

    /// As [`of_all`](Self::of_all), of some sources.
    pub(super) fn of(
        sources: &[Source],
        nvrtc: &Nvrtc,
        sm: &str,
        cache: &CubinCache,
    ) -> Result<Self> {
        let start = Instant::now();
        let one = |source: &Source| one(source, nvrtc, sm, cache);
        let mut compilation = Self {
            cubins: Vec::new(),
            n_compiled: 0,
            took: Duration::ZERO,
            not_kept: None,
        };
        for one in on_all_cores(sources, one) {
            let one = one?;
            compilation.n_compiled += usize::from(one.compiled);
            compilation.not_kept = compilation.not_kept.or(one.not_kept);
            compilation.cubins.push(one.cubin);
        }
        compilation.took = start.elapsed();
        Ok(compilation)
    }
}

impl fmt::Display for Compilation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.n_compiled == 0 {
            return f.write_str("compiled before");
        }
        let (n, of) = (self.n_compiled, self.cubins.len());
        write!(
            f,
            "{n} of {of} sources compiled in {:.1} s",
            self.took.as_secs_f64()
        )?;
        match &self.not_kept {
            Some(reason) => write!(f, " and not kept: {reason}"),
            None => Ok(()),
        }
    }
}

/// One source, compiled.
struct One {
    cubin: Vec<u8>,
    compiled: bool,
    not_kept: Option<String>,
}

fn one(source: &Source, nvrtc: &Nvrtc, sm: &str, cache: &CubinCache) -> Result<One> {
    let text = source.unit();
    let key = Key {
        file: source.file,
        source: &text,
        sm,
        nvrtc: nvrtc.version,
        options: &OPTIONS,
    };
    if let Some(cubin) = cache.get(&key) {
        return Ok(One {
            cubin,
            compiled: false,
            not_kept: None,
        });
    }
    let cubin = nvrtc.compile(source.file, &text, sm, &OPTIONS)?.cubin;
    let kept = cache.put(&key, &cubin);
    Ok(One {
        cubin,
        compiled: true,
        not_kept: kept.err().map(|error| error.to_string()),
    })
}

/// Does `work` for each item, several at a time, and gives the results in the items' order.
pub(super) fn on_all_cores<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let n_threads = thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(i) else {
                return done;
            };
            done.push((i, work(item)));
        }
    };
    let mut done: Vec<(usize, R)> = thread::scope(|scope| {
        let threads: Vec<_> = (1..n_threads.min(items.len()))
            .map(|_| scope.spawn(worker))
            .collect();
        let own = worker();
        let others = threads.into_iter().flat_map(|thread| {
            thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        own.into_iter().chain(others).collect()
    });
    done.sort_by_key(|(i, _)| *i);
    done.into_iter().map(|(_, result)| result).collect()
}
