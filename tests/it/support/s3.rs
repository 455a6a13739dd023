//! An S3 server in the test process: real signatures, real XML, files below a temporary folder.
//!
//! s3s and s3s-fs implement the protocol. A thin layer of ours is in front of them:
//!
//! - puts are handled one at a time, so that creates are atomic (s3s-fs checks before it writes);
//! - requests that evidence must never send are refused with 400 and recorded in
//!   [`S3Server::violations`]: a put without `If-None-Match: *` or SHA-256, a delete, an
//!   `aws-chunked` body;
//! - a bucket that was not named at the start is `NoSuchBucket`;
//! - every request is recorded in [`S3Server::actions`];
//! - rules inject faults ([`S3Server::inject`]).
//!
//! ```ignore
//! mod support;
//! let server = crate::support::s3::S3Server::start(["evidence"]);
//! server.inject(Rule::on("PUT", "ledger/", Fault::LostAnswer));
//! Command::new(binary).env("EVIDENCE_URL", "s3://evidence/nightly").envs(server.env());
//! assert_eq!(server.violations(), Vec::<String>::new());
//! ```
//!
//! Keys of more than about 150 bytes do not fit the file names of s3s-fs, so keep buckets and
//! prefixes short.

#![allow(dead_code, reason = "each test uses only a part of it")]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use asana_access_review::aws;
use aws_config::{ConfigLoader, Region};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, IF_NONE_MATCH};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use s3s::Body;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// The only access key that the server accepts.
pub(crate) const ACCESS_KEY: &str = "AKIATEST";
pub(crate) const SECRET_KEY: &str = "test-secret";
/// The region that requests are signed for.
pub(crate) const REGION: &str = "eu-central-1";

/// A running server. It stops when it is dropped.
pub(crate) struct S3Server {
    address: SocketAddr,
    folder: TempDir,
    log: Arc<Mutex<Log>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Action {
    /// `GET`, `PUT`, …
    pub(crate) method: String,
    pub(crate) bucket: String,
    /// The key, decoded; empty for a request to the bucket itself.
    pub(crate) key: String,
    /// The query as sent.
    pub(crate) query: String,
    /// The headers for lock, encryption and bucket owner.
    pub(crate) headers: BTreeMap<String, String>,
    /// The status of the answer; `None` if no answer was sent.
    pub(crate) status: Option<u16>,
}

impl Action {
    /// `GET`, `PUT`, … or `LIST`.
    pub(crate) fn operation(&self) -> &str {
        match (self.method.as_str(), self.key.as_str()) {
            ("GET", "") => "LIST",
            (method, _) => method,
        }
    }
}

/// Faults of the server.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// 403 `AccessDenied`.
    AccessDenied,
    /// 409 `ConditionalRequestConflict`: another write of the key is pending.
    Conflict,
    /// 412 `PreconditionFailed`, even if the key is free.
    PreconditionFailed,
    /// The request succeeds but the answer is 500, so the next attempt of a put finds its own
    /// object.
    LostAnswer,
    /// 429 `TooManyRequests`.
    TooManyRequests,
    /// 503 `SlowDown`.
    SlowDown,
    /// Any other status, with an error code (none if empty).
    Status(u16, &'static str),
    /// The connection ends without an answer.
    Reset,
    /// The answer comes after this time.
    Slow(Duration),
    /// The connection ends after half of the body.
    CutBody,
    /// The body has another first byte.
    CorruptBody,
    /// The request succeeds, and the answer also has these headers.
    Headers(Vec<(&'static str, String)>),
    /// The answer is this XML.
    Xml(u16, String),
}

/// When a fault occurs.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    operation: &'static str,
    key: String,
    skip: u32,
    times: u32,
    fault: Fault,
}

impl Rule {
    /// The first request of this operation (`GET`, `PUT`, `LIST`, …; empty for any) whose bucket, key
    /// and query, written `bucket/key?query`, contain `key`.
    pub(crate) fn on(operation: &'static str, key: impl Into<String>, fault: Fault) -> Self {
        let (key, skip, times) = (key.into(), 0, 1);
        Self {
            operation,
            key,
            skip,
            times,
            fault,
        }
    }

    /// From the `nth` such request on, counted from 1.
    pub(crate) fn nth(self, nth: u32) -> Self {
        Self {
            skip: nth - 1,
            ..self
        }
    }

    /// For this number of requests.
    pub(crate) fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }

    /// For all requests from then on.
    pub(crate) fn always(self) -> Self {
        self.times(u32::MAX)
    }

    /// Counts a request that the rule matches.
    fn take(&mut self, action: &Action) -> Option<Fault> {
        let about = format!("{}/{}?{}", action.bucket, action.key, action.query);
        if !self.operation.is_empty() && self.operation != action.operation()
            || !about.contains(&self.key)
        {
            return None;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        self.times = self.times.checked_sub(1)?;
        Some(self.fault.clone())
    }
}

#[derive(Default)]
struct Log {
    actions: Vec<Action>,
    violations: Vec<String>,
    rules: Vec<Rule>,
}

impl S3Server {
    /// Starts a server with these buckets on a free loopback port, in its own thread.
    pub(crate) fn start<'a>(buckets: impl IntoIterator<Item = &'a str>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for bucket in buckets {
            fs::create_dir(folder.path().join(bucket)).expect("a bucket");
        }
        let files = s3s_fs::FileSystem::new(folder.path()).expect("s3s-fs on a temporary folder");
        let mut s3 = S3ServiceBuilder::new(files);
        s3.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let log = Arc::new(Mutex::new(Log::default()));
        let layer = Arc::new(Layer {
            s3: s3.build(),
            folder: folder.path().to_owned(),
            log: Arc::clone(&log),
            puts: tokio::sync::Mutex::new(()),
        });
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener
            .set_nonblocking(true)
            .expect("a listener that does not block");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                tokio::select! {
                    () = serve(listener, layer) => {}
                    _ = stopped => {}
                }
            });
        });
        Self {
            address,
            folder,
            log,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Variables that make the real program use this server, and no other source of credentials.
    pub(crate) fn env(&self) -> [(&'static str, String); 8] {
        [
            ("AWS_ENDPOINT_URL_S3", self.endpoint()),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY.to_owned()),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_CONFIG_FILE", "/dev/null".to_owned()),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null".to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("S3_FORCE_PATH_STYLE", "true".to_owned()),
        ]
    }

    /// The program's own client for this server. Its retries do not wait.
    pub(crate) async fn client(&self) -> Client {
        self.client_with(ACCESS_KEY, SECRET_KEY).await
    }

    /// The same with other credentials.
    pub(crate) async fn client_with(&self, access_key: &str, secret_key: &str) -> Client {
        let credentials = Credentials::new(access_key, secret_key, None, None, "test");
        let loader = ConfigLoader::default()
            .region(Region::new(REGION))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .endpoint_url(self.endpoint());
        let config = aws::sdk_config_from(loader).await;
        let retries = config
            .retry_config()
            .cloned()
            .unwrap_or_else(RetryConfig::standard);
        let config = config
            .into_builder()
            .retry_config(retries.with_initial_backoff(Duration::ZERO))
            .build();
        aws::s3_client(&config, true).expect("a client with a region")
    }

    /// Adds a fault. If several rules match a request, the first one applies.
    pub(crate) fn inject(&self, rule: Rule) {
        lock(&self.log).rules.push(rule);
    }

    /// Removes all faults.
    pub(crate) fn heal(&self) {
        lock(&self.log).rules.clear();
    }

    /// All requests in the order of their arrival.
    pub(crate) fn actions(&self) -> Vec<Action> {
        lock(&self.log).actions.clone()
    }

    /// The number of requests of this operation (`PUT`, `GET`, `LIST`, …) for keys that contain
    /// `key`.
    pub(crate) fn count(&self, operation: &str, key: &str) -> usize {
        let actions = self.actions();
        actions
            .iter()
            .filter(|action| action.operation() == operation && action.key.contains(key))
            .count()
    }

    /// The requests that were refused because evidence must never send them.
    pub(crate) fn violations(&self) -> Vec<String> {
        lock(&self.log).violations.clone()
    }

    /// All objects of a bucket by key, read directly from the disk.
    pub(crate) fn objects(&self, bucket: &str) -> BTreeMap<String, Vec<u8>> {
        super::objects_below(&self.folder.path().join(bucket))
    }

    /// Writes an object directly to the disk, as existing data or as tampering.
    pub(crate) fn tamper(&self, bucket: &str, key: &str, bytes: &[u8]) {
        let path = self.folder.path().join(bucket).join(key);
        fs::create_dir_all(path.parent().expect("a key has a parent")).expect("a folder");
        fs::write(path, bytes).expect("an object");
        self.forget_checksum(bucket, key);
    }

    /// Removes an object directly from the disk.
    pub(crate) fn remove(&self, bucket: &str, key: &str) {
        fs::remove_file(self.folder.path().join(bucket).join(key)).expect("an object");
        self.forget_checksum(bucket, key);
    }

    /// s3s-fs stores an object's checksum beside it. Tampering through S3 would update the
    /// checksum, too.
    fn forget_checksum(&self, bucket: &str, key: &str) {
        let (bucket, key) = (URL_SAFE_NO_PAD.encode(bucket), URL_SAFE_NO_PAD.encode(key));
        let name = format!(".bucket-{bucket}.object-{key}.internal.json");
        match fs::remove_file(self.folder.path().join(name)) {
            Err(error) if error.kind() != ErrorKind::NotFound => panic!("{error}"),
            _ => {}
        }
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic in the thread has printed itself.
            let _ = thread.join();
        }
    }
}

fn lock(log: &Mutex<Log>) -> MutexGuard<'_, Log> {
    log.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

struct Layer {
    s3: S3Service,
    folder: PathBuf,
    log: Arc<Mutex<Log>>,
    puts: tokio::sync::Mutex<()>,
}

/// The connection ends without an answer, or in the middle of it.
#[derive(Debug, thiserror::Error)]
#[error("the connection was cut on purpose")]
struct Cut;

async fn serve(listener: std::net::TcpListener, layer: Arc<Layer>) {
    let listener = TcpListener::from_std(listener).expect("a listener");
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        // The head and the body of an answer are two writes. Without this option, each waits 40 ms
        // for an ACK.
        stream.set_nodelay(true).expect("a socket");
        let layer = Arc::clone(&layer);
        tokio::spawn(async move {
            let service = hyper::service::service_fn(|request| layer.answer(request));
            // An error here is a closed connection, by the client or by a fault.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

impl Layer {
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Body>, Cut> {
        let action = describe(&request);
        let (number, fault) = {
            let mut log = lock(&self.log);
            log.actions.push(action.clone());
            let fault = log.rules.iter_mut().find_map(|rule| rule.take(&action));
            (log.actions.len() - 1, fault)
        };
        let answer = match fault {
            None => self.carry_out(&action, request).await,
            Some(Fault::AccessDenied) => refusal(403, "AccessDenied"),
            Some(Fault::Conflict) => refusal(409, "ConditionalRequestConflict"),
            Some(Fault::PreconditionFailed) => refusal(412, "PreconditionFailed"),
            Some(Fault::TooManyRequests) => refusal(429, "TooManyRequests"),
            Some(Fault::SlowDown) => refusal(503, "SlowDown"),
            Some(Fault::Status(status, code)) => refusal(status, code),
            Some(Fault::LostAnswer) => {
                self.carry_out(&action, request).await;
                refusal(500, "InternalError")
            }
            Some(Fault::Reset) => return Err(Cut),
            Some(Fault::Slow(wait)) => {
                tokio::time::sleep(wait).await;
                self.carry_out(&action, request).await
            }
            Some(Fault::CutBody) => cut_body(self.carry_out(&action, request).await).await,
            Some(Fault::Headers(headers)) => {
                let mut answer = self.carry_out(&action, request).await;
                for (name, value) in headers {
                    let value = value.parse().expect("a header");
                    answer.headers_mut().insert(name, value);
                }
                answer
            }
            Some(Fault::Xml(status, text)) => xml(status, text),
            Some(Fault::CorruptBody) => corrupt_body(self.carry_out(&action, request).await).await,
        };
        lock(&self.log).actions[number].status = Some(answer.status().as_u16());
        Ok(answer)
    }

    async fn carry_out(&self, action: &Action, request: Request<Incoming>) -> Response<Body> {
        if !self.folder.join(&action.bucket).is_dir() {
            return refusal(404, "NoSuchBucket");
        }
        let (head, body) = request.into_parts();
        let Ok(body) = body.collect().await else {
            return refusal(400, "IncompleteBody");
        };
        let request = Request::from_parts(head, body.to_bytes());
        if let Err(violation) = ensure_allowed_for_evidence(&request) {
            lock(&self.log)
                .violations
                .push(format!("{} {}: {violation}", action.method, action.key));
            return refusal(400, "InvalidRequest");
        }
        // s3s-fs answers 500 for keys that cannot be file names.
        let object = self.folder.join(&action.bucket).join(&action.key);
        let is_no_file = match fs::metadata(object) {
            Ok(found) => found.is_dir(),
            Err(error) => error.kind() == ErrorKind::NotADirectory,
        };
        if action.operation() == "GET" && is_no_file {
            return refusal(404, "NoSuchKey");
        }
        // The layer checks the digest first, because s3s-fs writes the file before its own check.
        let _alone = match request.method() {
            &Method::PUT => Some(self.puts.lock().await),
            _ => None,
        };
        let answer = self.s3.call(request.map(Body::from)).await;
        answer.unwrap_or_else(|error| panic!("s3s failed: {error:?}"))
    }
}

/// The headers that tests check.
const RECORDED: [&str; 5] = [
    "x-amz-expected-bucket-owner",
    "x-amz-object-lock-mode",
    "x-amz-object-lock-retain-until-date",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
];

fn describe(request: &Request<Incoming>) -> Action {
    let path = percent_decoded(request.uri().path().trim_start_matches('/'));
    let (bucket, key) = path.split_once('/').unwrap_or((&path, ""));
    Action {
        method: request.method().to_string(),
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        headers: RECORDED
            .iter()
            .filter_map(|name| {
                let value = request.headers().get(*name)?.to_str().ok()?;
                Some(((*name).to_owned(), value.to_owned()))
            })
            .collect(),
        status: None,
    }
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = after
            .get(..2)
            .and_then(|code| std::str::from_utf8(code).ok());
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) if first == b'%' => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Evidence is only added, and each put has its SHA-256.
fn ensure_allowed_for_evidence(request: &Request<Bytes>) -> Result<(), String> {
    let header = |name: &str| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    match request.method() {
        &Method::GET | &Method::HEAD => Ok(()),
        &Method::PUT => {
            if header(IF_NONE_MATCH.as_str()) != "*" {
                return Err("a put without `If-None-Match: *`".to_owned());
            }
            let chunked = header(CONTENT_ENCODING.as_str()).contains("aws-chunked");
            if chunked || header("x-amz-content-sha256").starts_with("STREAMING-") {
                return Err("a put of an `aws-chunked` body".to_owned());
            }
            match header("x-amz-checksum-sha256") {
                "" => Err("a put without `x-amz-checksum-sha256`".to_owned()),
                sha256 if sha256 != STANDARD.encode(Sha256::digest(request.body())) => {
                    Err("a put whose body does not have its SHA-256".to_owned())
                }
                _ => Ok(()),
            }
        }
        method => Err(format!("a {method}")),
    }
}

fn refusal(status: u16, code: &str) -> Response<Body> {
    let text = match code {
        "" => String::new(),
        code => format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <Error><Code>{code}</Code><Message>Injected by the test</Message><RequestId>TEST</RequestId></Error>"
        ),
    };
    xml(status, text)
}

fn xml(status: u16, text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    response
        .headers_mut()
        .insert(CONTENT_TYPE, "application/xml".parse().expect("a header"));
    response
}

async fn body_of(response: Response<Body>) -> (hyper::http::response::Parts, Bytes) {
    let (head, body) = response.into_parts();
    let body = body
        .collect()
        .await
        .unwrap_or_else(|error| panic!("s3s failed: {error:?}"));
    (head, body.to_bytes())
}

async fn cut_body(response: Response<Body>) -> Response<Body> {
    let (mut head, body) = body_of(response).await;
    head.headers.insert("content-length", body.len().into());
    let half = body.slice(..body.len() / 2);
    let frames = futures_util::stream::iter([Ok(Frame::data(half)), Err(Cut)]);
    Response::from_parts(head, Body::http_body_unsync(StreamBody::new(frames)))
}

async fn corrupt_body(response: Response<Body>) -> Response<Body> {
    let (head, body) = body_of(response).await;
    let mut bytes = body.to_vec();
    if let Some(first) = bytes.first_mut() {
        *first ^= 1;
    }
    let frames = futures_util::stream::iter([Ok::<_, Infallible>(Frame::data(Bytes::from(bytes)))]);
    Response::from_parts(head, Body::http_body_unsync(StreamBody::new(frames)))
}
