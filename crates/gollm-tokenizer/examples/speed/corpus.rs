//! Ten megabytes of English with some code in it: the documentation that came with Rust.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How much text is measured.
pub(crate) const N_BYTES: usize = 10_000_000;

/// Parts of the documentation, most prose first. `core` is left out: it repeats `std`.
const PARTS: [&str; 9] = [
    "book",
    "reference",
    "nomicon",
    "cargo",
    "rustc",
    "rustdoc",
    "edition-guide",
    "embedded-book",
    "std",
];

/// The text of `path` (a file, or a folder with .html, .md, .rs or .txt files); without a path,
/// of the installed documentation. At most [`N_BYTES`].
pub(crate) fn read(path: Option<&str>) -> io::Result<String> {
    let mut files = Vec::new();
    match path {
        Some(path) if Path::new(path).is_file() => files.push(PathBuf::from(path)),
        Some(path) => list(Path::new(path), &mut files)?,
        None => {
            let root = documentation()?;
            for part in PARTS {
                list(&root.join(part), &mut files)?;
            }
        }
    }
    let mut text = String::new();
    for file in files {
        let content = fs::read_to_string(&file)?;
        let is_html = file.extension().is_some_and(|ending| ending == "html");
        text.push_str(&if is_html { strip(&content) } else { content });
        if text.len() >= N_BYTES {
            while text.len() > N_BYTES {
                text.pop();
            }
            break;
        }
    }
    Ok(text)
}

/// `share/doc/rust/html` of the toolchain in use.
fn documentation() -> io::Result<PathBuf> {
    let output = Command::new("rustc")
        .args(["--print", "sysroot"])
        .output()?;
    let sysroot = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let root = Path::new(&sysroot).join("share/doc/rust/html");
    if root.is_dir() {
        return Ok(root);
    }
    let message = format!(
        "no documentation in {}; run `rustup component add rust-docs`, or name a file or folder",
        root.display()
    );
    Err(io::Error::new(io::ErrorKind::NotFound, message))
}

/// The text files below `folder`, in the order of their names.
fn list(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<_>>()?;
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let ending = path.extension().unwrap_or_default().to_string_lossy();
        // The whole book once more, and its older editions, whose pages say that they moved.
        if name == "print.html" || name.ends_with("-edition") {
            continue;
        }
        if path.is_dir() {
            list(&path, files)?;
        } else if ["html", "md", "rs", "txt"].contains(&ending.as_ref()) {
            files.push(path);
        }
    }
    Ok(())
}

/// What stands between `<main …>` and `</main>`, without tags, scripts and styles.
fn strip(html: &str) -> String {
    let main = html.split_once("<main").map_or("", |(_, after)| after);
    let main = main
        .split_once("</main>")
        .map_or(main, |(before, _)| before);
    let mut rest = main.split_once('>').map_or("", |(_, after)| after);
    let mut text = String::with_capacity(rest.len());
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        let end = match tag {
            _ if tag.starts_with("script") => "</script>",
            _ if tag.starts_with("style") => "</style>",
            _ => ">",
        };
        rest = tag.split_once(end).map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    let entities = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&nbsp;", "\u{a0}"),
        ("&amp;", "&"),
    ];
    for (entity, character) in entities {
        text = text.replace(entity, character);
    }
    text
}
