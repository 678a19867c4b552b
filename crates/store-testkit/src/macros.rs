/// Makes a test of each clause of the contract, for the store that a function makes.
///
/// The function is called once in each test. It may be async. It returns a fresh, empty store, or a
/// [`Subject`](crate::Subject), which says more about the store. Any expression that is such a function will do.
///
/// ```
/// # use nexios_store_testkit::broken::Model as MyStore;
/// # fn open(_: bool) -> MyStore { MyStore::default() }
/// nexios_store_testkit::conformance!(MyStore::default);
///
/// // A second store, or a second configuration, gets a module with a name of its own.
/// nexios_store_testkit::conformance!(mod synced, || open(true));
/// # fn main() {}
/// ```
///
/// The tests are in a module, which is called `conformance` unless you name it. They have the names of the functions in
/// [`clauses`](crate::clauses), so `cargo test conformance::d_` runs those about concurrent updates. Each test runs on
/// a tokio runtime of its own with four threads, which the kit brings along. A clause that does not apply to the store
/// passes, and says why on standard error.
#[macro_export]
macro_rules! conformance {
    ($make:expr $(,)?) => {
        $crate::conformance!(mod conformance, $make);
    };
    (mod $module:ident, $make:expr $(,)?) => {
        mod $module {
            #[allow(unused_imports, reason = "what the expression names is outside, if it names anything")]
            use super::*;

            $crate::__each_clause!($crate::__tests, $make);
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __tests {
    ([$make:expr] $($clause:ident)*) => {
        $(#[test]
        fn $clause() {
            $crate::__private::check(stringify!($clause), $crate::clauses::$clause, $make);
        })*
    };
}

/// Hands the names of all clauses to another macro. A clause that is not listed here does not exist.
#[doc(hidden)]
#[macro_export]
macro_rules! __each_clause {
    ($then:path, $($argument:expr)?) => {
        $then! {
            [$($argument)?]
            a_what_was_written_is_read_back
            a_an_update_replaces_the_whole_record
            a_similar_ids_are_different_sessions
            a_reads_during_writes_are_whole_and_not_old
            a_set_aside_leaves_a_readable_record
            a_a_damaged_record_is_an_error
            b_an_expired_record_is_absent_to_every_method
            b_the_id_of_an_expired_record_is_free
            b_a_record_ends_in_the_millisecond_of_its_expiry
            b_a_record_written_expired_is_absent
            c_create_leaves_a_taken_id_alone
            c_exactly_one_create
            c_exactly_one_create_over_an_expired_record
            d_another_revision_is_a_conflict
            d_exactly_one_write_from_a_revision
            d_increments_end_at_the_exact_sum
            e_a_revision_is_never_used_again
            e_a_revision_is_never_used_again_after_expiry
            e_a_revision_of_a_former_life_is_a_conflict
            f_no_write_brings_an_id_to_life
            f_no_late_write_undoes_a_delete
            f_no_late_write_undoes_a_rename
            f_what_was_deleted_does_not_live_on_under_another_id
            g_touch_prolongs_and_never_shortens
            g_touch_of_another_revision_changes_nothing
            g_touch_never_loses_an_update
            g_concurrent_touches_end_at_the_latest
            h_a_dropped_create_leaves_nothing_or_the_record
            h_a_dropped_update_leaves_the_old_record_or_the_new
            h_a_dropped_rename_leaves_the_old_record_or_the_new
            h_a_dropped_touch_leaves_the_old_expiry_or_the_new
            h_a_dropped_delete_leaves_the_record_or_nothing
            h_a_dropped_sweep_removes_the_expired_only
            i_rename_refuses_a_taken_id
            i_exactly_one_gets_the_new_id
            i_renames_towards_each_other_are_refused
            j_a_sweep_removes_the_expired_in_steps
            j_a_sweep_goes_by_the_latest_expiry
            j_concurrent_sweeps_count_each_record_once
            j_a_sweep_spares_what_comes_to_life_meanwhile
            j_a_sweep_goes_on_past_a_bad_record
            k_the_index_follows_every_change
            k_a_refused_change_leaves_the_index
            k_the_index_is_exact_after_a_storm
            k_a_listing_during_renames_misses_nobody
            l_what_is_refused_leaves_the_record
            l_a_failed_rename_leaves_the_old_record
            l_a_failed_delete_leaves_the_record
            m_a_session_is_somewhere_during_a_rename
            m_a_crash_inside_a_rename_leaves_the_session
        }
    };
}

/// Makes tests in which several processes use one backend at the same time.
///
/// Use it for a store that promises this: files, databases, servers. The macro takes two functions. The first makes a
/// fresh, empty place. It returns the location of the place, which may be any line of text, and a value that keeps the
/// place alive. The second function, which may be async, opens the store at a location, and returns the store or a
/// [`Subject`](crate::Subject). It is called in each process.
///
/// ```
/// # use nexios_store_testkit::broken::Model as MyStore;
/// # trait Open { fn open(_: &str) -> MyStore { MyStore::default() } }
/// # impl Open for MyStore {}
/// use tempfile::TempDir;
///
/// fn make_place() -> (String, TempDir) {
///     let dir = tempfile::tempdir().expect("a temporary directory");
///     (dir.path().display().to_string(), dir)
/// }
///
/// nexios_store_testkit::conformance_across_processes!(make_place, |location: String| MyStore::open(&location));
/// # fn main() {}
/// ```
///
/// Each test starts the test program three more times, with arguments that run one test of the same module. That test
/// does nothing when somebody else runs it. So the tests need a program with the usual test harness. They check clauses
/// (c), (d), (f), (j), (k) and (m), at the points where a lock that only one process knows would let two through.
#[macro_export]
macro_rules! conformance_across_processes {
    ($make:expr, $open:expr $(,)?) => {
        $crate::conformance_across_processes!(mod across_processes, $make, $open);
    };
    (mod $module:ident, $make:expr, $open:expr $(,)?) => {
        mod $module {
            #[allow(unused_imports, reason = "what the expressions name is outside, if they name anything")]
            use super::*;

            async fn __open(location: ::std::string::String) -> $crate::Subject {
                $crate::MakeSubject::make(move || ($open)(location)).await
            }

            #[test]
            fn a_process_that_takes_part() {
                $crate::__private::take_part(__open);
            }

            $crate::__each_race!($crate::__race_tests, $make);
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __race_tests {
    ([$make:expr] $($race:ident)*) => {
        $(#[test]
        fn $race() {
            $crate::__private::lead(stringify!($race), module_path!(), $make, __open);
        })*
    };
}

/// Hands the names of all races between processes to another macro.
#[doc(hidden)]
#[macro_export]
macro_rules! __each_race {
    ($then:path, $($argument:expr)?) => {
        $then! {
            [$($argument)?]
            c_exactly_one_create
            d_exactly_one_write_from_a_revision
            d_increments_end_at_the_exact_sum
            f_no_late_write_undoes_a_delete
            j_concurrent_sweeps_count_each_record_once
            m_a_session_is_somewhere_during_a_rename
        }
    };
}
