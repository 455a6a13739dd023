//! KMS in the test process: its JSON 1.1 protocol, real keys of `ring`, and faults on request.
//!
//! It checks what KMS would refuse, so that a wrong request is not signed: the name of the action,
//! the content type, that the request has a signature, and the members that `Sign` needs. It does
//! not verify the signature of the request; neither does moto.
//!
//! ```ignore
//! let kms = KmsServer::start();
//! kms.inject(Rule::on(SIGN, Fault::error("ThrottlingException")).times(2));
//! Command::new(binary).env("EVIDENCE_SIGNING_KMS_KEY_ID", ALIAS).envs(kms.env());
//! assert_eq!(kms.count(SIGN), 3);
//! ```

#![allow(dead_code, reason = "each test uses only a part of it")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use asana_access_review::aws;
use asana_access_review::signing::{KmsKey, PublicKey, SigningError, SigningKey};
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{ConfigLoader, Region};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::s3::{ACCESS_KEY, REGION, SECRET_KEY};

/// The two supported actions.
pub(crate) const SIGN: &str = "Sign";
pub(crate) const GET_PUBLIC_KEY: &str = "GetPublicKey";

/// The alias of the first key, unless [`KmsServer::point_alias_to`] changes it.
pub(crate) const ALIAS: &str = "alias/signing";
/// The ids of the keys.
pub(crate) const KEYS: [&str; 2] = [
    "1234abcd-12ab-34cd-56ef-1234567890ab",
    "5678cdef-12ab-34cd-56ef-1234567890ab",
];

/// The DER prefix of a P-256 public key (RFC 5480).
const P256_PREFIX: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// A running server with two P-256 keys. It stops when it is dropped.
pub(crate) struct KmsServer {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    publics: [PublicKey; 2],
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// `Sign` or `GetPublicKey`.
    pub(crate) action: String,
    /// The key as the request names it.
    pub(crate) key_id: String,
    /// The message to sign.
    pub(crate) message: Vec<u8>,
    /// The status of the answer; none if no answer was sent.
    pub(crate) status: Option<u16>,
}

/// Faults of the server.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// A status with an error code of KMS.
    Error(u16, &'static str),
    /// The answer comes after this time.
    Slow(Duration),
    /// The connection ends without an answer.
    Reset,
    /// A page that is not an answer of KMS.
    Page(u16),
    /// The signature covers other bytes.
    OtherBytes,
    /// The signature is from the other key.
    OtherKey,
    /// The signature consists of these bytes.
    Bytes(Vec<u8>),
    /// Members of the answer have these values; `null` removes a member.
    Members(Value),
}

impl Fault {
    /// An error with status 400, as KMS sends nearly all of them.
    pub(crate) fn error(code: &'static str) -> Self {
        Self::Error(400, code)
    }
}

/// When a fault occurs.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    action: &'static str,
    skip: u32,
    times: u32,
    fault: Fault,
}

impl Rule {
    /// Every request for this action.
    pub(crate) fn on(action: &'static str, fault: Fault) -> Self {
        Self {
            action,
            skip: 0,
            times: u32::MAX,
            fault,
        }
    }

    /// Limits the number of faults.
    pub(crate) fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }

    /// From the `nth` such request on, counted from 1.
    pub(crate) fn nth(self, nth: u32) -> Self {
        Self {
            skip: nth - 1,
            ..self
        }
    }

    fn take(&mut self, action: &str) -> Option<Fault> {
        if self.action != action || self.times == 0 {
            return None;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        self.times -= 1;
        Some(self.fault.clone())
    }
}

struct State {
    keys: [EcdsaKeyPair; 2],
    alias: usize,
    rules: Vec<Rule>,
    asked: Vec<Asked>,
    violations: Vec<String>,
}

impl KmsServer {
    pub(crate) fn start() -> Self {
        let keys = [(); 2].map(|()| fresh());
        let publics = [0, 1].map(|key| {
            let der = spki(&keys[key]);
            PublicKey::from_spki_der(&der).expect("a public key of P-256")
        });
        let state = Arc::new(Mutex::new(State {
            keys,
            alias: 0,
            rules: Vec::new(),
            asked: Vec::new(),
            violations: Vec::new(),
        }));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener
            .set_nonblocking(true)
            .expect("a listener that does not block");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&state);
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                tokio::select! {
                    () = serve(listener, served) => {}
                    _ = stopped => {}
                }
            });
        });
        Self {
            address,
            state,
            publics,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// The public half of a key.
    pub(crate) fn public(&self, key: usize) -> &PublicKey {
        &self.publics[key]
    }

    /// Variables that make the real program use this server, and no other source of credentials.
    pub(crate) fn env(&self) -> [(&'static str, String); 7] {
        [
            ("AWS_ENDPOINT_URL_KMS", format!("http://{}", self.address)),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY.to_owned()),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_CONFIG_FILE", "/dev/null".to_owned()),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null".to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ]
    }

    /// The program's own client. Its retries do not wait, and its timeouts are short.
    pub(crate) async fn client(&self) -> aws_sdk_kms::Client {
        let credentials = Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "test");
        let loader = ConfigLoader::default()
            .region(Region::new(REGION))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .endpoint_url(format!("http://{}", self.address));
        let config = aws::sdk_config_from(loader).await;
        let retries = config.retry_config().cloned();
        let retries = retries.unwrap_or_else(RetryConfig::standard);
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(Duration::from_millis(500))
            .build();
        let config = config
            .into_builder()
            .retry_config(retries.with_initial_backoff(Duration::ZERO))
            .timeout_config(timeouts)
            .build();
        aws::kms_client(&config, ALIAS).expect("a client with a region")
    }

    /// A key of this server, opened by the program's own client.
    pub(crate) async fn open(&self, id: &str) -> Result<SigningKey, SigningError> {
        let key = KmsKey::open_with(self.client().await, id).await?;
        Ok(SigningKey::Kms(key))
    }

    /// Adds a fault. If several rules match a request, the first one applies.
    pub(crate) fn inject(&self, rule: Rule) {
        lock(&self.state).rules.push(rule);
    }

    /// Removes all faults.
    pub(crate) fn heal(&self) {
        lock(&self.state).rules.clear();
    }

    /// Points the alias to another key.
    pub(crate) fn point_alias_to(&self, key: usize) {
        lock(&self.state).alias = key;
    }

    /// All requests in the order of their arrival.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        lock(&self.state).asked.clone()
    }

    /// The number of requests for this action.
    pub(crate) fn count(&self, action: &str) -> usize {
        let asked = self.asked();
        asked.iter().filter(|asked| asked.action == action).count()
    }

    /// Requests that KMS would not have accepted.
    pub(crate) fn violations(&self) -> Vec<String> {
        lock(&self.state).violations.clone()
    }
}

impl Drop for KmsServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic in the thread has printed itself.
            let _ = thread.join();
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn fresh() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
    let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key");
    EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).expect("a key")
}

fn spki(key: &EcdsaKeyPair) -> Vec<u8> {
    [P256_PREFIX, key.public_key().as_ref()].concat()
}

fn signature(key: &EcdsaKeyPair, bytes: &[u8]) -> Vec<u8> {
    let signature = key.sign(&SystemRandom::new(), bytes);
    signature.expect("a signature").as_ref().to_vec()
}

/// The connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection was cut on purpose")]
struct Cut;

async fn serve(listener: std::net::TcpListener, state: Arc<Mutex<State>>) {
    let listener = TcpListener::from_std(listener).expect("a listener");
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        stream.set_nodelay(true).expect("a socket");
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let service = hyper::service::service_fn(|request| answer(&state, request));
            // An error here is a closed connection, by the client or by a fault.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(
    state: &Mutex<State>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Cut> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
    let header = |name: &str| {
        let value = head.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let target = header("x-amz-target");
    let action = target.strip_prefix("TrentService.").unwrap_or_default();
    let members: Value = serde_json::from_slice(&body).unwrap_or_default();
    let message = STANDARD.decode(members["Message"].as_str().unwrap_or_default());
    let asked = Asked {
        action: action.to_owned(),
        key_id: members["KeyId"].as_str().unwrap_or_default().to_owned(),
        message: message.unwrap_or_default(),
        status: None,
    };
    let (number, fault) = {
        let mut state = lock(state);
        state.asked.push(asked.clone());
        let fault = state.rules.iter_mut().find_map(|rule| rule.take(action));
        (state.asked.len() - 1, fault)
    };
    let is_signed = header("authorization").starts_with("AWS4-HMAC-SHA256 ");
    let is_json = header("content-type") == "application/x-amz-json-1.1";
    let (status, mut reported) = match &fault {
        Some(Fault::Reset) => return Err(Cut),
        Some(Fault::Error(status, code)) => (*status, refusal(code)),
        Some(Fault::Page(status)) => (*status, Value::Null),
        _ if !is_signed => (400, refusal("MissingAuthenticationTokenException")),
        _ if !is_json => (404, refusal("UnknownOperationException")),
        _ => {
            let mut state = lock(state);
            match carried_out(&state, &asked, &members, fault.as_ref()) {
                Ok(reported) => (200, reported),
                Err((code, violation)) => {
                    state.violations.push(violation);
                    (400, refusal(code))
                }
            }
        }
    };
    match fault {
        Some(Fault::Slow(wait)) => tokio::time::sleep(wait).await,
        Some(Fault::Members(others)) => {
            for (name, value) in others.as_object().expect("members") {
                reported[name] = value.clone();
            }
        }
        _ => {}
    }
    let body = match reported {
        Value::Null => "<html>It works!</html>".to_owned(),
        reported => reported.to_string(),
    };
    lock(state).asked[number].status = Some(status);
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    let headers = response.headers_mut();
    headers.insert(
        "content-type",
        "application/x-amz-json-1.1".parse().expect("a header"),
    );
    headers.insert("x-amzn-requestid", "TEST".parse().expect("a header"));
    Ok(response)
}

fn refusal(code: &str) -> Value {
    json!({ "__type": code, "message": "Injected by the test" })
}

/// The answer of KMS, or its error code and message.
fn carried_out(
    state: &State,
    asked: &Asked,
    members: &Value,
    fault: Option<&Fault>,
) -> Result<Value, (&'static str, String)> {
    let id = asked.key_id.as_str();
    let id = id.rsplit_once(":key/").map_or(id, |(_, id)| id);
    let key = match id {
        ALIAS => state.alias,
        id => match KEYS.iter().position(|known| *known == id) {
            Some(key) => key,
            None => return Err(("NotFoundException", format!("no key `{id}`"))),
        },
    };
    let arn = format!("arn:aws:kms:{REGION}:111122223333:key/{}", KEYS[key]);
    match asked.action.as_str() {
        GET_PUBLIC_KEY => Ok(json!({
            "KeyId": arn,
            "KeySpec": "ECC_NIST_P256",
            "CustomerMasterKeySpec": "ECC_NIST_P256",
            "KeyUsage": "SIGN_VERIFY",
            "SigningAlgorithms": ["ECDSA_SHA_256"],
            "PublicKey": STANDARD.encode(spki(&state.keys[key])),
        })),
        SIGN => {
            let expected = [
                ("MessageType", "RAW"),
                ("SigningAlgorithm", "ECDSA_SHA_256"),
            ];
            for (name, value) in expected {
                if members[name] != value {
                    let reported = format!("{name} is {}", members[name]);
                    return Err(("ValidationException", reported));
                }
            }
            if !(1..=4096).contains(&asked.message.len()) {
                let reported = format!("a message of {} bytes", asked.message.len());
                return Err(("ValidationException", reported));
            }
            let message = &asked.message[..];
            let signed = match fault {
                Some(Fault::OtherBytes) => signature(&state.keys[key], &message[1..]),
                Some(Fault::OtherKey) => signature(&state.keys[1 - key], message),
                Some(Fault::Bytes(bytes)) => bytes.clone(),
                _ => signature(&state.keys[key], message),
            };
            Ok(json!({
                "KeyId": arn,
                "Signature": STANDARD.encode(signed),
                "SigningAlgorithm": "ECDSA_SHA_256",
            }))
        }
        other => Err(("UnknownOperationException", format!("`{other}`"))),
    }
}
