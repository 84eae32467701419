//! Length and hash of one file, from a HEAD request.

use crate::address::Address;
use crate::client::{Client, Request};
use crate::digest::Digest;
use crate::error::Result;
use crate::failures::wrong;
use crate::headers;
use crate::listing::RemoteFile;

/// Asks for the length and hash of one file, where the list did not say. Both are in the head of
/// the answer that sends us on to the storage, so we stay with this host.
pub(crate) fn request_length_and_hash(
    client: &Client,
    address: &Address,
    file: &mut RemoteFile,
) -> Result<()> {
    let request = Request {
        head_only: true,
        ..Request::default()
    };
    let response = client.send(address, request)?;
    let head = &response.headers;
    let tag = headers::etag(head, "x-linked-etag").or_else(|| headers::etag(head, "etag"));
    let digest = tag.and_then(Digest::from_hex);
    let digest = digest.ok_or_else(|| {
        let found = tag.unwrap_or("no ETag");
        wrong(
            &response.address,
            "nothing to check the file by",
            "its hash as ETag",
            found,
        )
    })?;
    let is_final = response.status == 200;
    let length = || number_if(is_final, head);
    let size = headers::number(head, "x-linked-size").or_else(length);
    match (file.listed.size, size) {
        (Some(listed), Some(said)) if listed != said => {
            let found = said.to_string();
            return Err(wrong(
                &response.address,
                "it announces another length",
                listed,
                &found,
            ));
        }
        (None, size) => file.listed.size = size,
        _ => {}
    }
    file.digest = Some(digest);
    if file.listed.size.is_none() {
        return Err(wrong(
            &response.address,
            "it announces no length",
            "X-Linked-Size",
            "none",
        ));
    }
    Ok(())
}

fn number_if(is_final: bool, head: &ureq::http::HeaderMap) -> Option<u64> {
    is_final
        .then(|| headers::number(head, "content-length"))
        .flatten()
}
