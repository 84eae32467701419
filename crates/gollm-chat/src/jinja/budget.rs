//! Budgets of one rendering: bytes that the template makes, and work, which is bytes made or read.
//!
//! The engine counts instructions (*fuel*), but one instruction can double a text, and forty of
//! them make a terabyte of one character; another reads megabytes and makes one number of them. So
//! whatever makes or reads a value is charged here first.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use minijinja::value::{ObjectRepr, ValueKind};
use minijinja::{Error, ErrorKind, Value};

/// What an entry of a list or a map counts for, besides its text.
pub(crate) const NODE_BYTES: usize = 24;
/// How deep lists and maps may lie in each other.
const MAX_DEPTH: usize = 24;
/// No published template comes near: this ends what fuel, bytes and work did not foresee.
const TIME_LIMIT: Duration = Duration::from_secs(2);

/// What is left for one rendering, and when it must be over.
#[derive(Debug)]
pub(crate) struct Budget {
    bytes: AtomicU64,
    work: AtomicU64,
    deadline: Instant,
}

impl Budget {
    pub(crate) fn new(n_bytes: usize, work: usize) -> Self {
        Self {
            bytes: AtomicU64::new(n_bytes as u64),
            work: AtomicU64::new(work as u64),
            deadline: Instant::now() + TIME_LIMIT,
        }
    }

    /// Charges `n_bytes` that are about to be made.
    pub(crate) fn take(&self, n_bytes: usize) -> Result<(), Error> {
        self.check_time()?;
        self.charge(n_bytes, true)
    }

    /// Charges `n_bytes` that are about to be read.
    pub(crate) fn read(&self, n_bytes: usize) -> Result<(), Error> {
        self.check_time()?;
        self.charge(n_bytes, false)
    }

    /// Charges a value that was made, and all that it holds as often as it holds it.
    pub(crate) fn take_value(&self, value: &Value) -> Result<(), Error> {
        self.check_time()?;
        self.walk(value, 0, Walk::MADE)
    }

    /// Charges a value that is about to be read to its last character.
    pub(crate) fn read_value(&self, value: &Value) -> Result<(), Error> {
        self.check_time()?;
        self.walk(value, 0, Walk::READ)
    }

    /// As [`Self::read_value`]; what was charged.
    pub(crate) fn size(&self, value: &Value) -> Result<usize, Error> {
        let before = self.work.load(Ordering::Relaxed);
        self.read_value(value)?;
        let n_bytes = before.saturating_sub(self.work.load(Ordering::Relaxed));
        Ok(usize::try_from(n_bytes).unwrap_or(usize::MAX))
    }

    /// As [`Self::take_value`], for a value that a namespace is to hold. Namespaces are the only
    /// values that change, so one inside another could come to hold itself.
    pub(crate) fn take_for_namespace(&self, value: &Value) -> Result<(), Error> {
        self.check_time()?;
        self.walk(value, 0, Walk::FOR_NAMESPACE)
    }

    /// Charges a value that was made, and turns a lazy one into a list: lazy values that lie in
    /// each other would be computed again by each reader, as deep in the stack as they lie.
    pub(crate) fn keep(&self, value: Value) -> Result<Value, Error> {
        self.take_value(&value)?;
        let object = value.as_object();
        if object.is_none_or(|object| object.repr() != ObjectRepr::Iterable) {
            return Ok(value);
        }
        let items: Result<Vec<Value>, Error> = value.try_iter()?.checked().collect();
        items.map(Value::from)
    }

    /// Work that is left.
    #[cfg(test)]
    pub(crate) fn work_left(&self) -> u64 {
        self.work.load(Ordering::Relaxed)
    }

    fn check_time(&self) -> Result<(), Error> {
        if Instant::now() > self.deadline {
            return Err(refused("it takes too long; gollm stopped it"));
        }
        Ok(())
    }

    fn charge(&self, n_bytes: usize, is_made: bool) -> Result<(), Error> {
        // One rendering is one thread.
        let spend = |left: &AtomicU64| {
            let rest = left.load(Ordering::Relaxed).checked_sub(n_bytes as u64)?;
            left.store(rest, Ordering::Relaxed);
            Some(())
        };
        if is_made {
            spend(&self.bytes).ok_or_else(|| {
                refused("it makes more text than a conversation needs; gollm stopped it")
            })?;
        }
        spend(&self.work).ok_or_else(|| {
            refused("it reads more text than a conversation needs; gollm stopped it")
        })
    }

    fn walk(&self, value: &Value, depth: usize, walk: Walk) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Err(refused("it nests lists and maps too deeply"));
        }
        let n_bytes = NODE_BYTES + value.as_str().map_or(0, str::len);
        self.charge(n_bytes, walk.is_made)?;
        let Some(object) = value.as_object() else {
            return Ok(());
        };
        if walk.for_namespace && is_namespace(value) {
            return Err(refused("it puts a namespace into a namespace"));
        }
        match object.repr() {
            ObjectRepr::Map => {
                for (key, value) in object.try_iter_pairs().into_iter().flatten() {
                    self.walk(&key, depth + 1, walk)?;
                    self.walk(&value, depth + 1, walk)?;
                }
            }
            ObjectRepr::Seq | ObjectRepr::Iterable => {
                for item in value.try_iter()?.checked() {
                    self.walk(&item?, depth + 1, walk)?;
                }
            }
            // A function, for example.
            _ => {}
        }
        Ok(())
    }
}

/// What a value is walked through for.
#[derive(Debug, Clone, Copy)]
struct Walk {
    is_made: bool,
    for_namespace: bool,
}

impl Walk {
    const READ: Self = Self {
        is_made: false,
        for_namespace: false,
    };
    const MADE: Self = Self {
        is_made: true,
        for_namespace: false,
    };
    const FOR_NAMESPACE: Self = Self {
        is_made: true,
        for_namespace: true,
    };
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
