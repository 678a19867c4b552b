//! Handlers that panic.

use crate::site::*;

pub(crate) async fn a_panic_ends_the_connection_and_changes_nothing(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1)]).await;
    let writes = site.probe.writes();
    for steps in [vec![insert("a", 2)], vec![Cycle], vec![login("ada")], vec![Destroy], vec![Clear]] {
        // More panics than there are workers, so that a worker that dies is noticed.
        for _ in 0..2 {
            visitor.get("/visit").script(steps.iter().cloned().chain([Panic])).send_in_vain().await;
        }
    }
    assert_eq!((visitor.sees("a").await, site.probe.writes()), ("1".to_owned(), writes));
}

pub(crate) async fn a_panic_does_not_undo_what_was_saved_before(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1)]).await;
    visitor.get("/visit").script([insert("a", 2), Save, insert("a", 3), Panic]).send_in_vain().await;
    assert_eq!(visitor.sees("a").await, "2");
}

pub(crate) async fn a_panic_caught_inside_the_layer_is_a_server_error(world: World) {
    let site = world.layout(Layout::PanicsCaughtInside).open().await;
    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1)]).await;
    let writes = site.probe.writes();
    let answer = visitor.visit([insert("a", 2), login("ada"), Panic]).await;
    let head = ["500", "content-length: 6", "content-type: text/plain", "vary: Cookie"];
    assert_eq!(answer.lines(), [&head[..], &["caught"]].concat());
    assert_eq!((visitor.sees("a").await, site.probe.writes()), ("1".to_owned(), writes));

    let answer = visitor.visit([Cycle, Save, insert("a", 2), Panic]).await;
    assert_eq!((answer.status, answer.cookies().len(), visitor.sees("a").await), (500, 1, "1".to_owned()));
    let answer = visitor.visit([Destroy, Panic]).await;
    assert_eq!((answer.lines()[4].as_str(), site.sessions().await), (REMOVAL, 0), "and a logout is carried out");
}

pub(crate) async fn a_panic_caught_outside_the_layer_changes_nothing(world: World) {
    let site = world.layout(Layout::PanicsCaughtOutside).open().await;
    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1)]).await;
    let writes = site.probe.writes();
    for steps in [vec![insert("a", 2)], vec![Cycle], vec![Destroy]] {
        let answer = visitor.visit(steps.into_iter().chain([Panic])).await;
        assert_eq!(answer.lines(), ["500", "content-length: 6", "content-type: text/plain", "caught"]);
    }
    assert_eq!((visitor.sees("a").await, site.probe.writes()), ("1".to_owned(), writes));
}
