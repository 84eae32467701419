//! Host and port of an address: who gets the request.

use std::net::{Ipv4Addr, Ipv6Addr};

use ureq::http::Uri;

/// Host in lower case, and the port unless it is the usual one of the scheme.
pub(crate) fn authority_of(uri: &Uri, is_https: bool) -> Result<String, &'static str> {
    let (Some(authority), Some(host)) = (uri.authority(), uri.host()) else {
        return Err("it has no host");
    };
    let authority = authority.as_str();
    if authority.contains('@') {
        return Err("it holds a user name; tokens are taken from HF_TOKEN");
    }
    if !is_ip_v6(host) && !is_name(host) {
        return Err("its host is no name and no IP address");
    }
    let host_lower = host.to_ascii_lowercase();
    match authority.strip_prefix(host) {
        Some("") => Ok(host_lower),
        Some(rest) => {
            let port = port(rest).ok_or("its port is no number up to 65535")?;
            let usual = if is_https { 443 } else { 80 };
            if port == usual {
                Ok(host_lower)
            } else {
                Ok(format!("{host_lower}:{port}"))
            }
        }
        None => Err("its host is no name and no IP address"),
    }
}

/// `:` and digits: the client would read a port that is no number as none at all.
fn port(text: &str) -> Option<u16> {
    let digits = text.strip_prefix(':')?;
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|port| is_number && *port > 0)
}

fn is_name(host: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    !host.is_empty() && host.len() <= 253 && host.bytes().all(is_allowed)
}

fn is_ip_v6(host: &str) -> bool {
    let inner = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    inner.is_some_and(|ip| ip.parse::<Ipv6Addr>().is_ok())
}

/// Whether a host is this machine, by its usual names.
pub(crate) fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost"
        || host.parse().is_ok_and(|ip: Ipv4Addr| ip.is_loopback())
        || host.parse().is_ok_and(|ip: Ipv6Addr| ip.is_loopback())
}
