//! Repository names: `owner/name`.

use std::fmt;
use std::str::FromStr;

use crate::names::{NameError, check_part};

/// A repository of models: `owner/name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    owner: String,
    name: String,
}

impl Repository {
    /// The directory of the cache that holds it: `models--owner--name`.
    #[must_use]
    pub fn directory(&self) -> String {
        format!("models--{}--{}", self.owner, self.name)
    }
}

impl FromStr for Repository {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let refused = |problem| NameError::new("repository name", text, problem);
        let Some((owner, name)) = text.split_once('/') else {
            return Err(refused("expected owner/name"));
        };
        if text.len() > 96 {
            return Err(refused("it has more than 96 characters"));
        }
        for part in [owner, name] {
            check_part(part).map_err(refused)?;
            if part.starts_with(['-', '.']) || part.ends_with(['-', '.']) {
                return Err(refused("a part starts or ends with - or ."));
            }
        }
        // The cache joins both parts with `--`.
        if text.contains("--") || text.contains("..") {
            return Err(refused("it contains -- or .."));
        }
        let (owner, name) = (owner.to_owned(), name.to_owned());
        Ok(Self { owner, name })
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_has_an_owner_and_a_name() {
        let repository: Repository = "Org-1/Model_2.5-it".parse().unwrap();
        assert_eq!(repository.directory(), "models--Org-1--Model_2.5-it");
        assert_eq!(repository.to_string(), "Org-1/Model_2.5-it");
        for wrong in [
            "name", "a/b/c", "a--b/c", "a/b..c", "-a/b", "a/b-", ".a/b", "a/b.", "/b", "a/",
            "a/b c", "../b", "a/..",
        ] {
            assert!(wrong.parse::<Repository>().is_err(), "{wrong}");
        }
        assert!(
            format!("a/{}", "b".repeat(95))
                .parse::<Repository>()
                .is_err()
        );
    }
}
