//! The head of a `.t` file: numbered numbers, the chat template, and the ids that end a text.

use super::FILE;
use crate::little_endian::{LittleEndian, wrong};
use crate::{Error, Result, Roles};

const MAGIC: i32 = 0x56_7124;
/// What the first files began with: five numbers without keys follow.
const FIRST_MAGIC: i32 = 0x56_7123;
const VERSION: i32 = 1;
/// The magic and the length of the head.
const FIXED_BYTES: usize = 8;
/// Published templates have some thousand bytes; texts of a Hugging Face folder have this bound as well.
const MAX_TEMPLATE_BYTES: usize = 16 << 20;
const AGAIN: &str = "convert the tokenizer again with a newer distributed-llama";

/// The names of the keys, which are numbers in the file.
const KEYS: [&str; 11] = [
    "version",
    "vocab_size",
    "max_token_length",
    "bos_id",
    "eos_id",
    "pad_id",
    "chat_eos_id",
    "chat_template",
    "chat_stop",
    "n_eos_tokens",
    "add_bos",
];

/// What stands before the tokens.
pub(super) struct Head {
    pub(super) n_tokens: usize,
    /// The longest token, in bytes.
    pub(super) longest: i32,
    pub(super) begin: u32,
    /// The ids that end a text, in ascending order.
    pub(super) ends: Vec<u32>,
    adds_begin: bool,
    pub(super) chat_template: Option<String>,
}

impl Head {
    /// Reads up to the first token.
    pub(super) fn read(reader: &mut LittleEndian<'_>) -> Result<Self> {
        let values = Values::read(reader)?;
        let n_tokens = values.at_least_one("vocab_size")?;
        let longest = values.at_least_one("max_token_length")?;
        let chat_template = chat_template(reader, values.length("chat_template")?)?;
        // Old files have a text here that ends an answer; the ids say the same.
        reader.take(values.length("chat_stop")?)?;
        let mut ends = Vec::new();
        for key in ["eos_id", "chat_eos_id"] {
            if let Some(value) = values.get(key) {
                ends.push(id(key, value, n_tokens)?);
            }
        }
        let n_ends = values.length("n_eos_tokens")?;
        if n_ends > n_tokens as usize {
            let problem = format!("n_eos_tokens is {n_ends}, more than its {n_tokens} tokens");
            return Err(wrong(FILE, problem));
        }
        for _ in 0..n_ends {
            ends.push(id("an id that ends a text", reader.i32()?, n_tokens)?);
        }
        ends.sort_unstable();
        ends.dedup();
        Ok(Head {
            n_tokens: n_tokens as usize,
            longest,
            begin: id("bos_id", values.needed("bos_id")?, n_tokens)?,
            ends,
            adds_begin: values.flag("add_bos", true)?,
            chat_template,
        })
    }

    pub(super) fn roles(&self) -> Roles {
        Roles {
            begin: Some(self.begin).filter(|_| self.adds_begin),
            end: self.ends.clone(),
        }
    }
}

fn chat_template(reader: &mut LittleEndian<'_>, n_bytes: usize) -> Result<Option<String>> {
    if n_bytes > MAX_TEMPLATE_BYTES {
        let problem =
            format!("its chat template has {n_bytes} bytes, at most {MAX_TEMPLATE_BYTES} are read");
        return Err(wrong(FILE, problem));
    }
    let text = std::str::from_utf8(reader.take(n_bytes)?).map_err(|error| {
        let at = error.valid_up_to();
        let problem = format!("its chat template is not UTF-8 from its byte {at} on");
        wrong(FILE, problem)
    })?;
    Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
}

/// A number that is an id.
fn id(what: &str, value: i32, n_tokens: i32) -> Result<u32> {
    let id = u32::try_from(value).ok().filter(|_| value < n_tokens);
    id.ok_or_else(|| {
        let problem = format!(
            "{what} is {value}, expected an id from 0 to {}",
            n_tokens - 1
        );
        wrong(FILE, problem)
    })
}

/// The numbers, by the numbers of their keys.
struct Values([Option<i32>; KEYS.len()]);

impl Values {
    fn read(reader: &mut LittleEndian<'_>) -> Result<Self> {
        check_magic(reader.i32()?)?;
        let length = reader.i32()?;
        let n_bytes = usize::try_from(length).ok();
        let n_bytes = n_bytes.and_then(|n| n.checked_sub(FIXED_BYTES));
        let n_bytes = n_bytes.filter(|n| n.is_multiple_of(8)).ok_or_else(|| {
            let problem =
                format!("its head claims {length} bytes, expected 8 and 8 for each number");
            wrong(FILE, problem)
        })?;
        let mut values = Values([None; KEYS.len()]);
        // Keys are few and each may be there once, so a length that is a lie ends this early.
        for _ in 0..n_bytes / 8 {
            let (key, value) = (reader.i32()?, reader.i32()?);
            let index = usize::try_from(key).ok().filter(|key| *key < KEYS.len());
            let index = index.ok_or_else(|| {
                let last = KEYS.len() - 1;
                wrong(FILE, format!("key {key} is not known; 0 to {last} are"))
            })?;
            if values.0[index].replace(value).is_some() {
                let problem = format!("{} (key {key}) is there twice", KEYS[index]);
                return Err(wrong(FILE, problem));
            }
        }
        match values.needed("version")? {
            VERSION => Ok(values),
            other => {
                let problem = format!("its version is {other}, only {VERSION} is read: {AGAIN}");
                Err(wrong(FILE, problem))
            }
        }
    }

    fn get(&self, key: &str) -> Option<i32> {
        let index = KEYS.iter().position(|known| *known == key)?;
        self.0[index]
    }

    fn needed(&self, key: &str) -> Result<i32> {
        let missing = || wrong(FILE, format!("{key} is missing"));
        self.get(key).ok_or_else(missing)
    }

    fn at_least_one(&self, key: &str) -> Result<i32> {
        match self.needed(key)? {
            value @ 1.. => Ok(value),
            other => Err(unexpected(key, other, "a number of at least 1")),
        }
    }

    /// A number of bytes or of ids; absent, there are none.
    fn length(&self, key: &str) -> Result<usize> {
        let value = self.get(key).unwrap_or(0);
        let length = usize::try_from(value);
        length.map_err(|_| unexpected(key, value, "a number of at least 0"))
    }

    fn flag(&self, key: &str, absent: bool) -> Result<bool> {
        match self.get(key) {
            None => Ok(absent),
            Some(0) => Ok(false),
            Some(1) => Ok(true),
            Some(other) => Err(unexpected(key, other, "0 or 1")),
        }
    }
}

fn unexpected(key: &str, found: i32, expected: &str) -> Error {
    wrong(FILE, format!("{key} is {found}, expected {expected}"))
}

fn check_magic(found: i32) -> Result<()> {
    match found {
        MAGIC => Ok(()),
        FIRST_MAGIC => {
            let problem = format!("it is of the first kind (0x567123), which is not read: {AGAIN}");
            Err(wrong(FILE, problem))
        }
        other => {
            let problem = format!("it begins with {other:#010x}, expected 0x00567124");
            Err(wrong(FILE, problem))
        }
    }
}
