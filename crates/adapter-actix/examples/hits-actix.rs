//! Counts each visitor's visits.

use actix_web::{App, HttpServer, get};
use nexios_adapter_actix::{Session, SessionError, SessionManager, SessionMiddleware};
use nexios_store_file::FileStore;

#[get("/")]
async fn hits(session: Session) -> Result<String, SessionError> {
    let hits: u64 = session.get_or("hits", 0)? + 1;
    session.insert("hits", &hits)?;
    Ok(format!("You have been here {hits} times.\n"))
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let manager = SessionManager::from_env(FileStore::from_env()?)?; // needs SECRET_KEY
    let _sweeper = manager.spawn_sweeper();
    let app = move || App::new().wrap(SessionMiddleware::new(manager.clone())).service(hits);
    Ok(HttpServer::new(app).bind("127.0.0.1:3000")?.run().await?)
}
