//! Requests to one session at the same time. Gates make every interleaving certain.

use tokio::task::JoinHandle;

use nexios_middleware_core::Event;

use crate::site::*;

/// Opens a site, with a visitor who has a session in which `n` is 0.
async fn open(world: World) -> (Site, Visitor) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    visitor.visit([insert("n", 0)]).await;
    (site, visitor)
}

/// Begins a request that loads the session, makes its changes, and waits at the gate `slow` before it answers.
async fn slow(site: &Site, visitor: &Visitor, steps: impl IntoIterator<Item = Step>) -> JoinHandle<Answer> {
    let request = visitor.spawn_visit(steps.into_iter().chain([wait("slow")]));
    site.gates.arrivals("slow", 1).await;
    request
}

/// Lets a slow request go on.
async fn finish(site: &Site, request: JoinHandle<Answer>) -> Answer {
    site.gates.open("slow", 1);
    request.await.unwrap()
}

pub(crate) async fn parallel_increments_end_at_the_exact_sum(world: World) {
    let (site, visitor) = open(world).await;
    let steps = [wait("line-up"), increment("n"), Save, get("n")];
    let requests: Vec<_> = (0..32).map(|_| visitor.spawn_visit(steps.clone())).collect();
    site.gates.arrivals("line-up", 32).await; // all have loaded the same revision
    site.gates.open("line-up", 32);
    let mut numbers = Vec::new();
    for request in requests {
        let answer = request.await.unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        numbers.push(answer.body.parse::<u32>().unwrap());
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=32).collect::<Vec<_>>(), "each request was given a number of its own");
    assert_eq!(visitor.sees("n").await, "32");
    assert!(site.users.counters().of(Event::ChangesMerged) >= 31, "the requests did meet");
}

pub(crate) async fn both_frameworks_serve_the_same_sessions_at_the_same_time(world: World) {
    let (site, visitor) = open(world).await;
    let other = site.world_of_the_other_framework().open().await;
    let visitors = [visitor.clone(), visitor.at(&other)];
    let steps = [wait("line-up"), increment("n"), Save, get("n")];
    let requests: Vec<_> = (0..16).map(|number| visitors[number % 2].spawn_visit(steps.clone())).collect();
    site.gates.arrivals("line-up", 16).await;
    site.gates.open("line-up", 16);
    for request in requests {
        assert_eq!(request.await.unwrap().status, 200);
    }
    let [mut here, mut there] = visitors;
    assert_eq!((here.sees("n").await, there.sees("n").await), ("16".to_owned(), "16".to_owned()));
    there.visit([Destroy]).await;
    assert_eq!(here.visit([get("n")]).await.body, "null");
}

pub(crate) async fn parallel_changes_of_different_keys_merge(world: World) {
    let (site, visitor) = open(world).await;
    let one = slow(&site, &visitor, [insert("a", 1), remove("n")]).await;
    let two = slow(&site, &visitor, [insert("b", 2)]).await;
    site.gates.open("slow", 2);
    for request in [one, two] {
        assert_eq!(request.await.unwrap().status, 200);
    }
    assert_eq!(visitor.get("/visit").script([Entries]).send().await.body, r#"[["a",1],["b",2]]"#);
}

pub(crate) async fn a_slow_request_does_not_undo_a_logout(world: World) {
    let site = world.open().await;
    for steps in [vec![insert("a", 1)], vec![increment("n")], vec![Cycle], vec![Clear], vec![get("n")]] {
        let mut visitor = site.visitor();
        visitor.visit([insert("n", 0)]).await;
        let stolen = visitor.clone();
        let slow = slow(&site, &visitor, steps.clone()).await;
        visitor.visit([Destroy]).await;
        let answer = finish(&site, slow).await;
        assert_eq!((answer.status, answer.cookies().len()), (200, 0), "the answer stands, without a cookie: {steps:?}");
        assert_eq!((stolen.sees("n").await, site.sessions().await), ("null".to_owned(), 0), "{steps:?}");
    }
}

pub(crate) async fn of_two_who_take_a_value_once_one_gets_it(world: World) {
    let (site, mut visitor) = open(world).await;
    visitor.visit([insert("token", "t")]).await;
    let slow = slow(&site, &visitor, [take_once("token"), insert("n", 1)]).await;
    assert_eq!(visitor.visit([take_once("token"), insert("n", 2)]).await.body, "\"t\"");
    let answer = finish(&site, slow).await;
    assert_eq!(answer.lines(), ["409", "content-length: 0", "vary: Cookie", ""]);
    assert_eq!(visitor.visit([get("token"), get("n")]).await.body, "null 2", "nothing of the second is saved");
}

pub(crate) async fn of_two_buyers_of_the_last_piece_one_gets_it(world: World) {
    let (site, mut visitor) = open(world).await;
    visitor.visit([insert("stock", 1)]).await;
    let slow = slow(&site, &visitor, [spend("stock")]).await;
    assert_eq!(visitor.visit([spend("stock")]).await.status, 200);
    let answer = finish(&site, slow).await;
    assert_eq!(answer.lines(), ["409", "content-length: 0", "vary: Cookie", ""]);
    assert_eq!(visitor.visit([get("stock"), attempt(spend("stock"))]).await.body, "0 \"Refused\"");
}

pub(crate) async fn a_save_into_an_ended_session_is_answered_with_a_conflict(world: World) {
    let (site, mut visitor) = open(world).await;
    let request = visitor.spawn_visit([insert("a", 1), wait("slow"), Save]);
    site.gates.arrivals("slow", 1).await;
    visitor.visit([Destroy]).await;
    let answer = finish(&site, request).await;
    assert_eq!(answer.lines(), ["409", "content-length: 0", "vary: Cookie", ""]);
    assert_eq!(site.sessions().await, 0);
}

pub(crate) async fn a_logout_wins_over_an_update_that_the_store_has_begun(world: World) {
    let site = world.open().await;
    for trouble in [Trouble::WaitsBefore, Trouble::WaitsAfter] {
        let mut visitor = site.visitor();
        visitor.visit([insert("n", 0)]).await;
        let stolen = visitor.clone();
        site.probe.make(CallKind::Update, trouble);
        let update = visitor.spawn_visit([increment("n")]);
        site.gates.arrivals("store", 1).await;
        site.probe.heal(); // the logout updates the record too, and does not wait
        assert_eq!(visitor.visit([Destroy]).await.cookies().len(), 1, "{trouble:?}");
        site.gates.open("store", 1);
        let answer = update.await.unwrap();
        assert_eq!(answer.status, 200, "{trouble:?}");
        assert_eq!((stolen.sees("n").await, site.sessions().await), ("null".to_owned(), 0), "{trouble:?}");
    }
}

pub(crate) async fn a_logout_ends_what_was_updated_after_it_began(world: World) {
    let (site, visitor) = open(world).await;
    let logout = slow(&site, &visitor, [Destroy]).await;
    visitor.clone().visit([increment("n")]).await;
    assert_eq!(finish(&site, logout).await.lines()[4], REMOVAL);
    assert_eq!((visitor.sees("n").await, site.records().await), ("null".to_owned(), vec![]));
}

pub(crate) async fn a_new_id_keeps_what_a_parallel_update_wrote_before_it(world: World) {
    let (site, mut visitor) = open(world).await;
    let cycling = slow(&site, &visitor, [Cycle]).await;
    visitor.visit([insert("a", 1)]).await;
    let answer = finish(&site, cycling).await;
    visitor.keep(&answer);
    assert_eq!((visitor.sees("a").await, site.sessions().await), ("1".to_owned(), 1));
}

pub(crate) async fn an_update_after_a_new_id_is_dropped_without_a_cookie(world: World) {
    let (site, mut visitor) = open(world).await;
    let updating = slow(&site, &visitor, [insert("a", 1)]).await;
    visitor.visit([Cycle]).await;
    let answer = finish(&site, updating).await;
    assert_eq!((answer.status, answer.cookies().len()), (200, 0));
    assert_eq!((visitor.sees("a").await, site.sessions().await), ("null".to_owned(), 1));
}

pub(crate) async fn two_parallel_new_ids_leave_one_session(world: World) {
    let (site, mut visitor) = open(world).await;
    let one = slow(&site, &visitor, [Cycle]).await;
    let two = slow(&site, &visitor, [Cycle]).await;
    let mut cookies = 0;
    site.gates.open("slow", 2);
    for request in [one, two] {
        let answer = request.await.unwrap();
        cookies += answer.cookies().len();
        visitor.keep(&answer);
    }
    assert_eq!((cookies, visitor.sees("n").await, site.sessions().await), (1, "0".to_owned(), 1));
}

pub(crate) async fn a_login_into_an_ended_session_begins_a_fresh_one(world: World) {
    let (site, mut visitor) = open(world).await;
    let entering = slow(&site, &visitor, [login("ada"), insert("own", 1)]).await;
    visitor.visit([Destroy]).await;
    let answer = finish(&site, entering).await;
    visitor.keep(&answer);
    assert_eq!(visitor.visit([Principal, Entries]).await.body, r#""ada" [["own",1]]"#, "and nothing that was loaded");
}

pub(crate) async fn a_logout_follows_a_users_session_to_its_new_id(world: World) {
    let (site, mut visitor) = open(world).await;
    visitor.visit([login("ada")]).await;
    let logout = slow(&site, &visitor, [Destroy]).await;
    visitor.visit([Cycle]).await;
    finish(&site, logout).await;
    assert_eq!((visitor.visit([Principal]).await.body, site.sessions().await), ("null".to_owned(), 0));
}

pub(crate) async fn a_value_of_another_type_fails_the_commit_and_writes_nothing(world: World) {
    let (site, mut visitor) = open(world).await;
    let counting = slow(&site, &visitor, [increment("n"), insert("a", 1)]).await;
    visitor.visit([insert("n", "text")]).await;
    let answer = finish(&site, counting).await;
    assert_eq!(answer.lines(), ["500", "content-length: 0", "vary: Cookie", ""]);
    assert_eq!(visitor.visit([Entries]).await.body, r#"[["n","text"]]"#);
}
