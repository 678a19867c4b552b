//! Begins a part: what to do on the site, and how to follow it in the model.

use std::collections::HashSet;
use std::sync::Arc;

use nexios_middleware_core::{RequestEnd, SessionError, UserSession};

use crate::actors::Acting;
use crate::outcome;
use crate::part::{Commit, Doing, Opening, Part, Revocation, Whom};
use crate::play::{Play, index};
use crate::site::{Cookie, Open};
use crate::steps::{self, Header, Pick, USERS, User, Which};

/// The result of a part on the site.
pub(crate) enum Done {
    Opened(Result<Open, SessionError>),
    Saved(Result<(), SessionError>),
    Answered(RequestEnd),
    Revoked(Result<usize, SessionError>),
    Listed(Result<Vec<UserSession>, SessionError>),
    Swept(Result<usize, SessionError>),
}

/// A part that has begun, in the model and on the site.
pub(crate) type Begun = (Part, Acting<Done>);

impl Play {
    pub(crate) fn opening(&mut self, header: Header) -> Option<Begun> {
        if self.open.len() >= MAX_OPEN {
            return None;
        }
        let issued = &self.site.issued;
        let copy = |pick| index(pick, issued.len()).map(|index| issued[index].clone());
        let (visitor, cookies) = match header {
            Header::Own(visitor) => (Some(visitor), self.site.jars[visitor].iter().cloned().collect()),
            Header::Stolen(pick) => (None, copy(pick).into_iter().collect()),
            Header::Both(pick, visitor) => {
                (Some(visitor), copy(pick).into_iter().chain(self.site.jars[visitor].clone()).collect())
            }
        };
        Some(self.opening_with(visitor, cookies))
    }

    pub(crate) fn opening_with(&mut self, visitor: Option<usize>, cookies: Vec<Cookie>) -> Begun {
        let request = Arc::new(self.site.manager.request(cookies.iter().map(|cookie| &cookie.pair)));
        let opening = Opening { visitor, cookies, tried: HashSet::new(), has_moved: false, found: None };
        self.part(Doing::Open(opening), async move {
            let session = request.session().await;
            Done::Opened(session.map(|session| Open { request, session }))
        })
    }

    pub(crate) fn commit(&mut self, pick: Pick, commit: steps::Commit) -> Option<Begun> {
        index(pick, self.open.len()).map(|index| self.commit_of(index, commit))
    }

    pub(crate) fn commit_of(&mut self, index: usize, commit: steps::Commit) -> Begun {
        let (mut request, open) = self.open.remove(index);
        let status = match commit {
            steps::Commit::Answer(status) if !request.head_is_sent => Some(status),
            _ => None,
        };
        if let Some(status) = status {
            outcome::roll_back(&mut request, status, &mut self.coverage);
        }
        let intent = request.intent();
        let doing = Commit {
            request,
            open: open.clone(),
            intent,
            status,
            goes_on: false,
            finds_gone: false,
            begins_afresh: false,
        };
        self.part(Doing::Commit(doing), async move {
            match status {
                None => Done::Saved(open.session.save().await),
                Some(status) => Done::Answered(open.request.end(status.code()).await),
            }
        })
    }

    pub(crate) fn revocation(&mut self, user: User, which: Which) -> Option<Begun> {
        let known: Vec<_> = self.world.lives.iter().filter_map(|life| life.handle).collect();
        let whom = match which {
            Which::All => Whom::All,
            Which::Only(pick) => Whom::Only(known[index(pick, known.len())?]),
            Which::Others(pick) => Whom::Others(known[index(pick, known.len())?]),
        };
        let mut targets = self.world.listed_ever(user);
        targets.retain(|number| whom.is_meant(&self.world.lives[*number]) == Some(true));
        for (request, _) in &self.open {
            let has_it = request.base.as_ref().is_some_and(|base| targets.contains(&base.life));
            self.coverage.saw_if(has_it, "a session revoked while a request had it");
        }
        let manager = self.site.manager.clone();
        Some(self.part(Doing::Revoke(Revocation { user, whom, targets, deleted: 0 }), async move {
            Done::Revoked(match whom {
                Whom::All => manager.revoke_all(USERS[user]).await,
                Whom::Only(handle) => manager.revoke(USERS[user], handle).await.map(usize::from),
                Whom::Others(handle) => manager.revoke_others(USERS[user], handle).await,
            })
        }))
    }

    pub(crate) fn listing(&mut self, user: User) -> Begun {
        let manager = self.site.manager.clone();
        self.part(Doing::List(user), async move { Done::Listed(manager.sessions_of(USERS[user]).await) })
    }

    pub(crate) fn sweep(&mut self) -> Begun {
        let manager = self.site.manager.clone();
        self.part(Doing::Sweep { removed: 0 }, async move { Done::Swept(manager.sweep().await) })
    }

    fn part(&mut self, doing: Doing, future: impl Future<Output = Done> + 'static) -> Begun {
        self.actors += 1;
        let acting = Acting { actor: self.actors, future: Box::pin(future) };
        (Part::new(self.actors, doing), acting)
    }
}

const MAX_OPEN: usize = 4;
