//! The whole driver on libraries without a GPU (`fake/`): kernels run in the shim, streams are as late as
//! CUDA allows, and graphs replay what was recorded.

mod model;
mod opening;
mod other_models;
#[cfg(feature = "persistent-decode")]
mod persistent;
mod work;

use std::path::Path;

use libloading::Library as SharedObject;
use tempfile::TempDir;

use super::super::options::DriverOptions;
use super::super::places::Places;
use super::super::run::Driver;

/// The folder with libcuda, NVRTC and cuBLAS.
const FAKE: &str = env!("GOLLM_FAKE_CUDA");

/// Options that find nothing but the fake, and keep compiled kernels in `cache`.
fn options(cache: &TempDir) -> DriverOptions {
    DriverOptions {
        cache_folder: Some(cache.path().to_path_buf()),
        ..DriverOptions::default()
    }
}

fn open(options: &DriverOptions) -> gollm_tensor::Result<Driver> {
    Driver::open_from(options, &Places::only(&[Path::new(FAKE)]))
}

/// How many graphs this thread has launched.
fn graph_launches() -> u64 {
    count(b"gollm_fake_graph_launches")
}

/// How many kernels this thread has launched one by one, or recorded in a graph.
#[cfg(feature = "persistent-decode")]
fn kernel_launches() -> u64 {
    count(b"gollm_fake_kernel_launches")
}

fn count(function: &[u8]) -> u64 {
    // SAFETY: the library is open already, and its function takes nothing and gives a number.
    unsafe {
        let library = SharedObject::new(Path::new(FAKE).join("libcuda.so.1")).unwrap();
        let count = library
            .get::<unsafe extern "C" fn() -> std::ffi::c_ulong>(function)
            .unwrap();
        count()
    }
}
