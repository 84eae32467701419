//! Thread team with one job at a time: every thread runs the same closure, and the caller waits.
//!
//! The threads wait for a counter of jobs to move. At first they spin on it, then they sleep on a
//! condition variable; who starts a job wakes sleepers only if there are any. The caller waits for
//! the last thread in the same way. The one danger of such a scheme is the wake-up that falls
//! between a last look at a counter and falling asleep: see `sleep` and `wake_sleepers`, and
//! `tests/pool_model`, which has loom try every interleaving.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::PoisonError;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};

use super::primitives::{
    Arc, AtomicBool, AtomicPtr, AtomicUsize, Condvar, JoinHandle, Mutex, MutexGuard, Patience,
    cores, fence, process_id, spawn,
};

/// A panic, on its way to the caller.
type Panic = Box<dyn std::any::Any + Send>;

/// What the threads run, on the stack of the caller.
struct Job<'a> {
    run: &'a (dyn Fn(usize) + Sync),
    panic: Mutex<Option<Panic>>,
}

struct State {
    /// Whether who waits spins at first. Where there are more threads than cores, that would only
    /// keep others from their work.
    spins: bool,
    /// How many jobs there have been.
    n_jobs: AtomicUsize,
    /// The last one; valid until `running` is 0.
    job: AtomicPtr<Job<'static>>,
    /// Threads that have not finished it.
    running: AtomicUsize,
    /// Threads that wait for the next.
    idle: Bed,
    /// The caller, who waits for the threads.
    caller: Bed,
    stop: AtomicBool,
}

/// Where threads sleep until something changes.
struct Bed {
    /// Threads that are asleep, or about to be.
    sleepers: AtomicUsize,
    mutex: Mutex<()>,
    wake: Condvar,
}

/// Threads of one process that wait for work.
pub(crate) struct Team {
    state: Arc<State>,
    threads: Vec<JoinHandle<()>>,
    /// Held while a job runs: jobs of several callers take turns.
    turn: Mutex<()>,
    process: u32,
}

impl Team {
    /// Starts `n_threads - 1` threads; the caller of [`Team::run`] is the last one.
    ///
    /// # Errors
    ///
    /// If the system has no more threads.
    pub(crate) fn new(n_threads: usize) -> std::io::Result<Self> {
        let mut team = Self::without_threads(n_threads);
        for id in 1..n_threads {
            let state = Arc::clone(&team.state);
            let thread = spawn(format!("gollm-cpu-{id}"), move || serve(&state, id))?;
            team.threads.push(thread);
        }
        Ok(team)
    }

    /// The caller alone.
    pub(crate) fn of_one() -> Self {
        Self::without_threads(1)
    }

    fn without_threads(n_threads: usize) -> Self {
        Self {
            state: Arc::new(State {
                spins: n_threads <= cores(),
                n_jobs: AtomicUsize::new(0),
                job: AtomicPtr::new(std::ptr::null_mut()),
                running: AtomicUsize::new(0),
                idle: Bed::new(),
                caller: Bed::new(),
                stop: AtomicBool::new(false),
            }),
            threads: Vec::new(),
            turn: Mutex::new(()),
            process: process_id(),
        }
    }

    /// How many threads work on a job, the caller's among them.
    pub(crate) fn n_threads(&self) -> usize {
        self.threads.len() + 1
    }

    /// The process that the threads belong to: `fork` copies the memory of a team, and no thread.
    pub(crate) fn process(&self) -> u32 {
        self.process
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
        state.idle.wake_sleepers();
        let own = catch_unwind(AssertUnwindSafe(|| f(0)));
        state.wait(&state.caller, || state.running.load(Acquire) == 0);
        if let Err(panic) = own {
            resume_unwind(panic);
        }
        if let Some(panic) = lock(&job.panic).take() {
            resume_unwind(panic);
        }
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        let threads = std::mem::take(&mut self.threads);
        if self.process != process_id() {
            // They are in another process: there is nobody to stop here, nor to wait for.
            return std::mem::forget(threads);
        }
        self.state.stop.store(true, Relaxed);
        self.state.n_jobs.fetch_add(1, Release);
        self.state.idle.wake_sleepers();
        for thread in threads {
            // A thread catches the panics of jobs and has none of its own.
            let _ = thread.join();
        }
    }
}

impl State {
    /// Waits until `done`, spinning at first and then asleep in `bed`.
    fn wait(&self, bed: &Bed, done: impl Fn() -> bool) {
        let mut patience = Patience::new(self.spins);
        while !done() {
            if !patience.pause() {
                return bed.sleep(done);
            }
        }
    }
}

impl Bed {
    fn new() -> Self {
        Self {
            sleepers: AtomicUsize::new(0),
            mutex: Mutex::new(()),
            wake: Condvar::new(),
        }
    }

    /// Sleeps until `done`.
    fn sleep(&self, done: impl Fn() -> bool) {
        let mut guard = lock(&self.mutex);
        self.sleepers.fetch_add(1, Relaxed);
        fence(SeqCst);
        while !done() {
            guard = wait(&self.wake, guard);
        }
        self.sleepers.fetch_sub(1, Relaxed);
    }

    /// Wakes all who sleep, after a change that they wait for.
    fn wake_sleepers(&self) {
        // Either this sees the sleeper, or the sleeper sees the change: each writes, then fences,
        // then reads what the other wrote.
        fence(SeqCst);
        if self.sleepers.load(Relaxed) > 0 {
            // Who holds the lock is not asleep yet; once it can be taken, they are.
            drop(lock(&self.mutex));
            self.wake.notify_all();
        }
    }
}

/// The life of one thread.
fn serve(state: &State, id: usize) {
    let mut done = 0;
    loop {
        state.wait(&state.idle, || state.n_jobs.load(Acquire) != done);
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
        if state.running.fetch_sub(1, AcqRel) == 1 {
            state.caller.wake_sleepers();
        }
    }
}

/// Takes a lock. The data behind the team's locks is valid at every moment, so a panic that
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
