//! Thread pool: work dealt out to a team of threads, in whichever process asks for it.

use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use super::primitives::process_id;
use super::team::Team;

/// Threads that wait for work.
///
/// A process that was made by `fork` has the memory of its parent and none of the other threads.
/// So each process has a team of its own, started when it first has work; that of its parent is
/// left alone.
pub(crate) struct Pool {
    n_threads: usize,
    teams: Teams,
}

/// The team of a process, and those of its children.
struct Teams {
    team: Team,
    next: OnceLock<Box<Teams>>,
}

impl Pool {
    /// Starts `n_threads - 1` threads; the caller of [`Pool::run`] is the last one.
    ///
    /// # Errors
    ///
    /// If the system has no more threads.
    pub(crate) fn new(n_threads: usize) -> std::io::Result<Self> {
        let teams = Teams {
            team: Team::new(n_threads)?,
            next: OnceLock::new(),
        };
        Ok(Self { n_threads, teams })
    }

    /// How many threads work on a job, the caller's among them.
    pub(crate) fn n_threads(&self) -> usize {
        self.n_threads
    }

    /// Calls `f` once on every thread, with the thread's number, and returns when all have
    /// returned. A panic in any of them goes on in the caller. `f` must not start another job.
    pub(crate) fn run(&self, f: &(dyn Fn(usize) + Sync)) {
        self.team().run(f);
    }

    /// Deals out `0..n` to whichever thread is free, at least `least` at a time.
    ///
    /// A thread takes its share of half of what is left: long runs at first, since neighbours share
    /// work, and short ones at the end, so that nobody waits long for the last.
    pub(crate) fn for_each(&self, n: usize, least: usize, f: impl Fn(Range<usize>) + Sync) {
        let least = least.max(1);
        if n <= least || self.n_threads == 1 {
            if n > 0 {
                f(0..n);
            }
            return;
        }
        let team = self.team();
        let next = AtomicUsize::new(0);
        let share = |left: usize| (left / (2 * team.n_threads())).max(least).min(left);
        team.run(&|_| {
            let taken = |start: usize| (start < n).then(|| start + share(n - start));
            while let Ok(start) = next.fetch_update(Relaxed, Relaxed, taken) {
                f(start..start + share(n - start));
            }
        });
    }

    /// The team of this process.
    fn team(&self) -> &Team {
        let process = process_id();
        let mut teams = &self.teams;
        while teams.team.process() != process {
            teams = match teams.next.get() {
                Some(next) => next,
                None => {
                    let team = self.start();
                    let next = OnceLock::new();
                    // Of two threads that come at the same time one has its team taken.
                    let _ = teams.next.set(Box::new(Teams { team, next }));
                    continue;
                }
            };
        }
        &teams.team
    }

    /// Starts a team in a process that came by `fork`. If the system has no more threads, it is the
    /// caller alone: slower, and the same results.
    fn start(&self) -> Team {
        Team::new(self.n_threads).unwrap_or_else(|_| Team::of_one())
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pool({} threads)", self.n_threads())
    }
}
