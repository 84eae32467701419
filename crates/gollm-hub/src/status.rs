//! HTTP status codes: what they mean here, and what to do about them.

use ureq::http::HeaderMap;

use crate::address::Address;
use crate::error::Error;
use crate::headers;
use crate::names::shown;

/// The error that an answer with this status is.
pub(crate) fn error(address: &Address, status: u16, head: &HeaderMap, sent_token: bool) -> Error {
    let code = headers::text(head, "x-error-code").unwrap_or_default();
    let said = headers::text(head, "x-error-message").unwrap_or_default();
    let said = match said {
        "" => String::new(),
        said => format!(" (“{}”)", shown(said)),
    };
    Error::Status {
        address: address.to_string(),
        status,
        said,
        advice: advice(status, code, sent_token).to_owned(),
        wait: headers::wait(head),
    }
}

fn advice(status: u16, code: &str, sent_token: bool) -> &'static str {
    match (status, code) {
        (401 | 403, "GatedRepo") => {
            "its owner asks for conditions to be accepted: open the repository's page in a browser, accept \
             them, and set HF_TOKEN to a token of the same account"
        }
        (401, _) if !sent_token => {
            "there is no such repository, or it is private: check the name, or set HF_TOKEN"
        }
        (401, _) => "the token was not accepted: check HF_TOKEN, or log in again",
        (403, _) => "the token does not allow this: check its permissions",
        (404, "RevisionNotFound") => "there is no such branch, tag or commit",
        (404, "EntryNotFound") => "there is no such file in this revision",
        (404, _) => "there is no such thing: check the name",
        (407, _) => "the proxy wants to know who asks: put user and password into HTTPS_PROXY",
        (429, _) => "too many requests: wait some minutes; with HF_TOKEN set the limit is higher",
        (500.., _) => "the server is in trouble: try again later",
        _ => "expected a file",
    }
}
