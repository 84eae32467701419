//! When to queue commands one by one, when to record them as a graph, and when to replay that graph.
//!
//! A step is everything between two reads. In decoding each step is the same list of kernels with the
//! same arguments, because buffers come from a pool and places stand in memory and not in arguments.
//! Launching some hundred kernels one by one costs the host more time than a small model costs the
//! GPU; a graph costs one launch.
//!
//! - As long as the commands of a step are the beginning of a recorded graph, they are held back. If
//!   the step ends where the graph does, the graph is replayed.
//! - As soon as they differ, those held back are queued, and so is each that follows.
//! - A step that was queued one by one twice is recorded, for the third time.
//!
//! So a wrong guess costs nothing but some microseconds of waiting, and the order of work is always that
//! of the calls. This file decides; what it decides about is behind [`Executor`], so that tests need no
//! GPU.

use gollm_tensor::Result;

use super::command::Command;

/// How many steps are remembered: decoding with this many batch sizes, or lengths of attention, in turn.
const MOST_STEPS: usize = 8;
/// A step of fewer commands is not worth a graph.
const FEWEST_COMMANDS: usize = 8;
/// A step of more commands is not one of decoding.
const MOST_COMMANDS: usize = 16_384;

/// What does the work.
pub(super) trait Executor {
    /// A recorded step.
    type Graph;

    /// Queues one command.
    fn issue(&mut self, command: &Command) -> Result<()>;

    /// Records commands without doing them.
    fn record(&mut self, commands: &[Command]) -> Result<Self::Graph>;

    /// Queues a recorded step.
    fn replay(&mut self, graph: &Self::Graph) -> Result<()>;
}

/// A step that was seen, and its graph if it was seen twice.
#[derive(Debug)]
struct Step<G> {
    commands: Vec<Command>,
    graph: Option<G>,
}

/// How the current step goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// All commands so far are held back: they are the beginning of each of the candidates.
    Holding,
    /// All commands so far are queued.
    Following,
    /// As `Following`, and the step will not be remembered.
    Passing,
}

/// The queue of one GPU.
#[derive(Debug)]
pub(super) struct Queue<G> {
    /// Whether graphs are wanted at all.
    graphs: bool,
    /// The commands of the current step.
    commands: Vec<Command>,
    state: State,
    /// Steps that were seen, the last used at the end.
    steps: Vec<Step<G>>,
    /// Which of the steps have a graph and begin as the current step did so far.
    candidates: Vec<usize>,
}

impl<G> Queue<G> {
    pub(super) fn new(graphs: bool) -> Self {
        let mut queue = Self {
            graphs,
            commands: Vec::new(),
            state: State::Passing,
            steps: Vec::new(),
            candidates: Vec::new(),
        };
        queue.restart();
        queue
    }

    /// Adds a command to the step.
    pub(super) fn push(
        &mut self,
        command: Command,
        executor: &mut impl Executor<Graph = G>,
    ) -> Result<()> {
        match self.state {
            State::Passing => executor.issue(&command),
            State::Following => {
                executor.issue(&command)?;
                self.commands.push(command);
                if self.commands.len() > MOST_COMMANDS {
                    self.commands.clear();
                    self.state = State::Passing;
                }
                Ok(())
            }
            State::Holding => {
                let (i, steps) = (self.commands.len(), &self.steps);
                self.candidates
                    .retain(|&step| steps[step].commands.get(i) == Some(&command));
                self.commands.push(command);
                if !self.candidates.is_empty() {
                    return Ok(());
                }
                self.state = State::Following;
                issue_all(&self.commands, executor)
            }
        }
    }

    /// Queues what was held back, because something follows that no graph can hold.
    pub(super) fn flush(&mut self, executor: &mut impl Executor<Graph = G>) -> Result<()> {
        let held = std::mem::take(&mut self.commands);
        let before = std::mem::replace(&mut self.state, State::Passing);
        match before {
            State::Holding => issue_all(&held, executor),
            _ => Ok(()),
        }
    }

    /// Ends the step: everything is queued when this returns.
    pub(super) fn end_step(&mut self, executor: &mut impl Executor<Graph = G>) -> Result<()> {
        let ended = self.finish(executor);
        // Also after an error: the next step has nothing to do with this one.
        self.restart();
        ended
    }

    fn finish(&mut self, executor: &mut impl Executor<Graph = G>) -> Result<()> {
        let known = match self.state {
            State::Passing => return Ok(()),
            _ => self.steps.iter().position(|s| s.commands == self.commands),
        };
        // The last used stands last.
        let step = known.map(|i| self.steps.remove(i));
        if self.state == State::Holding {
            if let Some(Step {
                graph: Some(graph), ..
            }) = &step
            {
                executor.replay(graph)?;
                self.steps.extend(step);
                return Ok(());
            }
            // The step stopped in the middle of a graph.
            issue_all(&self.commands, executor)?;
        }
        if self.commands.len() < FEWEST_COMMANDS {
            return Ok(());
        }
        let graph = match step {
            Some(Step {
                commands,
                graph: None,
            }) => Some(executor.record(&commands)?),
            Some(Step { graph, .. }) => graph,
            None => None,
        };
        if self.steps.len() == MOST_STEPS {
            self.steps.remove(0);
        }
        self.steps.push(Step {
            commands: std::mem::take(&mut self.commands),
            graph,
        });
        Ok(())
    }

    fn restart(&mut self) {
        self.commands.clear();
        let with_graph = |&step: &usize| self.steps[step].graph.is_some();
        self.candidates = (0..self.steps.len()).filter(with_graph).collect();
        self.state = if self.graphs {
            State::Holding
        } else {
            State::Passing
        };
    }
}

fn issue_all<E: Executor>(commands: &[Command], executor: &mut E) -> Result<()> {
    commands
        .iter()
        .try_for_each(|command| executor.issue(command))
}

#[cfg(test)]
mod tests;
