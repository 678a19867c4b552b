//! `cargo xtask tidy`: checks the rules that neither rustc nor clippy knows.
//!
//! The task prints all findings before it fails. The tables below are the architecture: which crate depends on which,
//! which room of a crate imports from which, and which dependencies a crate must not have. A change of a line in them
//! is a decision and comes with its reason.

mod arrows;
mod crates;
mod files;
mod heights;
mod imports;
mod links;
mod msrv;
mod rooms;
mod text;
mod trees;

use std::{collections::BTreeMap, fmt, fs, io, path::Path};

use crate::{
    error::{Error, Result},
    workspace::Workspace,
};
use arrows::{Row, anything, row};
use rooms::{House, room};
use trees::Free;

/// The crates of ours that each of our crates depends on. Any other dependency between them is a mistake.
///
/// An arrow is a normal dependency or a build dependency. Tests may also depend on every lower crate, that is, on one
/// whose longest way down to a root is shorter, and on the crates that `tests` lists. A row may stand here before its
/// crate exists.
const ARROWS: &[Row] = &[
    // The strict reader of settings: each crate reads its own settings, and all of them refuse the same mistakes. The
    // other roots may use it, because it brings neither HTTP types nor a runtime.
    row("nexios-settings", &[]),
    row("nexios-signer", &["nexios-settings"]),
    row("nexios-cookie-config", &["nexios-settings"]),
    row("nexios-store-core", &[]),
    row("nexios-store-testkit", &["nexios-store-core"]),
    row("nexios-store-memory", &["nexios-store-core"]).tests(&["nexios-store-testkit"]),
    row("nexios-store-file", &["nexios-settings", "nexios-store-core"]).tests(&["nexios-store-testkit"]),
    row("nexios-store-redis", &["nexios-settings", "nexios-store-core"]).tests(&["nexios-store-testkit"]),
    row("nexios-store-postgres", &["nexios-settings", "nexios-store-core"]).tests(&["nexios-store-testkit"]),
    // The crate promises something about the disk after whole sessions, so its tests need whole sessions.
    row("nexios-store-encrypted", &["nexios-signer", "nexios-store-core"]).tests(&["nexios-middleware-core"]),
    row("nexios-middleware-core", &["nexios-cookie-config", "nexios-settings", "nexios-signer", "nexios-store-core"]),
    row("nexios-adapter-axum", &["nexios-middleware-core"]),
    row("nexios-adapter-actix", &["nexios-middleware-core"]),
    row(
        "nexios-admin",
        &[
            "nexios-middleware-core",
            "nexios-settings",
            "nexios-store-encrypted",
            "nexios-store-file",
            "nexios-store-postgres",
            "nexios-store-redis",
        ],
    ),
    anything("nexios-demo"),
    anything("nexios-tests"),
    // The tasks work while the rest does not compile.
    row("xtask", &[]),
];

/// The rooms of a crate that each of its rooms imports from. Any other import between them is a mistake.
///
/// A room is a module at the root of the crate, together with all modules inside it. An arrow is a path
/// `crate::room::..` outside of test code. `lib.rs` is the public face: it may import everything, and no room imports
/// from it.
const ROOMS: &[House] = &[House {
    src: "crates/middleware-core/src",
    rooms: &[
        // A thin face over the other rooms.
        room("manager", &["client_side", "error", "events", "format", "request", "services", "session", "users"]),
        room(
            "request",
            &[
                "answer",
                "client_side",
                "commit",
                "error",
                "events",
                "records",
                "services",
                "session",
                "signed_cookies",
                "state",
            ],
        ),
        room("session", &["commit", "error", "format", "look", "services", "state", "users"]),
        room("look", &["error", "events", "records", "services", "state"]),
        room("commit", &["error", "events", "format", "records", "services", "state", "users"]),
        // Below both a handler's session, which saves, and the commit, which works on what it has decided.
        room("state", &["client_side", "error", "events", "format", "records", "services", "signed_cookies"]),
        room("answer", &["error", "events", "signed_cookies"]),
        room("users", &["error", "events", "format", "records", "services"]),
        room("client_side", &["error", "events", "format", "records", "services"]),
        room("signed_cookies", &["events", "services"]),
        // The one room that knows both the format and the keys.
        room("records", &["error", "events", "format", "services"]),
        // What every room above may use.
        room("services", &["error", "events", "format"]),
        room("format", &["error"]),
        room("error", &["events"]),
        room("events", &[]),
    ],
}];

/// The packages that must not be in the tree of a crate's normal dependencies, without its features. A `*` at the end
/// matches any rest.
const FREE: &[Free] = &[
    Free { of: &["http", "axum*", "actix*", "tower*"], package: "nexios-middleware-core" },
    Free { of: &["http", "tokio"], package: "nexios-cookie-config" },
    Free { of: &["http", "tokio"], package: "nexios-settings" },
    Free { of: &["http", "tokio"], package: "nexios-signer" },
    Free { of: &["http", "tokio"], package: "nexios-store-core" },
];

/// A broken rule: its place, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    place: String,
    what: String,
}

impl Finding {
    fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// Checks every rule and prints every finding.
pub(crate) fn run(root: &Path, _args: &[String]) -> Result<()> {
    let workspace = Workspace::load(root)?;
    let files = files::list(root)?;

    let mut findings = arrows::check(ARROWS, &workspace.members);
    findings.extend(trees::check(FREE, &workspace.packages));
    findings.extend(crates::check(root, &workspace.members)?);
    findings.extend(msrv::check(&workspace));
    let mut texts = BTreeMap::new();
    for file in &files {
        let Some(text) = read_text(root, file)? else { continue };
        findings.extend(text::check(file, &text));
        findings.extend(links::check(root, file, &text));
        texts.insert(file.clone(), text);
    }
    findings.extend(rooms::check(ROOMS, &texts));

    findings.sort();
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        return Err(Error::Untidy(findings.len()));
    }
    println!(
        "tidy: {} crates, {} packages in the tree, {} files, no findings",
        workspace.members.len(),
        workspace.packages.len(),
        files.len()
    );
    Ok(())
}

/// Reads the text of a file. A picture has none, nor has a file that git knows and somebody just removed.
fn read_text(root: &Path, file: &str) -> Result<Option<String>> {
    let path = root.join(file);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidData) => Ok(None),
        // A symbolic link to a folder.
        Err(error) if error.kind() == io::ErrorKind::IsADirectory => Ok(None),
        Err(source) => Err(Error::Read { path, source }),
    }
}
