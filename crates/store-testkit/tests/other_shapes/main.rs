//! Stores that look different and still keep the contract. The kit must not ask for more than the contract does.

use std::sync::Arc;
use std::time::Duration;

use nexios_store_testkit::broken::Model;
use nexios_store_testkit::{Subject, Verdict, clauses};

use own_clock::OwnClock;
use two_steps::TwoSteps;

mod own_clock;
mod two_steps;

nexios_store_testkit::conformance!(mod with_its_own_clock, || {
    Subject::new(OwnClock::default()).backend_clock(Duration::from_millis(100))
});

// An async function, and a rename that is not atomic: both records are there for a while.
nexios_store_testkit::conformance!(mod that_renames_in_two_steps, async || {
    let store = Arc::new(TwoSteps::default());
    Subject::new(Arc::clone(&store)).faults(store)
});

#[tokio::test]
async fn a_clause_about_what_a_store_leaves_out_is_not_applicable() {
    // The store has neither a sweep nor an index, and its subject can neither fail nor damage it.
    let subject = Subject::new(OwnClock::default()).backend_clock(Duration::from_millis(100));
    let not_applicable = [
        clauses::a_a_damaged_record_is_an_error(&subject).await,
        clauses::b_a_record_ends_in_the_millisecond_of_its_expiry(&subject).await,
        clauses::h_a_dropped_sweep_removes_the_expired_only(&subject).await,
        clauses::j_a_sweep_removes_the_expired_in_steps(&subject).await,
        clauses::k_the_index_follows_every_change(&subject).await,
        clauses::l_a_failed_rename_leaves_the_old_record(&subject).await,
        clauses::m_a_crash_inside_a_rename_leaves_the_session(&subject).await,
    ];
    for verdict in not_applicable {
        assert!(matches!(verdict, Verdict::NotApplicable(reason) if !reason.is_empty()), "{verdict:?}");
    }
    let subject = Model::subject();
    assert_eq!(clauses::k_the_index_follows_every_change(&subject).await, Verdict::Holds);
}

#[tokio::test]
#[should_panic(expected = "clause (b)")]
async fn a_store_with_a_clock_that_does_not_say_so_is_noticed() {
    let subject = Subject::new(OwnClock::default());
    let _ = clauses::b_an_expired_record_is_absent_to_every_method(&subject).await;
}
