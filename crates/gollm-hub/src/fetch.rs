//! Downloads one file into the cache, unless it is there.

use std::path::PathBuf;

use crate::attempt::Job;
use crate::digest::Digest;
use crate::error::Result;
use crate::listing::RemoteFile;
use crate::lock::lock;
use crate::observer::{Event, Observer};
use crate::pull::Puller;
use crate::pulled::{PulledFile, Wanted};
use crate::store::Store;

impl Puller {
    /// Fetches the file unless it is here, and gives it its name.
    pub(crate) fn fetch(
        &self,
        store: &Store<'_>,
        file: &RemoteFile,
        wanted: &Wanted,
        observer: &dyn Observer,
    ) -> Result<PulledFile> {
        let (size, digest) = file.known()?;
        let name = &file.listed.name;
        let address = self.address_of(file, store.commit, wanted)?;
        let mut job = Job {
            client: &self.client,
            observer,
            address: &address,
            name: name.as_str(),
            size: Some(size),
            validator: None,
        };
        // Held to the end of the function, also while an earlier copy is compared.
        let _lock = lock(
            &store.folder.lock(digest.hex()),
            name.as_str(),
            &self.client,
            observer,
        )?;
        let mut here = store.bytes_of(name, size, digest);
        if wanted.recheck && is_damaged(&job, here.as_ref(), digest)? {
            store.forget(name, digest)?;
            here = None;
        }
        if here.is_none() {
            job.fetch(&store.incomplete(digest), Some(digest))?;
            store.accept(digest)?;
        }
        store.point(name, digest)?;
        observer.on(Event::Finished {
            name: name.as_str(),
        });
        Ok(PulledFile {
            name: name.clone(),
            size,
            hash: digest.hex().to_owned(),
            was_here: here.is_some(),
        })
    }
}

/// Whether the file that is here has other bytes than its name says.
fn is_damaged(job: &Job<'_>, here: Option<&PathBuf>, digest: &Digest) -> Result<bool> {
    let Some(path) = here else {
        return Ok(false);
    };
    let is_damaged = job.hash(path, digest)? != *digest;
    if is_damaged {
        job.observer.on(Event::StartedOver {
            name: job.name,
            reason: "what is here of it is damaged",
        });
    }
    Ok(is_damaged)
}
