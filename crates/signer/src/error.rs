use std::fmt;

/// The error for a text or byte string that cannot be used as a key.
///
/// The message says what is wrong. If several keys were given, it also says which one is meant. It never contains any
/// part of a key.
///
/// # Examples
///
/// ```
/// use nexios_signer::Key;
///
/// assert_eq!(Key::from_text("").unwrap_err().to_string(), "key is empty");
/// assert_eq!(Key::from_text("short").unwrap_err().to_string(), "key is shorter than 32 bytes");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyError {
    problem: Problem,
    position: Option<Position>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Problem {
    #[error("is empty")]
    Empty,
    #[error("is shorter than 32 bytes")]
    Short,
    #[error("has fewer than 12 different characters")]
    FewCharacters,
    #[error("has fewer than 12 different byte values")]
    FewBytes,
    #[error("is printed in the documentation of this library, so everybody knows it")]
    Printed,
    #[error("could not be generated: the random generator of the system failed")]
    Random,
}

/// The place of a key in a list; the first key is number 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Position {
    number: usize,
    count: usize,
}

impl KeyError {
    pub(crate) fn at(self, number: usize, count: usize) -> Self {
        Self { position: (count > 1).then_some(Position { number, count }), ..self }
    }
}

impl From<Problem> for KeyError {
    fn from(problem: Problem) -> Self {
        Self { problem, position: None }
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            None => write!(f, "key {}", self.problem),
            Some(Position { number, count }) => write!(f, "key {number} of {count} {}", self.problem),
        }
    }
}

impl std::error::Error for KeyError {}

/// The error for a value that could not be sealed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct SealError(#[from] SealProblem);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SealProblem {
    #[error("value could not be sealed: the random generator of the system failed")]
    Random,
    #[error("value is too long to be sealed")]
    TooLong,
}
