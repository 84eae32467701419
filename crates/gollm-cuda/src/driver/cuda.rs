//! The functions of libcuda that are used, with results instead of codes.
//!
//! A table of our own: each function is looked up by name when the library is opened, so a driver that
//! is too old is an error that names the function, and nothing here can panic.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::fmt;
use std::ptr;

use gollm_tensor::Result;

use super::library::{SharedLibrary, error, functions};
use super::places::{Kind, Places};

/// What every function returns: 0, or the number of an error.
pub(super) type Code = c_int;

/// A context, module, function, stream, event, graph, or memory of the host: an address that only the
/// driver looks behind.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Handle(pub(super) *mut c_void);

impl Handle {
    /// Nothing.
    pub(super) const NULL: Self = Self(ptr::null_mut());
}

// SAFETY: the driver's objects belong to a context and not to a thread; any thread may use them once it
// has made the context current, which `Context` sees to.
unsafe impl Send for Handle {}
// SAFETY: as above; a handle is a number, and the driver guards what it stands for.
unsafe impl Sync for Handle {}

functions! {
    /// Functions of libcuda, by the names of the vendor's header `cuda.h`.
    struct Functions {
        init = cuInit(flags: c_uint) -> Code;
        driver_version = cuDriverGetVersion(version: *mut c_int) -> Code;
        error_name = cuGetErrorName(code: Code, name: *mut *const c_char) -> Code;
        error_text = cuGetErrorString(code: Code, text: *mut *const c_char) -> Code;
        device_count = cuDeviceGetCount(count: *mut c_int) -> Code;
        device_get = cuDeviceGet(device: *mut c_int, ordinal: c_int) -> Code;
        device_name = cuDeviceGetName(name: *mut c_char, len: c_int, device: c_int) -> Code;
        device_memory = cuDeviceTotalMem_v2(bytes: *mut usize, device: c_int) -> Code;
        device_attribute = cuDeviceGetAttribute(value: *mut c_int, which: c_int, device: c_int) -> Code;
        context_retain = cuDevicePrimaryCtxRetain(context: *mut Handle, device: c_int) -> Code;
        context_release = cuDevicePrimaryCtxRelease_v2(device: c_int) -> Code;
        context_set_current = cuCtxSetCurrent(context: Handle) -> Code;
        memory_info = cuMemGetInfo_v2(free: *mut usize, total: *mut usize) -> Code;
        allocate = cuMemAlloc_v2(address: *mut u64, n_bytes: usize) -> Code;
        free = cuMemFree_v2(address: u64) -> Code;
        host_allocate = cuMemHostAlloc(address: *mut Handle, n_bytes: usize, flags: c_uint) -> Code;
        host_free = cuMemFreeHost(address: Handle) -> Code;
        copy_to_device = cuMemcpyHtoDAsync_v2(to: u64, from: *const c_void, n_bytes: usize, stream: Handle) -> Code;
        copy_to_host = cuMemcpyDtoHAsync_v2(to: *mut c_void, from: u64, n_bytes: usize, stream: Handle) -> Code;
        set_bytes = cuMemsetD8Async(to: u64, value: u8, n_bytes: usize, stream: Handle) -> Code;
        module_load = cuModuleLoadData(module: *mut Handle, image: *const c_void) -> Code;
        module_unload = cuModuleUnload(module: Handle) -> Code;
        module_function = cuModuleGetFunction(function: *mut Handle, module: Handle, name: *const c_char) -> Code;
        function_set = cuFuncSetAttribute(function: Handle, which: c_int, value: c_int) -> Code;
        launch = cuLaunchKernel(
            function: Handle,
            grid_x: c_uint, grid_y: c_uint, grid_z: c_uint,
            block_x: c_uint, block_y: c_uint, block_z: c_uint,
            shared_bytes: c_uint, stream: Handle,
            arguments: *mut *mut c_void, extra: *mut *mut c_void,
        ) -> Code;
        #[cfg(feature = "persistent-decode")]
        launch_cooperative = cuLaunchCooperativeKernel(
            function: Handle,
            grid_x: c_uint, grid_y: c_uint, grid_z: c_uint,
            block_x: c_uint, block_y: c_uint, block_z: c_uint,
            shared_bytes: c_uint, stream: Handle, arguments: *mut *mut c_void,
        ) -> Code;
        #[cfg(feature = "persistent-decode")]
        blocks_at_once = cuOccupancyMaxActiveBlocksPerMultiprocessor(
            n: *mut c_int, function: Handle, block: c_int, shared_bytes: usize,
        ) -> Code;
        stream_create = cuStreamCreate(stream: *mut Handle, flags: c_uint) -> Code;
        stream_destroy = cuStreamDestroy_v2(stream: Handle) -> Code;
        stream_synchronize = cuStreamSynchronize(stream: Handle) -> Code;
        stream_wait = cuStreamWaitEvent(stream: Handle, event: Handle, flags: c_uint) -> Code;
        event_create = cuEventCreate(event: *mut Handle, flags: c_uint) -> Code;
        event_record = cuEventRecord(event: Handle, stream: Handle) -> Code;
        event_destroy = cuEventDestroy_v2(event: Handle) -> Code;
        capture_begin = cuStreamBeginCapture_v2(stream: Handle, mode: c_int) -> Code;
        capture_end = cuStreamEndCapture(stream: Handle, graph: *mut Handle) -> Code;
        graph_instantiate = cuGraphInstantiateWithFlags(executable: *mut Handle, graph: Handle, flags: u64) -> Code;
        graph_destroy = cuGraphDestroy(graph: Handle) -> Code;
        graph_launch = cuGraphLaunch(executable: Handle, stream: Handle) -> Code;
        executable_destroy = cuGraphExecDestroy(executable: Handle) -> Code;
    }
}

/// The driver, opened and initialized.
#[derive(Debug)]
pub(super) struct Libcuda {
    pub(super) functions: Functions,
    /// The newest CUDA that it serves: major and minor.
    pub(super) version: (u32, u32),
}

impl Libcuda {
    /// Opens the driver's library and initializes it.
    ///
    /// # Errors
    ///
    /// If there is no driver, it is too old, or it finds no GPU.
    pub(super) fn open(places: &Places) -> Result<Self> {
        let library = SharedLibrary::open(Kind::Driver, places).map_err(|attempts| {
            error(format_args!(
                "found no NVIDIA driver. Looked for {} here:{attempts}\nInstall the driver, or name \
                 the folder of its library in GOLLM_CUDA_LIB",
                Kind::Driver.file()
            ))
        })?;
        let functions = Functions::load(&library)?;
        let mut cuda = Self {
            functions,
            version: (0, 0),
        };
        // SAFETY: takes no pointers.
        cuda.check(unsafe { (functions.init)(0) }, "cuInit")?;
        let mut version = 0;
        // SAFETY: writes one `int`.
        let code = unsafe { (functions.driver_version)(&raw mut version) };
        cuda.check(code, "cuDriverGetVersion")?;
        cuda.version = version_pair(version);
        Ok(cuda)
    }

    /// An error for a code other than 0. `what` says what was being done.
    pub(super) fn check(&self, code: Code, what: impl fmt::Display) -> Result<()> {
        if code == 0 {
            return Ok(());
        }
        Err(error(self.explain(code, what)))
    }

    /// A code in the driver's own words.
    pub(super) fn explain(&self, code: Code, what: impl fmt::Display) -> String {
        let name = self.words(self.functions.error_name, code);
        let text = self.words(self.functions.error_text, code);
        let name = name.unwrap_or("an unknown error");
        let text = text.map(|text| format!(": {text}")).unwrap_or_default();
        format!("{what} failed with {name} ({code}){text}")
    }

    fn words(
        &self,
        function: unsafe extern "system" fn(Code, *mut *const c_char) -> Code,
        code: Code,
    ) -> Option<&str> {
        let mut words = ptr::null();
        // SAFETY: writes one pointer.
        let found = unsafe { function(code, &raw mut words) } == 0 && !words.is_null();
        // SAFETY: not null, and the driver's words end in a zero and live as long as its library, which
        // is never closed.
        found.then(|| unsafe { CStr::from_ptr(words) }.to_str().ok())?
    }
}

/// CUDA writes 12.4 as 12040.
fn version_pair(version: c_int) -> (u32, u32) {
    let version = u32::try_from(version).unwrap_or(0);
    (version / 1000, version % 1000 / 10)
}
