//! Which adapter to take, as it is asked for.

use std::fmt;
use std::str::FromStr;

/// Which adapter to take.
///
/// Written as text it is empty for [`Choice::Hardware`], `software`, a number, or part of a name:
///
/// ```
/// use gollm_wgpu::Choice;
///
/// assert_eq!("".parse(), Ok(Choice::Hardware));
/// assert_eq!("software".parse(), Ok(Choice::Software));
/// assert_eq!("2".parse(), Ok(Choice::Number(2)));
/// assert_eq!("radeon".parse(), Ok(Choice::Named("radeon".to_owned())));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Choice {
    /// The best GPU: a discrete one before an integrated one before a virtual one. Never software.
    #[default]
    Hardware,
    /// An implementation that computes on the CPU, such as Mesa's lavapipe.
    Software,
    /// The adapter of this number in [`adapters`](crate::adapters).
    Number(usize),
    /// The first adapter whose name contains this text, in upper or lower case.
    Named(String),
}

impl FromStr for Choice {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match (text, text.parse()) {
            ("", _) => Self::Hardware,
            ("software", _) => Self::Software,
            (_, Ok(number)) => Self::Number(number),
            (name, Err(_)) => Self::Named(name.to_owned()),
        })
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hardware => Ok(()),
            Self::Software => f.write_str("software"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Named(name) => f.write_str(name),
        }
    }
}
