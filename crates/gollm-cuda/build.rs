//! Compiles the shim when the feature of that name is on; otherwise there is nothing to build.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "shim")]
    shim();
}

/// The kernels as C++ for the processor, and the fibers that run them.
#[cfg(feature = "shim")]
fn shim() {
    println!("cargo::rerun-if-changed=shim");
    println!("cargo::rerun-if-changed=kernels");
    let files = ["table.cpp", "fibers.cpp", "half.cpp"];
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        .files(files.map(|file| format!("shim/{file}")))
        // Fibers jump between stacks, which the checked `longjmp` takes for an error.
        .flag("-U_FORTIFY_SOURCE")
        // The compiler under the kernels does not know CUDA's `#pragma unroll`.
        .flag("-Wno-unknown-pragmas")
        // Fast even under `cargo test`: blocks of hundreds of threads take turns on one core.
        .opt_level(2)
        .compile("gollm_shim");
}
