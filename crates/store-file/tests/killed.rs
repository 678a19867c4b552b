//! A writing process is killed again and again. Everything that it was answered is there, and whole.
//!
//! `NEXIOS_TEST_KILLS` sets how often, 30 times by default. A kill does not test syncing, because the system keeps what
//! was written in its memory. The tests in `src/faults/power.rs` test syncing.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may, as tests do")]

mod common;

use std::collections::HashMap;
use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use common::{BOTH, NOW, Sessions, id, tagged};
use nexios_store_core::{CreateOutcome, DeleteOutcome, PrincipalTag, Record, SessionId, SessionStore, UpdateOutcome};
use nexios_store_file::{Durability, FileStore};

const DIR: &str = "NEXIOS_TEST_KILLED_DIR";
const SYNCED: &str = "NEXIOS_TEST_KILLED_SYNCED";
const KILLS: &str = "NEXIOS_TEST_KILLS";
const WRITERS: u8 = 4;
const TAG: u8 = 0xad;

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_process_was_answered_is_there_and_whole() {
    let kills: usize = env::var(KILLS).map_or(30, |kills| kills.parse().expect("a number of kills"));
    for durability in BOTH {
        let sessions = Sessions::new(durability);
        let mut answers = Answers::default();
        for writer in 0..WRITERS {
            sessions.created(&id(writer), &content(0)).await;
        }
        for kill in 0..kills.div_ceil(2) {
            answers.read_from(&sessions.dir(), durability, 20 + kill * 7 % 150);
            answers.are_kept(&sessions.open_again()).await;
        }
        assert!(answers.updated.len() == usize::from(WRITERS) && answers.ended.len() > kills, "it did its work");
    }
}

/// The answers that the writing processes got, as they told before they were killed.
#[derive(Default)]
struct Answers {
    updated: HashMap<u8, u64>,
    ended: Vec<SessionId>,
}

impl Answers {
    /// Starts a writer, and kills it when it has been answered `count` times.
    fn read_from(&mut self, dir: &Path, durability: Durability, count: usize) {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "a_writing_process", "--nocapture"]).env(DIR, dir);
        if durability == Durability::Synced {
            command.env(SYNCED, "1");
        }
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let read = lines.by_ref().filter(|line| self.note(line)).take(count).count();
        assert_eq!(read, count, "the writer ended by itself");
        child.kill().unwrap();
        assert!(!child.wait().unwrap().success());
        // The answers that it told after that and before its end.
        lines.for_each(|line| {
            self.note(&line);
        });
    }

    fn note(&mut self, line: &str) -> bool {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["updated", writer, value, "."] => {
                self.updated.insert(writer.parse().unwrap(), value.parse().unwrap());
            }
            ["ended", id, "."] => self.ended.push(SessionId::parse(id).unwrap()),
            _ => return false,
        }
        true
    }

    async fn are_kept(&self, store: &FileStore) {
        let tag = PrincipalTag::from_bytes([TAG; 32]);
        let listed = store.principals().unwrap().sessions_of(&tag, NOW).await.unwrap();
        for writer in 0..WRITERS {
            let record = store.load(&id(writer), NOW).await.unwrap().expect("the session is there").record;
            let value = u64::from_le_bytes(record.payload[..8].try_into().unwrap());
            assert_eq!(record, content(value), "it is whole");
            let answered = self.updated.get(&writer).copied().unwrap_or(0);
            assert!((answered..=answered + 1).contains(&value), "{answered} was answered, but {value} is there");
            assert!(listed.contains(&id(writer)));
        }
        for ended in &self.ended {
            assert_eq!(store.load(ended, NOW).await.unwrap(), None, "a logout was undone");
            assert!(!listed.contains(ended));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_writing_process() {
    // This test does something only in the processes that the test above starts.
    let Some(dir) = env::var_os(DIR) else { return };
    let durability = if env::var_os(SYNCED).is_some() { Durability::Synced } else { Durability::Fast };
    let store = FileStore::builder(dir).durability(durability).open().unwrap();
    let writers: Vec<_> = (0..WRITERS).map(|writer| tokio::spawn(write(store.clone(), writer))).collect();
    for writer in writers {
        writer.await.unwrap();
    }
}

/// Updates one session, and creates and deletes others, until the process is killed.
async fn write(store: FileStore, writer: u8) {
    loop {
        let stored = store.load(&id(writer), NOW).await.unwrap().unwrap();
        let value = u64::from_le_bytes(stored.record.payload[..8].try_into().unwrap()) + 1;
        let updated = store.update(&id(writer), stored.revision, &content(value), NOW).await.unwrap();
        assert!(matches!(updated, UpdateOutcome::Updated(_)));
        tell(&format!("updated {writer} {value} .\n"));

        let passing = SessionId::generate().unwrap();
        let created = store.create(&passing, &content(value), NOW).await.unwrap();
        assert!(matches!(created, CreateOutcome::Created(_)));
        assert_eq!(store.delete(&passing).await.unwrap(), DeleteOutcome::Deleted);
        tell(&format!("ended {} .\n", common::hex(&passing)));
    }
}

fn tell(line: &str) {
    // In one write, so no kill cuts a line and no line mixes with another.
    std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
}

/// Returns a record that repeats the number all over. Some records are small and some are large.
fn content(value: u64) -> Record {
    tagged(value.to_le_bytes().repeat(if value % 5 == 4 { 2000 } else { 20 }), TAG)
}
