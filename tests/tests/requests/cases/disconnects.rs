//! Clients that go away, at each place where the server waits.

use crate::site::*;

/// Opens a site, with a visitor who has a session in which `a` and `b` are 1.
async fn open(world: World) -> (Site, Visitor) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1), insert("b", 1)]).await;
    (site, visitor)
}

pub(crate) async fn while_the_session_is_loaded_nothing_happens(world: World) {
    let (site, visitor) = open(world).await;
    site.probe.make(CallKind::Load, Trouble::WaitsBefore);
    let client = visitor.get("/visit").script([insert("a", 2)]).open(0).await;
    site.gates.arrivals("store", 1).await;
    client.reset();
    site.gates.arrivals("Load is over", 1).await;
    site.probe.heal();
    assert_eq!((visitor.sees("a").await, site.probe.writes()), ("1".to_owned(), 1));
}

pub(crate) async fn while_the_handler_works_its_changes_are_dropped(world: World) {
    let (site, visitor) = open(world).await;
    site.gates.arrivals("script is over", 1).await;
    for steps in [vec![insert("a", 2)], vec![login("ada")], vec![Cycle], vec![Destroy]] {
        let client = visitor.get("/visit").script(steps.into_iter().chain([wait("handler")])).open(0).await;
        site.gates.arrivals("handler", 1).await;
        client.reset();
        site.gates.arrivals("script is over", 1).await;
    }
    assert_eq!(visitor.get("/visit").script([get("a"), Principal]).send().await.body, "1 null");
    assert_eq!(site.probe.writes(), 1);
}

pub(crate) async fn while_the_handler_works_what_it_has_saved_stays(world: World) {
    let (site, visitor) = open(world).await;
    site.gates.arrivals("script is over", 1).await;
    let steps = [insert("a", 2), Save, insert("a", 3), wait("handler")];
    let client = visitor.get("/visit").script(steps).open(0).await;
    site.gates.arrivals("handler", 1).await;
    client.reset();
    site.gates.arrivals("script is over", 1).await;
    assert_eq!(visitor.sees("a").await, "2");
}

pub(crate) async fn in_the_middle_of_the_body_the_changes_are_dropped(world: World) {
    let (site, visitor) = open(world).await;
    let client = visitor.get("/body").method(http::Method::POST).script([insert("a", 2), status(500)]).open(10).await;
    site.gates.arrivals("body is awaited", 1).await;
    client.reset();
    site.gates.arrivals("body is over", 1).await;
    assert_eq!((visitor.sees("a").await, site.probe.writes()), ("1".to_owned(), 1));
}

pub(crate) async fn before_the_store_has_begun_to_save_nothing_is_saved(world: World) {
    let (site, visitor) = open(world).await;
    for (call, steps) in [
        (CallKind::Update, vec![insert("a", 2)]),
        (CallKind::Rename, vec![login("ada")]),
        (CallKind::Update, vec![Destroy]),
    ] {
        site.probe.make(call, Trouble::WaitsBefore);
        let client = visitor.get("/visit").script(steps).open(0).await;
        site.gates.arrivals("store", 1).await;
        client.reset();
        site.gates.arrivals(&format!("{call:?} is over"), 1).await;
        site.probe.heal();
        let answer = visitor.get("/visit").script([get("a"), Principal]).send().await;
        assert_eq!((answer.body.as_str(), site.sessions().await), ("1 null", 1), "{call:?}");
    }
}

pub(crate) async fn between_the_calls_of_a_logout_the_session_has_ended(world: World) {
    let (site, mut visitor) = open(world).await;
    site.probe.make(CallKind::Delete, Trouble::WaitsBefore);
    let client = visitor.get("/visit").script([Destroy]).open(0).await;
    site.gates.arrivals("store", 1).await;
    client.reset();
    site.gates.arrivals("Delete is over", 1).await;
    site.probe.heal();
    assert_eq!((visitor.sees("a").await, site.records().await), ("null".to_owned(), vec!["ended"]));
    assert_eq!(visitor.clone().visit([insert("b", 2)]).await.cookies().len(), 1, "the visitor may begin anew");
    assert_eq!(visitor.visit([Destroy]).await.cookies().len(), 1, "and the logout can be tried again");
    assert_eq!(site.records().await, ["session"]);
}

pub(crate) async fn after_the_store_has_saved_it_is_saved(world: World) {
    let (site, visitor) = open(world).await;
    for (call, steps, sees, sessions) in
        [(CallKind::Update, vec![insert("a", 2)], "2", 1), (CallKind::Delete, vec![Destroy], "null", 0)]
    {
        site.probe.make(call, Trouble::WaitsAfter);
        let client = visitor.get("/visit").script(steps).open(0).await;
        site.gates.arrivals("store", 1).await;
        client.reset();
        site.gates.arrivals(&format!("{call:?} is over"), 1).await;
        site.probe.heal();
        assert_eq!((visitor.sees("a").await.as_str(), site.sessions().await), (sees, sessions), "{call:?}");
    }
}

pub(crate) async fn while_the_store_saves_it_saves_all_or_nothing(world: World) {
    let (site, visitor) = open(world).await;
    for number in 2..22 {
        site.probe.make(CallKind::Update, Trouble::TellsAndGoesOn);
        let client = visitor.get("/visit").script([insert("a", number), insert("b", number)]).open(0).await;
        site.gates.arrivals("store", 1).await;
        client.reset();
        site.gates.arrivals("Update is over", 1).await;
        site.probe.heal();
        // This save waits for a write that may still be under way, and is not undone by it.
        let saved = visitor.get("/visit").script([insert("after", number)]).send().await;
        assert_eq!(saved.status, 200);
        let answer = visitor.get("/visit").script([get("a"), get("b"), get("after")]).send().await;
        let read: Vec<u32> = answer.body.split(' ').map(|number| number.parse().unwrap()).collect();
        assert!(read[0] == read[1] && read[2] == number, "{read:?} in round {number}");
        assert!(read[0] <= number, "{read:?} in round {number}");
        site.gates.arrivals("Update is over", 1).await;
    }
}

pub(crate) async fn a_session_whose_cookie_never_arrived_expires_unused(world: World) {
    let (site, _) = open(world).await;
    site.probe.make(CallKind::Create, Trouble::WaitsAfter);
    let client = site.get("/visit").script([insert("a", 2)]).open(0).await;
    site.gates.arrivals("store", 1).await;
    client.reset();
    site.gates.arrivals("Create is over", 2).await;
    assert_eq!(site.sessions().await, 2);
    site.sleep(std::time::Duration::from_secs(14 * 24 * 60 * 60));
    assert_eq!(site.sessions().await, 0);
}

pub(crate) async fn after_the_head_only_what_was_saved_stays(world: World) {
    let (site, visitor) = open(world).await;
    site.gates.arrivals("script is over", 1).await;
    let late: [&[Step]; 1] = [&[insert("a", 3), wait("later"), Save]];
    let request = visitor.get("/stream").script([insert("a", 2)]).late(&late);
    let client = request.open(0).await;
    site.gates.arrivals("later", 1).await;
    assert_eq!(visitor.sees("a").await, "2");
    client.reset();
    // One arrival each of the script, the reader and the stream.
    site.gates.arrivals("script is over", 3).await;
    assert_eq!((visitor.sees("a").await, site.probe.writes()), ("2".to_owned(), 2));
}
