//! One request for the bytes of a file, or for the rest of them.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::time::Instant;

use crate::address::Address;
use crate::client::{Answer, Ask, Client, wrong};
use crate::disk;
use crate::error::{Error, Result};
use crate::headers;
use crate::limits::Limits;
use crate::observer::{Event, Observer};
use crate::partial::Partial;

/// What is read at once.
const BUFFER: usize = 256 << 10;

/// A file to fetch.
pub(crate) struct Job<'a> {
    pub(crate) client: &'a Client,
    pub(crate) observer: &'a dyn Observer,
    pub(crate) address: &'a Address,
    /// As messages call it.
    pub(crate) name: &'a str,
    /// Its length; where nobody has said it before, the first answer must.
    pub(crate) size: Option<u64>,
    /// The file that says of which file the bytes so far are. Where there is a hash to check there is no
    /// need for one, and the storage behind Hugging Face has none to give.
    pub(crate) validator: Option<&'a Path>,
}

impl Job<'_> {
    /// Asks for what is missing and appends it.
    pub(crate) fn attempt(&mut self, partial: &mut Partial) -> Result<()> {
        let validator = self.validator_of(partial)?;
        if self.size.is_some_and(|size| partial.at() > size) {
            self.start_over(partial, "it is longer than the file")?;
        }
        if self.size == Some(partial.at()) && partial.at() > 0 {
            return Ok(());
        }
        let ask = Ask {
            from: partial.at(),
            if_range: validator.as_deref(),
            ..Ask::default()
        };
        let mut answer = self.client.ask(self.address, ask)?;
        let size = self.check(&answer, partial, validator.as_deref())?;
        self.observer.on(Event::Started {
            name: self.name,
            size,
            at: partial.at(),
        });
        self.copy(&mut answer, partial, size)
    }

    fn start_over(&self, partial: &mut Partial, reason: &str) -> Result<()> {
        let name = self.name;
        self.observer.on(Event::StartedOver { name, reason });
        partial.start_over()
    }

    /// What must still hold for the bytes here to be worth anything, if they have no hash.
    fn validator_of(&self, partial: &mut Partial) -> Result<Option<String>> {
        let Some(path) = self.validator.filter(|_| partial.at() > 0) else {
            return Ok(None);
        };
        let text = fs::read_to_string(path).unwrap_or_default();
        let is_header =
            |text: &str| !text.is_empty() && text.bytes().all(|b| (32..127).contains(&b));
        if !is_header(&text) {
            self.start_over(
                partial,
                "the server gave nothing to tell whether it is still the same",
            )?;
            return Ok(None);
        }
        Ok(Some(text))
    }

    /// Whether the answer holds the bytes that were asked for; the length of the whole file.
    fn check(
        &mut self,
        answer: &Answer,
        partial: &mut Partial,
        validator: Option<&str>,
    ) -> Result<u64> {
        let head = &answer.headers;
        let encoding = headers::text(head, "content-encoding").unwrap_or("identity");
        if encoding != "identity" {
            return Err(wrong(
                &answer.address,
                "it sends the file encoded",
                "identity",
                encoding,
            ));
        }
        let kind = headers::text(head, "content-type").unwrap_or_default();
        if kind.starts_with("text/html") || kind.starts_with("multipart/") {
            return Err(wrong(
                &answer.address,
                "it sends something else",
                "a file",
                kind,
            ));
        }
        let announced = match answer.status {
            206 => Some(self.check_range(answer, partial, validator)?),
            416 => {
                self.start_over(partial, "the server has no such part of it")?;
                return Err(unusable(answer, "the rest of the file", "416"));
            }
            _ => {
                if partial.at() > 0 {
                    self.start_over(partial, "the server sends it from its beginning")?;
                }
                headers::number(head, "content-length")
            }
        };
        self.agree_on_size(answer, announced, partial)
    }

    /// The length of the whole file, as the answer's range says.
    fn check_range(
        &self,
        answer: &Answer,
        partial: &mut Partial,
        validator: Option<&str>,
    ) -> Result<u64> {
        let asked = partial.at();
        let text = headers::text(&answer.headers, "content-range").unwrap_or_default();
        let length = headers::number(&answer.headers, "content-length");
        let of = headers::validator(&answer.headers);
        let is_same = validator.is_none() || of.is_none() || of == validator;
        let found = headers::content_range(text).filter(|(first, last, size)| {
            let is_end = size.or(self.size).is_none_or(|size| last + 1 == size);
            let is_long = length.is_none_or(|length| Some(length) == (last - first).checked_add(1));
            *first == asked && asked > 0 && is_same && is_end && is_long
        });
        match found {
            Some((_, last, size)) => Ok(size.unwrap_or(last + 1)),
            None => {
                // Nothing is appended from somewhere else, and the next try asks for all of it.
                self.start_over(partial, "the server sends another part than asked for")?;
                Err(unusable(answer, &format!("bytes {asked} to the end"), text))
            }
        }
    }

    fn agree_on_size(
        &mut self,
        answer: &Answer,
        announced: Option<u64>,
        partial: &mut Partial,
    ) -> Result<u64> {
        match (self.size, announced) {
            (Some(size), None) => Ok(size),
            (Some(size), Some(announced)) if size == announced => Ok(size),
            (Some(size), Some(announced)) => {
                let problem = "it announces another length";
                Err(wrong(
                    &answer.address,
                    problem,
                    size,
                    &announced.to_string(),
                ))
            }
            (None, None) => Err(wrong(
                &answer.address,
                "it does not say how long the file is",
                "a Content-Length",
                "none",
            )),
            (None, Some(size)) => {
                let folder = partial.path().parent().unwrap_or(Path::new("."));
                disk::check_room(folder, size.saturating_sub(partial.at()))?;
                self.remember_validator(answer)?;
                self.size = Some(size);
                Ok(size)
            }
        }
    }

    fn remember_validator(&self, answer: &Answer) -> Result<()> {
        match self.validator {
            Some(path) => {
                let text = headers::validator(&answer.headers).unwrap_or_default();
                disk::write_whole(path, text)
            }
            None => Ok(()),
        }
    }

    fn copy(&self, answer: &mut Answer, partial: &mut Partial, size: u64) -> Result<()> {
        let limits = &self.client.limits;
        let mut buffer = vec![0; BUFFER];
        let mut body = answer.body.as_reader();
        let (mut since, mut at_since) = (Instant::now(), partial.at());
        while partial.at() < size {
            self.client.go_on()?;
            let most = usize::try_from(size - partial.at())
                .unwrap_or(BUFFER)
                .min(BUFFER);
            let n = body.read(&mut buffer[..most]).map_err(|error| {
                self.client
                    .failure(&answer.address, ureq::Error::from(error), partial.at())
            })?;
            if n == 0 {
                return Err(self.cut_short(partial.at(), size));
            }
            partial.append(&buffer[..n])?;
            self.observer.on(Event::At(partial.at()));
            if since.elapsed() >= limits.stall {
                if partial.at() - at_since < Limits::MIN_BYTES && partial.at() < size {
                    return Err(Error::Stalled {
                        address: answer.address.to_string(),
                        seconds: since.elapsed().as_secs_f64(),
                        at: partial.at(),
                    });
                }
                (since, at_since) = (Instant::now(), partial.at());
            }
        }
        Ok(())
    }

    fn cut_short(&self, found: u64, expected: u64) -> Error {
        if self.client.go_on().is_err() {
            return Error::Interrupted;
        }
        Error::CutShort {
            name: self.name.to_owned(),
            expected,
            found,
        }
    }
}

/// An answer that is not used; the next one may be.
fn unusable(answer: &Answer, expected: &str, found: &str) -> Error {
    match wrong(
        &answer.address,
        "it sends another part than asked for",
        expected,
        found,
    ) {
        Error::Answer {
            address,
            problem,
            expected,
            found,
            ..
        } => Error::Answer {
            address,
            problem,
            expected,
            found,
            is_transient: true,
        },
        error => error,
    }
}
