//! An address that may be requested: `https://host[:port]/path[?query]`.
//!
//! Small on purpose. What has no business in the address of a file (a user and a password, a
//! fragment, characters that mean something to a terminal or to a header) is refused, not repaired.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::host::{host_and_port, is_loopback};
use crate::names::shown;

/// More than a signed address has.
const MAX_LENGTH: usize = 8 << 10;

/// An absolute address of `https` or `http`. Shown without its query, which often is a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    is_https: bool,
    /// Lower case; an IPv6 address in brackets.
    host: String,
    port: u16,
    /// Path and query, from the first slash on.
    target: String,
}

impl Address {
    /// The whole text, query included: for requests, never for a message.
    pub(crate) fn full(&self) -> String {
        format!("{}{}", self.origin(), self.target)
    }

    /// Scheme, host and port: whom one talks to.
    pub(crate) fn origin(&self) -> String {
        let (scheme, default) = match self.is_https {
            true => ("https", 443),
            false => ("http", 80),
        };
        match self.port {
            port if port == default => format!("{scheme}://{}", self.host),
            port => format!("{scheme}://{}:{port}", self.host),
        }
    }

    /// The path without the query.
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    pub(crate) fn is_https(&self) -> bool {
        self.is_https
    }

    /// Whether the host is this machine, by its usual names.
    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }

    /// The same host with another path, which must begin with a slash.
    pub(crate) fn at(&self, target: &str) -> Result<Self> {
        format!("{}{target}", self.origin()).parse()
    }

    /// Where a `Location` leads from here: absolute, without scheme, or on the same host.
    pub(crate) fn follow(&self, location: &str) -> Result<Self> {
        let scheme = if self.is_https { "https" } else { "http" };
        if has_scheme(location) {
            location.parse()
        } else if location.starts_with("//") {
            format!("{scheme}:{location}").parse()
        } else if location.starts_with('/') {
            self.at(location)
        } else {
            let path = self.path();
            let directory = path.rfind('/').map_or("", |end| &path[..end]);
            self.at(&format!("{directory}/{location}"))
        }
    }
}

fn has_scheme(text: &str) -> bool {
    let end = text.find([':', '/', '?', '#']);
    end.is_some_and(|end| text[end..].starts_with(':'))
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refused = |problem| Error::Address {
            found: shown(text.split(['?', '#']).next().unwrap_or_default()),
            problem,
        };
        if text.len() > MAX_LENGTH {
            return Err(refused("it has more than 8192 characters"));
        }
        let (scheme, rest) = text
            .split_once("://")
            .ok_or_else(|| refused("expected https://"))?;
        let is_https = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(refused("expected https or http")),
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, target) = match rest.find(['/', '?']) {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let (host, port) = host_and_port(authority, is_https).map_err(refused)?;
        let is_allowed = |b: u8| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b);
        if !target.bytes().all(is_allowed) {
            return Err(refused(
                "its path holds a character that must be written as %XX",
            ));
        }
        let slash = if target.starts_with('/') { "" } else { "/" };
        Ok(Self {
            is_https,
            host,
            port,
            target: format!("{slash}{target}"),
        })
    }
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
            assert_eq!(text.parse::<Address>().unwrap().full(), full);
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
            assert_eq!(from.follow(location).unwrap().full(), to);
        }
        for wrong in ["javascript:alert(1)", "ftp://b/", "http://", "//"] {
            assert!(from.follow(wrong).is_err(), "{wrong}");
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
                let again: Address = address.full().parse().unwrap();
                assert_eq!(again, address);
                // The client's own idea of an address has the same host.
                let uri: ureq::http::Uri = address.full().parse().unwrap();
                assert_eq!(uri.host(), Some(address.host.as_str()));
                assert_eq!(uri.path(), address.path());
            }
        }
    }
}
