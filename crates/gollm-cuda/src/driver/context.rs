//! One GPU in use: its context, its memory, and what is done in order on a stream.

use std::ffi::{c_int, c_uint, c_void};
use std::fmt;

use gollm_tensor::{Error, Result};

use super::cuda::{Code, Handle, Libcuda};
use super::gpu::{Gpu, driver_number};
use super::library::device_error;

/// A GPU that is in use, through the context that all programs of this process share on it.
///
/// Every method makes the context current for the calling thread first, so any thread may call.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) cuda: Libcuda,
    pub(super) gpu: Gpu,
    /// `cuda:0`.
    pub(super) name: String,
    device: c_int,
    handle: Handle,
}

impl Context {
    pub(super) fn new(cuda: Libcuda, gpu: Gpu) -> Result<Self> {
        let device = driver_number(&cuda, c_int::try_from(gpu.number).unwrap_or(c_int::MAX))?;
        let mut handle = Handle::NULL;
        // SAFETY: writes one handle.
        let code = unsafe { (cuda.functions.context_retain)(&raw mut handle, device) };
        cuda.check(code, format_args!("opening {gpu}"))?;
        let name = format!("cuda:{}", gpu.number);
        Ok(Self {
            cuda,
            gpu,
            name,
            device,
            handle,
        })
    }

    /// An error of this GPU.
    pub(super) fn error(&self, message: impl fmt::Display) -> Error {
        device_error(&self.name, message)
    }

    /// An error for a code other than 0. `what` says what was being done.
    pub(super) fn check(&self, code: Code, what: impl fmt::Display) -> Result<()> {
        if code == 0 {
            return Ok(());
        }
        Err(self.error(self.cuda.explain(code, what)))
    }

    /// Makes this thread's calls go to this GPU.
    pub(super) fn enter(&self) -> Result<()> {
        // SAFETY: the context is retained until `self` is dropped.
        let code = unsafe { (self.cuda.functions.context_set_current)(self.handle) };
        self.check(code, "cuCtxSetCurrent")
    }

    /// Allocates device memory.
    pub(super) fn allocate(&self, n_bytes: usize) -> Result<u64> {
        self.enter()?;
        let mut address = 0;
        // The driver refuses to allocate nothing.
        // SAFETY: writes one address.
        let code = unsafe { (self.cuda.functions.allocate)(&raw mut address, n_bytes.max(1)) };
        if code == 0 {
            return Ok(address);
        }
        let (mut free, mut total) = (0, 0);
        // SAFETY: writes two sizes.
        unsafe { (self.cuda.functions.memory_info)(&raw mut free, &raw mut total) };
        let said = self.cuda.explain(code, "cuMemAlloc");
        Err(self.error(format_args!(
            "cannot allocate {n_bytes} bytes of device memory, {free} of {total} are free ({said}); a \
             smaller model, a shorter context or a smaller storage type needs less"
        )))
    }

    /// Gives memory back. The caller has waited for all work that uses it.
    pub(super) fn free(&self, address: u64) -> Result<()> {
        self.enter()?;
        // SAFETY: takes no pointers of the host; the driver refuses an address that it did not give.
        let code = unsafe { (self.cuda.functions.free)(address) };
        self.check(code, "cuMemFree")
    }

    /// Queues a copy from the host. `from` must hold its bytes until the copy is done.
    ///
    /// # Safety
    ///
    /// `n_bytes` bytes can be read at `from` until the stream has done the copy.
    pub(super) unsafe fn copy_to_device(
        &self,
        to: u64,
        from: *const u8,
        n_bytes: usize,
        stream: Handle,
    ) -> Result<()> {
        // SAFETY: the caller vouches for the bytes.
        let code = unsafe {
            (self.cuda.functions.copy_to_device)(to, from.cast::<c_void>(), n_bytes, stream)
        };
        self.check(
            code,
            format_args!("copying {n_bytes} bytes to {to:#x} on the device"),
        )
    }

    /// Queues a copy to the host.
    ///
    /// # Safety
    ///
    /// `n_bytes` bytes can be written at `to`, and nobody else touches them, until the stream has done
    /// the copy.
    pub(super) unsafe fn copy_to_host(
        &self,
        to: *mut u8,
        from: u64,
        n_bytes: usize,
        stream: Handle,
    ) -> Result<()> {
        // SAFETY: the caller vouches for the bytes.
        let code = unsafe {
            (self.cuda.functions.copy_to_host)(to.cast::<c_void>(), from, n_bytes, stream)
        };
        self.check(
            code,
            format_args!("copying {n_bytes} bytes from {from:#x} on the device"),
        )
    }

    /// Queues zeros.
    pub(super) fn zero(&self, to: u64, n_bytes: usize, stream: Handle) -> Result<()> {
        if n_bytes == 0 {
            return Ok(());
        }
        // SAFETY: takes no pointers of the host.
        let code = unsafe { (self.cuda.functions.set_bytes)(to, 0, n_bytes, stream) };
        self.check(
            code,
            format_args!("writing {n_bytes} zeros at {to:#x} on the device"),
        )
    }

    /// Lets a kernel use more dynamic shared memory than the 48 KiB that all GPUs have.
    pub(super) fn allow_shared_memory(&self, function: Handle, n_bytes: u32) -> Result<()> {
        const MAX_DYNAMIC_SHARED_SIZE_BYTES: c_int = 8;
        let n = c_int::try_from(n_bytes).unwrap_or(c_int::MAX);
        let set = self.cuda.functions.function_set;
        // SAFETY: the function belongs to a module that is loaded for as long as this context is used.
        let code = unsafe { set(function, MAX_DYNAMIC_SHARED_SIZE_BYTES, n) };
        self.check(
            code,
            format_args!("asking for {n_bytes} bytes of shared memory"),
        )
    }

    /// What the driver says of this GPU: `which` is a number of `cuDeviceGetAttribute`.
    #[cfg(feature = "persistent-decode")]
    pub(super) fn attribute(&self, which: c_int) -> Result<c_int> {
        let mut value = 0;
        let ask = self.cuda.functions.device_attribute;
        // SAFETY: writes one `int`.
        let code = unsafe { ask(&raw mut value, which, self.device) };
        self.check(code, format_args!("cuDeviceGetAttribute({which})"))?;
        Ok(value)
    }

    /// Queues a kernel whose blocks wait for each other. The driver refuses more than fit at once.
    ///
    /// # Safety
    ///
    /// As [`launch`](Self::launch).
    #[cfg(feature = "persistent-decode")]
    pub(super) unsafe fn launch_cooperative(
        &self,
        function: Handle,
        [x, y, z]: [c_uint; 3],
        block: c_uint,
        shared_bytes: c_uint,
        arguments: *mut *mut c_void,
        stream: Handle,
    ) -> Code {
        let launch = self.cuda.functions.launch_cooperative;
        // SAFETY: the caller vouches for the arguments, which the driver copies before it returns.
        unsafe {
            launch(
                function,
                x,
                y,
                z,
                block,
                1,
                1,
                shared_bytes,
                stream,
                arguments,
            )
        }
    }

    /// Queues a kernel.
    ///
    /// # Safety
    ///
    /// `arguments` points to one pointer for each parameter of the kernel, each to a value of that
    /// parameter's type; the addresses among them are of device memory as large as the kernel touches.
    pub(super) unsafe fn launch(
        &self,
        function: Handle,
        grid: [c_uint; 3],
        block: c_uint,
        shared_bytes: c_uint,
        arguments: *mut *mut c_void,
        stream: Handle,
    ) -> Code {
        let [x, y, z] = grid;
        let none = std::ptr::null_mut();
        let launch = self.cuda.functions.launch;
        // SAFETY: the caller vouches for the arguments, which the driver copies before it returns.
        unsafe {
            launch(
                function,
                x,
                y,
                z,
                block,
                1,
                1,
                shared_bytes,
                stream,
                arguments,
                none,
            )
        }
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: was retained once, in `new`. There is nobody to tell if it fails.
        unsafe { (self.cuda.functions.context_release)(self.device) };
    }
}
