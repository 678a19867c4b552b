//! Stores that break the contract on purpose, to show that the kit notices.
//!
//! Each is the [`Model`], which keeps the contract, with one twist. Tests of this crate show that each broken store
//! fails the clauses meant for it, that every clause has a store that fails it, and that the model fails none.

use std::fmt;
use std::sync::Arc;

use tokio::task::yield_now;

use crate::Subject;

mod crashes;
mod indexes;
mod model;
mod reads;
mod renames;
mod sweeps;
mod torn;
mod twist;
mod writes;

pub use self::model::Model;
use self::twist::{Twist, Twisted};

/// A store with a fault, and the clauses that must notice it.
#[derive(Clone, Copy)]
pub struct BrokenStore {
    name: &'static str,
    breaks: &'static [&'static str],
    make: fn() -> Subject,
}

impl BrokenStore {
    /// Returns all broken stores.
    pub fn all() -> &'static [Self] {
        ALL
    }

    /// Returns the name of the store's type, which says what the store does wrong.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the names of the clauses that the store is meant to fail. It may fail others, too.
    pub const fn breaks(&self) -> &'static [&'static str] {
        self.breaks
    }

    /// Makes a fresh store of this kind, with fault injection and a way to damage records.
    pub fn make(&self) -> Subject {
        (self.make)()
    }
}

impl fmt::Debug for BrokenStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BrokenStore").field("name", &self.name).field("breaks", &self.breaks).finish_non_exhaustive()
    }
}

impl Model {
    /// Makes a fresh model, with fault injection and a way to damage records.
    pub fn subject() -> Subject {
        let store = Arc::new(Self::default());
        let to_damage = Arc::clone(&store);
        Subject::new(Arc::clone(&store)).faults(store).damage(move |id| {
            to_damage.damage(id);
            std::future::ready(())
        })
    }
}

fn twisted<T: Twist>() -> Subject {
    let store = Arc::new(Twisted::<T>::default());
    let to_damage = Arc::clone(&store);
    Subject::new(Arc::clone(&store)).faults(store).damage(move |id| {
        to_damage.model.damage(id);
        std::future::ready(())
    })
}

/// Makes a gap long enough for the others to notice, at a point where a broken store should be alone.
async fn others_run() {
    for _ in 0..20 {
        yield_now().await;
    }
}

macro_rules! broken_stores {
    ($($module:ident::$store:ident breaks $($clause:ident)+;)*) => {
        const ALL: &[BrokenStore] = &[$(BrokenStore {
            name: stringify!($store),
            breaks: &[$(stringify!($clause)),+],
            make: twisted::<$module::$store>,
        }),*];
    };
}

broken_stores! {
    reads::CutsLongPayloads breaks a_what_was_written_is_read_back;
    reads::FoldsIds breaks a_similar_ids_are_different_sessions;
    reads::ReadsInTwoHalves breaks a_reads_during_writes_are_whole_and_not_old;
    reads::ReadsFromACache breaks a_reads_during_writes_are_whole_and_not_old f_no_write_brings_an_id_to_life;
    reads::SetsAsideWhatIsReadable breaks a_set_aside_leaves_a_readable_record;
    reads::TakesDamageForAbsence breaks a_a_damaged_record_is_an_error;
    reads::TellsIdsInErrors breaks a_a_damaged_record_is_an_error l_a_failed_delete_leaves_the_record;
    reads::ForgetsExpiry breaks b_an_expired_record_is_absent_to_every_method b_a_record_written_expired_is_absent;
    reads::ExpiresLate breaks b_a_record_ends_in_the_millisecond_of_its_expiry;
    writes::KeepsTheLongestLife breaks a_an_update_replaces_the_whole_record;
    writes::GivesEachRecordAMinute breaks b_a_record_written_expired_is_absent;
    writes::KeepsExpiredIds breaks b_the_id_of_an_expired_record_is_free;
    writes::CreateOverwrites breaks c_create_leaves_a_taken_id_alone c_exactly_one_create;
    writes::CreateChecksThenWrites breaks c_exactly_one_create c_exactly_one_create_over_an_expired_record;
    writes::IgnoresTheRevision breaks d_another_revision_is_a_conflict d_exactly_one_write_from_a_revision
        d_increments_end_at_the_exact_sum;
    writes::UpdateChecksThenWrites breaks d_exactly_one_write_from_a_revision d_increments_end_at_the_exact_sum
        f_no_late_write_undoes_a_delete f_no_late_write_undoes_a_rename;
    writes::CountsRevisionsFromOne breaks e_a_revision_is_never_used_again
        e_a_revision_is_never_used_again_after_expiry e_a_revision_of_a_former_life_is_a_conflict;
    writes::UpdateUpserts breaks f_no_write_brings_an_id_to_life f_no_late_write_undoes_a_delete;
    writes::TouchRevives breaks b_an_expired_record_is_absent_to_every_method;
    writes::TouchShortens breaks g_touch_prolongs_and_never_shortens g_concurrent_touches_end_at_the_latest;
    writes::TouchDoesNothing breaks g_touch_prolongs_and_never_shortens g_concurrent_touches_end_at_the_latest;
    writes::TouchIgnoresTheRevision breaks g_touch_of_another_revision_changes_nothing g_touch_never_loses_an_update;
    writes::TouchMakesARevision breaks g_touch_prolongs_and_never_shortens g_touch_never_loses_an_update;
    writes::TouchChecksThenWrites breaks g_concurrent_touches_end_at_the_latest;
    writes::TouchWritesBackWhatItRead breaks g_touch_never_loses_an_update f_no_late_write_undoes_a_delete;
    torn::CreatesInTwoSteps breaks h_a_dropped_create_leaves_nothing_or_the_record;
    torn::UpdatesInTwoSteps breaks h_a_dropped_update_leaves_the_old_record_or_the_new;
    torn::TouchesInTwoSteps breaks h_a_dropped_touch_leaves_the_old_expiry_or_the_new;
    torn::DeletesInTwoSteps breaks h_a_dropped_delete_leaves_the_record_or_nothing;
    torn::SweepsInTwoSteps breaks h_a_dropped_sweep_removes_the_expired_only;
    torn::DeletesBeforeItFails breaks l_a_failed_delete_leaves_the_record;
    renames::DeletesThenCreates breaks h_a_dropped_rename_leaves_the_old_record_or_the_new
        l_a_failed_rename_leaves_the_old_record m_a_session_is_somewhere_during_a_rename
        m_a_crash_inside_a_rename_leaves_the_session;
    renames::CreatesAndForgetsToDelete breaks f_no_write_brings_an_id_to_life i_rename_refuses_a_taken_id
        k_the_index_follows_every_change;
    renames::CreatesThenDeletesWhateverHappened breaks f_what_was_deleted_does_not_live_on_under_another_id;
    crashes::SetsThePrincipalFirst breaks m_a_crash_inside_a_rename_leaves_the_session;
    crashes::MarksTheOldRecord breaks m_a_crash_inside_a_rename_leaves_the_session;
    crashes::ListsOneOfTwo breaks m_a_crash_inside_a_rename_leaves_the_session;
    crashes::ListsWhatNeverWas breaks m_a_crash_inside_a_rename_leaves_the_session;
    renames::ChecksThenWrites breaks d_exactly_one_write_from_a_revision i_exactly_one_gets_the_new_id;
    renames::TakesTakenIds breaks i_rename_refuses_a_taken_id i_exactly_one_gets_the_new_id
        i_renames_towards_each_other_are_refused;
    renames::DropsWhatItRefuses breaks l_what_is_refused_leaves_the_record i_rename_refuses_a_taken_id;
    sweeps::SweepsTheLiving breaks j_a_sweep_removes_the_expired_in_steps j_a_sweep_goes_by_the_latest_expiry;
    sweeps::IgnoresTheLimit breaks j_a_sweep_removes_the_expired_in_steps;
    sweeps::NeverEnds breaks j_a_sweep_removes_the_expired_in_steps;
    sweeps::GoesByTheFirstExpiry breaks j_a_sweep_goes_by_the_latest_expiry;
    sweeps::CountsWhatItSaw breaks j_concurrent_sweeps_count_each_record_once;
    sweeps::RemovesWhatItSaw breaks j_a_sweep_spares_what_comes_to_life_meanwhile;
    sweeps::StopsAtABadRecord breaks j_a_sweep_goes_on_past_a_bad_record;
    indexes::ForgetsTheRenamed breaks k_the_index_follows_every_change k_the_index_is_exact_after_a_storm;
    indexes::RemembersTheDeleted breaks k_the_index_follows_every_change k_the_index_is_exact_after_a_storm;
    indexes::RemembersTheRefused breaks k_a_refused_change_leaves_the_index;
    indexes::ListsTheExpired breaks k_the_index_follows_every_change;
    indexes::KeepsTheFirstPrincipal breaks k_the_index_follows_every_change k_the_index_is_exact_after_a_storm;
    indexes::ListsTheRenamedLate breaks k_a_listing_during_renames_misses_nobody;
}
