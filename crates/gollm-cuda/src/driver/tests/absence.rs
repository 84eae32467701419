//! Without CUDA, or with something broken in its place, the error says what was looked for and where.

use std::fs;
use std::path::Path;

use super::super::cuda::Libcuda;
use super::super::gpu::devices;
use super::super::library::SharedLibrary;
use super::super::options::DriverOptions;
use super::super::places::{Kind, Places};
use super::super::run::Driver;

fn error_with(places: &Places) -> String {
    let opened = Driver::open_from(&DriverOptions::default(), places);
    opened.unwrap_err().to_string()
}

#[test]
fn no_driver_is_an_error_that_names_each_place() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let message = error_with(&Places::only(&[one.path(), other.path()]));
    let file = Kind::Driver.file();
    let missing = |folder: &Path| format!("{}: no such file", folder.join(&file).display());
    for part in [
        "device `cuda`: found no NVIDIA driver",
        &missing(one.path()),
        &missing(other.path()),
        "Install the driver",
        "GOLLM_CUDA_LIB",
    ] {
        assert!(message.contains(part), "{part:?} in {message}");
    }
}

#[test]
fn a_file_that_is_no_library_is_an_error_with_the_loaders_words() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(Kind::Driver.file()), b"not a library").unwrap();
    let message = error_with(&Places::only(&[folder.path()]));
    // glibc says "file too short" or "invalid ELF header".
    assert!(
        message.contains(folder.path().to_str().unwrap()),
        "{message}"
    );
    assert!(!message.contains("no such file"), "{message}");
}

/// A library that opens, but is another: the C library.
#[cfg(target_os = "linux")]
#[test]
fn a_library_without_cudas_functions_is_an_error_that_names_the_first() {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let libc = maps
        .split_whitespace()
        .find(|word| {
            word.contains("/libc.so") || word.contains("/libc-") || word.contains("/ld-musl")
        })
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(Kind::Driver.file());
    std::os::unix::fs::symlink(libc, &path).unwrap();
    let message = error_with(&Places::only(&[folder.path()]));
    let expected = format!("{} has no function cuInit", path.display());
    assert!(message.contains(&expected), "{message}");
}

#[test]
fn the_usual_places_are_asked_last_and_named_too() {
    // On a machine with a driver, this finds it; then there is nothing to see.
    let Err(attempts) = SharedLibrary::open(Kind::Driver, &Places::new(&[])) else {
        return;
    };
    let text = attempts.to_string();
    assert!(text.contains(&Kind::Driver.file()), "{text}");
    let message = devices(&DriverOptions::default()).unwrap_err().to_string();
    assert!(message.contains("found no NVIDIA driver"), "{message}");
    assert!(Libcuda::open(&Places::new(&[])).is_err());
}
