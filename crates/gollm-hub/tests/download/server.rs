//! A server on this machine that does what it is told: answer, redirect, lie, stall, hang up.
//!
//! Written on sockets, since every library would keep it from misbehaving.

#![allow(
    dead_code,
    reason = "the tests of two crates use this file, each of them a part of it"
)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    /// Names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The first byte of `Range: bytes=N-`.
    pub(crate) fn from(&self) -> Option<usize> {
        self.header("range")?
            .strip_prefix("bytes=")?
            .strip_suffix('-')?
            .parse()
            .ok()
    }
}

/// What to answer: a head, a body, and where to stop.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// How many bytes of the body to send before what comes next.
    pub(crate) until: Option<usize>,
    /// Say nothing more for so long, then hang up.
    pub(crate) stall: Option<Duration>,
    /// Leave out the Content-Length.
    pub(crate) no_length: bool,
    /// Send the body in pieces of one byte, with a pause after each.
    pub(crate) drip: Option<Duration>,
}

impl Reply {
    pub(crate) fn new(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        Self {
            body,
            ..Self::new(200)
        }
    }

    pub(crate) fn to(location: impl ToString) -> Self {
        Self::new(302).with("Location", location)
    }

    pub(crate) fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    /// A whole file, or the rest of it if that was asked for.
    pub(crate) fn file(request: &Request, bytes: &[u8]) -> Self {
        match request.from() {
            Some(from) if from < bytes.len() => {
                let range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
                Self {
                    body: bytes[from..].to_vec(),
                    ..Self::new(206)
                }
                .with("Content-Range", range)
            }
            Some(_) => Self::new(416),
            None => Self::ok(bytes),
        }
    }

    fn send(&self, stream: &mut TcpStream, head_only: bool) -> std::io::Result<()> {
        let mut head = format!("HTTP/1.1 {} X\r\nConnection: close\r\n", self.status);
        let says_length = self
            .headers
            .iter()
            .any(|(name, _)| name == "Content-Length");
        if !self.no_length && !says_length {
            head.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        stream.write_all(head.as_bytes())?;
        stream.write_all(b"\r\n")?;
        let end = self.until.unwrap_or(self.body.len()).min(self.body.len());
        match self.drip {
            _ if head_only => {}
            None => stream.write_all(&self.body[..end])?,
            Some(pause) => {
                for byte in &self.body[..end] {
                    stream.write_all(&[*byte])?;
                    thread::sleep(pause);
                }
            }
        }
        stream.flush()?;
        if let Some(time) = self.stall {
            thread::sleep(time);
        }
        Ok(())
    }
}

type Handler = dyn Fn(&Request, usize) -> Reply + Send + Sync;

/// A server that is there until the test ends.
pub(crate) struct Server {
    port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Answers each request with what `handler` says; its second argument counts requests from 0.
    pub(crate) fn new(handler: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::<Mutex<Vec<Request>>>::default();
        let (seen, handler) = (
            Arc::clone(&requests),
            Arc::<Handler>::from(Box::new(handler) as Box<Handler>),
        );
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, handler) = (Arc::clone(&seen), Arc::clone(&handler));
                thread::spawn(move || answer(stream, &seen, &*handler));
            }
        });
        Self { port, requests }
    }

    /// Its address, by the name that counts as its own.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The same server under the name of another host.
    pub(crate) fn other_url(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// Requests for targets with this in them.
    pub(crate) fn requests_for(&self, part: &str) -> Vec<Request> {
        let mut requests = self.requests();
        requests.retain(|request| request.target.contains(part));
        requests
    }
}

fn answer(mut stream: TcpStream, seen: &Mutex<Vec<Request>>, handler: &Handler) {
    let Some(request) = read(&stream) else {
        return;
    };
    let count = {
        let mut seen = seen.lock().unwrap();
        seen.push(request.clone());
        seen.len() - 1
    };
    let reply = handler(&request, count);
    // The client may hang up first; that is its right.
    let _ = reply.send(&mut stream, request.method == "HEAD");
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    let mut words = first.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    for line in lines {
        let line = line.ok()?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    Some(Request {
        method,
        target,
        headers,
    })
}
