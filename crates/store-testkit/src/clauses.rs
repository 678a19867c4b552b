//! The clauses of the contract, as functions. [`conformance!`](crate::conformance) makes a test of each.
//!
//! The first letter of a name is the letter of the clause in the documentation of
//! [`SessionStore`](nexios_store_core::SessionStore). Each function needs a fresh, empty store. It panics if the store
//! breaks the clause; otherwise it says whether the clause applied at all.
//!
//! ```
//! # use nexios_store_testkit::broken::Model;
//! use nexios_store_testkit::{Subject, Verdict, clauses};
//!
//! # #[tokio::main]
//! # async fn main() {
//! let subject = Subject::new(Model::default());
//! assert_eq!(clauses::c_exactly_one_create(&subject).await, Verdict::Holds);
//! # }
//! ```

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;

use crate::{Subject, Verdict};

mod cancellation;
mod content;
mod crash;
mod create;
mod error;
mod expiry;
mod index;
mod life;
mod rename;
mod revision;
mod swap;
mod sweep;
mod touch;

pub(crate) use self::swap::{counter, increment};
pub(crate) use self::sweep::swept;

pub use self::cancellation::*;
pub use self::content::*;
pub use self::crash::*;
pub use self::create::*;
pub use self::error::*;
pub use self::expiry::*;
pub use self::index::*;
pub use self::life::*;
pub use self::rename::*;
pub use self::revision::*;
pub use self::swap::*;
pub use self::sweep::*;
pub use self::touch::*;

/// A function of this module, as a value.
#[derive(Clone, Copy)]
pub struct Clause {
    name: &'static str,
    check: for<'a> fn(&'a Subject) -> Pin<Box<dyn Future<Output = Verdict> + Send + 'a>>,
}

impl Clause {
    /// Returns all clauses.
    pub fn all() -> &'static [Self] {
        ALL
    }

    /// Returns the name of the function.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Calls the function.
    ///
    /// # Panics
    ///
    /// Panics if the subject breaks the clause.
    pub async fn check(&self, subject: &Subject) -> Verdict {
        (self.check)(subject).await
    }
}

impl fmt::Debug for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clause").field(&self.name).finish()
    }
}

macro_rules! all {
    ([] $($clause:ident)*) => {
        const ALL: &[Clause] =
            &[$(Clause { name: stringify!($clause), check: |subject| Box::pin($clause(subject)) }),*];
    };
}
crate::__each_clause!(all,);

/// Bytes of which no two neighbouring kilobytes are the same.
fn patterned(len: usize) -> Bytes {
    (0..=250).cycle().take(len).collect::<Vec<u8>>().into()
}

/// The number of callers in a race.
const CALLERS: usize = 16;
/// The number of sessions in one race. Callers that run side by side stay so for a while, which this makes use of.
const BATCH: usize = 16;
/// The least number of times that a race is run.
const ROUNDS: usize = 20;

const NO_EXPIRY: Verdict = Verdict::NotApplicable("the store does not sweep: its expiry() is None");
const NO_INDEX: Verdict = Verdict::NotApplicable("the store has no principal index: its principals() is None");
const NO_FAULTS: Verdict = Verdict::NotApplicable("the subject has no fault injection: see Subject::faults");
const NO_DAMAGE: Verdict =
    Verdict::NotApplicable("the subject does not say how to damage a record: see Subject::damage");
