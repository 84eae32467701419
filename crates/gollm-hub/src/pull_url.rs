//! Pulling one file from any address.

use std::path::{Path, PathBuf};

use ring::digest::{SHA256, digest};

use crate::address::Address;
use crate::attempt::Job;
use crate::digest::Digest;
use crate::disk;
use crate::error::{Error, Result};
use crate::lock::lock;
use crate::names::{FileName, Repository, Revision};
use crate::observer::{Event, Observer};
use crate::pull::{Puller, Wanted};
use crate::reference::ModelReference;

/// What an argument of `gollm pull` names.
#[derive(Debug, Clone)]
pub enum Target {
    /// A repository.
    Repository(Wanted),
    /// A file somewhere else.
    Url(Address),
}

/// A file that was pulled from an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PulledUrl {
    /// Where it is.
    pub path: PathBuf,
    /// Its length in bytes.
    pub size: u64,
    /// Its SHA-256.
    pub hash: String,
    /// Whether it was here before.
    pub was_here: bool,
}

/// Reads an argument: `owner/name…`, an address of a page or file of a repository at `endpoint`, or
/// any other address.
///
/// # Errors
///
/// If it is none of these.
pub fn target(text: &str, endpoint: &Address) -> Result<Target> {
    if !text.contains("://") {
        return Ok(Target::Repository(wanted(text.parse()?, None)));
    }
    let address: Address = text.parse()?;
    if address.origin() != endpoint.origin() {
        return Ok(Target::Url(address));
    }
    Ok(match in_repository(&address, endpoint) {
        Some(wanted) => Target::Repository(wanted),
        None => Target::Url(address),
    })
}

fn wanted(reference: ModelReference, file: Option<FileName>) -> Wanted {
    Wanted {
        reference,
        files: file.into_iter().collect(),
        recheck: false,
    }
}

/// `/owner/name`, `/owner/name/tree/REVISION`, `/owner/name/{resolve,blob,raw}/REVISION/FILE`.
fn in_repository(address: &Address, endpoint: &Address) -> Option<Wanted> {
    let path = address
        .path()
        .strip_prefix(endpoint.path().trim_end_matches('/'))?;
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let [owner, name, rest @ ..] = &parts[..] else {
        return None;
    };
    let repository: Repository = format!("{owner}/{name}").parse().ok()?;
    let (revision, file) = match rest {
        [] => (Revision::default(), None),
        ["tree", revision] => (revision.replace("%2F", "/").parse().ok()?, None),
        ["resolve" | "blob" | "raw", revision, file @ ..] => {
            let revision = revision.replace("%2F", "/").parse().ok()?;
            (revision, Some(file.join("/").parse().ok()?))
        }
        _ => return None,
    };
    let reference = ModelReference {
        repository,
        revision,
        choice: None,
    };
    Some(wanted(reference, file))
}

/// The last part of the path, with what we do not use in names replaced.
fn file_name(address: &Address) -> Result<FileName> {
    let last = address.path().rsplit('/').next().unwrap_or_default();
    let keep = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let name: String = last
        .chars()
        .map(|c| if keep(c) { c } else { '_' })
        .collect();
    name.parse().map_err(|_| Error::Address {
        found: address.to_string(),
        problem: "it does not end with the name of a file",
    })
}

/// The files of one address: the model, and what is beside it while it comes.
struct UrlPlace {
    folder: PathBuf,
    name: FileName,
}

impl UrlPlace {
    /// Two addresses never share a folder, whatever their last parts are.
    fn new(urls: &Path, address: &Address) -> Result<Self> {
        let hash = digest(&SHA256, address.full().as_bytes());
        let hex = hash
            .as_ref()
            .iter()
            .take(10)
            .map(|byte| format!("{byte:02x}"));
        Ok(Self {
            folder: urls.join(hex.collect::<String>()),
            name: file_name(address)?,
        })
    }

    fn file(&self, ending: &str) -> PathBuf {
        self.folder.join(format!("{}{ending}", self.name))
    }
}

impl Puller {
    /// Pulls one file. Without a hash that its owner has published nothing can tell whether it is the
    /// right one; its length is checked, and a rest is only asked for of the same file.
    ///
    /// # Errors
    ///
    /// As [`Self::pull`]; also if the server does not say how long the file is.
    pub fn pull_url(
        &self,
        address: &Address,
        expected: Option<&Digest>,
        again: bool,
        observer: &dyn Observer,
    ) -> Result<PulledUrl> {
        let place = UrlPlace::new(&self.places.urls, address)?;
        let (path, name) = (place.file(""), place.name.as_str());
        if self.settings.offline && (again || !path.is_file()) {
            return Err(Error::Offline {
                of: address.to_string(),
            });
        }
        let _lock = lock(&place.file(".lock"), name, &self.client, observer)?;
        let validator = place.file(".validator");
        let mut job = Job {
            client: &self.client,
            observer,
            address,
            name,
            size: None,
            validator: Some(&validator),
        };
        let was_here = path.is_file() && !again;
        if !was_here {
            let incomplete = place.file(".incomplete");
            job.fetch(&incomplete, expected)?;
            std::fs::rename(&incomplete, &path)
                .map_err(|error| Error::io("write", &path, error))?;
            disk::remove(&validator)?;
        }
        let size = std::fs::metadata(&path)
            .map_err(|error| Error::io("read", &path, error))?
            .len();
        job.size = Some(size);
        let hash = job.hash(&path, &Digest::Sha256(String::new()))?;
        if let Some(expected) = expected.filter(|expected| was_here && **expected != hash) {
            return Err(Error::Mismatch {
                name: path.display().to_string(),
                expected: expected.hex().to_owned(),
                found: hash.hex().to_owned(),
            });
        }
        observer.on(Event::Finished { name });
        Ok(PulledUrl {
            path,
            size,
            hash: hash.hex().to_owned(),
            was_here,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        let endpoint = "https://huggingface.co".parse().unwrap();
        match target(text, &endpoint) {
            Ok(Target::Repository(wanted)) => {
                let files: Vec<&str> = wanted.files.iter().map(FileName::as_str).collect();
                format!("{} [{}]", wanted.reference, files.join(" "))
            }
            Ok(Target::Url(address)) => format!("url {}", file_name(&address).unwrap()),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn pages_and_files_of_the_endpoint_are_those_of_a_repository() {
        for (text, expected) in [
            ("a/b@v1:Q4_0", "a/b@v1:Q4_0 []"),
            ("https://huggingface.co/a/b", "a/b []"),
            (
                "https://huggingface.co/a/b/tree/refs%2Fpr%2F1",
                "a/b@refs/pr/1 []",
            ),
            (
                "https://huggingface.co/a/b/blob/main/x/m.gguf?download=true",
                "a/b [x/m.gguf]",
            ),
            (
                "https://huggingface.co/a/b/resolve/v1/m.gguf",
                "a/b@v1 [m.gguf]",
            ),
            ("https://example.org/a/b/resolve/v1/m.gguf", "url m.gguf"),
            ("https://example.org/dir/m%20x.gguf?y", "url m_20x.gguf"),
        ] {
            assert_eq!(read(text), expected);
        }
        assert!(read("ftp://example.org/m.gguf").contains("expected https or http"));
        assert!(read("m.gguf").contains("expected owner/name"));
        let folder: Address = "https://example.org/".parse().unwrap();
        assert!(
            file_name(&folder)
                .unwrap_err()
                .to_string()
                .contains("name of a file")
        );
    }

    #[test]
    fn two_addresses_never_share_a_folder() {
        let place = |text: &str| UrlPlace::new(Path::new("u"), &text.parse().unwrap()).unwrap();
        let (one, other) = (place("https://a/m.gguf"), place("https://a/m.gguf?v=2"));
        assert_ne!(one.file(""), other.file(""));
        assert!(one.file("").starts_with("u") && one.file("").ends_with("m.gguf"));
    }
}
