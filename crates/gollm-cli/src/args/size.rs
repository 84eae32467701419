//! A number of bytes as people write it.

/// Reads `5GB`, `500 MiB`, `20kB` or plain bytes; kB, MB and GB are powers of 1000.
pub(crate) fn n_bytes(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 8] = [
        ("", 1),
        ("b", 1),
        ("kb", 1000),
        ("mb", 1_000_000),
        ("gb", 1_000_000_000),
        ("kib", 1 << 10),
        ("mib", 1 << 20),
        ("gib", 1 << 30),
    ];
    let expected = || "expected a size such as 5GB, 500MB or 1GiB".to_owned();
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit());
    let (number, unit) = text.split_at(end.unwrap_or(text.len()));
    let unit = unit.trim().to_ascii_lowercase();
    let (_, factor) = UNITS
        .iter()
        .find(|(name, _)| *name == unit)
        .ok_or_else(expected)?;
    let number: u64 = number.parse().map_err(|_| expected())?;
    let n_bytes = number.checked_mul(*factor).filter(|n| *n > 0);
    n_bytes.ok_or_else(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, expected) in [
            ("17", 17),
            ("17B", 17),
            ("20kB", 20_000),
            (" 500 MB ", 500_000_000),
            ("5gb", 5_000_000_000),
            ("1GiB", 1 << 30),
        ] {
            assert_eq!(n_bytes(text), Ok(expected), "{text}");
        }
        for wrong in [
            "",
            "GB",
            "-1",
            "1.5GB",
            "5TB",
            "0",
            "99999999999999999999",
            "99999999999GB",
        ] {
            assert!(n_bytes(wrong).is_err(), "{wrong}");
        }
    }
}
