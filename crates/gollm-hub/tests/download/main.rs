//! Pulling from a server that behaves, and from the same one when it does not.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, which should stop where they cannot go on"
)]

mod cache;
mod faults;
mod hub;
mod parts;
mod security;
mod server;
mod support;
mod urls;
