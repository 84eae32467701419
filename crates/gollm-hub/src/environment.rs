//! Cache directories, from the environment variables that Hugging Face's own tools read, and ours.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The directories that are read and written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheDirs {
    /// The cache that Hugging Face's tools share.
    pub hub: PathBuf,
    /// Files from other URLs, for which that cache has no place.
    pub urls: PathBuf,
    /// Where a login of Hugging Face's tools leaves the access token.
    pub token_file: PathBuf,
}

impl CacheDirs {
    /// Reads `HF_HUB_CACHE`, `HF_HOME`, `HF_TOKEN_PATH`, `GOLLM_CACHE` and `XDG_CACHE_HOME`.
    ///
    /// # Errors
    ///
    /// Without any of them, if there is no home directory either.
    pub fn from_environment() -> Result<Self> {
        Self::from_variables(&|name| env::var_os(name), env::home_dir().as_deref())
    }

    /// As [`Self::from_environment`], for variables from elsewhere.
    ///
    /// # Errors
    ///
    /// If a place depends on a home directory and there is none.
    pub fn from_variables(
        get: &dyn Fn(&str) -> Option<OsString>,
        home: Option<&Path>,
    ) -> Result<Self> {
        let path = |name: &str| {
            let value = get(name).filter(|value| !value.is_empty());
            value.map(|value| under_home(PathBuf::from(value), home))
        };
        let need_home = || home.map(Path::to_owned).ok_or(Error::NoHome);
        let caches = || -> Result<PathBuf> {
            match path("XDG_CACHE_HOME") {
                Some(path) => Ok(path),
                None => Ok(need_home()?.join(".cache")),
            }
        };
        let hf_home = || -> Result<PathBuf> {
            match path("HF_HOME") {
                Some(path) => Ok(path),
                None => Ok(caches()?.join("huggingface")),
            }
        };
        Ok(Self {
            hub: match path("HF_HUB_CACHE").or_else(|| path("HUGGINGFACE_HUB_CACHE")) {
                Some(path) => path,
                None => hf_home()?.join("hub"),
            },
            urls: match path("GOLLM_CACHE") {
                Some(path) => path.join("urls"),
                None => caches()?.join("gollm").join("urls"),
            },
            token_file: match path("HF_TOKEN_PATH") {
                Some(path) => path,
                None => hf_home()?.join("token"),
            },
        })
    }
}

/// `~/x` as a shell would have read it, since these tools do so too.
fn under_home(path: PathBuf, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path,
    }
}

/// Whether a variable of Hugging Face's tools is switched on.
#[cfg(feature = "download")]
pub(crate) fn is_on(value: Option<OsString>) -> bool {
    value.is_some_and(|value| {
        let value = value.to_string_lossy().to_ascii_uppercase();
        matches!(value.as_str(), "1" | "ON" | "YES" | "TRUE")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache_dirs(variables: &[(&str, &str)]) -> CacheDirs {
        let get = |name: &str| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| OsString::from(value))
        };
        CacheDirs::from_variables(&get, Some(Path::new("/home/me"))).unwrap()
    }

    #[test]
    fn the_cache_is_where_hugging_faces_tools_have_it() {
        for (variables, hub) in [
            (&[][..], "/home/me/.cache/huggingface/hub"),
            (&[("XDG_CACHE_HOME", "/x")][..], "/x/huggingface/hub"),
            (
                &[("HF_HOME", "/hf"), ("XDG_CACHE_HOME", "/x")][..],
                "/hf/hub",
            ),
            (&[("HF_HUB_CACHE", "/c"), ("HF_HOME", "/hf")][..], "/c"),
            (&[("HUGGINGFACE_HUB_CACHE", "/old")][..], "/old"),
            (&[("HF_HOME", "~/hf")][..], "/home/me/hf/hub"),
            (&[("HF_HOME", "")][..], "/home/me/.cache/huggingface/hub"),
        ] {
            assert_eq!(cache_dirs(variables).hub, Path::new(hub), "{variables:?}");
        }
        assert_eq!(
            cache_dirs(&[("HF_HOME", "/hf")]).token_file,
            Path::new("/hf/token")
        );
        assert_eq!(
            cache_dirs(&[]).urls,
            Path::new("/home/me/.cache/gollm/urls")
        );
        assert_eq!(
            cache_dirs(&[("GOLLM_CACHE", "/g")]).urls,
            Path::new("/g/urls")
        );
    }

    #[test]
    fn without_a_home_the_message_names_the_variables() {
        let error = CacheDirs::from_variables(&|_| None, None).unwrap_err();
        assert!(error.to_string().contains("HF_HOME"), "{error}");
    }
}
