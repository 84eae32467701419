//! Programs take turns at the same work; the best time of each counts.

use std::fs;
use std::time::{Duration, Instant};

/// One program of a comparison, and its best times so far.
pub(crate) struct Contender<'a> {
    name: &'static str,
    run: Box<dyn FnMut() + 'a>,
    wall: Duration,
    cpu: Option<Duration>,
}

impl<'a> Contender<'a> {
    pub(crate) fn new(name: &'static str, run: impl FnMut() + 'a) -> Self {
        Contender {
            name,
            run: Box::new(run),
            wall: Duration::MAX,
            cpu: None,
        }
    }
}

/// Lets the contenders take turns, `rounds` times, and prints a line for each: the time on the
/// clock, the time on all cores together, and the latter as a multiple of the first contender's.
///
/// On a machine that does other work too, only the second of the two times means something.
pub(crate) fn compare(
    what: &str,
    n_bytes: usize,
    rounds: usize,
    mut contenders: Vec<Contender<'_>>,
) {
    for _ in 0..rounds {
        for contender in &mut contenders {
            let (started, cpu_before) = (Instant::now(), cpu_time());
            (contender.run)();
            contender.wall = contender.wall.min(started.elapsed());
            let cpu = cpu_before
                .zip(cpu_time())
                .map(|(before, after)| after.saturating_sub(before));
            contender.cpu = contender.cpu.into_iter().chain(cpu).min();
        }
    }
    let seconds = |contender: &Contender<'_>| contender.cpu.unwrap_or(contender.wall).as_secs_f64();
    let Some(first) = contenders.first().map(seconds) else {
        return;
    };
    for contender in &contenders {
        let (wall, cpu) = (contender.wall.as_secs_f64(), seconds(contender));
        let speed = n_bytes as f64 / 1e6 / cpu;
        println!(
            "{what:<28} {:<24} {wall:>7.3} s, CPU {cpu:>7.3} s {speed:>7.1} MB/s {:>6.2} x",
            contender.name,
            cpu / first
        );
    }
}

/// The time that this program's threads have spent on a core; `None` where the system does not
/// say (anything but Linux). Threads that ended no longer count.
fn cpu_time() -> Option<Duration> {
    let mut nanoseconds = 0;
    for task in fs::read_dir("/proc/self/task").ok()? {
        let schedstat = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        nanoseconds += schedstat.split(' ').next()?.parse::<u64>().ok()?;
    }
    Some(Duration::from_nanos(nanoseconds))
}
