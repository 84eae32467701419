//! Compiles the shim when the feature of that name is on; otherwise there is nothing to build.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "shim")]
    shim();
    #[cfg(feature = "fake-driver")]
    fake_driver();
}

/// The kernels as C++ for the processor, and the fibers that run them.
#[cfg(feature = "shim")]
fn shim() {
    println!("cargo::rerun-if-changed=shim");
    println!("cargo::rerun-if-changed=kernels");
    let files = ["table.cpp", "fibers.cpp", "grid.cpp", "half.cpp"];
    compiler()
        .files(files.map(|file| format!("shim/{file}")))
        .compile("gollm_shim");
}

/// The C++ compiler, told what the shim needs.
#[cfg(feature = "shim")]
fn compiler() -> cc::Build {
    let mut compiler = cc::Build::new();
    compiler
        .cpp(true)
        .std("c++17")
        // Fibers jump between stacks, which the checked `longjmp` takes for an error.
        .flag("-U_FORTIFY_SOURCE")
        // The compiler under the kernels does not know CUDA's `#pragma unroll`.
        .flag("-Wno-unknown-pragmas")
        // Fast even under `cargo test`: blocks of hundreds of threads take turns on one core.
        .opt_level(2);
    compiler
}

/// CUDA's libraries without a GPU, for tests of the driver: one shared library under the names of three,
/// in a folder that the tests know as `GOLLM_FAKE_CUDA`.
#[cfg(feature = "fake-driver")]
fn fake_driver() {
    println!("cargo::rerun-if-changed=fake");
    let folder = std::env::var_os("OUT_DIR").map(std::path::PathBuf::from);
    let folder = folder.unwrap_or_default().join("fake");
    let library = folder.join("libcuda.so.1");
    let files = [
        "fake/driver.cpp",
        "fake/libraries.cpp",
        "shim/fibers.cpp",
        "shim/grid.cpp",
        "shim/half.cpp",
    ];
    let made = std::fs::create_dir_all(&folder).and_then(|()| {
        let mut command = compiler().get_compiler().to_command();
        command.args(["-shared", "-fPIC", "-fvisibility=hidden", "-o"]);
        command.arg(&library).args(files).status()
    });
    if !made.is_ok_and(|status| status.success()) {
        println!("cargo::error=cannot compile the fake driver in crates/gollm-cuda/fake");
        return;
    }
    for name in ["libnvrtc.so.12", "libcublas.so.12"] {
        let link = folder.join(name);
        // From an earlier build, perhaps. The name of a missing link is an error of the tests.
        std::fs::remove_file(&link).ok();
        #[cfg(unix)]
        std::os::unix::fs::symlink("libcuda.so.1", &link).ok();
    }
    println!("cargo::rustc-env=GOLLM_FAKE_CUDA={}", folder.display());
}
