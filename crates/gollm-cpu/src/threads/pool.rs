//! A fixed pool with one job at a time: every thread runs the same closure, and the caller waits.
//!
//! The threads wait for a counter of jobs to move. At first they spin on it, then they sleep on a
//! condition variable; who starts a job wakes sleepers only if there are any. The one danger of
//! such a scheme is the wake-up that falls between a thread's last look at the counter and its
//! falling asleep: see `sleep` and `run`, and `tests/pool_model`, which has loom try every
//! interleaving.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::PoisonError;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};

use super::primitives::{
    Arc, AtomicBool, AtomicPtr, AtomicUsize, Condvar, JoinHandle, Mutex, MutexGuard, Patience,
    fence, spawn,
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

    /// Calls `f` once on every thread, with the thread's number, and returns when all have
    /// returned. A panic in any of them goes on in the caller. `f` must not start another job.
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
        // The lifetime is forgotten here and kept by waiting below: this function does not return,
        // nor unwind, while a thread may still look at `job`.
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
    /// A thread takes its share of half of what is left: long runs at first, since neighbours share
    /// work, and short ones at the end, so that nobody waits long for the last.
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

/// Takes a lock. The data behind the pool's locks is valid at every moment, so a panic that
/// poisoned one changed nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for a condition variable, as [`lock`].
fn wait<'a, T>(condition: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    condition
        .wait(guard)
        .unwrap_or_else(PoisonError::into_inner)
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pool({} threads)", self.n_threads())
    }
}
