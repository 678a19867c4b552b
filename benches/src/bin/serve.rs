//! Serves a stack to a load generator, on a free port of the loopback interface.

use std::process::ExitCode;

use nexios_benches::{Framework, Subject};
use tokio::net::TcpListener;

/// Prints a line with the address, the path and the cookie of the subject's request, and then serves.
fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let subject = match &args[..] {
        [name] => Subject::named(name).filter(|subject| subject.stack.framework() == Framework::Axum),
        _ => None,
    };
    let Some(subject) = subject else {
        eprintln!("usage: serve SUBJECT, where SUBJECT is one of axum");
        return ExitCode::from(2);
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (router, visit) = subject.router().await;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        println!("{address} {} {}", visit.path, visit.cookie.unwrap_or_default());
        axum::serve(listener, router).await.expect("a server that goes on");
    });
    ExitCode::SUCCESS
}
