//! `gollm pull` and finding what it has pulled. The server is the one of gollm-hub's own tests.

use std::fs;

use crate::mistakes::{BAD_FILE, RUNTIME, check_with};
use crate::support::{Files, run_with};

/// The variables that put the cache into `files`, and keep those of whoever runs the tests out.
fn cache(files: &Files) -> Vec<(&'static str, String)> {
    let mut variables = vec![
        ("HF_HOME", files.path("hf")),
        ("GOLLM_CACHE", files.path("gollm")),
    ];
    for name in [
        "HF_HUB_CACHE",
        "HUGGINGFACE_HUB_CACHE",
        "HF_TOKEN",
        "HF_TOKEN_PATH",
        "HF_ENDPOINT",
        "HUGGING_FACE_HUB_TOKEN",
        "HF_HUB_OFFLINE",
        "TRANSFORMERS_OFFLINE",
        "SSL_CERT_FILE",
        "HF_HUB_DISABLE_SYMLINKS",
    ] {
        variables.push((name, String::new()));
    }
    variables
}

fn borrowed<'a>(variables: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    variables
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect()
}

#[test]
fn a_model_that_was_not_pulled_is_named_with_the_command_and_never_fetched() {
    let files = Files::new();
    let variables = cache(&files);
    let message = "me/model is not in";
    for args in [
        &["generate", "-m", "me/model", "Once"][..],
        &["inspect", "me/model"],
        &["verify", "-m", "me/model"],
    ] {
        check_with(args, b"", &borrowed(&variables), BAD_FILE, message);
        check_with(
            args,
            b"",
            &borrowed(&variables),
            BAD_FILE,
            "gollm pull me/model",
        );
    }
}

#[test]
fn what_another_tool_has_put_into_the_cache_is_opened_by_its_name() {
    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
    let files = Files::new();
    let variables = cache(&files);
    let folder = format!("{}/hub/models--me--model", files.path("hf"));
    for path in ["refs", "blobs", &format!("snapshots/{COMMIT}")] {
        fs::create_dir_all(format!("{folder}/{path}")).unwrap();
    }
    fs::write(format!("{folder}/refs/main"), COMMIT).unwrap();
    fs::copy(
        files.model(),
        format!("{folder}/snapshots/{COMMIT}/tiny.gollm"),
    )
    .unwrap();
    for reference in ["me/model", "me/model@main", "me/model:tiny.gollm"] {
        let args = [
            "generate", "-m", reference, "--temp", "0", "-n", "3", "Once",
        ];
        let ran = run_with(&args, b"", &borrowed(&variables));
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        assert!(
            ran.stderr.contains(&format!("model {reference}")),
            "{}",
            ran.stderr
        );
    }
    let args = ["inspect", "me/model:Q4_0"];
    check_with(&args, b"", &borrowed(&variables), BAD_FILE, "tiny.gollm");
}

#[cfg(not(feature = "hub"))]
#[test]
fn a_build_without_the_network_says_how_to_get_one_with_it() {
    let args = ["pull", "me/model", "--quant", "Q4_0"];
    check_with(&args, b"", &[], RUNTIME, "--features hub");
}

#[cfg(feature = "hub")]
mod with {
    use super::*;
    use crate::mistakes::USAGE;
    use crate::server::{Reply, Server};

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    /// The embedded model, and its hash as the manifest has it.
    fn stories() -> (Vec<u8>, String) {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../test_data");
        let manifest = fs::read_to_string(format!("{folder}/MANIFEST.toml")).unwrap();
        let entry = manifest
            .split("[[")
            .find(|entry| entry.contains("\"gollm-stories.gollm\""));
        let (_, hash) = entry.unwrap().split_once("sha256 = \"").unwrap();
        let bytes = fs::read(format!("{folder}/gollm-stories.gollm")).unwrap();
        (bytes, hash[..64].to_owned())
    }

    fn server() -> Server {
        let (bytes, hash) = stories();
        Server::new(move |request, _| match request.target.as_str() {
            "/api/models/me/model/revision/main?blobs=true" => {
                let size = bytes.len();
                Reply::ok(format!(
                    r#"{{"sha":"{COMMIT}","siblings":[{{"rfilename":"stories.gollm","size":{size},
                    "blobId":"{COMMIT}","lfs":{{"sha256":"{hash}","size":{size}}}}}]}}"#
                ))
            }
            target if target.ends_with("stories.gollm") => Reply::file(request, &bytes),
            _ => Reply::new(404).with("X-Error-Message", "no\u{9b}2Jthing"),
        })
    }

    fn variables(files: &Files, server: &Server) -> Vec<(&'static str, String)> {
        let mut variables = cache(files);
        variables.push(("HF_ENDPOINT", server.url()));
        variables.push(("GOLLM_RETRIES", "0".to_owned()));
        variables
    }

    #[test]
    fn pulled_from_a_repository_and_opened_by_its_name() {
        let (files, server) = (Files::new(), server());
        let variables = variables(&files, &server);
        let variables = borrowed(&variables);
        let pulled = run_with(&["pull", "me/model"], b"", &variables);
        assert_eq!(pulled.code, Some(0), "{}", pulled.stderr);
        let path = pulled.text();
        assert!(fs::read(path.trim_end()).unwrap() == stories().0);
        for part in [
            "fetching stories.gollm",
            "1 file fetched",
            "gollm generate -m me/model",
        ] {
            assert!(pulled.stderr.contains(part), "{}", pulled.stderr);
        }
        assert!(
            !pulled.stderr.contains('\u{1b}'),
            "no bar where nobody watches"
        );
        let verified = run_with(&["verify", "me/model"], b"", &variables);
        assert_eq!(verified.code, Some(0), "{}", verified.stderr);

        let n_requests = server.requests().len();
        let again = run_with(&["pull", "--json", "me/model"], b"", &variables).json();
        assert_eq!(again["commit"], COMMIT);
        assert_eq!(again["files"][0]["was_here"], true);
        assert_eq!(server.requests().len(), n_requests + 1);
        let offline = [&variables[..], &[("HF_HUB_OFFLINE", "1")]].concat();
        let offline = run_with(&["-q", "pull", "me/model"], b"", &offline);
        assert_eq!((offline.text(), offline.stderr.as_str()), (path, ""));
        assert_eq!(server.requests().len(), n_requests + 1);
    }

    #[test]
    fn pulled_from_an_address_and_checked() {
        let (files, server) = (Files::new(), server());
        let variables = variables(&files, &server);
        let (bytes, hash) = stories();
        let address = format!("{}/stories.gollm", server.other_url());
        let pulled = run_with(
            &["pull", &address, "--sha256", &hash],
            b"",
            &borrowed(&variables),
        );
        assert_eq!(pulled.code, Some(0), "{}", pulled.stderr);
        assert!(fs::read(pulled.text().trim_end()).unwrap() == bytes);
        assert!(pulled.stderr.contains(&hash), "{}", pulled.stderr);
        let wrong = ["pull", &address, "--force", "--sha256", &"0".repeat(64)];
        check_with(
            &wrong,
            b"",
            &borrowed(&variables),
            BAD_FILE,
            "are not those of the file",
        );
    }

    #[test]
    fn mistakes_have_one_message_and_the_right_exit_code() {
        let (files, server) = (Files::new(), server());
        let variables = variables(&files, &server);
        let hash = "0".repeat(64);
        for (args, code, message) in [
            (
                &["pull", "me/other"][..],
                BAD_FILE,
                "the server answered 404",
            ),
            (&["pull", "model"], USAGE, "expected owner/name"),
            (&["pull", "../x/y"], USAGE, "repository name"),
            (&["pull", "me/model", "../x"], USAGE, "file name"),
            (&["pull", "me/model:Q4_0"], BAD_FILE, "no file `Q4_0`"),
            (
                &["pull", "me/model", "--quant", "Q4_0", "x"],
                USAGE,
                "cannot be used with",
            ),
            (&["pull", "me/model", "--sha256", &hash], USAGE, "always"),
            (
                &["pull", "https://example.org/x", "--sha256", "12"],
                USAGE,
                "64 hexadecimal",
            ),
            (
                &["pull", "http://example.org/x.gguf"],
                USAGE,
                "--insecure-http",
            ),
            (
                &["pull", "http://127.0.0.1:1/x.gguf"],
                RUNTIME,
                "check the network",
            ),
        ] {
            check_with(args, b"", &borrowed(&variables), code, message);
        }
    }

    #[cfg(unix)]
    #[test]
    fn ctrl_c_keeps_what_came_and_exits_130() {
        use std::process::{Command, Stdio};
        use std::time::{Duration, Instant};

        let (bytes, _) = stories();
        let server = Server::new(move |request, count| Reply {
            until: (count == 0).then_some(20_000),
            stall: (count == 0).then_some(Duration::from_secs(60)),
            ..Reply::file(request, &bytes).with("ETag", "\"1\"")
        });
        let files = Files::new();
        let variables = variables(&files, &server);
        let address = format!("{}/stories.gollm", server.other_url());
        let mut pull = Command::new(assert_cmd::cargo::cargo_bin!("gollm"));
        pull.args(["pull", &address]).envs(borrowed(&variables));
        let mut pull = pull
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let folder = format!("{}/urls", files.path("gollm"));
        let has_come = || {
            let one = fs::read_dir(&folder).ok()?.next()?.ok()?.path();
            let found = fs::metadata(one.join("stories.gollm.incomplete")).ok()?;
            (found.len() == 20_000).then_some(())
        };
        let started = Instant::now();
        while has_come().is_none() && started.elapsed() < Duration::from_secs(30) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let interrupted = Command::new("kill")
            .args(["-INT", &pull.id().to_string()])
            .status();
        assert!(interrupted.unwrap().success());
        assert_eq!(pull.wait().unwrap().code(), Some(130));
        assert!(has_come().is_some());

        let resumed = run_with(&["pull", &address], b"", &borrowed(&variables));
        assert_eq!(resumed.code, Some(0), "{}", resumed.stderr);
        assert_eq!(server.requests()[1].from(), Some(20_000));
        assert!(fs::read(resumed.text().trim_end()).unwrap() == stories().0);
    }
}
