//! Models in several files: all are pulled, and nothing less is a model.

use std::fs;

use gollm_hub::{ErrorKind, Pulled, find};

use crate::hub::{COMMIT, File, hub};
use crate::server::Reply;
use crate::support::{Machine, wanted};

const FIRST: &str = "q4/m-Q4_K_M-00001-of-00003.gguf";

fn repository() -> Vec<File> {
    vec![
        File::large("m-Q8_0.gguf", 9000),
        File::large(FIRST, 3000),
        File::large("q4/m-Q4_K_M-00002-of-00003.gguf", 5000),
        File::large("q4/m-Q4_K_M-00003-of-00003.gguf", 4000),
    ]
}

fn assert_is_first_of_all(pulled: &Pulled, machine: &Machine) {
    assert_eq!(
        pulled.path,
        machine.path(&format!("snapshots/{COMMIT}/{FIRST}"))
    );
    let sizes: Vec<u64> = pulled.files.iter().map(|file| file.size).collect();
    assert_eq!(sizes, [3000, 5000, 4000]);
}

#[test]
fn a_type_that_is_there_in_parts_brings_all_of_them_and_is_found_again() {
    let server = hub(repository(), |_, _| None);
    let machine = Machine::new(&server);
    let message = machine.failure("me/model");
    assert!(
        message.contains("m-Q4_K_M-00001-of-00003.gguf (3 parts)"),
        "{message}"
    );
    let pulled = machine.pull("me/model:Q4_K_M");
    assert_is_first_of_all(&pulled, &machine);
    for (file, expected) in pulled.files.iter().zip(&repository()[1..]) {
        let path = machine.path(&format!("snapshots/{COMMIT}/{}", file.name));
        assert_eq!(fs::read(path).unwrap(), expected.bytes);
        assert_eq!(machine.witness.count(&format!("finished {}", file.name)), 1);
    }
    for reference in ["me/model", "me/model:Q4_K_M", &format!("me/model:{FIRST}")] {
        let found = find(&machine.cache_dirs(), &reference.parse().unwrap()).unwrap();
        assert_eq!(found.path, pulled.path, "{reference}");
    }
    let again = machine.pull("me/model:Q4_K_M");
    assert!(again.files.iter().all(|file| file.was_here));
}

#[test]
fn a_part_that_is_named_brings_the_others() {
    for n_named in 1..=3 {
        let server = hub(repository(), |_, _| None);
        let machine = Machine::new(&server);
        let mut wanted = wanted("me/model");
        let named = repository().into_iter().skip(1).rev().take(n_named);
        wanted.files = named.map(|file| file.name.parse().unwrap()).collect();
        let pulled = machine.puller().pull(&wanted, &machine.witness).unwrap();
        assert_is_first_of_all(&pulled, &machine);
    }
}

#[test]
fn parts_of_an_interrupted_pull_are_no_model_and_the_next_pull_brings_the_rest() {
    let server = hub(repository(), |request, count| {
        let is_last = request.target.contains("/resolve/") && request.target.contains("00003-of");
        // The list and two requests for each of the others come first.
        (is_last && count < 6).then(|| Reply::new(500))
    });
    let mut machine = Machine::new(&server);
    machine.settings.limits.retries = 0;
    machine.failure("me/model:Q4_K_M");
    // As another tool would have left it: the branch is known, a part is not there.
    fs::create_dir_all(machine.path("refs")).unwrap();
    fs::write(machine.path("refs/main"), COMMIT).unwrap();
    for reference in ["me/model", "me/model:Q4_K_M", &format!("me/model:{FIRST}")] {
        let error = find(&machine.cache_dirs(), &reference.parse().unwrap()).unwrap_err();
        let message = error.to_string();
        for part in [
            "1 of 3 parts are missing: q4/m-Q4_K_M-00003-of-00003.gguf",
            &format!("gollm pull {reference}"),
        ] {
            assert!(message.contains(part), "{message}");
        }
        assert_eq!(error.kind(), ErrorKind::BadFile);
    }
    let pulled = machine.pull("me/model:Q4_K_M");
    assert_is_first_of_all(&pulled, &machine);
    let was_here: Vec<bool> = pulled.files.iter().map(|file| file.was_here).collect();
    assert_eq!(was_here, [true, true, false]);
}

#[test]
fn a_repository_that_lacks_a_part_is_refused_before_anything_is_fetched() {
    let server = hub(repository()[..3].to_vec(), |_, _| None);
    let machine = Machine::new(&server);
    let message = machine.failure("me/model:Q4_K_M");
    assert!(message.contains("1 of 3 parts are missing"), "{message}");
    assert_eq!(server.requests().len(), 1, "the list alone");
}
