//! A pull as a person watches it: a bar on a terminal, a line for each file elsewhere.

use std::cell::RefCell;

use gollm_hub::{Event, Observer};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::numbers::{bytes, duration};
use crate::output::Notes;

/// A file that is here before a bar for it could be read.
const SMALL: u64 = 4 << 20;
/// What a bar leaves room for on a terminal of 80 columns.
const LONGEST_NAME: usize = 28;

/// Shows events on stderr; nothing with `--quiet`.
pub(super) struct Progress {
    notes: Notes,
    bar: RefCell<ProgressBar>,
}

impl Progress {
    pub(super) fn new(notes: Notes) -> Self {
        let bar = RefCell::new(ProgressBar::hidden());
        Self { notes, bar }
    }

    /// Removes the bar.
    pub(super) fn end(&self) {
        self.bar.borrow().finish_and_clear();
    }

    /// A line above the bar.
    fn say(&self, line: &str) {
        self.bar.borrow().suspend(|| self.notes.say(line));
    }

    fn show(&self, what: &str, size: u64, at: u64) {
        self.end();
        if self.notes.quiet || size < SMALL {
            self.bar.replace(ProgressBar::hidden());
            return;
        }
        // Draws nothing where stderr is no terminal.
        let bar = ProgressBar::with_draw_target(Some(size), ProgressDrawTarget::stderr());
        let template = "{msg} [{wide_bar}] {binary_bytes:>10} of {binary_total_bytes} \
                        {binary_bytes_per_sec:>12} {eta:>4}";
        let style = ProgressStyle::with_template(template);
        bar.set_style(
            style
                .unwrap_or_else(|_| ProgressStyle::default_bar())
                .progress_chars("=> "),
        );
        bar.set_message(shortened(what));
        bar.set_position(at);
        // Else the bytes of an earlier pull would count as fetched in no time.
        bar.reset_eta();
        self.bar.replace(bar);
    }

    /// One line for a file where there is no bar to see.
    fn say_unless_drawn(&self, line: impl FnOnce() -> String) {
        if self.bar.borrow().is_hidden() {
            self.notes.say(line());
        }
    }
}

impl Observer for Progress {
    fn on(&self, event: Event<'_>) {
        match event {
            Event::At(at) => self.bar.borrow().set_position(at),
            Event::Started { name, size, at } => {
                self.show(name, size, at);
                self.say_unless_drawn(|| match at {
                    0 => format!("fetching {name}, {}", bytes(size.into())),
                    _ => format!(
                        "fetching {name}, {} from {}",
                        bytes(size.into()),
                        bytes(at.into())
                    ),
                });
            }
            Event::Checking { name, size } => self.show(&format!("checking {name}"), size, 0),
            Event::Finished { .. } => self.end(),
            Event::Waiting { name } => {
                self.say(&format!("another process fetches {name}; waiting for it"));
            }
            Event::StartedOver { name, reason } => {
                self.say(&format!("{name}: starting over, {reason}"));
            }
            Event::Retrying {
                error,
                wait,
                failures,
                of,
            } => self.say(&format!(
                "{error}\ntry {failures} of {of} failed, the next one comes in {}",
                duration(wait)
            )),
            Event::Note(text) => self.say(&format!("note: {text}")),
        }
    }
}

/// The end of a long name, which tells files of a repository apart. Names are ASCII.
fn shortened(name: &str) -> String {
    match name.len().checked_sub(LONGEST_NAME) {
        None | Some(0) => name.to_owned(),
        Some(n_more) => format!("…{}", name.get(n_more + 1..).unwrap_or_default()),
    }
}
