//! A server that drops, stalls, cuts short, lies and refuses.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use gollm_hub::{Error, ErrorKind};

use crate::hub::{File, hub, listing};
use crate::server::{Reply, Request};
use crate::support::{Machine, wanted};

const MODEL: &str = "model.gguf";

fn model(n_bytes: usize) -> File {
    File::large(MODEL, n_bytes)
}

fn is_storage(request: &Request) -> bool {
    request.target.contains("/storage/")
}

#[test]
fn a_dropped_connection_goes_on_where_it_ended() {
    let file = model(3_000_000);
    let bytes = file.bytes.clone();
    let server = hub(vec![file.clone()], move |request, count| {
        // Twice it hangs up in the middle of what was asked for.
        (is_storage(request) && count < 5).then(|| Reply {
            until: Some(1_200_000),
            ..Reply::file(request, &bytes)
        })
    });
    let machine = Machine::new(&server);
    let pulled = machine.pull("me/model");
    assert_eq!(fs::read(pulled.path).unwrap(), file.bytes);
    let starts: Vec<_> = server
        .requests_for("/storage/")
        .iter()
        .map(Request::from)
        .collect();
    assert_eq!(starts.len(), 3);
    assert_eq!(starts[0], None);
    assert!(
        starts[1] >= Some(1_000_000) && starts[2] >= Some(2_000_000),
        "{starts:?}"
    );
}

#[test]
fn an_earlier_pull_is_gone_on_with_and_a_wrong_beginning_is_found_out() {
    for (beginning, n_over) in [(true, 0), (false, 1)] {
        let file = model(100_000);
        let server = hub(vec![file.clone()], |_, _| None);
        let machine = Machine::new(&server);
        let incomplete = machine.path(&format!("blobs/{}.incomplete", file.hash()));
        fs::create_dir_all(incomplete.parent().unwrap()).unwrap();
        let mut start = file.bytes[..60_000].to_vec();
        start[7] ^= u8::from(!beginning);
        fs::write(&incomplete, start).unwrap();
        let pulled = machine.pull("me/model");
        assert_eq!(fs::read(pulled.path).unwrap(), file.bytes);
        assert_eq!(server.requests_for("/storage/")[0].from(), Some(60_000));
        assert_eq!(machine.witness.count("over"), n_over);
    }
}

#[test]
fn a_server_that_ignores_or_confuses_ranges_never_mixes_parts() {
    let file = model(100_000);
    let confused: [fn(&Request, &[u8]) -> Reply; 6] = [
        |_, bytes| Reply::ok(bytes),
        |_, bytes| Reply::ok(&bytes[50_000..]).with("Content-Range", "bytes 50000-99999/100000"),
        |_, bytes| wrong_range(bytes, "bytes 40000-99999/100000"),
        |_, bytes| wrong_range(bytes, "bytes 50000-99999/200000"),
        |_, bytes| wrong_range(bytes, "nonsense"),
        |_, _| Reply::new(416),
    ];
    for (case, answer) in confused.into_iter().enumerate() {
        let bytes = file.bytes.clone();
        let server = hub(vec![file.clone()], move |request, _| {
            (is_storage(request) && request.from().is_some()).then(|| answer(request, &bytes))
        });
        let machine = Machine::new(&server);
        let incomplete = machine.path(&format!("blobs/{}.incomplete", file.hash()));
        fs::create_dir_all(incomplete.parent().unwrap()).unwrap();
        fs::write(&incomplete, &file.bytes[..50_000]).unwrap();
        let pulled = machine.try_pull("me/model");
        // The second one is a whole file of half the length: no file of ours.
        if case == 1 {
            let message = pulled.unwrap_err().to_string();
            assert!(message.contains("another length"), "{message}");
            continue;
        }
        assert_eq!(
            fs::read(pulled.unwrap().path).unwrap(),
            file.bytes,
            "case {case}"
        );
        assert_eq!(machine.witness.count("over"), 1, "case {case}");
    }
}

fn wrong_range(bytes: &[u8], range: &str) -> Reply {
    Reply {
        body: bytes[50_000..].to_vec(),
        ..Reply::new(206)
    }
    .with("Content-Range", range)
}

#[test]
fn a_stall_ends_after_the_stall_timeout_and_keeps_what_came() {
    let file = model(100_000);
    let server = hub(vec![file.clone()], |request, _| {
        is_storage(request).then(|| Reply {
            until: Some(30_000),
            stall: Some(Duration::from_secs(30)),
            ..Reply::ok(model(100_000).bytes)
        })
    });
    let mut machine = Machine::new(&server);
    machine.settings.limits.retries = 0;
    let started = Instant::now();
    let message = machine.failure("me/model");
    assert!(message.contains("too little came"), "{message}");
    assert!(started.elapsed() < Duration::from_secs(10));
    let incomplete = machine.path(&format!("blobs/{}.incomplete", file.hash()));
    assert_eq!(fs::metadata(incomplete).unwrap().len(), 30_000);
}

#[test]
fn a_server_that_drips_has_stalled_as_well() {
    let server = hub(vec![model(100_000)], |request, _| {
        is_storage(request).then(|| Reply {
            drip: Some(Duration::from_millis(20)),
            ..Reply::ok(model(100_000).bytes)
        })
    });
    let mut machine = Machine::new(&server);
    machine.settings.limits.retries = 0;
    let started = Instant::now();
    let message = machine.failure("me/model");
    assert!(message.contains("too little came"), "{message}");
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_head_that_never_ends_is_not_waited_for() {
    let server = hub(vec![model(10)], |request, _| {
        is_storage(request).then(|| {
            thread::sleep(Duration::from_secs(20));
            Reply::ok("")
        })
    });
    let mut machine = Machine::new(&server);
    machine.settings.limits.retries = 0;
    let started = Instant::now();
    machine.failure("me/model");
    assert!(started.elapsed() < Duration::from_secs(15));
}

#[test]
fn a_file_that_is_always_cut_short_is_given_up_and_kept() {
    let file = model(1000);
    let server = hub(vec![file.clone()], |request, _| {
        is_storage(request).then(|| Reply {
            until: Some(10),
            ..Reply::file(request, &model(1000).bytes)
        })
    });
    let machine = Machine::new(&server);
    machine.failure("me/model");
    assert_eq!(
        server.requests_for("/storage/").len(),
        4,
        "one try and three more"
    );
    assert!(!machine.path("refs/main").exists());
    let incomplete = machine.path(&format!("blobs/{}.incomplete", file.hash()));
    assert!(fs::metadata(incomplete).unwrap().len() < 1000);
}

#[test]
fn bytes_that_are_not_the_files_never_get_its_name() {
    for (name, bytes, message) in [
        ("another hash", vec![7; 1000], "are not those of the file"),
        ("another length", vec![7; 1001], "another length"),
        ("nothing", Vec::new(), "another length"),
    ] {
        let file = model(1000);
        let server = hub(vec![file.clone()], move |request, _| {
            is_storage(request).then(|| Reply::ok(bytes.clone()))
        });
        let machine = Machine::new(&server);
        let found = machine.failure("me/model");
        assert!(found.contains(message), "{name}: {found}");
        assert!(!machine.path(&format!("blobs/{}", file.hash())).exists());
        assert!(!machine.path("refs/main").exists());
    }
}

#[test]
fn a_web_page_and_an_encoded_file_are_no_files() {
    for (header, value) in [
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Type", "multipart/byteranges; boundary=x"),
        ("Content-Encoding", "gzip"),
    ] {
        let server = hub(vec![model(1000)], move |request, _| {
            is_storage(request).then(|| Reply::ok(model(1000).bytes).with(header, value))
        });
        let message = Machine::new(&server).failure("me/model");
        let word = value.split(';').next().unwrap();
        assert!(message.contains(word), "{message}");
    }
}

#[test]
fn a_refusal_says_what_to_do_and_only_some_are_worth_another_try() {
    for (status, code, part, n_requests) in [
        (401, "RepoNotFound", "the token was not accepted", 1),
        (403, "GatedRepo", "conditions to be accepted", 1),
        (403, "", "permissions", 1),
        (404, "RevisionNotFound", "no such branch", 1),
        (429, "", "too many requests", 4),
        (500, "", "in trouble", 4),
        (503, "", "in trouble", 4),
    ] {
        let server = hub(vec![model(10)], move |_, _| {
            let said = "go \u{9b}away";
            Some(
                Reply::new(status)
                    .with("X-Error-Code", code)
                    .with("X-Error-Message", said),
            )
        });
        let machine = Machine::new(&server);
        let message = machine.failure("me/model");
        assert!(
            message.contains(part) && message.contains(&status.to_string()),
            "{message}"
        );
        assert!(!message.contains('\u{9b}'), "{message}");
        assert_eq!(server.requests().len(), n_requests, "{status}");
    }
}

#[test]
fn without_a_token_a_refusal_names_the_variable() {
    let server = hub(vec![model(10)], |_, _| Some(Reply::new(401)));
    let mut machine = Machine::new(&server);
    machine.settings.token = None;
    let message = machine.failure("me/model");
    assert!(message.contains("set HF_TOKEN"), "{message}");
    assert_eq!(server.requests()[0].header("authorization"), None);
}

#[test]
fn a_wait_that_the_server_asks_for_is_waited_and_a_long_one_is_not() {
    let server = hub(vec![model(10)], |_, count| {
        (count == 0).then(|| Reply::new(429).with("Retry-After", "1"))
    });
    let started = Instant::now();
    Machine::new(&server).pull("me/model");
    assert!(started.elapsed() >= Duration::from_secs(1));
    let server = hub(vec![model(10)], |_, _| {
        Some(Reply::new(429).with("Retry-After", "3600"))
    });
    let started = Instant::now();
    Machine::new(&server).failure("me/model");
    assert!(started.elapsed() < Duration::from_secs(60));
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_disk_that_is_too_small_is_known_before_the_first_byte() {
    let json = listing(&[model(10)]).replace("\"size\":10", "\"size\":9000000000000000000");
    let server = hub(vec![model(10)], move |request, _| {
        request
            .target
            .starts_with("/api/")
            .then(|| Reply::ok(json.clone()))
    });
    let machine = Machine::new(&server);
    let error = machine.try_pull("me/model").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Resources);
    assert!(
        error
            .to_string()
            .contains("9000000000000000000 bytes are to come"),
        "{error}"
    );
    assert_eq!(server.requests_for("resolve").len(), 0);
}

#[test]
fn an_interrupt_ends_the_pull_at_once_and_keeps_what_came() {
    let file = model(100_000);
    let server = hub(vec![file.clone()], |request, _| {
        is_storage(request).then(|| Reply {
            until: Some(30_000),
            stall: Some(Duration::from_secs(30)),
            ..Reply::ok(model(100_000).bytes)
        })
    });
    let mut machine = Machine::new(&server);
    machine.settings.limits.stall = Duration::from_secs(20);
    let puller = machine.puller();
    let interrupter = puller.interrupter();
    let incomplete = machine.path(&format!("blobs/{}.incomplete", file.hash()));
    let waiter = thread::spawn({
        let incomplete = incomplete.clone();
        move || {
            let has_come = || fs::metadata(&incomplete).is_ok_and(|file| file.len() == 30_000);
            while !has_come() {
                thread::sleep(Duration::from_millis(10));
            }
            interrupter.interrupt();
            Instant::now()
        }
    });
    let error = puller.pull(&wanted("me/model"), &()).unwrap_err();
    assert!(matches!(error, Error::Interrupted), "{error}");
    assert!(waiter.join().unwrap().elapsed() < Duration::from_secs(10));
    assert_eq!(fs::metadata(incomplete).unwrap().len(), 30_000);
}

#[test]
fn two_pulls_of_one_file_take_turns() {
    let file = model(200_000);
    let server = hub(vec![file.clone()], |_, _| None);
    let machine = Machine::new(&server);
    let locks = machine.cache_dirs().hub.join(".locks/models--me--model");
    fs::create_dir_all(&locks).unwrap();
    let lock = fs::File::create(locks.join(format!("{}.lock", file.hash()))).unwrap();
    lock.lock().unwrap();
    thread::scope(|scope| {
        let pulls = [(); 2].map(|()| scope.spawn(|| machine.pull("me/model")));
        // A pull that fails never waits, and must not be waited for.
        while machine.witness.count("waiting") < 2 && !pulls.iter().any(|pull| pull.is_finished()) {
            thread::sleep(Duration::from_millis(10));
        }
        let fetched_meanwhile = server.requests_for("resolve").len();
        // Before anything is claimed: a failed test must not leave the pulls waiting.
        lock.unlock().unwrap();
        assert_eq!(fetched_meanwhile, 0, "nobody fetches meanwhile");
        let pulled = pulls.map(|pull| pull.join().unwrap().files[0].was_here);
        assert_ne!(
            pulled[0], pulled[1],
            "the second finds what the first has fetched"
        );
    });
    assert_eq!(server.requests_for("/storage/").len(), 1);
}
