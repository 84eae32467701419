//! [`Cuda`]: a runtime, its memory, and the steps that operations are made of.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gollm_tensor::{DType, Error, Result, Tensor};

use crate::driver::Driver;
use crate::kernel::Kernel;
use crate::memory::result;
use crate::options::{CacheType, Options};
use crate::pending::Pending;
use crate::places::Places;
use crate::pool::{Buffer, Pool};
use crate::runtime::{Argument, Launch, Runtime};

/// Threads of a block where an operation does not say otherwise.
pub(crate) const BLOCK: u32 = 256;

/// The CUDA backend: one NVIDIA GPU.
///
/// Weights keep their stored type on the device, and so does the cache; arithmetic is f32. Operations are
/// queued, and only reading waits.
pub struct Cuda {
    /// Behind [`Cuda::queue`], so that nothing passes a pending product.
    runtime: Arc<dyn Runtime>,
    pub(crate) pool: Pool,
    pub(crate) cache: CacheType,
    /// What the last call of attention was told, kept on the device.
    pub(crate) places: Mutex<Places>,
    /// The last product, if it has not been queued yet; see `pending.rs`.
    pub(crate) pending: Mutex<Option<Pending>>,
}

impl Cuda {
    /// Opens a GPU.
    ///
    /// # Errors
    ///
    /// If there is no driver, no GPU of that number, or no compiler for its architecture. The message
    /// says what was looked for, and where.
    pub fn open(options: &Options) -> Result<Self> {
        let driver = Driver::open(&options.driver)?;
        Ok(Self::on(Arc::new(driver), options.cache))
    }

    /// The backend on a runtime.
    pub(crate) fn on(runtime: Arc<dyn Runtime>, cache: CacheType) -> Self {
        Self {
            pool: Pool::new(Arc::clone(&runtime)),
            runtime,
            cache,
            places: Mutex::default(),
            pending: Mutex::default(),
        }
    }

    /// Memory for `n` f32 numbers.
    pub(crate) fn take(&self, n: usize) -> Result<Buffer> {
        self.pool.take(n * size_of::<f32>())
    }

    /// Memory for an f32 result, wrapped.
    pub(crate) fn new_result(&self, like: &Tensor, shape: &[usize]) -> Result<Tensor> {
        DType::F32.n_bytes(shape)?;
        Ok(result(like, shape, self.take(shape.iter().product())?))
    }

    /// Queues a kernel. An empty grid is no work.
    pub(crate) fn launch(
        &self,
        kernel: Kernel,
        grid: [u32; 3],
        block: u32,
        shared_bytes: u32,
        arguments: &[Argument],
    ) -> Result<()> {
        if grid.contains(&0) {
            return Ok(());
        }
        self.check_grid(kernel, grid)?;
        self.queue()?.launch(&Launch {
            kernel,
            grid,
            block,
            shared_bytes,
            arguments,
        })
    }

    /// The runtime, for what must come after all operations so far.
    pub(crate) fn queue(&self) -> Result<&dyn Runtime> {
        self.flush()?;
        Ok(&*self.runtime)
    }

    /// The runtime, for what has no order: its name, its library, and what is pending itself.
    pub(crate) fn runtime(&self) -> &dyn Runtime {
        &*self.runtime
    }

    /// Checks that a grid is one that every GPU takes.
    pub(crate) fn check_grid(&self, kernel: Kernel, grid: [u32; 3]) -> Result<()> {
        if grid[1] > MOST_Y_Z || grid[2] > MOST_Y_Z || grid[0] > MOST_X {
            return Err(self.error(format!(
                "kernel `{}` needs a grid of {grid:?} blocks, and the largest is [{MOST_X}, {MOST_Y_Z}, \
                 {MOST_Y_Z}]; use a smaller batch",
                kernel.name()
            )));
        }
        Ok(())
    }

    /// Queues a kernel with one block for each row.
    pub(crate) fn launch_rows(
        &self,
        kernel: Kernel,
        n_rows: usize,
        arguments: &[Argument],
    ) -> Result<()> {
        let rows = self.count(n_rows)?;
        self.launch(kernel, [rows, 1, 1], BLOCK, 0, arguments)
    }

    /// Queues a kernel with one thread for each number.
    pub(crate) fn launch_each(
        &self,
        kernel: Kernel,
        n: usize,
        addresses: &[Argument],
    ) -> Result<()> {
        let n = self.count(n)?;
        let arguments = [addresses, &[Argument::U32(n)]].concat();
        self.launch(kernel, [n.div_ceil(BLOCK), 1, 1], BLOCK, 0, &arguments)
    }

    /// The places on the device. Whoever launches a kernel that reads them holds on to this until then,
    /// since another thread may write others.
    pub(crate) fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A size as the kernels take it.
    pub(crate) fn count(&self, n: usize) -> Result<u32> {
        u32::try_from(n).map_err(|_| {
            self.error(format!(
                "a size of {n} is more than a kernel counts to ({}); use a smaller batch",
                u32::MAX
            ))
        })
    }

    /// The same, as an argument.
    pub(crate) fn size(&self, n: usize) -> Result<Argument> {
        self.count(n).map(Argument::U32)
    }

    /// An error of this device.
    pub(crate) fn error(&self, message: String) -> Error {
        Error::Device {
            device: self.runtime.name().to_owned(),
            message,
        }
    }
}

/// The most blocks that a grid has in x.
const MOST_X: u32 = i32::MAX as u32;

/// The most blocks that a grid has in y and in z.
const MOST_Y_Z: u32 = 65_535;

impl fmt::Debug for Cuda {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cuda({})", self.runtime.description())
    }
}
