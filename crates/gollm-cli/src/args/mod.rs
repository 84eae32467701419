//! Arguments that several commands share.

mod context;
mod sampling;
mod size;

pub(crate) use context::ContextArgs;
pub(crate) use sampling::SamplingArgs;
pub(crate) use size::n_bytes;

/// Reads a switch given by an environment variable: `GOLLM_JSON=1`, `=true`, `=off`.
///
/// An empty variable is one that was unset.
pub(crate) fn switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" | "" => Ok(false),
        _ => Err("expected 1 or 0 (true or false, yes or no, on or off)".to_owned()),
    }
}

/// Reads ids as they are printed: whole numbers between spaces, commas or line ends, also in
/// brackets.
pub(crate) fn parse_ids(text: &str) -> Result<Vec<u32>, String> {
    let separator = |character: char| character.is_whitespace() || ",[]".contains(character);
    let words = text.split(separator).filter(|word| !word.is_empty());
    let ids = words.map(|word| {
        word.parse().map_err(|_| {
            format!(
                "`{}` is no token id, expected whole numbers such as 17 4 256",
                word.escape_debug()
            )
        })
    });
    ids.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_any_command_prints_them() {
        for text in ["1 2 30", "1,2,30", "[1, 2, 30]", "[\n  1,\n  2,\n  30\n]\n"] {
            assert_eq!(parse_ids(text), Ok(vec![1, 2, 30]), "{text}");
        }
        assert_eq!(parse_ids(""), Ok(Vec::new()));
        for wrong in ["1 two", "-1", "1.5", "4294967296"] {
            assert!(parse_ids(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_switch_is_on_or_off_in_any_common_spelling() {
        for on in ["1", "true", "TRUE", "yes", "on"] {
            assert_eq!(switch(on), Ok(true));
        }
        for off in ["0", "false", "no", "off", ""] {
            assert_eq!(switch(off), Ok(false));
        }
        assert!(switch("maybe").is_err());
    }
}
