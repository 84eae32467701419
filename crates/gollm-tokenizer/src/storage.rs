//! The tokenizer on disk: tiktoken's rank file, and our metadata beside it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::json::{VERSION, check_version};
use crate::rank_file::{format_ranks, parse_ranks};
use crate::{Error, Pattern, Result, Tokenizer};

/// What a rank file leaves out. `NAME.json` beside the rank file `NAME`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Metadata {
    version: u64,
    pattern: Pattern,
    special_tokens: BTreeMap<String, u32>,
    /// [`fingerprint`] of the rank file; may be left out when the file is written by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ranks_fnv1a: Option<String>,
}

impl Tokenizer {
    /// Writes the rank file to `path`, and `path` with `.json` added beside it:
    ///
    /// ```json
    /// {"version": 1, "pattern": "cl100k", "special_tokens": {"<|eot_id|>": 4095},
    ///  "ranks_fnv1a": "0123456789abcdef"}
    /// ```
    ///
    /// Each file appears whole or not at all (temporary file, fsync, rename). The 64-bit
    /// FNV-1a hash of the rank file ties the two together.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if a file cannot be written; [`Error::Metadata`] for a vocabulary with merges of its
    /// own, which no rank file can hold.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let pattern = self.pattern().filter(|_| self.merges().is_none());
        let Some(pattern) = pattern else {
            let problem = "a rank file cannot hold a vocabulary with merges of its own, or with scores; \
                           keep it in its model file, or write the text of `to_json` to one file";
            return Err(Error::Metadata {
                problem: problem.to_owned(),
            });
        };
        let ranks = format_ranks(self.ranks());
        let metadata = Metadata {
            version: VERSION,
            pattern,
            special_tokens: self
                .special_tokens()
                .map(|(t, id)| (t.to_owned(), id))
                .collect(),
            ranks_fnv1a: Some(fingerprint(ranks.as_bytes())),
        };
        let mut json =
            serde_json::to_string_pretty(&metadata).map_err(|error| Error::Metadata {
                problem: error.to_string(),
            })?;
        json.push('\n');
        write_atomically(path, ranks.as_bytes())?;
        write_atomically(&metadata_path(path), json.as_bytes())
    }

    /// Reads what [`Tokenizer::save`] wrote, or a published rank file beside which somebody
    /// has put the metadata, or one file with the text of [`Tokenizer::to_json`], such as the
    /// `tokenizer.json` of a training run, or Hugging Face's file of that name.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if a file is missing or unreadable; [`Error::File`], with the path and the
    /// reason, if one is malformed, of a newer version, or if the two do not belong together.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let ranks = read_text(path)?;
        // No line of a rank file begins so: `{` is not a character of base64.
        if ranks.trim_start().starts_with('{') {
            return parse_json(&ranks).map_err(|source| in_file(path, source));
        }
        let metadata_path = metadata_path(path);
        let metadata = parse_metadata(&read_text(&metadata_path)?, &ranks)
            .map_err(|source| in_file(&metadata_path, source))?;
        let special_tokens = metadata.special_tokens.into_iter().collect();
        parse_ranks(&ranks)
            .and_then(|ranks| Tokenizer::new(ranks, metadata.pattern, special_tokens))
            .map_err(|source| in_file(path, source))
    }
}

fn parse_json(text: &str) -> Result<Tokenizer> {
    let value: Value = serde_json::from_str(text).map_err(|error| Error::Metadata {
        problem: format!("not JSON ({error})"),
    })?;
    // Hugging Face's file has the same name as ours.
    if value.get("kind").is_none() && value.get("model").is_some() {
        return Tokenizer::from_hf_json(&value, None, &[]);
    }
    Tokenizer::from_json(&value)
}

fn parse_metadata(json: &str, ranks: &str) -> Result<Metadata> {
    let metadata: Metadata = serde_json::from_str(json).map_err(|error| Error::Metadata {
        problem: format!(
            "{error}; expected an object like {{\"version\": 1, \"pattern\": \"cl100k\", \
             \"special_tokens\": {{}}}}"
        ),
    })?;
    check_version(metadata.version, VERSION)?;
    let found = fingerprint(ranks.as_bytes());
    match &metadata.ranks_fnv1a {
        Some(expected) if *expected != found => Err(Error::Metadata {
            problem: format!(
                "it belongs to a rank file with the fingerprint {expected}, but the one beside \
                 it has {found}; copy both files together, or save again"
            ),
        }),
        _ => Ok(metadata),
    }
}

fn metadata_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".json");
    PathBuf::from(name)
}

fn in_file(path: &Path, source: Error) -> Error {
    Error::File {
        path: path.to_owned(),
        source: Box::new(source),
    }
}

/// The largest published vocabularies take 35 MB; a device that never ends has more than this.
const MAX_FILE_BYTES: u64 = 128 << 20;

fn read_text(path: &Path) -> Result<String> {
    let read = || -> std::io::Result<String> {
        let mut bytes = Vec::new();
        let file = fs::File::open(path)?;
        file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            let message =
                format!("it has more than {MAX_FILE_BYTES} bytes, too many for a tokenizer");
            return Err(std::io::Error::new(
                std::io::ErrorKind::FileTooLarge,
                message,
            ));
        }
        String::from_utf8(bytes).map_err(|error| {
            let message = format!(
                "it is not valid UTF-8 from byte {} on",
                error.utf8_error().valid_up_to()
            );
            std::io::Error::new(std::io::ErrorKind::InvalidData, message)
        })
    };
    read().map_err(|source| Error::Io {
        action: "read",
        path: path.to_owned(),
        source,
    })
}

/// A reader of `path` sees the old file or the new one, never half of one.
fn write_atomically(path: &Path, contents: &[u8]) -> Result<()> {
    let write = || -> std::io::Result<()> {
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let mut builder = tempfile::Builder::new();
        // Temporary files are private by default; this one becomes an ordinary file.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut file = builder.tempfile_in(directory)?;
        file.write_all(contents)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        // The rename itself is durable only once the directory is.
        #[cfg(unix)]
        fs::File::open(directory)?.sync_all()?;
        Ok(())
    };
    write().map_err(|source| Error::Io {
        action: "write",
        path: path.to_owned(),
        source,
    })
}

/// FNV-1a, 64 bits, in hexadecimal: enough to notice two files that do not belong together.
///
/// Source: Fowler, Noll and Vo, <http://www.isthe.com/chongo/tech/comp/fnv/>.
fn fingerprint(bytes: &[u8]) -> String {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::{fingerprint, parse_metadata};
    use crate::rank_file::format_ranks;

    #[test]
    fn the_fingerprint_is_the_published_one() {
        // Test vectors of the FNV authors: <http://www.isthe.com/chongo/tech/comp/fnv/>.
        assert_eq!(fingerprint(b""), "cbf29ce484222325");
        assert_eq!(fingerprint(b"a"), "af63dc4c8601ec8c");
        assert_eq!(fingerprint(b"foobar"), "85944171f73967e8");
    }

    #[test]
    fn every_truncation_and_every_flipped_bit_of_the_ranks_is_noticed() {
        let ranks = format_ranks(&(0..=255).map(|byte| vec![byte]).collect::<Vec<_>>());
        let hash = fingerprint(ranks.as_bytes());
        let json = format!(
            r#"{{"version": 1, "pattern": "gpt2", "special_tokens": {{}}, "ranks_fnv1a": "{hash}"}}"#
        );
        assert!(parse_metadata(&json, &ranks).is_ok());
        for length in 0..ranks.len() {
            assert!(
                parse_metadata(&json, &ranks[..length]).is_err(),
                "cut to {length} bytes"
            );
        }
        // Only flips that leave the file ASCII: the others are not UTF-8 and fail earlier.
        for bit in (0..ranks.len() * 8).filter(|bit| bit % 8 != 7) {
            let mut damaged = ranks.clone().into_bytes();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let damaged = String::from_utf8(damaged).unwrap();
            assert!(parse_metadata(&json, &damaged).is_err(), "bit {bit}");
        }
    }
}
