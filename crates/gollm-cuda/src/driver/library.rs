//! A shared library that was opened by name or path, and the functions found in it.

use std::fmt;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};

use gollm_tensor::{Error, Result};
use libloading::Library;

use super::places::{Kind, Places};

/// An error of the CUDA backend that belongs to no GPU in particular.
pub(super) fn error(message: impl fmt::Display) -> Error {
    device_error("cuda", message)
}

/// An error of the GPU of this name.
pub(super) fn device_error(device: &str, message: impl fmt::Display) -> Error {
    Error::Device {
        device: device.to_owned(),
        message: message.to_string(),
    }
}

/// A library that stays open until the process ends: CUDA's libraries start threads and leave
/// functions to be called at exit, so taking their code away is not safe.
pub(super) struct SharedLibrary {
    library: ManuallyDrop<Library>,
    /// What it was opened by: a path, or the plain name that the system's loader found.
    pub(super) path: PathBuf,
}

/// What was tried, and what became of it.
#[derive(Debug, Default)]
pub(super) struct Attempts(Vec<(PathBuf, String)>);

impl Attempts {
    fn add(&mut self, path: &Path, outcome: impl fmt::Display) {
        self.0.push((path.to_path_buf(), outcome.to_string()));
    }
}

impl fmt::Display for Attempts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (path, outcome) in &self.0 {
            write!(f, "\n  {}: {outcome}", path.display())?;
        }
        Ok(())
    }
}

impl SharedLibrary {
    /// Opens the library in the first place that has it.
    ///
    /// # Errors
    ///
    /// The places that were tried, each with what went wrong there.
    pub(super) fn open(kind: Kind, places: &Places) -> Result<Self, Attempts> {
        let mut attempts = Attempts::default();
        for path in places.candidates(kind) {
            let is_plain_name = path.components().count() == 1;
            if !is_plain_name {
                if !path.exists() {
                    attempts.add(&path, "no such file");
                    continue;
                }
                open_companions(kind, &path);
            }
            // SAFETY: opening a library runs its initializers. The file has the name of one of CUDA's
            // libraries and lies where the user or the system says that they are.
            match unsafe { Library::new(&path) } {
                Ok(library) => {
                    let library = ManuallyDrop::new(library);
                    return Ok(Self { library, path });
                }
                Err(error) => attempts.add(&path, reason(&error)),
            }
        }
        Err(attempts)
    }

    /// The address of a function, as a function pointer of type `F`.
    ///
    /// # Errors
    ///
    /// If the library has no function of that name.
    ///
    /// # Safety
    ///
    /// `F` must be the type of a function pointer, with the signature that the vendor's header gives
    /// the function of this name.
    pub(super) unsafe fn function<F: Copy>(&self, name: &'static str) -> Result<F> {
        // SAFETY: the caller vouches for the signature.
        match unsafe { self.library.get::<F>(name.as_bytes()) } {
            Ok(symbol) => Ok(*symbol),
            Err(_) => Err(error(format_args!(
                "{} has no function {name}: it is too old, or not what its name says; a newer \
                 driver or CUDA brings it",
                self.path.display()
            ))),
        }
    }
}

/// Opens the files that a library would later look for by name alone. Once they are open, the system's
/// loader finds them. One that cannot be opened will be missed by name, with the library's own message.
fn open_companions(kind: Kind, path: &Path) {
    let (Some(folder), Some(prefix)) = (path.parent(), kind.companion()) else {
        return;
    };
    for entry in folder.read_dir().into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            // SAFETY: as for the library itself, whose part it is.
            if let Ok(companion) = unsafe { Library::new(entry.path()) } {
                std::mem::forget(companion);
            }
        }
    }
}

/// What the system's loader said: libloading's own message leaves that to its source.
fn reason(error: &libloading::Error) -> String {
    use std::error::Error;
    error
        .source()
        .map_or_else(|| error.to_string(), ToString::to_string)
}

impl fmt::Debug for SharedLibrary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedLibrary({})", self.path.display())
    }
}

/// Declares a table of a library's functions, and how to fill it.
macro_rules! functions {
    (
        $(#[$documentation:meta])*
        struct $table:ident {
            $(
                $(#[$attribute:meta])*
                $field:ident = $symbol:ident($($name:ident: $type:ty),* $(,)?) -> $result:ty;
            )*
        }
    ) => {
        $(#[$documentation])*
        #[derive(Debug, Clone, Copy)]
        pub(in crate::driver) struct $table {
            $($(#[$attribute])* pub(in crate::driver) $field: unsafe extern "system" fn($($name: $type),*) -> $result,)*
        }

        impl $table {
            fn load(library: &$crate::driver::library::SharedLibrary) -> gollm_tensor::Result<Self> {
                Ok(Self {
                    // SAFETY: the signature is the one in the vendor's header.
                    $($(#[$attribute])* $field: unsafe { library.function(stringify!($symbol)) }?,)*
                })
            }
        }
    };
}
pub(super) use functions;
