//! One file from an address that is no repository.

use std::fs;

use gollm_hub::{Digest, Error};

use crate::hub::File;
use crate::server::{Reply, Request, Server};
use crate::support::Machine;

const SIZE: usize = 200_000;

fn file() -> File {
    File::large("model.gguf", SIZE)
}

fn pull(
    machine: &Machine,
    server: &Server,
    hash: Option<&str>,
) -> Result<gollm_hub::PulledUrl, Error> {
    let address = format!("{}/files/model.gguf?v=1", server.url())
        .parse()
        .unwrap();
    let hash = hash.map(|hash| Digest::from_hex(hash).unwrap());
    let puller = machine.puller();
    puller.pull_url(&address, hash.as_ref(), false, &machine.witness)
}

/// Hangs up in the middle of the first answer; the file is another one from the second on if `changes`.
fn dropping(changes: bool, with_etag: bool) -> Server {
    Server::new(move |request, count| {
        let mut bytes = file().bytes;
        let tag = format!("\"{}\"", u8::from(changes && count > 0));
        if changes && count > 0 {
            bytes[0] ^= 1;
        }
        let is_same = request.header("if-range").is_none_or(|asked| asked == tag);
        let reply = match is_same {
            true => Reply::file(request, &bytes),
            false => Reply::ok(bytes),
        };
        let reply = Reply {
            until: (count == 0).then_some(SIZE / 2),
            ..reply
        };
        if with_etag {
            reply.with("ETag", tag)
        } else {
            reply
        }
    })
}

#[test]
fn a_file_is_pulled_once_and_its_hash_is_told() {
    let server = Server::new(|request, _| Reply::file(request, &file().bytes));
    let machine = Machine::new(&server);
    let pulled = pull(&machine, &server, None).unwrap();
    assert_eq!(fs::read(&pulled.path).unwrap(), file().bytes);
    assert_eq!((pulled.size, pulled.was_here), (SIZE as u64, false));
    assert_eq!(pulled.hash, file().hash());
    assert!(pulled.path.ends_with("model.gguf"));
    assert!(
        pull(&machine, &server, Some(&file().hash()))
            .unwrap()
            .was_here
    );
    assert_eq!(server.requests().len(), 1);
    let other = pull(&machine, &server, Some(&"0".repeat(64))).unwrap_err();
    assert!(matches!(other, Error::AnotherFile { .. }), "{other}");
}

#[test]
fn a_rest_is_asked_for_only_of_the_same_file() {
    let server = dropping(false, true);
    let machine = Machine::new(&server);
    pull(&machine, &server, Some(&file().hash())).unwrap();
    let rest = &server.requests()[1];
    assert_eq!(
        (rest.from(), rest.header("if-range")),
        (Some(SIZE / 2), Some("\"0\""))
    );

    // It has changed meanwhile: all of the new one, nothing of the old one.
    let server = dropping(true, true);
    let machine = Machine::new(&server);
    let pulled = pull(&machine, &server, None).unwrap();
    let mut changed = file().bytes;
    changed[0] ^= 1;
    assert_eq!(fs::read(pulled.path).unwrap(), changed);

    // Nothing tells whether it has: from the beginning.
    let server = dropping(false, false);
    let machine = Machine::new(&server);
    pull(&machine, &server, None).unwrap();
    assert_eq!(server.requests()[1].from(), None);
    assert_eq!(machine.witness.count("over"), 1);
}

#[test]
fn a_server_that_ignores_if_range_is_found_out_by_its_etag() {
    let server = Server::new(|request, count| {
        let reply = Reply {
            until: (count == 0).then_some(SIZE / 2),
            ..Reply::file(request, &file().bytes)
        };
        reply.with("ETag", format!("\"{}\"", count.min(1)))
    });
    let machine = Machine::new(&server);
    pull(&machine, &server, None).unwrap();
    let starts: Vec<_> = server.requests().iter().map(Request::from).collect();
    assert_eq!(starts, [None, Some(SIZE / 2), None]);
}

#[test]
fn a_wrong_hash_leaves_nothing_and_a_missing_length_is_refused() {
    let server = Server::new(|request, _| Reply::file(request, &file().bytes));
    let machine = Machine::new(&server);
    let error = pull(&machine, &server, Some(&"0".repeat(64))).unwrap_err();
    assert!(matches!(error, Error::Mismatch { .. }), "{error}");
    let left = machine.all_files();
    let is_file = |name: &String| name.ends_with(".gguf") || name.ends_with(".incomplete");
    assert!(!left.iter().any(is_file), "{left:?}");
    let server = Server::new(|_, _| Reply {
        no_length: true,
        ..Reply::ok(file().bytes)
    });
    let error = pull(&Machine::new(&server), &server, None).unwrap_err();
    assert!(
        error.to_string().contains("how long the file is"),
        "{error}"
    );
}

#[test]
fn the_token_is_not_for_other_hosts() {
    let server = Server::new(|request, _| Reply::file(request, &file().bytes));
    let machine = Machine::new(&server);
    let address = format!("{}/model.gguf", server.other_url())
        .parse()
        .unwrap();
    machine
        .puller()
        .pull_url(&address, None, false, &())
        .unwrap();
    assert_eq!(server.requests()[0].header("authorization"), None);
}
