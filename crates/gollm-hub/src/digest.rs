//! File hashes of a repository: SHA-256 for large files, git's SHA-1 for small ones.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};

use crate::error::{Error, Result};

/// The hash of a file, in lower-case hexadecimal.
///
/// SHA-1 does not keep a determined attacker from making two files of one hash. It is what git has
/// for its small files, so it guards against damage; who changes them on purpose is kept out by
/// TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Digest {
    /// SHA-256 of the bytes: files in Git LFS and its successors, 64 digits.
    Sha256(String),
    /// SHA-1 of `blob LENGTH\0` and the bytes: files in git itself, 40 digits.
    GitBlob(String),
}

impl Digest {
    /// Reads 64 or 40 hexadecimal digits.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        match text.len() {
            64 if is_hex => Some(Self::Sha256(text)),
            40 if is_hex => Some(Self::GitBlob(text)),
            _ => None,
        }
    }

    /// The digits, which are the name of the blob.
    #[must_use]
    pub fn hex(&self) -> &str {
        match self {
            Self::Sha256(hex) | Self::GitBlob(hex) => hex,
        }
    }

    /// The hash of the same kind of a file on the disk. `at` is told how far it is; where it
    /// returns an error, that is the result.
    pub(crate) fn of_file(&self, path: &Path, at: &dyn Fn(u64) -> Result<()>) -> Result<Self> {
        let failed = |error| Error::io("read", path, error);
        let mut file = File::open(path).map_err(failed)?;
        let mut context = Context::new(match self {
            Self::Sha256(_) => &SHA256,
            Self::GitBlob(_) => &SHA1_FOR_LEGACY_USE_ONLY,
        });
        if let Self::GitBlob(_) = self {
            let size = file.metadata().map_err(failed)?.len();
            context.update(format!("blob {size}\0").as_bytes());
        }
        let mut buffer = vec![0; 1 << 20];
        let mut n_bytes = 0;
        loop {
            at(n_bytes)?;
            match file.read(&mut buffer).map_err(failed)? {
                0 => break,
                n => {
                    context.update(&buffer[..n]);
                    n_bytes += n as u64;
                }
            }
        }
        let digest = context.finish();
        let hex = digest.as_ref().iter().map(|byte| format!("{byte:02x}"));
        let hex: String = hex.collect();
        Ok(match self {
            Self::Sha256(_) => Self::Sha256(hex),
            Self::GitBlob(_) => Self::GitBlob(hex),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_sha256sum_and_git_hash_object() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "hello\n").unwrap();
        for hex in [
            "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03",
            "ce013625030ba8dba906f756967f9e9ca394464a",
        ] {
            let expected = Digest::from_hex(hex).unwrap();
            assert_eq!(expected.of_file(&path, &|_| Ok(())).unwrap(), expected);
        }
    }

    #[test]
    fn only_hexadecimal_of_a_known_length_is_a_hash() {
        for wrong in [
            "",
            "main",
            &"g".repeat(64),
            &"a".repeat(63),
            &"../".repeat(16),
        ] {
            assert_eq!(Digest::from_hex(wrong), None, "{wrong}");
        }
        assert_eq!(
            Digest::from_hex(&"A".repeat(40)).unwrap().hex(),
            "a".repeat(40)
        );
    }
}
