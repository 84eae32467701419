//! Model references: `owner/name`, `owner/name@revision`, `owner/name:Q4_0`.

use std::fmt;
use std::str::FromStr;

use crate::names::{FileName, NameError, Revision};
use crate::repository::Repository;

/// A model in a repository, as `gollm pull` and `-m` take it: `owner/name[@revision][:CHOICE]`.
///
/// CHOICE picks one of several model files, by its name or by the type in its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelReference {
    /// Whose and which.
    pub repository: Repository,
    /// Which state of it.
    pub revision: Revision,
    /// A file, or a type such as `Q4_0` that the name of a GGUF file ends with.
    pub choice: Option<FileName>,
}

impl FromStr for ModelReference {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let (text, choice) = match text.split_once(':') {
            Some((text, choice)) => (text, Some(choice.parse()?)),
            None => (text, None),
        };
        let (repository, revision) = match text.split_once('@') {
            Some((repository, revision)) => (repository, revision.parse()?),
            None => (text, Revision::default()),
        };
        Ok(Self {
            repository: repository.parse()?,
            revision,
            choice,
        })
    }
}

impl fmt::Display for ModelReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.repository)?;
        if self.revision != Revision::default() {
            write!(f, "@{}", self.revision)?;
        }
        match &self.choice {
            Some(choice) => write!(f, ":{choice}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_and_written() {
        for text in ["a/b", "a/b@v1", "a/b:Q4_0", "a/b@refs/pr/1:dir/model.gguf"] {
            let reference: ModelReference = text.parse().unwrap();
            assert_eq!(reference.to_string(), text);
        }
        let reference: ModelReference = "a/b@refs/pr/1:Q8_0".parse().unwrap();
        assert_eq!(reference.revision.as_str(), "refs/pr/1");
        assert_eq!(reference.choice.unwrap().as_str(), "Q8_0");
        assert_eq!(
            "a/b@main".parse::<ModelReference>().unwrap().to_string(),
            "a/b"
        );
    }

    #[test]
    fn paths_are_no_references() {
        for path in [
            "model.gguf",
            "./a/b",
            "/a/b",
            "../a",
            "a/b/c",
            "a/b:",
            "a/b@",
            "C:\\a",
            "",
        ] {
            assert!(path.parse::<ModelReference>().is_err(), "{path}");
        }
    }
}
