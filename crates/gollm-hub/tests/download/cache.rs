//! What a pull leaves in the cache, and how it is found again.

use std::fs;

use gollm_hub::{Error, find};

use crate::hub::{COMMIT, File, hub};
use crate::server::{Reply, Server};
use crate::support::{Machine, wanted};

fn folder() -> Vec<File> {
    vec![
        File::small("README.md", "# A model"),
        File::small("config.json", "{}"),
        File::large("model.safetensors", 300_000),
        File::small("tokenizer.json", "{\"a\":1}"),
    ]
}

#[test]
fn a_folder_lies_where_hugging_faces_tools_look_for_it() {
    let files = folder();
    let server = hub(files.clone(), |_, _| None);
    let machine = Machine::new(&server);
    let pulled = machine.pull("me/model");
    assert_eq!(pulled.path, machine.path(&format!("snapshots/{COMMIT}")));
    assert_eq!(pulled.files.len(), 3, "no README");
    assert!(pulled.files.iter().all(|file| !file.was_here));
    assert_eq!(
        fs::read_to_string(machine.path("refs/main")).unwrap(),
        COMMIT
    );
    for file in &files[1..] {
        let blob = machine.path(&format!("blobs/{}", file.hash()));
        assert_eq!(fs::read(&blob).unwrap(), file.bytes);
        let pointer = pulled.path.join(file.name);
        assert_eq!(fs::read(&pointer).unwrap(), file.bytes);
        #[cfg(unix)]
        {
            let target = fs::read_link(&pointer).unwrap();
            assert_eq!(
                target,
                std::path::Path::new("../../blobs").join(file.hash())
            );
        }
    }
    assert!(machine.cache_dirs().hub.join("CACHEDIR.TAG").is_file());
    let left = machine.all_files();
    let is_temporary = |name: &String| name.ends_with(".incomplete") || name.ends_with(".tmp");
    assert!(!left.iter().any(is_temporary), "{left:?}");
    let found = find(&machine.cache_dirs(), &"me/model".parse().unwrap()).unwrap();
    assert_eq!(found.path, pulled.path);
}

#[test]
fn what_is_here_is_not_fetched_again() {
    let server = hub(folder(), |_, _| None);
    let machine = Machine::new(&server);
    machine.pull("me/model");
    let n_requests = server.requests().len();
    let again = machine.pull("me/model");
    assert!(again.files.iter().all(|file| file.was_here));
    assert_eq!(server.requests().len(), n_requests + 1, "the list alone");
}

#[test]
fn a_damaged_file_is_found_by_a_recheck_and_fetched_again() {
    let files = folder();
    let server = hub(files.clone(), |_, _| None);
    let machine = Machine::new(&server);
    machine.pull("me/model");
    let blob = machine.path(&format!("blobs/{}", files[2].hash()));
    let mut damaged = files[2].bytes.clone();
    damaged[1000] ^= 1;
    fs::write(&blob, damaged).unwrap();
    let mut wanted = wanted("me/model");
    wanted.recheck = true;
    let pulled = machine.puller().pull(&wanted, &machine.witness).unwrap();
    let was_here: Vec<bool> = pulled.files.iter().map(|file| file.was_here).collect();
    assert_eq!(was_here, [true, false, true]);
    assert_eq!(fs::read(&blob).unwrap(), files[2].bytes);
}

#[test]
fn a_type_chooses_one_of_several_files_in_a_directory_of_the_repository() {
    let files = vec![
        File::large("gguf/m.Q4_0.gguf", 5000),
        File::large("gguf/m.Q8_0.gguf", 9000),
    ];
    let server = hub(files.clone(), |_, _| None);
    let machine = Machine::new(&server);
    let message = machine.failure("me/model");
    assert!(
        message.contains("me/model:Q4_0") && message.contains("gguf/m.Q8_0.gguf"),
        "{message}"
    );
    let pulled = machine.pull("me/model:Q4_0");
    assert_eq!(fs::read(&pulled.path).unwrap(), files[0].bytes);
    assert!(pulled.path.ends_with("gguf/m.Q4_0.gguf"));
    // Only one is here, so there is nothing to choose.
    let found = find(&machine.cache_dirs(), &"me/model".parse().unwrap()).unwrap();
    assert_eq!(found.path, pulled.path);
    machine.pull("me/model:gguf/m.Q8_0.gguf");
    let several = find(&machine.cache_dirs(), &"me/model".parse().unwrap());
    assert!(matches!(several, Err(Error::Ambiguous { .. })));
}

#[test]
fn without_links_the_files_themselves_lie_in_the_snapshot() {
    let files = folder();
    let server = hub(files.clone(), |_, _| None);
    let mut machine = Machine::new(&server);
    machine.settings.no_symlinks = true;
    let pulled = machine.pull("me/model");
    let pointer = pulled.path.join("model.safetensors");
    assert!(fs::symlink_metadata(&pointer).unwrap().is_file());
    assert_eq!(fs::read(pointer).unwrap(), files[2].bytes);
    assert!(
        machine
            .pull("me/model")
            .files
            .iter()
            .all(|file| file.was_here)
    );
}

#[cfg(unix)]
#[test]
fn a_blob_that_several_repositories_share_is_used_and_never_moved_away() {
    let files = folder();
    let server = hub(files.clone(), |_, _| None);
    let mut machine = Machine::new(&server);
    // As `huggingface_hub` has it since version 2.
    let shared = machine.cache_dirs().hub.join("blobs/ab/abcd");
    let blob = machine.path(&format!("blobs/{}", files[2].hash()));
    fs::create_dir_all(shared.parent().unwrap()).unwrap();
    fs::create_dir_all(blob.parent().unwrap()).unwrap();
    fs::write(&shared, &files[2].bytes).unwrap();
    std::os::unix::fs::symlink("../../blobs/ab/abcd", &blob).unwrap();
    for no_symlinks in [false, true] {
        machine.settings.no_symlinks = no_symlinks;
        let pulled = machine.pull("me/model");
        assert_eq!(
            fs::read(pulled.path.join("model.safetensors")).unwrap(),
            files[2].bytes
        );
        assert_eq!(fs::read(&shared).unwrap(), files[2].bytes);
        fs::remove_file(pulled.path.join("model.safetensors")).unwrap();
    }
    assert_eq!(server.requests_for("/storage/").len(), 0);
}

#[test]
fn a_server_without_hashes_in_its_list_is_asked_for_each_file() {
    let files = folder();
    let server = hub(files.clone(), move |request, _| {
        let names = r#"{"rfilename":"config.json"},{"rfilename":"model.safetensors"}"#;
        let list = format!(r#"{{"sha":"{COMMIT}","siblings":[{names}]}}"#);
        request.target.starts_with("/api/").then(|| Reply::ok(list))
    });
    let machine = Machine::new(&server);
    let pulled = machine.pull("me/model");
    assert_eq!(pulled.files[1].hash, files[2].hash());
    let asked = server
        .requests()
        .iter()
        .filter(|request| request.method == "HEAD")
        .count();
    assert_eq!(asked, 2);
}

#[test]
fn offline_nothing_is_asked_and_what_is_here_is_found() {
    let server = hub(folder(), |_, _| None);
    let mut machine = Machine::new(&server);
    machine.settings.offline = true;
    let message = machine.failure("me/model");
    assert!(message.contains("HF_HUB_OFFLINE"), "{message}");
    assert_eq!(server.requests().len(), 0);
    machine.settings.offline = false;
    let pulled = machine.pull("me/model");
    let n_requests = server.requests().len();
    machine.settings.offline = true;
    assert_eq!(machine.pull("me/model").path, pulled.path);
    assert_eq!(server.requests().len(), n_requests);
}

#[test]
fn what_was_not_pulled_is_named_with_the_command_that_pulls_it() {
    let server = Server::new(|_, _| Reply::new(500));
    let machine = Machine::new(&server);
    for reference in ["me/model", "me/model@v2", "me/model:Q4_0"] {
        let message = find(&machine.cache_dirs(), &reference.parse().unwrap()).unwrap_err();
        assert!(
            message
                .to_string()
                .contains(&format!("gollm pull {reference}")),
            "{message}"
        );
    }
    // A name that stands for no commit.
    let reference = machine.path("refs/main");
    fs::create_dir_all(reference.parent().unwrap()).unwrap();
    fs::write(&reference, "../../../etc\u{1b}[2J").unwrap();
    let message = find(&machine.cache_dirs(), &"me/model".parse().unwrap())
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("the hash of a commit") && !message.contains('\u{1b}'),
        "{message}"
    );
    // A snapshot without its weights.
    fs::write(&reference, COMMIT).unwrap();
    let snapshot = machine.path(&format!("snapshots/{COMMIT}"));
    fs::create_dir_all(&snapshot).unwrap();
    fs::write(snapshot.join("config.json"), "{}").unwrap();
    let message = find(&machine.cache_dirs(), &"me/model".parse().unwrap())
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("cannot be used") && message.contains("gollm pull me/model"),
        "{message}"
    );
    assert_eq!(server.requests().len(), 0);
}
