use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_sessions::{SessionService, Sessions, answer};
use hyper_util::rt::{TokioIo, TokioTimer};
use nexios_middleware_core::{SessionError, SessionManager};
use nexios_store_file::FileStore;
use tokio::net::TcpListener;

async fn hits(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, SessionError> {
    let session = Sessions::of(request.extensions())?.session().await?;
    let hits: u64 = session.get_or("hits", 0)? + 1;
    session.insert("hits", &hits)?;
    Ok(Response::new(format!("You have been here {hits} times.\n").into()))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let manager = SessionManager::from_env(FileStore::from_env()?)?; // needs SECRET_KEY
    let _sweeper = manager.spawn_sweeper();
    let handler = service_fn(async |request| Ok::<_, Infallible>(hits(request).await.unwrap_or_else(answer)));
    let service = Arc::new(SessionService::new(manager, handler));
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    loop {
        let (stream, _) = listener.accept().await?;
        let (io, service) = (TokioIo::new(stream), Arc::clone(&service));
        tokio::spawn(http1::Builder::new().timer(TokioTimer::new()).serve_connection(io, service));
    }
}
