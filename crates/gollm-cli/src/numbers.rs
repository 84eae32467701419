//! Numbers as people read them.

use std::time::Duration;

/// `100682496` as `100,682,496`.
pub(crate) fn grouped(number: impl TryInto<u128>) -> String {
    let digits = number
        .try_into()
        .map_or_else(|_| "?".to_owned(), |n| n.to_string());
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `5505024` as `5.25 MiB`: three digits and the unit, in powers of 1024.
pub(crate) fn bytes(number: u128) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if number < 1024 {
        return format!("{number} bytes");
    }
    let mut value = number as f64 / 1024.0;
    let mut unit = UNITS[0];
    for next in &UNITS[1..] {
        if value < 1000.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    let decimals = if value < 10.0 {
        2
    } else {
        usize::from(value < 100.0)
    };
    format!("{value:.decimals$} {unit}")
}

/// `201000000` as `201 million`, `1500` as `1,500`.
pub(crate) fn approximately(number: u128) -> String {
    const UNITS: [(u128, &str); 4] = [
        (1_000_000_000_000_000, "quadrillion"),
        (1_000_000_000_000, "trillion"),
        (1_000_000_000, "billion"),
        (1_000_000, "million"),
    ];
    for (unit, name) in UNITS {
        if number >= unit {
            let value = number as f64 / unit as f64;
            let decimals = if value < 10.0 {
                2
            } else {
                usize::from(value < 100.0)
            };
            return format!("{value:.decimals$} {name}");
        }
    }
    grouped(number)
}

/// `24 ms`, `1.52 s`.
pub(crate) fn duration(time: Duration) -> String {
    let milliseconds = time.as_secs_f64() * 1000.0;
    if milliseconds < 9.95 {
        format!("{milliseconds:.1} ms")
    } else if milliseconds < 1000.0 {
        format!("{milliseconds:.0} ms")
    } else {
        format!("{:.2} s", time.as_secs_f64())
    }
}

/// A word in the number that goes with it: `1 token`, `2 tokens`.
pub(crate) fn counted(number: usize, word: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {word}{ending}", grouped(number as u128))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_stand_in_groups_of_three() {
        for (number, text) in [
            (0u128, "0"),
            (999, "999"),
            (1000, "1,000"),
            (100_682_496, "100,682,496"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn bytes_keep_three_digits() {
        for (number, text) in [
            (0, "0 bytes"),
            (1023, "1023 bytes"),
            (1024, "1.00 KiB"),
            (5_505_024, "5.25 MiB"),
            (201_364_992, "192 MiB"),
            (1_047_552, "1.00 MiB"),
        ] {
            assert_eq!(bytes(number), text, "{number}");
        }
    }

    #[test]
    fn durations_and_counts_read_naturally() {
        assert_eq!(duration(Duration::from_micros(1_240)), "1.2 ms");
        assert_eq!(duration(Duration::from_millis(24)), "24 ms");
        assert_eq!(duration(Duration::from_millis(1_520)), "1.52 s");
        assert_eq!(counted(1, "token"), "1 token");
        assert_eq!(counted(1_200, "token"), "1,200 tokens");
        assert_eq!(approximately(201_000_000), "201 million");
        assert_eq!(approximately(1_500), "1,500");
    }
}
