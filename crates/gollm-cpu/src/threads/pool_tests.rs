//! The pool with real threads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use super::Pool;

#[test]
fn every_thread_runs_a_job_once() {
    let pool = Pool::new(4).unwrap();
    for _ in 0..200 {
        let calls: [AtomicUsize; 4] = Default::default();
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
        let sum = AtomicUsize::new(0);
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
    let sum = AtomicUsize::new(0);
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
                    let sum = AtomicUsize::new(0);
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
        let sum = AtomicUsize::new(0);
        pool.for_each(5, 0, |range| {
            sum.fetch_add(range.len(), Relaxed);
        });
        assert_eq!(sum.load(Relaxed), 5);
    }
}
