use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use nexios_store_core::*;
use nexios_store_testkit::hook::{Call, CallKind, Hook, Outcome};

use super::Gates;

/// The trouble that a call runs into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The call fails before it does anything.
    Fails,
    /// The record is damaged.
    IsCorrupt,
    /// The record has a newer format.
    IsNewer,
    /// The call does its work and then fails.
    LosesTheAnswer,
    /// The call waits at the gate `store` before it does anything.
    WaitsBefore,
    /// The call does its work and then waits at the gate `store`.
    WaitsAfter,
    /// The call tells the gate `store` that it begins.
    TellsAndGoesOn,
}

/// Notes the calls of a store, knows all ids that were ever in it, and lets some calls run into trouble.
#[derive(Debug)]
pub(crate) struct Probe {
    gates: Arc<Gates>,
    /// Each call, and the kind of the record that it writes.
    calls: Mutex<Vec<(CallKind, Option<&'static str>)>>,
    trouble: Mutex<HashMap<CallKind, Trouble>>,
    ids: Mutex<HashSet<SessionId>>,
}

impl Probe {
    pub(crate) fn new(gates: Arc<Gates>) -> Self {
        Self { gates, calls: Mutex::default(), trouble: Mutex::default(), ids: Mutex::default() }
    }

    /// Lets each call of this kind run into this trouble from now on.
    pub(crate) fn make(&self, call: CallKind, trouble: Trouble) {
        self.trouble.lock().unwrap().insert(call, trouble);
    }

    pub(crate) fn heal(&self) {
        self.trouble.lock().unwrap().clear();
    }

    pub(crate) fn count(&self, call: CallKind) -> usize {
        self.calls.lock().unwrap().iter().filter(|(kind, _)| *kind == call).count()
    }

    /// All calls so far.
    pub(crate) fn calls(&self) -> usize {
        self.calls.lock().unwrap().len()
    }

    /// The number of calls so far that change a record.
    pub(crate) fn writes(&self) -> usize {
        self.written().len()
    }

    /// All calls so far that change a record, in their order, with the kind of the record: `create session`.
    pub(crate) fn written(&self) -> Vec<String> {
        let writes = [CallKind::Create, CallKind::Update, CallKind::Rename, CallKind::Touch, CallKind::Delete];
        let calls = self.calls.lock().unwrap();
        let written = calls.iter().filter(|(call, _)| writes.contains(call));
        written.map(|(call, kind)| kind.map_or(call.to_string(), |kind| format!("{call} {kind}"))).collect()
    }

    /// All ids so far that a record may have had.
    pub(crate) fn ids(&self) -> Vec<SessionId> {
        self.ids.lock().unwrap().iter().copied().collect()
    }

    fn trouble(&self, call: &Call<'_>) -> Option<Trouble> {
        self.trouble.lock().unwrap().get(&call.kind()).copied()
    }
}

#[async_trait]
impl Hook for Probe {
    async fn before(&self, call: &Call<'_>) -> Result<()> {
        self.calls.lock().unwrap().push((call.kind(), call.record().map(kind)));
        if let Call::Create { id, .. } | Call::Rename { new: id, .. } = call {
            self.ids.lock().unwrap().insert(**id);
        }
        match self.trouble(call) {
            Some(Trouble::Fails) => return Err(StoreError::backend("told to fail")),
            Some(Trouble::IsCorrupt) => return Err(StoreError::corrupt("told to be corrupt")),
            Some(Trouble::IsNewer) => return Err(StoreError::unsupported("told to be newer")),
            Some(Trouble::WaitsBefore) => self.gates.pass("store").await,
            Some(Trouble::TellsAndGoesOn) => self.gates.tell("store"),
            Some(Trouble::LosesTheAnswer | Trouble::WaitsAfter) | None => {}
        }
        Ok(())
    }

    async fn after(&self, call: &Call<'_>, _: Result<Outcome<'_>, &StoreError>) -> Result<()> {
        match self.trouble(call) {
            Some(Trouble::LosesTheAnswer) => return Err(StoreError::backend("told to lose the answer")),
            Some(Trouble::WaitsAfter) => self.gates.pass("store").await,
            _ => {}
        }
        Ok(())
    }

    fn ended(&self, call: &Call<'_>) {
        self.gates.tell(&format!("{:?} is over", call.kind()));
    }
}

/// Returns the kind of a record, which the second byte of its payload says. See `docs/changing-the-payload.md`.
pub(crate) fn kind(record: &Record) -> &'static str {
    match record.payload[1] {
        0 => "session",
        1 => "moved",
        2 => "ended",
        kind => unreachable!("a record of kind {kind}"),
    }
}
