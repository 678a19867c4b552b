//! The two programs, compared answer by answer.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::program::{Browser, Framework, Program, sessions};

on_both! {
    head_is_answered_as_get_without_the_body
    a_method_that_a_path_does_not_have_is_a_405
}

/// Compares whole answers, without the parts that belong to the server or change with time.
#[test]
fn both_programs_give_the_same_answers() {
    let too_long = "x".repeat(201);
    let requests = [
        "GET /",
        "GET /session",
        "GET /session/a",
        "GET /healthz",
        "GET /fail",
        "GET /slow?ms=1",
        "GET /slow?ms=x",
        "GET /nowhere",
        "GET /session/",
        "HEAD /nowhere",
        "POST /nowhere",
        "POST /logout",
        "POST /logout\r\nCookie: sessionid=stale",
        "POST /session/a\r\n\r\n1",
        "POST /session/a\r\n\r\n{",
        "POST /session/a\r\n\r\n1e400",
        "POST /session/%ff\r\n\r\n1",
        "POST /login\r\n\r\n{\"user\":\"ada\"}",
        "POST /login\r\n\r\n{}",
        "POST /signed-cookie/theme\r\n\r\ndark",
        "GET /signed-cookie/theme\r\nCookie: theme=forged",
        "DELETE /session/a",
        "GET /sessions",
        "GET /ended",
        "DELETE /sessions/x",
        "DELETE /sessions/%ff",
        "POST /device\r\n\r\na laptop",
        "POST /logout-everywhere",
        // And of a visitor who is logged in:
        "GET /session\r\nCookie: OURS",
        "HEAD /session\r\nCookie: OURS",
        "GET /session/user\r\nCookie: OURS",
        "POST /increment/n\r\nCookie: OURS",
        "POST /device\r\nCookie: OURS\r\n\r\na laptop",
        &format!("POST /device\r\nCookie: OURS\r\n\r\n{too_long}"),
        "GET /sessions\r\nCookie: OURS",
        "HEAD /sessions\r\nCookie: OURS",
        "DELETE /sessions/x\r\nCookie: OURS",
        "DELETE /sessions/0123456789abcdef0123456789abcdef\r\nCookie: OURS",
        "POST /logout-everywhere\r\nCookie: OURS",
        "GET /sessions\r\nCookie: OURS",
    ];
    let [axum, actix] = [Framework::Axum, Framework::Actix].map(|framework| {
        let (_parent, dir) = sessions();
        let program = Program::start(framework, &dir, &[]);
        let mut visitor = Browser::new(&program);
        visitor.post("/login", r#"{"user": "ada"}"#);
        let ours = visitor.cookie.unwrap();
        requests.map(|request| ask(&program, &request.replace("OURS", &ours)))
    });
    for ((request, axum), actix) in requests.iter().zip(axum).zip(actix) {
        assert_eq!(axum, actix, "{request}");
    }
}

fn head_is_answered_as_get_without_the_body(framework: Framework) {
    let (_parent, dir) = sessions();
    let program = Program::start(framework, &dir, &[]);
    let mut visitor = Browser::new(&program);
    visitor.post("/login", r#"{"user": "ada"}"#);
    let ours = visitor.cookie.unwrap();
    for path in PATHS.map(|(path, _)| path).into_iter().chain(["/nowhere", "/session/user", "/session/%ff"]) {
        for cookie in [String::new(), format!("\r\nCookie: {ours}")] {
            let [(head, body), (of_get, _)] =
                ["HEAD", "GET"].map(|method| ask(&program, &format!("{method} {path}{cookie}")));
            assert_eq!((head, body), (of_get, String::new()), "{path}");
        }
    }
}

fn a_method_that_a_path_does_not_have_is_a_405(framework: Framework) {
    let (_parent, dir) = sessions();
    let program = Program::start(framework, &dir, &[]);
    for (path, allowed) in PATHS {
        // Without CONNECT, which has no path (RFC 9110, 9.3.6).
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"] {
            let (head, body) = ask(&program, &format!("{method} {path}"));
            let refusal = ["http/1.1 405 method not allowed", &format!("allow: {allowed}"), "content-length: 0"];
            let is_refused = head[0] == refusal[0];
            assert_eq!(is_refused, !allowed.split(',').any(|allowed| allowed == method), "{method} {path}: {head:?}");
            if is_refused {
                assert!(refusal.iter().all(|line| head.iter().any(|found| found == line)), "{method} {path}: {head:?}");
                assert_eq!((head.len(), &*body), (4, ""), "{head:?}: the fourth is `connection: close`");
            }
        }
    }
}

/// The paths of the interface, and what each allows.
const PATHS: [(&str, &str); 14] = [
    ("/", "GET,HEAD"),
    ("/healthz", "GET,HEAD"),
    ("/session", "GET,HEAD"),
    ("/session/a", "GET,HEAD,POST,DELETE"),
    ("/increment/n", "POST"),
    ("/login", "POST"),
    ("/logout", "POST"),
    ("/logout-everywhere", "POST"),
    ("/sessions", "GET,HEAD"),
    ("/sessions/x", "DELETE"),
    ("/device", "POST"),
    ("/slow", "GET,HEAD"),
    ("/fail", "GET,HEAD"),
    ("/signed-cookie/theme", "GET,HEAD,POST"),
];

/// Sends a request: its first line, headers and body. Returns what is comparable of the answer: its head and its body.
fn ask(program: &Program, request: &str) -> (Vec<String>, String) {
    let (head, body) = request.split_once("\r\n\r\n").unwrap_or((request, ""));
    let (line, headers) = head.split_once("\r\n").unwrap_or((head, ""));
    let end = if headers.is_empty() { "" } else { "\r\n" };
    let length = body.len();
    let mut stream = TcpStream::connect(program.address).unwrap();
    write!(
        stream,
        "{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}{end}\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let mut lines: Vec<_> = head.lines().map(comparable).filter(|line| !line.starts_with("date:")).collect();
    lines[1..].sort();
    (lines, comparable_body(body))
}

/// A header line without its ids and times, and with the name in lower case.
fn comparable(line: &str) -> String {
    let Some((name, value)) = line.split_once(':') else { return line.to_lowercase() };
    let value = value.split("; Expires").next().unwrap_or_default();
    match value.split_once("sessionid=").and_then(|(_, rest)| rest.split_once(';')) {
        Some((id, attributes)) => format!("{}: sessionid of {} bytes;{attributes}", name.to_lowercase(), id.len()),
        None => format!("{}:{value}", name.to_lowercase()),
    }
}

/// A body without handles and times: only the length stays of 13 or more hex digits in a row.
fn comparable_body(body: &str) -> String {
    let mut comparable = String::new();
    let mut rest = body;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|digit: char| digit.is_ascii_hexdigit()).len();
        match digits {
            13.. => comparable += &format!("({digits} digits)"),
            _ => comparable += &rest[..digits],
        }
        rest = &rest[digits..];
        let next = rest.find(|digit: char| digit.is_ascii_hexdigit()).unwrap_or(rest.len());
        comparable += &rest[..next];
        rest = &rest[next..];
    }
    comparable
}
