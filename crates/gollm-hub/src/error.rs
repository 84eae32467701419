//! Errors of finding and downloading models: every message says what, where, expected, found, and
//! what to do.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::names::{FileName, NameError};

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A model that is not in the cache, or that could not be downloaded.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A machine without a home directory.
    #[error(
        "there is no home directory to hold the cache; set HF_HOME or HF_HUB_CACHE to a directory"
    )]
    NoHome,
    /// A name that is not used.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A model that nobody pulled.
    #[error("{of} is not in {}; fetch it first: gollm pull {of}", hub.display())]
    NotPulled {
        /// The model.
        of: String,
        /// The cache.
        hub: PathBuf,
    },
    /// A model of whose files something is missing here.
    #[error("what is here of {of} cannot be used: {error}\nto fetch the rest: gollm pull {of}")]
    Incomplete {
        /// The model.
        of: String,
        /// What is wrong with what is here.
        error: Box<Error>,
    },
    /// A file of the cache that should hold a commit.
    #[error("{}: expected the hash of a commit, found `{found}`; remove the file and pull again", path.display())]
    BadReference {
        /// The file.
        path: PathBuf,
        /// What it holds, made harmless.
        found: String,
    },
    /// More than one model.
    #[error(
        "{of} holds more than one model; choose one by its type, such as {of}:Q4_0, or by its name:{files}"
    )]
    Ambiguous {
        /// The repository.
        of: String,
        /// The models.
        files: String,
    },
    /// No model.
    #[error(
        "{of} holds no model that gollm takes by itself: neither config.json with *.safetensors, nor a \
         .gguf or .gollm file; name a file to take it all the same:{files}"
    )]
    NoModel {
        /// The repository.
        of: String,
        /// Its files.
        files: String,
    },
    /// A model in several files of which some are not there.
    #[error("{of}: {missing}")]
    MissingParts {
        /// The repository.
        of: String,
        /// How many parts, and which.
        missing: String,
    },
    /// A file that is not there.
    #[error("{of} has no file `{wanted}` and no model of that type; it has:{files}")]
    NoSuchFile {
        /// The repository.
        of: String,
        /// What was asked for.
        wanted: FileName,
        /// Its files.
        files: String,
    },
    /// The operating system refused something.
    #[error("cannot {action} {}: {error}", path.display())]
    Io {
        /// What was tried, such as `write`.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A variable or option with a value that cannot be used.
    #[error("{name}: {problem}")]
    Setting {
        /// Which one.
        name: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// An address that is not requested.
    #[error("the address `{found}` is refused: {problem}")]
    Address {
        /// The address, made harmless.
        found: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// A redirect to an address that is not requested.
    #[error("{address}: the server redirects to where nothing is fetched from: {error}")]
    Redirect {
        /// What was requested.
        address: String,
        /// What is wrong with the address that it redirects to.
        error: Box<Error>,
    },
    /// A switch that forbids the network.
    #[error(
        "HF_HUB_OFFLINE is set, so nothing is fetched: {of} is not complete here; unset it to pull"
    )]
    Offline {
        /// What was to be fetched.
        of: String,
    },
    /// An answer that is no file.
    #[error("{address}: the server answered {status}{said}; {advice}")]
    Status {
        /// What was requested.
        address: String,
        /// The status, as a number.
        status: u16,
        /// What the server said besides, made harmless.
        said: String,
        /// What to do.
        advice: String,
        /// How long the server asks to wait.
        wait: Option<Duration>,
    },
    /// A connection that was not made or did not last.
    #[error(
        "{address}: {problem}; check the network, HTTPS_PROXY and HF_ENDPOINT, and run the command again"
    )]
    Connection {
        /// What was requested.
        address: String,
        /// What happened.
        problem: String,
        /// Whether trying again may help.
        is_transient: bool,
    },
    /// A server that says nothing any more.
    #[error(
        "{address}: too little came for {:.1} s (at byte {at}); run the command again to go on from there",
        seconds
    )]
    Stalled {
        /// What was requested.
        address: String,
        /// How long nothing came.
        seconds: f64,
        /// How much had come.
        at: u64,
    },
    /// A body that ends early.
    #[error(
        "{name}: the connection ended at byte {found} of {expected}; run the command again to go on"
    )]
    CutShort {
        /// The file.
        name: String,
        /// Its length.
        expected: u64,
        /// How much came.
        found: u64,
    },
    /// An answer that contradicts what was asked or announced.
    #[error("{address}: {problem}: expected {expected}, found {found}")]
    Response {
        /// What was requested.
        address: String,
        /// What is wrong.
        problem: &'static str,
        /// What should have come.
        expected: String,
        /// What came, made harmless.
        found: String,
        /// Whether asking again may help.
        is_transient: bool,
    },
    /// A file whose bytes are not those that were announced.
    #[error(
        "{name}: the bytes that came are not those of the file: expected hash {expected}, found {found}; \
         nothing was kept; pull again, and if that repeats, something on the way changes the file"
    )]
    Mismatch {
        /// The file.
        name: String,
        /// The hash that was announced.
        expected: String,
        /// The hash of what came.
        found: String,
    },
    /// A file of an earlier pull that is not the one that is wanted.
    #[error(
        "{} is here from an earlier pull and has hash {found}, expected {expected}; fetch it again: --force",
        path.display()
    )]
    AnotherFile {
        /// The file.
        path: PathBuf,
        /// The hash that it should have.
        expected: String,
        /// The hash that it has.
        found: String,
    },
    /// A disk that is too small.
    #[error(
        "not enough room in {}: {needed} bytes are to come and {free} are free; make room, or set \
         HF_HUB_CACHE to a directory on a larger disk",
        path.display()
    )]
    NoSpace {
        /// The directory.
        path: PathBuf,
        /// How much is missing.
        needed: u64,
        /// How much there is.
        free: u64,
    },
    /// Ctrl-C.
    #[error("interrupted; what has come is kept, run the command again to go on")]
    Interrupted,
}

impl Error {
    pub(crate) fn io(action: &'static str, path: &Path, error: io::Error) -> Self {
        let path = path.to_owned();
        Self::Io {
            action,
            path,
            error,
        }
    }
}
