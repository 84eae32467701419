//! Download of a whole file: resumes and retries until it is complete, then checks its hash.

use std::path::Path;

use crate::attempt::Job;
use crate::digest::Digest;
use crate::disk;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::observer::Event;
use crate::partial::Partial;

impl Job<'_> {
    /// Fetches the file into `incomplete`, which may hold the beginning of it. It is complete and
    /// on the disk when this returns, and if there is a `digest`, the bytes on the disk have it.
    ///
    /// What is checked is the file and not the stream: two processes may have written to it on a
    /// file system whose locks do nothing.
    pub(crate) fn fetch(&mut self, incomplete: &Path, digest: Option<&Digest>) -> Result<()> {
        let mut partial = Partial::open(incomplete.to_owned())?;
        let mut has_old_bytes = partial.at() > 0;
        loop {
            self.fetch_all_bytes(&mut partial)?;
            partial.flush()?;
            let Some(digest) = digest else {
                return Ok(());
            };
            let found = self.hash(incomplete, digest)?;
            if found == *digest {
                return Ok(());
            }
            if !std::mem::take(&mut has_old_bytes) {
                disk::remove_quietly(incomplete);
                return Err(Error::Mismatch {
                    name: self.name.to_owned(),
                    expected: digest.hex().to_owned(),
                    found: found.hex().to_owned(),
                });
            }
            // The bytes of an earlier pull may have been those of another file.
            let name = self.name;
            let reason = "what was here of it does not belong to it";
            self.observer.on(Event::StartedOver { name, reason });
            partial.start_over()?;
        }
    }

    /// Tries until every byte is here.
    fn fetch_all_bytes(&mut self, partial: &mut Partial) -> Result<()> {
        let mut failures = 0;
        loop {
            let before = partial.at();
            match self.attempt(partial) {
                Ok(()) => return Ok(()),
                Err(error) => {
                    if partial.at().saturating_sub(before) >= Limits::PROGRESS {
                        failures = 0;
                    }
                    self.client
                        .wait_after(error, &mut failures, self.observer)?;
                }
            }
        }
    }

    /// The hash of what is on the disk.
    pub(crate) fn hash(&self, path: &Path, kind: &Digest) -> Result<Digest> {
        let size = self.size.unwrap_or_default();
        let name = self.name;
        self.observer.on(Event::Checking { name, size });
        kind.of_file(path, &|at| {
            self.observer.on(Event::At(at));
            self.client.check_interrupted()
        })
    }
}
