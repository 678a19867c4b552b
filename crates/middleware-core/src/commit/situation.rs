use nexios_store_core::Timestamp;

use crate::commit::plan::Situation;
use crate::services::expiry::Renewal;
use crate::state::State;
use crate::state::decisions::Fate;
use crate::state::exchange::Exchange;
use crate::state::known::Opener;

impl Situation {
    /// Returns the situation that a request's session is in.
    pub(crate) fn of(state: &State, exchange: &Exchange, now: Timestamp) -> Self {
        let services = &*exchange.services;
        let State { known, pending, view, .. } = state;
        let snapshot = state.stored_snapshot();
        let renewal = snapshot
            .map_or(Renewal::NotDue, |snapshot| services.expiry.renewal(&snapshot.envelope, snapshot.expires_at, now));
        Self {
            stored: snapshot.is_some(),
            names_others: pending.fate == Fate::Destroy
                && snapshot.is_none()
                && exchange.vouched_ids().next().is_some(),
            moved: known.former_id().is_some(),
            took_what_ended: state.has_ended() && pending.changes.takes_once(),
            logs_in: pending.login.is_some(),
            changed: pending.is_changed(),
            has_content: !view.values.is_empty() || pending.login.is_some(),
            fate: pending.fate,
            touch_due: renewal == Renewal::Touch,
            rewrite_due: renewal == Renewal::Rewrite || known.tagged_by.is_retired(),
            reissue_due: known.opener == Opener::RetiredCookie,
            persistent: state.persistent().unwrap_or(services.settings.persistent),
            persistence_changed: pending.changes.own().is_some_and(|own| own.persistent.is_some()),
            cookie_received: known.cookie_received,
            in_cookie: exchange.place.is_cookie(),
        }
    }
}
