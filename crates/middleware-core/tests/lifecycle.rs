//! The records, cookies and headers that a request leaves behind. These are the rules of docs/lifecycle.md.
#![allow(clippy::unwrap_used)]

mod site;

use nexios_middleware_core::{Header, Session, SessionErrorKind};
use site::{Answer, CallKind, Site, Visitor, head_of};

#[tokio::test]
async fn a_route_that_never_asks_for_the_session_costs_nothing() {
    let (site, mut visitor) = Site::with_visitor().await;
    let calls = site.probe.total();

    let request = site.manager.request(visitor.cookies.iter());
    let answer = Answer::of(&request, &mut visitor, 200).await;

    assert_eq!(site.probe.total(), calls, "no store call");
    assert!(answer.set_cookie.is_none() && answer.vary.is_none() && answer.cache_control.is_none(), "{answer:?}");
}

#[tokio::test]
async fn a_visitor_who_writes_nothing_costs_nothing() {
    let (site, mut visitor) = (Site::new(), Visitor::default());
    let answer = visitor
        .act(&site, |session| {
            assert_eq!(session.get::<u8>("a").unwrap(), None);
            assert_eq!(session.get_or("a", 7).unwrap(), 7);
            assert!(!session.contains_key("a") && session.is_empty() && session.keys().is_empty());
            assert!(!session.remove("a"));
            session.clear();
            session.cycle_id();
        })
        .await;
    assert_eq!(answer.set_cookie, None);
    assert_eq!(answer.vary.as_deref(), Some("Cookie"), "the page depends on who asks");
    assert_eq!((site.probe.total(), site.files().len()), (0, 0));
}

#[tokio::test]
async fn the_first_value_makes_a_session() {
    let (site, mut visitor) = (Site::new(), Visitor::default());
    let answer = visitor.act(&site, |session| session.insert("name", "Ada").unwrap()).await;

    let line = answer.set_cookie.unwrap();
    assert!(line.starts_with("sessionid=") && line.contains("; HttpOnly") && line.contains("; Path=/"), "{line}");
    assert_eq!((answer.vary.as_deref(), answer.cache_control.as_deref()), (Some("Cookie"), Some("no-store")));
    assert_eq!(site.files(), [visitor.id()], "one file, named after the id");
    assert_eq!(visitor.sees::<String>(&site, "name").await.as_deref(), Some("Ada"));
}

#[tokio::test]
async fn a_write_sends_the_cookie_that_opened_the_session_again() {
    let (site, visitor) = Site::with_visitor().await;
    let good = visitor.cookies[0].clone();
    let forged = format!("{}{}", &good[..good.len() - 1], if good.ends_with('A') { 'E' } else { 'A' });

    for cookies in [[&good, &forged], [&forged, &good]] {
        let mut visitor = Visitor { cookies: cookies.map(Clone::clone).to_vec() };
        let answer = visitor.act(&site, |session| session.insert("a", &2).unwrap()).await;
        let line = answer.set_cookie.unwrap();
        assert!(line.starts_with(&format!("{good};")), "{cookies:?}: {line}");
    }
}

#[tokio::test]
async fn removing_the_last_value_of_a_new_session_leaves_no_trace() {
    let (site, mut visitor) = (Site::new(), Visitor::default());
    let answer = visitor
        .act(&site, |session| {
            session.insert("a", &1).unwrap();
            assert_eq!(session.take::<u8>("a").unwrap(), Some(1));
        })
        .await;
    assert_eq!((answer.set_cookie, site.probe.total()), (None, 0));
}

#[tokio::test]
async fn an_existing_session_that_became_empty_is_kept() {
    let (site, mut visitor) = Site::with_visitor().await;
    let id = visitor.id();
    let answer = visitor.act(&site, Session::clear).await;
    assert!(answer.set_cookie.is_some() && !answer.removes_cookie());
    assert_eq!((visitor.id(), site.files().len()), (id, 1));
    assert_eq!((site.probe.count(CallKind::Update), site.probe.count(CallKind::Delete)), (1, 0));
}

#[tokio::test]
async fn reading_twice_loads_once_and_writes_nothing() {
    let (site, mut visitor) = Site::with_visitor().await;
    let (loads, calls) = (site.probe.count(CallKind::Load), site.probe.total());

    let request = site.manager.request(visitor.cookies.iter());
    let (one, two) = (request.session().await.unwrap(), request.session().await.unwrap());
    one.insert("b", &2).unwrap();
    assert_eq!(two.get("b").unwrap(), Some(2), "all extractors of a request share the session");
    two.remove("b");
    drop(request);

    visitor.act(&site, |session| assert!(session.contains_key("a"))).await;
    assert_eq!(site.probe.count(CallKind::Load), loads + 2);
    assert_eq!(site.probe.total(), calls + 2, "two loads, and nothing else");
}

#[tokio::test]
async fn an_unknown_id_is_not_adopted() {
    let (site, mut visitor) = Site::with_visitor().await;
    let stale = visitor.clone();
    let planted = stale.id();
    visitor.act(&site, Session::destroy).await;

    let mut visitor = stale;
    visitor.act(&site, |session| session.insert("a", &2).unwrap()).await;
    assert_ne!(visitor.id(), planted);
    assert_eq!(site.files(), [visitor.id()]);
}

#[tokio::test]
async fn a_forged_cookie_opens_nothing_and_costs_no_store_call() {
    let (site, visitor) = Site::with_visitor().await;
    let calls = site.probe.total();
    let good = visitor.cookies[0].clone();
    for forged in [
        format!("{}A", &good[..good.len() - 1]),
        good[..good.len() - 1].to_owned(),
        format!("{good}A"),
        "sessionid=".to_owned(),
        format!("sessionid={}", visitor.id()),
        format!("sessionid=../../{}", &good[10..]),
        good.replace("sessionid", "SESSIONID"),
    ] {
        if forged == good {
            continue;
        }
        let open = site.open(&Visitor::with_cookie(&forged)).await;
        assert!(open.is_empty(), "{forged}");
    }
    assert_eq!(site.probe.total(), calls);
}

#[tokio::test]
async fn the_first_cookie_that_verifies_and_is_live_is_the_session() {
    let site = Site::new();
    let (mut live, mut ended) = (Visitor::default(), Visitor::default());
    live.act(&site, |session| session.insert("who", "live").unwrap()).await;
    ended.act(&site, |session| session.insert("who", "ended").unwrap()).await;
    let stale = ended.clone();
    ended.act(&site, Session::destroy).await;

    let both = Visitor::with_cookie(format!("sessionid=forged; {}; {}", stale.cookies[0], live.cookies[0]));
    assert_eq!(both.sees::<String>(&site, "who").await.as_deref(), Some("live"));
    let lines = Visitor { cookies: vec![stale.cookies[0].clone(), live.cookies[0].clone()] };
    assert_eq!(lines.sees::<String>(&site, "who").await.as_deref(), Some("live"), "several header lines");
}

#[tokio::test]
async fn at_most_sixteen_cookies_are_looked_up() {
    let site = Site::new();
    let mut cookies = Vec::new();
    for number in 0..18 {
        let mut visitor = site.visitor(|session| session.insert("n", &number).unwrap()).await;
        let cookie = visitor.cookies[0].clone();
        if number < 17 {
            visitor.act(&site, Session::destroy).await;
        }
        cookies.push(cookie);
    }
    let loads = site.probe.count(CallKind::Load);
    let flood = Visitor::with_cookie(cookies.join("; "));
    assert_eq!(flood.sees::<u8>(&site, "n").await, None, "one more is not looked up, nor the live one after it");
    assert_eq!(site.probe.count(CallKind::Load), loads + 16);

    let repeated = Visitor::with_cookie(vec![cookies[0].clone(); 50].join("; ") + "; " + &cookies[17]);
    assert_eq!(repeated.sees::<u8>(&site, "n").await, Some(17), "the same cookie again does not count");
}

#[tokio::test]
async fn any_bytes_in_the_cookie_header_give_an_answer() {
    let site = Site::new();
    let mut hostile: Vec<Vec<u8>> = vec![
        vec![0; 100],
        vec![0xff; 100],
        b"sessionid=\0\r\n".to_vec(),
        b"sessionid".to_vec(),
        b"=;=;=;;;".to_vec(),
        b"sessionid=\"".to_vec(),
        [&b"sessionid="[..], &vec![b'a'; 2_000_000]].concat(),
        b"sessionid=a; ".repeat(10_000),
    ];
    hostile.push([&b"sessionid="[..], &[b'a'; 32], b".", &[b'A'; 43]].concat().repeat(100));
    for header in hostile {
        let request = site.manager.request([&header]);
        assert!(request.session().await.unwrap().is_empty());
        assert_eq!(head_of(&request).await.all(Header::SetCookie).count(), 0);
    }
    assert_eq!((site.probe.total(), site.files().len()), (0, 0));
}

#[tokio::test]
async fn destroying_ends_the_session_and_clears_the_cookie() {
    let (site, mut visitor) = Site::with_visitor().await;
    let stolen = visitor.clone();
    let answer = visitor
        .act(&site, |session| {
            session.destroy();
            assert!(session.is_empty() && session.is_modified());
            assert_eq!((session.handle(), session.created_at(), session.expires_at()), (None, None, None));
        })
        .await;
    assert!(answer.removes_cookie());
    assert_eq!(site.files().len(), 0);
    assert_eq!(stolen.sees::<u8>(&site, "a").await, None);
}

#[tokio::test]
async fn a_logout_without_a_session_removes_only_a_cookie_that_came() {
    let site = Site::new();
    let answer = Visitor::default().act(&site, Session::destroy).await;
    assert_eq!(answer.set_cookie, None);
    let answer = Visitor::with_cookie("sessionid=stale").act(&site, Session::destroy).await;
    assert!(answer.removes_cookie());
    assert_eq!(site.probe.total(), 0);
}

#[tokio::test]
async fn a_session_made_and_ended_by_one_request_leaves_no_trace() {
    let (site, mut visitor) = (Site::new(), Visitor::default());
    let answer = visitor
        .visit(&site, async |session| {
            session.insert("a", &1).unwrap();
            session.save().await.unwrap();
            session.destroy();
            200
        })
        .await;
    assert_eq!((answer.set_cookie, site.files().len()), (None, 0));
}

#[tokio::test]
async fn a_server_error_rolls_back_what_followed_the_last_save() {
    let (site, mut visitor) = Site::with_visitor().await;
    let id = visitor.id();
    let answer = visitor
        .visit(&site, async |session| {
            session.insert("a", &2).unwrap();
            session.save().await.unwrap();
            session.insert("a", &3).unwrap();
            session.login("ada").unwrap();
            500
        })
        .await;
    assert_eq!(answer.failure, None, "the application's own answer stands");
    assert_eq!((visitor.id(), visitor.sees::<u8>(&site, "a").await), (id, Some(2)));
    assert_eq!(site.open(&visitor).await.principal(), None);
}

#[tokio::test]
async fn a_server_error_carries_the_id_that_the_store_has() {
    let (site, mut visitor) = Site::with_visitor().await;
    let old = visitor.id();
    visitor
        .visit(&site, async |session| {
            session.cycle_id();
            session.save().await.unwrap();
            503
        })
        .await;
    assert_ne!(visitor.id(), old);
    assert_eq!(visitor.sees::<u8>(&site, "a").await, Some(1));
}

#[tokio::test]
async fn a_server_error_does_not_undo_a_logout() {
    let (site, mut visitor) = Site::with_visitor().await;
    let answer = visitor
        .visit(&site, async |session| {
            session.destroy();
            500
        })
        .await;
    assert!(answer.removes_cookie());
    assert_eq!(site.files().len(), 0);
}

#[tokio::test]
async fn an_application_may_commit_on_a_server_error() {
    let (site, mut visitor) = (Site::with(|builder| builder.commit_on_server_error(true)), Visitor::default());
    visitor
        .visit(&site, async |session| {
            session.insert("a", &1).unwrap();
            500
        })
        .await;
    assert_eq!(visitor.sees::<u8>(&site, "a").await, Some(1));
}

#[tokio::test]
async fn a_request_that_took_too_long_rolls_back() {
    for (commits, user) in [(false, None), (true, Some("ada"))] {
        let site = Site::with(|builder| builder.commit_on_server_error(commits));
        let mut visitor = Visitor::default();
        let half_done = async |session: &Session| {
            session.login("ada").unwrap();
            408
        };
        let answer = visitor.visit(&site, half_done).await;
        assert_eq!((answer.failure, answer.set_cookie.is_some()), (None, commits));
        assert_eq!(site.open(&visitor).await.principal().as_deref(), user);
    }
}

#[tokio::test]
async fn other_statuses_keep_the_changes() {
    let site = Site::new();
    for status in [200, 204, 302, 404, 499] {
        let mut visitor = Visitor::default();
        visitor
            .visit(&site, async |session| {
                session.insert("a", &1).unwrap();
                status
            })
            .await;
        assert_eq!(visitor.sees::<u8>(&site, "a").await, Some(1), "{status}");
    }
}

#[tokio::test]
async fn a_request_that_is_dropped_leaves_the_store_as_it_was() {
    let (site, visitor) = Site::with_visitor().await;
    let calls = site.probe.total();
    let open = site.open(&visitor).await;
    open.insert("a", &2).unwrap();
    open.destroy();
    drop(open);
    assert_eq!(site.probe.total(), calls + 1, "the load");
    assert_eq!(visitor.sees::<u8>(&site, "a").await, Some(1));
}

#[tokio::test]
async fn after_the_head_a_save_can_update_and_destroy() {
    let (site, mut visitor) = Site::with_visitor().await;

    let open = site.open(&visitor).await;
    let streaming = open.session.clone();
    open.answer(&mut visitor, 200).await;
    streaming.insert("a", &2).unwrap();
    streaming.save().await.unwrap();
    assert_eq!(visitor.sees::<u8>(&site, "a").await, Some(2));
    streaming.destroy();
    streaming.save().await.unwrap();
    assert_eq!(site.files().len(), 0);
}

#[tokio::test]
async fn after_the_head_what_needs_a_cookie_is_an_error() {
    let (site, mut visitor) = (Site::new(), Visitor::default());
    let open = site.open(&visitor).await;
    let streaming = open.session.clone();
    open.answer(&mut visitor, 200).await;
    streaming.insert("a", &1).unwrap();
    assert_eq!(streaming.save().await.unwrap_err().kind(), SessionErrorKind::HeadSent);

    visitor.act(&site, |session| session.insert("a", &1).unwrap()).await;
    let open = site.open(&visitor).await;
    let streaming = open.session.clone();
    open.answer(&mut visitor, 200).await;
    streaming.cycle_id();
    assert_eq!(streaming.save().await.unwrap_err().kind(), SessionErrorKind::HeadSent);
    assert_eq!(site.files(), [visitor.id()]);
}

#[tokio::test]
async fn an_existing_session_is_told_from_a_new_one() {
    let (site, mut visitor) = (Site::new(), Visitor::default());
    assert!(site.manager.request([""; 0]).existing_session().await.unwrap().is_none());
    visitor.act(&site, |session| session.insert("a", &1).unwrap()).await;
    assert!(site.manager.request(visitor.cookies.iter()).existing_session().await.unwrap().is_some());
}

#[tokio::test]
async fn a_session_first_opened_after_the_head_cannot_set_a_cookie() {
    let (site, visitor) = Site::with_visitor().await;
    for cookies in [visitor.cookies.clone(), Vec::new()] {
        let request = site.manager.request(cookies);
        let _ = request.end(200).await;
        let late = request.session().await.unwrap();
        late.insert("late", &1).unwrap();
        late.cycle_id();
        assert_eq!(late.save().await.unwrap_err().kind(), SessionErrorKind::HeadSent);
    }
    assert_eq!(site.files(), [visitor.id()]);
}

#[tokio::test]
async fn the_end_waits_for_a_clones_save_and_sends_its_cookie() {
    let (site, mut visitor) = Site::with_visitor().await;
    let old = visitor.id();
    let open = site.open(&visitor).await;
    open.cycle_id();
    let clone = open.session.clone();
    let (saved, answer) = tokio::join!(biased; clone.save(), open.answer(&mut visitor, 200));
    saved.unwrap();
    assert!(answer.set_cookie.is_some());
    assert_ne!(visitor.id(), old);
    assert_eq!(visitor.sees::<u8>(&site, "a").await, Some(1));
}

#[tokio::test]
async fn discard_drops_changes_but_not_a_logout() {
    let (site, mut visitor) = Site::with_visitor().await;
    let id = visitor.id();
    visitor
        .visit(&site, async |session| {
            session.insert("a", &2).unwrap();
            session.login("ada").unwrap();
            session.discard();
            assert_eq!((session.get("a").unwrap(), session.principal(), session.is_modified()), (Some(1), None, false));
            422
        })
        .await;
    assert_eq!((visitor.id(), visitor.sees::<u8>(&site, "a").await), (id, Some(1)));
    visitor
        .act(&site, |session| {
            session.destroy();
            session.discard();
        })
        .await;
    assert_eq!(site.files().len(), 0);
}

#[tokio::test]
async fn saving_an_empty_session_keeps_its_own_choices() {
    let site = Site::new();
    let open = site.open(&Visitor::default()).await;
    open.insert("a", &1).unwrap();
    open.remove("a");
    open.set_persistent(false).unwrap();
    open.save().await.unwrap();
    open.insert("b", &1).unwrap();
    let answer = open.answer(&mut Visitor::default(), 200).await;
    assert!(answer.set_cookie.is_some() && answer.max_age().is_none(), "but the session's own choice is kept");
}

#[tokio::test]
async fn a_destroyed_session_is_gone_for_the_rest_of_the_request() {
    let (site, visitor) = Site::with_visitor().await;
    let request = site.manager.request(visitor.cookies.iter());
    request.session().await.unwrap().destroy();
    assert!(request.existing_session().await.unwrap().is_none());
}
