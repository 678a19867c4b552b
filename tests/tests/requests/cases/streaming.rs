//! Answers whose body goes on after the head: a stream, server-sent events, a WebSocket.

use crate::site::*;

pub(crate) async fn a_stream_begins_after_the_session_was_saved(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    let later = [wait("later"), get("a"), insert("a", 2), Save, get("a")];
    let request = visitor.get("/stream").script([insert("a", 1)]).late(&[&[get("a")], &later, &[get("a")]]);
    let mut exchange = request.begin().await;
    visitor.keep(&exchange.head());
    assert_eq!(exchange.next().await, "1\n");
    assert_eq!((visitor.sees("a").await, site.probe.writes()), ("1".to_owned(), 1), "while the body goes on");
    site.gates.open("later", 1);
    let answer = exchange.finish().await;
    let head = ["200", "cache-control: no-store", "content-type: text/plain", COOKIE];
    assert_eq!(answer.lines(), [&head[..], &["transfer-encoding: chunked", "vary: Cookie", "1 2\n2\n"]].concat());
    assert_eq!((visitor.sees("a").await, site.probe.writes()), ("2".to_owned(), 2));
}

pub(crate) async fn a_stream_may_log_out(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    visitor.visit([login("ada")]).await;
    let answer = visitor.get("/stream").late(&[&[Principal, Destroy, Save], &[Principal]]).send().await;
    assert_eq!((answer.body.as_str(), answer.cookies().len()), ("\"ada\"\nnull\n", 0));
    assert_eq!((visitor.visit([Principal]).await.body, site.sessions().await), ("null".to_owned(), 0));
}

pub(crate) async fn what_needs_a_cookie_is_an_error_once_the_head_is_out(world: World) {
    let site = world.open().await;
    let late: [&[Step]; 3] = [&[insert("a", 1), Save], &[login("ada"), Save], &[Discard, Save, Entries]];
    let answer = site.get("/stream").late(&late).send().await;
    assert_eq!((answer.body.as_str(), answer.cookies().len()), ("HeadSent\nHeadSent\n[]\n", 0));
    assert_eq!(site.probe.calls(), 0);

    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1)]).await;
    let late: [&[Step]; 3] = [&[Cycle, Save], &[Discard, login("ada"), Save], &[Discard, insert("a", 2), Save]];
    let answer = visitor.get("/stream").late(&late).send().await;
    assert_eq!(answer.body, "HeadSent\nHeadSent\n\n");
    assert_eq!(visitor.visit([get("a"), Principal]).await.body, "2 null");
}

pub(crate) async fn a_change_after_the_head_that_is_not_saved_is_lost(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1)]).await;
    let writes = site.probe.writes();
    assert_eq!(visitor.get("/stream").late(&[&[insert("a", 2), get("a")]]).send().await.body, "2\n");
    assert_eq!((visitor.sees("a").await, site.probe.writes()), ("1".to_owned(), writes));
}

pub(crate) async fn a_stream_that_saves_into_an_ended_session_hears_of_it(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1)]).await;
    let late: [&[Step]; 2] = [&[wait("later"), insert("a", 2), Save], &[insert("a", 3), Save]];
    let exchange = visitor.get("/stream").late(&late).begin().await;
    visitor.visit([Destroy]).await;
    site.gates.open("later", 1);
    assert_eq!(exchange.finish().await.body, "Gone\nEnded\n");
    assert_eq!(site.sessions().await, 0);
}

pub(crate) async fn a_stream_and_other_requests_merge_their_changes(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    visitor.visit([insert("n", 0)]).await;
    let late: [&[Step]; 2] = [&[wait("later"), increment("n"), Save, get("n")], &[increment("n"), Save, get("n")]];
    let exchange = visitor.get("/stream").late(&late).begin().await;
    visitor.visit([increment("n"), insert("a", 1)]).await;
    site.gates.open("later", 1);
    assert_eq!(exchange.finish().await.body, "2\n3\n");
    assert_eq!(visitor.visit([Entries]).await.body, r#"[["a",1],["n",3]]"#);
}

pub(crate) async fn server_sent_events_begin_after_the_session_was_saved(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    let later = [wait("later"), increment("n"), Save, get("n")];
    let mut exchange = visitor.get("/events").script([increment("n")]).late(&[&[get("n")], &later]).begin().await;
    visitor.keep(&exchange.head());
    assert_eq!((exchange.next().await.as_str(), visitor.sees("n").await), ("data: 1\n\n", "1".to_owned()));
    site.gates.open("later", 1);
    let answer = exchange.finish().await;
    let head = ["200", "cache-control: no-store", "content-type: text/event-stream", COOKIE];
    let rest = ["transfer-encoding: chunked", "vary: Cookie", "data: 2\n\n"];
    assert_eq!(answer.lines(), [&head[..], &rest].concat());
    assert_eq!(visitor.sees("n").await, "2");
}

pub(crate) async fn a_socket_opens_after_the_session_was_saved(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    let mut socket = visitor.get("/socket").script([insert("n", 1)]).upgrade().await;
    visitor.keep(&socket.head);
    let lines = socket.head.lines();
    let head: Vec<_> = lines.iter().filter(|line| !line.starts_with("sec-websocket-accept")).collect();
    let expected = ["101", "cache-control: no-store", "connection: upgrade", COOKIE];
    let expected = [&expected[..], &["upgrade: websocket", "vary: Cookie", ""]].concat();
    assert_eq!(head, expected);
    assert_eq!((visitor.sees("n").await, site.probe.writes()), ("1".to_owned(), 1));

    assert_eq!(socket.run(&[get("n"), increment("n")]).await, "1");
    assert_eq!(visitor.sees("n").await, "1", "nothing is saved before it is asked for");
    assert_eq!(socket.run(&[Save, get("n")]).await, "2");
    assert_eq!(visitor.sees("n").await, "2");
    visitor.visit([increment("n")]).await;
    assert_eq!(socket.run(&[increment("n"), Save, get("n")]).await, "4");
}

pub(crate) async fn a_socket_may_end_the_session_and_cannot_begin_another(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    visitor.visit([login("ada")]).await;
    let mut socket = visitor.get("/socket").upgrade().await;
    assert_eq!((socket.head.cookies().len(), socket.run(&[Principal]).await.as_str()), (0, "\"ada\""));
    assert_eq!(socket.run(&[attempt(Cycle), Save]).await, "HeadSent");
    assert_eq!(socket.run(&[Discard, Destroy, Save]).await, "");
    assert_eq!(socket.run(&[insert("a", 1), Save]).await, "HeadSent");
    assert_eq!((visitor.visit([Principal]).await.body, site.sessions().await), ("null".to_owned(), 0));
}

pub(crate) async fn a_socket_of_a_visitor_without_a_session_cannot_begin_one(world: World) {
    let site = world.open().await;
    let mut socket = site.get("/socket").upgrade().await;
    assert_eq!((socket.head.status, socket.head.cookies().len()), (101, 0));
    assert_eq!(socket.run(&[insert("a", 1), Save]).await, "HeadSent");
    assert_eq!(site.probe.calls(), 0);
}

pub(crate) async fn a_socket_hears_that_its_session_was_ended(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1)]).await;
    let mut socket = visitor.get("/socket").upgrade().await;
    visitor.visit([Destroy]).await;
    assert_eq!(socket.run(&[insert("a", 2), Save]).await, "Gone");
    assert_eq!(site.sessions().await, 0);
}
