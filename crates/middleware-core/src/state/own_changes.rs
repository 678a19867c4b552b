use std::time::Duration;

use bytestring::ByteString;
use nexios_store_core::Timestamp;

use crate::format::payload::Overrides;

/// Changes of the session's own settings. `None` stands for what was not changed.
#[derive(Clone, Default)]
pub(crate) struct OwnChanges {
    pub(crate) idle_timeout: Option<Option<Duration>>,
    pub(crate) persistent: Option<Option<bool>>,
    pub(crate) deadline: Option<Option<Timestamp>>,
    pub(crate) device: Option<Option<ByteString>>,
}

impl OwnChanges {
    /// Returns the settings that come out of these changes to the stored ones.
    pub(super) fn over(&self, stored: &Overrides) -> Overrides {
        Overrides {
            idle_timeout: self.idle_timeout.unwrap_or(stored.idle_timeout),
            persistent: self.persistent.unwrap_or(stored.persistent),
            deadline: self.deadline.unwrap_or(stored.deadline),
            device: self.device.as_ref().unwrap_or(&stored.device).clone(),
        }
    }

    /// Adds changes that were made after these.
    pub(super) fn append(&mut self, later: Self) {
        self.idle_timeout = later.idle_timeout.or(self.idle_timeout);
        self.persistent = later.persistent.or(self.persistent);
        self.deadline = later.deadline.or(self.deadline);
        self.device = later.device.or_else(|| self.device.take());
    }
}
