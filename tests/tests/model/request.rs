//! The model of a request: what its handler sees and decides, and what a commit makes of it.

use std::collections::BTreeMap;

use nexios_store_core::SessionId;

use crate::site::Cookie;
use crate::steps::{Act, KEYS, User};
use crate::world::{KeyNumber, LifeNumber, Values, World};

#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The visitor who gets the cookie of the answer.
    pub(crate) visitor: Option<usize>,
    /// The cookies that the request came with.
    pub(crate) cookies: Vec<Cookie>,
    /// The ids that the good ones among them vouch for, whether or not they open anything.
    pub(crate) vouched: Vec<SessionId>,
    /// The session that it has, as far as it knows.
    pub(crate) base: Option<Base>,
    /// The session as it was before somebody else ended it. A logout follows it.
    pub(crate) former: Option<Base>,
    /// A cookie of the request names a session that has moved to another id.
    pub(crate) has_moved: bool,
    /// The key that signs what the request writes and sends.
    pub(crate) key: KeyNumber,
    /// The cookie or the record is under another key.
    pub(crate) is_rewrite_due: bool,
    pub(crate) values: Values,
    pub(crate) log: Vec<Change>,
    pub(crate) login: Option<User>,
    pub(crate) cycles: bool,
    pub(crate) destroys: bool,
    pub(crate) has_ended: bool,
    /// A commit may or may not have been saved. Its changes must not be saved twice.
    pub(crate) is_stuck: bool,
    /// The head of the answer is sent, so that no cookie can follow.
    pub(crate) head_is_sent: bool,
    /// The answer does this to the cookie.
    pub(crate) cookie: CookieFate,
}

/// A session as it was loaded or saved.
#[derive(Clone, Debug)]
pub(crate) struct Base {
    pub(crate) life: LifeNumber,
    pub(crate) id: SessionId,
    pub(crate) user: Option<User>,
    pub(crate) values: Values,
    pub(crate) writes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CookieFate {
    Keep,
    Send,
    Remove,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Change {
    Insert(&'static str, usize),
    Add(&'static str, usize),
    Remove(&'static str),
    Clear,
}

/// The task of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Intent {
    Nothing,
    /// Refuse, because nobody knows what became of the last commit.
    Refuse,
    /// Refuse, because the commit needs a cookie and the head is sent.
    TooLate,
    Create,
    Update,
    Rename,
    Destroy,
    /// Drop the changes, because they came with an id that the session no longer has.
    Drop,
    /// Save no change, but renew an expiry or an old key if that is due.
    Upkeep,
}

impl Base {
    pub(crate) fn of(world: &World, number: LifeNumber) -> Self {
        let life = &world.lives[number];
        Self { life: number, id: life.id, user: life.user, values: life.values.clone(), writes: life.writes }
    }

    /// Returns whether the store still has the session under this id.
    pub(crate) fn is_stored(&self, world: &World) -> bool {
        world.stored(self.id) == Some(self.life)
    }

    /// Returns whether a request with this id would still find the session.
    pub(crate) fn is_open(&self, world: &World) -> bool {
        world.opens(self.id) == Some(self.life)
    }
}

impl Request {
    pub(crate) fn user(&self) -> Option<User> {
        self.login.or_else(|| self.kept()?.user)
    }

    /// The session that goes on, unless it is to end.
    fn kept(&self) -> Option<&Base> {
        self.base.as_ref().filter(|_| !self.destroys)
    }

    /// There is something to save in a session that begins.
    pub(crate) fn has_content(&self) -> bool {
        self.login.is_some() || !self.values.is_empty()
    }

    /// Lets the handler do something, and returns whether the session takes it.
    pub(crate) fn act(&mut self, act: Act) -> bool {
        let takes_changes = !self.has_ended;
        match act {
            Act::Insert(..) | Act::Add(..) | Act::Login(_) if !takes_changes => return false,
            Act::Insert(key, count) => self.change(Change::Insert(KEYS[key], count)),
            Act::Add(key, element) => self.change(Change::Add(KEYS[key], element)),
            // A value that the request does not see is not removed, even if another request puts it there meanwhile.
            Act::Remove(key) if self.values.contains_key(KEYS[key]) => self.change(Change::Remove(KEYS[key])),
            Act::Clear if !self.values.is_empty() => self.change(Change::Clear),
            Act::Remove(_) | Act::Clear => {}
            Act::Login(user) => {
                if self.user().is_some_and(|present| present != user) {
                    self.log.clear();
                    self.change(Change::Clear);
                }
                self.login = Some(user);
                self.cycles = !self.destroys;
            }
            Act::Cycle => self.cycles |= takes_changes && !self.destroys,
            Act::Destroy => {
                if self.has_ended {
                    self.base = self.former.take();
                }
                (self.destroys, self.has_ended) = (true, false);
                (self.cycles, self.login) = (false, None);
                self.log.clear();
                self.values.clear();
            }
            Act::Discard => self.roll_back(),
        }
        true
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.values);
        self.log.push(change);
    }

    pub(crate) fn roll_back(&mut self) {
        self.log.clear();
        (self.login, self.cycles, self.is_stuck) = (None, false, false);
        self.values = self.kept().map(|base| base.values.clone()).unwrap_or_default();
    }

    pub(crate) fn intent(&self) -> Intent {
        let is_stored = self.base.is_some();
        if self.destroys {
            let has_work = is_stored || !self.vouched.is_empty() || self.has_content();
            return if has_work { Intent::Destroy } else { Intent::Nothing };
        }
        if self.is_stuck {
            return Intent::Refuse;
        }
        let intent = match is_stored {
            true if self.cycles => Intent::Rename,
            true if !self.log.is_empty() => Intent::Update,
            true => Intent::Upkeep,
            false if self.has_moved && self.has_content() && self.login.is_none() => Intent::Drop,
            false if self.has_content() => Intent::Create,
            false => Intent::Nothing,
        };
        let takes_cookie = matches!(intent, Intent::Create | Intent::Rename);
        if takes_cookie && self.head_is_sent { Intent::TooLate } else { intent }
    }

    /// The session is no more, and this request has ended it. What was changed since then is for a fresh one.
    pub(crate) fn begin_afresh(&mut self) {
        (self.base, self.former, self.has_moved) = (None, None, false);
        (self.destroys, self.cycles, self.is_stuck, self.is_rewrite_due) = (false, false, false, false);
        if !self.cookies.is_empty() {
            self.cookie = CookieFate::Remove;
        }
        if self.values.is_empty() {
            self.log.clear();
        }
    }

    /// The session is no more, and somebody else has ended it.
    pub(crate) fn end(&mut self) {
        (self.former, self.has_moved) = (self.base.take(), false);
        (self.cycles, self.destroys, self.is_stuck, self.is_rewrite_due) = (false, false, false, false);
        self.login = None;
        self.log.clear();
        self.values.clear();
        self.has_ended = true;
    }

    /// Goes on from a session that was saved.
    pub(crate) fn settle(&mut self, base: Base) {
        self.values = base.values.clone();
        self.base = Some(base);
        self.has_moved = false;
        self.forget();
        (self.is_rewrite_due, self.is_stuck) = (false, false);
        self.cookie = CookieFate::Send;
    }

    /// Drops the decisions, because they are carried out or must not be repeated.
    pub(crate) fn forget(&mut self) {
        self.log.clear();
        (self.login, self.cycles) = (None, false);
    }
}

impl Change {
    pub(crate) fn apply_all(changes: &[Self], values: &mut Values) {
        changes.iter().for_each(|change| change.apply(values));
    }

    fn apply(self, values: &mut Values) {
        match self {
            Self::Insert(key, count) => drop(values.insert(key, vec![count; count])),
            Self::Add(key, element) => values.entry(key).or_default().push(element),
            Self::Remove(key) => drop(values.remove(key)),
            Self::Clear => values.clear(),
        }
    }

    /// Returns whether making these changes twice gives the same as making them once: each addition is to a known
    /// value.
    pub(crate) fn are_repeatable(changes: &[Self]) -> bool {
        let mut is_known = BTreeMap::new();
        for change in changes {
            match change {
                Self::Insert(key, _) | Self::Remove(key) => drop(is_known.insert(*key, true)),
                Self::Add(key, _) => drop(is_known.entry(*key).or_insert(false)),
                Self::Clear => is_known.clear(),
            }
        }
        is_known.into_values().all(|is_known| is_known)
    }
}
