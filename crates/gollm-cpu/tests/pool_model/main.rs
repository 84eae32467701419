//! Every interleaving of small teams of threads, tried by loom: the pool's own source, made of loom's
//! primitives.

mod primitives;
#[expect(dead_code, reason = "the crate uses more of it")]
#[path = "../../src/threads/team.rs"]
mod team;

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};

use team::Team;

/// Runs `body` under every interleaving with at most two forced switches of threads; published bugs
/// of this kind need no more, and more would take hours.
fn model(body: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(body);
}

fn run_jobs(n_threads: usize, n_jobs: usize) {
    model(move || {
        let Ok(team) = Team::new(n_threads) else {
            return;
        };
        let calls = Arc::new(AtomicUsize::new(0));
        for job in 1..=n_jobs {
            team.run(&|_| {
                calls.fetch_add(1, Ordering::Relaxed);
            });
            // `run` returned, so every thread has run the job: nothing is lost, nothing runs late.
            assert_eq!(calls.load(Ordering::Relaxed), job * n_threads);
        }
        drop(team);
    });
}

#[test]
fn pool_model_two_threads_two_jobs() {
    run_jobs(2, 2);
}

#[test]
fn pool_model_three_threads_one_job() {
    run_jobs(3, 1);
}
