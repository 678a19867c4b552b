//! One test for each clause of the session store contract, for anybody's store.
//!
//! The contract is the prose at [`SessionStore`](nexios_store_core::SessionStore), in clauses (a) to (m). A store that
//! keeps it works with everything else; one that does not loses changes or undoes logouts, in ways that no test with one
//! caller ever shows. Make this crate a dev-dependency of yours, and put one line into `tests/conformance.rs`:
//!
//! ```
//! # use nexios_store_testkit::broken::Model as MyStore;
//! nexios_store_testkit::conformance!(MyStore::default);
//! # fn main() {}
//! ```
//!
//! ```console
//! $ cargo test --test conformance
//! test conformance::a_an_update_replaces_the_whole_record ... ok
//! test conformance::a_reads_during_writes_are_whole_and_not_old ... ok
//! ...
//! test conformance::c_exactly_one_create ... FAILED
//!
//! clause (c): expected exactly one of 16 concurrent creates to be answered Created, got 2
//! ```
//!
//! `docs/writing-a-store.md` in the repository goes from an empty crate to a store that passes.
//!
//! # What a store has to bring
//!
//! [`conformance!`] takes a function that makes a fresh, empty store. It may return a [`Subject`], which says more:
//!
//! | the store | says | |
//! | --- | --- | --- |
//! | lives on something that must outlive it | [`Subject::keep`] | a temporary directory, a server |
//! | expires records by a clock of its own | [`Subject::backend_clock`] | the kit sleeps; else time is an argument and nobody does |
//! | can be made to fail | [`Subject::faults`] | (l) and (m) are checked at each of its steps |
//! | can have a damaged record | [`Subject::damage`] | what (a) and (j) promise about bad records is checked |
//! | serves several processes at once | [`conformance_across_processes!`] | the test program is started again, as other processes |
//!
//! What does not apply to a store, as sweeping where [`expiry()`](nexios_store_core::SessionStore::expiry) is `None`,
//! passes with a line on standard error that says so. A test that was not run is never silent.
//!
//! # What a pass means
//!
//! Each test here fails for some store in [`broken`], and that is a test, too. Still it is a test kit and no proof:
//!
//! * **Races** begin at a barrier, on four threads, many rounds long, and end with an exact sum. A gap between a check and
//!   a write that has an await or a system call in it is found each time; one of a few nanoseconds may take some runs.
//! * **(h)** drops each future at each of its first 32 awaits. What a store does in tasks and threads of its own is seen
//!   only by its results.
//! * **(l) and (m)** are about errors and crashes. Without [fault injection](FaultInjection) the kit can only look at what
//!   a store refuses, and look for the session, from outside, at every moment of a rename. With it the store's author
//!   says what a step is, and the kit believes it.
//! * **Power cuts, disks that fill up, bounded work and speed** are not looked at. Neither are payloads above 300 000
//!   bytes and expiries after the year 9999.
//! * **Errors** must not contain ids or payloads: looked at where the kit can provoke one.
//! * **A store that waits for ever** fails after ten minutes, unless it has stopped every thread of the runtime.
//!
//! A clause can also be checked by hand, as any function: see [`clauses`].
//!
//! # Testing what uses a store
//!
//! The kit also helps to test an application or a decorator: [`hook::Hooked`] wraps a store that works, and fails, waits
//! or counts where a test needs it.
//!
//! # Scope
//!
//! The kit tests what every store promises. A bound on its size, locks that time out, files that nobody else can read:
//! what only one store promises is for that store's own tests.

mod caller;
mod clock;
mod faults;
mod macros;
mod processes;
mod race;
mod run;
mod subject;
mod verdict;

pub mod broken;
pub mod clauses;
pub mod hook;

pub use crate::faults::{Fault, FaultInjection};
pub use crate::subject::{MakeSubject, Subject};
pub use crate::verdict::Verdict;

/// What the macros write into the tests. No part of the API.
#[doc(hidden)]
pub mod __private {
    pub use crate::processes::{lead, take_part};
    pub use crate::run::check;
}
