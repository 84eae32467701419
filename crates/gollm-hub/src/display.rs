//! File lists in error messages.

use crate::choice::Listed;

/// How many files a message lists.
const N_SHOWN: usize = 24;

impl Listed {
    pub(crate) fn name_and_size(&self) -> String {
        name_and_size(self.name.as_str(), self.size)
    }
}

/// A name with its size.
pub(crate) fn name_and_size(name: &str, size: Option<u64>) -> String {
    let size = size.map(|size| format!("  {:.1} MB", size as f64 / 1e6));
    format!("{name}{}", size.unwrap_or_default())
}

/// What there is, one on each line.
pub(crate) fn lines(entries: impl ExactSizeIterator<Item = String>) -> String {
    let n_more = entries.len().saturating_sub(N_SHOWN);
    let mut text = String::new();
    for entry in entries.take(N_SHOWN) {
        text.push_str(&format!("\n  {entry}"));
    }
    match n_more {
        0 => text,
        _ => text + &format!("\n  and {n_more} more"),
    }
}
