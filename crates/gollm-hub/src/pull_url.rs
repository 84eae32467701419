//! Pull from a URL: downloads one file from any address.

use std::path::{Path, PathBuf};

use ring::digest::{SHA256, digest};

use crate::address::Address;
use crate::attempt::Job;
use crate::digest::Digest;
use crate::disk;
use crate::error::{Error, Result};
use crate::lock::lock;
use crate::names::FileName;
use crate::observer::{Event, Observer};
use crate::pull::Puller;

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
        let hash = digest(&SHA256, address.uri().to_string().as_bytes());
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
    /// Pulls one file. Without a hash that its owner has published nothing can tell whether it is
    /// the right one; its length is checked, and a rest is only asked for of the same file.
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
        let place = UrlPlace::new(&self.dirs.urls, address)?;
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
            let renamed = std::fs::rename(&incomplete, &path);
            renamed.map_err(|error| Error::io("write", &path, error))?;
            disk::remove(&validator)?;
        }
        let (size, hash) = job.measure(&path, expected.filter(|_| !was_here))?;
        if let Some(expected) = expected.filter(|expected| **expected != hash) {
            return Err(Error::AnotherFile {
                path,
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

impl Job<'_> {
    /// Length and SHA-256 of a complete file, the latter unless it is known.
    fn measure(&mut self, path: &Path, known: Option<&Digest>) -> Result<(u64, Digest)> {
        let metadata = std::fs::metadata(path).map_err(|error| Error::io("read", path, error))?;
        self.size = Some(metadata.len());
        let hash = match known {
            Some(known) => known.clone(),
            None => self.hash(path, &Digest::Sha256(String::new()))?,
        };
        Ok((metadata.len(), hash))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_the_end_of_the_path() {
        let name = |text: &str| file_name(&text.parse().unwrap()).map(|name| name.to_string());
        assert_eq!(
            name("https://example.org/dir/m%20x.gguf?y").unwrap(),
            "m_20x.gguf"
        );
        let message = name("https://example.org/").unwrap_err().to_string();
        assert!(message.contains("name of a file"), "{message}");
    }

    #[test]
    fn two_addresses_never_share_a_folder() {
        let place = |text: &str| UrlPlace::new(Path::new("u"), &text.parse().unwrap()).unwrap();
        let (one, other) = (place("https://a/m.gguf"), place("https://a/m.gguf?v=2"));
        assert_ne!(one.file(""), other.file(""));
        assert!(one.file("").starts_with("u") && one.file("").ends_with("m.gguf"));
    }
}
