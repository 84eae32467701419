//! The part of an address that says whom one talks to.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Host, in lower case, and port.
pub(crate) fn host_and_port(
    authority: &str,
    is_https: bool,
) -> Result<(String, u16), &'static str> {
    if authority.contains('@') {
        return Err("it holds a user name; tokens are taken from HF_TOKEN");
    }
    let (host, port) = match authority.rfind(':') {
        Some(at) if !authority.ends_with(']') => (&authority[..at], Some(&authority[at + 1..])),
        _ => (authority, None),
    };
    let port = match port {
        None => {
            if is_https {
                443
            } else {
                80
            }
        }
        Some(text) if text.bytes().all(|b| b.is_ascii_digit()) => text
            .parse()
            .ok()
            .filter(|port| *port > 0)
            .ok_or("its port is no number up to 65535")?,
        Some(_) => return Err("its port is no number up to 65535"),
    };
    let inner = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let is_name = !host.is_empty()
        && host.len() <= 253
        && host
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
    match inner {
        Some(ip) if ip.parse::<Ipv6Addr>().is_ok() => Ok((host.to_ascii_lowercase(), port)),
        None if is_name => Ok((host.to_ascii_lowercase(), port)),
        _ => Err("its host is no name and no IP address"),
    }
}

/// Whether a host is this machine, by its usual names.
pub(crate) fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost"
        || host.parse().is_ok_and(|ip: Ipv4Addr| ip.is_loopback())
        || host.parse().is_ok_and(|ip: Ipv6Addr| ip.is_loopback())
}
