//! Requests: who may be asked, with which token, for how long, and how far an answer may send us on.

use std::thread;
use std::time::{Duration, Instant};

use ureq::Body;
use ureq::http::HeaderMap;

use crate::address::Address;
use crate::agents::{Agents, Interrupter};
use crate::error::{Error, Result};
use crate::failures::wrong;
use crate::limits::Limits;
use crate::observer::{Event, Observer};
use crate::settings::{Settings, Token};
use crate::{headers, status};

/// What is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Ask<'a> {
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
pub(crate) struct Answer {
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
    pub(crate) fn go_on(&self) -> Result<()> {
        self.agents.go_on()
    }

    /// Sleeps, unless someone interrupts.
    pub(crate) fn sleep(&self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            self.go_on()?;
            thread::sleep(left.min(Duration::from_millis(50)));
        }
        self.go_on()
    }

    /// Asks again while that may help, up to the bounds.
    pub(crate) fn patiently<T>(
        &self,
        observer: &dyn Observer,
        ask: impl Fn() -> Result<T>,
    ) -> Result<T> {
        let mut failures = 0;
        loop {
            match ask() {
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
        self.go_on()?;
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
    pub(crate) fn ask(&self, address: &Address, ask: Ask<'_>) -> Result<Answer> {
        let mut address = address.clone();
        let mut was_home = true;
        for _ in 0..=Limits::MAX_REDIRECTS {
            self.go_on()?;
            self.check(&address)?;
            // Whoever has left the host of the token does not get it back by being sent home again.
            was_home &= address.origin() == self.home;
            let token = self.token_for(&address).filter(|_| was_home);
            let answer = self.ask_once(&address, ask, token)?;
            if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
                return match answer.status {
                    200 | 206 | 416 => Ok(answer),
                    code => Err(status::error(
                        &address,
                        code,
                        &answer.headers,
                        token.is_some(),
                    )),
                };
            }
            let next = next_address(&answer.address, &answer.headers)?;
            let is_named = answer.headers.contains_key("x-linked-etag");
            if ask.head_only && (is_named || next.origin() != address.origin()) {
                return Ok(answer);
            }
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

    fn ask_once(&self, address: &Address, ask: Ask<'_>, token: Option<&Token>) -> Result<Answer> {
        let agent = self.agents.agent_for(address);
        let full = address.full();
        let mut request = match ask.head_only {
            true => agent.head(&full),
            false => agent.get(&full),
        };
        if let Some(token) = token {
            request = request.header("Authorization", token.header());
        }
        if ask.from > 0 {
            request = request.header("Range", format!("bytes={}-", ask.from));
            if let Some(validator) = ask.if_range {
                request = request.header("If-Range", validator);
            }
        }
        let request = request.config().timeout_recv_body(ask.body_timeout).build();
        let response = request
            .call()
            .map_err(|error| self.failure(address, error, ask.from))?;
        let (head, body) = response.into_parts();
        Ok(Answer {
            address: address.clone(),
            status: head.status.as_u16(),
            headers: head.headers,
            body,
        })
    }
}

/// Where an answer sends us: never from https to http.
fn next_address(from: &Address, head: &HeaderMap) -> Result<Address> {
    let location = headers::text(head, "location");
    let location = location.ok_or_else(|| wrong(from, "it sends us on", "a Location", "none"))?;
    let next = from.follow(location)?;
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
            next_address(&from, &HeaderMap::from_iter(head)).map(|next| next.full())
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
