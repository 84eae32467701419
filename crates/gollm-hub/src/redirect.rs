//! Redirects: where a response leads, and where nothing is fetched from.

use ureq::http::HeaderMap;

use crate::address::Address;
use crate::error::{Error, Result};
use crate::failures::wrong;
use crate::headers;

/// An address that a server chose, and nobody here.
pub(crate) fn refused(from: &Address, error: Error) -> Error {
    Error::Redirect {
        address: from.to_string(),
        error: Box::new(error),
    }
}

/// Where a response redirects to: never from https to http.
pub(crate) fn next_address(from: &Address, head: &HeaderMap) -> Result<Address> {
    let location = headers::text(head, "location");
    let location = location.ok_or_else(|| wrong(from, "it sends us on", "a Location", "none"))?;
    let next = from
        .follow(location)
        .map_err(|error| refused(from, error))?;
    if from.is_https() && !next.is_https() {
        let found = next.to_string();
        return Err(wrong(
            from,
            "it sends us from https to http",
            "https",
            &found,
        ));
    }
    Ok(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_over_https_never_leads_to_http() {
        let from: Address = "https://a.example/x".parse().unwrap();
        let follow = |location: &str| {
            let head = [("location".parse().unwrap(), location.parse().unwrap())];
            next_address(&from, &HeaderMap::from_iter(head)).map(|next| next.uri().to_string())
        };
        assert_eq!(
            follow("https://b.example/y").unwrap(),
            "https://b.example/y"
        );
        assert_eq!(follow("/y").unwrap(), "https://a.example/y");
        for downgrade in [
            "http://a.example/x",
            "http://127.0.0.1/x",
            "HTTP://b.example/",
        ] {
            let message = follow(downgrade).unwrap_err().to_string();
            assert!(message.contains("from https to http"), "{message}");
        }
    }
}
