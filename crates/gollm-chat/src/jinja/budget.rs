//! What a template may use up: bytes that it makes, and time.
//!
//! The engine counts instructions (*fuel*), but one instruction can double a text, and forty of them
//! make a terabyte of one character. So everything that makes a value asks here first.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use minijinja::value::{ObjectRepr, ValueKind};
use minijinja::{Error, ErrorKind, Value};

/// What a place in a list or a map counts for, besides its text.
const NODE_BYTES: usize = 24;
/// How deep lists and maps may lie in each other.
const MAX_DEPTH: usize = 24;
/// No published template comes near: this ends what fuel and bytes did not foresee.
const TIME_LIMIT: Duration = Duration::from_secs(5);

/// Bytes that are left for one rendering, and when it must be over.
#[derive(Debug)]
pub(crate) struct Budget {
    left: AtomicU64,
    deadline: Instant,
}

impl Budget {
    pub(crate) fn new(n_bytes: usize) -> Self {
        Self {
            left: AtomicU64::new(n_bytes as u64),
            deadline: Instant::now() + TIME_LIMIT,
        }
    }

    /// Counts `n_bytes` that are about to be made.
    pub(crate) fn take(&self, n_bytes: usize) -> Result<(), Error> {
        if Instant::now() > self.deadline {
            return Err(refused("it takes too long; gollm stopped it"));
        }
        self.count(n_bytes)
    }

    fn count(&self, n_bytes: usize) -> Result<(), Error> {
        let left = self.left.load(Ordering::Relaxed);
        let rest = left.checked_sub(n_bytes as u64).ok_or_else(|| {
            refused("it makes more text than a conversation needs; gollm stopped it")
        })?;
        // One rendering is one thread.
        self.left.store(rest, Ordering::Relaxed);
        Ok(())
    }

    /// Counts a value, and all that it holds as often as it holds it.
    pub(crate) fn take_value(&self, value: &Value) -> Result<(), Error> {
        self.take(0)?;
        self.walk(value, 0, false)
    }

    /// As [`Self::take_value`], for a value that a namespace is to hold. Namespaces are the only
    /// values that change, so one inside another could come to hold itself.
    pub(crate) fn take_for_namespace(&self, value: &Value) -> Result<(), Error> {
        self.take(0)?;
        self.walk(value, 0, true)
    }

    fn walk(&self, value: &Value, depth: usize, is_plain: bool) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Err(refused("it nests lists and maps too deeply"));
        }
        self.count(NODE_BYTES + value.as_str().map_or(0, str::len))?;
        let Some(object) = value.as_object() else {
            return Ok(());
        };
        if is_plain && is_namespace(value) {
            return Err(refused("it puts a namespace into a namespace"));
        }
        match object.repr() {
            ObjectRepr::Map => {
                for (key, value) in object.try_iter_pairs().into_iter().flatten() {
                    self.walk(&key, depth + 1, is_plain)?;
                    self.walk(&value, depth + 1, is_plain)?;
                }
            }
            ObjectRepr::Seq | ObjectRepr::Iterable => {
                for item in value.try_iter()?.checked() {
                    self.walk(&item?, depth + 1, is_plain)?;
                }
            }
            // A function, for example.
            _ => {}
        }
        Ok(())
    }
}

/// Whether a value is what `namespace()` made: the engine keeps the type itself to itself.
fn is_namespace(value: &Value) -> bool {
    value.kind() == ValueKind::Map
        && value
            .as_object()
            .is_some_and(|object| object.type_name().ends_with("::Namespace"))
}

/// What a template is told that goes too far.
pub(crate) fn refused(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}
