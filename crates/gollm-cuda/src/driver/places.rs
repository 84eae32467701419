//! Where the libraries of CUDA are looked for.
//!
//! 1. the folders that the user named (`GOLLM_CUDA_LIB`), those of Python wheels for example;
//! 2. where the system's loader looks: `LD_LIBRARY_PATH`, then its cache of known folders;
//! 3. where CUDA installs itself: `CUDA_HOME`, `CUDA_PATH`, `/usr/local/cuda*`, `/opt/cuda`, and the
//!    folders that WSL and containers mount the driver into.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// One of the libraries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// libcuda, which comes with the driver.
    Driver,
    /// NVRTC, the run-time compiler, of this major version.
    Nvrtc(u32),
    /// cuBLAS, of this major version.
    Cublas(u32),
}

impl Kind {
    /// The name of its file.
    pub(super) fn file(self) -> String {
        match (self, cfg!(windows)) {
            (Self::Driver, false) => "libcuda.so.1".to_owned(),
            (Self::Driver, true) => "nvcuda.dll".to_owned(),
            (Self::Nvrtc(major), false) => format!("libnvrtc.so.{major}"),
            (Self::Nvrtc(major), true) => format!("nvrtc64_{major}0_0.dll"),
            (Self::Cublas(major), false) => format!("libcublas.so.{major}"),
            (Self::Cublas(major), true) => format!("cublas64_{major}.dll"),
        }
    }

    /// What the names of the files begin with that it opens by itself, and would not find in a folder
    /// that the system's loader does not know.
    pub(super) fn companion(self) -> Option<String> {
        if cfg!(windows) {
            return None;
        }
        match self {
            Self::Driver => None,
            Self::Nvrtc(major) => Some(format!("libnvrtc-builtins.so.{major}")),
            Self::Cublas(major) => Some(format!("libcublasLt.so.{major}")),
        }
    }
}

/// The folders, and whether the system's loader is asked as well.
#[derive(Debug, Clone)]
pub(super) struct Places {
    named: Vec<PathBuf>,
    system: bool,
}

impl Places {
    /// The user's folders and the usual places.
    pub(super) fn new(named: &[PathBuf]) -> Self {
        Self {
            named: named.to_vec(),
            system: true,
        }
    }

    /// These folders and nothing else, so that a test sees the same on every machine.
    #[cfg(test)]
    pub(super) fn only(named: &[&Path]) -> Self {
        Self {
            named: named.iter().map(|folder| folder.to_path_buf()).collect(),
            system: false,
        }
    }

    /// What to hand to the loader, one after the other: paths, and the plain name in between.
    pub(super) fn candidates(&self, kind: Kind) -> Vec<PathBuf> {
        let file = kind.file();
        let mut found: Vec<PathBuf> = self.named.iter().map(|folder| folder.join(&file)).collect();
        if self.system {
            found.push(PathBuf::from(&file));
            found.extend(usual_folders(kind).iter().map(|folder| folder.join(&file)));
        }
        found
    }
}

/// Where CUDA's installers put their libraries.
fn usual_folders(kind: Kind) -> Vec<PathBuf> {
    if kind == Kind::Driver {
        let folders = ["/usr/lib/wsl/lib", "/usr/local/nvidia/lib64"];
        return folders.map(PathBuf::from).to_vec();
    }
    let library_folder = if cfg!(windows) { "bin" } else { "lib64" };
    let variables = ["CUDA_HOME", "CUDA_PATH"].into_iter();
    let mut folders: Vec<PathBuf> = variables
        .filter_map(env::var_os)
        .chain(["/usr/local/cuda", "/opt/cuda"].map(OsString::from))
        .map(|home| Path::new(&home).join(library_folder))
        .collect();
    folders.extend(versions_of_cuda(Path::new("/usr/local")));
    folders
}

/// `cuda-12.4/lib64` and the like in `folder`, the last of the alphabet first.
fn versions_of_cuda(folder: &Path) -> Vec<PathBuf> {
    let entries = folder.read_dir().into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name.starts_with("cuda-"))
        })
        .map(|path| path.join("lib64"))
        .collect();
    found.sort();
    found.reverse();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_folders_come_first_then_the_loader_then_the_usual_ones() {
        let candidates = Places::new(&["/wheels".into()]).candidates(Kind::Nvrtc(12));
        let file = Kind::Nvrtc(12).file();
        assert_eq!(candidates[0], Path::new("/wheels").join(&file));
        assert_eq!(candidates[1], Path::new(&file));
        assert!(candidates.len() > 2);
    }

    #[test]
    fn the_newest_installed_cuda_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["cuda-12.4", "cuda-13.0", "cudnn", "other"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let expected =
            ["cuda-13.0", "cuda-12.4"].map(|name| folder.path().join(name).join("lib64"));
        assert_eq!(versions_of_cuda(folder.path()), expected);
    }
}
