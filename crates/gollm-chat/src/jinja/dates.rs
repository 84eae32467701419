//! The function `strftime_now`: some templates tell the model which day it is.

use std::time::{SystemTime, UNIX_EPOCH};

use minijinja::Error;

use super::budget::{Budget, refused};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

/// A moment of the Gregorian calendar, in UTC: the standard library does not know where we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Moment {
    year: i64,
    /// From 1.
    month: usize,
    day: u64,
    /// From 1.
    day_of_year: u64,
    /// From Monday, 0.
    weekday: usize,
    seconds: u64,
}

impl Moment {
    fn new(time: SystemTime) -> Self {
        let seconds = time
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        let mut left = seconds / 86_400;
        // 1970-01-01 was a Thursday.
        let weekday = ((left + 3) % 7) as usize;
        let mut year = 1970;
        while left >= days_of_year(year) && year < 9999 {
            left -= days_of_year(year);
            year += 1;
        }
        let day_of_year = left + 1;
        let mut month = 1;
        while month < 12 && left >= days_of_month(year, month) {
            left -= days_of_month(year, month);
            month += 1;
        }
        Self {
            year,
            month,
            day: left + 1,
            day_of_year,
            weekday,
            seconds: seconds % 86_400,
        }
    }
}

fn is_leap(year: i64) -> bool {
    (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
}

fn days_of_year(year: i64) -> u64 {
    365 + u64::from(is_leap(year))
}

fn days_of_month(year: i64, month: usize) -> u64 {
    match month {
        2 => 28 + u64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// `time` as Python's `strftime` writes it, in English.
pub(crate) fn strftime(budget: &Budget, format: &str, time: SystemTime) -> Result<String, Error> {
    budget.take(format.len())?;
    let now = Moment::new(time);
    let (month, day) = (MONTHS[now.month - 1], DAYS[now.weekday]);
    let hour = now.seconds / 3600;
    let mut text = String::new();
    let mut characters = format.chars();
    while let Some(character) = characters.next() {
        if character != '%' {
            text.push(character);
            continue;
        }
        let directive = characters.next().unwrap_or('%');
        let written = match directive {
            'Y' => now.year.to_string(),
            'y' => format!("{:02}", now.year % 100),
            'm' => format!("{:02}", now.month),
            'B' => month.to_owned(),
            'b' | 'h' => month[..3].to_owned(),
            'd' => format!("{:02}", now.day),
            'e' => format!("{:2}", now.day),
            'j' => format!("{:03}", now.day_of_year),
            'A' => day.to_owned(),
            'a' => day[..3].to_owned(),
            'H' => format!("{hour:02}"),
            'I' => format!("{:02}", (hour + 11) % 12 + 1),
            'p' => if hour < 12 { "AM" } else { "PM" }.to_owned(),
            'M' => format!("{:02}", now.seconds / 60 % 60),
            'S' => format!("{:02}", now.seconds % 60),
            'Z' => "UTC".to_owned(),
            'z' => "+0000".to_owned(),
            'F' => format!("{}-{:02}-{:02}", now.year, now.month, now.day),
            'T' => {
                let (minutes, seconds) = (now.seconds / 60 % 60, now.seconds % 60);
                format!("{hour:02}:{minutes:02}:{seconds:02}")
            }
            '%' => "%".to_owned(),
            other => {
                return Err(refused(format!(
                    "strftime_now does not know %{}",
                    other.escape_debug()
                )));
            }
        };
        budget.take(written.len())?;
        text += &written;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let budget = Budget::new(1 << 20, 1 << 20);
        let at = |seconds: u64| UNIX_EPOCH + Duration::from_secs(seconds);
        let all = "%Y-%m-%d %H:%M:%S %A %j %I%p %b %y %e %%";
        for (seconds, expected) in [
            (0, "1970-01-01 00:00:00 Thursday 001 12AM Jan 70  1 %"),
            (
                951_827_696,
                "2000-02-29 12:34:56 Tuesday 060 12PM Feb 00 29 %",
            ),
            (
                1_735_689_599,
                "2024-12-31 23:59:59 Tuesday 366 11PM Dec 24 31 %",
            ),
            (
                4_107_542_400,
                "2100-03-01 00:00:00 Monday 060 12AM Mar 00  1 %",
            ),
        ] {
            assert_eq!(strftime(&budget, all, at(seconds)).unwrap(), expected);
        }
        assert!(strftime(&budget, "%Q", at(0)).is_err());
    }
}
