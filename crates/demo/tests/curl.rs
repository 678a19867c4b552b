//! The demo, visited with `curl` and its cookie jar.
#![allow(clippy::unwrap_used)]

mod clients;
#[macro_use]
mod program;

use std::fs;

use clients::curl::Curl;
use clients::{Client, journeys};
use program::{Framework, Program, sessions};

on_both! {
    log_in_change_log_out
    a_logout_also_ends_the_session_in_a_copied_jar
    the_jar_has_the_flags
    a_host_cookie_is_accepted_and_removed
    a_persistent_session_outlives_the_client
    a_browser_session_ends_with_the_client
    without_tls_a_secure_cookie_is_not_stored
    a_stored_secure_cookie_is_not_sent_without_tls
    a_cookie_of_a_path_is_sent_below_it_only
    a_cookie_of_a_domain_is_shared_and_removed_by_its_hosts
    two_programs_with_different_cookie_names_share_a_jar
}

fn log_in_change_log_out(framework: Framework) {
    let (_dir, program) = start(framework, &[]);
    journeys::log_in_change_log_out(&mut Curl::new(&program));
}

fn a_logout_also_ends_the_session_in_a_copied_jar(framework: Framework) {
    let (_dir, program) = start(framework, &[]);
    journeys::a_logout_in_a_second_tab_logs_out_the_first(&mut Curl::new(&program));
}

fn the_jar_has_the_flags(framework: Framework) {
    let (_dir, program) = start(framework, &[]);
    let mut visitor = Curl::new(&program);
    journeys::the_cookie_has_the_default_flags(&mut visitor, "127.0.0.1");
    let lines = visitor.lines();
    assert!(lines[0].starts_with("#HttpOnly_127.0.0.1\tFALSE\t/\tFALSE\t"), "{lines:?}");

    let (_dir, program) = start(framework, &[("SESSION_COOKIE_HTTPONLY", "false"), ("SESSION_COOKIE_SECURE", "true")]);
    let mut visitor = Curl::new(&program);
    visitor.log_in("ada");
    let lines = visitor.lines();
    assert!(lines[0].starts_with("127.0.0.1\tFALSE\t/\tTRUE\t"), "{lines:?}");
}

fn a_host_cookie_is_accepted_and_removed(framework: Framework) {
    let (_dir, program) = start(framework, &[("SESSION_COOKIE_NAME", "__Host-app"), ("SESSION_COOKIE_SECURE", "true")]);
    journeys::a_host_cookie_is_accepted_and_removed(&mut Curl::new(&program), "127.0.0.1");
}

fn a_persistent_session_outlives_the_client(framework: Framework) {
    let (_dir, program) = start(framework, &[]);
    journeys::a_persistent_session_outlives_the_client(Curl::new(&program));
}

fn a_browser_session_ends_with_the_client(framework: Framework) {
    let (_dir, program) = start(framework, &[("SESSION_PERSISTENT", "false")]);
    journeys::a_browser_session_ends_with_the_client(Curl::new(&program));
}

fn without_tls_a_secure_cookie_is_not_stored(framework: Framework) {
    let (_dir, program) = start(framework, &[("SESSION_COOKIE_SECURE", "true")]);
    journeys::without_tls_a_secure_cookie_is_not_stored(&mut Curl::at("app.example", &program));
}

fn a_stored_secure_cookie_is_not_sent_without_tls(framework: Framework) {
    let (_dir, program) = start(framework, &[("SESSION_COOKIE_SECURE", "true")]);
    let mut at_home = Curl::new(&program);
    at_home.log_in("ada");
    assert_eq!(at_home.get("/session/user"), r#""ada""#, "loopback is as good as TLS");

    let jar = fs::read_to_string(at_home.jar()).unwrap().replace("127.0.0.1", "app.example");
    let mut abroad = Curl::at("app.example", &program);
    fs::write(abroad.jar(), &jar).unwrap();
    assert_eq!(abroad.get("/session"), "{}");
    fs::write(abroad.jar(), jar.replace("\tTRUE\t", "\tFALSE\t")).unwrap();
    assert_eq!(abroad.get("/session/user"), r#""ada""#, "and that was the reason");
}

fn a_cookie_of_a_path_is_sent_below_it_only(framework: Framework) {
    let (_dir, program) = start(framework, &[("SESSION_COOKIE_PATH", "/session")]);
    let mut visitor = Curl::new(&program);
    visitor.post("/session/cart", r#"["tea"]"#);
    assert_eq!(visitor.cookie().path, "/session");
    assert_eq!(visitor.get("/session/cart"), r#"["tea"]"#);
    visitor.post("/increment/n", "");
    assert_eq!(visitor.get("/session"), r#"{"n":1}"#, "elsewhere it is not sent, so another took its place");
}

fn a_cookie_of_a_domain_is_shared_and_removed_by_its_hosts(framework: Framework) {
    let (_dir, program) = start(framework, &[("SESSION_COOKIE_DOMAIN", "shop.example")]);
    let mut here = Curl::at("www.shop.example", &program);
    here.log_in("ada");
    assert_eq!(here.cookie().domain, ".shop.example");

    let mut there = Curl::at("pay.shop.example", &program);
    fs::copy(here.jar(), there.jar()).unwrap();
    assert_eq!(there.get("/session/user"), r#""ada""#);
    let mut stranger = Curl::at("othershop.example", &program);
    fs::copy(here.jar(), stranger.jar()).unwrap();
    assert_eq!(stranger.get("/session"), "{}");

    there.post("/logout", "");
    assert_eq!(there.cookies(), [], "the removal names the domain too");
    assert_eq!(here.get("/session"), "{}");
}

fn two_programs_with_different_cookie_names_share_a_jar(framework: Framework) {
    let (_shop_dir, shop) = start(framework, &[("SESSION_COOKIE_NAME", "shop")]);
    let (_admin_dir, admin) = start(framework, &[("SESSION_COOKIE_NAME", "admin")]);
    let mut at_shop = Curl::new(&shop);
    at_shop.log_in("ada");
    let mut at_admin = Curl::new(&admin);
    fs::copy(at_shop.jar(), at_admin.jar()).unwrap();
    at_admin.log_in("root");
    fs::copy(at_admin.jar(), at_shop.jar()).unwrap();
    assert_eq!(at_shop.cookies().len(), 2, "a jar knows no ports");
    assert_eq!((at_shop.get("/session/user"), at_admin.get("/session/user")), (r#""ada""#.into(), r#""root""#.into()));
    at_shop.post("/logout", "");
    assert_eq!(at_shop.cookie().name, "admin");
}

fn start(framework: Framework, settings: &[(&str, &str)]) -> (tempfile::TempDir, Program) {
    let (parent, dir) = sessions();
    let program = Program::start(framework, &dir, settings);
    (parent, program)
}
