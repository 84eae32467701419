//! An answer on its way to stdout: what the model thinks is dimmed, and nothing disturbs the terminal.

use std::io::{self, IsTerminal};
use std::ops::ControlFlow;

use anstyle::Style;

use crate::cli_error::CliError;
use crate::escape;
use crate::output;

/// What a model writes before and after its thoughts.
const MARKS: [&str; 2] = ["<think>", "</think>"];

/// Prints an answer piece by piece.
pub(super) struct Answer {
    thoughts: Thoughts,
    is_terminal: bool,
    has_colour: bool,
    line_is_open: bool,
    failure: Option<CliError>,
}

impl Answer {
    pub(super) fn new(is_thinking: bool) -> Self {
        Self {
            thoughts: Thoughts {
                is_inside: is_thinking,
                held: String::new(),
            },
            is_terminal: io::stdout().is_terminal(),
            has_colour: output::stdout_has_colour(),
            line_is_open: false,
            failure: None,
        }
    }

    /// Shows a piece; breaks the generation off if nobody takes it.
    pub(super) fn push(&mut self, text: &str) -> ControlFlow<()> {
        let parts = self.thoughts.push(text);
        self.show(&parts)
    }

    /// Shows what was held back and ends the last line. The failure that broke the answer off, if one did.
    pub(super) fn finish(mut self) -> Result<(), CliError> {
        let held = self.thoughts.finish();
        let _ = self.show(&[held]);
        match (self.failure.take(), self.line_is_open) {
            (Some(failure), _) => Err(failure),
            (None, true) => output::print("\n"),
            (None, false) => Ok(()),
        }
    }

    fn show(&mut self, parts: &[(String, bool)]) -> ControlFlow<()> {
        for (text, is_thought) in parts.iter().filter(|(text, _)| !text.is_empty()) {
            self.line_is_open = !text.ends_with('\n');
            let text = match self.is_terminal {
                true => escape::text(text),
                false => text.clone(),
            };
            let printed = match *is_thought && self.has_colour {
                true => {
                    let dim = Style::new().dimmed();
                    output::print(format!("{dim}{text}{dim:#}"))
                }
                false => output::print(text),
            };
            if let Err(failure) = printed {
                self.line_is_open = false;
                self.failure = Some(failure);
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }
}

/// Tells thoughts from the rest of an answer that comes in pieces.
struct Thoughts {
    is_inside: bool,
    /// Text that a mark may begin with.
    held: String,
}

impl Thoughts {
    /// The text that is certain now, and whether it is a thought. Marks belong to the thoughts.
    fn push(&mut self, piece: &str) -> Vec<(String, bool)> {
        self.held.push_str(piece);
        let mut parts = Vec::new();
        loop {
            let mark = MARKS[usize::from(self.is_inside)];
            let Some(at) = self.held.find(mark) else {
                let kept = (1..mark.len())
                    .rev()
                    .find(|n| self.held.ends_with(&mark[..*n]))
                    .unwrap_or(0);
                let rest = self.held.split_off(self.held.len() - kept);
                parts.push((std::mem::replace(&mut self.held, rest), self.is_inside));
                return parts;
            };
            // The first mark begins thoughts and the second ends them, itself included.
            let end = if self.is_inside { at + mark.len() } else { at };
            let rest = self.held.split_off(end);
            parts.push((std::mem::replace(&mut self.held, rest), self.is_inside));
            if !self.is_inside {
                let rest = self.held.split_off(mark.len());
                parts.push((std::mem::replace(&mut self.held, rest), true));
            }
            self.is_inside = !self.is_inside;
        }
    }

    fn finish(&mut self) -> (String, bool) {
        (std::mem::take(&mut self.held), self.is_inside)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plain text and thoughts of a text that comes in pieces of `size` bytes.
    fn split(text: &str, size: usize, is_inside: bool) -> (String, String) {
        let mut thoughts = Thoughts {
            is_inside,
            held: String::new(),
        };
        let mut parts = Vec::new();
        for piece in text.as_bytes().chunks(size) {
            parts.extend(thoughts.push(std::str::from_utf8(piece).unwrap()));
        }
        parts.push(thoughts.finish());
        let of = |wanted: bool| {
            let parts = parts.iter().filter(|(_, is_thought)| *is_thought == wanted);
            parts.map(|(text, _)| text.as_str()).collect()
        };
        (of(false), of(true))
    }

    #[test]
    fn thoughts_are_told_from_the_answer_however_it_is_cut() {
        for size in 1..30 {
            let text = "a<think>b</think>c<thin<think>d";
            let expected = ("ac<thin".to_owned(), "<think>b</think><think>d".to_owned());
            assert_eq!(split(text, size, false), expected, "{size}");
            let expected = ("b < c".to_owned(), "a <think></think>".to_owned());
            assert_eq!(
                split("a <think></think>b < c", size, true),
                expected,
                "{size}"
            );
        }
    }

    #[test]
    fn no_more_is_held_back_than_a_mark_may_begin_with() {
        let mut thoughts = Thoughts {
            is_inside: false,
            held: String::new(),
        };
        assert_eq!(thoughts.push("a <th"), [("a ".to_owned(), false)]);
        assert_eq!(thoughts.push("e>"), [("<the>".to_owned(), false)]);
    }
}
