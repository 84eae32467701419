//! HTTP client: which hosts may be requested, with which token, for how long, and how many
//! redirects are followed.

use std::thread;
use std::time::{Duration, Instant};

use ureq::Body;
use ureq::http::HeaderMap;

use crate::address::Address;
use crate::error::{Error, Result};
use crate::failures::wrong;
use crate::http::{Agents, Interrupter};
use crate::limits::Limits;
use crate::observer::{Event, Observer};
use crate::settings::{Settings, Token};
use crate::{redirect, status};

/// What is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Request<'a> {
    /// The head alone, of this host alone: a redirect that says what it leads to, or that leads to
    /// another host, is the answer.
    pub(crate) head_only: bool,
    /// The first byte wanted.
    pub(crate) from: u64,
    /// Only if the file is still this one; otherwise all of it.
    pub(crate) if_range: Option<&'a str>,
    /// For the whole body, where it is short.
    pub(crate) body_timeout: Option<Duration>,
}

/// An answer with a status that has a body worth reading, or 416, or the redirect of a head.
pub(crate) struct Response {
    pub(crate) address: Address,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
}

/// Asks servers. All requests of a pull go through one of these.
#[derive(Debug)]
pub(crate) struct Client {
    agents: Agents,
    /// The host of the token.
    home: String,
    token: Option<Token>,
    insecure_http: bool,
    pub(crate) limits: Limits,
}

impl Client {
    pub(crate) fn new(settings: &Settings) -> Result<Self> {
        Ok(Self {
            agents: Agents::new(settings)?,
            home: settings.endpoint.origin(),
            token: settings.token.clone(),
            insecure_http: settings.insecure_http,
            limits: settings.limits.clone(),
        })
    }

    pub(crate) fn interrupter(&self) -> Interrupter {
        self.agents.interrupter()
    }

    /// An error if someone interrupted.
    pub(crate) fn check_interrupted(&self) -> Result<()> {
        self.agents.check_interrupted()
    }

    /// Sleeps, unless someone interrupts.
    pub(crate) fn sleep(&self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            self.check_interrupted()?;
            thread::sleep(left.min(Duration::from_millis(50)));
        }
        self.check_interrupted()
    }

    /// Asks again while that may help, up to the bounds.
    pub(crate) fn with_retries<T>(
        &self,
        observer: &dyn Observer,
        send: impl Fn() -> Result<T>,
    ) -> Result<T> {
        let mut failures = 0;
        loop {
            match send() {
                Ok(value) => return Ok(value),
                Err(error) => self.wait_after(error, &mut failures, observer)?,
            }
        }
    }

    /// Waits before the next try, or returns the error if there should be none.
    pub(crate) fn wait_after(
        &self,
        error: Error,
        failures: &mut u32,
        observer: &dyn Observer,
    ) -> Result<()> {
        self.check_interrupted()?;
        *failures += 1;
        let asks_too_much = error
            .wait()
            .is_some_and(|wait| wait > self.limits.longest_wait);
        if !error.is_transient() || *failures > self.limits.retries || asks_too_much {
            return Err(error);
        }
        let wait = self.limits.wait(*failures, error.wait());
        observer.on(Event::Retrying {
            error: &error,
            wait,
            failures: *failures,
            of: self.limits.retries,
        });
        self.sleep(wait)
    }

    /// Asks, and follows where it is sent.
    pub(crate) fn send(&self, address: &Address, request: Request<'_>) -> Result<Response> {
        self.check(address)?;
        let mut address = address.clone();
        let mut was_home = true;
        for _ in 0..=Limits::MAX_REDIRECTS {
            self.check_interrupted()?;
            // Whoever has left the host of the token does not get it back by being sent home again.
            was_home &= address.origin() == self.home;
            let token = self.token_for(&address).filter(|_| was_home);
            let response = self.send_once(&address, request, token)?;
            if !matches!(response.status, 301 | 302 | 303 | 307 | 308) {
                return match response.status {
                    200 | 206 | 416 => Ok(response),
                    code => Err(status::error(
                        &address,
                        code,
                        &response.headers,
                        token.is_some(),
                    )),
                };
            }
            let next = redirect::next_address(&response.address, &response.headers)?;
            let is_named = response.headers.contains_key("x-linked-etag");
            if request.head_only && (is_named || next.origin() != address.origin()) {
                return Ok(response);
            }
            self.check(&next)
                .map_err(|error| redirect::refused(&address, error))?;
            address = next;
        }
        Err(wrong(
            &address,
            "it sends us on and on",
            "at most 10 redirects",
            "more",
        ))
    }

    /// The token, if it is for this host and nobody on the way can read it.
    fn token_for(&self, address: &Address) -> Option<&Token> {
        let is_private = address.is_https() || address.is_loopback();
        let is_home = address.origin() == self.home;
        self.token.as_ref().filter(|_| is_private && is_home)
    }

    fn check(&self, address: &Address) -> Result<()> {
        if address.is_https() || address.is_loopback() || self.insecure_http {
            return Ok(());
        }
        Err(Error::Address {
            found: address.to_string(),
            problem: "over http anyone on the way can change the file; take https, or --insecure-http",
        })
    }

    fn send_once(
        &self,
        address: &Address,
        request: Request<'_>,
        token: Option<&Token>,
    ) -> Result<Response> {
        let agent = self.agents.agent_for(address);
        let mut builder = if request.head_only {
            agent.head(address.uri())
        } else {
            agent.get(address.uri())
        };
        if let Some(token) = token {
            builder = builder.header("Authorization", token.header());
        }
        if request.from > 0 {
            builder = builder.header("Range", format!("bytes={}-", request.from));
            if let Some(validator) = request.if_range {
                builder = builder.header("If-Range", validator);
            }
        }
        let built = builder.config().timeout_recv_body(request.body_timeout);
        let response = built
            .build()
            .call()
            .map_err(|error| self.failure(address, error, request.from))?;
        let (head, body) = response.into_parts();
        Ok(Response {
            address: address.clone(),
            status: head.status.as_u16(),
            headers: head.headers,
            body,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_for_one_host_and_never_for_everybody_on_the_way() {
        let client = |endpoint: &str| {
            let settings = Settings {
                endpoint: endpoint.parse().unwrap(),
                token: Token::new("hf_secret").ok(),
                offline: false,
                no_symlinks: false,
                insecure_http: true,
                certificates: None,
                limits: Limits::default(),
            };
            Client::new(&settings).unwrap()
        };
        for (endpoint, address, expected) in [
            ("https://a.example", "https://a.example/x", true),
            ("https://a.example", "https://a.example:8443/x", false),
            ("https://a.example", "https://sub.a.example/x", false),
            ("https://a.example", "http://a.example/x", false),
            ("http://a.example", "http://a.example/x", false),
            ("http://127.0.0.1:1", "http://127.0.0.1:1/x", true),
            ("http://127.0.0.1:1", "http://127.0.0.1:2/x", false),
        ] {
            let client = client(endpoint);
            let address = address.parse().unwrap();
            assert_eq!(
                client.token_for(&address).is_some(),
                expected,
                "{endpoint} {address}"
            );
        }
    }
}
