//! Attempts of hostile visitors.

use crate::site::*;

pub(crate) async fn forged_cookies_open_nothing_and_ask_no_store(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1)]).await;
    let good = visitor.cookies();
    let (id, tag) = good.strip_prefix("sessionid=").unwrap().split_once('.').unwrap();
    let other = if tag.starts_with('A') { "B" } else { "A" };
    let calls = site.probe.calls();
    for forged in [
        good[..good.len() - 1].to_owned(),
        format!("{good}A"),
        format!("{good}="),
        format!("sessionid={id}.{other}{}", &tag[1..]),
        format!("sessionid={id}.{tag}.{tag}"),
        format!("sessionid={}.{tag}", "0".repeat(32)),
        format!("sessionid={}.{tag}", id.to_uppercase()),
        format!("sessionid={id}"),
        format!("sessionid={tag}.{id}"),
        "sessionid=".to_owned(),
        format!("sessionid=\"{id}.{tag}\""),
        format!("SESSIONID={id}.{tag}"),
        format!("admin={id}.{tag}"),
        format!("sessionid=../../{id}.{tag}"),
        format!("sessionid={}", "a".repeat(10_000)),
        "sessionid=a; ".repeat(500),
    ] {
        // An id without letters has no upper case.
        if forged == good {
            continue;
        }
        let answer = site.get("/visit").cookie(&forged).script([get("a")]).send().await;
        let head = ["200", "content-length: 4", "content-type: text/plain", "vary: Cookie"];
        assert_eq!(answer.lines(), [&head[..], &["null"]].concat(), "{forged}");
    }
    assert_eq!(site.probe.calls(), calls);
}

pub(crate) async fn any_bytes_in_a_cookie_line_get_an_answer(world: World) {
    let site = world.open().await;
    let bytes: Vec<u8> = (0x20..=0xff).filter(|byte| *byte != 0x7f).collect();
    for line in [
        bytes.clone(),
        [b"sessionid=", &bytes[..]].concat(),
        [&b"sessionid="[..], &[0xff; 76]].concat(),
        b"=;;==;\"".to_vec(),
        b"\t;\tsessionid\t=\t;".to_vec(),
        b"".to_vec(),
    ] {
        let answer = site.get("/visit").cookie(&line).script([get("a")]).send().await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "null"), "{line:?}");
    }
    assert_eq!(site.probe.calls(), 0);
}

pub(crate) async fn a_cookie_signed_by_another_key_opens_nothing(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1)]).await;
    let other = site.world().users(|builder| builder.keys(keys(&[OTHER_KEY]))).open().await;
    let calls = site.probe.calls();
    assert_eq!(visitor.at(&other).sees("a").await, "null");
    assert_eq!(site.probe.calls(), calls);
}

pub(crate) async fn an_old_keys_cookie_is_signed_anew_after_its_record(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1)]).await;
    let old = visitor.cookies();

    let rotated = site.world().users(|builder| builder.keys(keys(&[OTHER_KEY, KEY]))).open().await;
    let mut visitor = visitor.at(&rotated);
    let answer = visitor.visit([get("a")]).await;
    let head = ["200", "cache-control: no-store", "content-length: 1", "content-type: text/plain"];
    assert_eq!(answer.lines(), [&head[..], &[COOKIE, "vary: Cookie", "1"]].concat());
    assert_eq!(site.probe.count(CallKind::Update), 1);
    assert_ne!(visitor.cookies(), old);
    assert_eq!(visitor.visit([get("a")]).await.cookies().len(), 0, "once");

    let retired = site.world().users(|builder| builder.keys(keys(&[OTHER_KEY]))).open().await;
    assert_eq!(visitor.at(&retired).sees("a").await, "1");
    assert_eq!(retired.get("/visit").cookie(old).script([get("a")]).send().await.body, "null");
}

pub(crate) async fn an_id_that_the_store_does_not_know_is_not_adopted(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1)]).await;
    let mut planted = visitor.clone();
    visitor.visit([Destroy]).await;
    let cookies = planted.cookies();
    planted.visit([insert("a", 2)]).await;
    assert_ne!(planted.cookies(), cookies);
    assert_eq!(site.get("/visit").cookie(cookies).script([get("a")]).send().await.body, "null");
}

pub(crate) async fn a_planted_id_is_worthless_after_a_login(world: World) {
    let site = world.open().await;
    let mut attacker = site.visitor();
    attacker.visit([insert("cart", 1)]).await;
    let mut victim = attacker.clone();
    victim.visit([login("ada")]).await;
    assert_eq!(victim.visit([Principal, get("cart")]).await.body, "\"ada\" 1");
    assert_eq!(attacker.visit([Principal, get("cart")]).await.body, "null null");
    assert_ne!(attacker.cookies(), victim.cookies());
}

pub(crate) async fn the_first_cookie_that_verifies_and_is_live_counts(world: World) {
    let site = world.open().await;
    let mut ended = site.visitor();
    ended.visit([insert("who", "ended")]).await;
    let stale = ended.cookies();
    ended.visit([Destroy]).await;
    let [mut one, mut two] = [site.visitor(), site.visitor()];
    one.visit([insert("who", "one")]).await;
    two.visit([insert("who", "two")]).await;
    let (one, two) = (one.cookies(), two.cookies());
    for (lines, who) in [
        (vec![format!("sessionid=forged; {stale}; {one}; {two}")], "\"one\""),
        (vec!["theme=dark".to_owned(), format!("sessionid=forged; {stale}"), two.clone(), one], "\"two\""),
        (vec![String::new(), two, "theme=dark".to_owned()], "\"two\""),
        (vec![stale], "null"),
    ] {
        let request = lines.iter().fold(site.get("/visit"), Request::cookie);
        assert_eq!(request.script([get("who")]).send().await.body, who, "{lines:?}");
    }
}

pub(crate) async fn visitors_who_come_over_one_connection_are_not_mixed_up(world: World) {
    let site = world.open().await;
    let [mut ada, mut bob] = [site.visitor(), site.visitor()];
    ada.visit([login("ada")]).await;
    bob.visit([login("bob")]).await;
    let mut proxy = site.connect().await;
    for round in 0..3 {
        for (visitor, user) in [(&ada, "\"ada\""), (&site.visitor(), "null"), (&bob, "\"bob\"")] {
            let answer = proxy.send(visitor.get("/visit").script([Principal, status(404)])).await;
            assert_eq!((answer.body.as_str(), answer.cookies().len()), (user, 0), "round {round}");
            let answer = proxy.send(visitor.get("/visit").header("x-inside", "early")).await;
            assert_eq!(answer.lines(), ["403", "content-length: 5", "content-type: text/plain", "early"]);
        }
        assert_eq!(proxy.send(site.get("/plain")).await.all("vary").len(), 0, "round {round}");
        assert_eq!(proxy.send(site.get("/nowhere")).await.lines(), ["404", "content-length: 0", ""]);
    }
}

pub(crate) async fn a_flood_of_genuine_cookies_costs_sixteen_loads(world: World) {
    let site = world.open().await;
    let mut cookies = Vec::new();
    for number in 0..18 {
        let mut visitor = site.visitor();
        visitor.visit([insert("n", number)]).await;
        cookies.push(visitor.cookies());
        if number < 17 {
            visitor.visit([Destroy]).await;
        }
    }
    let loads = site.probe.count(CallKind::Load);
    let answer = site.get("/visit").cookie(cookies.join("; ")).script([get("n")]).send().await;
    assert_eq!((answer.body.as_str(), site.probe.count(CallKind::Load)), ("null", loads + 16));
}

pub(crate) async fn no_content_of_a_session_is_in_the_head_of_an_answer(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    let hostile = "x\r\nset-cookie: evil=1\r\n\r\n<script>";
    let answer = visitor.visit([insert(hostile, hostile), login(hostile)]).await;
    let head = ["200", "cache-control: no-store", "content-length: 0", "content-type: text/plain"];
    assert_eq!(answer.lines(), [&head[..], &[COOKIE, "vary: Cookie", ""]].concat());
    let wrong_type = visitor.visit([get_number(hostile)]).await;
    assert_eq!(wrong_type.lines(), ["500", "content-length: 0", "vary: Cookie", ""]);
    let read = visitor.visit([get(hostile), Principal]).await;
    let hostile = serde_json::json!(hostile);
    assert_eq!(read.body, format!("{hostile} {hostile}"));
}
