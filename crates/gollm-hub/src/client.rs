//! Requests: who may be asked, with which token, for how long, and how far an answer may send us on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ureq::http::HeaderMap;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body, Timeout};

use crate::address::Address;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::names::shown;
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
    /// As the environment says: `HTTPS_PROXY` and its kin.
    agent: Agent,
    /// For this machine itself, which no proxy can reach for us.
    direct: Agent,
    home: String,
    token: Option<Token>,
    insecure_http: bool,
    pub(crate) limits: Limits,
    interrupted: Arc<AtomicBool>,
}

/// Ends a pull from another thread.
#[derive(Debug, Clone)]
pub struct Interrupter {
    agents: [Agent; 2],
    interrupted: Arc<AtomicBool>,
}

impl Interrupter {
    /// Closes the connections; the pull ends with [`Error::Interrupted`].
    pub fn interrupt(&self) {
        self.interrupted.store(true, Ordering::SeqCst);
        for agent in &self.agents {
            agent.clone().shutdown();
        }
    }
}

impl Client {
    pub(crate) fn new(settings: &Settings) -> Result<Self> {
        let tls = tls(settings)?;
        let agent = |config: ureq::config::ConfigBuilder<ureq::typestate::AgentScope>| {
            let limits = &settings.limits;
            let config = config
                .tls_config(tls.clone())
                .http_status_as_error(false)
                .max_redirects(0)
                .user_agent(concat!("gollm/", env!("CARGO_PKG_VERSION")))
                .accept_encoding("identity")
                .max_response_header_size(Limits::MAX_HEAD)
                .timeout_resolve(Some(limits.connect))
                .timeout_connect(Some(limits.connect))
                .timeout_send_request(Some(limits.answer))
                .timeout_recv_response(Some(limits.answer))
                .timeout_per_read(Some(limits.stall));
            Agent::new_with_config(config.build())
        };
        Ok(Self {
            agent: agent(Agent::config_builder()),
            direct: agent(Agent::config_builder().proxy(None)),
            home: settings.endpoint.origin(),
            token: settings.token.clone(),
            insecure_http: settings.insecure_http,
            limits: settings.limits.clone(),
            interrupted: Arc::default(),
        })
    }

    pub(crate) fn interrupter(&self) -> Interrupter {
        Interrupter {
            agents: [self.agent.clone(), self.direct.clone()],
            interrupted: Arc::clone(&self.interrupted),
        }
    }

    /// An error if someone interrupted.
    pub(crate) fn go_on(&self) -> Result<()> {
        match self.interrupted.load(Ordering::SeqCst) {
            true => Err(Error::Interrupted),
            false => Ok(()),
        }
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
            let is_private = address.is_https() || address.is_loopback();
            let token = self.token.as_ref().filter(|_| was_home && is_private);
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
            let next = next_address(&answer)?;
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
        let agent = match address.is_loopback() {
            true => &self.direct,
            false => &self.agent,
        };
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

    /// What went wrong with a request, or with reading its answer at byte `at`.
    pub(crate) fn failure(&self, address: &Address, error: ureq::Error, at: u64) -> Error {
        if self.go_on().is_err() {
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
        Error::Connection {
            address: address.to_string(),
            problem,
            is_transient,
        }
    }
}

/// A certificate that is wrong is so the next time, too; it comes as an I/O error of this kind.
fn is_passing(error: &std::io::Error) -> bool {
    !matches!(
        error.kind(),
        std::io::ErrorKind::InvalidData | std::io::ErrorKind::InvalidInput
    )
}

/// Where an answer sends us: never from https to http.
fn next_address(answer: &Answer) -> Result<Address> {
    let from = &answer.address;
    let location = headers::text(&answer.headers, "location");
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

/// An answer that will not get better.
pub(crate) fn wrong(
    address: &Address,
    problem: &'static str,
    expected: impl ToString,
    found: &str,
) -> Error {
    Error::Answer {
        address: address.to_string(),
        problem,
        expected: expected.to_string(),
        found: shown(found),
        is_transient: false,
    }
}

fn tls(settings: &Settings) -> Result<TlsConfig> {
    let Some(pem) = &settings.certificates else {
        return Ok(TlsConfig::default());
    };
    let certificates = parse_pem(pem).filter_map(|item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(certificate),
        _ => None,
    });
    let certificates: Vec<_> = certificates.collect();
    if certificates.is_empty() {
        return Err(Error::Setting {
            name: "SSL_CERT_FILE",
            problem: "expected certificates in PEM, found none".to_owned(),
        });
    }
    let roots = RootCerts::Specific(Arc::new(certificates));
    Ok(TlsConfig::builder().root_certs(roots).build())
}
