//! The published expressions as functions: where the piece that begins here ends.
//!
//! Each function is one of the published regular expressions ([`crate::Pattern::regex`]), its
//! alternatives tried in the same order. Written out as a scanner it needs no backtracking:
//! every piece is found after looking at each character a bounded number of times, so 1 MB of
//! spaces costs what 1 MB of prose costs, and nothing can run out of stack.

use crate::char_class::{CharClasses, LETTER, LOWER, NEWLINE, NUMBER, SPACE, UPPER, is_symbol};

/// What is left of the text. Positions are byte offsets into it, always between characters.
pub(crate) struct Scanner<'a> {
    pub(crate) text: &'a str,
    pub(crate) classes: &'static CharClasses,
}

impl Scanner<'_> {
    /// `'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s`
    pub(crate) fn gpt2(&self) -> usize {
        if let Some(end) = self.contraction(0, false) {
            return end;
        }
        let start = usize::from(self.text.starts_with(' '));
        for wanted in [LETTER, NUMBER] {
            if let Some(end) = self.some(start, |class| class & wanted != 0) {
                return end;
            }
        }
        if let Some(end) = self.some(start, is_symbol) {
            return end;
        }
        self.spaces()
    }

    /// `'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+|`
    /// ` ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s`
    pub(crate) fn cl100k(&self) -> usize {
        self.word_number_or_symbols(3).unwrap_or_else(|| {
            let run = self.run(0, |class| class & SPACE != 0);
            match run == self.text.len() {
                true => run,
                false => self.lines_or_spaces(),
            }
        })
    }

    /// As cl100k without `\s++$`, and with `\p{N}{1,n_digits}`: Llama 3's and Qwen 2's.
    pub(crate) fn llama3(&self, n_digits: usize) -> usize {
        let piece = self.word_number_or_symbols(n_digits);
        piece.unwrap_or_else(|| self.lines_or_spaces())
    }

    /// The alternatives of cl100k that are not spaces.
    fn word_number_or_symbols(&self, n_digits: usize) -> Option<usize> {
        self.contraction(0, true)
            .or_else(|| self.some(self.lead(), |class| class & LETTER != 0))
            .or_else(|| self.digits(n_digits))
            .or_else(|| self.symbols(&['\r', '\n']))
    }

    /// The o200k expression: two forms of word, numbers, symbols, line breaks, spaces.
    pub(crate) fn o200k(&self) -> usize {
        if let Some(end) = self.cased_word() {
            return self.contraction(end, true).unwrap_or(end);
        }
        let other = self.digits(3).or_else(|| self.symbols(&['\r', '\n', '/']));
        other.unwrap_or_else(|| self.lines_or_spaces())
    }

    /// The two word alternatives of o200k, without the contraction that may follow:
    /// `[^\r\n\p{L}\p{N}]? U* L+` and, failing that, `[^\r\n\p{L}\p{N}]? U+ L*`,
    /// where `U` is [`UPPER`] and `L` is [`LOWER`].
    ///
    /// The leading character is tried first as a lead and then, because a combining mark is in
    /// `U` and `L` as well, as part of the word.
    fn cased_word(&self) -> Option<usize> {
        let lead = self.lead();
        self.upper_then_lower(lead)
            .or_else(|| (lead > 0).then(|| self.upper_then_lower(0))?)
            .or_else(|| self.some(lead, |class| class & UPPER != 0))
            .or_else(|| self.some(0, |class| class & UPPER != 0))
    }

    /// `U*L+` from `start`.
    ///
    /// A regular expression takes all of `U*`, then gives characters back until one of them can
    /// begin `L+`. That is the last character of the run that is in both sets: everything after
    /// it is upper case, which `L+` cannot enter.
    fn upper_then_lower(&self, start: usize) -> Option<usize> {
        let upper_end = self.run(start, |class| class & UPPER != 0);
        if let Some(end) = self.some(upper_end, |class| class & LOWER != 0) {
            return Some(end);
        }
        self.text[start..upper_end]
            .char_indices()
            .rev()
            .find(|&(_, character)| self.classes.of(character) & LOWER != 0)
            .map(|(at, character)| start + at + character.len_utf8())
    }

    /// `'s 'd 'm 't 'll 've 're` at `start`.
    ///
    /// In any case means any case of Unicode: U+017F, the long s, folds to `s`.
    fn contraction(&self, start: usize, any_case: bool) -> Option<usize> {
        let rest = self.text[start..].strip_prefix('\'')?;
        let fold = |character: char| match character {
            'ſ' if any_case => 's',
            _ if any_case => character.to_ascii_lowercase(),
            _ => character,
        };
        let mut characters = rest.chars();
        let first = characters.next()?;
        let length = match (fold(first), characters.next().map(fold)) {
            ('s' | 'd' | 'm' | 't', _) => first.len_utf8(),
            ('l', Some('l')) | ('v' | 'r', Some('e')) => 2,
            _ => return None,
        };
        Some(start + 1 + length)
    }

    /// `[^\r\n\p{L}\p{N}]?` at the start: the length of a character that may lead a word.
    fn lead(&self) -> usize {
        match self.text.chars().next() {
            Some(first) if self.classes.of(first) & (NEWLINE | LETTER | NUMBER) == 0 => {
                first.len_utf8()
            }
            _ => 0,
        }
    }

    /// `\p{N}{1,most}` at the start.
    fn digits(&self, most: usize) -> Option<usize> {
        let digits = self
            .text
            .chars()
            .take(most)
            .take_while(|&c| self.classes.of(c) & NUMBER != 0);
        let length: usize = digits.map(char::len_utf8).sum();
        (length > 0).then_some(length)
    }

    /// ` ?[^\s\p{L}\p{N}]+[closing]*` at the start.
    fn symbols(&self, closing: &[char]) -> Option<usize> {
        let start = usize::from(self.text.starts_with(' '));
        let end = self.some(start, is_symbol)?;
        let rest = &self.text[end..];
        Some(end + rest.len() - rest.trim_start_matches(closing).len())
    }

    /// `\s*[\r\n]+`, or spaces alone.
    fn lines_or_spaces(&self) -> usize {
        let run = self.run(0, |class| class & SPACE != 0);
        self.last_newline(run).unwrap_or_else(|| self.spaces())
    }

    /// `\s*[\r\n]+`: up to the last line break of the `run` of spaces that begins here.
    fn last_newline(&self, run: usize) -> Option<usize> {
        self.text[..run].rfind(['\r', '\n']).map(|at| at + 1)
    }

    /// `\s++$|\s+(?!\S)|\s`: a run of spaces, all of it at the end of the text, otherwise all
    /// but the last one, which is left to lead the next word. A single space stands alone.
    fn spaces(&self) -> usize {
        let run = self.run(0, |class| class & SPACE != 0);
        let last = self.text[..run]
            .char_indices()
            .next_back()
            .map_or(0, |(at, _)| at);
        if run == self.text.len() || last == 0 {
            run
        } else {
            last
        }
    }

    /// The end of the characters from `start` on whose category bits are `wanted`.
    #[inline]
    fn run(&self, start: usize, wanted: impl Fn(u8) -> bool) -> usize {
        let bytes = self.text.as_bytes();
        let mut at = start;
        // Most text is ASCII, whose characters are bytes and need no decoding.
        while let Some(&byte) = bytes.get(at).filter(|byte| byte.is_ascii()) {
            if !wanted(self.classes.of_ascii(byte)) {
                return at;
            }
            at += 1;
        }
        let rest = &self.text[at..];
        rest.find(|character| !wanted(self.classes.of(character)))
            .map_or(self.text.len(), |length| at + length)
    }

    /// Like [`Scanner::run`], but at least one character.
    #[inline]
    fn some(&self, start: usize, wanted: impl Fn(u8) -> bool) -> Option<usize> {
        let end = self.run(start, wanted);
        (end > start).then_some(end)
    }
}
