//! A cache of its own for each test, a puller with short patience, and a witness.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use gollm_hub::{
    CacheDirs, Error, Event, Limits, Observer, Pulled, Puller, Settings, Token, Wanted,
};
use tempfile::TempDir;

use crate::server::Server;

/// Bounds in which every misbehaviour shows within a second or two, also on a busy machine.
pub(crate) fn limits() -> Limits {
    Limits {
        connect: Duration::from_secs(5),
        answer: Duration::from_millis(1500),
        listing: Duration::from_secs(5),
        stall: Duration::from_secs(1),
        retries: 3,
        first_wait: Duration::from_millis(5),
        longest_wait: Duration::from_secs(2),
    }
}

/// Remembers what it was told, in a few words each.
#[derive(Default)]
pub(crate) struct Witness(Mutex<Vec<String>>);

impl Observer for Witness {
    fn on(&self, event: Event<'_>) {
        let words = match event {
            Event::At(_) => return,
            Event::Waiting { name } => format!("waiting {name}"),
            Event::Started { name, size, at } => format!("started {name} {at}/{size}"),
            Event::StartedOver { name, reason } => format!("over {name}: {reason}"),
            Event::Retrying { error, .. } => format!("retrying: {error}"),
            Event::Checking { name, .. } => format!("checking {name}"),
            Event::Finished { name } => format!("finished {name}"),
            Event::Note(text) => format!("note {text}"),
        };
        self.0.lock().unwrap().push(words);
    }
}

impl Witness {
    /// How many events begin with these words.
    pub(crate) fn count(&self, words: &str) -> usize {
        let events = self.0.lock().unwrap();
        events
            .iter()
            .filter(|event| event.starts_with(words))
            .count()
    }
}

/// A cache that is removed at the end, and who may be asked.
pub(crate) struct Machine {
    folder: TempDir,
    pub(crate) settings: Settings,
    pub(crate) witness: Witness,
}

impl Machine {
    pub(crate) fn new(server: &Server) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            settings: Settings {
                endpoint: server.url().parse().unwrap(),
                token: Token::new("hf_secret").ok(),
                offline: false,
                no_symlinks: false,
                insecure_http: false,
                certificates: None,
                limits: limits(),
            },
            witness: Witness::default(),
        }
    }

    pub(crate) fn cache_dirs(&self) -> CacheDirs {
        let path = |name| self.folder.path().join(name);
        CacheDirs {
            hub: path("hub"),
            urls: path("urls"),
            token_file: path("token"),
        }
    }

    pub(crate) fn puller(&self) -> Puller {
        Puller::new(self.cache_dirs(), self.settings.clone()).unwrap()
    }

    pub(crate) fn try_pull(&self, reference: &str) -> Result<Pulled, Error> {
        self.puller().pull(&wanted(reference), &self.witness)
    }

    pub(crate) fn pull(&self, reference: &str) -> Pulled {
        self.try_pull(reference).unwrap()
    }

    /// The message of a pull that must fail.
    pub(crate) fn failure(&self, reference: &str) -> String {
        self.try_pull(reference).unwrap_err().to_string()
    }

    /// A path in the folder of the repository `me/model`.
    pub(crate) fn path(&self, rest: &str) -> PathBuf {
        self.cache_dirs().hub.join("models--me--model").join(rest)
    }

    /// Every file and link below the folder of this machine, by path.
    pub(crate) fn all_files(&self) -> Vec<String> {
        let mut files = Vec::new();
        collect(self.folder.path(), self.folder.path(), &mut files);
        files.sort();
        files
    }
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => collect(root, &path, files),
            false => files.push(path.strip_prefix(root).unwrap().display().to_string()),
        }
    }
}

pub(crate) fn wanted(reference: &str) -> Wanted {
    Wanted {
        reference: reference.parse().unwrap(),
        files: Vec::new(),
        recheck: false,
    }
}
