//! One HTTP client for everything that is not S3.

use std::sync::OnceLock;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderMap, LOCATION};
use reqwest::{StatusCode, Url};

use super::error::{Attempts, NetError};
use super::retry::{self, Bounds, LastFailure, NextTry};
use super::{Deadline, Pacer, Settings, Slot};

/// An unanswered connection attempt is given up sooner than a slow answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// As much of a refusal's body as anybody reads.
const MAX_REFUSAL_BYTES: u64 = 64 * 1024;

/// An HTTP client with bounds: every attempt, every request and the whole run come to an end.
///
/// Certificates are checked against the system's, the system's proxy is used, redirects are not
/// followed. Plain `http` is for loopback addresses only, and never goes through a proxy.
#[derive(Debug)]
pub struct Http {
    settings: Settings,
    deadline: Deadline,
    /// For loopback: needs no certificates, so it works where none are installed.
    plain: reqwest::Client,
    /// Built when first needed: reading the certificates takes time and memory.
    tls: OnceLock<reqwest::Client>,
}

/// What to ask for.
#[derive(Debug)]
pub struct Request<'a> {
    /// The address.
    pub url: Url,
    /// Headers; whoever sets `Authorization` marks its value sensitive.
    pub headers: HeaderMap,
    /// A larger body is an error.
    pub max_bytes: u64,
    /// The rate limit it falls under.
    pub pacer: Option<&'a Pacer>,
    /// How errors and logs name it: method and target, nothing secret.
    pub what: String,
}

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, unpacked.
    pub body: Vec<u8>,
    /// How often it was asked for.
    pub attempts: u32,
}

impl Response {
    /// The moment the answer was made, by the server's clock, to the second.
    pub fn date(&self) -> Option<Timestamp> {
        retry::date_of(&self.headers)
    }

    /// When the server says that what it sent was last changed.
    pub fn last_modified(&self) -> Option<Timestamp> {
        retry::last_modified_of(&self.headers)
    }
}

/// What an attempt sends.
#[derive(Clone, Copy)]
enum Call<'a> {
    /// Nothing, to get something.
    Get,
    /// JSON, to get something.
    Post(&'a [u8]),
    /// A body, and headers made anew for each attempt.
    Deliver(&'a [u8], &'a (dyn Fn() -> HeaderMap + Sync)),
}

impl Http {
    /// A client whose every request ends by `deadline`.
    pub fn new(settings: &Settings, deadline: Deadline) -> Result<Self, NetError> {
        // Somebody else (the AWS SDK, a test beside us) may have installed it already: it is the same one.
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
        })
    }

    /// When the run must end.
    pub fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// Gets something, trying again where that may help. Any status but a success is an error,
    /// which carries the answer.
    pub async fn get(&self, request: Request<'_>) -> Result<Response, NetError> {
        self.call(request, Call::Get).await
    }

    /// Posts JSON for the answer to it, in all else as [`Http::get`]. It is tried again, too: only for
    /// what may happen twice without harm.
    pub async fn post(&self, request: Request<'_>, json: &[u8]) -> Result<Response, NetError> {
        self.call(request, Call::Post(json)).await
    }

    /// Posts something of which only the answer's status counts, trying again where that may help. The
    /// body is the same each time, and `headers` makes those that differ from attempt to attempt.
    ///
    /// With a success it was delivered, whatever becomes of the answer's body: that comes as far as it
    /// was sent and allowed.
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
        // Waiting for a first slot is not the request's fault: its time starts after it.
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
                let mut error = gave_up.trouble;
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
            if !is_loopback(&request.url) {
                let what = request.what.clone();
                return Err(NetError::PlainHttp { what });
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
        let ends = |trouble| LastFailure {
            trouble,
            again: NextTry::Never,
            wait: None,
        };
        // Held until the answer is read to its end, however the attempt ends.
        let slot = match (slot, request.pacer) {
            (Some(slot), _) => Some(slot),
            (None, Some(pacer)) => Some(self.slot(pacer, &request.what).await.map_err(ends)?),
            (None, None) => None,
        };
        let timeout = self.settings.timeout.min(self.deadline.remaining());
        if timeout.is_zero() {
            return Err(ends(NetError::Deadline { what: what() }));
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
            .map_err(|cause| transport(what(), cause))?;
        let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
        if status.is_redirection()
            && let Some(location) = headers.get(LOCATION)
        {
            let to = target_host(&request.url, location.to_str().unwrap_or_default());
            let what = what();
            return Err(ends(NetError::Redirect { what, status, to }));
        }
        let wait = retry::asked_wait(&headers);
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
                trouble: NetError::Status {
                    story: Attempts::one(what()),
                    response: Box::new(Response {
                        status,
                        headers,
                        body,
                        attempts: 1,
                    }),
                },
                again: retry::again_after(status),
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
                return Err(transport(what(), cause));
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
        // Trying again is decided in one place.
        .retry(reqwest::retry::never())
}

/// A body as far as it was read.
enum ReadBody {
    Whole(Vec<u8>),
    /// There is more than allowed.
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

/// The decision for an attempt without a whole answer.
fn transport(what: String, cause: reqwest::Error) -> LastFailure<NetError> {
    let cause = cause.without_url();
    if is_tls(&cause) {
        return LastFailure {
            trouble: NetError::Tls { what, cause },
            again: NextTry::Never,
            wait: None,
        };
    }
    let (trouble, again) = if cause.is_builder() {
        ("the request could not be made", NextTry::Never)
    } else if cause.is_timeout() {
        ("no answer in time", NextTry::Yes)
    } else if cause.is_connect() {
        ("no connection", NextTry::Yes)
    } else if cause.is_body() || cause.is_decode() {
        ("the answer was cut short", NextTry::Yes)
    } else {
        ("the connection broke", NextTry::Yes)
    };
    LastFailure {
        trouble: NetError::Transport {
            story: Attempts::one(what),
            trouble,
            cause,
        },
        again,
        wait: None,
    }
}

/// Whether TLS itself objects: a certificate that is wrong stays wrong.
fn is_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    // An I/O error's source is its inner error's source: the inner one must be asked for.
    let io = error.downcast_ref::<std::io::Error>();
    let inner = io.and_then(std::io::Error::get_ref);
    error.is::<rustls::Error>()
        || inner.is_some_and(|inner| is_tls(inner))
        || error.source().is_some_and(is_tls)
}

/// Whether an address is this machine's own, where plain `http` gives nothing away.
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

/// The host a redirect names: the rest of it may hold what nobody should read.
fn target_host(from: &Url, location: &str) -> String {
    let target = from.join(location).ok();
    let host = target.as_ref().and_then(Url::host_str);
    host.unwrap_or("an unreadable address").to_owned()
}
