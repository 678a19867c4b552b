use std::borrow::Cow;
use std::fmt;

use crate::answer::ErrorAnswer;

/// The head of a response, as [`RequestEnd::apply`](crate::RequestEnd::apply) changes it.
///
/// An adapter implements it for the response of its framework, and decides nothing: the core says which headers are
/// set, in which order, and which survive when an answer is replaced. [`PlainHead`] is a head without a framework.
///
/// # Examples
///
/// ```
/// use std::borrow::Cow;
/// use nexios_middleware_core::{Header, ResponseHead};
///
/// /// A response of the crate `http`, or one like it.
/// struct Response {
///     status: u16,
///     lines: Vec<(&'static str, Vec<u8>)>,
/// }
///
/// impl ResponseHead for Response {
///     fn set_status(&mut self, status: u16) {
///         self.status = status;
///     }
///
///     fn values(&self, header: Header) -> impl Iterator<Item = &[u8]> {
///         self.lines.iter().filter(move |(name, _)| *name == header.name()).map(|(_, value)| &**value)
///     }
///
///     fn insert(&mut self, header: Header, value: Cow<'static, str>) {
///         self.retain(|name, _| name != header.name());
///         self.append(header, value.into_owned());
///     }
///
///     fn append(&mut self, header: Header, value: String) {
///         self.lines.push((header.name(), value.into()));
///     }
///
///     fn retain(&mut self, mut keep: impl FnMut(&str, &[u8]) -> bool) {
///         self.lines.retain(|(name, value)| keep(name, value));
///     }
/// }
/// ```
pub trait ResponseHead {
    /// Replaces the status.
    fn set_status(&mut self, status: u16);

    /// Returns the values of a header, one for each of its lines.
    fn values(&self, header: Header) -> impl Iterator<Item = &[u8]>;

    /// Sets a header to one value, which replaces all its lines.
    ///
    /// Values that the core makes are visible ASCII and blanks, so that a conversion does not fail. Two can contain
    /// text of the application: `Content-Type` has the media type of its [failure body](crate::FailureBody), and `Vary`
    /// the names that it had set. Leave out a value that your framework refuses. A borrowed value is always a constant
    /// of the core.
    fn insert(&mut self, header: Header, value: Cow<'static, str>);

    /// Adds a line to those that a header has. The value is as for [`insert`](Self::insert).
    fn append(&mut self, header: Header, value: String);

    /// Keeps the lines for which `keep` returns true, in their order. `keep` gets the name in lower case, and the
    /// value.
    fn retain(&mut self, keep: impl FnMut(&str, &[u8]) -> bool);

    /// Takes the error that this response answers, if the conversion of the error has left one in the response.
    ///
    /// Implement it if your framework can carry something along with a response. Then the core tells of the error, and
    /// gives the answer the application's [failure body](crate::SessionManagerBuilder::failure_body).
    fn take_error(&mut self) -> Option<ErrorAnswer> {
        None
    }
}

/// A header that the core reads or sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Header {
    /// `Cache-Control`
    CacheControl,
    /// `Content-Type`
    ContentType,
    /// `Retry-After`
    RetryAfter,
    /// `Set-Cookie`
    SetCookie,
    /// `Vary`
    Vary,
}

impl Header {
    /// Returns the name of the header in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CacheControl => "cache-control",
            Self::ContentType => "content-type",
            Self::RetryAfter => "retry-after",
            Self::SetCookie => "set-cookie",
            Self::Vary => "vary",
        }
    }
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A response's head without a framework, for servers that have no type of their own and for tests.
///
/// # Examples
///
/// ```
/// use nexios_middleware_core::{Header, PlainHead, ResponseHead};
///
/// let mut head = PlainHead::new(200);
/// head.insert(Header::Vary, "Cookie".into());
/// assert_eq!(head.value(Header::Vary), Some("Cookie"));
/// assert_eq!(head.lines, [("vary".to_owned(), "Cookie".to_owned())]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlainHead {
    /// The status of the response.
    pub status: u16,
    /// The names of the headers, in lower case, with their values.
    pub lines: Vec<(String, String)>,
}

impl PlainHead {
    /// Makes a head without headers.
    pub const fn new(status: u16) -> Self {
        Self { status, lines: Vec::new() }
    }

    /// Returns the value of a header: that of its first line, if there are several.
    pub fn value(&self, header: Header) -> Option<&str> {
        self.all(header).next()
    }

    /// Returns the values of all lines of a header.
    pub fn all(&self, header: Header) -> impl Iterator<Item = &str> {
        self.lines.iter().filter(move |(name, _)| name == header.name()).map(|(_, value)| &**value)
    }
}

impl ResponseHead for PlainHead {
    fn set_status(&mut self, status: u16) {
        self.status = status;
    }

    fn values(&self, header: Header) -> impl Iterator<Item = &[u8]> {
        self.all(header).map(str::as_bytes)
    }

    fn insert(&mut self, header: Header, value: Cow<'static, str>) {
        self.lines.retain(|(name, _)| name != header.name());
        self.append(header, value.into_owned());
    }

    fn append(&mut self, header: Header, value: String) {
        self.lines.push((header.name().to_owned(), value));
    }

    fn retain(&mut self, mut keep: impl FnMut(&str, &[u8]) -> bool) {
        self.lines.retain(|(name, value)| keep(name, value.as_bytes()));
    }
}
