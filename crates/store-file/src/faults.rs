//! Makes system calls fail, to see what an operation leaves behind, and lets others act between two calls.
//!
//! Every call on a record asks here first. [`sys`](crate::sys) makes all of these calls. Each thread has a plan of its
//! own, so tests do not disturb each other.

mod armed;
#[cfg(target_os = "linux")]
mod descriptors;
mod disk;
mod failures;
mod hooks;
mod matrix;
mod owner;
mod planted;
mod power;
mod races;
mod scenario;
mod sequences;
mod unsynced;
mod world;

use std::cell::{Cell, RefCell};
use std::io;

use rustix::io::Errno;

pub(crate) use self::armed::Armed;

#[derive(Clone, Copy, Debug)]
enum Plan {
    None,
    /// Only the call of this number fails, counted from 0.
    Call(usize, Errno),
    /// The call of this number and all later ones fail. What is on the disk then is what a killed process leaves.
    From(usize),
    /// Each call for this purpose fails.
    Purpose(&'static str, Errno),
    /// Each write writes at most this number of bytes.
    ShortWrites(usize),
    /// The first write writes this number of bytes, and then everything fails.
    TornWrite(usize),
}

/// The number of a call, and what somebody else does before it.
type Intrusion = (usize, Box<dyn FnOnce()>);

thread_local! {
    static PLAN: Cell<Plan> = const { Cell::new(Plan::None) };
    static CALLS: Cell<usize> = const { Cell::new(0) };
    static HITS: Cell<usize> = const { Cell::new(0) };
    static TRACE: RefCell<Option<Vec<&'static str>>> = const { RefCell::new(None) };
    static NEXT_TEMP: Cell<Option<[u8; 16]>> = const { Cell::new(None) };
    static MEANWHILE: RefCell<Option<Intrusion>> = const { RefCell::new(None) };
}

/// Runs `work`, and runs `other` before the system call of this number. Also returns whether there was such a call.
fn meanwhile<T>(call: usize, other: impl FnOnce() + 'static, work: impl FnOnce() -> T) -> (T, bool) {
    MEANWHILE.set(Some((call, Box::new(other))));
    CALLS.set(0);
    let result = work();
    (result, MEANWHILE.take().is_none())
}

/// Runs `work` and gives its first temporary file a known name. Also returns whether there was a temporary file.
fn with_next_temp<T>(random: [u8; 16], work: impl FnOnce() -> T) -> (T, bool) {
    NEXT_TEMP.set(Some(random));
    let result = work();
    (result, NEXT_TEMP.take().is_none())
}

/// Runs `work`, and returns the purpose of each of its system calls.
fn traced<T>(work: impl FnOnce() -> T) -> (T, Vec<&'static str>) {
    TRACE.set(Some(Vec::new()));
    let result = work();
    (result, TRACE.take().unwrap_or_default())
}

/// Runs `work` under a plan, and returns how often the plan struck.
fn during<T>(plan: Plan, work: impl FnOnce() -> T) -> (T, usize) {
    PLAN.set(plan);
    CALLS.set(0);
    HITS.set(0);
    let result = work();
    PLAN.set(Plan::None);
    (result, HITS.get())
}

/// Returns an error if the plan lets this system call fail.
fn check(purpose: &'static str) -> io::Result<()> {
    TRACE.with_borrow_mut(|trace| trace.as_mut().map(|trace| trace.push(purpose)));
    let call = CALLS.replace(CALLS.get() + 1);
    if let Some((_, other)) = MEANWHILE.with_borrow_mut(|planned| planned.take_if(|(at, _)| call == *at)) {
        other();
    }
    let errno = match PLAN.get() {
        Plan::Call(nth, errno) if call == nth => errno,
        Plan::From(first) if call >= first => Errno::IO,
        Plan::Purpose(name, errno) if purpose == name => errno,
        _ => return Ok(()),
    };
    HITS.set(HITS.get() + 1);
    Err(errno.into())
}

/// Returns the part of a write that the plan lets through.
fn portion(bytes: &[u8]) -> &[u8] {
    let (len, then) = match PLAN.get() {
        Plan::ShortWrites(len) => (len, PLAN.get()),
        Plan::TornWrite(len) => (len, Plan::From(CALLS.get() + 1)),
        _ => return bytes,
    };
    PLAN.set(then);
    HITS.set(HITS.get() + usize::from(len < bytes.len()));
    &bytes[..len.min(bytes.len())]
}
