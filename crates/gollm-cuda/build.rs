//! Compiles the shim when the feature of that name is on; otherwise there is nothing to build.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
}
