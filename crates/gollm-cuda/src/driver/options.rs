//! What the caller chooses about the GPU, and the environment variables that choose the same.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use gollm_tensor::{Error, Result};

/// Which GPU `None` in [`DriverOptions::device`] means, where there are several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Preference {
    /// The newest architecture, then the largest memory, then the smallest number.
    #[default]
    Newest,
    /// A Tesla M40 (sm_52) if there is one, otherwise as [`Preference::Newest`].
    TeslaM40,
}

/// How large products use cuBLAS, the vendor's library of matrix products.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CublasUse {
    /// Weights of f16, q8_0 and q4_0 meet activations in f16, both rounded to it where they are not, with
    /// f32 sums: the fast way, within the bound of f16 storage. Others meet in f32.
    #[default]
    F16,
    /// Everything is widened to f32 first: nothing is rounded, at several times the cost.
    F32,
    /// Only kernels of our own.
    Off,
}

/// What becomes of a step that repeats, as decoding does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Replay {
    /// Its kernels are launched one by one, every time.
    Off,
    /// It is recorded as a CUDA graph and replayed with one launch.
    #[default]
    Graph,
    /// Its layers are computed by one persistent kernel: an experiment, in builds with the feature
    /// `persistent-decode`. Steps that it cannot do are recorded as graphs.
    Persistent,
}

/// Which GPU, and how it is driven.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DriverOptions {
    /// The number of the GPU; none: the one that [`DriverOptions::prefer`] says.
    pub device: Option<usize>,
    /// Which GPU to take among several.
    pub prefer: Preference,
    /// What large products do. Another choice than the default also makes it an error that cuBLAS is
    /// not there.
    pub cublas: Option<CublasUse>,
    /// What becomes of steps that repeat.
    pub replay: Replay,
    /// Whether to wait after each kernel, so that an error names the kernel that failed. Slow.
    pub check: bool,
    /// Folders to look for libcuda, NVRTC and cuBLAS in, before the usual places.
    pub library_folders: Vec<PathBuf>,
    /// Where compiled kernels are kept; none: `gollm/kernels` in the user's cache folder.
    pub cache_folder: Option<PathBuf>,
}

impl DriverOptions {
    /// The options that the environment asks for:
    ///
    /// | variable | values |
    /// |---|---|
    /// | `GOLLM_CUDA_DEVICE` | number of the GPU |
    /// | `GOLLM_PREFER` | `m40`, `newest` |
    /// | `GOLLM_CUBLAS` | `f16`, `f32`, `off` |
    /// | `GOLLM_CUDA_GRAPH` | `1`, `0`, `persistent` |
    /// | `GOLLM_CUDA_CHECK` | `0`, `1` |
    /// | `GOLLM_CUDA_LIB` | folders with the libraries, separated as in `PATH` |
    /// | `GOLLM_CUDA_CACHE` | folder for compiled kernels |
    ///
    /// # Errors
    ///
    /// If a variable has a value that is not in the table.
    pub fn from_environment() -> Result<Self> {
        Self::read(env::var_os)
    }

    fn read(get: impl Fn(&'static str) -> Option<OsString>) -> Result<Self> {
        // Set but empty means not set, as shells have it.
        let get = |name| get(name).filter(|value| !value.is_empty());
        let choice = |name, choices: &[&str]| {
            get(name).map_or(Ok(None), |value| {
                let found = choices.iter().position(|choice| value == *choice);
                found.map(Some).ok_or_else(|| {
                    wrong_value(name, &value, &format!("one of {}", choices.join(", ")))
                })
            })
        };
        let device = get("GOLLM_CUDA_DEVICE")
            .map(|value| {
                let number = value.to_str().and_then(|text| text.parse().ok());
                number.ok_or_else(|| wrong_value("GOLLM_CUDA_DEVICE", &value, "a number: 0, 1, …"))
            })
            .transpose()?;
        Ok(Self {
            device,
            prefer: match choice("GOLLM_PREFER", &["newest", "m40"])? {
                Some(1) => Preference::TeslaM40,
                _ => Preference::Newest,
            },
            cublas: choice("GOLLM_CUBLAS", &["f16", "f32", "off"])?.map(|found| match found {
                0 => CublasUse::F16,
                1 => CublasUse::F32,
                _ => CublasUse::Off,
            }),
            replay: match choice("GOLLM_CUDA_GRAPH", &["0", "1", "persistent"])? {
                Some(0) => Replay::Off,
                Some(2) => Replay::Persistent,
                _ => Replay::Graph,
            },
            check: choice("GOLLM_CUDA_CHECK", &["0", "1"])? == Some(1),
            library_folders: get("GOLLM_CUDA_LIB")
                .map(|folders| env::split_paths(&folders).collect())
                .unwrap_or_default(),
            cache_folder: get("GOLLM_CUDA_CACHE").map(PathBuf::from),
        })
    }

    /// What large products do: the choice, or the default.
    #[must_use]
    pub fn cublas_use(&self) -> CublasUse {
        self.cublas.unwrap_or_default()
    }
}

fn wrong_value(name: &str, value: &OsString, expected: &str) -> Error {
    Error::Device {
        device: "cuda".to_owned(),
        message: format!("{name} is {value:?}, expected {expected}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<DriverOptions> {
        DriverOptions::read(|name| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn an_empty_environment_gives_the_defaults() {
        assert_eq!(read(&[]).unwrap(), DriverOptions::default());
        assert_eq!(read(&[("GOLLM_CUBLAS", "")]).unwrap().cublas, None);
    }

    #[test]
    fn every_variable_is_heard() {
        let folders = env::join_paths(["/a", "/b"]).unwrap();
        let options = read(&[
            ("GOLLM_CUDA_DEVICE", "3"),
            ("GOLLM_PREFER", "m40"),
            ("GOLLM_CUBLAS", "off"),
            ("GOLLM_CUDA_GRAPH", "0"),
            ("GOLLM_CUDA_CHECK", "1"),
            ("GOLLM_CUDA_LIB", folders.to_str().unwrap()),
            ("GOLLM_CUDA_CACHE", "/c"),
        ]);
        let expected = DriverOptions {
            device: Some(3),
            prefer: Preference::TeslaM40,
            cublas: Some(CublasUse::Off),
            replay: Replay::Off,
            check: true,
            library_folders: vec!["/a".into(), "/b".into()],
            cache_folder: Some("/c".into()),
        };
        assert_eq!(options.unwrap(), expected);
    }

    #[test]
    fn a_step_that_repeats_is_a_graph_unless_the_environment_says_otherwise() {
        for (value, replay) in [
            ("", Replay::Graph),
            ("1", Replay::Graph),
            ("0", Replay::Off),
            ("persistent", Replay::Persistent),
        ] {
            let options = read(&[("GOLLM_CUDA_GRAPH", value)]).unwrap();
            assert_eq!(options.replay, replay, "{value:?}");
        }
    }

    #[test]
    fn a_value_that_is_not_in_the_table_is_an_error_that_names_the_table() {
        for (name, value, hint) in [
            ("GOLLM_CUBLAS", "f64", "f16, f32, off"),
            ("GOLLM_PREFER", "M40", "newest, m40"),
            ("GOLLM_CUDA_GRAPH", "yes", "0, 1, persistent"),
            ("GOLLM_CUDA_DEVICE", "-1", "a number"),
        ] {
            let message = read(&[(name, value)]).unwrap_err().to_string();
            assert!(
                message.contains(name) && message.contains(hint),
                "{message}"
            );
        }
    }
}
