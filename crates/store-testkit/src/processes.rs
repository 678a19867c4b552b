//! Races between processes.
//!
//! A test starts its own program three more times. Each of these processes runs one test: the one that takes part. The
//! leader talks to the processes over their standard input and output, line by line. They wait for each other at gates,
//! as tasks do at a barrier.

use std::io::{self, BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::{env, process};

use nexios_store_core::{SessionId, Timestamp};

use crate::Subject;
use crate::caller::{Caller, ensure};
use crate::race::scrambled;
use crate::run::on_a_runtime;

mod races;

/// Lets several processes race, and checks what they leave. This is the body of each test that
/// [`conformance_across_processes!`](crate::conformance_across_processes) makes.
pub fn lead<Place>(
    race: &str,
    module: &str,
    make: impl FnOnce() -> (String, Place),
    open: impl AsyncFn(String) -> Subject,
) {
    on_a_runtime(race, async {
        let (location, _place) = make();
        let subject = open(location.clone()).await;
        let caller = subject.caller(race.chars().next().unwrap_or('?'));
        let crowd = Crowd::start(&caller, race, module, &location);
        if let Some(reason) = races::lead(race, &caller, crowd).await {
            let _ = writeln!(io::stderr(), "{race}: not applicable, because {reason}");
        }
    });
}

/// Takes part in a race, if this process was started for that. This is the body of the test that the others start.
pub fn take_part(open: impl AsyncFn(String) -> Subject) {
    let (Ok(race), Ok(player)) = (env::var(RACE), env::var(PLAYER)) else { return };
    on_a_runtime(&race, async {
        let mut gate = Gate { orders: io::stdin().lines() };
        let location = gate.order();
        let subject = open(location).await;
        let caller = subject.caller(race.chars().next().unwrap_or('?'));
        let player = player.parse().unwrap_or_default();
        let task = Task::parse(&gate.pass());
        let now = Timestamp::from_unix_millis(task.now);
        let caller = if caller.decides_time() { caller.at(now) } else { caller };
        let result = races::play(&race, &caller, player, task.seed, &mut gate).await;
        say(&format!("result {result}"));
    });
}

/// The processes of a race, as the leader sees them.
struct Crowd<'a> {
    caller: &'a Caller,
    players: Vec<Player>,
}

struct Player {
    process: Child,
    orders: ChildStdin,
    says: Lines<BufReader<ChildStdout>>,
    /// Its standard error, read as it comes, because a full pipe would stop the process.
    complaints: Option<JoinHandle<String>>,
}

impl<'a> Crowd<'a> {
    fn start(caller: &'a Caller, race: &str, module: &str, location: &str) -> Self {
        // The harness knows a test in `program::module` as `module::test`.
        let module = module.split_once("::").map_or("", |(_, module)| module);
        let start = |player: usize| -> io::Result<Player> {
            let mut command = Command::new(env::current_exe()?);
            command.args(["--exact", &format!("{module}::{TEST}"), "--nocapture", "--test-threads=1"]);
            command
                .env(RACE, race)
                .env(PLAYER, player.to_string())
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            let mut process = command.spawn()?;
            let (Some(orders), Some(says), Some(stderr)) =
                (process.stdin.take(), process.stdout.take(), process.stderr.take())
            else {
                return Err(io::Error::other("the process has no pipes"));
            };
            let complaints = Some(thread::spawn(move || io::read_to_string(stderr).unwrap_or_default()));
            let mut player = Player { process, orders, says: BufReader::new(says).lines(), complaints };
            writeln!(player.orders, "{location}")?;
            Ok(player)
        };
        let players = (0..PLAYERS).map(start).collect::<io::Result<_>>();
        let players =
            players.unwrap_or_else(|error| caller.broken(format_args!("expected to start processes: {error}")));
        Self { caller, players }
    }

    /// Runs the race, and returns what each process counted.
    fn race(mut self, seed: u64) -> Vec<u64> {
        let mut order = Task { seed, now: self.caller.now().as_unix_millis() }.to_string();
        loop {
            let said: Vec<String> = self.players.iter_mut().map(|player| player.listen(self.caller)).collect();
            if said.iter().any(|said| said != "gate") {
                return said.iter().map(|said| self.result(said)).collect();
            }
            for player in &mut self.players {
                let _ = writeln!(player.orders, "{order}");
            }
            order = "go".to_owned();
        }
    }

    fn result(&self, said: &str) -> u64 {
        let result = said.strip_prefix("result ").and_then(|result| result.parse().ok());
        result.unwrap_or_else(|| {
            self.caller.broken(format_args!("expected all processes to reach the same gate, got {said}"))
        })
    }
}

impl Player {
    fn listen(&mut self, caller: &Caller) -> String {
        loop {
            let Some(Ok(line)) = self.says.next() else {
                let why = self.complaints.take().and_then(|complaints| complaints.join().ok()).unwrap_or_default();
                caller
                    .broken(format_args!("expected a process to take part to the end, but it failed: {}", why.trim()));
            };
            // The test harness writes here, too, and leaves its line open until the test ends.
            if let Some((_, said)) = line.split_once(MARK) {
                return said.to_owned();
            }
        }
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        // It has ended, or nobody needs it any longer.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A place at which a process waits for the others.
struct Gate {
    orders: Lines<io::StdinLock<'static>>,
}

impl Gate {
    /// Announces this process, and waits until all have come.
    fn pass(&mut self) -> String {
        say("gate");
        self.order()
    }

    fn order(&mut self) -> String {
        match self.orders.next() {
            Some(Ok(order)) => order,
            // The leader has failed or was killed.
            _ => process::exit(1),
        }
    }
}

/// The order that the leader gives to all processes.
struct Task {
    seed: u64,
    now: u64,
}

impl Task {
    fn parse(text: &str) -> Self {
        let mut numbers = text.split(' ').map(|number| number.parse().unwrap_or_default());
        Self { seed: numbers.next().unwrap_or_default(), now: numbers.next().unwrap_or_default() }
    }
}

impl std::fmt::Display for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.seed, self.now)
    }
}

fn say(what: &str) {
    // Not `println!`, which the test harness may keep to itself.
    let _ = writeln!(io::stdout(), "{MARK}{what}").and_then(|()| io::stdout().flush());
}

/// An id that all processes of a race know.
fn known_id(seed: u64, number: usize) -> SessionId {
    let number = scrambled(seed ^ number as u64);
    SessionId::from_bytes((u128::from(number) << 64 | u128::from(scrambled(number))).to_be_bytes())
}

/// The number of processes that take part.
const PLAYERS: usize = 3;
const TEST: &str = "a_process_that_takes_part";
const MARK: &str = "nexios-store-testkit: ";
const RACE: &str = "NEXIOS_STORE_TESTKIT_RACE";
const PLAYER: &str = "NEXIOS_STORE_TESTKIT_PLAYER";
