//! Counts each visitor's visits.

use axum::{Router, routing::get};
use nexios_adapter_axum::{Session, SessionError, SessionLayer, SessionManager};
use nexios_store_file::FileStore;

async fn hits(session: Session) -> Result<String, SessionError> {
    let hits: u64 = session.get_or("hits", 0)? + 1;
    session.insert("hits", &hits)?;
    Ok(format!("You have been here {hits} times.\n"))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let manager = SessionManager::from_env(FileStore::from_env()?)?; // needs SECRET_KEY
    let _sweeper = manager.spawn_sweeper();
    let app = Router::new().route("/", get(hits)).layer(SessionLayer::new(manager));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    Ok(axum::serve(listener, app).await?)
}
