//! One test for each clause of the session store contract, for anybody's store.
//!
//! The contract is the prose at [`SessionStore`](nexios_store_core::SessionStore), in clauses (a) to (m). A store that
//! keeps the contract works with every adapter and every decorator. A store that breaks it loses changes or undoes
//! logouts, in ways that a test with a single caller never shows. Make this crate a dev-dependency of yours, and put
//! one line into `tests/conformance.rs`:
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
//! [`conformance!`] takes a function that makes a fresh, empty store. The function may return a [`Subject`] instead,
//! which tells the kit more:
//!
//! | If the store | use | and the kit |
//! | --- | --- | --- |
//! | lives on something that must outlive it | [`Subject::keep`] | keeps it: a temporary directory, a server |
//! | expires records by a clock of its own | [`Subject::backend_clock`] | sleeps; otherwise time is an argument, and it never does |
//! | can be made to fail | [`Subject::faults`] | checks (l) and (m) at each step of the store |
//! | can have a damaged record | [`Subject::damage`] | checks what (a) and (j) promise about bad records |
//! | serves several processes at once | [`conformance_across_processes!`] | starts the test program again, as other processes |
//!
//! A clause may not apply to a store: sweeping, for example, where
//! [`expiry()`](nexios_store_core::SessionStore::expiry) is `None`. Its test passes then, and a line on standard error
//! says that it was not run.
//!
//! # What a pass means
//!
//! Each test here fails for at least one store in [`broken`], and another test makes sure of that. The kit is still a
//! test kit and no proof:
//!
//! * **Races** begin at a barrier, on four threads. They run for many rounds and end with an exact sum. The kit always
//!   finds a gap between a check and a write that has an await or a system call in it. It may need several runs to find
//!   a gap of a few nanoseconds.
//! * **(h)** drops each future at each of its first 32 awaits. The kit sees only the results of what a store does in
//!   tasks and threads of its own.
//! * **(l) and (m)** are about errors and crashes. Without [fault injection](FaultInjection), the kit can only look at
//!   what a store refuses, and look for the session from outside at every moment of a rename. With fault injection, the
//!   author of the store says what a step is, and the kit believes it.
//! * **Power cuts, full disks, bounded work and speed** are not tested. Neither are payloads above 300 000 bytes and
//!   expiries after the year 9999.
//! * **Errors** must not contain ids or payloads. The kit checks this where it can provoke an error.
//! * **A store that waits for ever** fails after ten minutes, unless it has stopped every thread of the runtime.
//!
//! You can also call a clause by hand, like any function: see [`clauses`].
//!
//! # Testing what uses a store
//!
//! The kit also helps you to test an application or a decorator. [`hook::Hooked`] wraps a store that works, and fails,
//! waits or counts where your test needs it.
//!
//! # Scope
//!
//! The kit tests what every store promises. What only one store promises belongs in that store's own tests: a bound on
//! its size, locks that time out, files that nobody else can read.

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

/// Functions that the macros call. They are no part of the API.
#[doc(hidden)]
pub mod __private {
    pub use crate::processes::{lead, take_part};
    pub use crate::run::check;
}
