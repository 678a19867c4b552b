//! Sessions that their visitors keep, sealed in a cookie.
#![allow(clippy::unwrap_used)]

mod site;

use std::num::NonZeroUsize;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nexios_cookie_config::CookieConfig;
use nexios_middleware_core::{AtLimit, Event, Session, SessionErrorKind, SessionManager};
use nexios_signer::Purpose;
use site::{Answer, KEY, OTHER_KEY, Site, Visitor, keys};

const HOUR: Duration = Duration::from_secs(3600);

async fn logged_in(site: &Site) -> Visitor {
    site.visitor(|session| {
        session.login("ada@example.org").unwrap();
        session.insert("word", "hush").unwrap();
    })
    .await
}

async fn is_logged_in(site: &Site, visitor: &Visitor) -> bool {
    site.open(visitor).await.principal().is_some()
}

fn value(visitor: &Visitor) -> &str {
    visitor.cookies[0].split_once('=').unwrap().1
}

#[tokio::test]
async fn a_session_lives_in_its_visitors_cookie() {
    let site = Site::client_side(|builder| builder);
    let mut visitor = Visitor::default();
    assert_eq!(visitor.act(&site, |_| {}).await.set_cookie, None, "nobody gets one without need");
    visitor.act(&site, |session| session.insert("cart", &3).unwrap()).await;
    visitor.act(&site, |session| session.login("ada").unwrap()).await;
    let session = site.open(&visitor).await;
    assert_eq!((session.get("cart").unwrap(), session.principal().as_deref()), (Some(3), Some("ada")));
    let handle = session.handle();
    let read = visitor.act(&site, |_| {}).await;
    assert_eq!(read.set_cookie, None, "reading costs nothing");
    visitor
        .visit(&site, async |session| {
            session.update("cart", |n: Option<i32>| n.unwrap_or(0) + 1).unwrap();
            session.save().await.unwrap();
            assert_eq!(session.get("cart").unwrap(), Some(4));
            session.cycle_id();
            200
        })
        .await;
    let session = site.open(&visitor).await;
    assert_eq!((session.get("cart").unwrap(), session.handle()), (Some(4), handle));
    let answer = visitor.act(&site, Session::destroy).await;
    assert!(answer.removes_cookie() && visitor.cookies.is_empty());
    assert_eq!(site.probe.total(), 0);
}

#[tokio::test]
async fn an_error_rolls_back_and_leaves_the_cookie() {
    let site = Site::client_side(|builder| builder);
    let mut visitor = logged_in(&site).await;
    let answer = visitor
        .visit(&site, async |session| {
            session.insert("word", "other").unwrap();
            500
        })
        .await;
    assert_eq!(answer.set_cookie, None);
    assert_eq!(visitor.sees::<String>(&site, "word").await.as_deref(), Some("hush"));
}

#[tokio::test]
async fn the_cookie_shows_nothing_and_differs_each_time() {
    let site = Site::client_side(|builder| builder);
    let (one, other) = (logged_in(&site).await, logged_in(&site).await);
    assert_ne!(one.cookies, other.cookies);
    let bytes = URL_SAFE_NO_PAD.decode(value(&one)).unwrap();
    for secret in [&b"hush"[..], b"word", b"ada"] {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret));
    }
}

#[tokio::test]
async fn every_flipped_bit_and_every_cut_is_refused() {
    let site = Site::client_side(|builder| builder);
    let visitor = logged_in(&site).await;
    let sealed = URL_SAFE_NO_PAD.decode(value(&visitor)).unwrap();
    for bit in 0..sealed.len() * 8 {
        let mut flipped = sealed.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let forged = Visitor::with_cookie(format!("sessionid={}", URL_SAFE_NO_PAD.encode(flipped)));
        assert!(!is_logged_in(&site, &forged).await, "bit {bit}");
    }
    for length in 0..value(&visitor).len() {
        let forged = Visitor::with_cookie(format!("sessionid={}", &value(&visitor)[..length]));
        assert!(!is_logged_in(&site, &forged).await, "length {length}");
    }
}

#[tokio::test]
async fn a_cookie_is_bound_to_its_name_purpose_and_key() {
    let site = Site::client_side(|builder| builder);
    let visitor = logged_in(&site).await;
    let admin = CookieConfig::builder().name("admin").build().unwrap();
    let renamed = Visitor::with_cookie(visitor.cookies[0].replace("sessionid=", "admin="));
    assert!(!is_logged_in(&site.restarted_client_side(|builder| builder.cookie(admin)), &renamed).await);
    assert!(!is_logged_in(&site.restarted(|builder| builder), &visitor).await, "it is no id");
    let other_key = site.restarted_client_side(|builder| builder.keys(keys(&[OTHER_KEY])));
    assert!(!is_logged_in(&other_key, &visitor).await);

    let bytes = URL_SAFE_NO_PAD.decode(value(&visitor)).unwrap();
    let sealer = keys(&[KEY]).sealer(Purpose::new("nexios sealed session"));
    let plaintext = sealer.open(b"sessionid", &bytes).expect("the purpose is this one").plaintext;
    let other_purpose = keys(&[KEY]).sealer(Purpose::new("nexios record seal")).seal(b"sessionid", &plaintext).unwrap();
    let forged = Visitor::with_cookie(format!("sessionid={}", URL_SAFE_NO_PAD.encode(other_purpose)));
    assert!(!is_logged_in(&site, &forged).await);
}

#[tokio::test]
async fn a_forged_cookie_does_not_hide_a_good_one() {
    let site = Site::client_side(|builder| builder);
    let visitor = logged_in(&site).await;
    let both = Visitor::with_cookie(format!("sessionid=forged; {}", visitor.cookies[0]));
    assert!(is_logged_in(&site, &both).await);
}

#[tokio::test]
async fn the_server_enforces_what_is_written_inside() {
    let site = Site::client_side(|builder| builder.idle_timeout(HOUR).absolute_timeout(Some(HOUR * 2)));
    let mut visitor = logged_in(&site).await;
    let first = visitor.clone();
    let start = site.clock_now();
    site.clock.set(start.saturating_sub(HOUR));
    assert!(!is_logged_in(&site, &visitor).await, "issued in the future");
    site.clock.set(start.saturating_add(HOUR / 2));
    let answer = visitor.act(&site, |_| {}).await;
    assert_eq!(answer.max_age(), Some(3600), "reading keeps it alive");
    site.clock.set(start.saturating_add(HOUR));
    assert!(is_logged_in(&site, &visitor).await && !is_logged_in(&site, &first).await, "idle");
    visitor.act(&site, |_| {}).await;
    site.clock.set(start.saturating_add(HOUR * 2));
    assert!(!is_logged_in(&site, &visitor).await, "absolute");
}

#[tokio::test]
async fn a_cookie_issued_in_the_future_is_not_accepted_yet() {
    let site = Site::client_side(|builder| builder);
    let mut visitor = logged_in(&site).await;
    let start = site.clock_now();
    site.sleep(HOUR * 24 * 7);
    visitor.act(&site, |_| {}).await;
    site.clock.set(start.saturating_add(HOUR));
    assert!(!is_logged_in(&site, &visitor).await);
    site.clock.set(start.saturating_add(HOUR * 24 * 7));
    assert!(is_logged_in(&site, &visitor).await);
}

#[tokio::test]
async fn a_value_that_does_not_fit_is_an_error_and_the_rest_stays() {
    let site = Site::client_side(|builder| builder);
    let mut visitor = logged_in(&site).await;
    let mut answer = None;
    for len in (2_500..4_000).step_by(7) {
        let session = site.open(&visitor).await;
        match session.insert("large", &"x".repeat(len)) {
            Ok(()) => answer = session.answer(&mut visitor, 200).await.set_cookie,
            Err(error) => {
                assert_eq!(error.kind(), SessionErrorKind::TooLarge);
                assert!(error.to_string().contains("maximum size of 29"), "{error}");
                break;
            }
        }
    }
    let (pair, _) = answer.as_deref().and_then(|line| line.split_once(';')).unwrap();
    assert!((4_000..=4_096).contains(&(pair.len() - 1)), "{}", pair.len());
    assert_eq!(visitor.sees::<String>(&site, "word").await.as_deref(), Some("hush"));
}

#[tokio::test]
async fn parallel_requests_overwrite_each_other() {
    let site = Site::client_side(|builder| builder);
    let mut visitor = logged_in(&site).await;
    let (one, other) = (site.open(&visitor).await, site.open(&visitor).await);
    one.insert("one", &1).unwrap();
    other.insert("other", &1).unwrap();
    one.answer(&mut visitor, 200).await;
    other.answer(&mut visitor, 200).await;
    assert_eq!(site.open(&visitor).await.keys(), ["other", "word"]);
}

#[tokio::test]
async fn a_copied_cookie_outlives_a_logout_but_not_the_key() {
    let site = Site::client_side(|builder| builder);
    let mut visitor = logged_in(&site).await;
    let copy = visitor.clone();
    visitor.act(&site, Session::destroy).await;
    assert!(is_logged_in(&site, &copy).await);
    assert!(!is_logged_in(&site.restarted_client_side(|builder| builder.keys(keys(&[OTHER_KEY]))), &copy).await);
}

#[tokio::test]
async fn a_rotated_key_opens_and_the_cookie_is_sealed_anew() {
    let site = Site::client_side(|builder| builder);
    let mut visitor = logged_in(&site).await;
    let rotated = site.restarted_client_side(|builder| builder.keys(keys(&[OTHER_KEY, KEY])));
    assert!(visitor.act(&rotated, |_| {}).await.set_cookie.is_some());
    assert_eq!(rotated.manager.counters().of(Event::RetiredKeyUsed), 1);
    assert!(visitor.act(&rotated, |_| {}).await.set_cookie.is_none());
    assert!(is_logged_in(&site.restarted_client_side(|builder| builder.keys(keys(&[OTHER_KEY]))), &visitor).await);
}

#[tokio::test]
async fn a_browser_session_cookie_is_sent_with_every_change() {
    let site = Site::client_side(|builder| builder.persistent(false));
    let mut visitor = logged_in(&site).await;
    let answer = visitor.act(&site, |session| session.insert("word", "other").unwrap()).await;
    assert!(answer.set_cookie.is_some() && answer.max_age().is_none());
    assert_eq!(visitor.sees::<String>(&site, "word").await.as_deref(), Some("other"));
}

#[tokio::test]
async fn after_the_head_nothing_can_be_saved() {
    let site = Site::client_side(|builder| builder);
    let mut visitor = logged_in(&site).await;
    let open = site.open(&visitor).await;
    let session = open.session.clone();
    open.answer(&mut visitor, 200).await;
    site.sleep(HOUR * 24 * 7);
    session.save().await.unwrap();
    session.insert("late", &1).unwrap();
    assert_eq!(session.save().await.unwrap_err().kind(), SessionErrorKind::HeadSent);
    session.discard();
    session.destroy();
    assert_eq!(session.save().await.unwrap_err().kind(), SessionErrorKind::HeadSent);
}

#[tokio::test]
async fn revoking_is_refused_as_misconfigured() {
    let site = Site::client_side(|builder| builder);
    assert_eq!(site.manager.revoke_all("ada").await.unwrap_err().kind(), SessionErrorKind::Misconfigured);
    let builder = SessionManager::client_side().keys(keys(&[KEY]));
    assert!(builder.max_per_user(Some(NonZeroUsize::MIN)).at_limit(AtLimit::Refuse).build().is_err());
}

#[tokio::test]
async fn a_session_of_a_newer_format_is_left_to_the_newer_program() {
    let site = Site::client_side(|builder| builder);
    let sealer = keys(&[KEY]).sealer(Purpose::new("nexios sealed session"));
    let now = site.clock_now().as_unix_millis();
    let newer = [&now.to_be_bytes()[..], &(now + 1000).to_be_bytes(), &[0x82]].concat();
    let cookie = URL_SAFE_NO_PAD.encode(sealer.seal(b"sessionid", &newer).unwrap());
    let request = site.manager.request([format!("sessionid={cookie}")]);
    assert_eq!(request.session().await.unwrap_err().kind(), SessionErrorKind::Unsupported);
    assert_eq!(Answer::of(&request, &mut Visitor::default(), 503).await.set_cookie, None);
}
