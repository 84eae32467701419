//! A disk that is full: the old file stays, the new one leaves no trace.
//!
//! The limit is a real one. A child process (this test binary again) writes a model of 1 MB where
//! only some kilobytes fit: under the shell's limit on file sizes, and, where the system lets an
//! ordinary user mount one, on a file system of 256 kB.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests are not marked as tests"
)]
#![cfg(unix)]

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use gollm_model::Config;
use gollm_tensor::DType;
use gollm_weights::{Error, Metadata, verify, write};
use support::{raw_model, tiny_config, tiny_file};

/// Where the child writes.
const DIRECTORY: &str = "GOLLM_TEST_FULL_DISK";

/// Writes the tiny model, which fits.
fn write_old(path: &Path) {
    write(
        path,
        &Metadata::new(tiny_config()),
        tiny_file().encoded_tensors(),
    )
    .unwrap();
}

/// Runs the child below by way of a shell that first makes room scarce.
fn child(shell: &mut Command, directory: &Path) -> Output {
    shell
        .arg(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "writing_where_there_is_no_room",
            "--nocapture",
        ])
        .env(DIRECTORY, directory)
        .output()
        .unwrap()
}

fn assert_passed(output: &Output) {
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    assert!(text.contains("1 passed"), "the child ran no test: {text}");
}

#[test]
#[ignore = "the child of the tests below; it needs a place where there is no room"]
fn writing_where_there_is_no_room() {
    let directory = std::env::var_os(DIRECTORY).expect("run by the tests below");
    let path = Path::new(&directory).join("model.gollm");
    write_old(&path);
    let old = fs::read(&path).unwrap();

    let config = Config::from_yaml(
        "{vocab_size: 4096, context_length: 8, emb_dim: 64, n_heads: 2, n_kv_heads: 1,
          hidden_dim: 32, n_layers: 1}",
    )
    .unwrap();
    let tensors = raw_model(&config, DType::F32).encoded_tensors();
    let error = write(&path, &Metadata::new(config), tensors).expect_err("there was room");
    println!("{error}");
    assert!(
        matches!(
            error.without_path(),
            Error::Io {
                action: "write the file",
                ..
            }
        ),
        "{error}"
    );
    assert!(error.io_error().is_some());

    assert_eq!(fs::read(&path).unwrap(), old);
    verify(&path).unwrap();
    assert_eq!(
        fs::read_dir(&directory).unwrap().count(),
        1,
        "a temporary file was left behind"
    );
}

#[test]
fn over_the_limit_on_file_sizes_the_old_file_stays() {
    let directory = tempfile::tempdir().unwrap();
    let mut shell = Command::new("sh");
    // Blocks of 512 bytes (or 1,024 in some shells). Without the trap the signal ends the process.
    shell.args(["-c", "trap '' XFSZ; ulimit -f 100; exec \"$@\"", "sh"]);
    assert_passed(&child(&mut shell, directory.path()));
    verify(directory.path().join("model.gollm")).unwrap();
}

#[test]
fn on_a_full_file_system_the_old_file_stays() {
    let directory = tempfile::tempdir().unwrap();
    let unshare = |script: &str| {
        let mut command = Command::new("unshare");
        command.args([
            "--user",
            "--map-root-user",
            "--mount",
            "sh",
            "-c",
            script,
            "sh",
        ]);
        command.arg(directory.path());
        command
    };
    let mount = "mount -t tmpfs -o size=256k tmpfs \"$1\"";
    if !unshare(mount)
        .output()
        .is_ok_and(|output| output.status.success())
    {
        println!("not run: this system lets no ordinary user mount a file system");
        return;
    }
    let mut shell = unshare(&format!("{mount}; shift; exec \"$@\""));
    let output = child(&mut shell, directory.path());
    assert_passed(&output);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("No space left on device"), "{text}");
}
