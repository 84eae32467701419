//! cuBLAS, the vendor's library of matrix products: one function of it, for products of many tokens.

use std::ffi::{c_int, c_void};
use std::sync::Arc;

use gollm_tensor::{DType, Result};

use super::context::Context;
use super::cuda::Handle;
use super::library::{SharedLibrary, error, functions};
use super::places::{Kind, Places};
use crate::runtime::{ColumnMajor, LibraryProduct};

type Code = c_int;

functions! {
    /// Functions of cuBLAS, by the names of the vendor's header `cublas_v2.h`.
    struct Functions {
        create = cublasCreate_v2(handle: *mut Handle) -> Code;
        destroy = cublasDestroy_v2(handle: Handle) -> Code;
        version = cublasGetVersion_v2(handle: Handle, version: *mut c_int) -> Code;
        set_stream = cublasSetStream_v2(handle: Handle, stream: Handle) -> Code;
        set_workspace = cublasSetWorkspace_v2(handle: Handle, workspace: Handle, n_bytes: usize) -> Code;
        gemm = cublasGemmEx(
            handle: Handle, op_a: c_int, op_b: c_int, m: c_int, n: c_int, k: c_int,
            alpha: *const c_void,
            a: *const c_void, a_type: c_int, lda: c_int,
            b: *const c_void, b_type: c_int, ldb: c_int,
            beta: *const c_void,
            c: *mut c_void, c_type: c_int, ldc: c_int,
            compute_type: c_int, algorithm: c_int,
        ) -> Code;
    }
}

/// Numbers of the vendor's headers.
const OP_N: c_int = 0;
const OP_T: c_int = 1;
const CUDA_R_32F: c_int = 0;
const CUDA_R_16F: c_int = 2;
/// Products and sums in f32, of f16 or of f32 (then not rounded to TF32).
const COMPUTE_32F: c_int = 68;
const ALGORITHM_DEFAULT: c_int = -1;

/// Memory for partial sums. The size that the vendor recommends for the largest GPUs; given once, so that
/// the library allocates nothing while a graph is recorded.
const WORKSPACE_BYTES: usize = 32 << 20;

/// cuBLAS in use on a GPU.
#[derive(Debug)]
pub(super) struct Cublas {
    functions: Functions,
    context: Arc<Context>,
    handle: Handle,
    workspace: u64,
    /// As the library says it: 120403 for 12.4.3.
    version: c_int,
}

impl Cublas {
    /// Opens the library of one major version of CUDA.
    ///
    /// # Errors
    ///
    /// If it is not there, naming the places that were tried, or does not start.
    pub(super) fn open(context: &Arc<Context>, major: u32, places: &Places) -> Result<Self> {
        let kind = Kind::Cublas(major);
        let library = SharedLibrary::open(kind, places).map_err(|attempts| {
            error(format_args!(
                "found no cuBLAS of CUDA {major}. Looked for {} here:{attempts}\nInstall it (on Python: \
                 nvidia-cublas-cu12, or nvidia-cublas for CUDA 13), name its folder in GOLLM_CUDA_LIB, \
                 or do without: GOLLM_CUBLAS=off",
                kind.file()
            ))
        })?;
        let functions = Functions::load(&library)?;
        context.enter()?;
        let mut handle = Handle::NULL;
        // SAFETY: writes one handle.
        let code = unsafe { (functions.create)(&raw mut handle) };
        check(context, code, "cublasCreate")?;
        let mut cublas = Self {
            functions,
            context: Arc::clone(context),
            handle,
            workspace: 0,
            version: 0,
        };
        cublas.workspace = context.allocate(WORKSPACE_BYTES)?;
        // SAFETY: the handle lives; writes one `int`.
        let code = unsafe { (functions.version)(handle, &raw mut cublas.version) };
        check(context, code, "cublasGetVersion")?;
        Ok(cublas)
    }

    /// The version as people write it: `12.4`.
    pub(super) fn version(&self) -> String {
        format!("{}.{}", self.version / 10_000, self.version / 100 % 100)
    }

    /// Queues a product on `stream`.
    pub(super) fn product(&self, product: &LibraryProduct, stream: Handle) -> Result<()> {
        self.context.enter()?;
        // SAFETY: handle and stream live.
        let code = unsafe { (self.functions.set_stream)(self.handle, stream) };
        check(&self.context, code, "cublasSetStream")?;
        // Choosing a stream forgets the workspace.
        let workspace = device_pointer(self.workspace);
        // SAFETY: the workspace lives as long as `self` and is as large as that.
        let code = unsafe {
            (self.functions.set_workspace)(self.handle, Handle(workspace), WORKSPACE_BYTES)
        };
        check(&self.context, code, "cublasSetWorkspace")?;
        self.gemm(product, product.column_major())
    }

    fn gemm(&self, product: &LibraryProduct, sizes: ColumnMajor) -> Result<()> {
        let what = || format!("cublasGemmEx of {product:?}");
        let int = |n: usize| {
            c_int::try_from(n)
                .map_err(|_| self.context.error(format_args!("{}: too large", what())))
        };
        let (alpha, beta) = (1.0f32, 0.0f32);
        let (weight_type, x_type) = (
            type_number(product.weight_type),
            type_number(product.x_type),
        );
        let (Some(weight_type), Some(x_type)) = (weight_type, x_type) else {
            return Err(self
                .context
                .error(format_args!("{}: not a type of cuBLAS", what())));
        };
        let gemm = self.functions.gemm;
        // SAFETY: the backend says that the three matrices lie at these addresses, with these sizes and
        // types, until the queued work is done. The two factors are read before this returns.
        let code = unsafe {
            gemm(
                self.handle,
                OP_T,
                OP_N,
                int(sizes.m)?,
                int(sizes.n)?,
                int(sizes.k)?,
                (&raw const alpha).cast(),
                device_pointer(product.weight),
                weight_type,
                int(sizes.lda)?,
                device_pointer(product.x),
                x_type,
                int(sizes.ldb)?,
                (&raw const beta).cast(),
                device_pointer(product.out),
                CUDA_R_32F,
                int(sizes.ldc)?,
                COMPUTE_32F,
                ALGORITHM_DEFAULT,
            )
        };
        check(&self.context, code, &what())
    }
}

impl Drop for Cublas {
    fn drop(&mut self) {
        if self.context.enter().is_ok() {
            // SAFETY: was created once and is destroyed once. There is nobody to tell if it fails.
            unsafe { (self.functions.destroy)(self.handle) };
            if self.workspace != 0 {
                self.context.free(self.workspace).ok();
            }
        }
    }
}

fn type_number(dtype: DType) -> Option<c_int> {
    match dtype {
        DType::F32 => Some(CUDA_R_32F),
        DType::F16 => Some(CUDA_R_16F),
        _ => None,
    }
}

/// A device address where C wants a pointer. Nothing on the host ever follows it.
fn device_pointer(address: u64) -> *mut c_void {
    std::ptr::without_provenance_mut(address as usize)
}

/// cuBLAS has codes of its own.
fn check(context: &Context, code: Code, what: &str) -> Result<()> {
    let name = match code {
        0 => return Ok(()),
        1 => "NOT_INITIALIZED",
        3 => "ALLOC_FAILED",
        7 => "INVALID_VALUE",
        8 => "ARCH_MISMATCH",
        11 => "MAPPING_ERROR",
        13 => "EXECUTION_FAILED",
        14 => "INTERNAL_ERROR",
        15 => "NOT_SUPPORTED",
        16 => "LICENSE_ERROR",
        _ => "an unknown status",
    };
    Err(context.error(format_args!(
        "{what} failed with CUBLAS_STATUS_{name} ({code})"
    )))
}
