//! Hugging Face models in the local cache: finds them and, with the feature `download`, downloads
//! them.
//!
//! Without that feature this crate has no network and one small dependency: [`find()`] looks for a
//! model that was pulled before, by us or by any of Hugging Face's own tools, whose cache it
//! shares. With it comes `Puller`, which fetches the files of a repository, or one file from any
//! URL.
//!
//! What it knows: names, the layout of the cache, HTTP, hashes. What it does *not* know: what is in
//! the files. A repository is judged by the names of its files alone ([`choose`]).
//!
//! Everything a server says is taken for hostile: names must pass [`FileName`] before they become
//! paths, lengths are compared and never allocated, a file has its final name only after its bytes
//! on the disk have the hash that was announced, and the access token goes to the host it was made
//! for and to no other.
//!
//! Read next: `model_ref.rs`, `choice.rs`, `find.rs`; then `pull.rs` and `transfer.rs`.

mod choice;
mod display;
mod environment;
mod error;
mod error_kind;
mod file_kinds;
mod find;
mod layout;
mod model_ref;
mod models;
mod names;
mod repository;

#[cfg(feature = "download")]
mod address;
#[cfg(feature = "download")]
mod attempt;
#[cfg(feature = "download")]
mod client;
#[cfg(feature = "download")]
mod digest;
#[cfg(feature = "download")]
mod disk;
#[cfg(feature = "download")]
mod failures;
#[cfg(feature = "download")]
mod fetch;
#[cfg(feature = "download")]
mod file_head;
#[cfg(feature = "download")]
mod headers;
#[cfg(feature = "download")]
mod host;
#[cfg(feature = "download")]
mod http;
#[cfg(feature = "download")]
mod limits;
#[cfg(feature = "download")]
mod listing;
#[cfg(feature = "download")]
mod lock;
#[cfg(feature = "download")]
mod observer;
#[cfg(feature = "download")]
mod partial;
#[cfg(feature = "download")]
mod pull;
#[cfg(feature = "download")]
mod pull_url;
#[cfg(feature = "download")]
mod pulled;
#[cfg(feature = "download")]
mod redirect;
#[cfg(feature = "download")]
mod response_checks;
#[cfg(feature = "download")]
mod settings;
#[cfg(feature = "download")]
mod status;
#[cfg(feature = "download")]
mod store;
#[cfg(feature = "download")]
mod target;
#[cfg(feature = "download")]
mod transfer;

pub use choice::{Chosen, Kind, Listed, choose};
pub use environment::CacheDirs;
pub use error::{Error, Result};
pub use error_kind::ErrorKind;
pub use find::{Found, find};
pub use model_ref::ModelReference;
pub use names::{FileName, NameError, Revision};
pub use repository::Repository;

#[cfg(feature = "download")]
pub use self::{
    address::Address,
    digest::Digest,
    http::Interrupter,
    limits::Limits,
    observer::{Event, Observer},
    pull::Puller,
    pull_url::PulledUrl,
    pulled::{Pulled, PulledFile, Wanted},
    settings::{Settings, Token},
    target::{Target, target},
};
