//! A site without a web server, whose sessions are files that may be encrypted. So a test reads as a story of requests.

#![allow(dead_code, clippy::unwrap_used, clippy::panic, reason = "each test program uses a part of it, as tests do")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nexios_middleware_core::{Header, ManualClock, PlainHead, RequestSession, Session, SessionManager};
use nexios_signer::KeyRing;
use nexios_store_core::SessionStore;
use nexios_store_encrypted::EncryptedStore;
use nexios_store_file::FileStore;
use tempfile::TempDir;

pub(crate) const OLD: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const NEW: &str = "fedcba9876543210fedcba9876543210";

/// A session directory and a clock. Both outlive the managers that use them.
pub(crate) struct Site {
    parent: TempDir,
    pub(crate) clock: Arc<ManualClock>,
}

impl Site {
    pub(crate) fn new() -> Self {
        Self { parent: tempfile::tempdir().unwrap(), clock: Arc::default() }
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.parent.path().join("sessions")
    }

    /// Starts the site with these keys.
    pub(crate) fn start(&self, keys: &[&str]) -> SessionManager {
        self.start_with_keys_for_each(keys, keys)
    }

    /// Starts the site with other keys for cookies than for records.
    pub(crate) fn start_with_keys_for_each(&self, of_cookies: &[&str], of_records: &[&str]) -> SessionManager {
        self.manager(of_cookies, EncryptedStore::new(FileStore::open(self.dir()).unwrap(), &ring(of_records)))
    }

    /// Starts the site without encryption.
    pub(crate) fn start_in_the_clear(&self, keys: &[&str]) -> SessionManager {
        self.manager(keys, FileStore::open(self.dir()).unwrap())
    }

    fn manager(&self, keys: &[&str], store: impl SessionStore) -> SessionManager {
        SessionManager::builder(store).keys(ring(keys)).clock(self.clock.clone()).build().unwrap()
    }

    /// Returns every file below the directory, of any kind, in the order of names.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut unread = vec![self.dir()];
        while let Some(next) = unread.pop() {
            for entry in fs::read_dir(next).unwrap().map(Result::unwrap) {
                if entry.file_type().unwrap().is_dir() { unread.push(entry.path()) } else { files.push(entry.path()) }
            }
        }
        files.sort();
        files
    }

    /// Returns the records, with the contents of their files.
    pub(crate) fn records(&self) -> Vec<(PathBuf, Vec<u8>)> {
        // `<dir>/ab/<id>`: two levels down, in a folder named by two digits.
        let is_record = |path: &PathBuf| {
            let folder = path.parent().unwrap();
            folder.parent() == Some(&self.dir()) && folder.file_name().is_some_and(|name| name.len() == 2)
        };
        self.files().into_iter().filter(is_record).map(|path| (path.clone(), fs::read(path).unwrap())).collect()
    }

    /// Returns the file of a visitor's session.
    pub(crate) fn record_of(&self, visitor: &Visitor) -> PathBuf {
        let id = visitor.id();
        self.dir().join(&id[..2]).join(id)
    }

    pub(crate) fn has_set_something_aside(&self) -> bool {
        self.files().iter().any(|path| path.parent().and_then(Path::file_name).is_some_and(|name| name == ".corrupt"))
    }
}

fn ring(keys: &[&str]) -> KeyRing {
    KeyRing::from_text(&keys.join(",")).unwrap()
}

/// A browser.
#[derive(Clone, Default)]
pub(crate) struct Visitor {
    pub(crate) cookie: Option<String>,
}

impl Visitor {
    pub(crate) fn id(&self) -> String {
        self.cookie.as_ref().unwrap().split(['=', '.']).nth(1).unwrap().to_owned()
    }

    /// Begins a request. Its handler is at work until [`hear`](Self::hear).
    pub(crate) async fn open(&self, site: &SessionManager) -> (RequestSession, Session) {
        let request = site.request(self.cookie.iter());
        let session = request.session().await.unwrap();
        (request, session)
    }

    /// Ends a request, and gives the visitor the answer.
    pub(crate) async fn hear(&mut self, request: &RequestSession) {
        let end = request.end(200).await;
        assert!(end.failure().is_none(), "{:?}", end.failure());
        let mut head = PlainHead::new(200);
        let _ = end.apply(&mut head);
        if let Some(line) = head.value(Header::SetCookie) {
            let pair = line.split(';').next().unwrap().to_owned();
            self.cookie = (!line.contains("Max-Age=0")).then_some(pair);
        }
    }

    /// Makes a whole request.
    pub(crate) async fn visit<T>(&mut self, site: &SessionManager, handler: impl FnOnce(&Session) -> T) -> T {
        let (request, session) = self.open(site).await;
        let answer = handler(&session);
        self.hear(&request).await;
        answer
    }

    /// Returns the value of `key` that a new request sees.
    pub(crate) async fn sees(&self, site: &SessionManager, key: &str) -> Option<String> {
        self.open(site).await.1.get(key).unwrap()
    }
}
