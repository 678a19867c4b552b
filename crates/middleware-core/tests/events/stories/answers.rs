//! Answers to requests, and signed cookies.

use std::borrow::Cow;
use std::pin::pin;
use std::task::{Context, Waker};

use nexios_middleware_core::{
    AtLimit, ErrorAnswer, Event, Header, PlainHead, RequestSession, ResponseHead, SessionErrorKind,
};
use nexios_store_testkit::hook::CallKind as Call;

use super::{Row, changed_in_vain, limited};
use crate::probe::Trouble;
use crate::site::{ADA, HUSH, KEY, Manner, OTHER_KEY, Site, Visitor, keys};

pub const STORIES: &[Row] = stories![
    the_same_where_the_handler_answers_with_the_error => [ChangesDropped, ChangesRefused]
    an_extractor_that_answers_with_an_outage => [StoreFailed, RequestFailed]
    a_handler_that_answers_with_a_failed_save => [StoreFailed, RequestFailed]
    a_handler_that_answers_with_a_wrong_type => [RequestFailed]
    a_handler_that_answers_with_a_bad_cookie_name => [RequestFailed]
    a_save_that_was_dropped_half_way => [RequestFailed]
    a_login_beyond_the_limit => [ChangesRefused]
    a_retired_key_of_a_signed_cookie => [RetiredKeyUsed]
    a_forged_signed_cookie => [SignedCookieRefused]
    a_forged_signed_cookie_that_is_answered_with_the_error => [SignedCookieRefused]
];

async fn the_same_where_the_handler_answers_with_the_error(manner: Manner) -> Site {
    let site = Site::new(manner);
    let slow = changed_in_vain(&site).await;
    let error = slow.session().await.unwrap().save().await.unwrap_err();
    assert_eq!(error.kind(), SessionErrorKind::Gone);
    answer_with(&slow, 409, error).await;
    site
}

async fn an_extractor_that_answers_with_an_outage(manner: Manner) -> Site {
    let site = Site::new(manner);
    let visitor = site.user().await;
    site.probe.make(Call::Load, Trouble::Fails);
    site.listen();
    let request = site.request(&visitor);
    let error = request.session().await.unwrap_err();
    answer_with(&request, 503, error).await;
    site
}

async fn a_handler_that_answers_with_a_failed_save(manner: Manner) -> Site {
    let site = Site::new(manner);
    let visitor = site.user().await;
    let open = site.open(&visitor).await;
    site.probe.make(Call::Update, Trouble::Fails);
    site.listen();
    open.insert("word", "other").unwrap();
    let error = open.save().await.unwrap_err();
    answer_with(&open.request, 503, error).await;
    site
}

async fn a_handler_that_answers_with_a_wrong_type(manner: Manner) -> Site {
    let site = Site::new(manner);
    let visitor = site.user().await;
    let open = site.open(&visitor).await;
    site.listen();
    let error = open.get::<u32>("word").unwrap_err();
    answer_with(&open.request, 500, error).await;
    site
}

async fn a_handler_that_answers_with_a_bad_cookie_name(manner: Manner) -> Site {
    let site = Site::new(manner);
    let request = site.request(&Visitor::default());
    let error = request.signed_cookies().set("sessionid", HUSH).unwrap_err();
    answer_with(&request, 500, error).await;
    site
}

async fn a_save_that_was_dropped_half_way(manner: Manner) -> Site {
    let site = Site::new(manner);
    let mut visitor = site.user().await;
    let open = site.open(&visitor).await;
    site.probe.make(Call::Update, Trouble::Hangs);
    site.listen();
    open.insert("word", "other").unwrap();
    drop_half_way(open.save());
    assert_eq!(open.end(&mut visitor).await, 503);
    site
}

/// Polls a call once, and drops it.
fn drop_half_way<T>(call: impl Future<Output = T>) {
    assert!(pin!(call).poll(&mut Context::from_waker(Waker::noop())).is_pending());
}

async fn a_login_beyond_the_limit(manner: Manner) -> Site {
    let site = limited(manner, AtLimit::Refuse);
    site.user().await;
    site.listen();
    let open = site.open(&Visitor::default()).await;
    open.login(ADA).unwrap();
    assert_eq!(open.end(&mut Visitor::default()).await, 409);
    site
}

async fn a_retired_key_of_a_signed_cookie(manner: Manner) -> Site {
    let site = Site::new(manner);
    let open = site.open(&Visitor::default()).await;
    open.request.signed_cookies().set("theme", HUSH).unwrap();
    let mut visitor = Visitor::default();
    open.end(&mut visitor).await;
    let rotated = site.restarted(|builder| builder.keys(keys(&[OTHER_KEY, KEY])));
    let request = rotated.request(&visitor);
    for _ in 0..2 {
        assert_eq!(request.signed_cookies().get("theme").unwrap().as_deref(), Some(HUSH));
    }
    answer(&request).await;
    rotated
}

async fn a_forged_signed_cookie(manner: Manner) -> Site {
    let site = Site::new(manner);
    let request = site.request(&Visitor::with_cookie("theme=dark"));
    assert!(request.signed_cookies().get("theme").is_err());
    answer(&request).await;
    site
}

async fn a_forged_signed_cookie_that_is_answered_with_the_error(manner: Manner) -> Site {
    let site = Site::new(manner);
    let request = site.request(&Visitor::with_cookie("theme=dark"));
    let error = request.signed_cookies().get("theme").unwrap_err();
    answer_with(&request, 400, error).await;
    site
}

/// The end of a request whose handler answers 200.
pub async fn answer(request: &RequestSession) {
    let mut head = PlainHead::new(200);
    let _ = request.end(200).await.apply(&mut head);
    assert_eq!(head.status, 200);
}

/// The end of a request whose extractor or handler answers with an error.
async fn answer_with(request: &RequestSession, status: u16, error: impl Into<ErrorAnswer>) {
    let mut head = FrameworkHead { plain: PlainHead::new(status), error: Some(error.into()) };
    let _ = request.end(status).await.apply(&mut head);
    assert_eq!(head.plain.status, status);
}

/// A response that carries the error that it is the answer to, as those of frameworks do.
struct FrameworkHead {
    plain: PlainHead,
    error: Option<ErrorAnswer>,
}

impl ResponseHead for FrameworkHead {
    fn set_status(&mut self, status: u16) {
        self.plain.set_status(status);
    }

    fn values(&self, header: Header) -> impl Iterator<Item = &[u8]> {
        self.plain.values(header)
    }

    fn insert(&mut self, header: Header, value: Cow<'static, str>) {
        self.plain.insert(header, value);
    }

    fn append(&mut self, header: Header, value: String) {
        self.plain.append(header, value);
    }

    fn retain(&mut self, keep: impl FnMut(&str, &[u8]) -> bool) {
        self.plain.retain(keep);
    }

    fn take_error(&mut self) -> Option<ErrorAnswer> {
        self.error.take()
    }
}
