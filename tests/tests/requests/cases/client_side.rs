//! Sessions that visitors keep themselves: the same requests without a store.

use nexios_middleware_core::SessionManager;

use crate::site::*;

async fn open(world: World) -> Site {
    let site = world.open().await;
    let clock = site.clock.clone();
    let client_side = |_| SessionManager::client_side().keys(keys(&[KEY])).clock(clock);
    site.world().users(client_side).open().await
}

pub(crate) async fn a_session_lives_in_its_visitors_cookie(world: World) {
    let site = open(world).await;
    let mut visitor = site.visitor();
    assert_eq!(visitor.visit([get("a")]).await.cookies().len(), 0);
    visitor.visit([insert("a", 1)]).await;
    visitor.visit([login("ada"), increment("a")]).await;
    assert_eq!(visitor.visit([get("a"), Principal]).await.body, "2 \"ada\"");
    assert_eq!(visitor.visit([insert("a", 3), status(500)]).await.cookies().len(), 0);
    assert_eq!(visitor.sees("a").await, "2");
    let answer = visitor.visit([Destroy]).await;
    let head = ["200", "cache-control: no-store", "content-length: 0", "content-type: text/plain"];
    assert_eq!(answer.lines(), [&head[..], &[REMOVAL, "vary: Cookie", ""]].concat());
    assert_eq!((visitor.sees("a").await, site.probe.calls()), ("null".to_owned(), 0));
}

pub(crate) async fn a_value_that_does_not_fit_is_an_empty_500_and_the_rest_stays(world: World) {
    let site = open(world).await;
    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1)]).await;
    let answer = visitor.visit([insert("b", "x".repeat(3000))]).await;
    assert_eq!(answer.lines(), ["500", "content-length: 0", "vary: Cookie", ""]);
    visitor.visit([insert("b", "x".repeat(2800))]).await;
    assert_eq!(visitor.sees("a").await, "1");
}
