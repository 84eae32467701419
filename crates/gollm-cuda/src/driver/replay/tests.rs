//! The queue against an executor that only writes down what it is asked for.

use super::*;

/// What was asked of the executor. A command is written by its address.
#[derive(Debug, PartialEq)]
enum Done {
    Issued(u64),
    Recorded(Vec<u64>),
    Replayed(Vec<u64>),
}

#[derive(Default)]
struct Log(Vec<Done>);

fn address(command: &Command) -> u64 {
    match command {
        Command::Zero { to, .. } => *to,
        _ => unreachable!("these tests queue zeros only"),
    }
}

impl Executor for Log {
    type Graph = Vec<u64>;

    fn issue(&mut self, command: &Command) -> Result<()> {
        self.0.push(Done::Issued(address(command)));
        Ok(())
    }

    fn record(&mut self, commands: &[Command]) -> Result<Self::Graph> {
        let graph: Vec<u64> = commands.iter().map(address).collect();
        self.0.push(Done::Recorded(graph.clone()));
        Ok(graph)
    }

    fn replay(&mut self, graph: &Self::Graph) -> Result<()> {
        self.0.push(Done::Replayed(graph.clone()));
        Ok(())
    }
}

/// The work that was done, in order, and how many graphs were replayed for it.
fn work(log: &Log) -> (Vec<u64>, usize) {
    let mut replays = 0;
    let done = log.0.iter().flat_map(|done| match done {
        Done::Issued(address) => vec![*address],
        Done::Recorded(_) => Vec::new(),
        Done::Replayed(addresses) => {
            replays += 1;
            addresses.clone()
        }
    });
    (done.collect(), replays)
}

fn zero(to: u64) -> Command {
    Command::Zero { to, n_bytes: 4 }
}

/// Runs steps and says what was done in the last one.
fn last_step(queue: &mut Queue<Vec<u64>>, steps: &[&[u64]]) -> Vec<Done> {
    let mut log = Log::default();
    for step in steps {
        log.0.clear();
        for &to in *step {
            queue.push(zero(to), &mut log).unwrap();
        }
        queue.end_step(&mut log).unwrap();
    }
    log.0
}

const A: [u64; 8] = [1, 2, 3, 4, 5, 6, 7, 8];
const B: [u64; 9] = [1, 2, 3, 4, 50, 60, 70, 80, 90];

fn issued(step: &[u64]) -> Vec<Done> {
    step.iter().map(|&to| Done::Issued(to)).collect()
}

fn replayed(step: &[u64]) -> Vec<Done> {
    vec![Done::Replayed(step.to_vec())]
}

#[test]
fn a_step_is_queued_twice_and_replayed_from_the_third_time() {
    let mut queue = Queue::new(true);
    assert_eq!(last_step(&mut queue, &[&A]), issued(&A));
    let mut second = issued(&A);
    second.push(Done::Recorded(A.to_vec()));
    assert_eq!(last_step(&mut queue, &[&A]), second);
    assert_eq!(last_step(&mut queue, &[&A]), replayed(&A));
    assert_eq!(last_step(&mut queue, &[&A]), replayed(&A));
}

#[test]
fn a_step_that_turns_out_different_is_queued_from_its_beginning() {
    let mut queue = Queue::new(true);
    assert_eq!(last_step(&mut queue, &[&A, &A, &B]), issued(&B));
    // And A is still known.
    assert_eq!(last_step(&mut queue, &[&A]), replayed(&A));
}

#[test]
fn a_step_that_stops_in_the_middle_of_a_graph_is_queued() {
    let mut queue = Queue::new(true);
    assert_eq!(last_step(&mut queue, &[&A, &A, &A[..5]]), issued(&A[..5]));
    // One that is longer is queued as well, all of it.
    let longer = [&A[..], &[9]].concat();
    assert_eq!(last_step(&mut queue, &[&longer]), issued(&longer));
}

#[test]
fn steps_that_take_turns_are_both_replayed() {
    let mut queue = Queue::new(true);
    last_step(&mut queue, &[&A, &B, &A, &B]);
    assert_eq!(last_step(&mut queue, &[&A]), replayed(&A));
    assert_eq!(last_step(&mut queue, &[&B]), replayed(&B));
}

#[test]
fn a_graph_that_is_used_outlives_many_steps_that_are_not_repeated() {
    let mut queue = Queue::new(true);
    last_step(&mut queue, &[&A, &A]);
    for i in 100..150 {
        last_step(&mut queue, &[&[i; 10], &A]);
    }
    assert_eq!(last_step(&mut queue, &[&A]), replayed(&A));
    assert!(queue.steps.len() <= MOST_STEPS);
}

#[test]
fn a_flush_queues_what_was_held_and_the_step_is_not_remembered() {
    let mut queue = Queue::new(true);
    last_step(&mut queue, &[&A, &A]);
    let mut log = Log::default();
    queue.push(zero(1), &mut log).unwrap();
    queue.push(zero(2), &mut log).unwrap();
    assert_eq!(log.0, []);
    queue.flush(&mut log).unwrap();
    assert_eq!(log.0, issued(&A[..2]));
    for &to in &A[2..] {
        queue.push(zero(to), &mut log).unwrap();
    }
    queue.end_step(&mut log).unwrap();
    assert_eq!(log.0, issued(&A));
    assert_eq!(queue.steps.len(), 1);
}

#[test]
fn without_graphs_every_command_is_queued_at_once() {
    let mut queue = Queue::new(false);
    assert_eq!(last_step(&mut queue, &[&A, &A, &A, &A]), issued(&A));
    assert!(queue.steps.is_empty());
}

#[test]
fn a_short_step_and_an_endless_one_are_not_recorded() {
    let mut queue = Queue::new(true);
    assert_eq!(
        last_step(&mut queue, &[&[1, 2], &[1, 2], &[1, 2]]),
        issued(&[1, 2])
    );
    let endless: Vec<u64> = (0..=MOST_COMMANDS as u64 + 5).collect();
    let done = last_step(&mut queue, &[&endless, &endless, &endless]);
    assert_eq!(done, issued(&endless));
}

/// Whatever the steps are, the work is that of the calls, in their order.
#[test]
fn any_mixture_of_steps_does_the_work_of_plain_launches() {
    let mut queue = Queue::new(true);
    let mut log = Log::default();
    let mut expected = Vec::new();
    let mut random = 1u64;
    for _ in 0..2_000 {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let choice = random >> 33;
        let step = match choice % 5 {
            0 => &B[..],
            1 => &B[..8],
            2 => &A[..4],
            _ => &A[..],
        };
        for (i, &to) in step.iter().enumerate() {
            if choice % 31 == 7 && i == 3 {
                queue.flush(&mut log).unwrap();
            }
            queue.push(zero(to), &mut log).unwrap();
            expected.push(to);
        }
        queue.end_step(&mut log).unwrap();
        assert_eq!(work(&log).0.len(), expected.len());
    }
    let (done, replays) = work(&log);
    assert_eq!(done, expected);
    assert!(replays > 500, "{replays} replays");
}
