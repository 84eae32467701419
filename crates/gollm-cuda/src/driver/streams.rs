//! Two streams: one for commands that are queued one by one, as a prompt's are, and one for graphs, as
//! decoding replays them.
//!
//! What is queued on one must see what was queued on the other before, since both use the same buffers:
//! whoever takes a stream other than the last makes it wait for the last one's work, by an event. The
//! host does not wait. While decoding goes on, the stream stays the same and no event is needed.

use std::sync::Arc;

use gollm_tensor::Result;

use super::context::Context;
use super::owned::{Event, Stream};

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// Commands one by one.
    Plain,
    /// Graphs, and recording them.
    Graph,
}

/// Both streams, and which of them was used last.
#[derive(Debug)]
pub(super) struct Streams {
    plain: Stream,
    graph: Stream,
    last: Lane,
    switched: Event,
}

impl Streams {
    pub(super) fn new(context: &Arc<Context>) -> Result<Self> {
        Ok(Self {
            plain: Stream::new(context)?,
            graph: Stream::new(context)?,
            last: Lane::Plain,
            switched: Event::new(context)?,
        })
    }

    /// A stream whose work comes after everything that was queued on either.
    pub(super) fn take(&mut self, lane: Lane) -> Result<&Stream> {
        if lane != self.last {
            self.switched.record(self.of(self.last))?;
            self.of(lane).wait_for(&self.switched)?;
            self.last = lane;
        }
        Ok(self.of(lane))
    }

    /// The one that was used last: its work comes after all other.
    pub(super) fn last(&self) -> &Stream {
        self.of(self.last)
    }

    /// A stream to record on. Nothing that is recorded is done, so nothing is waited for.
    pub(super) fn recorder(&self) -> &Stream {
        &self.graph
    }

    fn of(&self, lane: Lane) -> &Stream {
        match lane {
            Lane::Plain => &self.plain,
            Lane::Graph => &self.graph,
        }
    }
}
