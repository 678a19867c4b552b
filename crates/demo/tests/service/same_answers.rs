//! The two programs, compared answer by answer.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::program::{Framework, Program, sessions};

/// Compares the heads of the answers, without the parts that belong to the server or change with time.
#[test]
fn both_programs_give_the_same_answers() {
    let heads = |framework| {
        let (_parent, dir) = sessions();
        let program = Program::start(framework, &dir, &[]);
        let mut heads = Vec::new();
        for request in [
            "GET / HTTP/1.1",
            "GET /session HTTP/1.1",
            "GET /session/a HTTP/1.1",
            "GET /healthz HTTP/1.1",
            "GET /fail HTTP/1.1",
            "GET /slow?ms=1 HTTP/1.1",
            "GET /nowhere HTTP/1.1",
            "POST /logout HTTP/1.1\r\nContent-Length: 0",
            "POST /logout HTTP/1.1\r\nCookie: sessionid=stale\r\nContent-Length: 0",
            "POST /session/a HTTP/1.1\r\nContent-Length: 1\r\n\r\n1",
            "POST /session/a HTTP/1.1\r\nContent-Length: 1\r\n\r\n{",
            "POST /session/%ff HTTP/1.1\r\nContent-Length: 1\r\n\r\n1",
            "POST /login HTTP/1.1\r\nContent-Length: 14\r\n\r\n{\"user\":\"ada\"}",
            "POST /signed-cookie/theme HTTP/1.1\r\nContent-Length: 4\r\n\r\ndark",
            "GET /signed-cookie/theme HTTP/1.1\r\nCookie: theme=forged",
            "DELETE /session/a HTTP/1.1",
        ] {
            let mut stream = TcpStream::connect(program.address).unwrap();
            let (line, rest) = request.split_once("\r\n").unwrap_or((request, ""));
            let (headers, body) = rest.split_once("\r\n\r\n").unwrap_or((rest, ""));
            let end = if headers.is_empty() { "" } else { "\r\n" };
            write!(stream, "{line}\r\nHost: x\r\nConnection: close\r\n{headers}{end}\r\n{body}").unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            let mut lines: Vec<_> = head.lines().map(comparable).filter(|line| !line.starts_with("date:")).collect();
            lines[1..].sort();
            heads.push((request, lines, body.to_owned()));
        }
        heads
    };
    for (axum, actix) in heads(Framework::Axum).into_iter().zip(heads(Framework::Actix)) {
        assert_eq!(axum, actix);
    }
}

/// A header line without its ids and times.
fn comparable(line: &str) -> String {
    let (name, value) = line.split_once(':').unwrap_or((line, ""));
    let value = value.split("; Expires").next().unwrap_or_default();
    match value.split_once("sessionid=").and_then(|(_, rest)| rest.split_once(';')) {
        Some((id, attributes)) => format!("{}: sessionid of {} bytes;{attributes}", name.to_lowercase(), id.len()),
        None => format!("{}:{value}", name.to_lowercase()),
    }
}
