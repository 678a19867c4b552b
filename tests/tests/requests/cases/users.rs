//! Users and operators list and end the sessions of a user.

use std::num::NonZeroUsize;

use nexios_middleware_core::{AtLimit, SessionManagerBuilder};

use crate::site::*;

pub(crate) async fn a_user_sees_their_sessions_and_ends_those_of_other_devices(world: World) {
    let site = world.open().await;
    let [mut laptop, mut phone, mut bobs] = [(); 3].map(|()| site.visitor());
    laptop.visit([login("ada"), device("laptop")]).await;
    phone.visit([login("ada"), device("phone")]).await;
    bobs.visit([login("bob")]).await;

    assert_eq!(laptop.visit([Devices]).await.body, r#"[[false,"phone"],[true,"laptop"]]"#);
    assert_eq!(laptop.visit([RevokeOthers, Devices]).await.body, r#"1 [[true,"laptop"]]"#);
    assert_eq!(phone.visit([Principal]).await.body, "null");
    assert_eq!((bobs.visit([Principal]).await.body, site.sessions().await), ("\"bob\"".to_owned(), 2));
}

pub(crate) async fn a_user_logs_out_everywhere(world: World) {
    let site = world.open().await;
    let [mut laptop, mut phone] = [(); 2].map(|()| site.visitor());
    laptop.visit([login("ada")]).await;
    phone.visit([login("ada")]).await;
    let answer = laptop.visit([RevokeAll, Destroy]).await;
    let head = ["200", "cache-control: no-store", "content-length: 1", "content-type: text/plain"];
    assert_eq!(answer.lines(), [&head[..], &[REMOVAL, "vary: Cookie", "2"]].concat());
    assert_eq!((phone.visit([Principal]).await.body, site.sessions().await), ("null".to_owned(), 0));
}

pub(crate) async fn a_revocation_ends_a_session_that_a_request_is_changing(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    visitor.visit([login("ada")]).await;
    let slow = visitor.spawn_visit([IsModified, wait("revoked"), insert("a", 1), Cycle]);
    site.gates.arrivals("revoked", 1).await;
    assert_eq!(site.users.revoke_all("ada").await.unwrap(), 1);
    site.gates.open("revoked", 1);
    let answer = slow.await.unwrap();
    assert_eq!((answer.status, answer.cookies().len()), (200, 0));
    assert_eq!((visitor.visit([Principal]).await.body, site.sessions().await), ("null".to_owned(), 0));
}

pub(crate) async fn a_login_beyond_the_limit_is_an_empty_409_and_loses_nothing(world: World) {
    let one = NonZeroUsize::MIN;
    let site = world.users(|builder| builder.max_per_user(Some(one)).at_limit(AtLimit::Refuse)).open().await;
    let [mut first, mut second] = [(); 2].map(|()| site.visitor());
    first.visit([login("ada")]).await;
    second.visit([insert("a", 1)]).await;
    let answer = second.visit([login("ada")]).await;
    assert_eq!(answer.lines(), ["409", "content-length: 0", "vary: Cookie", ""]);
    assert_eq!(second.visit([get("a"), Principal]).await.body, "1 null");

    let ending = |builder: SessionManagerBuilder| builder.max_per_user(Some(one)).at_limit(AtLimit::EndOldest);
    let site = site.world().users(ending).open().await;
    let (mut first, mut second) = (first.at(&site), second.at(&site));
    second.visit([login("ada")]).await;
    assert_eq!(second.visit([get("a"), Principal]).await.body, "1 \"ada\"");
    assert_eq!(first.visit([Principal]).await.body, "null");
}
