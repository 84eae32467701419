//! Download limits: bounds of time, size and retries for everything that a server controls.

use std::time::Duration;

/// Bounds of a pull. The defaults suit a slow line; tests have shorter ones.
#[derive(Debug, Clone)]
pub struct Limits {
    /// For finding a host and connecting to it, each.
    pub connect: Duration,
    /// For the head of an answer, from the request on.
    pub answer: Duration,
    /// For a list of files, from its first byte to its last.
    pub listing: Duration,
    /// A body of which less than [`Self::MIN_BYTES`] came in this time has stalled.
    pub stall: Duration,
    /// How often in a row something may fail without bringing the file forward, before we give up.
    pub retries: u32,
    /// The wait before the second try; each further one takes twice as long.
    pub first_wait: Duration,
    /// The longest wait. A server that asks for a longer one is not asked again. Hugging Face
    /// counts requests in windows of five minutes.
    pub longest_wait: Duration,
}

impl Limits {
    /// What must come while [`Self::stall`] passes.
    pub const MIN_BYTES: u64 = 4 << 10;
    /// What must have come for a try not to count as failed.
    pub(crate) const PROGRESS: u64 = 1 << 20;
    /// The longest head of an answer.
    pub(crate) const MAX_HEAD: usize = 64 << 10;
    /// The longest list of files, as JSON.
    pub(crate) const MAX_LISTING: u64 = 16 << 20;
    /// The most files of a repository.
    pub(crate) const MAX_FILES: usize = 50_000;
    /// How often an answer may send us on.
    pub(crate) const MAX_REDIRECTS: u32 = 10;
    /// Left free on the disk, for everybody else.
    pub(crate) const SPARE_BYTES: u64 = 64 << 20;

    /// The wait before try `failures + 1`, if the server does not ask for a longer one.
    pub(crate) fn wait(&self, failures: u32, asked: Option<Duration>) -> Duration {
        let doubled = 2u32.saturating_pow(failures.saturating_sub(1).min(16));
        let wait = self.first_wait.saturating_mul(doubled);
        wait.max(asked.unwrap_or_default()).min(self.longest_wait)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            answer: Duration::from_secs(30),
            listing: Duration::from_secs(60),
            stall: Duration::from_secs(30),
            retries: 5,
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(300),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound_and_respect_the_server() {
        let limits = Limits::default();
        let second = Duration::from_secs;
        assert_eq!(limits.wait(1, None), second(1));
        assert_eq!(limits.wait(3, None), second(4));
        assert_eq!(limits.wait(40, None), second(300));
        assert_eq!(limits.wait(1, Some(second(7))), second(7));
        assert_eq!(limits.wait(1, Some(second(7000))), second(300));
    }
}
