//! A machine without a GPU: the kernels' sources, compiled as C++, run on the processor.
//!
//! A block's threads are fibers (`shim/fibers.cpp`), so barriers are real. The shim is strict where a GPU
//! is not: arguments are compared with the kernel's parameters, memory begins as NaN, a write behind an
//! allocation or behind shared memory is an error, and so is a barrier that some threads do not reach.

use std::alloc::{Layout, alloc, dealloc};
use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char, c_int, c_uint};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gollm_tensor::{DType, Error, Result};

use crate::cuda::Cuda;
use crate::options::CacheType;
use crate::runtime::{Argument, Launch, Library, LibraryProduct, Runtime};

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
    /// Whether the threads of a block start in reverse. A kernel must give the same in both orders.
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
    /// Bytes of each allocation, by address.
    sizes: Mutex<BTreeMap<u64, usize>>,
}

/// Bytes behind each allocation that nobody may write.
const CANARY: [u8; 64] = [0xA5; 64];

unsafe extern "C" {
    /// `shim/table.cpp`.
    fn gollm_shim_launch(
        name: *const c_char,
        grid: *const c_uint,
        block: c_uint,
        shared_bytes: c_uint,
        arguments: *const u64,
        kinds: *const u8,
        n_arguments: c_uint,
        reversed: c_int,
        message: *mut c_char,
        message_bytes: usize,
    ) -> c_int;
}

impl Shim {
    pub(crate) fn new(options: ShimOptions) -> Self {
        Self {
            options,
            sizes: Mutex::default(),
        }
    }

    /// Runs a kernel by its name: tests have some that the backend does not know.
    pub(crate) fn launch_by_name(
        &self,
        name: &str,
        grid: [u32; 3],
        [block, shared_bytes]: [u32; 2],
        arguments: &[Argument],
    ) -> Result<()> {
        let (bits, kinds): (Vec<u64>, Vec<u8>) = arguments.iter().map(bits_and_kind).unzip();
        let name_c = CString::new(name).map_err(|_| self.error("a name with a zero byte"))?;
        let mut message = [0u8; 512];
        // SAFETY: the pointers are to values that outlive the call, with the lengths that are given with
        // them; the function checks the arguments' kinds. The kernel reads and writes addresses that
        // `allocate` gave, as far as its other arguments say, which is what the tests are about.
        let code = unsafe {
            gollm_shim_launch(
                name_c.as_ptr(),
                grid.as_ptr(),
                block,
                shared_bytes,
                bits.as_ptr(),
                kinds.as_ptr(),
                kinds.len() as c_uint,
                c_int::from(self.options.reversed),
                message.as_mut_ptr().cast(),
                message.len(),
            )
        };
        if code != 0 {
            let text = CStr::from_bytes_until_nul(&message).unwrap_or_default();
            return Err(self.error(&format!("kernel `{name}`: {}", text.to_string_lossy())));
        }
        self.check_canaries(name)
    }

    fn check_canaries(&self, kernel: &str) -> Result<()> {
        for (&address, &n_bytes) in self.sizes().iter() {
            // SAFETY: `allocate` made this allocation with a canary behind its bytes.
            let behind = unsafe {
                std::slice::from_raw_parts((address as *const u8).add(n_bytes), CANARY.len())
            };
            if behind != CANARY {
                return Err(self.error(&format!(
                    "kernel `{kernel}` wrote behind an allocation of {n_bytes} bytes"
                )));
            }
        }
        Ok(())
    }

    /// Checks that `n_bytes` at `address` lie in one allocation.
    fn check_range(&self, address: u64, n_bytes: usize) -> Result<()> {
        let sizes = self.sizes();
        let found = sizes.range(..=address).next_back();
        let inside = found.is_some_and(|(start, size)| {
            let skipped = (address - start) as usize;
            skipped.checked_add(n_bytes).is_some_and(|end| end <= *size)
        });
        if inside || n_bytes == 0 {
            return Ok(());
        }
        Err(self.error(&format!("{n_bytes} bytes at {address:#x} are not allocated")))
    }

    fn sizes(&self) -> MutexGuard<'_, BTreeMap<u64, usize>> {
        self.sizes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn error(&self, message: &str) -> Error {
        Error::Device {
            device: self.name().to_owned(),
            message: message.to_owned(),
        }
    }

    /// Numbers in memory as f32.
    fn numbers(&self, from: u64, dtype: DType, n: usize) -> Result<Vec<f32>> {
        let mut bytes = vec![0; dtype.n_bytes(&[n])?];
        self.read(from, &mut bytes)?;
        let mut values = vec![0.0; n];
        gollm_tensor::dequantize(&bytes, dtype, &mut values)?;
        Ok(values)
    }
}

/// An argument as the C side takes it, and which kind it is (`Kind` in `shim/table.cpp`).
fn bits_and_kind(argument: &Argument) -> (u64, u8) {
    match *argument {
        Argument::Address(address) => (address, 0),
        Argument::U32(value) => (u64::from(value), 1),
        Argument::I32(value) => (u64::from(value.cast_unsigned()), 2),
        Argument::F32(value) => (u64::from(value.to_bits()), 3),
    }
}

/// The memory of `n_bytes` and their canary.
fn layout(n_bytes: usize) -> Option<Layout> {
    Layout::from_size_align(n_bytes.checked_add(CANARY.len())?, 256).ok()
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
        let no_memory = || self.error(&format!("no memory for {n_bytes} bytes"));
        let layout = layout(n_bytes).ok_or_else(no_memory)?;
        // SAFETY: the layout is not empty, since it has room for the canary.
        let start = unsafe { alloc(layout) };
        if start.is_null() {
            return Err(no_memory());
        }
        // SAFETY: the allocation has `n_bytes` and then the canary's bytes.
        unsafe {
            start.write_bytes(0xFF, n_bytes); // NaN, for f32 and f16 alike
            start
                .add(n_bytes)
                .copy_from_nonoverlapping(CANARY.as_ptr(), CANARY.len());
        }
        self.sizes().insert(start as u64, n_bytes);
        Ok(start as u64)
    }

    fn free(&self, address: u64) {
        let size = self.sizes().remove(&address);
        if let Some(layout) = size.and_then(layout) {
            // SAFETY: `allocate` allocated it with this layout, and it has just left the list.
            unsafe { dealloc(address as *mut u8, layout) };
        }
    }

    fn write(&self, to: u64, bytes: &[u8]) -> Result<()> {
        self.check_range(to, bytes.len())?;
        // SAFETY: the range was just checked, and a slice of the caller cannot overlap it.
        unsafe { (to as *mut u8).copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        Ok(())
    }

    fn read(&self, from: u64, bytes: &mut [u8]) -> Result<()> {
        self.check_range(from, bytes.len())?;
        // SAFETY: the range was just checked, and a slice of the caller cannot overlap it.
        unsafe { (from as *const u8).copy_to_nonoverlapping(bytes.as_mut_ptr(), bytes.len()) };
        Ok(())
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

impl Drop for Shim {
    fn drop(&mut self) {
        let left: Vec<u64> = self.sizes().keys().copied().collect();
        left.into_iter().for_each(|address| self.free(address));
    }
}
