//! A machine without a GPU: the kernels' sources, compiled as C++, run on the processor.
//!
//! A block's threads are fibers (`shim/fibers.cpp`), so barriers are real. Blocks run one after the other, or
//! take turns where they wait for each other (`shim/grid.cpp`). The shim is strict where a GPU
//! is not: arguments are compared with the kernel's parameters, memory begins as NaN, a write behind an
//! allocation or behind shared memory is an error, and so is a barrier that some threads do not reach.

mod launch;
mod memory;
#[cfg(test)]
#[cfg(feature = "persistent-decode")]
mod persistent;
#[cfg(test)]
#[cfg(feature = "persistent-decode")]
mod player;
#[cfg(test)]
mod steps;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use gollm_tensor::{DType, Error, Result, dequantize};

use crate::cuda::Cuda;
use crate::options::CacheType;
use crate::runtime::{Argument, Launch, Library, LibraryProduct, Runtime};
use launch::Order;
use memory::Memory;

/// Which products the shim's stand-in for the vendor's library does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ShimLibrary {
    /// None: kernels do them.
    #[default]
    Off,
    /// All, in f32.
    F32,
    /// Those of f16 and quantized weights in f16.
    F16,
}

/// How the shim runs kernels.
#[derive(Debug, Clone, Copy, Default)]
pub struct ShimOptions {
    /// Whether blocks, and the threads of a block, start in reverse. A kernel must give the same in both orders.
    pub reversed: bool,
    /// What the library does.
    pub library: ShimLibrary,
}

impl Cuda {
    /// The backend with its kernels on the processor: slow, for tests.
    #[must_use]
    pub fn shim(options: ShimOptions, cache: CacheType) -> Self {
        Self::on(Arc::new(Shim::new(options)), cache)
    }
}

/// The processor as a [`Runtime`].
pub(crate) struct Shim {
    options: ShimOptions,
    memory: Memory,
}

impl Shim {
    pub(crate) fn new(options: ShimOptions) -> Self {
        Self {
            options,
            memory: Memory::default(),
        }
    }

    /// Runs a kernel by its name: tests have some that the backend does not know.
    fn launch_by_name(
        &self,
        name: &str,
        grid: [u32; 3],
        sizes: [u32; 2],
        arguments: &[Argument],
    ) -> Result<()> {
        self.launch_resident(name, grid, sizes, arguments, 1)
    }

    /// Runs a kernel of which some blocks are there at once, so that they may wait for each other.
    fn launch_resident(
        &self,
        name: &str,
        grid: [u32; 3],
        sizes: [u32; 2],
        arguments: &[Argument],
        resident: u32,
    ) -> Result<()> {
        let order = Order {
            resident,
            reversed: self.options.reversed,
        };
        let outcome = launch::launch(name, grid, sizes, arguments, order);
        outcome.map_err(|message| self.error(format!("kernel `{name}`: {message}")))?;
        match self.memory.overrun() {
            None => Ok(()),
            Some(n_bytes) => Err(self.error(format!(
                "kernel `{name}`: it wrote behind an allocation of {n_bytes} bytes"
            ))),
        }
    }

    fn error(&self, message: String) -> Error {
        Error::Device {
            device: self.name().to_owned(),
            message,
        }
    }

    fn not_allocated(&self, n_bytes: usize, address: u64) -> Error {
        self.error(format!("{n_bytes} bytes at {address:#x} are not allocated"))
    }

    /// Numbers in memory as f32.
    fn numbers(&self, from: u64, dtype: DType, n: usize) -> Result<Vec<f32>> {
        let mut bytes = vec![0; dtype.n_bytes(&[n])?];
        self.read(from, &mut bytes)?;
        let mut values = vec![0.0; n];
        dequantize(&bytes, dtype, &mut values)?;
        Ok(values)
    }
}

impl Runtime for Shim {
    fn name(&self) -> &str {
        "cuda:shim"
    }

    fn description(&self) -> String {
        let order = if self.options.reversed {
            ", reversed"
        } else {
            ""
        };
        let library = match self.options.library {
            ShimLibrary::Off => "",
            ShimLibrary::F32 => ", library f32",
            ShimLibrary::F16 => ", library f16",
        };
        format!("cuda:shim: CUDA kernels on the processor{order}{library}")
    }

    fn allocate(&self, n_bytes: usize) -> Result<u64> {
        let address = self.memory.allocate(n_bytes);
        address.ok_or_else(|| self.error(format!("no memory for {n_bytes} bytes")))
    }

    fn free(&self, address: u64) {
        self.memory.free(address);
    }

    fn write(&self, to: u64, bytes: &[u8]) -> Result<()> {
        let written = self.memory.write(to, bytes);
        written
            .then_some(())
            .ok_or_else(|| self.not_allocated(bytes.len(), to))
    }

    fn read(&self, from: u64, bytes: &mut [u8]) -> Result<()> {
        let read = self.memory.read(from, bytes);
        read.then_some(())
            .ok_or_else(|| self.not_allocated(bytes.len(), from))
    }

    fn zero(&self, to: u64, n_bytes: usize) -> Result<()> {
        self.write(to, &vec![0; n_bytes])
    }

    fn launch(&self, launch: &Launch<'_>) -> Result<()> {
        let sizes = [launch.block, launch.shared_bytes];
        self.launch_by_name(launch.kernel.name(), launch.grid, sizes, launch.arguments)
    }

    fn library(&self) -> Library {
        match self.options.library {
            ShimLibrary::Off => Library::Off,
            ShimLibrary::F32 => Library::F32,
            ShimLibrary::F16 => Library::F16,
        }
    }

    /// By columns, as the vendor's library counts: `C[i, j] = Σ_l A[l, i] · B[l, j]`, each matrix at
    /// `row + column · distance`.
    fn product(&self, product: &LibraryProduct) -> Result<bool> {
        if self.options.library == ShimLibrary::Off {
            return Ok(false);
        }
        let by_columns = product.column_major();
        let (m, n, k) = (by_columns.m, by_columns.n, by_columns.k);
        let a = self.numbers(product.weight, product.weight_type, by_columns.lda * m)?;
        let b = self.numbers(product.x, product.x_type, by_columns.ldb * n)?;
        let mut c = vec![0.0f32; by_columns.ldc * n];
        for j in 0..n {
            for i in 0..m {
                let terms = (0..k).map(|l| a[l + i * by_columns.lda] * b[l + j * by_columns.ldb]);
                c[i + j * by_columns.ldc] = terms.sum();
            }
        }
        let bytes: Vec<u8> = c.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.write(product.out, &bytes)?;
        Ok(true)
    }

    fn synchronize(&self) -> Result<()> {
        Ok(())
    }
}
