//! Response checks: whether a response holds the bytes that were requested.

use std::path::Path;

use crate::attempt::Job;
use crate::client::Response;
use crate::disk;
use crate::error::Result;
use crate::failures::{unusable, wrong};
use crate::headers;
use crate::partial::Partial;

impl Job<'_> {
    /// Whether the answer holds the bytes that were asked for; the length of the whole file.
    pub(crate) fn check(
        &mut self,
        response: &Response,
        partial: &mut Partial,
        validator: Option<&str>,
    ) -> Result<u64> {
        let head = &response.headers;
        let encoding = headers::text(head, "content-encoding").unwrap_or("identity");
        if encoding != "identity" {
            return Err(wrong(
                &response.address,
                "it sends the file encoded",
                "identity",
                encoding,
            ));
        }
        let kind = headers::text(head, "content-type").unwrap_or_default();
        if kind.starts_with("text/html") || kind.starts_with("multipart/") {
            return Err(wrong(
                &response.address,
                "it sends something else",
                "a file",
                kind,
            ));
        }
        let announced = match response.status {
            206 => Some(self.check_range(response, partial, validator)?),
            416 => {
                self.start_over(partial, "the server has no such part of it")?;
                return Err(unusable(&response.address, "the rest of the file", "416"));
            }
            _ => {
                if partial.at() > 0 {
                    self.start_over(partial, "the server sends it from its beginning")?;
                }
                headers::number(head, "content-length")
            }
        };
        self.agree_on_size(response, announced, partial)
    }

    /// The length of the whole file, as the answer's range says.
    fn check_range(
        &self,
        response: &Response,
        partial: &mut Partial,
        validator: Option<&str>,
    ) -> Result<u64> {
        let asked = partial.at();
        let text = headers::text(&response.headers, "content-range").unwrap_or_default();
        let length = headers::number(&response.headers, "content-length");
        let of = headers::validator(&response.headers);
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
                Err(unusable(
                    &response.address,
                    &format!("bytes {asked} to the end"),
                    text,
                ))
            }
        }
    }

    fn agree_on_size(
        &mut self,
        response: &Response,
        announced: Option<u64>,
        partial: &mut Partial,
    ) -> Result<u64> {
        match (self.size, announced) {
            (Some(size), None) => Ok(size),
            (Some(size), Some(announced)) if size == announced => Ok(size),
            (Some(size), Some(announced)) => {
                let problem = "it announces another length";
                Err(wrong(
                    &response.address,
                    problem,
                    size,
                    &announced.to_string(),
                ))
            }
            (None, None) => Err(wrong(
                &response.address,
                "it does not say how long the file is",
                "a Content-Length",
                "none",
            )),
            (None, Some(size)) => {
                let folder = partial.path().parent().unwrap_or(Path::new("."));
                disk::check_room(folder, size.saturating_sub(partial.at()))?;
                self.remember_validator(response)?;
                self.size = Some(size);
                Ok(size)
            }
        }
    }

    fn remember_validator(&self, response: &Response) -> Result<()> {
        match self.validator {
            Some(path) => {
                let text = headers::validator(&response.headers).unwrap_or_default();
                disk::write_whole(path, text)
            }
            None => Ok(()),
        }
    }
}
