//! The steps of a case, drawn at random. Each number is taken modulo the number of choices, so that every case means
//! something and shrinks well.

use std::fmt;
use std::time::Duration;

use nexios_store_testkit::hook::CallKind;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::probe::Fault;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// A whole request.
    Visit(Header, Act),
    /// Two requests of one visitor. Both begin before the first is answered.
    TwoTabs(usize, Act, Act),
    /// A slow request of a visitor ends on a clock that was set back after a faster request had ended.
    EndEarlier(usize),
    Open(Header),
    Act(Pick, Act),
    Save(Pick),
    Answer(Pick, Status),
    /// The handler answers and goes on in a streaming body, after the head.
    Stream(Pick),
    /// The client goes away before the handler has answered.
    Leave(Pick),
    /// A commit is given up at the pause with this number: by a time limit in the handler, or by a client that goes
    /// away.
    CutShort(Pick, Commit, u8),
    /// Two things happen at once. Each bit of the order says which goes on to the next pause.
    Race(Rival, Rival, u32),
    Revoke(User, Which),
    /// A visitor comes back after a change of keys, while the sessions of their user are revoked.
    ReturnInRevocation(usize, u32),
    /// The same, for a request that an old service has begun and finishes while the new service runs.
    LateInRevocation(usize, u32),
    List(User),
    Sweep,
    Restart(Restart),
    Clock(Clock),
    Break(CallKind, Fault, u8),
}

/// The choice of an open request, a cookie or a session.
pub(crate) type Pick = u8;

/// The choice of a user, of [`USERS`].
pub(crate) type User = usize;

pub(crate) const USERS: [&str; 2] = ["ada", "bob"];
pub(crate) const KEYS: [&str; 3] = ["cart", "hits", "note"];
pub(crate) const VISITORS: usize = 2;

/// The cookies that a request comes with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Header {
    /// The visitor's own cookie, if there is one.
    Own(usize),
    /// A copy of a cookie that was once sent to somebody.
    Stolen(Pick),
    /// Such a copy, followed by the visitor's own cookie.
    Both(Pick, usize),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    /// An `insert` of a list of this length.
    Insert(usize, usize),
    /// An `update` that adds an element.
    Add(usize, usize),
    Remove(usize),
    Clear,
    Login(User),
    Cycle,
    Destroy,
    Discard,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Fine,
    ServerError,
}

impl Status {
    pub(crate) fn code(self) -> u16 {
        match self {
            Self::Fine => 200,
            Self::ServerError => 500,
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Commit {
    Save,
    Answer(Status),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Rival {
    Open(Header),
    Commit(Pick, Commit),
    Revoke(User, Which),
    /// Revokes sessions of the user of the other request, if it has one.
    RevokeTheirs(Which),
    Sweep,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Which {
    All,
    Only(Pick),
    Others(Pick),
}

/// A restart of the service.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Restart {
    WithNewKey,
    WithoutOldestKey,
    /// Another key of the ring signs from now on, as when all processes already know the key. Open requests go on.
    WithOtherFirstKey,
    WithOtherLifetimes,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Clock {
    Forward(Duration),
    Back(Duration),
}

/// A sequence of steps. `Debug` shows one step a line.
#[derive(Clone)]
pub(crate) struct Case(pub(crate) Vec<Step>);

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(number, step)| write!(f, "\n{number:4}  {step:?}"))
    }
}

pub(crate) fn case() -> impl Strategy<Value = Case> {
    vec(step(), 1..56).prop_map(Case)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (header(), act()).prop_map(|(header, act)| Step::Visit(header, act)),
        5 => (0..VISITORS, act_or(Act::Cycle), act_or(Act::Destroy)).prop_map(|(visitor, one, other)| Step::TwoTabs(visitor, one, other)),
        1 => (0..VISITORS).prop_map(Step::EndEarlier),
        10 => header().prop_map(Step::Open),
        16 => (pick(), act()).prop_map(|(request, act)| Step::Act(request, act)),
        4 => pick().prop_map(Step::Save),
        8 => (pick(), status()).prop_map(|(request, status)| Step::Answer(request, status)),
        2 => pick().prop_map(Step::Stream),
        1 => pick().prop_map(Step::Leave),
        2 => (pick(), commit(), 0..6_u8).prop_map(|(request, commit, after)| Step::CutShort(request, commit, after)),
        8 => (commit_of_one(), rival(), any::<u32>()).prop_map(|(one, other, order)| Step::Race(one, other, order)),
        2 => (user(), which()).prop_map(|(user, which)| Step::Revoke(user, which)),
        2 => (0..VISITORS, any::<u32>()).prop_map(|(visitor, order)| Step::ReturnInRevocation(visitor, order)),
        2 => (0..VISITORS, any::<u32>()).prop_map(|(visitor, order)| Step::LateInRevocation(visitor, order)),
        1 => user().prop_map(Step::List),
        1 => Just(Step::Sweep),
        2 => restart().prop_map(Step::Restart),
        5 => clock().prop_map(Step::Clock),
        3 => (call(), fault(), 1..3_u8).prop_map(|(call, fault, times)| Step::Break(call, fault, times)),
    ]
}

fn pick() -> impl Strategy<Value = Pick> {
    any::<u8>()
}

fn user() -> impl Strategy<Value = User> {
    0..USERS.len()
}

fn header() -> impl Strategy<Value = Header> {
    prop_oneof![
        12 => (0..VISITORS).prop_map(Header::Own),
        3 => pick().prop_map(Header::Stolen),
        1 => (pick(), 0..VISITORS).prop_map(|(stolen, visitor)| Header::Both(stolen, visitor)),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        5 => (0..KEYS.len(), 0..50_usize).prop_map(|(key, count)| Act::Insert(key, count)),
        1 => (0..KEYS.len(), 50..600_usize).prop_map(|(key, count)| Act::Insert(key, count)),
        6 => (0..KEYS.len(), any::<u8>()).prop_map(|(key, element)| Act::Add(key, element.into())),
        2 => (0..KEYS.len()).prop_map(Act::Remove),
        1 => Just(Act::Clear),
        6 => user().prop_map(Act::Login),
        4 => Just(Act::Cycle),
        3 => Just(Act::Destroy),
        1 => Just(Act::Discard),
    ]
}

fn act_or(often: Act) -> impl Strategy<Value = Act> {
    prop_oneof![3 => act(), 1 => Just(often)]
}

fn status() -> impl Strategy<Value = Status> {
    prop_oneof![7 => Just(Status::Fine), 1 => Just(Status::ServerError)]
}

fn commit() -> impl Strategy<Value = Commit> {
    prop_oneof![Just(Commit::Save), status().prop_map(Commit::Answer)]
}

fn commit_of_one() -> impl Strategy<Value = Rival> {
    (pick(), commit()).prop_map(|(request, commit)| Rival::Commit(request, commit))
}

fn rival() -> impl Strategy<Value = Rival> {
    prop_oneof![
        6 => commit_of_one(),
        2 => header().prop_map(Rival::Open),
        1 => (user(), which()).prop_map(|(user, which)| Rival::Revoke(user, which)),
        4 => which().prop_map(Rival::RevokeTheirs),
        1 => Just(Rival::Sweep),
    ]
}

fn which() -> impl Strategy<Value = Which> {
    prop_oneof![2 => Just(Which::All), 1 => pick().prop_map(Which::Only), 1 => pick().prop_map(Which::Others)]
}

fn restart() -> impl Strategy<Value = Restart> {
    prop_oneof![
        3 => Just(Restart::WithNewKey),
        1 => Just(Restart::WithoutOldestKey),
        3 => Just(Restart::WithOtherFirstKey),
        1 => Just(Restart::WithOtherLifetimes),
    ]
}

fn clock() -> impl Strategy<Value = Clock> {
    let minutes = |minutes| Duration::from_secs(60 * minutes);
    prop_oneof![
        4 => (1..300_u64).prop_map(|seconds| Clock::Forward(Duration::from_secs(seconds))),
        4 => (5..50_u64).prop_map(move |count| Clock::Forward(minutes(count))),
        1 => (50..300_u64).prop_map(move |count| Clock::Forward(minutes(count))),
        1 => Just(Clock::Forward(minutes(3 * 24 * 60))),
        1 => (1..300_u64).prop_map(|seconds| Clock::Back(Duration::from_secs(seconds))),
        1 => (5..300_u64).prop_map(move |count| Clock::Back(minutes(count))),
    ]
}

fn call() -> impl Strategy<Value = CallKind> {
    prop_oneof![
        Just(CallKind::Load),
        Just(CallKind::Create),
        Just(CallKind::Update),
        Just(CallKind::Rename),
        Just(CallKind::Touch),
        Just(CallKind::Delete),
        Just(CallKind::SessionsOf),
        Just(CallKind::DeleteExpired),
    ]
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![Just(Fault::Fails), Just(Fault::LosesTheAnswer)]
}
