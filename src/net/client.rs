//! One HTTP client for everything that is not S3.

use std::sync::OnceLock;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderMap, LOCATION};
use reqwest::{StatusCode, Url};

use super::error::{Attempts, NetError, TransportProblem, host_of};
use super::retry::{self, Bounds, LastFailure, NextTry};
use super::{Deadline, Pacer, Settings, Slot};
use crate::model::quoted;

/// Connecting has a shorter timeout than a slow answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest body of a refusal that is read.
const MAX_REFUSAL_BYTES: u64 = 64 * 1024;

/// An HTTP client with bounds for every attempt, every request and the whole run.
///
/// It trusts the system's certificates, uses the system's proxy and follows no redirect. Plain `http` never goes through
/// a proxy, and is for loopback addresses only, unless the client sends nothing that is worth reading.
#[derive(Debug)]
pub struct Http {
    settings: Settings,
    deadline: Deadline,
    /// For loopback: it works on machines without installed certificates.
    plain: reqwest::Client,
    /// Built on first use: reading the certificates takes time and memory.
    tls: OnceLock<reqwest::Client>,
    /// Whether plain `http` may leave this machine.
    sends_plain_http: bool,
}

#[derive(Debug)]
pub struct Request<'a> {
    pub url: Url,
    /// The caller marks the value of `Authorization` as sensitive.
    pub headers: HeaderMap,
    /// A larger body is an error.
    pub max_bytes: u64,
    /// The rate limit of the request.
    pub pacer: Option<&'a Pacer>,
    /// The name of the request in errors and logs: method and target, without secrets.
    pub what: String,
}

/// A complete answer.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// Decompressed.
    pub body: Vec<u8>,
    pub attempts: u32,
}

impl Response {
    /// The `Date` of the answer, by the server's clock, to the second.
    pub fn date(&self) -> Option<Timestamp> {
        retry::date_of(&self.headers)
    }

    /// When the content last changed, according to the server.
    pub fn last_modified(&self) -> Option<Timestamp> {
        retry::last_modified_of(&self.headers)
    }
}

#[derive(Clone, Copy)]
enum Call<'a> {
    Get,
    /// Sends JSON and reads the answer.
    Post(&'a [u8]),
    /// Sends a body, with headers that are computed for each attempt.
    Deliver(&'a [u8], &'a (dyn Fn() -> HeaderMap + Sync)),
}

impl Http {
    /// A client all of whose requests end by `deadline`.
    pub fn new(settings: &Settings, deadline: Deadline) -> Result<Self, NetError> {
        // The AWS SDK or a parallel test may have installed the same provider already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let plain = builder(settings)
            .no_proxy()
            .tls_certs_only([])
            .http1_only()
            .build()
            .map_err(NetError::Client)?;
        Ok(Self {
            settings: settings.clone(),
            deadline,
            plain,
            tls: OnceLock::new(),
            sends_plain_http: false,
        })
    }

    /// Allows plain `http` to any host: for requests without secrets and personal data.
    #[must_use]
    pub fn with_plain_http(self) -> Self {
        Self {
            sends_plain_http: true,
            ..self
        }
    }

    pub fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// Sends a GET request, with retries. Any status other than success is an error that carries the answer.
    pub async fn get(&self, request: Request<'_>) -> Result<Response, NetError> {
        self.call(request, Call::Get).await
    }

    /// Posts JSON and reads the answer, like [`Http::get`]. Retries may repeat the request, so use it only where a
    /// repetition is harmless.
    pub async fn post(&self, request: Request<'_>, json: &[u8]) -> Result<Response, NetError> {
        self.call(request, Call::Post(json)).await
    }

    /// Posts a body, with retries; only the status of the answer counts. `headers` computes the headers that differ
    /// between attempts.
    ///
    /// A success means that the body was delivered, even if the body of the answer is cut or too long.
    pub async fn deliver(
        &self,
        request: Request<'_>,
        body: &[u8],
        headers: &(dyn Fn() -> HeaderMap + Sync),
    ) -> Result<Response, NetError> {
        self.call(request, Call::Deliver(body, headers)).await
    }

    async fn call(&self, request: Request<'_>, call: Call<'_>) -> Result<Response, NetError> {
        let client = self.client_for(&request)?;
        // The time of a request starts after the wait for its first slot.
        let mut first_slot = match request.pacer {
            Some(pacer) => Some(self.slot(pacer, &request.what).await?),
            None => None,
        };
        let mut attempts = 0;
        let answer = Bounds::new(&self.settings, self.deadline)
            .retry(|| {
                attempts += 1;
                let slot = first_slot.take();
                self.attempt(client, &request, call, slot)
            })
            .await;
        match answer {
            Ok(answer) => Ok(Response { attempts, ..answer }),
            Err(gave_up) => {
                let mut error = gave_up.error;
                if let NetError::Status { story, .. } | NetError::Transport { story, .. } =
                    &mut error
                {
                    story.attempts = gave_up.attempts;
                    story.elapsed = gave_up.elapsed;
                    story.gave_up = gave_up.because;
                }
                Err(error)
            }
        }
    }

    async fn slot<'p>(&self, pacer: &'p Pacer, what: &str) -> Result<Slot<'p>, NetError> {
        let slot = pacer.slot(self.deadline).await;
        slot.map_err(|wait| NetError::RateLimit {
            what: what.to_owned(),
            wait_s: wait.as_secs(),
            left_s: self.deadline.remaining().as_secs(),
        })
    }

    fn client_for(&self, request: &Request<'_>) -> Result<&reqwest::Client, NetError> {
        if request.url.scheme() == "http" {
            if !self.sends_plain_http && !is_loopback(&request.url) {
                let what = request.what.clone();
                let host = host_of(request);
                return Err(NetError::PlainHttp { what, host });
            }
            return Ok(&self.plain);
        }
        if let Some(client) = self.tls.get() {
            return Ok(client);
        }
        let client = builder(&self.settings)
            .https_only(true)
            .build()
            .map_err(NetError::Client)?;
        Ok(self.tls.get_or_init(|| client))
    }

    async fn attempt(
        &self,
        client: &reqwest::Client,
        request: &Request<'_>,
        call: Call<'_>,
        slot: Option<Slot<'_>>,
    ) -> Result<Response, LastFailure<NetError>> {
        let what = || request.what.clone();
        let ends = |error| LastFailure {
            error,
            next_try: NextTry::Never,
            wait: None,
        };
        // The slot is returned when the attempt ends, after the whole answer was read.
        let slot = match (slot, request.pacer) {
            (Some(slot), _) => Some(slot),
            (None, Some(pacer)) => Some(self.slot(pacer, &request.what).await.map_err(ends)?),
            (None, None) => None,
        };
        let timeout = self.settings.timeout.min(self.deadline.remaining());
        if timeout.is_zero() {
            return Err(ends(NetError::Deadline { what: what() }));
        }
        if let Some(traffic) = &self.settings.traffic {
            traffic.note_request();
        }
        let url = request.url.clone();
        let asked = match call {
            Call::Get => client.get(url),
            Call::Post(json) => client
                .post(url)
                .header(CONTENT_TYPE, "application/json")
                .body(json.to_vec()),
            Call::Deliver(body, headers) => client.post(url).headers(headers()).body(body.to_vec()),
        };
        let mut answer = asked
            .headers(request.headers.clone())
            .timeout(timeout)
            .send()
            .await
            .map_err(|cause| transport(request, cause))?;
        let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
        if status.is_redirection()
            && let Some(location) = headers.get(LOCATION)
        {
            let to = target_host(&request.url, location.to_str().unwrap_or_default());
            return Err(ends(NetError::Redirect {
                what: what(),
                host: host_of(request),
                status,
                to,
            }));
        }
        if let Some(traffic) = &self.settings.traffic
            && status == StatusCode::TOO_MANY_REQUESTS
        {
            traffic.note_throttled();
        }
        let wait = retry::requested_wait(&headers);
        if let (Some(slot), Some((left, reset))) = (&slot, retry::remaining(&headers)) {
            slot.tighten(left, reset.min(self.settings.max_elapsed));
        }
        if let (Some(pacer), Some(wait)) = (request.pacer, wait)
            && status == StatusCode::TOO_MANY_REQUESTS
        {
            pacer.hold(wait.min(self.settings.max_elapsed));
        }
        if !status.is_success() {
            let body = match read(&mut answer, MAX_REFUSAL_BYTES).await {
                ReadBody::Whole(body) | ReadBody::Larger(body) | ReadBody::Cut(body, _) => body,
            };
            return Err(LastFailure {
                error: NetError::Status {
                    story: Attempts::one(what()),
                    response: Box::new(Response {
                        status,
                        headers,
                        body,
                        attempts: 1,
                    }),
                },
                next_try: retry::next_try_after(status),
                wait,
            });
        }
        let body = match (read(&mut answer, request.max_bytes).await, call) {
            (ReadBody::Whole(body), _)
            | (ReadBody::Larger(body) | ReadBody::Cut(body, _), Call::Deliver(..)) => body,
            (ReadBody::Larger(_), Call::Get | Call::Post(_)) => {
                let limit = request.max_bytes;
                return Err(ends(NetError::TooLarge {
                    what: what(),
                    limit,
                }));
            }
            (ReadBody::Cut(_, cause), Call::Get | Call::Post(_)) => {
                return Err(transport(request, cause));
            }
        };
        Ok(Response {
            status,
            headers,
            body,
            attempts: 1,
        })
    }
}

fn builder(settings: &Settings) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("asana-access-review/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT.min(settings.timeout))
        .redirect(reqwest::redirect::Policy::none())
        // Only `retry` decides about retries.
        .retry(reqwest::retry::never())
}

/// The part of a body that was read.
enum ReadBody {
    Whole(Vec<u8>),
    /// The body exceeds the limit.
    Larger(Vec<u8>),
    Cut(Vec<u8>, reqwest::Error),
}

async fn read(answer: &mut reqwest::Response, max_bytes: u64) -> ReadBody {
    let announced = answer.content_length().unwrap_or(0).min(max_bytes);
    let mut body = Vec::with_capacity(usize::try_from(announced).unwrap_or(0));
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) => {
                if (body.len() + chunk.len()) as u64 > max_bytes {
                    return ReadBody::Larger(body);
                }
                body.extend_from_slice(&chunk);
            }
            Ok(None) => return ReadBody::Whole(body),
            Err(cause) => return ReadBody::Cut(body, cause),
        }
    }
}

/// The decision for an attempt without a complete answer.
fn transport(request: &Request<'_>, cause: reqwest::Error) -> LastFailure<NetError> {
    let (what, host) = (request.what.clone(), host_of(request));
    let cause = cause.without_url();
    if is_tls(&cause) {
        return LastFailure {
            error: NetError::Tls { what, host, cause },
            next_try: NextTry::Never,
            wait: None,
        };
    }
    let (problem, next_try) = if cause.is_builder() {
        (TransportProblem::Request, NextTry::Never)
    } else if cause.is_timeout() {
        (TransportProblem::Timeout, NextTry::Yes)
    } else if cause.is_connect() {
        (TransportProblem::Connect, NextTry::Yes)
    } else if cause.is_body() || cause.is_decode() {
        (TransportProblem::Cut, NextTry::Yes)
    } else {
        (TransportProblem::Broken, NextTry::Yes)
    };
    LastFailure {
        error: NetError::Transport {
            story: Attempts::one(what),
            host,
            problem,
            cause,
        },
        next_try,
        wait: None,
    }
}

/// Whether the error is one of TLS. A wrong certificate stays wrong, so another attempt is useless.
fn is_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    // The source of an I/O error skips its inner error, which is read separately.
    let io = error.downcast_ref::<std::io::Error>();
    let inner = io.and_then(std::io::Error::get_ref);
    error.is::<rustls::Error>()
        || inner.is_some_and(|inner| is_tls(inner))
        || error.source().is_some_and(is_tls)
}

/// Whether an address is on this machine, so that plain `http` is safe.
pub fn is_loopback(url: &Url) -> bool {
    match url.host_str() {
        Some("localhost") => true,
        Some(host) => host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback()),
        None => false,
    }
}

/// The host that a redirect names, in quotes. The rest of the address may contain secrets.
fn target_host(from: &Url, location: &str) -> String {
    let target = from.join(location).ok();
    let host = target.as_ref().and_then(Url::host_str);
    host.map_or_else(|| "an unreadable address".to_owned(), quoted)
}
