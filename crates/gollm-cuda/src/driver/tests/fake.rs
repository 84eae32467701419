//! The whole driver on libraries without a GPU (`fake/`): kernels run in the shim, streams are as late as
//! CUDA allows, and graphs replay what was recorded.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;

use gollm_model::{Append, Decoder};
use gollm_tensor::conformance::{Bounds, assert_conforms};
use gollm_tensor::{DType, Device};
use gollm_weights::{ModelFile, OpenOptions};
use libloading::Library as SharedObject;
use tempfile::TempDir;

use super::super::options::{CublasUse, DriverOptions, Preference};
use super::super::places::Places;
use super::super::run::Driver;
use crate::Cuda;
use crate::kernel::Kernel;
use crate::options::CacheType;
use crate::runtime::{Argument, Launch, LibraryProduct, Runtime};

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

#[test]
fn the_whole_backend_conforms_through_the_driver() {
    // A cache of half precision: each number moves by at most 2⁻¹¹ of itself.
    let bounds = Bounds {
        cache: 1e-3,
        ..Bounds::default()
    };
    let cache = tempfile::tempdir().unwrap();
    for cublas in [CublasUse::F16, CublasUse::F32, CublasUse::Off] {
        let options = DriverOptions {
            cublas: Some(cublas),
            ..options(&cache)
        };
        let driver = Arc::new(open(&options).unwrap());
        assert_conforms(&Device::new(Cuda::on(driver, CacheType::F16)), &bounds);
    }
}

/// The ids that the embedded model goes on with, each the likeliest.
fn greedy(driver: Driver, n_tokens: usize) -> Vec<u32> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../test_data/gollm-stories.gollm"
    );
    let file = ModelFile::open(path, &OpenOptions::default()).unwrap();
    let device = Device::new(Cuda::on(Arc::new(driver), CacheType::F16));
    let decoder = Decoder::load(file.config(), &file, &device).unwrap();
    let mut cache = decoder.new_cache(1).unwrap();
    let mut next = vec![7, 300, 41];
    let mut ids = Vec::new();
    while ids.len() < n_tokens {
        let append = Append {
            sequence: 0,
            tokens: &next,
        };
        let logits = decoder.forward(&[append], &mut cache).unwrap();
        next = logits.argmax().unwrap();
        ids.extend(&next);
    }
    ids
}

#[test]
fn decoding_a_model_is_one_graph_a_token() {
    let cache = tempfile::tempdir().unwrap();
    let without = DriverOptions {
        graphs: false,
        ..options(&cache)
    };
    let plain = greedy(open(&without).unwrap(), 8);
    let before = graph_launches();
    assert_eq!(greedy(open(&options(&cache)).unwrap(), 8), plain);
    // Queued one by one are the prompt, the first token, which finds the prompt's buffers, and two more.
    assert_eq!(graph_launches() - before, 4);
}

/// Adds numbers on the device over and over, as decoding does: writes, launches, and one read a step.
struct Adding {
    driver: Driver,
    a: u64,
    b: u64,
    out: u64,
}

const N: u32 = 100;

impl Adding {
    fn new(options: &DriverOptions) -> Self {
        let driver = open(options).unwrap();
        let take = || driver.allocate(N as usize * 4).unwrap();
        let (a, b, out) = (take(), take(), take());
        Self { driver, a, b, out }
    }

    fn add(&self, a: u64, b: u64, out: u64) {
        let addresses = [a, b, out].map(Argument::Address);
        let arguments = [&addresses[..], &[Argument::U32(N)]].concat();
        let launch = Launch {
            kernel: Kernel::Add,
            grid: [1, 1, 1],
            block: 128,
            shared_bytes: 0,
            arguments: &arguments,
        };
        self.driver.launch(&launch).unwrap();
    }

    fn write(&self, to: u64, value: f32) {
        let bytes = vec![value; N as usize];
        self.driver.write(to, bytemuck::cast_slice(&bytes)).unwrap();
    }

    /// `x + 9 y` in nine launches, or as many as are asked for.
    fn step(&self, x: f32, y: f32, n_launches: usize) -> f32 {
        self.write(self.a, x);
        self.write(self.b, y);
        let (mut from, mut to) = (self.a, self.out);
        for _ in 0..n_launches {
            self.add(from, self.b, to);
            (from, to) = (to, from);
        }
        let mut sum = vec![0.0f32; N as usize];
        let bytes = bytemuck::cast_slice_mut(&mut sum);
        self.driver.read(from, bytes).unwrap();
        assert!(sum.iter().all(|number| *number == sum[0]));
        sum[0]
    }
}

#[test]
fn a_step_that_repeats_is_replayed_with_the_bytes_of_each_time() {
    let cache = tempfile::tempdir().unwrap();
    for graphs in [true, false] {
        let options = DriverOptions {
            graphs,
            ..options(&cache)
        };
        let adding = Adding::new(&options);
        let before = graph_launches();
        for i in 0..20u8 {
            let (x, y) = (f32::from(i), f32::from(i % 7));
            assert_eq!(adding.step(x, y, 9), x + 9.0 * y, "step {i}");
            // A step of another kind now and then: longer, shorter, or the beginning of the same.
            if i % 5 == 4 {
                assert_eq!(adding.step(x, y, 11), x + 11.0 * y);
                assert_eq!(adding.step(x, y, 3), x + 3.0 * y);
            }
        }
        if graphs {
            // All but the first two, and those whose step of another kind was new or too short.
            let replayed = graph_launches() - before;
            assert!(replayed >= 18, "{replayed} graphs");
        }
    }
}

#[test]
fn writes_of_any_size_arrive_in_order() {
    let cache = tempfile::tempdir().unwrap();
    let adding = Adding::new(&options(&cache));
    let driver = &adding.driver;
    // More than staging holds, in small pieces; then larger than one of its pieces; then nothing.
    let n_bytes = 6 << 20;
    let buffer = driver.allocate(n_bytes).unwrap();
    let bytes: Vec<u8> = (0..n_bytes).map(|i| (i % 251) as u8).collect();
    for (i, piece) in bytes.chunks(100_000).enumerate() {
        driver.write(buffer + i as u64 * 100_000, piece).unwrap();
    }
    let mut back = vec![0; n_bytes];
    driver.read(buffer, &mut back).unwrap();
    assert!(back == bytes);
    driver.zero(buffer, n_bytes).unwrap();
    driver.write(buffer, &bytes[..2 << 20]).unwrap();
    driver.write(buffer, &[]).unwrap();
    driver.read(buffer, &mut back).unwrap();
    assert!(back[..2 << 20] == bytes[..2 << 20]);
    assert!(back[2 << 20..].iter().all(|&byte| byte == 0));
    driver.free(buffer);
    assert_eq!(adding.step(1.0, 2.0, 9), 19.0);
}

#[test]
fn memory_is_freed_after_the_work_that_uses_it() {
    let cache = tempfile::tempdir().unwrap();
    let adding = Adding::new(&options(&cache));
    for _ in 0..4 {
        let last = adding.driver.allocate(N as usize * 4).unwrap();
        adding.write(adding.a, 1.0);
        adding.add(adding.a, adding.a, last);
        adding.add(last, last, adding.out);
        adding.driver.free(last);
        let mut sum = [0.0f32; N as usize];
        let bytes = bytemuck::cast_slice_mut(&mut sum);
        adding.driver.read(adding.out, bytes).unwrap();
        assert_eq!(sum, [4.0; N as usize]);
    }
}

#[test]
fn products_on_cublas_are_in_order_with_kernels_and_can_be_replayed() {
    let cache = tempfile::tempdir().unwrap();
    let adding = Adding::new(&options(&cache));
    let driver = &adding.driver;
    assert_eq!(driver.library(), crate::runtime::Library::F16);
    let before = graph_launches();
    for i in 1..6u8 {
        adding.write(adding.b, 2.0);
        adding.write(adding.a, f32::from(i));
        // As matrices of 10 by 10: each number is 10 · i · 2; then as much again, and again.
        let product = LibraryProduct {
            x: adding.a,
            x_type: DType::F32,
            weight: adding.b,
            weight_type: DType::F32,
            out: adding.out,
            n_tokens: 10,
            n_in: 10,
            n_out: 10,
        };
        assert!(driver.product(&product).unwrap());
        for _ in 0..8 {
            adding.add(adding.out, adding.b, adding.out);
        }
        let mut out = [0.0f32; N as usize];
        driver
            .read(adding.out, bytemuck::cast_slice_mut(&mut out))
            .unwrap();
        assert_eq!(out, [f32::from(i) * 20.0 + 16.0; N as usize]);
    }
    assert_eq!(graph_launches() - before, 3);
}

#[test]
fn an_error_says_what_was_asked_for() {
    let cache = tempfile::tempdir().unwrap();
    let adding = Adding::new(&options(&cache));
    let message = adding.driver.allocate(1 << 40).unwrap_err().to_string();
    assert!(message.contains("CUDA_ERROR_OUT_OF_MEMORY (2)") && message.contains("cuda:0"));
    let launch = Launch {
        kernel: Kernel::Add,
        grid: [1, 70_000, 1],
        block: 32,
        shared_bytes: 0,
        arguments: &[],
    };
    let message = adding.driver.launch(&launch).unwrap_err().to_string();
    assert!(message.contains("launching add (elementwise.cu) with grid [1, 70000, 1]"));
    let arguments = [Argument::U32(0); 25];
    let many = Launch {
        arguments: &arguments,
        ..launch
    };
    let message = adding.driver.launch(&many).unwrap_err().to_string();
    assert!(message.contains("25 arguments"), "{message}");
}

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
    let Some(real) = super::compile::folder(12) else {
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
    let Some(real) = super::compile::folder(13) else {
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
