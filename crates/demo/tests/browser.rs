//! The demo, visited with Chromium, which chromedriver drives.
#![allow(clippy::unwrap_used)]

mod clients;
#[macro_use]
mod program;

use clients::chromium::{Tab, ThirdPartyCookies};
use clients::site::Site;
use clients::{Client, Cookie, journeys};
use program::{Framework, Program, sessions};
use thirtyfour::cookie::SameSite;

on_both! {
    log_in_change_log_out
    a_logout_in_a_second_tab_logs_out_the_first
    the_page_logs_in_changes_and_logs_out
    the_page_names_devices_and_ends_one
    the_cookie_has_the_default_flags_and_no_script_sees_it
    a_host_cookie_is_accepted_and_removed
    a_persistent_session_outlives_the_browser
    a_browser_session_ends_with_the_browser
    without_tls_a_secure_cookie_is_not_stored
    a_link_on_another_site_carries_lax_but_not_strict_cookies
    a_form_on_another_site_carries_only_samesite_none_cookies
    each_framing_site_has_its_own_partitioned_session
    an_unpartitioned_session_is_shared_by_all_sites_or_blocked
}

fn log_in_change_log_out(framework: Framework) {
    let demo = Demo::start(framework, &[]);
    journeys::log_in_change_log_out(&mut demo.visitor());
}

fn a_logout_in_a_second_tab_logs_out_the_first(framework: Framework) {
    let demo = Demo::start(framework, &[]);
    journeys::a_logout_in_a_second_tab_logs_out_the_first(&mut demo.visitor());
}

fn the_page_logs_in_changes_and_logs_out(framework: Framework) {
    let demo = Demo::start(framework, &[]);
    let first = demo.visitor();
    first.wait_for(&shows("nobody is logged in"));
    first.type_into("#login [name=user]", "ada");
    first.click("#login button");
    first.wait_for(&shows("ada"));

    first.type_into("#set [name=key]", "cart");
    first.type_into("#set [name=value]", r#"["tea"]"#);
    first.click("#set button");
    first.wait_for(&lists(r#"cart ["tea"]"#));
    first.click("#increment");
    first.wait_for(&lists("visits 1"));
    first.click("#burst");
    first.wait_for(&lists("visits 11"));
    first.click("#entries tr button");
    first.wait_for(&format!("!({})", lists(r#"cart ["tea"]"#)));

    let second = first.another();
    second.wait_for(&shows("ada"));
    second.click("#logout");
    second.wait_for(&shows("nobody is logged in"));
    first.come_back();
    assert_eq!(first.text("#who"), "ada", "a page that was open does not know yet");
    first.click("#refresh");
    first.wait_for(&shows("nobody is logged in"));
    assert!(first.text("#entries").starts_with("No values."));
}

fn the_page_names_devices_and_ends_one(framework: Framework) {
    let demo = Demo::start(framework, &[]);
    let laptop = demo.visitor();
    let mut phone = demo.visitor();
    phone.wait_for(&shows("nobody is logged in"));
    phone.log_in("ada");
    phone.post("/device", "<b>a phone</b>");
    laptop.wait_for(&shows("nobody is logged in"));
    assert_eq!(laptop.text("#devices"), "", "which is not shown");

    laptop.type_into("#login [name=user]", "ada");
    laptop.click("#login button");
    laptop.wait_for(&has_devices(&["<b>a phone</b>", "unnamed (this one)"]));
    laptop.type_into("#device [name=name]", "a laptop");
    laptop.click("#device button");
    laptop.wait_for(&has_devices(&["<b>a phone</b>", "a laptop (this one)"]));

    laptop.script(&format!(
        "{ROWS}.find(row => row.innerText.includes('phone')).querySelector('button').click(); return ''"
    ));
    laptop.wait_for(&has_devices(&["a laptop (this one)"]));
    assert_eq!(phone.get("/session"), "{}");
    assert_eq!(phone.call("GET", "/sessions", "").0, 401);

    laptop.click("#devices tbody button");
    laptop.wait_for(&shows("nobody is logged in"));
    assert_eq!((laptop.text("#devices"), laptop.shown_cookies()), (String::new(), Vec::new()));
}

/// The condition that the page lists devices of these names, in alphabetical order.
fn has_devices(names: &[&str]) -> String {
    format!("JSON.stringify({ROWS}.map(row => row.cells[0].innerText).sort()) === JSON.stringify({names:?})")
}

/// The rows of the devices.
const ROWS: &str = "[...document.querySelectorAll('#devices tbody tr')]";

/// The condition that the heading of the page names this user.
fn shows(user: &str) -> String {
    format!("document.querySelector('#who').textContent === '{user}'")
}

/// The condition that a row of the page's table begins with this key and value.
fn lists(row: &str) -> String {
    format!(
        "[...document.querySelectorAll('#entries tr')].some(row => row.innerText.split(/\\s+/).join(' ').startsWith('{row} '))"
    )
}

fn the_cookie_has_the_default_flags_and_no_script_sees_it(framework: Framework) {
    let demo = Demo::start(framework, &[]);
    let mut visitor = demo.visitor();
    journeys::the_cookie_has_the_default_flags(&mut visitor, "localhost");
    assert_eq!(visitor.same_site(), SameSite::Lax);
    assert_eq!(visitor.script("return document.cookie"), "");

    let open = Demo::start(framework, &[("SESSION_COOKIE_HTTPONLY", "false"), ("SESSION_COOKIE_NAME", "open")]);
    visitor.go(&open.at("localhost", "/"));
    visitor.log_in("ada");
    assert!(visitor.script("return document.cookie").starts_with("open="), "and that was the reason");
}

fn a_host_cookie_is_accepted_and_removed(framework: Framework) {
    let demo = Demo::start(framework, &[("SESSION_COOKIE_NAME", "__Host-app"), ("SESSION_COOKIE_SECURE", "true")]);
    journeys::a_host_cookie_is_accepted_and_removed(&mut demo.visitor(), "localhost");
}

fn a_persistent_session_outlives_the_browser(framework: Framework) {
    let demo = Demo::start(framework, &[]);
    journeys::a_persistent_session_outlives_the_client(demo.visitor());
}

fn a_browser_session_ends_with_the_browser(framework: Framework) {
    let demo = Demo::start(framework, &[("SESSION_PERSISTENT", "false")]);
    journeys::a_browser_session_ends_with_the_client(demo.visitor());
}

fn without_tls_a_secure_cookie_is_not_stored(framework: Framework) {
    let demo = Demo::start(framework, &[("SESSION_COOKIE_SECURE", "true")]);
    journeys::without_tls_a_secure_cookie_is_not_stored(&mut Tab::open(&demo.at("app.example", "/")));
}

fn a_link_on_another_site_carries_lax_but_not_strict_cookies(framework: Framework) {
    let mut visitor = Tab::open("about:blank");
    for (setting, same_site, seen) in [("Lax", SameSite::Lax, r#"{"user":"ada"}"#), ("Strict", SameSite::Strict, "{}")]
    {
        let demo = Demo::start(framework, &[("SESSION_COOKIE_SAMESITE", setting)]);
        visitor.go(&demo.at("localhost", "/"));
        visitor.log_in("ada");
        assert_eq!(visitor.same_site(), same_site);

        let site = Site::of(&format!(r#"<a href="{}">a link</a>"#, demo.at("localhost", "/session")));
        for (from, seen) in [("127.0.0.1", seen), ("localhost", r#"{"user":"ada"}"#)] {
            visitor.go(&site.at(from));
            visitor.click("a");
            visitor.wait_for("location.pathname === '/session' && document.readyState === 'complete'");
            assert_eq!(visitor.text("body"), seen, "{setting}, from {from}");
        }
    }
}

fn a_form_on_another_site_carries_only_samesite_none_cookies(framework: Framework) {
    let mut visitor = Tab::open("about:blank");
    for (setting, secure, answer) in
        [("Lax", "false", r#"{"user":"ada"}"#), ("Strict", "false", r#"{"user":"ada"}"#), ("None", "true", "{}")]
    {
        let demo = Demo::start(framework, &[("SESSION_COOKIE_SAMESITE", setting), ("SESSION_COOKIE_SECURE", secure)]);
        visitor.go(&demo.at("localhost", "/"));
        visitor.log_in("ada");

        let form =
            format!(r#"<form method="post" action="{}"><button>Win</button></form>"#, demo.at("localhost", "/logout"));
        visitor.go(&Site::of(&form).at("127.0.0.1"));
        visitor.click("button");
        visitor.wait_for("location.pathname === '/logout' && document.readyState === 'complete'");
        visitor.go(&demo.at("localhost", "/session"));
        assert_eq!(visitor.text("body"), answer, "{setting}");
    }
}

/// Holds even in a browser that gives a framed page only partitioned cookies.
fn each_framing_site_has_its_own_partitioned_session(framework: Framework) {
    let framed = Framed::start(framework, "true", ThirdPartyCookies::Blocked);
    framed.at_the_first_site();
    assert_eq!(framed.session(), "{}");
    framed.log_in("ada");
    assert_eq!(framed.session(), r#"{"user":"ada"}"#);

    framed.at_the_second_site();
    assert_eq!(framed.session(), "{}");
    framed.log_in("bob");
    assert_eq!(framed.session(), r#"{"user":"bob"}"#);

    framed.at_the_first_site();
    assert_eq!(framed.session(), r#"{"user":"ada"}"#);
    assert_eq!(framed.cookies().len(), 1);
    framed.log_out();
    assert_eq!(framed.cookies(), [], "the removal is partitioned too");
    assert_eq!(framed.session(), "{}");
    framed.at_the_second_site();
    assert_eq!(framed.session(), r#"{"user":"bob"}"#);
}

fn an_unpartitioned_session_is_shared_by_all_sites_or_blocked(framework: Framework) {
    let framed = Framed::start(framework, "false", ThirdPartyCookies::Allowed);
    framed.at_the_first_site();
    framed.log_in("ada");
    framed.at_the_second_site();
    assert_eq!(framed.session(), r#"{"user":"ada"}"#);

    let framed = Framed::start(framework, "false", ThirdPartyCookies::Blocked);
    framed.at_the_first_site();
    framed.log_in("ada");
    assert_eq!(framed.session(), "{}");
}

/// The demo, shown in a frame by two sites.
struct Framed {
    visitor: Tab,
    sites: [Site; 2],
    _demo: Demo,
}

impl Framed {
    fn start(framework: Framework, partitioned: &str, third_party_cookies: ThirdPartyCookies) -> Self {
        let settings = [
            ("SESSION_COOKIE_SAMESITE", "None"),
            ("SESSION_COOKIE_SECURE", "true"),
            ("SESSION_COOKIE_PARTITIONED", partitioned),
        ];
        let demo = Demo::start(framework, &settings);
        let page = format!(r#"<iframe src="{}"></iframe>"#, demo.at("localhost", "/"));
        let visitor = Tab::open_with(third_party_cookies, "about:blank");
        Self { visitor, sites: [Site::of(&page), Site::of(&page)], _demo: demo }
    }

    fn at_the_first_site(&self) {
        self.visitor.go(&self.sites[0].at("one.localhost"));
    }

    fn at_the_second_site(&self) {
        self.visitor.go(&self.sites[1].at("two.localhost"));
    }

    fn session(&self) -> String {
        self.fetch("GET", "/session", "")
    }

    fn log_in(&self, user: &str) {
        self.fetch("POST", "/login", &format!(r#"{{"user": "{user}"}}"#));
    }

    fn log_out(&self) {
        self.fetch("POST", "/logout", "");
    }

    fn cookies(&self) -> Vec<Cookie> {
        self.visitor.in_frame(0, Tab::shown_cookies)
    }

    fn fetch(&self, method: &str, path: &str, body: &str) -> String {
        let (status, answer) = self.visitor.in_frame(0, |tab| tab.fetch(method, path, body));
        assert_eq!(status, 200, "{answer}");
        answer
    }
}

struct Demo {
    program: Program,
    _dir: tempfile::TempDir,
}

impl Demo {
    fn start(framework: Framework, settings: &[(&str, &str)]) -> Self {
        let (parent, dir) = sessions();
        Self { program: Program::start(framework, &dir, settings), _dir: parent }
    }

    /// The address of a page of the demo, under a host that leads to it.
    fn at(&self, host: &str, path: &str) -> String {
        format!("http://{host}:{}{path}", self.program.address.port())
    }

    /// A new browser that shows the demo's page.
    fn visitor(&self) -> Tab {
        Tab::open(&self.at("localhost", "/"))
    }
}
