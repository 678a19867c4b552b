//! The model: the sessions, their values and their lifetimes. It knows neither stores nor signatures.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::time::Duration;

use nexios_middleware_core::{SessionHandle, Timestamp};
use nexios_store_core::SessionId;

use crate::request::Change;
use crate::steps::User;

/// The values of a session. Each is a list, so that a lost or repeated change shows, and files grow.
pub(crate) type Values = BTreeMap<&'static str, Vec<usize>>;

/// The number of a key, the first being 0.
pub(crate) type KeyNumber = usize;

/// The number of a session, the first being 0.
pub(crate) type LifeNumber = usize;

#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) lives: Vec<Life>,
    /// The records that are no sessions, by their ids.
    pub(crate) marks: HashMap<SessionId, Mark>,
    /// The new id of each id that was replaced without a login of another user.
    pub(crate) moves: HashMap<SessionId, SessionId>,
    pub(crate) now: Timestamp,
    pub(crate) lifetimes: Lifetimes,
    /// The keys of the ring.
    pub(crate) keys: Range<KeyNumber>,
    /// The key of the ring that signs, for requests that begin now.
    pub(crate) first_key: KeyNumber,
    /// Records are encrypted. Then even an anonymous session under a lost key is unreadable.
    pub(crate) is_encrypted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lifetimes {
    pub(crate) idle: Duration,
    pub(crate) absolute: Duration,
}

pub(crate) const LIFETIMES: [Lifetimes; 2] = [
    Lifetimes { idle: Duration::from_secs(3600), absolute: Duration::from_secs(4 * 3600) },
    Lifetimes { idle: Duration::from_secs(1200), absolute: Duration::from_secs(3600) },
];

/// A session. Its id may change. It stays the same session until it ends or is given to another user.
#[derive(Clone, Debug)]
pub(crate) struct Life {
    pub(crate) id: SessionId,
    /// The handle, which the model learns when the session is first seen.
    pub(crate) handle: Option<SessionHandle>,
    pub(crate) values: Values,
    pub(crate) user: Option<User>,
    pub(crate) created_at: Timestamp,
    pub(crate) authenticated_at: Timestamp,
    /// The expiry of the record.
    pub(crate) expires_at: Timestamp,
    /// The idle timeout under which the session was written.
    pub(crate) idle: Duration,
    /// The key that has tagged the session's user.
    pub(crate) key: KeyNumber,
    /// The key that has sealed the record, if records are encrypted.
    pub(crate) sealed_by: KeyNumber,
    /// The number of writes and touches.
    pub(crate) writes: usize,
    pub(crate) end: Option<&'static str>,
}

/// A record that says of an id that its session has moved or ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    pub(crate) has_moved: bool,
    pub(crate) expires_at: Timestamp,
    /// The key under which it was written.
    pub(crate) key: KeyNumber,
}

impl World {
    pub(crate) fn new(now: Timestamp, is_encrypted: bool) -> Self {
        let (lives, marks, moves) = Default::default();
        Self { lives, marks, moves, now, lifetimes: LIFETIMES[0], keys: 0..1, first_key: 0, is_encrypted }
    }

    /// Returns the session that the store has under an id, unless it has expired.
    pub(crate) fn stored(&self, id: SessionId) -> Option<LifeNumber> {
        self.lives.iter().position(|life| life.id == id && self.is_stored(life))
    }

    /// Returns the session that the store has under an id, even if it has expired. A clock that is set back revives it.
    pub(crate) fn stored_ever(&self, id: SessionId) -> Option<LifeNumber> {
        self.lives.iter().position(|life| life.id == id && life.end.is_none())
    }

    /// Returns the session that a cookie with this id opens.
    pub(crate) fn opens(&self, id: SessionId) -> Option<LifeNumber> {
        self.stored(id).filter(|number| self.is_live(&self.lives[*number]))
    }

    /// Returns whether a session is live for the store.
    pub(crate) fn is_stored(&self, life: &Life) -> bool {
        life.end.is_none() && life.expires_at > self.now
    }

    /// Returns whether a session is live for a visitor: also by today's settings and clock, and under a key of the
    /// ring.
    pub(crate) fn is_live(&self, life: &Life) -> bool {
        let is_from_the_future = life.created_at.max(life.authenticated_at) > self.now.saturating_add(MAX_CLOCK_SKEW);
        self.is_stored(life) && self.ends_at(life) > self.now && !is_from_the_future && self.is_readable(life)
    }

    pub(crate) fn is_readable(&self, life: &Life) -> bool {
        (life.user.is_none() || self.keys.contains(&life.key))
            && (!self.is_encrypted || self.keys.contains(&life.sealed_by))
    }

    /// Follows a load, which seals an encrypted record under the first key. The tag of its user stays as it is.
    pub(crate) fn read(&mut self, id: SessionId, first_key: KeyNumber) {
        if !self.is_encrypted {
            return;
        }
        if let Some(mark) = self.marks.get_mut(&id).filter(|mark| self.keys.contains(&mark.key)) {
            mark.key = first_key;
        }
        let (keys, now) = (self.keys.clone(), self.now);
        let is_read = |life: &&mut Life| life.id == id && life.end.is_none() && life.expires_at > now;
        if let Some(life) = self.lives.iter_mut().find(is_read)
            && life.sealed_by != first_key
            && keys.contains(&life.sealed_by)
        {
            life.sealed_by = first_key;
            life.writes += 1;
        }
    }

    /// Puts a mark under an id, for a minute.
    pub(crate) fn mark(&mut self, id: SessionId, has_moved: bool, key: KeyNumber) {
        let expires_at = self.now.saturating_add(MARKED_FOR);
        self.marks.insert(id, Mark { has_moved, expires_at, key });
    }

    /// Returns whether the session of an id is known to have moved to another one.
    pub(crate) fn has_moved(&self, id: SessionId) -> bool {
        let is_readable = |mark: &Mark| !self.is_encrypted || self.keys.contains(&mark.key);
        self.marks.get(&id).is_some_and(|mark| mark.has_moved && mark.expires_at > self.now && is_readable(mark))
    }

    /// Returns whether one of these ids is `id`, or has led to it.
    pub(crate) fn leads_to(&self, from: &[SessionId], id: SessionId) -> bool {
        from.iter().any(|from| {
            let mut path = std::iter::successors(Some(*from), |id| self.moves.get(id).copied());
            path.any(|step| step == id)
        })
    }

    /// Returns the sessions of a user that the store can list, whatever the settings and the clock say of them.
    pub(crate) fn listed(&self, user: User) -> Vec<LifeNumber> {
        let mut listed = self.listed_ever(user);
        listed.retain(|number| self.is_stored(&self.lives[*number]));
        listed
    }

    /// The same, and those that have expired: a clock that is set back would let them live again.
    pub(crate) fn listed_ever(&self, user: User) -> Vec<LifeNumber> {
        let is_listed = |life: &Life| life.user == Some(user) && life.end.is_none() && self.keys.contains(&life.key);
        (0..self.lives.len()).filter(|number| is_listed(&self.lives[*number])).collect()
    }

    /// Returns when a session ends. A timeout that was shortened since the session was written acts at once.
    pub(crate) fn ends_at(&self, life: &Life) -> Timestamp {
        let shorter_by = life.idle.saturating_sub(self.lifetimes.idle);
        life.expires_at.saturating_sub(shorter_by).min(self.absolute_end(life.authenticated_at))
    }

    /// Returns when a session ends that is used now.
    pub(crate) fn renewed(&self, authenticated_at: Timestamp) -> Timestamp {
        self.now.saturating_add(self.lifetimes.idle).min(self.absolute_end(authenticated_at))
    }

    fn absolute_end(&self, authenticated_at: Timestamp) -> Timestamp {
        authenticated_at.saturating_add(self.lifetimes.absolute)
    }

    /// Begins a session.
    pub(crate) fn begin(&mut self, id: SessionId, key: KeyNumber, log: &[Change], user: Option<User>) -> LifeNumber {
        let mut values = Values::new();
        Change::apply_all(log, &mut values);
        self.lives.push(Life {
            id,
            handle: None,
            values,
            user,
            created_at: self.now,
            authenticated_at: self.now,
            expires_at: self.renewed(self.now),
            idle: self.lifetimes.idle,
            key,
            sealed_by: key,
            writes: 0,
            end: None,
        });
        self.lives.len() - 1
    }

    /// Writes a session, perhaps under a new id. If it gets another user, it becomes another session.
    pub(crate) fn write(
        &mut self,
        number: LifeNumber,
        id: SessionId,
        key: KeyNumber,
        log: &[Change],
        login: Option<User>,
    ) -> LifeNumber {
        let life = &mut self.lives[number];
        if login.is_some() && life.user.is_some() && life.user != login {
            life.end = Some("given to another user");
            return self.begin(id, key, log, login);
        }
        if login.is_some() {
            (life.user, life.authenticated_at) = (login, self.now);
        }
        Change::apply_all(log, &mut life.values);
        life.id = id;
        life.writes += 1;
        (life.idle, life.key, life.sealed_by) = (self.lifetimes.idle, key, key);
        let authenticated_at = life.authenticated_at;
        self.lives[number].expires_at = self.renewed(authenticated_at);
        number
    }

    /// Lets a session live longer, because it is used.
    pub(crate) fn touch(&mut self, number: LifeNumber) {
        let renewed = self.renewed(self.lives[number].authenticated_at);
        let life = &mut self.lives[number];
        life.expires_at = life.expires_at.max(renewed);
        life.writes += 1;
    }

    /// Removes what has expired, and returns how many records there were.
    pub(crate) fn sweep(&mut self) -> usize {
        let now = self.now;
        let expired = self.lives.iter_mut().filter(|life| life.end.is_none() && life.expires_at <= now);
        let lives = expired.map(|life| life.end = Some("swept")).count();
        lives + self.marks.extract_if(|_, mark| mark.expires_at <= now).count()
    }
}

/// The time for which an old id is known. See `docs/lifecycle.md`.
const MARKED_FOR: Duration = Duration::from_secs(60);

/// A session that begins further in the future than this is not accepted. See `docs/lifecycle.md`.
const MAX_CLOCK_SKEW: Duration = Duration::from_secs(5 * 60);
