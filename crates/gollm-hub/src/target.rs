//! Argument of `gollm pull`: a repository, or an address.

use crate::address::Address;
use crate::error::Result;
use crate::model_ref::ModelReference;
use crate::names::{FileName, Revision};
use crate::pulled::Wanted;
use crate::repository::Repository;

/// What an argument of `gollm pull` names.
#[derive(Debug, Clone)]
pub enum Target {
    /// A repository.
    Repository(Wanted),
    /// A file somewhere else.
    Url(Address),
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
            Ok(Target::Url(address)) => format!("url {address}"),
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
            (
                "https://example.org/a/b/resolve/v1/m.gguf",
                "url https://example.org/a/b/resolve/v1/m.gguf",
            ),
            (
                "https://example.org/dir/m%20x.gguf?y",
                "url https://example.org/dir/m%20x.gguf",
            ),
        ] {
            assert_eq!(read(text), expected);
        }
        assert!(read("ftp://example.org/m.gguf").contains("expected https or http"));
        assert!(read("m.gguf").contains("expected owner/name"));
    }
}
