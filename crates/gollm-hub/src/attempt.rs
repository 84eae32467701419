//! Download attempt: one request for the bytes of a file, or for the rest of them.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::time::Instant;

use crate::address::Address;
use crate::client::{Client, Request, Response};
use crate::error::{Error, Result};
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
    /// The file that says of which file the bytes so far are. Where there is a hash to check there
    /// is no need for one, and the storage behind Hugging Face has none to give.
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
        let request = Request {
            from: partial.at(),
            if_range: validator.as_deref(),
            ..Request::default()
        };
        let mut response = self.client.send(self.address, request)?;
        let size = self.check(&response, partial, validator.as_deref())?;
        self.observer.on(Event::Started {
            name: self.name,
            size,
            at: partial.at(),
        });
        self.copy(&mut response, partial, size)
    }

    pub(crate) fn start_over(&self, partial: &mut Partial, reason: &str) -> Result<()> {
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

    fn copy(&self, response: &mut Response, partial: &mut Partial, size: u64) -> Result<()> {
        let limits = &self.client.limits;
        let mut buffer = vec![0; BUFFER];
        let mut body = response.body.as_reader();
        let (mut since, mut at_since) = (Instant::now(), partial.at());
        while partial.at() < size {
            self.client.check_interrupted()?;
            let most = usize::try_from(size - partial.at())
                .unwrap_or(BUFFER)
                .min(BUFFER);
            let n = body.read(&mut buffer[..most]).map_err(|error| {
                self.client
                    .failure(&response.address, ureq::Error::from(error), partial.at())
            })?;
            if n == 0 {
                return Err(self.cut_short(partial.at(), size));
            }
            partial.append(&buffer[..n])?;
            self.observer.on(Event::At(partial.at()));
            if since.elapsed() >= limits.stall {
                if partial.at() - at_since < Limits::MIN_BYTES && partial.at() < size {
                    return Err(Error::Stalled {
                        address: response.address.to_string(),
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
        if self.client.check_interrupted().is_err() {
            return Error::Interrupted;
        }
        Error::CutShort {
            name: self.name.to_owned(),
            expected,
            found,
        }
    }
}
