//! Progress events of a pull, and the observer that receives them.

use std::time::Duration;

use crate::error::Error;

/// Something that happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// Another process fetches the same file; we wait for it.
    Waiting {
        /// The file.
        name: &'a str,
    },
    /// A file is about to come.
    Started {
        /// The file.
        name: &'a str,
        /// Its length.
        size: u64,
        /// How much of it is here already.
        at: u64,
    },
    /// So much of the current file is here.
    At(u64),
    /// What is here of the file cannot be gone on with.
    StartedOver {
        /// The file.
        name: &'a str,
        /// Why.
        reason: &'a str,
    },
    /// A try failed; there will be another.
    Retrying {
        /// Why it failed.
        error: &'a Error,
        /// When the next one comes.
        wait: Duration,
        /// How many have failed in a row.
        failures: u32,
        /// How many may.
        of: u32,
    },
    /// All bytes are here and are being compared with their hash.
    Checking {
        /// The file.
        name: &'a str,
        /// How many bytes there are.
        size: u64,
    },
    /// The file is complete.
    Finished {
        /// The file.
        name: &'a str,
    },
    /// Something worth saying.
    Note(&'a str),
}

/// Shows what happens, or does not.
pub trait Observer {
    /// Called for each event, on the thread that pulls.
    fn on(&self, event: Event<'_>);
}

/// Shows nothing.
impl Observer for () {
    fn on(&self, _: Event<'_>) {}
}
