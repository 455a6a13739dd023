//! A receiver of notifications: a server on loopback that stores requests and returns the given
//! answers.

#![allow(dead_code, reason = "each test uses only a part of it")]

use std::collections::VecDeque;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;
use tokio::sync::oneshot;

/// A running server. It stops when it is dropped.
pub(crate) struct Receiver {
    url: String,
    desk: Arc<Desk>,
    stop: Option<oneshot::Sender<()>>,
}

#[derive(Default)]
struct Desk {
    mail: Mutex<Vec<Mail>>,
    answers: Mutex<VecDeque<Answer>>,
}

/// A request that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// An answer. The default is 204, and below `/slack` it is 200 with `ok`.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) header: Option<(&'static str, String)>,
    pub(crate) body: String,
    pub(crate) after: Duration,
}

impl Answer {
    pub(crate) fn status(status: u16) -> Self {
        Self {
            status,
            header: None,
            body: String::new(),
            after: Duration::ZERO,
        }
    }

    pub(crate) fn header(self, name: &'static str, value: impl Into<String>) -> Self {
        Self {
            header: Some((name, value.into())),
            ..self
        }
    }

    pub(crate) fn body(self, body: &str) -> Self {
        Self {
            body: body.to_owned(),
            ..self
        }
    }

    pub(crate) fn after(self, after: Duration) -> Self {
        Self { after, ..self }
    }
}

impl Mail {
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().expect("ASCII"))
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }
}

impl Receiver {
    pub(crate) fn spawn() -> Self {
        let desk = Arc::new(Desk::default());
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("a socket");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (stop, stopped) = oneshot::channel();
        let router = Router::new().fallback(answer).with_state(desk.clone());
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a socket");
                tokio::select! {
                    _ = axum::serve(listener, router).into_future() => {}
                    _ = stopped => {}
                }
            });
            runtime.shutdown_background();
        });
        Self {
            url,
            desk,
            stop: Some(stop),
        }
    }

    /// A URL of this server.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Sets the next answers. After them, the server returns the default.
    pub(crate) fn answers(&self, answers: impl IntoIterator<Item = Answer>) {
        let mut waiting = self.desk.answers.lock().expect("a lock");
        waiting.extend(answers);
    }

    /// The requests since the last call, in order.
    pub(crate) fn take(&self) -> Vec<Mail> {
        self.desk.answers.lock().expect("a lock").clear();
        std::mem::take(&mut self.desk.mail.lock().expect("a lock"))
    }

    /// The number of stored requests.
    pub(crate) fn count(&self) -> usize {
        self.desk.mail.lock().expect("a lock").len()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.stop.take().map(|stop| stop.send(()));
    }
}

async fn answer(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.expect("a body").to_vec();
    let path = head.uri.path().to_owned();
    let is_slack = path.starts_with("/slack");
    assert_eq!(head.method, "POST");
    desk.mail.lock().expect("a lock").push(Mail {
        path,
        headers: head.headers,
        body,
    });
    let answer = desk.answers.lock().expect("a lock").pop_front();
    let answer = answer.unwrap_or_else(|| match is_slack {
        true => Answer::status(200).body("ok"),
        false => Answer::status(204),
    });
    tokio::time::sleep(answer.after).await;
    let status = StatusCode::from_u16(answer.status).expect("a status");
    let mut response = (status, answer.body).into_response();
    if let Some((name, value)) = answer.header {
        let value = value.parse().expect("a header");
        response.headers_mut().insert(name, value);
    }
    response
}

/// A server that reads a request, writes these bytes and closes the connection. Returns its URL and
/// the number of requests.
pub(crate) fn rude(bytes: &'static str) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            counted.fetch_add(1, Ordering::SeqCst);
            if !bytes.is_empty() {
                let mut request = [0; 65536];
                let _ = stream.read(&mut request);
                let _ = stream.write_all(bytes.as_bytes());
            }
        }
    });
    (url, calls)
}
