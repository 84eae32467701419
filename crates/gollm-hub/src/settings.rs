//! Settings of a pull: endpoint, access token, offline mode, certificates.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io::Read;
use std::path::Path;

use crate::address::Address;
use crate::environment::{CacheDirs, is_on};
use crate::error::{Error, Result};
use crate::limits::Limits;

/// A token longer than this is none.
const MAX_TOKEN: u64 = 4 << 10;

/// An access token. It is shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Takes a token as it stands in a file or variable.
    ///
    /// # Errors
    ///
    /// If it cannot be part of a header.
    pub fn new(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        if text.len() as u64 <= MAX_TOKEN && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(
                "expected one line of letters and digits, as huggingface.co/settings/tokens shows it",
            )
        }
    }

    /// The value of the header `Authorization`.
    pub(crate) fn header(&self) -> String {
        format!("Bearer {}", self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(hidden)")
    }
}

/// Whom to ask, as whom, and whether at all.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the repositories are.
    pub endpoint: Address,
    /// The access token, sent to `endpoint` only.
    pub token: Option<Token>,
    /// Whether the network is forbidden.
    pub offline: bool,
    /// Whether snapshots hold copies instead of links.
    pub no_symlinks: bool,
    /// Whether `http` is taken from hosts other than this machine.
    pub insecure_http: bool,
    /// Certificates to trust instead of the built-in list, as PEM.
    pub certificates: Option<Vec<u8>>,
    /// Bounds of time and size.
    pub limits: Limits,
}

impl Settings {
    /// Reads `HF_ENDPOINT`, `HF_TOKEN` (or the file of a login), `HF_HUB_OFFLINE`,
    /// `HF_HUB_DISABLE_SYMLINKS`, `HF_HUB_DISABLE_IMPLICIT_TOKEN` and `SSL_CERT_FILE`.
    ///
    /// # Errors
    ///
    /// If one of them cannot be used.
    pub fn from_environment(dirs: &CacheDirs) -> Result<Self> {
        let get = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
        let endpoint = text("HF_ENDPOINT", get("HF_ENDPOINT"))?;
        let endpoint = endpoint.as_deref().unwrap_or("https://huggingface.co");
        let endpoint = endpoint.trim_end_matches('/').parse();
        let certificates = get("SSL_CERT_FILE").map(|path| {
            let path = Path::new(&path);
            fs::read(path).map_err(|error| Error::io("read", path, error))
        });
        Ok(Self {
            endpoint: endpoint.map_err(|error: Error| Error::Setting {
                name: "HF_ENDPOINT",
                problem: error.to_string(),
            })?,
            token: if is_on(get("HF_HUB_DISABLE_IMPLICIT_TOKEN")) {
                None
            } else {
                token(&get, &dirs.token_file)?
            },
            offline: is_on(get("HF_HUB_OFFLINE").or_else(|| get("TRANSFORMERS_OFFLINE"))),
            no_symlinks: is_on(get("HF_HUB_DISABLE_SYMLINKS")),
            insecure_http: false,
            certificates: certificates.transpose()?,
            limits: Limits::default(),
        })
    }
}

fn text(name: &'static str, value: Option<OsString>) -> Result<Option<String>> {
    let text = value.map(OsString::into_string).transpose();
    text.map_err(|_| Error::Setting {
        name,
        problem: "expected UTF-8 text".to_owned(),
    })
}

fn token(get: &dyn Fn(&str) -> Option<OsString>, file: &Path) -> Result<Option<Token>> {
    let checked = |name, text: &str| match text.trim() {
        "" => Ok(None),
        text => Token::new(text)
            .map(Some)
            .map_err(|problem| Error::Setting {
                name,
                problem: problem.to_owned(),
            }),
    };
    for name in ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"] {
        if let Some(value) = text(name, get(name))? {
            return checked(name, &value);
        }
    }
    let mut value = String::new();
    match fs::File::open(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("read", file, error)),
        Ok(found) => found.take(MAX_TOKEN + 1).read_to_string(&mut value),
    }
    .map_err(|error| Error::io("read", file, error))?;
    checked("the token file (HF_TOKEN_PATH)", &value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_word_and_is_never_shown() {
        let token = Token::new(" hf_secret\n").unwrap();
        assert_eq!(token.header(), "Bearer hf_secret");
        assert!(!format!("{token:?}").contains("secret"));
        let long = "x".repeat(5000);
        for wrong in ["a b", "a\r\nX: y", "é", &long] {
            assert!(!Token::new(wrong).unwrap_err().contains(wrong));
        }
    }

    #[test]
    fn the_variable_comes_before_the_file_and_an_empty_file_is_no_token() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        assert_eq!(token(&|_| None, &file).unwrap(), None);
        fs::write(&file, "hf_file\n").unwrap();
        assert_eq!(token(&|_| None, &file).unwrap(), Token::new("hf_file").ok());
        let variable = |name: &str| (name == "HF_TOKEN").then(|| OsString::from("hf_variable"));
        assert_eq!(
            token(&variable, &file).unwrap(),
            Token::new("hf_variable").ok()
        );
        fs::write(&file, "\n").unwrap();
        assert_eq!(token(&|_| None, &file).unwrap(), None);
    }
}
