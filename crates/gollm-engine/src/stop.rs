//! Finding stop strings in text that arrives in pieces.
//!
//! A stop string may be spread over several tokens, so text that could be its beginning must not
//! be shown yet. How much that is, is what the algorithm of Knuth, Morris and Pratt keeps track of
//! (1977, "Fast Pattern Matching in Strings", <https://doi.org/10.1137/0206024>): after each byte,
//! the length of the longest beginning of the stop string that the text now ends with. It looks at
//! every byte once, however long or repetitive the stop strings are.

use crate::{Error, Result};

/// Holds text back while it could become a stop string, and notices when it has.
#[derive(Debug, Clone)]
pub struct StopMatcher {
    stops: Vec<Pattern>,
    /// The text not shown yet: a beginning of some stop string.
    held: String,
}

impl StopMatcher {
    /// A matcher for any of `stop_strings`; an empty list never stops.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] for an empty stop string, which would stop everything before it begins.
    pub fn new(stop_strings: &[String]) -> Result<Self> {
        if let Some(index) = stop_strings.iter().position(String::is_empty) {
            return Err(Error::Option {
                option: "stop_strings",
                problem: format!("string {index} is empty, expected at least one character"),
            });
        }
        Ok(Self {
            stops: stop_strings.iter().map(|text| Pattern::new(text)).collect(),
            held: String::new(),
        })
    }

    /// Takes the next piece of text. Returns what may be shown now and, once a stop string is
    /// complete, its index in the list; the stop string and everything after it are dropped.
    ///
    /// The stop string that is complete first wins; of several complete at the same character, the
    /// longest. So the result does not depend on how the text was cut into pieces.
    pub fn push(&mut self, piece: &str) -> (String, Option<usize>) {
        let n_held = self.held.len();
        self.held.push_str(piece);
        for (offset, byte) in piece.bytes().enumerate() {
            if let Some(index) = self.advance(byte) {
                let end = n_held + offset + 1;
                let start = end - self.stops[index].bytes.len();
                let mut shown = std::mem::take(&mut self.held);
                shown.truncate(start);
                return (shown, Some(index));
            }
        }
        // What some stop string may still begin with stays. It starts where a character starts,
        // because a stop string does.
        let n_kept = self.stops.iter().map(|stop| stop.matched).max();
        let kept = self.held.split_off(self.held.len() - n_kept.unwrap_or(0));
        (std::mem::replace(&mut self.held, kept), None)
    }

    /// Ends the text: what was held back was no stop string after all.
    pub fn finish(&mut self) -> String {
        for stop in &mut self.stops {
            stop.matched = 0;
        }
        std::mem::take(&mut self.held)
    }

    /// Feeds one byte to every stop string; the index of the longest that is complete now.
    fn advance(&mut self, byte: u8) -> Option<usize> {
        let mut complete: Option<usize> = None;
        for index in 0..self.stops.len() {
            let longest = complete.map_or(0, |other| self.stops[other].bytes.len());
            if self.stops[index].advance(byte) && self.stops[index].bytes.len() > longest {
                complete = Some(index);
            }
        }
        complete
    }
}

/// One stop string and how much of it the text ends with.
#[derive(Debug, Clone)]
struct Pattern {
    bytes: Vec<u8>,
    /// `fallback[n]`: the length of the longest proper beginning of the string that its first
    /// `n + 1` bytes end with. That much still matches when the next byte does not.
    fallback: Vec<usize>,
    matched: usize,
}

impl Pattern {
    fn new(text: &str) -> Self {
        let bytes = text.as_bytes().to_vec();
        let mut fallback = vec![0; bytes.len()];
        let mut matched = 0;
        for n in 1..bytes.len() {
            while matched > 0 && bytes[n] != bytes[matched] {
                matched = fallback[matched - 1];
            }
            if bytes[n] == bytes[matched] {
                matched += 1;
            }
            fallback[n] = matched;
        }
        Self {
            bytes,
            fallback,
            matched: 0,
        }
    }

    /// Feeds one byte; true if the text now ends with the whole string.
    fn advance(&mut self, byte: u8) -> bool {
        if self.matched == self.bytes.len() {
            self.matched = self.fallback[self.matched - 1];
        }
        while self.matched > 0 && byte != self.bytes[self.matched] {
            self.matched = self.fallback[self.matched - 1];
        }
        if byte == self.bytes[self.matched] {
            self.matched += 1;
        }
        self.matched == self.bytes.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn run(stops: &[&str], pieces: &[&str]) -> (String, Option<usize>) {
        let stops: Vec<String> = stops.iter().map(ToString::to_string).collect();
        let mut matcher = StopMatcher::new(&stops).unwrap();
        let mut shown = String::new();
        for piece in pieces {
            let (text, stop) = matcher.push(piece);
            shown.push_str(&text);
            if stop.is_some() {
                return (shown, stop);
            }
        }
        shown.push_str(&matcher.finish());
        (shown, None)
    }

    #[test]
    fn the_beginning_of_a_stop_string_is_held_back_and_no_more() {
        let mut matcher = StopMatcher::new(&["END".to_owned()]).unwrap();
        assert_eq!(matcher.push("the E"), ("the ".to_owned(), None));
        assert_eq!(matcher.push("N"), (String::new(), None));
        assert_eq!(matcher.push("E"), ("EN".to_owned(), None));
        assert_eq!(matcher.push("ND!"), (String::new(), Some(0)));
    }

    #[test]
    fn overlapping_beginnings_are_not_lost() {
        assert_eq!(
            run(&["aab"], &["a", "a", "a", "b"]),
            ("a".to_owned(), Some(0))
        );
        assert_eq!(
            run(&["abab!"], &["ababab", "!"]),
            ("ab".to_owned(), Some(0))
        );
        assert_eq!(run(&["aab"], &["aa"]), ("aa".to_owned(), None));
    }

    #[test]
    fn the_first_complete_stop_wins_and_of_those_the_longest() {
        assert_eq!(run(&["abcd", "bc"], &["xabcd"]), ("xa".to_owned(), Some(1)));
        assert_eq!(run(&["c", "bc"], &["abc"]), ("a".to_owned(), Some(1)));
    }

    #[test]
    fn an_empty_stop_string_is_refused() {
        let error = StopMatcher::new(&["x".to_owned(), String::new()]).unwrap_err();
        assert!(error.to_string().contains("string 1 is empty"), "{error}");
    }

    proptest! {
        #[test]
        fn the_result_is_that_of_a_plain_search_however_the_text_is_cut(
            // A small alphabet, so that stop strings do occur; with characters of 1, 2 and 4 bytes.
            text in "[abé😀]{0,40}", stops in prop::collection::vec("[abé😀]{1,4}", 0..4), cuts in prop::collection::vec(0usize..40, 0..10)
        ) {
            // The plain search: the stop that ends first, the longest of those.
            let ends = stops.iter().enumerate().filter_map(|(index, stop)| {
                text.find(stop.as_str()).map(|start| (start + stop.len(), std::cmp::Reverse(stop.len()), index))
            });
            let first = ends.min();
            let expected = match first {
                Some((end, length, index)) => (text[..end - length.0].to_owned(), Some(index)),
                None => (text.clone(), None),
            };

            let mut cuts: Vec<usize> = cuts.into_iter().filter(|cut| text.is_char_boundary(*cut)).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&str> = cuts.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
            let stops: Vec<&str> = stops.iter().map(String::as_str).collect();
            prop_assert_eq!(run(&stops, &pieces), expected);
        }
    }
}
