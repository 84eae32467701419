//! Every kernel compiles for every architecture with the compilers of both CUDA versions.
//!
//! `GOLLM_NVRTC_12` and `GOLLM_NVRTC_13` name the folders of two versions of NVRTC, which needs no GPU;
//! `make cuda-compilers` installs them from PyPI and `make test` sets both.

use std::env;
use std::path::PathBuf;

use super::super::kernels::{OPTIONS, on_all_cores};
use super::super::library::SharedLibrary;
use super::super::nvrtc::Nvrtc;
use super::super::places::{Kind, Places};
use crate::kernel::{Kernel, SOURCES, Source};

/// The folder of a compiler, if there is one to test with.
pub(super) fn folder(major: u32) -> Option<PathBuf> {
    let variable = format!("GOLLM_NVRTC_{major}");
    if let Some(folder) = env::var_os(&variable).filter(|folder| !folder.is_empty()) {
        return Some(folder.into());
    }
    assert!(
        env::var_os("GOLLM_REQUIRE_NVRTC").is_none_or(|value| value != "1"),
        "GOLLM_REQUIRE_NVRTC=1, but {variable} does not name the folder of libnvrtc.so.{major}; \
         `make cuda-compilers` installs it"
    );
    eprintln!("skipped: no NVRTC {major}; {variable} may name the folder of libnvrtc.so.{major}");
    None
}

fn nvrtc(major: u32) -> Option<Nvrtc> {
    let folder = folder(major)?;
    let library = SharedLibrary::open(Kind::Nvrtc(major), &Places::only(&[&folder]));
    let library = library.unwrap_or_else(|attempts| panic!("{attempts}"));
    let nvrtc = Nvrtc::new(library).unwrap();
    assert_eq!(nvrtc.version.0, major);
    Some(nvrtc)
}

/// A kernel's use of registers and memory, as the assembler reports it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Use {
    kernel: String,
    stack_bytes: u32,
    spilled_bytes: u32,
    registers: u32,
}

/// Reads the lines `Compiling entry function 'k' for 'sm_52'`, `0 bytes stack frame, 0 bytes spill
/// stores, 0 bytes spill loads` and `Used 10 registers, …` of the compiler's log.
fn uses(log: &str) -> Vec<Use> {
    let mut uses: Vec<Use> = Vec::new();
    for line in log.lines() {
        if let Some((_, rest)) = line.split_once("Compiling entry function '") {
            uses.push(Use {
                kernel: rest.split('\'').next().unwrap().to_owned(),
                registers: u32::MAX,
                ..Use::default()
            });
        }
        let Some(current) = uses.last_mut() else {
            continue;
        };
        let number_before = |words: &str| {
            let (before, _) = line.split_once(words)?;
            before.split_whitespace().last()?.parse::<u32>().ok()
        };
        if let Some(stack) = number_before(" bytes stack frame") {
            let stores = number_before(" bytes spill stores").unwrap();
            let loads = number_before(" bytes spill loads").unwrap();
            (current.stack_bytes, current.spilled_bytes) = (stack, stores + loads);
        }
        if let Some(registers) = number_before(" registers") {
            current.registers = registers;
        }
    }
    uses
}

/// Compiles every source for each architecture and looks at what the assembler says of each kernel.
fn assert_compiles(major: u32, sms: &[&str], look: impl Fn(&str, &Use) + Sync) {
    let Some(nvrtc) = nvrtc(major) else {
        return;
    };
    let sources = SOURCES.iter();
    let pairs: Vec<(&Source, &str)> = sources
        .flat_map(|source| sms.iter().map(move |sm| (source, *sm)))
        .collect();
    on_all_cores(&pairs, |(source, sm)| {
        let options = [&OPTIONS[..], &["--ptxas-options=-v"]].concat();
        let compiled = nvrtc.compile(source.file, &source.unit(), sm, &options);
        let compiled = compiled.unwrap_or_else(|error| panic!("{error}"));
        assert!(compiled.cubin.starts_with(b"\x7fELF"));
        let uses = uses(&compiled.log);
        for kernel in Kernel::ALL.iter().filter(|k| k.source() == *source) {
            let its_use = uses.iter().find(|u| u.kernel == kernel.name());
            let its_use = its_use
                .unwrap_or_else(|| panic!("no {} in the log: {}", kernel.name(), compiled.log));
            assert_ne!(its_use.registers, u32::MAX, "{}", compiled.log);
            look(sm, its_use);
        }
    });
}

#[test]
fn every_kernel_compiles_with_cuda_12_and_spills_nothing_on_maxwell() {
    assert_compiles(12, &["sm_52", "sm_70", "sm_80", "sm_90"], |sm, its_use| {
        // Spilled registers go through memory at every use. Newer architectures have as many registers.
        assert!(sm != "sm_52" || its_use.spilled_bytes == 0, "{its_use:?}");
    });
}

#[test]
fn every_kernel_compiles_with_cuda_13() {
    assert_compiles(13, &["sm_75", "sm_90"], |sm, its_use| {
        assert_eq!(its_use.spilled_bytes, 0, "{sm}: {its_use:?}");
    });
}

/// What the assembler says of the persistent kernels, for each architecture.
#[cfg(feature = "persistent-decode")]
fn uses_of_the_persistent_kernels(major: u32, sms: &[&str]) -> Vec<(String, Vec<Use>)> {
    use crate::persistent::{SOURCE, WEIGHTS, name};
    let Some(nvrtc) = nvrtc(major) else {
        return Vec::new();
    };
    let options = [&OPTIONS[..], &["--ptxas-options=-v"]].concat();
    on_all_cores(sms, |sm| {
        let compiled = nvrtc.compile(SOURCE.file, &SOURCE.unit(), sm, &options);
        let compiled = compiled.unwrap_or_else(|error| panic!("{error}"));
        let uses = uses(&compiled.log);
        // They and nothing else: of the other files only the templates are there.
        assert_eq!(uses.len(), WEIGHTS.len(), "{uses:?}");
        for weight in WEIGHTS {
            assert!(uses.iter().any(|u| u.kernel == name(weight)), "{uses:?}");
        }
        ((*sm).to_owned(), uses)
    })
}

#[cfg(feature = "persistent-decode")]
#[test]
fn the_persistent_kernels_compile_and_spill_nothing_on_maxwell() {
    let old = uses_of_the_persistent_kernels(12, &["sm_52", "sm_70", "sm_80", "sm_90"]);
    let new = uses_of_the_persistent_kernels(13, &["sm_75", "sm_90"]);
    for (sm, uses) in old.iter().chain(&new) {
        for its_use in uses {
            // Elsewhere a few registers of the largest operation: 52 bytes were the most.
            let most = if sm == "sm_52" { 0 } else { 64 };
            assert!(its_use.spilled_bytes <= most, "{sm}: {its_use:?}");
        }
    }
}

#[test]
fn the_check_for_spills_sees_spills() {
    let Some(nvrtc) = nvrtc(12) else {
        return;
    };
    // More numbers at a time than a thread has registers.
    let source = "extern \"C\" __global__ void greedy(float *x) { float a[300];\n#pragma unroll\n\
         for (int i = 0; i < 300; i++) a[i] = x[i] * x[0];\n__syncthreads();\n#pragma unroll\n\
         for (int i = 0; i < 300; i++) x[i] = a[i] + a[(i * 7) % 300] * a[299 - i]; }";
    let options = ["--ptxas-options=-v"];
    let log = nvrtc.compile("greedy.cu", source, "sm_52", &options);
    let uses = uses(&log.unwrap().log);
    assert!(
        uses[0].kernel == "greedy" && uses[0].spilled_bytes > 0,
        "{uses:?}"
    );
}

#[test]
fn an_error_in_a_kernel_names_file_line_and_compiler() {
    let Some(nvrtc) = nvrtc(12) else {
        return;
    };
    let source = "\nextern \"C\" __global__ void wrong(float *x) { x[0] = y; }";
    let error = nvrtc.compile("wrong.cu", source, "sm_52", &[]).unwrap_err();
    let message = error.to_string();
    for part in ["wrong.cu(2)", "\"y\" is undefined", "sm_52", "NVRTC 12."] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn an_architecture_that_the_compiler_does_not_know_is_an_error() {
    let Some(nvrtc) = nvrtc(13) else {
        return;
    };
    assert!(!nvrtc.architectures.contains(&52));
    let source = "extern \"C\" __global__ void nothing() {}";
    let error = nvrtc
        .compile("nothing.cu", source, "sm_52", &[])
        .unwrap_err();
    assert!(error.to_string().contains("sm_52"), "{error}");
}

#[test]
fn the_log_is_read_as_the_assembler_writes_it() {
    let log = "ptxas info    : 0 bytes gmem\n\
               ptxas info    : Compiling entry function 'a' for 'sm_52'\n\
               ptxas info    : Function properties for a\n    \
               8 bytes stack frame, 4 bytes spill stores, 12 bytes spill loads\n\
               ptxas info    : Used 40 registers, 344 bytes cmem[0]";
    let expected = Use {
        kernel: "a".to_owned(),
        stack_bytes: 8,
        spilled_bytes: 16,
        registers: 40,
    };
    assert_eq!(uses(log), [expected]);
}
