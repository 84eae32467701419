//! A fixed pool with one job at a time: every thread runs the same closure, and the caller waits.
//!
//! The threads wait for a counter of jobs to move. At first they spin on it, then they sleep on a
//! condition variable; who starts a job wakes sleepers only if there are any. The one danger of such a
//! scheme is the wake-up that falls between a thread's last look at the counter and its falling
//! asleep: see `sleep` and `run`, and `pool_model.rs`, which has loom try every interleaving.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};

use super::primitives::{
    Arc, AtomicBool, AtomicPtr, AtomicUsize, Condvar, JoinHandle, Mutex, Patience, fence, lock,
    spawn, wait,
};

/// A panic, on its way to the caller.
type Panic = Box<dyn std::any::Any + Send>;

/// What the threads run, on the stack of the caller.
struct Job<'a> {
    run: &'a (dyn Fn(usize) + Sync),
    panic: Mutex<Option<Panic>>,
}

struct State {
    /// How many jobs there have been.
    n_jobs: AtomicUsize,
    /// The last one; valid until `running` is 0.
    job: AtomicPtr<Job<'static>>,
    /// Threads that have not finished it.
    running: AtomicUsize,
    /// Threads that are asleep, or about to be.
    sleepers: AtomicUsize,
    stop: AtomicBool,
    bed: Mutex<()>,
    wake: Condvar,
}

/// Threads that wait for work.
pub(crate) struct Pool {
    state: Arc<State>,
    threads: Vec<JoinHandle<()>>,
    /// Held while a job runs: jobs of several callers take turns.
    turn: Mutex<()>,
}

impl Pool {
    /// Starts `n_threads - 1` threads; the caller of [`Pool::run`] is the last one.
    ///
    /// # Errors
    ///
    /// If the system has no more threads.
    pub(crate) fn new(n_threads: usize) -> std::io::Result<Self> {
        let state = Arc::new(State {
            n_jobs: AtomicUsize::new(0),
            job: AtomicPtr::new(std::ptr::null_mut()),
            running: AtomicUsize::new(0),
            sleepers: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
            bed: Mutex::new(()),
            wake: Condvar::new(),
        });
        let mut pool = Self {
            state: Arc::clone(&state),
            threads: Vec::new(),
            turn: Mutex::new(()),
        };
        for id in 1..n_threads {
            let state = Arc::clone(&state);
            let thread = spawn(format!("gollm-cpu-{id}"), move || serve(&state, id))?;
            pool.threads.push(thread);
        }
        Ok(pool)
    }

    /// How many threads work on a job, the caller's among them.
    pub(crate) fn n_threads(&self) -> usize {
        self.threads.len() + 1
    }

    /// Calls `f` once on every thread, with the thread's number, and returns when all have returned.
    /// A panic in any of them goes on in the caller. `f` must not start another job.
    pub(crate) fn run(&self, f: &(dyn Fn(usize) + Sync)) {
        if self.threads.is_empty() {
            return f(0);
        }
        let _turn = lock(&self.turn);
        let job = Job {
            run: f,
            panic: Mutex::new(None),
        };
        let state = &*self.state;
        // The lifetime is forgotten here and kept by waiting below: this function does not return, nor
        // unwind, while a thread may still look at `job`.
        let pointer = std::ptr::from_ref(&job).cast_mut().cast::<Job<'static>>();
        state.job.store(pointer, Relaxed);
        state.running.store(self.threads.len(), Relaxed);
        state.n_jobs.fetch_add(1, Release);
        // Either this sees the sleeper, or the sleeper sees the job: each writes, then fences, then
        // reads what the other wrote.
        fence(SeqCst);
        if state.sleepers.load(Relaxed) > 0 {
            // A thread that holds `bed` is not asleep yet; once it can be taken, it is.
            drop(lock(&state.bed));
            state.wake.notify_all();
        }
        let own = catch_unwind(AssertUnwindSafe(|| f(0)));
        let mut patience = Patience::endless();
        while state.running.load(Acquire) > 0 {
            patience.pause();
        }
        if let Err(panic) = own {
            resume_unwind(panic);
        }
        if let Some(panic) = lock(&job.panic).take() {
            resume_unwind(panic);
        }
    }

    /// Deals out `0..n` to whichever thread is free, at least `least` at a time.
    ///
    /// A thread takes its share of half of what is left: long runs at first, since neighbours share work, and
    /// short ones at the end, so that nobody waits long for the last.
    pub(crate) fn for_each(&self, n: usize, least: usize, f: impl Fn(Range<usize>) + Sync) {
        let least = least.max(1);
        if n <= least || self.threads.is_empty() {
            if n > 0 {
                f(0..n);
            }
            return;
        }
        let next = std::sync::atomic::AtomicUsize::new(0);
        let share = |left: usize| (left / (2 * self.n_threads())).max(least).min(left);
        self.run(&|_| {
            let taken = |start: usize| (start < n).then(|| start + share(n - start));
            while let Ok(start) = next.fetch_update(Relaxed, Relaxed, taken) {
                f(start..start + share(n - start));
            }
        });
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.state.stop.store(true, Relaxed);
        self.state.n_jobs.fetch_add(1, Release);
        drop(lock(&self.state.bed));
        self.state.wake.notify_all();
        for thread in self.threads.drain(..) {
            // A thread catches the panics of jobs and has none of its own.
            let _ = thread.join();
        }
    }
}

/// The life of one thread.
fn serve(state: &State, id: usize) {
    let mut done = 0;
    loop {
        let mut patience = Patience::short();
        while state.n_jobs.load(Acquire) == done {
            if !patience.pause() {
                sleep(state, done);
            }
        }
        // Never more than one ahead: the next job waits for this thread to finish the last.
        done += 1;
        if state.stop.load(Relaxed) {
            return;
        }
        // SAFETY: `run` keeps the job alive until `running` is 0, and this thread has not yet
        // counted itself out.
        let job = unsafe { &*state.job.load(Relaxed) };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| (job.run)(id))) {
            *lock(&job.panic) = Some(panic);
        }
        state.running.fetch_sub(1, AcqRel);
    }
}

/// Sleeps until there is a job after the `done` first.
fn sleep(state: &State, done: usize) {
    let mut bed = lock(&state.bed);
    state.sleepers.fetch_add(1, Relaxed);
    fence(SeqCst);
    while state.n_jobs.load(Acquire) == done {
        bed = wait(&state.wake, bed);
    }
    state.sleepers.fetch_sub(1, Relaxed);
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pool({} threads)", self.n_threads())
    }
}

#[cfg(all(test, not(feature = "loom")))]
mod tests {
    use super::*;

    #[test]
    fn every_thread_runs_a_job_once() {
        let pool = Pool::new(4).unwrap();
        for _ in 0..200 {
            let calls: [std::sync::atomic::AtomicUsize; 4] = Default::default();
            pool.run(&|id| {
                calls[id].fetch_add(1, Relaxed);
            });
            assert!(calls.iter().all(|n| n.load(Relaxed) == 1));
        }
    }

    #[test]
    fn sleeping_threads_wake_for_the_next_job() {
        let pool = Pool::new(3).unwrap();
        for _ in 0..3 {
            std::thread::sleep(std::time::Duration::from_millis(20));
            let sum = std::sync::atomic::AtomicUsize::new(0);
            pool.for_each(1000, 7, |range| {
                sum.fetch_add(range.sum(), Relaxed);
            });
            assert_eq!(sum.load(Relaxed), 499_500);
        }
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_pool_works_on() {
        let pool = Pool::new(2).unwrap();
        for bad in 0..2 {
            let panics = || pool.run(&|id| assert!(id != bad, "thread {id}"));
            assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
        }
        let sum = std::sync::atomic::AtomicUsize::new(0);
        pool.run(&|id| {
            sum.fetch_add(id + 1, Relaxed);
        });
        assert_eq!(sum.load(Relaxed), 3);
    }

    #[test]
    fn callers_on_several_threads_take_turns() {
        let pool = Pool::new(2).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let sum = std::sync::atomic::AtomicUsize::new(0);
                        pool.for_each(100, 9, |range| {
                            sum.fetch_add(range.sum(), Relaxed);
                        });
                        assert_eq!(sum.load(Relaxed), 4950);
                    }
                });
            }
        });
    }

    #[test]
    fn no_work_and_one_thread_are_no_special_cases() {
        for n_threads in [1, 2] {
            let pool = Pool::new(n_threads).unwrap();
            pool.for_each(0, 4, |_| panic!("nothing to do"));
            let sum = std::sync::atomic::AtomicUsize::new(0);
            pool.for_each(5, 0, |range| {
                sum.fetch_add(range.len(), Relaxed);
            });
            assert_eq!(sum.load(Relaxed), 5);
        }
    }
}
