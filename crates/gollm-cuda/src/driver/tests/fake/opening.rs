//! Finding the libraries and the GPU, and what is said when one is missing.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use tempfile::TempDir;

use super::super::super::options::{CublasUse, DriverOptions, Preference};
use super::super::super::places::Places;
use super::super::super::run::Driver;
use super::super::compile;
use super::{FAKE, open, options};
use crate::runtime::Runtime;

#[test]
fn the_device_is_chosen_and_described() {
    let cache = tempfile::tempdir().unwrap();
    let first = open(&options(&cache)).unwrap();
    let of = |text: &str, part: &str| assert!(text.contains(part), "{part:?} in {text}");
    let text = first.description();
    of(
        &text,
        "cuda:0: Shim of an H100, sm_90, 1.0 GiB, driver for CUDA 12.4",
    );
    of(&text, "sources compiled in");
    of(&text, "cuBLAS 12.4 in f16, graphs");
    let m40 = DriverOptions {
        prefer: Preference::TeslaM40,
        cublas: Some(CublasUse::Off),
        check: true,
        ..options(&cache)
    };
    let text = open(&m40).unwrap().description();
    of(&text, "cuda:1: Shim of a Tesla M40, sm_52");
    of(&text, "no cuBLAS, no graphs");
    let again = open(&m40).unwrap().description();
    of(&again, "compiled before");
}

#[test]
fn a_damaged_cache_is_compiled_again() {
    let cache = tempfile::tempdir().unwrap();
    open(&options(&cache)).unwrap();
    for entry in cache.path().read_dir().unwrap() {
        fs::write(entry.unwrap().path(), b"not a kernel").unwrap();
    }
    let text = open(&options(&cache)).unwrap().description();
    assert!(text.contains("sources compiled in"), "{text}");
    let text = open(&options(&cache)).unwrap().description();
    assert!(text.contains("compiled before"), "{text}");
}

/// A folder with some of the fake's libraries.
fn folder_with(names: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in names {
        symlink(
            Path::new(FAKE).join("libcuda.so.1"),
            folder.path().join(name),
        )
        .unwrap();
    }
    folder
}

fn error_of(folder: &TempDir, options: &DriverOptions) -> String {
    let opened = Driver::open_from(options, &Places::only(&[folder.path()]));
    opened.unwrap_err().to_string()
}

#[test]
fn without_a_compiler_the_error_says_where_one_was_looked_for() {
    let cache = tempfile::tempdir().unwrap();
    let folder = folder_with(&["libcuda.so.1"]);
    fs::write(folder.path().join("libnvrtc.so.12"), b"broken").unwrap();
    let message = error_of(&folder, &options(&cache));
    for part in [
        "found no NVRTC",
        "cuda:0: Shim of an H100, sm_90",
        "libnvrtc.so.13: no such file",
        "libnvrtc.so.12: ",
        "Install CUDA 12.x",
        "GOLLM_CUDA_LIB",
    ] {
        assert!(message.contains(part), "{part:?} in {message}");
    }
}

#[test]
fn without_cublas_only_a_wish_for_it_is_an_error() {
    let cache = tempfile::tempdir().unwrap();
    let folder = folder_with(&["libcuda.so.1", "libnvrtc.so.12"]);
    let places = Places::only(&[folder.path()]);
    let without = Driver::open_from(&options(&cache), &places).unwrap();
    assert!(without.description().contains("no cuBLAS"));
    let wished = DriverOptions {
        cublas: Some(CublasUse::F16),
        ..options(&cache)
    };
    let message = error_of(&folder, &wished);
    assert!(
        message.contains("libcublas.so.12: no such file"),
        "{message}"
    );
    assert!(message.contains("GOLLM_CUBLAS=off"), "{message}");
}

#[test]
fn a_gpu_that_is_not_there_is_an_error_that_lists_those_that_are() {
    let cache = tempfile::tempdir().unwrap();
    let third = DriverOptions {
        device: Some(2),
        ..options(&cache)
    };
    let message = open(&third).unwrap_err().to_string();
    assert!(message.contains("no GPU number 2"), "{message}");
    assert!(message.contains("cuda:1: Shim of a Tesla M40"), "{message}");
}

/// What the real compilers make is loaded and run: the fake looks each kernel's name up in the cubin.
#[test]
fn cubins_of_a_real_compiler_go_all_the_way() {
    let cache = tempfile::tempdir().unwrap();
    let Some(real) = compile::folder(12) else {
        return;
    };
    let driver_only = folder_with(&["libcuda.so.1", "libcublas.so.12"]);
    let places = Places::only(&[driver_only.path(), &real]);
    let driver = Driver::open_from(&options(&cache), &places).unwrap();
    assert!(driver.description().contains("kernels by NVRTC 12."));
}

#[test]
fn an_m40_with_cuda_13_alone_is_told_to_install_12() {
    let cache = tempfile::tempdir().unwrap();
    let Some(real) = compile::folder(13) else {
        return;
    };
    let driver_only = folder_with(&["libcuda.so.1"]);
    let m40 = DriverOptions {
        prefer: Preference::TeslaM40,
        ..options(&cache)
    };
    let places = Places::only(&[driver_only.path(), &real]);
    let message = Driver::open_from(&m40, &places).unwrap_err().to_string();
    assert!(message.contains("not for sm_52"), "{message}");
    assert!(message.contains("Install CUDA 12.x"), "{message}");
}
