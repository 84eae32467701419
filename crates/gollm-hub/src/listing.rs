//! Repository listing: one request for the names, lengths and hashes of all files.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};

use crate::address::Address;
use crate::choice::Listed;
use crate::client::{Client, Request};
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::failures::wrong;
use crate::limits::Limits;
use crate::names::{FileName, Revision, is_commit};
use crate::repository::Repository;

/// A state of a repository.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) commit: String,
    pub(crate) files: Vec<RemoteFile>,
    /// How many files have names that are not used here.
    pub(crate) n_refused: usize,
}

/// A file as the server describes it.
#[derive(Debug, Clone)]
pub(crate) struct RemoteFile {
    pub(crate) listed: Listed,
    pub(crate) digest: Option<Digest>,
}

#[derive(Deserialize)]
struct Info {
    sha: String,
    #[serde(deserialize_with = "bounded")]
    siblings: Vec<Sibling>,
}

#[derive(Deserialize)]
struct Sibling {
    rfilename: String,
    size: Option<u64>,
    #[serde(rename = "blobId")]
    blob_id: Option<String>,
    lfs: Option<Lfs>,
}

#[derive(Deserialize)]
struct Lfs {
    size: Option<u64>,
    sha256: Option<String>,
}

/// Asks for the files of a repository.
pub(crate) fn request(
    client: &Client,
    endpoint: &Address,
    repository: &Repository,
    revision: &Revision,
) -> Result<Listing> {
    let revision = revision.as_str().replace('/', "%2F");
    let address = at(
        endpoint,
        &format!("/api/models/{repository}/revision/{revision}?blobs=true"),
    )?;
    let request = Request {
        body_timeout: Some(client.limits.listing),
        ..Request::default()
    };
    let mut response = client.send(&address, request)?;
    let body = response
        .body
        .with_config()
        .limit(Limits::MAX_LISTING)
        .read_to_vec();
    let body = body.map_err(|error| match error {
        ureq::Error::BodyExceedsLimit(limit) => wrong(
            &response.address,
            "the list of files is too long",
            format!("{limit} bytes"),
            "more",
        ),
        error => client.failure(&response.address, error, 0),
    })?;
    parse(&body).map_err(|problem| {
        let expected = "a list of files as huggingface.co/api gives it";
        wrong(
            &response.address,
            "the list of files cannot be used",
            expected,
            &problem,
        )
    })
}

/// The endpoint may have a path of its own, as mirrors behind one host have.
pub(crate) fn at(endpoint: &Address, target: &str) -> Result<Address> {
    endpoint.at(&format!(
        "{}{target}",
        endpoint.path().trim_end_matches('/')
    ))
}

fn parse(body: &[u8]) -> Result<Listing, String> {
    let info: Info = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    if !is_commit(&info.sha) {
        return Err(format!("commit {}", info.sha));
    }
    let n_listed = info.siblings.len();
    let mut files: Vec<RemoteFile> = info.siblings.into_iter().filter_map(remote_file).collect();
    let n_refused = n_listed - files.len();
    files.sort_by(|a, b| a.listed.name.cmp(&b.listed.name));
    if let Some(twice) = files
        .windows(2)
        .find(|two| two[0].listed.name == two[1].listed.name)
    {
        return Err(format!("{} twice", twice[0].listed.name));
    }
    Ok(Listing {
        commit: info.sha,
        files,
        n_refused,
    })
}

/// None if the name is not one that we use.
fn remote_file(sibling: Sibling) -> Option<RemoteFile> {
    let name: FileName = sibling.rfilename.parse().ok()?;
    let (size, hash) = match sibling.lfs {
        // What git itself holds of such a file is a note of where the bytes are, not the bytes.
        Some(lfs) => (lfs.size.or(sibling.size), lfs.sha256),
        None => (sibling.size, sibling.blob_id),
    };
    let digest = hash.and_then(|hash| Digest::from_hex(&hash));
    Some(RemoteFile {
        listed: Listed { name, size },
        digest,
    })
}

/// Where the bytes of a file are.
pub(crate) fn address_of(
    endpoint: &Address,
    repository: &Repository,
    commit: &str,
    name: &FileName,
) -> Result<Address> {
    at(endpoint, &format!("/{repository}/resolve/{commit}/{name}"))
}

/// Reads a list, and stops where it is longer than any repository's.
fn bounded<'de, D: Deserializer<'de>>(parser: D) -> Result<Vec<Sibling>, D::Error> {
    struct Bounded;
    impl<'de> Visitor<'de> for Bounded {
        type Value = Vec<Sibling>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of files")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
            let mut files = Vec::new();
            while let Some(file) = items.next_element()? {
                if files.len() == Limits::MAX_FILES {
                    let message = format!("more than {} files", Limits::MAX_FILES);
                    return Err(serde::de::Error::custom(message));
                }
                files.push(file);
            }
            Ok(files)
        }
    }
    parser.deserialize_seq(Bounded)
}

impl RemoteFile {
    /// Length and hash, which every file has once it was asked about.
    pub(crate) fn known(&self) -> Result<(u64, &Digest)> {
        match (self.listed.size, &self.digest) {
            (Some(size), Some(digest)) => Ok((size, digest)),
            _ => Err(Error::Setting {
                name: "HF_ENDPOINT",
                problem: format!(
                    "the server gives no length and hash of {}",
                    self.listed.name
                ),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    #[test]
    fn a_list_is_read_and_names_that_lead_elsewhere_are_left_out() {
        let sha256 = "a".repeat(64);
        let json = format!(
            r#"{{"id":"a/b","sha":"{COMMIT}","tags":["x"],"siblings":[
            {{"rfilename":"m.gguf","size":130,"blobId":"{COMMIT}","lfs":{{"size":9,"sha256":"{sha256}","pointerSize":130}}}},
            {{"rfilename":"config.json","size":3,"blobId":"{COMMIT}"}},
            {{"rfilename":"../../etc/passwd","size":3,"blobId":"{COMMIT}"}}]}}"#
        );
        let listing = parse(json.as_bytes()).unwrap();
        assert_eq!((listing.commit.as_str(), listing.n_refused), (COMMIT, 1));
        let [config, model] = &listing.files[..] else {
            panic!("{listing:?}");
        };
        assert_eq!(
            config.known().unwrap(),
            (3, &Digest::GitBlob(COMMIT.to_owned()))
        );
        assert_eq!(model.known().unwrap(), (9, &Digest::Sha256(sha256)));
    }

    #[test]
    fn bombs_and_nonsense_are_errors() {
        let deep = format!(r#"{{"sha":"{COMMIT}","x":{}"#, "[".repeat(1 << 20));
        let file = r#"{"rfilename":"a"},"#.repeat(Limits::MAX_FILES + 1);
        let many = format!(r#"{{"sha":"{COMMIT}","siblings":[{file}{{"rfilename":"a"}}]}}"#);
        let twice =
            format!(r#"{{"sha":"{COMMIT}","siblings":[{{"rfilename":"a"}},{{"rfilename":"a"}}]}}"#);
        let path = r#"{"sha":"../../x","siblings":[]}"#.to_owned();
        let negative =
            format!(r#"{{"sha":"{COMMIT}","siblings":[{{"rfilename":"a","size":-1}}]}}"#);
        for (json, message) in [
            (deep, "EOF"),
            (many, "more than 50000 files"),
            (twice, "a twice"),
            (path, "commit"),
            (negative, "-1"),
            ("<html>".to_owned(), "expected value"),
            (String::new(), "EOF"),
        ] {
            let error = parse(json.as_bytes()).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
    }
}
