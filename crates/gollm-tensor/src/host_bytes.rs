//! Read-only bytes in host memory, shared without copying.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A range of bytes that someone keeps alive: a vector, a mapped file, or part of either.
///
/// Cloning and slicing copy no bytes. A memory-mapped model file is one owner and each of its
/// tensors a range of it, so a weight is read from the page cache where it lies.
#[derive(Clone)]
pub struct HostBytes {
    owner: Arc<dyn AsRef<[u8]> + Send + Sync>,
    range: Range<usize>,
    release: Option<Release>,
}

/// Lets go of the memory behind a range of an owner's bytes.
type Release = Arc<dyn Fn(Range<usize>) + Send + Sync>;

impl HostBytes {
    /// Takes ownership of anything that can show its bytes.
    ///
    /// The owner must show the same bytes each time; if it ever shows fewer, the missing ones read
    /// as an empty slice rather than out of bounds.
    pub fn new(owner: impl AsRef<[u8]> + Send + Sync + 'static) -> Self {
        let range = 0..owner.as_ref().len();
        Self {
            owner: Arc::new(owner),
            range,
            release: None,
        }
    }

    /// As [`HostBytes::new`], for an owner that can bring its bytes back when they are read again: a
    /// mapped file. `release` lets go of the memory behind a range of them.
    pub fn with_release(
        owner: impl AsRef<[u8]> + Send + Sync + 'static,
        release: impl Fn(Range<usize>) + Send + Sync + 'static,
    ) -> Self {
        Self {
            release: Some(Arc::new(release)),
            ..Self::new(owner)
        }
    }

    /// Says that these bytes are not needed for now, because a backend has made its own copy: a mapped
    /// file then takes no memory for them. They stay readable.
    pub fn release(&self) {
        if let Some(release) = &self.release {
            release(self.range.clone());
        }
    }

    /// The bytes `range` of this range, or `None` where it reaches past the end.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Option<Self> {
        if range.start > range.end || range.end > self.len() {
            return None;
        }
        let start = self.range.start + range.start;
        let end = self.range.start + range.end;
        Some(Self {
            owner: Arc::clone(&self.owner),
            range: start..end,
            release: self.release.clone(),
        })
    }

    /// The bytes themselves.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        (*self.owner)
            .as_ref()
            .get(self.range.clone())
            .unwrap_or_default()
    }

    /// How many bytes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.range.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.range.is_empty()
    }
}

impl fmt::Debug for HostBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HostBytes({} bytes)", self.len())
    }
}

impl From<Vec<u8>> for HostBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(bytes)
    }
}
