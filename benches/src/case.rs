use crate::application::Application;
use crate::payload::VISITS;

/// A thing that a visitor does. Each case is measured on every stack that can do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// The request has no cookie, and the handler does not ask for the session.
    UntouchedNoCookie,
    /// The request has a valid cookie, and the handler does not ask for the session.
    Untouched,
    /// The handler reads one key of a session of 306 bytes.
    Read300,
    /// The handler reads one key of a session of 306 bytes, and writes it.
    Write300,
    /// The handler reads one key of a session of 4,059 bytes.
    Read4k,
    /// The handler reads one key of a session of 4,059 bytes, and writes it.
    Write4k,
    /// The request has no cookie, and the handler begins a session with one key.
    New,
    /// The request has a forged cookie, which looks right, and the handler reads one key.
    Forged,
}

/// The request of a case, after a check that it does what the case's name says.
#[derive(Clone, Debug)]
pub struct Visit {
    /// The path of its URL.
    pub path: &'static str,
    /// Its `Cookie` header.
    pub cookie: Option<String>,
}

impl Case {
    /// All cases.
    pub const ALL: [Self; 8] = [
        Self::UntouchedNoCookie,
        Self::Untouched,
        Self::Read300,
        Self::Write300,
        Self::Read4k,
        Self::Write4k,
        Self::New,
        Self::Forged,
    ];

    /// Returns the name on the command line and in the tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UntouchedNoCookie => "untouched-no-cookie",
            Self::Untouched => "untouched",
            Self::Read300 => "read-300",
            Self::Write300 => "write-300",
            Self::Read4k => "read-4k",
            Self::Write4k => "write-4k",
            Self::New => "new",
            Self::Forged => "forged",
        }
    }

    const fn path(self) -> &'static str {
        match self {
            Self::UntouchedNoCookie | Self::Untouched => "/untouched",
            Self::Read300 | Self::Read4k | Self::Forged => "/read",
            Self::Write300 | Self::Write4k => "/write",
            Self::New => "/new",
        }
    }

    /// Prepares the request and checks that it does what the case's name says.
    ///
    /// # Panics
    ///
    /// Panics if it does not. There is nothing to measure then.
    pub async fn prepare(self, application: &dyn Application) -> Visit {
        let cookie = match self {
            Self::UntouchedNoCookie | Self::New => None,
            Self::Forged => Some(forged(&seeded(application, "/seed-300").await)),
            Self::Untouched | Self::Read300 | Self::Write300 => Some(seeded(application, "/seed-300").await),
            Self::Read4k | Self::Write4k => Some(seeded(application, "/seed-4k").await),
        };
        let visit = Visit { path: self.path(), cookie };
        self.check(application, &visit).await;
        visit
    }

    async fn check(self, application: &dyn Application, visit: &Visit) {
        let read = async |cookie| application.visit(&Visit { path: "/read", cookie }).await.body;
        let before = VISITS.to_string();
        if matches!(self, Self::Untouched | Self::Read300 | Self::Write300 | Self::Read4k | Self::Write4k) {
            assert_eq!(read(visit.cookie.clone()).await, before, "the cookie opens the session");
        }
        let answer = application.visit(visit).await;
        match self {
            Self::UntouchedNoCookie | Self::Untouched => assert_eq!(answer.body, "untouched"),
            Self::Read300 | Self::Read4k => assert_eq!(answer.body, before),
            Self::Write300 | Self::Write4k => {
                assert_eq!(answer.body, (VISITS + 1).to_string());
                // A store keeps the new value under the old cookie. If the cookie is the session, the value is in the
                // new one.
                let cookie = answer.cookie.or_else(|| visit.cookie.clone());
                assert_eq!(read(cookie).await, (VISITS + 1).to_string(), "what was written is there");
            }
            Self::New => {
                assert_eq!(read(answer.cookie).await, before, "the new cookie opens the new session");
            }
            Self::Forged => assert_eq!(answer.body, "none", "a forged cookie opens nothing"),
        }
    }
}

/// Begins a session with values in it, and returns its cookie.
async fn seeded(application: &dyn Application, path: &'static str) -> String {
    application.visit(&Visit { path, cookie: None }).await.cookie.expect("the cookie of a new session")
}

/// Changes one character of a cookie, in its signature or in the signed value.
fn forged(cookie: &str) -> String {
    let value = cookie.find('=').expect("a name and a value") + 1;
    let place = value + 5;
    let other = if cookie[place..].starts_with('1') { "2" } else { "1" };
    format!("{}{other}{}", &cookie[..place], &cookie[place + 1..])
}
