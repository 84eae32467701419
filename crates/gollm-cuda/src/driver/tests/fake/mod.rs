//! The whole driver on libraries without a GPU (`fake/`): kernels run in the shim, streams are as late as
//! CUDA allows, and graphs replay what was recorded.

mod model;
mod opening;
mod other_models;
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
    // SAFETY: the library is open already, and its function takes nothing and gives a number.
    unsafe {
        let library = SharedObject::new(Path::new(FAKE).join("libcuda.so.1")).unwrap();
        let count = library
            .get::<unsafe extern "C" fn() -> std::ffi::c_ulong>(b"gollm_fake_graph_launches")
            .unwrap();
        count()
    }
}
