//! Where a text may be cut because no token can reach across.

use crate::fast::byte_hash::ByteHashMap;

const N_ASCII: usize = 128;

/// The neighbours that stand next to each other in some token.
///
/// Merging only ever makes tokens, so between two characters that are neighbours in no token nothing
/// is joined, whatever the order of the merges, and the text can be cut there without changing an id.
/// Real vocabularies have no token in which a letter is followed by `▁`, so this cuts at words.
#[derive(Debug, Clone, Default)]
pub(crate) struct Borders {
    /// Both below 128: by 128 times the first, plus the second.
    ascii: Vec<bool>,
    others: ByteHashMap<(u32, u32), ()>,
}

impl Borders {
    pub(crate) fn of<'a>(tokens: impl Iterator<Item = &'a str>) -> Self {
        let mut borders = Borders {
            ascii: vec![false; N_ASCII * N_ASCII],
            others: ByteHashMap::default(),
        };
        for token in tokens {
            for (left, right) in token.chars().zip(token.chars().skip(1)) {
                borders.add(left, right);
            }
        }
        borders
    }

    fn add(&mut self, left: char, right: char) {
        match ascii_place(left, right) {
            Some(place) => self.ascii[place] = true,
            None => {
                self.others.insert((left.into(), right.into()), ());
            }
        }
    }

    fn joins(&self, left: char, right: char) -> bool {
        match ascii_place(left, right) {
            Some(place) => self.ascii[place],
            None => self.others.contains_key(&(left.into(), right.into())),
        }
    }

    /// Where the first piece of `text` ends, which must not be empty.
    pub(crate) fn first(&self, text: &str) -> usize {
        let mut characters = text.char_indices();
        let Some((_, mut left)) = characters.next() else {
            return 0;
        };
        for (at, right) in characters {
            if !self.joins(left, right) {
                return at;
            }
            left = right;
        }
        text.len()
    }
}

fn ascii_place(left: char, right: char) -> Option<usize> {
    let both = left.is_ascii() && right.is_ascii();
    both.then_some(left as usize * N_ASCII + right as usize)
}
