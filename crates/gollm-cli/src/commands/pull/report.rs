//! What a pull has brought.

use gollm_hub::{Address, Pulled, PulledUrl, Wanted};
use serde_json::{Value, json};

use crate::cli_error::CliError;
use crate::numbers::{bytes, counted};
use crate::output::{self, Notes};

/// The path for stdout, the whole as JSON, and what a person may want to know.
pub(super) struct Report {
    path: String,
    json: Value,
    lines: Vec<String>,
}

impl Report {
    pub(super) fn print(&self, as_json: bool, notes: Notes) -> Result<(), CliError> {
        match as_json {
            true => output::print_json(&self.json)?,
            false => output::print(format!("{}\n", self.path))?,
        }
        for line in &self.lines {
            notes.say(line);
        }
        Ok(())
    }
}

pub(super) fn of_repository(wanted: &Wanted, pulled: &Pulled) -> Report {
    let files = &pulled.files;
    let fetched: Vec<_> = files.iter().filter(|file| !file.was_here).collect();
    let n_bytes: u64 = fetched.iter().map(|file| file.size).sum();
    let name = &wanted.reference;
    let mut lines = Vec::new();
    if !files.is_empty() {
        lines.push(format!(
            "{name} at {}: {} fetched ({}), {} here before",
            &pulled.commit[..pulled.commit.len().min(12)],
            counted(fetched.len(), "file"),
            bytes(n_bytes.into()),
            files.len() - fetched.len(),
        ));
    }
    if wanted.files.is_empty() {
        lines.push(format!("run it: gollm generate -m {name}"));
    }
    let path = pulled.path.display().to_string();
    let files = files.iter().map(|file| {
        json!({
            "name": file.name.as_str(),
            "bytes": file.size,
            "hash": file.hash,
            "was_here": file.was_here,
        })
    });
    Report {
        json: json!({
            "path": path,
            "repository": name.repository.to_string(),
            "revision": name.revision.as_str(),
            "commit": pulled.commit,
            "files": files.collect::<Vec<_>>(),
        }),
        path,
        lines,
    }
}

pub(super) fn of_url(address: &Address, pulled: &PulledUrl, was_checked: bool) -> Report {
    let path = pulled.path.display().to_string();
    let how = match (pulled.was_here, was_checked) {
        (true, _) => "here before",
        (false, true) => "fetched, and its hash is the one given",
        (false, false) => "fetched; nobody said which hash it should have",
    };
    let lines = vec![
        format!("{address}: {how}, {}", bytes(pulled.size.into())),
        format!("sha256 {}", pulled.hash),
    ];
    Report {
        json: json!({
            "path": path,
            "url": address.to_string(),
            "bytes": pulled.size,
            "hash": pulled.hash,
            "was_here": pulled.was_here,
        }),
        path,
        lines,
    }
}
