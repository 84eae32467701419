//! Request failures, as errors that say what to do.

use std::io;

use ureq::Timeout;

use crate::address::Address;
use crate::client::Client;
use crate::error::Error;
use crate::names::shown;

impl Client {
    /// What went wrong with a request, or with reading its answer at byte `at`.
    pub(crate) fn failure(&self, address: &Address, error: ureq::Error, at: u64) -> Error {
        if self.check_interrupted().is_err() {
            return Error::Interrupted;
        }
        let (problem, is_transient) = match error {
            ureq::Error::Timeout(Timeout::PerRead) => {
                return Error::Stalled {
                    address: address.to_string(),
                    seconds: self.limits.stall.as_secs_f64(),
                    at,
                };
            }
            ureq::Error::Timeout(of) => (format!("no answer in time ({of})"), true),
            ureq::Error::HostNotFound => ("the host was not found".to_owned(), true),
            ureq::Error::Io(error) => (shown(&error.to_string()), is_passing(&error)),
            ureq::Error::LargeResponseHeader(..) => {
                return wrong(
                    address,
                    "the head of the answer is too long",
                    "64 KiB",
                    "more",
                );
            }
            error => (shown(&error.to_string()), false),
        };
        let problem = if problem.contains("certificate") {
            problem + " (SSL_CERT_FILE names other certificates to trust)"
        } else {
            problem
        };
        Error::Connection {
            address: address.to_string(),
            problem,
            is_transient,
        }
    }
}

/// A certificate that is wrong is so the next time, too; it comes as an I/O error of this kind.
fn is_passing(error: &io::Error) -> bool {
    !matches!(
        error.kind(),
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput
    )
}

/// An answer that will not get better.
pub(crate) fn wrong(
    address: &Address,
    problem: &'static str,
    expected: impl ToString,
    found: &str,
) -> Error {
    Error::Response {
        address: address.to_string(),
        problem,
        expected: expected.to_string(),
        found: shown(found),
        is_transient: false,
    }
}

/// An answer that is not used; the next one may be.
pub(crate) fn unusable(address: &Address, expected: &str, found: &str) -> Error {
    Error::Response {
        address: address.to_string(),
        problem: "it sends another part than asked for",
        expected: expected.to_owned(),
        found: shown(found),
        is_transient: true,
    }
}
