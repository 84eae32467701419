//! What `gollm devices` shows: the devices of this build, and those it was built without.

use gollm_cpu::{Isa, physical_cores};
use serde::Serialize;
use serde_json::{Value, json};

use super::accelerators;

/// A device that `--device` can name.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Listed {
    /// As `--device` takes it.
    pub(crate) name: String,
    /// What it computes with, in one line.
    pub(crate) kernels: String,
    /// More, for programs: an object, empty where there is nothing to say.
    pub(crate) facts: Value,
}

/// A kind of device that cannot be used, and what to do about that.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Missing {
    /// As `--device` would take it.
    pub(crate) name: String,
    pub(crate) reason: String,
}

/// Every device of this build, the fastest first.
pub(crate) fn devices() -> Vec<Listed> {
    let (isa, n_threads) = (Isa::detect(), physical_cores());
    let s = if n_threads == 1 { "" } else { "s" };
    let on_host = [
        Listed {
            name: "cpu".to_owned(),
            kernels: format!(
                "vector instructions and threads: {isa} kernels, {n_threads} thread{s}"
            ),
            facts: json!({ "machine": isa.to_string(), "threads": n_threads }),
        },
        Listed {
            name: "reference".to_owned(),
            kernels: "readable Rust, one thread, f32 arithmetic".to_owned(),
            facts: json!({ "threads": 1 }),
        },
    ];
    // A GPU comes before the CPU, and software that plays one after everything else.
    let found = accelerators().flat_map(|accelerator| (accelerator.listed)());
    let (mut listed, software): (Vec<_>, Vec<_>) =
        found.partition(|device| device.facts["software"] != true);
    listed.extend(on_host);
    listed.extend(software);
    listed
}

/// Kinds of devices that this build does not have or that found nothing here.
pub(crate) fn missing() -> Vec<Missing> {
    let missing = accelerators().filter_map(|accelerator| (accelerator.missing)());
    missing.collect()
}
