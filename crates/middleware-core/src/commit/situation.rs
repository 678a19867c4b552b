use nexios_store_core::Timestamp;

use crate::commit::plan::Situation;
use crate::services::Services;
use crate::services::expiry::Renewal;
use crate::state::State;
use crate::state::known::Opener;
use crate::state::place::Place;

impl Situation {
    /// The situation that a request's session is in.
    pub(crate) fn of(state: &State, place: &Place, services: &Services, now: Timestamp) -> Self {
        let State { known, pending, view, .. } = state;
        let renewal = known
            .snapshot
            .as_ref()
            .map_or(Renewal::NotDue, |snapshot| services.expiry.renewal(&snapshot.envelope, snapshot.expires_at, now));
        Self {
            stored: known.snapshot.is_some(),
            changed: pending.is_changed(),
            has_content: !view.values.is_empty() || pending.login.is_some(),
            fate: pending.fate,
            touch_due: matches!(renewal, Renewal::Touch(_)),
            rewrite_due: renewal == Renewal::Rewrite || known.tagged_by.is_retired(),
            reissue_due: known.opener == Opener::RetiredCookie,
            persistent: state.persistent().unwrap_or(services.settings.persistent),
            persistence_changed: pending.changes.persistent.is_some(),
            cookie_received: known.cookie_received,
            in_cookie: place.is_cookie(),
        }
    }
}
