//! Whole requests over real connections. Each case is one text that runs on three frameworks and on every store, so a
//! behaviour that differs is a failing test.
#![allow(clippy::unwrap_used, clippy::panic)]

#[macro_use]
mod matrix;
mod cases;
mod site;

matrix! {
    stores { memory file_fast file_synced memory_encrypted file_encrypted }
    cases {
        lifecycle {
            the_answer_to_the_first_value_carries_the_cookie
            a_route_without_the_session_costs_no_call_and_no_header
            a_visitor_who_only_reads_gets_no_cookie_and_no_record
            a_value_removed_by_the_same_request_leaves_no_trace
            values_are_changed_from_request_to_request
            an_unchanged_session_is_loaded_once_and_not_written
            every_request_is_committed_by_one_write
            all_extractors_of_a_request_share_session_and_commit
            an_optional_session_is_there_for_those_who_have_one
            clearing_empties_the_session_and_keeps_it_and_its_user
            a_new_id_opens_the_session_and_the_old_one_opens_nothing
            a_login_keeps_anonymous_values_and_drops_another_users
            a_logout_ends_the_session_and_removes_the_cookie
            after_a_logout_a_request_may_begin_a_fresh_session
            a_server_error_keeps_the_logout_and_not_what_came_after
            a_logout_without_a_session_removes_a_cookie_only_if_one_came
            a_session_made_and_ended_by_one_request_sends_no_cookie
            a_server_error_drops_what_followed_the_last_save
            a_request_that_took_too_long_drops_its_changes
            a_server_error_carries_a_new_id_that_was_saved
            a_logout_is_carried_out_also_with_a_server_error
            answers_below_500_keep_what_was_changed
            an_application_may_keep_changes_with_a_server_error
            discarded_changes_are_not_saved
        }
        expiry {
            a_session_that_is_not_used_ends
            reading_keeps_a_session_alive_and_renews_its_cookie
            touches_are_rationed
            a_slow_read_does_not_undo_what_another_request_chose
            a_logout_ends_a_session_that_seems_to_have_expired
            an_expired_session_is_not_brought_back_by_a_write
            a_session_that_expires_during_a_request_stays_ended
            the_absolute_timeout_runs_from_the_latest_login
            a_shortened_timeout_acts_at_once
            a_session_may_have_an_idle_timeout_of_its_own
        }
        parallel {
            parallel_increments_end_at_the_exact_sum
            both_frameworks_serve_the_same_sessions_at_the_same_time
            parallel_changes_of_different_keys_merge
            a_slow_request_does_not_undo_a_logout
            of_two_who_take_a_value_once_one_gets_it
            of_two_buyers_of_the_last_piece_one_gets_it
            a_save_into_an_ended_session_is_answered_with_a_conflict
            a_logout_wins_over_an_update_that_the_store_has_begun
            a_logout_ends_what_was_updated_after_it_began
            a_new_id_keeps_what_a_parallel_update_wrote_before_it
            an_update_after_a_new_id_is_dropped_without_a_cookie
            two_parallel_new_ids_leave_one_session
            a_login_into_an_ended_session_begins_a_fresh_one
            a_logout_follows_a_users_session_to_its_new_id
            a_value_of_another_type_fails_the_commit_and_writes_nothing
        }
        moved {
            a_request_on_its_way_takes_no_login_away
            a_save_on_its_way_is_answered_with_a_conflict
            a_login_on_its_way_makes_a_session_of_its_own
            a_logout_with_the_old_id_ends_the_session_under_the_new_one
            a_logout_that_began_before_a_new_id_ends_the_session
            a_logout_with_the_id_from_before_a_login_ends_nothing
            after_a_minute_the_old_id_is_an_unknown_one
        }
        security {
            forged_cookies_open_nothing_and_ask_no_store
            any_bytes_in_a_cookie_line_get_an_answer
            a_cookie_signed_by_another_key_opens_nothing
            an_old_keys_cookie_is_signed_anew_after_its_record
            an_id_that_the_store_does_not_know_is_not_adopted
            a_planted_id_is_worthless_after_a_login
            the_first_cookie_that_verifies_and_is_live_counts
            visitors_who_come_over_one_connection_are_not_mixed_up
            a_flood_of_genuine_cookies_costs_sixteen_loads
            no_content_of_a_session_is_in_the_head_of_an_answer
        }
        attributes {
            the_cookie_is_set_and_removed_with_its_attributes
            applications_of_one_domain_keep_their_cookies_apart
            a_browser_session_cookie_has_no_max_age_and_is_sent_once
            a_session_chooses_whether_to_be_remembered
            a_session_is_kept_below_its_maximum_size
        }
        outages {
            an_outage_is_an_empty_503_and_leaves_the_cookie
            an_outage_may_be_an_empty_session_that_takes_no_changes
            a_failed_save_takes_the_place_of_the_answer
            a_failed_delete_is_a_503_and_the_session_has_ended
            a_logout_works_where_nothing_can_be_written
            a_login_stands_where_its_old_id_cannot_be_kept
            a_record_of_a_newer_format_is_a_503_and_is_left_alone
            a_visitor_whose_record_is_corrupt_gets_a_fresh_session
            a_failed_touch_does_not_fail_the_request
            an_update_whose_answer_is_lost_is_a_503_and_not_repeated
            a_handler_may_answer_for_itself_where_a_save_has_failed
            a_store_that_hangs_is_given_up
            an_application_without_a_layer_answers_with_an_empty_500
            a_value_of_another_type_is_an_empty_500_and_rolls_back
        }
        headers {
            vary_is_merged_with_what_the_application_says
            an_answer_with_our_cookie_is_not_left_to_shared_caches
            cookies_of_the_application_stay_but_for_one_of_our_name
            a_head_request_gets_the_head_of_a_get_request
            every_method_has_a_session
            a_redirect_carries_the_cookie
            an_answer_of_the_framework_itself_has_no_header_of_ours
        }
        streaming {
            a_stream_begins_after_the_session_was_saved
            a_stream_may_log_out
            what_needs_a_cookie_is_an_error_once_the_head_is_out
            a_change_after_the_head_that_is_not_saved_is_lost
            a_stream_that_saves_into_an_ended_session_hears_of_it
            a_stream_and_other_requests_merge_their_changes
            server_sent_events_begin_after_the_session_was_saved
            a_socket_opens_after_the_session_was_saved
            a_socket_may_end_the_session_and_cannot_begin_another
            a_socket_of_a_visitor_without_a_session_cannot_begin_one
            a_socket_hears_that_its_session_was_ended
        }
        panics {
            a_panic_ends_the_connection_and_changes_nothing
            a_panic_does_not_undo_what_was_saved_before
            a_panic_caught_inside_the_layer_is_a_server_error
            a_panic_caught_outside_the_layer_changes_nothing
        }
        disconnects {
            while_the_session_is_loaded_nothing_happens
            while_the_handler_works_its_changes_are_dropped
            while_the_handler_works_what_it_has_saved_stays
            in_the_middle_of_the_body_the_changes_are_dropped
            before_the_store_has_begun_to_save_nothing_is_saved
            between_the_calls_of_a_logout_the_session_has_ended
            after_the_store_has_saved_it_is_saved
            while_the_store_saves_it_saves_all_or_nothing
            a_session_whose_cookie_never_arrived_expires_unused
            after_the_head_only_what_was_saved_stays
        }
        users {
            a_user_sees_their_sessions_and_ends_those_of_other_devices
            a_user_logs_out_everywhere
            a_revocation_ends_a_session_that_a_request_is_changing
            a_login_beyond_the_limit_is_an_empty_409_and_loses_nothing
        }
        client_side {
            a_session_lives_in_its_visitors_cookie
            a_value_that_does_not_fit_is_an_empty_500_and_the_rest_stays
        }
        two_sessions {
            nested_layers_commit_once_each_and_send_both_cookies
            of_nested_layers_only_the_one_with_a_change_writes
            logging_out_of_one_session_leaves_the_other
            layers_side_by_side_know_nothing_of_each_other
            the_cookie_of_one_kind_opens_no_session_of_the_other
            an_inner_sessions_cookie_survives_the_outer_ones_failure
            an_inner_sessions_failure_rolls_back_the_outer_one
        }
        signed_cookies {
            a_signed_cookie_is_readable_and_comes_back
            any_text_survives_the_journey
            absent_and_tampered_are_told_apart
            a_signature_is_for_one_name_and_one_kind
            the_server_keeps_to_the_lifetime_that_it_has_signed
            a_cookie_of_an_old_key_is_signed_anew_when_it_is_read
            a_cookie_is_removed_as_it_was_set
            bad_names_and_oversized_values_are_empty_500s
            the_sessions_cookie_comes_before_the_signed_ones
            a_failed_save_takes_the_signed_cookies_with_the_answer
            signed_cookies_work_while_the_store_is_down
        }
        middleware {
            an_early_answer_of_a_middleware_outside_costs_nothing
            an_early_answer_of_a_middleware_inside_is_like_a_handlers
            an_inner_middlewares_error_keeps_the_saved_sessions_cookie
            the_status_that_comes_out_of_the_inner_middleware_counts
            a_status_changed_by_an_outer_middleware_does_not_count
            what_error_handlers_make_of_an_answer_counts
            cookies_of_other_middleware_stand_beside_ours
            nested_routes_have_the_session_of_the_layer_around_them
            all_workers_share_the_sessions
        }
        adapters {
            an_error_as_the_answer_has_the_configured_body
            a_failed_save_has_the_configured_body
            an_error_as_the_answer_is_an_event
            of_nested_layers_one_tells_of_an_error
            a_cookie_counts_beside_bytes_that_are_no_text
        }
    }
}
