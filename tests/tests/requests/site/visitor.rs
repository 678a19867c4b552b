use std::net::SocketAddr;

use tokio::task::JoinHandle;

use super::client::Request;
use super::{Answer, Site, Step};

/// A browser, which keeps the cookies that it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    address: SocketAddr,
    jar: Vec<(String, String)>,
}

impl Visitor {
    pub(crate) const fn new(address: SocketAddr) -> Self {
        Self { address, jar: Vec::new() }
    }

    /// The same browser at another site of the same name.
    pub(crate) fn at(&self, site: &Site) -> Self {
        Self { jar: self.jar.clone(), ..site.visitor() }
    }

    /// Returns the `Cookie` line that the browser sends.
    pub(crate) fn cookies(&self) -> String {
        let pairs: Vec<_> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    /// Begins a request of this visitor, to be completed.
    pub(crate) fn get(&self, path: &str) -> Request {
        let request = Request::new(self.address, path);
        if self.jar.is_empty() { request } else { request.cookie(self.cookies()) }
    }

    /// Makes a whole request, whose handler does this with the session.
    pub(crate) async fn visit(&mut self, steps: impl IntoIterator<Item = Step>) -> Answer {
        self.visit_at("/visit", steps).await
    }

    pub(crate) async fn visit_at(&mut self, path: &str, steps: impl IntoIterator<Item = Step>) -> Answer {
        let answer = self.get(path).script(steps).send().await;
        self.keep(&answer);
        answer
    }

    /// Makes a whole request from a task of its own. The visitor does not keep the cookies of the answer.
    pub(crate) fn spawn_visit(&self, steps: impl IntoIterator<Item = Step>) -> JoinHandle<Answer> {
        self.get("/visit").script(steps).spawn()
    }

    /// Returns what a new request reads.
    pub(crate) async fn sees(&self, key: &str) -> String {
        self.get("/visit").script([super::get(key)]).send().await.body
    }

    /// Keeps and forgets cookies as the answer says.
    pub(crate) fn keep(&mut self, answer: &Answer) {
        for line in answer.cookies() {
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            self.jar.retain(|(kept, _)| kept != name);
            if !line.contains("Max-Age=0;") && !line.ends_with("Max-Age=0") {
                self.jar.push((name.to_owned(), value.to_owned()));
            }
        }
    }
}
