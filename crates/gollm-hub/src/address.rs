//! HTTP addresses that may be requested: `https://host[:port]/path[?query]`.
//!
//! Parsed once, by [`Uri`], which the HTTP client uses as it is: two parsers of one address could
//! disagree about the host that gets a token. What has no business in the address of a file (a user
//! and a password, a fragment, characters that mean something to a terminal or to a header) is
//! refused, not repaired.

use std::fmt;
use std::str::FromStr;

use ureq::http::Uri;

use crate::error::{Error, Result};
use crate::host::{authority_of, is_loopback};
use crate::names::shown;

/// More than a signed address has.
const MAX_LENGTH: usize = 8 << 10;

/// An absolute address of `https` or `http`. Shown without its query, which often is a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Scheme, host in lower case, the port unless it is the usual one, path, query.
    uri: Uri,
}

impl Address {
    /// The whole address, query included: for requests, never for a message.
    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Scheme, host and port, as a text that is equal for equal ones.
    pub(crate) fn origin(&self) -> String {
        let authority = self.uri.authority().map_or("", |found| found.as_str());
        format!("{}://{authority}", self.scheme())
    }

    /// The path without the query.
    pub(crate) fn path(&self) -> &str {
        self.uri.path()
    }

    pub(crate) fn is_https(&self) -> bool {
        self.scheme() == "https"
    }

    /// Whether the host is this machine, by its usual names.
    pub(crate) fn is_loopback(&self) -> bool {
        self.uri.host().is_some_and(is_loopback)
    }

    /// The same host with another path, which must begin with a slash.
    pub(crate) fn at(&self, target: &str) -> Result<Self> {
        format!("{}{target}", self.origin()).parse()
    }

    /// Where a `Location` leads from here: absolute, without scheme, or on the same host.
    pub(crate) fn follow(&self, location: &str) -> Result<Self> {
        if has_scheme(location) {
            location.parse()
        } else if location.starts_with("//") {
            format!("{}:{location}", self.scheme()).parse()
        } else if location.starts_with('/') {
            self.at(location)
        } else {
            let path = self.path();
            let directory = path.rfind('/').map_or("", |end| &path[..end]);
            self.at(&format!("{directory}/{location}"))
        }
    }

    fn scheme(&self) -> &str {
        self.uri.scheme_str().unwrap_or_default()
    }
}

fn has_scheme(text: &str) -> bool {
    let end = text.find([':', '/', '?', '#']);
    end.is_some_and(|end| text[end..].starts_with(':'))
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        checked(text).map_err(|problem| Error::Address {
            found: shown(text.split(['?', '#']).next().unwrap_or_default()),
            problem,
        })
    }
}

/// The address in one spelling, or what is wrong with it.
fn checked(text: &str) -> Result<Address, &'static str> {
    let form = "expected https or http, as in https://HOST/PATH";
    if text.len() > MAX_LENGTH {
        return Err("it has more than 8192 characters");
    }
    let is_allowed = |b: u8| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b);
    if !text.bytes().all(is_allowed) {
        return Err("it holds a character that must be written as %XX");
    }
    let uri: Uri = text.parse().map_err(|_| form)?;
    let scheme = uri
        .scheme_str()
        .filter(|scheme| ["https", "http"].contains(scheme));
    let scheme = scheme.ok_or(form)?;
    let authority = authority_of(&uri, scheme == "https")?;
    let query = uri.query().map(|query| format!("?{query}"));
    let path = uri.path();
    let spelled = format!("{scheme}://{authority}{path}{}", query.unwrap_or_default());
    let uri = spelled.parse().map_err(|_| form)?;
    Ok(Address { uri })
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin(), self.path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart_and_put_together() {
        for (text, full) in [
            ("https://Example.org", "https://example.org/"),
            (
                "https://example.org:443/a?b=c#d",
                "https://example.org/a?b=c",
            ),
            ("HTTP://localhost:8080/a%20b", "http://localhost:8080/a%20b"),
            ("http://[::1]:80?x", "http://[::1]/?x"),
        ] {
            assert_eq!(text.parse::<Address>().unwrap().uri().to_string(), full);
        }
        let signed: Address = "https://cdn.example/f?Signature=secret".parse().unwrap();
        assert_eq!(signed.to_string(), "https://cdn.example/f");
    }

    #[test]
    fn what_is_no_plain_address_is_refused() {
        let long = format!("https://a/{}", "b".repeat(9000));
        for wrong in [
            "",
            "example.org/a",
            "ftp://a/b",
            "file:///etc/passwd",
            "https:///a",
            "https://a b/",
            "https://u:p@a/",
            "https://a:0/",
            "https://a:99999/",
            "https://a:+1/",
            "https://a/b c",
            "https://a/\r\nX: y",
            "https://a/\u{1b}",
            "https://[::1/",
            "https://é/",
            &long,
        ] {
            assert!(wrong.parse::<Address>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_location_is_followed_as_browsers_do() {
        let from: Address = "https://a.example/x/y?q".parse().unwrap();
        for (location, to) in [
            ("https://b.example/z", "https://b.example/z"),
            ("//b.example/z", "https://b.example/z"),
            ("/z?a=b:c", "https://a.example/z?a=b:c"),
            ("z", "https://a.example/x/z"),
        ] {
            assert_eq!(from.follow(location).unwrap().uri().to_string(), to);
        }
        for wrong in ["javascript:alert(1)", "ftp://b/", "http://", "//"] {
            assert!(from.follow(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn one_origin_has_one_spelling() {
        let origin = |text: &str| text.parse::<Address>().unwrap().origin();
        for (text, same) in [
            ("https://A.example:443/x", "HTTPS://a.EXAMPLE?y"),
            ("http://a.example:080", "http://a.example"),
            ("http://[::1]:80", "http://[::1]/z"),
            ("https://a.example:08443", "https://a.example:8443/z"),
        ] {
            assert_eq!(origin(text), origin(same));
        }
        for (text, other) in [
            ("https://a.example", "http://a.example"),
            ("https://a.example", "https://a.example:80"),
            ("https://a.example", "https://a.example.:443"),
        ] {
            assert_ne!(origin(text), origin(other));
        }
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for (host, expected) in [
            ("localhost", true),
            ("127.0.0.1", true),
            ("127.8.9.1", true),
            ("[::1]", true),
            ("localhost.example", false),
            ("127.0.0.1.example", false),
            ("10.0.0.1", false),
        ] {
            let address: Address = format!("http://{host}/").parse().unwrap();
            assert_eq!(address.is_loopback(), expected, "{host}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_taken_is_what_is_requested(text in "(https?://)?[a-z0-9.:@\\[\\]-]{0,12}[/?#a-z%\\\\ .]{0,20}.{0,4}") {
            if let Ok(address) = text.parse::<Address>() {
                let again: Address = address.uri().to_string().parse().unwrap();
                assert_eq!(again, address);
                assert_eq!(again.to_string(), address.to_string());
            }
        }
    }
}
