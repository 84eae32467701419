//! A server that wants more than to be asked: the token, other files, memory, the terminal.

use gollm_hub::{ErrorKind, Limits};

use crate::hub::{COMMIT, File, answer, hub, listing};
use crate::server::{Reply, Request, Server};
use crate::support::Machine;

type Answerer = fn(&Request) -> Reply;

fn files() -> Vec<File> {
    vec![File::large("model.gguf", 1000)]
}

/// The server under its other name, which counts as another host.
fn elsewhere(request: &Request) -> String {
    format!("http://{}", request.header("host").unwrap()).replace("127.0.0.1", "localhost")
}

#[test]
fn the_token_goes_to_the_endpoint_and_never_to_another_host() {
    let server = Server::new(|request, _| answer(&files(), &elsewhere(request), request));
    Machine::new(&server).pull("me/model");
    let mut n_away = 0;
    for request in server.requests() {
        let is_home = request.header("host").unwrap().starts_with("127.0.0.1");
        let token = request.header("authorization");
        assert_eq!(token, is_home.then_some("Bearer hf_secret"), "{request:?}");
        n_away += usize::from(!is_home);
    }
    assert_eq!(n_away, 1);
}

#[test]
fn the_token_does_not_come_back_with_whoever_is_sent_home() {
    // Home, away, and home again to an address that the other host has chosen.
    let server = Server::new(|request, _| {
        let home = elsewhere(request).replace("localhost", "127.0.0.1");
        match request.target.as_str() {
            "/away" => Reply::to(format!("{home}/storage/model.gguf")),
            target if target.contains("/resolve/") => {
                Reply::to(format!("{}/away", elsewhere(request)))
            }
            _ => answer(&files(), "", request),
        }
    });
    Machine::new(&server).pull("me/model");
    let back = &server.requests_for("/storage/")[0];
    assert!(back.header("host").unwrap().starts_with("127.0.0.1"));
    assert_eq!(back.header("authorization"), None);
}

#[test]
fn redirects_are_bounded_and_lead_nowhere_else() {
    let endless = |request: &Request| Reply::to(format!("{}x", request.target));
    let leads_to: [(Answerer, &str); 8] = [
        (|request| Reply::to(&request.target), "at most 10 redirects"),
        (endless, "at most 10 redirects"),
        (|_| Reply::to("ftp://127.0.0.1/x"), "https or http"),
        (|_| Reply::to("file:///etc/passwd"), "https or http"),
        (|_| Reply::to("https://a:99999/x"), "port"),
        (|_| Reply::to("http://example.org/x"), "over http"),
        (|_| Reply::to("http://u:p@127.0.0.1/x"), "user name"),
        (|_| Reply::new(302), "a Location"),
    ];
    for (reply, message) in leads_to {
        let server = hub(files(), move |request, _| {
            request.target.starts_with("/me/").then(|| reply(request))
        });
        let error = Machine::new(&server).try_pull("me/model").unwrap_err();
        let found = error.to_string();
        assert!(found.contains(message), "{found}");
        // The server is to blame, not whoever typed the command.
        assert_eq!(error.kind(), ErrorKind::Network, "{found}");
        assert!(server.requests().len() <= 12);
    }
}

#[test]
fn names_from_the_server_stay_inside_the_cache() {
    for name in [
        "../../../evil.gguf",
        "/tmp/evil.gguf",
        "..\\\\evil.gguf",
        "a\\u0000b.gguf",
        "a b.gguf",
    ] {
        let json = listing(&files()).replace("model.gguf", name);
        let server = hub(files(), move |request, _| {
            request
                .target
                .starts_with("/api/")
                .then(|| Reply::ok(json.clone()))
        });
        let machine = Machine::new(&server);
        let message = machine.failure("me/model");
        assert!(message.contains("holds no model"), "{name}: {message}");
        assert_eq!(machine.witness.count("note 1 files"), 1);
        assert!(machine.all_files().is_empty(), "{:?}", machine.all_files());
    }
    for commit in ["../../../../evil", "main", &COMMIT[1..]] {
        let json = listing(&files()).replacen(COMMIT, commit, 1);
        let server = hub(files(), move |_, _| Some(Reply::ok(json.clone())));
        let machine = Machine::new(&server);
        machine.failure("me/model");
        assert!(machine.all_files().is_empty());
    }
}

#[test]
fn a_link_in_place_of_the_incomplete_file_is_not_written_through() {
    #[cfg(unix)]
    {
        let file = files().remove(0);
        let server = hub(files(), |_, _| None);
        let machine = Machine::new(&server);
        let victim = machine.cache_dirs().token_file;
        std::fs::create_dir_all(machine.path("blobs")).unwrap();
        std::fs::write(&victim, "mine").unwrap();
        let incomplete = machine.path(&format!("blobs/{}.incomplete", file.hash()));
        std::os::unix::fs::symlink(&victim, incomplete).unwrap();
        machine.pull("me/model");
        assert_eq!(std::fs::read_to_string(victim).unwrap(), "mine");
    }
}

#[test]
fn heads_and_lists_have_a_greatest_length() {
    let deep = format!(r#"{{"sha":"{COMMIT}","x":{}"#, "[".repeat(3 << 20));
    let wide = format!("[{}", " ".repeat(17 << 20));
    let endless = Reply {
        no_length: true,
        ..Reply::ok(wide)
    };
    for (reply, message) in [
        (
            Reply::new(200).with("X-Huge", "a".repeat(1 << 20)),
            "the head of the answer is too long",
        ),
        (Reply::ok(deep), "the list of files cannot be used"),
        (endless, "the list of files is too long"),
    ] {
        let mut machine_server = None;
        let server = machine_server.get_or_insert(Server::new(move |_, _| reply.clone()));
        let mut machine = Machine::new(server);
        machine.settings.limits = Limits {
            retries: 0,
            ..Limits::default()
        };
        let found = machine.failure("me/model");
        assert!(found.contains(message), "{found}");
    }
}

#[test]
fn many_headers_are_an_error_and_not_a_burden() {
    let server = Server::new(|_, _| {
        (0..1000).fold(Reply::ok("{}"), |reply, i| reply.with(&format!("X-{i}"), i))
    });
    let mut machine = Machine::new(&server);
    machine.settings.limits.retries = 0;
    machine.failure("me/model");
}

#[test]
fn http_is_for_this_machine_unless_it_is_allowed() {
    let server = hub(files(), |_, _| None);
    let mut machine = Machine::new(&server);
    machine.settings.endpoint = "http://models.example".parse().unwrap();
    let message = machine.failure("me/model");
    assert!(message.contains("--insecure-http"), "{message}");
    assert_eq!(server.requests().len(), 0);
}
