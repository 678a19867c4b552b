//! Streams that close when their session ends.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use super::program::{Browser, Framework, Program, sessions};

on_both! {
    a_stream_closes_with_its_session
    a_stream_closes_for_a_logout_in_the_other_program
}

/// Opens a stream, and reads on until the text is there.
fn open(program: &Program, cookie: &str) -> TcpStream {
    let mut stream = TcpStream::connect(program.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let request = format!("GET /ended HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let head = read_until(&mut stream, ": waiting\n\n");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.to_lowercase().contains("\r\ncontent-type: text/event-stream\r\n"), "{head}");
    stream
}

fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let mut seen = String::new();
    let mut buffer = [0; 1024];
    while !seen.contains(text) {
        let len = stream.read(&mut buffer).unwrap();
        assert_ne!(len, 0, "the stream has ended early: {seen}");
        seen.push_str(std::str::from_utf8(&buffer[..len]).unwrap());
    }
    seen
}

/// Waits until the stream has said that the session has ended, and is over.
fn wait_for_the_end(stream: &mut TcpStream) {
    let rest = read_until(stream, "\r\n0\r\n\r\n"); // the last chunk
    assert!(rest.contains("event: ended\ndata: the session has ended\n\n"), "{rest}");
    assert_eq!(rest.matches("event:").count(), 1, "{rest}");
}

fn user(program: &Program) -> Browser {
    let mut browser = Browser::new(program);
    assert_eq!(browser.post("/login", r#"{"user": "ada"}"#).status, 200);
    browser
}

fn a_stream_closes_with_its_session(framework: Framework) {
    let (_parent, dir) = sessions();
    let program = Program::start(framework, &dir, &[]);
    let mut phone = user(&program);
    let mut stream = open(&program, phone.cookie.as_ref().unwrap());
    assert_eq!(phone.post("/session/a", "1").status, 200, "a change is no end");
    phone.post("/logout", "");
    wait_for_the_end(&mut stream);

    let (mut laptop, phone) = (user(&program), user(&program));
    let mut stream = open(&program, phone.cookie.as_ref().unwrap());
    assert_eq!(laptop.post("/logout-everywhere", "").body, r#"{"revoked":2}"#);
    wait_for_the_end(&mut stream);
}

fn a_stream_closes_for_a_logout_in_the_other_program(framework: Framework) {
    let (_parent, dir) = sessions();
    let (here, elsewhere) = (Program::start(framework, &dir, &[]), other(framework, &dir));
    let mut phone = user(&here);
    let mut stream = open(&here, phone.cookie.as_ref().unwrap());
    phone = phone.at(&elsewhere);
    phone.post("/logout", "");
    wait_for_the_end(&mut stream);
}

fn other(framework: Framework, dir: &Path) -> Program {
    let other = match framework {
        Framework::Axum => Framework::Actix,
        Framework::Actix => Framework::Axum,
    };
    Program::start(other, dir, &[])
}
