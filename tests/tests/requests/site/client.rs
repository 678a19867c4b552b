use std::net::SocketAddr;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{HeaderName, HeaderValue, Method, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::protocol::{Message, Role};

use super::answer::Answer;
use super::{JarStep, Step};

/// A request that is being put together. It goes over a connection of its own, unless it is sent over a [`Connection`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent yet"]
pub(crate) struct Request {
    address: SocketAddr,
    method: Method,
    path: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

impl Request {
    pub(crate) fn new(address: SocketAddr, path: &str) -> Self {
        Self { address, method: Method::GET, path: path.to_owned(), headers: Vec::new(), body: Bytes::new() }
    }

    pub(crate) fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// Adds a line of this name, of any bytes.
    pub(crate) fn header(mut self, name: &'static str, value: impl AsRef<[u8]>) -> Self {
        let value = HeaderValue::from_bytes(value.as_ref()).unwrap();
        self.headers.push((HeaderName::from_static(name), value));
        self
    }

    pub(crate) fn cookie(self, line: impl AsRef<[u8]>) -> Self {
        self.header("cookie", line)
    }

    /// Says what the handler does.
    pub(crate) fn script(self, steps: impl IntoIterator<Item = Step>) -> Self {
        self.header("x-script", json(&Vec::from_iter(steps)))
    }

    /// Says what the handler does later: for the second session, or after the head.
    pub(crate) fn late(self, scripts: &[&[Step]]) -> Self {
        self.header("x-late", json(&scripts))
    }

    /// Says what the handler does with its second session.
    pub(crate) fn second(self, steps: impl IntoIterator<Item = Step>) -> Self {
        self.header("x-late", json(&Vec::from_iter(steps)))
    }

    /// Says what the handler does with its signed cookies.
    pub(crate) fn jar(self, steps: impl IntoIterator<Item = JarStep>) -> Self {
        self.header("x-jar", json(&Vec::from_iter(steps)))
    }

    pub(crate) async fn send(self) -> Answer {
        self.begin().await.finish().await
    }

    /// Sends the request, and checks that the connection is closed without an answer.
    pub(crate) async fn send_in_vain(self) {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        let connection = tokio::spawn(connection);
        let answer = sender.send_request(self.into_http()).await;
        assert!(answer.is_err(), "{answer:?}");
        let _ = connection.await.unwrap();
    }

    /// Sends the request, and waits for the head of its answer.
    pub(crate) async fn begin(self) -> Exchange {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        // The task ends when the sender and the body are dropped.
        tokio::spawn(connection.with_upgrades());
        let response = sender.send_request(self.into_http()).await.unwrap();
        Exchange { response, _sender: sender }
    }

    /// Sends the request from a task of its own.
    pub(crate) fn spawn(self) -> JoinHandle<Answer> {
        tokio::spawn(self.send())
    }

    /// Sends the request without its last `missing` bytes, and keeps the connection.
    pub(crate) async fn open(self, missing: usize) -> Abandoned {
        let mut text = format!("{} {} HTTP/1.1\r\nhost: localhost\r\n", self.method, self.path).into_bytes();
        for (name, value) in &self.headers {
            text.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        }
        text.extend(format!("content-length: {}\r\n\r\n", self.body.len() + missing).into_bytes());
        text.extend(&self.body);
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(&text).await.unwrap();
        Abandoned(stream)
    }

    /// Sends the request as the beginning of a WebSocket.
    pub(crate) async fn upgrade(self) -> Socket {
        let request = self
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", generate_key());
        let mut exchange = request.begin().await;
        let upgraded = hyper::upgrade::on(&mut exchange.response).await.unwrap();
        let stream = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Client, None).await;
        Socket { head: Answer::of(&exchange.response), stream }
    }

    fn into_http(self) -> http::Request<Full<Bytes>> {
        let mut request = http::Request::builder().method(self.method).uri(self.path).header("host", "localhost");
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        request.body(Full::new(self.body)).unwrap()
    }
}

/// A connection for several requests, as a proxy keeps it.
pub(crate) struct Connection(http1::SendRequest<Full<Bytes>>);

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self(sender)
    }

    pub(crate) async fn send(&mut self, request: Request) -> Answer {
        self.0.ready().await.unwrap();
        let response = self.0.send_request(request.into_http()).await.unwrap();
        let head = Answer::of(&response);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        head.with_body(String::from_utf8(body.to_vec()).unwrap())
    }
}

/// An answer whose head is here, and whose body may still be coming.
pub(crate) struct Exchange {
    response: Response<Incoming>,
    _sender: http1::SendRequest<Full<Bytes>>,
}

impl Exchange {
    /// Returns the answer without its body.
    pub(crate) fn head(&self) -> Answer {
        Answer::of(&self.response)
    }

    /// Returns the next piece of the body, as the server has sent it.
    pub(crate) async fn next(&mut self) -> String {
        let frame = self.response.frame().await.unwrap().unwrap();
        String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap()
    }

    /// Returns the answer with the rest of its body.
    pub(crate) async fn finish(self) -> Answer {
        let head = self.head();
        let body = self.response.into_body().collect().await.unwrap().to_bytes();
        head.with_body(String::from_utf8(body.to_vec()).unwrap())
    }
}

/// A connection whose client is about to go away.
pub(crate) struct Abandoned(TcpStream);

impl Abandoned {
    /// Resets the connection, as a machine does after its program was killed.
    pub(crate) fn reset(self) {
        self.0.set_zero_linger().unwrap();
    }
}

/// A WebSocket, and the answer that opened it.
pub(crate) struct Socket {
    pub(crate) head: Answer,
    stream: WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>,
}

impl Socket {
    /// Lets the server run a script, and returns what the script reads.
    pub(crate) async fn run(&mut self, steps: &[Step]) -> String {
        self.stream.send(Message::text(json(&steps))).await.unwrap();
        self.stream.next().await.unwrap().unwrap().into_text().unwrap().to_string()
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap()
}
