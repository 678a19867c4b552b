//! Removing a record so that it stays removed.

use rustix::io::Errno;

use super::{Records, Result};
use crate::name::{RecordName, TempName};

impl Records {
    /// Removes a record so that a power cut does not bring it back. If that fails, the record is as it was.
    pub(super) fn retire(&self, name: &RecordName) -> Result<()> {
        let temp = TempName::beside(name)?;
        match self.directory.rename(name.path(), temp.path()) {
            Ok(()) => {}
            Err(error) if error.is_one_of(&[Errno::NOSPC, Errno::DQUOT]) => return self.retire_in_place(name),
            Err(error) => return Err(error.into()),
        }
        if let Err(error) = self.directory.sync_directory(name.fan_out()) {
            if self.directory.rename(temp.path(), name.path()).is_err() {
                tracing::error!("a session record whose removal failed could not be put back");
            }
            return Err(error.into());
        }
        // From here on the record is gone. The sweep removes what a failure leaves.
        self.discard(temp.path());
        Ok(())
    }

    /// Removes a record when the disk has no room for a second name, so that a logout works on a full disk.
    fn retire_in_place(&self, name: &RecordName) -> Result<()> {
        self.directory.remove(name.path())?;
        if let Err(error) = self.directory.sync_directory(name.fan_out()) {
            // The record is gone and cannot be put back, so an error would not be true.
            tracing::warn!(error = &error as &dyn std::error::Error, "a power cut may bring back a removed session");
        }
        Ok(())
    }

    /// Removes a file that nobody knows of. If that fails, the sweep removes it.
    pub(super) fn discard(&self, path: &[u8]) {
        if let Err(error) = self.directory.remove(path) {
            tracing::debug!(error = &error as &dyn std::error::Error, "a useless session file is left for the sweep");
        }
    }
}
