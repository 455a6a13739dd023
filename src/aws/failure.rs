//! What an answer of AWS means: one `match` over status and code.

use std::error::Error;
use std::{fmt, io};

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::error::{BoxError, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::RequestId;
use aws_sdk_s3::primitives::ByteStreamError;

/// A request that failed: what that means, and what was said.
#[derive(Debug)]
pub(crate) struct AwsFailure {
    pub(crate) kind: AwsFailureKind,
    pub(crate) cause: BoxError,
}

/// What a failure means for the one who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AwsFailureKind {
    /// 412: something already has that name.
    Exists,
    NoSuchBucket,
    NoSuchKey,
    /// Another attempt may well succeed, and the SDK makes none.
    TryAgain,
    /// With a hint, where the answer tells more than "denied".
    Refused(Option<&'static str>),
    /// No attempt will ever succeed; with a hint.
    Misconfigured(&'static str),
    /// More than this many bytes.
    TooLarge(u64),
    /// Also after the SDK's own retries.
    Unavailable,
}

const NO_CREDENTIALS: &str = "no usable AWS credentials were found: give the job's service account a role, \
                              or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
const BAD_CREDENTIALS: &str = "the AWS credentials are wrong or have expired: check AWS_ACCESS_KEY_ID, \
                               AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or the job's role";
const BAD_CLOCK: &str = "the clock of this machine is wrong";
const WRONG_REGION: &str = "the bucket lies in another region: set AWS_REGION to it";
const NOT_SUPPORTED: &str = "the store does not know create-only writes (`If-None-Match: *`) or SHA-256 checksums, \
                             which evidence needs";
const NOT_MODIFIED: &str = "the store answers 304 to the create of an object that exists, where S3 answers 412: update the \
                            store, or use another; evidence needs create-only writes (docs/stores.md)";
pub(crate) const BAD_REQUEST: &str = "check EVIDENCE_URL or the feed's address, AWS_REGION, AWS_ENDPOINT_URL_S3 and \
                           S3_FORCE_PATH_STYLE";
const BAD_DATA_KEY: &str = "the bucket's or EVIDENCE_KMS_KEY_ID's key of AWS KMS is not there, disabled or of another \
                            kind";
const NO_SUCH_KMS_KEY: &str =
    "there is no such KMS key: check EVIDENCE_SIGNING_KMS_KEY_ID and AWS_REGION";
const KMS_KEY_OFF: &str =
    "the KMS key is disabled or awaits its deletion: enable it, or name another";
const UNFIT_KMS_KEY: &str = "a key of `ECC_NIST_P256` for `SIGN_VERIFY` is needed: \
                             `aws kms create-key --key-spec ECC_NIST_P256 --key-usage SIGN_VERIFY`";
const BAD_KMS_REQUEST: &str = "check EVIDENCE_SIGNING_KMS_KEY_ID and AWS_REGION; AWS_ENDPOINT_URL, set for a store, leads KMS \
     there too unless AWS_ENDPOINT_URL_KMS says otherwise";
const BAD_SIGNATURE: &str = "AWS_SECRET_ACCESS_KEY or the clock of this machine is wrong";
const BAD_CERTIFICATE: &str =
    "the server's certificate is not trusted: SSL_CERT_FILE replaces the system's roots";

impl AwsFailure {
    /// What the SDK's error about a request to S3 means.
    pub(crate) fn of<E>(error: SdkError<E>) -> Self
    where
        E: Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        Self::read(error, kind_of, BAD_REQUEST)
    }

    /// What the SDK's error about a request to KMS means.
    pub(crate) fn of_kms<E>(error: SdkError<E>) -> Self
    where
        E: Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        Self::read(error, kms_kind_of, BAD_KMS_REQUEST)
    }

    /// The same status and code mean different things from different services. `bad_request` is what to look at if a
    /// request cannot even be made.
    fn read<E>(
        error: SdkError<E>,
        kind_of: fn(u16, &str) -> AwsFailureKind,
        bad_request: &'static str,
    ) -> Self
    where
        E: Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        if let SdkError::ServiceError(answer) = &error {
            let status = answer.raw().status().as_u16();
            let code = error.code().unwrap_or_default();
            return Self {
                kind: kind_of(status, code),
                cause: Box::new(Answer {
                    status,
                    code: code.to_owned(),
                    message: error.message().unwrap_or_default().to_owned(),
                    request_id: error.request_id().map(str::to_owned),
                }),
            };
        }
        let kind = match &error {
            SdkError::ConstructionFailure(_) => AwsFailureKind::Misconfigured(bad_request),
            _ => AwsFailureKind::Unavailable,
        };
        let kind = kind_of_chain(&error).unwrap_or(kind);
        let credentials = chain(&error)
            .find(|cause| cause.is::<CredentialsError>())
            .map(one_line);
        let cause: BoxError = match credentials {
            Some(reported) => reported.into(),
            None => Box::new(error),
        };
        Self { kind, cause }
    }

    /// A body that broke off or does not match its checksum.
    pub(crate) fn of_body(error: ByteStreamError) -> Self {
        Self {
            kind: AwsFailureKind::TryAgain,
            cause: Box::new(error),
        }
    }

    /// A body of more than `max_bytes`.
    pub(crate) fn too_large(max_bytes: u64) -> Self {
        Self {
            kind: AwsFailureKind::TooLarge(max_bytes),
            cause: "the object is too large".into(),
        }
    }

    pub(crate) fn is_worth_another_try(&self) -> bool {
        self.kind == AwsFailureKind::TryAgain
    }
}

fn kind_of(status: u16, code: &str) -> AwsFailureKind {
    match (status, code) {
        (_, "NoSuchBucket") => AwsFailureKind::NoSuchBucket,
        // A 404 without this word is not an answer of the store: perhaps a proxy's. Taking it for
        // "no such object" would turn "could not check" into "nothing there".
        (_, "NoSuchKey") => AwsFailureKind::NoSuchKey,
        (412, _) => AwsFailureKind::Exists,
        (409 | 429, _) => AwsFailureKind::TryAgain,
        (_, "RequestTimeTooSkewed") => AwsFailureKind::Refused(Some(BAD_CLOCK)),
        // Some of these come as 400.
        (401, _)
        | (
            _,
            "ExpiredToken"
            | "InvalidToken"
            | "TokenRefreshRequired"
            | "InvalidAccessKeyId"
            | "SignatureDoesNotMatch",
        ) => AwsFailureKind::Refused(Some(BAD_CREDENTIALS)),
        (403 | 407, _) => AwsFailureKind::Refused(None),
        (301 | 307, _)
        | (_, "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException") => {
            AwsFailureKind::Misconfigured(WRONG_REGION)
        }
        (400, code) if code.starts_with("KMS.") => AwsFailureKind::Misconfigured(BAD_DATA_KEY),
        (304, _) => AwsFailureKind::Misconfigured(NOT_MODIFIED),
        (501, _) => AwsFailureKind::Misconfigured(NOT_SUPPORTED),
        // The last five: what arrived is not what was sent.
        (408 | 500.., _)
        | (
            _,
            "RequestTimeout"
            | "IncompleteBody"
            | "BadDigest"
            | "InvalidDigest"
            | "XAmzContentSHA256Mismatch",
        ) => AwsFailureKind::Unavailable,
        _ => AwsFailureKind::Misconfigured(BAD_REQUEST),
    }
}

/// KMS says almost everything with 400 and a word.
fn kms_kind_of(status: u16, code: &str) -> AwsFailureKind {
    match (status, code) {
        (_, "AccessDeniedException") => AwsFailureKind::Refused(None),
        (_, "InvalidSignatureException" | "RequestExpired") => {
            AwsFailureKind::Refused(Some(BAD_SIGNATURE))
        }
        (_, "DisabledException" | "KMSInvalidStateException") => {
            AwsFailureKind::Refused(Some(KMS_KEY_OFF))
        }
        (401, _)
        | (
            _,
            "UnrecognizedClientException"
            | "InvalidClientTokenId"
            | "IncompleteSignature"
            | "IncompleteSignatureException"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException"
            | "ExpiredTokenException",
        ) => AwsFailureKind::Refused(Some(BAD_CREDENTIALS)),
        (403 | 407, _) => AwsFailureKind::Refused(None),
        (_, "NotFoundException" | "InvalidArnException") => {
            AwsFailureKind::Misconfigured(NO_SUCH_KMS_KEY)
        }
        (_, "UnsupportedOperationException" | "InvalidKeyUsageException") => {
            AwsFailureKind::Misconfigured(UNFIT_KMS_KEY)
        }
        (501, _) => AwsFailureKind::Misconfigured(BAD_KMS_REQUEST),
        // The SDK has tried these again.
        (408 | 429 | 500.., _)
        | (
            _,
            "ThrottlingException"
            | "LimitExceededException"
            | "RequestTimeout"
            | "RequestTimeoutException"
            | "DependencyTimeoutException"
            | "KeyUnavailableException"
            | "KMSInternalException",
        ) => AwsFailureKind::Unavailable,
        _ => AwsFailureKind::Misconfigured(BAD_KMS_REQUEST),
    }
}

/// What lies deeper in an error that is no answer: credentials, or a certificate.
fn kind_of_chain(error: &(dyn Error + 'static)) -> Option<AwsFailureKind> {
    chain(error).find_map(|cause| {
        if let Some(credentials) = cause.downcast_ref::<CredentialsError>() {
            return Some(match credentials {
                CredentialsError::ProviderTimedOut(_) => AwsFailureKind::Unavailable,
                // STS out of reach is not STS saying no.
                CredentialsError::ProviderError(_) | CredentialsError::Unhandled(_)
                    if chain(credentials).any(is_about_the_network) =>
                {
                    AwsFailureKind::Unavailable
                }
                _ => AwsFailureKind::Refused(Some(NO_CREDENTIALS)),
            });
        }
        match cause.downcast_ref::<rustls::Error>() {
            Some(rustls::Error::InvalidCertificate(_)) => {
                Some(AwsFailureKind::Misconfigured(BAD_CERTIFICATE))
            }
            _ => None,
        }
    })
}

fn is_about_the_network(cause: &(dyn Error + 'static)) -> bool {
    cause.is::<io::Error>() || cause.is::<aws_sdk_s3::error::ConnectorError>()
}

/// `error` and all below it. An `io::Error` hands out its payload's source, never the payload: ask it.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| {
        match error.downcast_ref::<io::Error>() {
            Some(io) => io
                .get_ref()
                .map(|payload| payload as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}

/// The SDK tells every place it looked for credentials, on lines of their own: a log wants one.
fn one_line(error: &(dyn Error + 'static)) -> String {
    let reported: Vec<_> = chain(error).map(ToString::to_string).collect();
    let reported = reported.join(": ");
    let (first, rest) = reported.split_once('\n').unwrap_or((&reported, ""));
    let rest: Vec<_> = rest.lines().map(str::trim).collect();
    format!("{first} {}", rest.join("; ")).trim_end().to_owned()
}

/// An error as the server put it: the SDK itself prints only "service error".
#[derive(Debug)]
struct Answer {
    status: u16,
    code: String,
    message: String,
    request_id: Option<String>,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            status,
            code,
            message,
            request_id,
        } = self;
        match (code.as_str(), message.as_str()) {
            ("", _) => write!(f, "HTTP {status} without an error code")?,
            (code, "") => write!(f, "{code} (HTTP {status})")?,
            (code, message) => write!(
                f,
                "{code}: {} (HTTP {status})",
                message.trim_end_matches('.')
            )?,
        }
        match request_id {
            Some(id) => write!(f, ", request {id}"),
            None => Ok(()),
        }
    }
}

impl Error for Answer {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_means_something() {
        let mut reported = String::new();
        for status in [
            301, 307, 400, 401, 403, 404, 405, 407, 408, 409, 411, 412, 413, 416, 429, 500, 501,
            502, 503, 504,
        ] {
            let kind = match kind_of(status, "") {
                AwsFailureKind::Refused(_) => "Refused".to_owned(),
                AwsFailureKind::Misconfigured(_) => "Misconfigured".to_owned(),
                kind => format!("{kind:?}"),
            };
            reported.push_str(&format!("{status} {kind}\n"));
        }
        insta::assert_snapshot!(reported, @r"
        301 Misconfigured
        307 Misconfigured
        400 Misconfigured
        401 Refused
        403 Refused
        404 Misconfigured
        405 Misconfigured
        407 Refused
        408 Unavailable
        409 TryAgain
        411 Misconfigured
        412 Exists
        413 Misconfigured
        416 Misconfigured
        429 TryAgain
        500 Unavailable
        501 Misconfigured
        502 Unavailable
        503 Unavailable
        504 Unavailable
        ");
    }

    #[test]
    fn a_404_is_only_a_missing_object_if_the_store_says_so() {
        assert_eq!(kind_of(404, "NoSuchKey"), AwsFailureKind::NoSuchKey);
        assert_eq!(kind_of(404, "NoSuchBucket"), AwsFailureKind::NoSuchBucket);
        assert!(matches!(
            kind_of(404, "NotFound"),
            AwsFailureKind::Misconfigured(_)
        ));
    }

    #[test]
    fn an_expired_token_is_a_refusal_though_it_comes_as_400() {
        assert!(matches!(
            kind_of(400, "ExpiredToken"),
            AwsFailureKind::Refused(_)
        ));
        assert_eq!(kind_of(400, "RequestTimeout"), AwsFailureKind::Unavailable);
    }

    #[test]
    fn a_bad_certificate_is_found_however_deep_and_is_no_retry() {
        let tls = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let nested = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, tls));
        assert_eq!(
            kind_of_chain(&nested),
            Some(AwsFailureKind::Misconfigured(BAD_CERTIFICATE))
        );
    }

    #[test]
    fn credentials_that_cannot_be_fetched_are_not_credentials_that_are_missing() {
        let missing = io::Error::other(CredentialsError::not_loaded_no_source());
        assert_eq!(
            kind_of_chain(&missing),
            Some(AwsFailureKind::Refused(Some(NO_CREDENTIALS)))
        );
        let offline = CredentialsError::provider_error(io::Error::other("connection refused"));
        assert_eq!(
            kind_of_chain(&io::Error::other(offline)),
            Some(AwsFailureKind::Unavailable)
        );
    }

    #[test]
    fn every_word_of_kms_means_something() {
        let mut reported = String::new();
        for (status, code) in [
            (400, "AccessDeniedException"),
            (400, "DisabledException"),
            (400, "KMSInvalidStateException"),
            (400, "UnrecognizedClientException"),
            (400, "InvalidSignatureException"),
            (400, "ExpiredTokenException"),
            (403, "InvalidClientTokenId"),
            (403, ""),
            (400, "NotFoundException"),
            (400, "InvalidArnException"),
            (400, "UnsupportedOperationException"),
            (400, "InvalidKeyUsageException"),
            (400, "ValidationException"),
            (400, ""),
            (404, ""),
            (501, ""),
            (400, "ThrottlingException"),
            (400, "LimitExceededException"),
            (408, ""),
            (429, ""),
            (500, "KMSInternalException"),
            (500, "DependencyTimeoutException"),
            (503, ""),
        ] {
            let kind = match kms_kind_of(status, code) {
                AwsFailureKind::Refused(_) => "Refused".to_owned(),
                AwsFailureKind::Misconfigured(_) => "Misconfigured".to_owned(),
                kind => format!("{kind:?}"),
            };
            reported.push_str(&format!("{status} {code} {kind}\n"));
        }
        insta::assert_snapshot!(reported);
    }
}
