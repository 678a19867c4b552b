//! The script of a request, which travels in the request as text. One interpreter serves all frameworks.

use std::time::Duration;

use nexios_middleware_core::{Session, SessionError, SignedCookieError, SignedCookies};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Gates;

/// A step that a handler does with its session.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    Insert(String, Value),
    Get(String),
    /// Reads the value as a number. The request fails if it is none.
    GetNumber(String),
    Remove(String),
    Take(String),
    /// Takes a value that no other request may take as well.
    TakeOnce(String),
    Increment(String),
    /// Takes one from a number, which must not fall below zero.
    Spend(String),
    Entries,
    IsModified,
    Clear,
    Cycle,
    Login(String),
    Principal,
    Device(String),
    /// Reads the device name of each of the user's sessions, and whether the session is this one.
    Devices,
    RevokeOthers,
    RevokeAll,
    IsReadOnly,
    Persistent(bool),
    IdleSeconds(u64),
    Destroy,
    Discard,
    Save,
    /// Reads the kind of error of a step, instead of failing the request.
    Attempt(Box<Self>),
    /// Waits at a gate.
    Wait(String),
    Panic,
    /// Sets the status of the answer, which is 200 otherwise.
    Answer(u16),
    /// Sets a header of the answer.
    Header(String, String),
}

pub(crate) fn insert(key: &str, value: impl Into<Value>) -> Step {
    Step::Insert(key.to_owned(), value.into())
}

pub(crate) fn get(key: &str) -> Step {
    Step::Get(key.to_owned())
}

pub(crate) fn get_number(key: &str) -> Step {
    Step::GetNumber(key.to_owned())
}

pub(crate) fn remove(key: &str) -> Step {
    Step::Remove(key.to_owned())
}

pub(crate) fn take(key: &str) -> Step {
    Step::Take(key.to_owned())
}

pub(crate) fn take_once(key: &str) -> Step {
    Step::TakeOnce(key.to_owned())
}

pub(crate) fn spend(key: &str) -> Step {
    Step::Spend(key.to_owned())
}

pub(crate) fn increment(key: &str) -> Step {
    Step::Increment(key.to_owned())
}

pub(crate) fn login(user: &str) -> Step {
    Step::Login(user.to_owned())
}

pub(crate) fn device(device: &str) -> Step {
    Step::Device(device.to_owned())
}

pub(crate) fn attempt(step: Step) -> Step {
    Step::Attempt(Box::new(step))
}

pub(crate) fn wait(gate: &str) -> Step {
    Step::Wait(gate.to_owned())
}

pub(crate) const fn status(status: u16) -> Step {
    Step::Answer(status)
}

pub(crate) const fn persistent(persistent: bool) -> Step {
    Step::Persistent(persistent)
}

pub(crate) const fn idle_seconds(seconds: u64) -> Step {
    Step::IdleSeconds(seconds)
}

pub(crate) fn header(name: &str, value: &str) -> Step {
    Step::Header(name.to_owned(), value.to_owned())
}

/// The answer of a handler.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    /// The values that the steps have read, as JSON, with blanks between them.
    pub(crate) body: String,
}

impl Default for Outcome {
    fn default() -> Self {
        let content_type = ("content-type".to_owned(), "text/plain".to_owned());
        Self { status: 200, headers: vec![content_type], body: String::new() }
    }
}

impl Outcome {
    fn say(&mut self, value: impl Serialize) {
        if !self.body.is_empty() {
            self.body.push(' ');
        }
        self.body.push_str(&json!(value).to_string());
    }
}

pub(crate) async fn run(script: &[u8], session: &Session, gates: &Gates) -> Result<Outcome, SessionError> {
    let _teller = gates.tell_on_drop("script is over");
    let steps: Vec<Step> = serde_json::from_slice(script).unwrap();
    let mut outcome = Outcome::default();
    for step in steps {
        if let Step::Attempt(step) = step {
            match take_step(*step, session, gates, &mut outcome).await {
                Ok(()) => outcome.say("done"),
                Err(error) => outcome.say(format!("{:?}", error.kind())),
            }
        } else {
            take_step(step, session, gates, &mut outcome).await?;
        }
    }
    Ok(outcome)
}

async fn take_step(step: Step, session: &Session, gates: &Gates, outcome: &mut Outcome) -> Result<(), SessionError> {
    match step {
        Step::Insert(key, value) => session.insert(&key, &value)?,
        Step::Get(key) => outcome.say(session.get::<Value>(&key)?),
        Step::GetNumber(key) => outcome.say(session.get::<i64>(&key)?),
        Step::Remove(key) => outcome.say(session.remove(&key)),
        Step::Take(key) => outcome.say(session.take::<Value>(&key)?),
        Step::TakeOnce(key) => outcome.say(session.take_once::<Value>(&key)?),
        Step::Spend(key) => session.try_update(&key, |number: Option<u64>| match number {
            Some(number @ 1..) => Ok(Some(number - 1)),
            _ => Err("there is nothing left"),
        })?,
        Step::Increment(key) => session.update(&key, |number: Option<i64>| number.unwrap_or(0) + 1)?,
        Step::Entries => outcome.say(session.entries::<Value>()?),
        Step::IsModified => outcome.say(session.is_modified()),
        Step::Clear => session.clear(),
        Step::Cycle => session.cycle_id(),
        Step::Login(user) => session.login(&user)?,
        Step::Principal => outcome.say(session.principal()),
        Step::Device(device) => session.set_device(&device)?,
        Step::Devices => {
            let user = session.principal().unwrap_or_default();
            let mut devices = Vec::new();
            for other in session.manager().sessions_of(&user).await? {
                devices.push((other.is_current(session), other.device));
            }
            devices.sort();
            outcome.say(devices);
        }
        Step::RevokeOthers => {
            let (user, current) = (session.principal().unwrap(), session.handle().unwrap());
            outcome.say(session.manager().revoke_others(&user, current).await?);
        }
        Step::RevokeAll => outcome.say(session.manager().revoke_all(&session.principal().unwrap()).await?),
        Step::IsReadOnly => outcome.say(session.is_read_only()),
        Step::Persistent(persistent) => session.set_persistent(persistent)?,
        Step::IdleSeconds(seconds) => session.set_idle_timeout(Some(Duration::from_secs(seconds)))?,
        Step::Destroy => session.destroy(),
        Step::Discard => session.discard(),
        Step::Save => session.save().await?,
        Step::Wait(gate) => gates.pass(&gate).await,
        // A panic that writes nothing to the terminal.
        Step::Panic => std::panic::resume_unwind(Box::new("on purpose")),
        Step::Answer(status) => outcome.status = status,
        Step::Header(name, value) => outcome.headers.push((name, value)),
        Step::Attempt(_) => unreachable!("an attempt is not attempted"),
    }
    Ok(())
}

/// Runs a script after the head, where an error cannot become an answer.
pub(crate) async fn run_late(script: &[u8], session: &Session, gates: &Gates) -> String {
    match run(script, session, gates).await {
        Ok(outcome) => outcome.body,
        Err(error) => format!("{:?}", error.kind()),
    }
}

/// A step that a handler does with its signed cookies.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum JarStep {
    Read(String),
    Set(String, String),
    SetFor(String, String, u64),
    Remove(String),
}

pub(crate) fn read_cookie(name: &str) -> JarStep {
    JarStep::Read(name.to_owned())
}

pub(crate) fn set_cookie(name: &str, value: &str) -> JarStep {
    JarStep::Set(name.to_owned(), value.to_owned())
}

pub(crate) fn set_cookie_for(name: &str, value: &str, seconds: u64) -> JarStep {
    JarStep::SetFor(name.to_owned(), value.to_owned(), seconds)
}

pub(crate) fn remove_cookie(name: &str) -> JarStep {
    JarStep::Remove(name.to_owned())
}

pub(crate) fn run_jar(script: &[u8], cookies: &SignedCookies) -> Result<Outcome, SignedCookieError> {
    let steps: Vec<JarStep> = serde_json::from_slice(script).unwrap();
    let mut outcome = Outcome::default();
    for step in steps {
        match step {
            JarStep::Read(name) => outcome.say(cookies.get(&name)?),
            JarStep::Set(name, value) => cookies.set(&name, &value)?,
            JarStep::SetFor(name, value, seconds) => cookies.set_for(&name, &value, Duration::from_secs(seconds))?,
            JarStep::Remove(name) => cookies.remove(&name)?,
        }
    }
    Ok(outcome)
}
