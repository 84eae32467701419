//! Compiled kernels kept on disk, so that the compiler is needed once for each GPU and version.
//!
//! A file holds a mark, the checksum of the code, and the code. Its name is the source, the architecture
//! and the checksum of everything that the code depends on. A file that is damaged, or was written by
//! something else, is as good as none. The cache never makes anything fail: a folder that cannot be
//! written to costs time at the next start, which the description of the device shows.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What a file of this cache begins with, and its version.
const MARK: &[u8; 16] = b"gollm cubin 1\n\0\0";
const CHECKSUM_LEN: usize = 32;

/// Everything that compiled code depends on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key<'a> {
    /// The name of the source.
    pub(super) file: &'a str,
    /// All of its text.
    pub(super) source: &'a str,
    /// `sm_52`.
    pub(super) sm: &'a str,
    /// The compiler's version.
    pub(super) nvrtc: (u32, u32),
    /// What else the compiler is told.
    pub(super) options: &'a [&'a str],
}

impl Key<'_> {
    fn file_name(&self) -> String {
        let Self {
            file,
            source,
            sm,
            nvrtc,
            options,
        } = *self;
        let (major, minor) = nvrtc;
        let mut hasher = blake3::Hasher::new();
        let version = format!("{major}.{minor}");
        for part in [file, sm, &version].iter().chain(options).chain([&source]) {
            // The length first, so that no two lists of parts read alike.
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        let hash = hasher.finalize().to_hex();
        let stem = file.trim_end_matches(".cu");
        format!("{stem}-{sm}-{}.cubin", &hash[..20])
    }
}

/// A folder of compiled kernels; none: nothing is kept.
#[derive(Debug, Clone)]
pub(super) struct CubinCache(Option<PathBuf>);

impl CubinCache {
    /// The folder that was asked for, or the user's own.
    pub(super) fn new(folder: Option<&Path>) -> Self {
        Self(folder.map(Path::to_path_buf).or_else(users_folder))
    }

    /// The code that was kept, if it is whole.
    pub(super) fn get(&self, key: &Key<'_>) -> Option<Vec<u8>> {
        let bytes = fs::read(self.0.as_ref()?.join(key.file_name())).ok()?;
        let rest = bytes.strip_prefix(MARK)?;
        let (checksum, cubin) = rest.split_at_checked(CHECKSUM_LEN)?;
        (blake3::hash(cubin).as_bytes() == checksum).then(|| cubin.to_vec())
    }

    /// Keeps code: written beside its place and then moved there in one step, so that a program that
    /// starts at the same time sees all of it or nothing.
    pub(super) fn put(&self, key: &Key<'_>, cubin: &[u8]) -> io::Result<()> {
        let Some(folder) = &self.0 else {
            return Err(io::Error::other("there is no home folder"));
        };
        fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        for part in [&MARK[..], blake3::hash(cubin).as_bytes(), cubin] {
            file.write_all(part)?;
        }
        file.persist(folder.join(key.file_name()))?;
        Ok(())
    }
}

/// `gollm/kernels` in the folder that the system keeps for what can be made again.
fn users_folder() -> Option<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty());
    let home = || set("HOME").map(|home| Path::new(&home).join(".cache"));
    let folder = set("XDG_CACHE_HOME").or_else(|| set("LOCALAPPDATA"));
    let folder = folder.map(PathBuf::from).or_else(home)?;
    Some(folder.join("gollm").join("kernels"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key<'static> = Key {
        file: "add.cu",
        source: "text",
        sm: "sm_52",
        nvrtc: (12, 4),
        options: &["-a", "-b"],
    };

    fn cache() -> (tempfile::TempDir, CubinCache) {
        let folder = tempfile::tempdir().unwrap();
        let cache = CubinCache::new(Some(&folder.path().join("made/when/needed")));
        (folder, cache)
    }

    fn path(cache: &CubinCache) -> PathBuf {
        cache.0.as_ref().unwrap().join(KEY.file_name())
    }

    #[test]
    fn what_was_put_is_found_again() {
        let (_folder, cache) = cache();
        assert_eq!(cache.get(&KEY), None);
        cache.put(&KEY, b"code").unwrap();
        assert_eq!(cache.get(&KEY).unwrap(), b"code");
        cache.put(&KEY, b"other").unwrap();
        assert_eq!(cache.get(&KEY).unwrap(), b"other");
        // And nothing else was left behind.
        assert_eq!(
            path(&cache).parent().unwrap().read_dir().unwrap().count(),
            1
        );
    }

    #[test]
    fn each_part_of_the_key_counts() {
        let others = [
            Key {
                file: "sub.cu",
                ..KEY
            },
            Key {
                source: "texts",
                ..KEY
            },
            Key { sm: "sm_90", ..KEY },
            Key {
                nvrtc: (12, 5),
                ..KEY
            },
            Key {
                options: &["-a-b"],
                ..KEY
            },
            Key {
                options: &["-a", "-b", ""],
                ..KEY
            },
        ];
        for other in others {
            assert_ne!(other.file_name(), KEY.file_name(), "{other:?}");
        }
        assert!(KEY.file_name().starts_with("add-sm_52-"));
    }

    #[test]
    fn a_damaged_file_is_as_good_as_none() {
        let (_folder, cache) = cache();
        cache.put(&KEY, b"code").unwrap();
        let whole = fs::read(path(&cache)).unwrap();
        for cut in 0..whole.len() {
            fs::write(path(&cache), &whole[..cut]).unwrap();
            assert_eq!(cache.get(&KEY), None, "cut at {cut}");
        }
        for i in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[i] ^= 1;
            fs::write(path(&cache), damaged).unwrap();
            assert_eq!(cache.get(&KEY), None, "damaged at {i}");
        }
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_an_error_of_put_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), b"").unwrap();
        let cache = CubinCache::new(Some(&folder.path().join("file/below")));
        assert!(cache.put(&KEY, b"code").is_err());
        assert_eq!(cache.get(&KEY), None);
    }
}
