//! The session as a map of values.
#![allow(clippy::unwrap_used)]

mod site;

use nexios_middleware_core::{Entry, Session, SessionErrorKind};
use nexios_settings::ByteSize;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use site::{Site, Visitor};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Cart {
    items: Vec<String>,
    total: f64,
}

#[tokio::test]
async fn every_method_does_what_it_says() {
    let site = Site::new();
    let open = site.open(&Visitor::default()).await;
    let session: &Session = &open;
    assert!(session.is_empty() && !session.is_modified());

    session.insert("name", "Ada").unwrap();
    session.insert("age", &36).unwrap();
    assert!(session.is_modified() && !session.is_empty());
    assert_eq!((session.len(), session.keys()), (2, vec!["age".to_owned(), "name".to_owned()]));
    assert!(session.contains_key("name") && !session.contains_key("Name"));
    assert_eq!(session.get::<String>("name").unwrap().as_deref(), Some("Ada"));
    assert_eq!(session.get_or("name", String::new()).unwrap(), "Ada");
    assert_eq!(session.get_or("missing", 5).unwrap(), 5);
    assert_eq!(session.entries::<Value>().unwrap(), [("age".to_owned(), json!(36)), ("name".to_owned(), json!("Ada"))]);
    session.update("age", |age: Option<u8>| age.unwrap_or(0) + 1).unwrap();
    assert_eq!(session.take::<u8>("age").unwrap(), Some(37));
    assert_eq!(session.take::<u8>("age").unwrap(), None);
    assert!(session.remove("name") && !session.remove("name"));
    session.insert("a", &1).unwrap();
    session.clear();
    assert!(session.is_empty());
}

#[tokio::test]
async fn a_wrong_type_is_an_error_for_that_key_alone() {
    let site = Site::new();
    let open = site.open(&Visitor::default()).await;
    open.insert("name", "Ada").unwrap();
    open.insert("age", &36).unwrap();
    assert_eq!(open.get::<u8>("name").unwrap_err().kind(), SessionErrorKind::InvalidValue);
    assert_eq!(open.take::<u8>("name").unwrap_err().kind(), SessionErrorKind::InvalidValue);
    assert_eq!(open.update("name", |n: Option<u8>| n.unwrap_or(0)).unwrap_err().kind(), SessionErrorKind::InvalidValue);
    assert!(open.contains_key("name"), "what could not be taken stays");
    assert_eq!(open.get::<u8>("age").unwrap(), Some(36));
}

#[tokio::test]
async fn a_value_that_cannot_be_encoded_changes_nothing() {
    struct Unwilling;
    impl Serialize for Unwilling {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("hush"))
        }
    }
    let site = Site::new();
    let open = site.open(&Visitor::default()).await;
    let error = open.insert("a", &Unwilling).unwrap_err();
    assert_eq!(error.kind(), SessionErrorKind::InvalidValue);
    assert!(!error.to_string().contains("hush") && !open.is_modified());
}

#[tokio::test]
async fn a_listing_shows_whatever_was_inserted() {
    let (site, mut visitor) = (Site::new(), Visitor::default());
    visitor
        .act(&site, |session| {
            session.insert("bytes", c"abc").unwrap();
            session.insert("by number", &std::collections::BTreeMap::from([(7, "seven")])).unwrap();
            session.insert("by pair", &std::collections::BTreeMap::from([((1, true), "x")])).unwrap();
            session.insert("plain", "text").unwrap();
        })
        .await;
    let entries = site.open(&visitor).await.entries::<Value>().unwrap();
    let entries: serde_json::Map<_, _> = entries.into_iter().collect();
    let expected = json!({
        "bytes": [97, 98, 99], "by number": {"7": "seven"}, "by pair": {"[1,true]": "x"}, "plain": "text",
    });
    assert_eq!(Value::Object(entries), expected);
}

#[tokio::test]
async fn a_value_that_could_not_be_read_back_is_refused() {
    let site = Site::new();
    let open = site.open(&Visitor::default()).await;
    let deep = (0..5000).fold(json!(1), |inner, _| Value::Array(vec![inner]));
    let deep = std::mem::ManuallyDrop::new(deep); // its drop would overflow the stack of a test
    assert_eq!(open.insert("a", &*deep).unwrap_err().kind(), SessionErrorKind::InvalidValue);
    assert_eq!(open.insert("a", &7_u128).unwrap_err().kind(), SessionErrorKind::InvalidValue);
    assert!(!open.is_modified());
}

#[tokio::test]
async fn typed_keys_name_key_and_type_once() {
    const CART: Entry<Cart> = Entry::new("cart");
    let (site, mut visitor) = (Site::new(), Visitor::default());
    let cart = Cart { items: vec!["tea".into()], total: 3.5 };
    visitor.act(&site, |session| session.write(&CART, &cart).unwrap()).await;
    assert_eq!(site.open(&visitor).await.read(&CART).unwrap(), Some(cart));
}

#[tokio::test]
async fn an_update_can_leave_a_key_without_a_value() {
    let (site, mut visitor) = (Site::new(), Visitor::default());
    let open = site.open(&visitor).await;
    open.update_or_remove("tries", |tries: Option<u8>| tries?.checked_sub(1)).unwrap();
    assert!(!open.contains_key("tries"), "where there was none, there is none");
    assert_eq!(open.answer(&mut visitor, 200).await.set_cookie, None, "and that is no reason for a session");

    visitor.act(&site, |session| session.insert("tries", &1_u8).unwrap()).await;
    for left in [Some(0), None, None] {
        visitor
            .act(&site, |session| {
                session.update_or_remove("tries", |tries: Option<u8>| tries?.checked_sub(1)).unwrap();
                assert_eq!(session.get::<u8>("tries").unwrap(), left);
            })
            .await;
        assert_eq!(visitor.sees::<u8>(&site, "tries").await, left);
    }
    assert_eq!(site.files(), [visitor.id()], "an empty session stays");
}

#[tokio::test]
async fn an_update_that_refuses_changes_nothing() {
    #[derive(Debug, PartialEq)]
    struct SoldOut(u32);
    impl std::fmt::Display for SoldOut {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "only {} left", self.0)
        }
    }
    impl std::error::Error for SoldOut {}

    let site = Site::new();
    let open = site.open(&site.visitor(|session| session.insert("stock", &2).unwrap()).await).await;
    let take_three = |stock: Option<u32>| {
        let stock = stock.unwrap_or(0);
        stock.checked_sub(3).map(Some).ok_or(SoldOut(stock))
    };
    let error = open.try_update("stock", take_three).unwrap_err();
    assert_eq!((error.kind(), error.status()), (SessionErrorKind::Refused, 409));
    assert_eq!(error.to_string(), "only 2 left");
    let source = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<SoldOut>());
    assert_eq!(source, Some(&SoldOut(2)), "with the application's own error");
    assert!(!open.is_modified());
    assert_eq!(open.get::<u32>("stock").unwrap(), Some(2));

    open.try_update("stock", |stock: Option<u32>| Ok::<_, String>(stock.map(|stock| stock + 1))).unwrap();
    assert_eq!(open.get::<u32>("stock").unwrap(), Some(3));
    open.try_update("stock", |_: Option<u32>| Ok::<_, SoldOut>(None)).unwrap();
    assert!(!open.contains_key("stock"));
}

#[tokio::test]
async fn a_typed_key_can_be_updated_taken_and_removed() {
    const CREDIT: Entry<u32> = Entry::new("credit");
    let site = Site::new();
    let open = site.open(&Visitor::default()).await;
    let session = &open.session;
    CREDIT.update(session, |credit| credit.unwrap_or(0) + 5).unwrap();
    CREDIT.update_or_remove(session, |credit| Some(credit? + 1)).unwrap();
    assert_eq!(session.read(&CREDIT).unwrap(), Some(6));
    let pay = move |price| {
        CREDIT.try_update(session, move |credit| match credit.unwrap_or(0).checked_sub(price) {
            Some(left) => Ok(Some(left)),
            None => Err("not enough"),
        })
    };
    pay(4).unwrap();
    assert_eq!(pay(4).unwrap_err().to_string(), "not enough");
    assert_eq!(CREDIT.take(session).unwrap(), Some(2));
    assert_eq!(CREDIT.take(session).unwrap(), None);
    session.write(&CREDIT, &1).unwrap();
    assert!(CREDIT.remove(session) && !CREDIT.remove(session));
}

#[tokio::test]
async fn a_session_takes_values_up_to_its_maximum_size_and_keeps_them() {
    let (site, mut visitor) =
        (Site::with(|builder| builder.max_size(ByteSize::new(4096).unwrap())), Visitor::default());
    visitor
        .act(&site, |session| {
            let error = session.insert("big", &"x".repeat(4096)).unwrap_err();
            assert_eq!(error.kind(), SessionErrorKind::TooLarge);
            assert_eq!(error.to_string(), "session would exceed its maximum size of 4096 bytes");
            assert!(!session.is_modified(), "and nothing has changed");
            session.insert("fits", &"x".repeat(3900)).unwrap();
            assert_eq!(session.insert("more", &"x".repeat(200)).unwrap_err().kind(), SessionErrorKind::TooLarge);
            assert_eq!(session.login(&"x".repeat(200)).unwrap_err().kind(), SessionErrorKind::TooLarge);
            session.insert("fits", &"y".repeat(3900)).unwrap();
        })
        .await;
    assert_eq!(visitor.sees::<String>(&site, "fits").await, Some("y".repeat(3900)), "what was accepted was saved");
}

#[tokio::test]
async fn values_of_the_default_maximum_size_round_trip() {
    let (site, mut visitor) = (Site::new(), Visitor::default());
    let large: Vec<String> = (0..1000).map(|number| format!("item {number} {}", "x".repeat(200))).collect();
    visitor.act(&site, |session| session.insert("large", &large).unwrap()).await;
    visitor.act(&site, |session| session.insert("other", &1).unwrap()).await;
    assert_eq!(visitor.sees(&site, "large").await, Some(large));
}

#[test]
fn public_types_are_send_and_sync() {
    const fn check<T: Send + Sync>() {}
    check::<Session>();
    check::<nexios_middleware_core::SessionManager>();
    check::<nexios_middleware_core::RequestSession>();
    check::<nexios_middleware_core::RequestEnd>();
    check::<nexios_middleware_core::SessionError>();
    check::<nexios_middleware_core::Sweeper>();
}
