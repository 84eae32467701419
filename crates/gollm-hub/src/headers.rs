//! HTTP response headers, of which nothing is taken on trust.

use std::time::Duration;

use ureq::http::HeaderMap;

/// A header as text, if it is there and is ASCII.
pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// A header that is one whole number.
pub(crate) fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    digits(text(headers, name)?)
}

/// Digits and nothing else: no sign, no space.
fn digits(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

/// An ETag without its quotes and without the mark of a weak one.
pub(crate) fn etag<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let text = text(headers, name)?;
    Some(text.strip_prefix("W/").unwrap_or(text).trim_matches('"'))
}

/// What tells that a file is still the same, byte for byte: a strong ETag, else a date.
pub(crate) fn validator(headers: &HeaderMap) -> Option<&str> {
    let is_strong = |tag: &&str| tag.starts_with('"') && tag.ends_with('"') && tag.len() > 2;
    let strong = text(headers, "etag").filter(is_strong);
    strong.or_else(|| text(headers, "last-modified").filter(|date| !date.is_empty()))
}

/// `Content-Range: bytes FIRST-LAST/LENGTH`; the length may be `*`.
pub(crate) fn content_range(text: &str) -> Option<(u64, u64, Option<u64>)> {
    let (range, length) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last) = (digits(first)?, digits(last)?);
    let length = match length {
        "*" => None,
        length => Some(digits(length)?),
    };
    let fits = first <= last && length.is_none_or(|length| last < length);
    fits.then_some((first, last, length))
}

/// How long the server asks to wait: `Retry-After` in seconds, or the `t` of `RateLimit`, which
/// Hugging Face sends.
pub(crate) fn wait(headers: &HeaderMap) -> Option<Duration> {
    let of_rate_limit = || {
        let fields = text(headers, "ratelimit")?.split(';');
        fields
            .filter_map(|field| digits(field.trim().strip_prefix("t=")?))
            .next()
    };
    number(headers, "retry-after")
        .or_else(of_rate_limit)
        .map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            let name = ureq::http::HeaderName::from_static(name);
            (name, value.parse().unwrap())
        });
        pairs.collect()
    }

    #[test]
    fn a_range_must_make_sense() {
        assert_eq!(content_range("bytes 5-9/10"), Some((5, 9, Some(10))));
        assert_eq!(content_range("bytes 5-9/*"), Some((5, 9, None)));
        for wrong in [
            "",
            "bytes",
            "bytes 5-9",
            "bytes 9-5/10",
            "bytes 5-10/10",
            "bytes -1-9/10",
            "items 5-9/10",
            "bytes 5-9/10, 2-3",
            "bytes 5-99999999999999999999/*",
            "bytes */10",
            "bytes +5-9/10",
        ] {
            assert_eq!(content_range(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn validators_are_strong() {
        let of = |pairs: &[(&'static str, &str)]| validator(&headers(pairs)).map(str::to_owned);
        assert_eq!(of(&[("etag", "\"a\"")]).as_deref(), Some("\"a\""));
        assert_eq!(of(&[("etag", "W/\"a\"")]), None);
        assert_eq!(
            of(&[("etag", "W/\"a\""), ("last-modified", "D")]).as_deref(),
            Some("D")
        );
        assert_eq!(etag(&headers(&[("x", "W/\"a\"")]), "x"), Some("a"));
    }

    #[test]
    fn a_wait_is_a_number_of_seconds() {
        let of = |pairs: &[(&'static str, &str)]| wait(&headers(pairs)).map(|wait| wait.as_secs());
        assert_eq!(of(&[("retry-after", "7")]), Some(7));
        assert_eq!(
            of(&[("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT")]),
            None
        );
        assert_eq!(of(&[("ratelimit", "\"api\";r=0;t=55")]), Some(55));
        assert_eq!(of(&[("retry-after", "-1")]), None);
    }

    proptest::proptest! {
        #[test]
        fn any_range_that_is_taken_lies_in_the_file(text in "(bytes )?[0-9]{0,21}-[0-9]{0,21}/[0-9*]{0,21}") {
            if let Some((first, last, length)) = content_range(&text) {
                assert!(first <= last && length.is_none_or(|length| last < length));
            }
        }
    }
}
