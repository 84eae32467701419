//! Pull: downloads the files of a model from its repository.

use crate::choice::{Chosen, Kind};
use crate::client::Client;
use crate::disk;
use crate::environment::CacheDirs;
use crate::error::{Error, Result};
use crate::file_head;
use crate::find::find;
use crate::http::Interrupter;
use crate::layout::RepositoryFolder;
use crate::listing::{self, Listing, RemoteFile};
use crate::names::FileName;
use crate::observer::{Event, Observer};
use crate::pulled::{Pulled, PulledFile, Wanted, chosen};
use crate::settings::Settings;
use crate::store::Store;

/// Brings models to this machine.
#[derive(Debug)]
pub struct Puller {
    pub(crate) dirs: CacheDirs,
    pub(crate) settings: Settings,
    pub(crate) client: Client,
}

impl Puller {
    /// Prepares to pull into `dirs`. Nothing is asked of anybody yet.
    ///
    /// # Errors
    ///
    /// If the certificates of the settings cannot be read.
    pub fn new(dirs: CacheDirs, settings: Settings) -> Result<Self> {
        let client = Client::new(&settings)?;
        Ok(Self {
            dirs,
            settings,
            client,
        })
    }

    /// Something that ends the pull from another thread.
    #[must_use]
    pub fn interrupter(&self) -> Interrupter {
        self.client.interrupter()
    }

    /// Pulls from a repository. What is here is not fetched again; what was interrupted goes on.
    ///
    /// # Errors
    ///
    /// If there is no such thing, the network fails for longer than the limits allow, the disk is
    /// full, or what comes is not what was announced. Nothing that is not complete gets its name.
    pub fn pull(&self, wanted: &Wanted, observer: &dyn Observer) -> Result<Pulled> {
        if self.settings.offline {
            return self.offline(wanted, observer);
        }
        let reference = &wanted.reference;
        let (repository, revision) = (&reference.repository, &reference.revision);
        let mut listing = self.client.with_retries(observer, || {
            listing::request(&self.client, &self.settings.endpoint, repository, revision)
        })?;
        if listing.n_refused > 0 {
            let n = listing.n_refused;
            observer.on(Event::Note(&format!(
                "{n} files with other names are left out"
            )));
        }
        let chosen = chosen(wanted, &listing)?;
        self.complete_list(&mut listing, &chosen, wanted, observer)?;
        let folder = RepositoryFolder::new(&self.dirs.hub, repository);
        let store = Store {
            folder: &folder,
            commit: &listing.commit,
            no_symlinks: self.settings.no_symlinks,
        };
        let files = self.fetch_all(&store, &listing, wanted, observer)?;
        store.remember(revision)?;
        let path = match &chosen.kind {
            Kind::Folder => folder.snapshot(&listing.commit),
            Kind::File(name) => folder.pointer(&listing.commit, name),
        };
        Ok(Pulled {
            path,
            commit: listing.commit,
            files,
        })
    }

    fn offline(&self, wanted: &Wanted, observer: &dyn Observer) -> Result<Pulled> {
        let offline = || Error::Offline {
            of: wanted.reference.to_string(),
        };
        let found = find(&self.dirs, &wanted.reference).map_err(|_| offline())?;
        let folder = RepositoryFolder::new(&self.dirs.hub, &wanted.reference.repository);
        let is_here = |name: &FileName| folder.pointer(&found.commit, name).is_file();
        if !wanted.files.iter().all(is_here) {
            return Err(offline());
        }
        observer.on(Event::Note(
            "HF_HUB_OFFLINE is set: nothing was compared with the repository",
        ));
        Ok(Pulled {
            path: found.path,
            commit: found.commit,
            files: Vec::new(),
        })
    }

    /// Leaves what was chosen in the list, each file with its length and hash.
    fn complete_list(
        &self,
        listing: &mut Listing,
        chosen: &Chosen,
        wanted: &Wanted,
        observer: &dyn Observer,
    ) -> Result<()> {
        listing
            .files
            .retain(|file| chosen.files.contains(&file.listed.name));
        for file in &mut listing.files {
            if file.known().is_err() {
                let address = self.address_of(file, &listing.commit, wanted)?;
                *file = self.client.with_retries(observer, || {
                    let mut file = file.clone();
                    file_head::request_length_and_hash(&self.client, &address, &mut file)?;
                    Ok(file)
                })?;
            }
        }
        Ok(())
    }

    pub(crate) fn address_of(
        &self,
        file: &RemoteFile,
        commit: &str,
        wanted: &Wanted,
    ) -> Result<crate::Address> {
        let repository = &wanted.reference.repository;
        listing::address_of(
            &self.settings.endpoint,
            repository,
            commit,
            &file.listed.name,
        )
    }

    fn fetch_all(
        &self,
        store: &Store<'_>,
        listing: &Listing,
        wanted: &Wanted,
        observer: &dyn Observer,
    ) -> Result<Vec<PulledFile>> {
        store.prepare()?;
        disk::check_room(&self.dirs.hub, missing_bytes(store, listing)?)?;
        let files = listing.files.iter();
        files
            .map(|file| self.fetch(store, file, wanted, observer))
            .collect()
    }
}

/// How much is still to come.
fn missing_bytes(store: &Store<'_>, listing: &Listing) -> Result<u64> {
    let mut missing = 0u64;
    for file in &listing.files {
        let (size, digest) = file.known()?;
        if store.bytes_of(&file.listed.name, size, digest).is_none() {
            let here = std::fs::metadata(store.incomplete(digest)).map_or(0, |file| file.len());
            missing = missing.saturating_add(size.saturating_sub(here));
        }
    }
    Ok(missing)
}
