//! A Hugging Face of one repository, as its documented behaviour has it, on the server that misbehaves.

use std::sync::Arc;

use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};

use crate::server::{Reply, Request, Server};

pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A file of the repository.
#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) name: &'static str,
    pub(crate) bytes: Vec<u8>,
    pub(crate) is_large: bool,
}

impl File {
    /// A file that git holds itself.
    pub(crate) fn small(name: &'static str, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self {
            name,
            bytes,
            is_large: false,
        }
    }

    /// A file that lies in another storage, behind a redirect.
    pub(crate) fn large(name: &'static str, n_bytes: usize) -> Self {
        Self {
            name,
            bytes: (0..n_bytes).map(|i| (i * 31 % 251) as u8).collect(),
            is_large: true,
        }
    }

    pub(crate) fn hash(&self) -> String {
        match self.is_large {
            true => hex(digest(&SHA256, &self.bytes).as_ref()),
            false => {
                let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
                context.update(format!("blob {}\0", self.bytes.len()).as_bytes());
                context.update(&self.bytes);
                hex(context.finish().as_ref())
            }
        }
    }

    fn json(&self) -> String {
        let (name, size, hash) = (self.name, self.bytes.len(), self.hash());
        match self.is_large {
            true => format!(
                r#"{{"rfilename":"{name}","size":{size},"blobId":"{COMMIT}","lfs":{{"sha256":"{hash}","size":{size},"pointerSize":134}}}}"#
            ),
            false => format!(r#"{{"rfilename":"{name}","size":{size},"blobId":"{hash}"}}"#),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The list of all files, as `/api/models/…?blobs=true` gives it.
pub(crate) fn listing(files: &[File]) -> String {
    let files: Vec<String> = files.iter().map(File::json).collect();
    format!(
        r#"{{"id":"me/model","sha":"{COMMIT}","siblings":[{}]}}"#,
        files.join(",")
    )
}

/// What a well-behaved Hugging Face answers. Large files are redirected to `/storage/NAME` on `storage`.
pub(crate) fn answer(files: &[File], storage: &str, request: &Request) -> Reply {
    let path = request.target.split('?').next().unwrap_or_default();
    if path == "/api/models/me/model/revision/main" {
        return Reply::ok(listing(files)).with("Content-Type", "application/json");
    }
    let resolve = format!("/me/model/resolve/{COMMIT}/");
    let found = |prefix: &str| {
        let name = path.strip_prefix(prefix)?;
        files.iter().find(|file| file.name == name)
    };
    if let Some(file) = found("/storage/") {
        return Reply::file(request, &file.bytes);
    }
    match found(&resolve) {
        Some(file) if file.is_large => Reply::to(format!("{storage}/storage/{}", file.name))
            .with("X-Repo-Commit", COMMIT)
            .with("X-Linked-Etag", format!("\"{}\"", file.hash()))
            .with("X-Linked-Size", file.bytes.len())
            .with("ETag", "\"of-the-note\""),
        Some(file) => Reply::file(request, &file.bytes)
            .with("X-Repo-Commit", COMMIT)
            .with("ETag", format!("\"{}\"", file.hash())),
        None => Reply::new(404).with("X-Error-Code", "EntryNotFound"),
    }
}

/// A Hugging Face with these files, where `fault` may answer instead.
pub(crate) fn hub(
    files: Vec<File>,
    fault: impl Fn(&Request, usize) -> Option<Reply> + Send + Sync + 'static,
) -> Server {
    let files = Arc::new(files);
    Server::new(move |request, count| {
        fault(request, count).unwrap_or_else(|| answer(&files, "", request))
    })
}
