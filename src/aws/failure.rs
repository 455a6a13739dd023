//! Classifies the answers of AWS, with one `match` over status and code for each service.

use std::error::Error;
use std::{fmt, io};

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::error::{BoxError, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::RequestId;
use aws_sdk_s3::primitives::ByteStreamError;

use crate::model::quoted;

/// A failed request: its kind, and the answer or error.
#[derive(Debug)]
pub(crate) struct AwsFailure {
    pub(crate) kind: AwsFailureKind,
    pub(crate) cause: BoxError,
}

/// The meaning of a failure for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AwsFailureKind {
    /// 412: an object of that name exists.
    Exists,
    NoSuchBucket,
    NoSuchKey,
    /// Another attempt may succeed, but the SDK makes none.
    TryAgain,
    /// With a hint if the answer gives a more specific reason than "denied".
    Refused(Option<&'static str>),
    /// A retry cannot succeed. With a hint.
    Misconfigured(&'static str),
    /// The object is larger than this many bytes.
    TooLarge(u64),
    /// The request failed even after the SDK's own retries.
    Unavailable,
}

const NO_CREDENTIALS: &str = "no usable AWS credentials were found: give the job's service account a role, \
                              or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
const BAD_CREDENTIALS: &str = "the AWS credentials are wrong or have expired: check AWS_ACCESS_KEY_ID, \
                               AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or the job's role";
const UNREADABLE_CREDENTIALS: &str = "the file in AWS_WEB_IDENTITY_TOKEN_FILE or \
                                      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE must exist, and this user must be able \
                                      to read it; in Kubernetes, set podSecurityContext.fsGroup";
const BAD_CLOCK: &str = "the clock of this machine is wrong: set it";
const WRONG_REGION: &str = "the bucket is in another region: set AWS_REGION to the bucket's region";
const NOT_SUPPORTED: &str = "the store does not support create-only writes (`If-None-Match: *`) or SHA-256 checksums: \
                             update it, or use another; evidence needs both (docs/stores.md)";
const NOT_MODIFIED: &str = "the store answers 304 to the create of an existing object, while S3 answers 412: update \
                            the store, or use another; evidence needs create-only writes (docs/stores.md)";
pub(crate) const BAD_REQUEST: &str = "check EVIDENCE_URL or the feed's address, AWS_REGION, AWS_ENDPOINT_URL_S3 and \
                           S3_FORCE_PATH_STYLE";
const BAD_DATA_KEY: &str = "the KMS key of the bucket or of EVIDENCE_KMS_KEY_ID does not exist, is disabled or is of \
                            another kind: check it with `aws kms describe-key`";
const NO_SUCH_KMS_KEY: &str =
    "the KMS key does not exist: check EVIDENCE_SIGNING_KMS_KEY_ID and AWS_REGION";
const KMS_KEY_OFF: &str = "the KMS key is disabled or pending deletion: enable it, or use another";
const UNFIT_KMS_KEY: &str =
    "create a key: `aws kms create-key --key-spec ECC_NIST_P256 --key-usage SIGN_VERIFY`";
const BAD_KMS_REQUEST: &str = "check EVIDENCE_SIGNING_KMS_KEY_ID and AWS_REGION; AWS_ENDPOINT_URL applies to KMS too: \
                               for a store only, set AWS_ENDPOINT_URL_S3 instead";
const BAD_SIGNATURE: &str =
    "AWS_SECRET_ACCESS_KEY or the clock of this machine is wrong: correct it";
const BAD_CERTIFICATE: &str = "the server's certificate is not trusted: set SSL_CERT_FILE to a file with all \
                               needed root certificates";

impl AwsFailure {
    /// Classifies the SDK's error about a request to S3.
    pub(crate) fn of<E>(error: SdkError<E>) -> Self
    where
        E: Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        Self::read(error, kind_of, BAD_REQUEST)
    }

    /// Classifies the SDK's error about a request to KMS.
    pub(crate) fn of_kms<E>(error: SdkError<E>) -> Self
    where
        E: Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        Self::read(error, kms_kind_of, BAD_KMS_REQUEST)
    }

    /// `kind_of` depends on the service, because services give the same status or code different meanings.
    /// `bad_request` is the hint if a request cannot even be built.
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
        // A 404 without this code is not an answer of the store, but perhaps of a proxy. To take it for "no such
        // object" would turn "could not check" into "nothing found".
        (_, "NoSuchKey") => AwsFailureKind::NoSuchKey,
        (412, _) => AwsFailureKind::Exists,
        (409 | 429, _) => AwsFailureKind::TryAgain,
        (_, "RequestTimeTooSkewed") => AwsFailureKind::Refused(Some(BAD_CLOCK)),
        // Some of these codes come with 400.
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
        // With the last four codes, the store received other bytes than were sent.
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

/// KMS answers almost every error with 400 and a code.
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
        // The SDK has retried these.
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

/// The kind of an error without an answer, from its causes: credentials or a certificate.
fn kind_of_chain(error: &(dyn Error + 'static)) -> Option<AwsFailureKind> {
    chain(error).find_map(|cause| {
        if let Some(credentials) = cause.downcast_ref::<CredentialsError>() {
            return Some(match credentials {
                CredentialsError::ProviderTimedOut(_) => AwsFailureKind::Unavailable,
                // STS is out of reach; it did not refuse.
                CredentialsError::ProviderError(_) | CredentialsError::Unhandled(_)
                    if is_about_the_network(credentials) =>
                {
                    AwsFailureKind::Unavailable
                }
                _ if chain(credentials).any(is_about_a_file) => {
                    AwsFailureKind::Misconfigured(UNREADABLE_CREDENTIALS)
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

fn is_about_the_network(error: &(dyn Error + 'static)) -> bool {
    // A firewall may answer a connection attempt with the same kind of error as a file without permission.
    let is_a_connection =
        |cause: &(dyn Error + 'static)| cause.is::<aws_sdk_s3::error::ConnectorError>();
    chain(error).any(is_a_connection)
        || chain(error).any(|cause| cause.is::<io::Error>() && !is_about_a_file(cause))
}

fn is_about_a_file(cause: &(dyn Error + 'static)) -> bool {
    let kind = cause.downcast_ref::<io::Error>().map(io::Error::kind);
    matches!(
        kind,
        Some(io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied)
    )
}

/// `error` and all its causes. The `source` of an `io::Error` skips its payload, so this reads the payload.
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

/// The SDK lists on separate lines where it looked for credentials. A log needs one line.
fn one_line(error: &(dyn Error + 'static)) -> String {
    let reported: Vec<_> = chain(error).map(ToString::to_string).collect();
    let reported = reported.join(": ");
    let (first, rest) = reported.split_once('\n').unwrap_or((&reported, ""));
    let rest: Vec<_> = rest.lines().map(str::trim).collect();
    format!("{first} {}", rest.join("; ")).trim_end().to_owned()
}

/// The error in the server's answer. The SDK itself prints only "service error".
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
                "{code} (HTTP {status}): {}",
                quoted(message.trim_end_matches('.'))
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
    fn each_status_has_a_kind() {
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
    fn a_404_is_a_missing_object_only_with_the_stores_code() {
        assert_eq!(kind_of(404, "NoSuchKey"), AwsFailureKind::NoSuchKey);
        assert_eq!(kind_of(404, "NoSuchBucket"), AwsFailureKind::NoSuchBucket);
        assert!(matches!(
            kind_of(404, "NotFound"),
            AwsFailureKind::Misconfigured(_)
        ));
    }

    #[test]
    fn an_expired_token_is_a_refusal_although_its_status_is_400() {
        assert!(matches!(
            kind_of(400, "ExpiredToken"),
            AwsFailureKind::Refused(_)
        ));
        assert_eq!(kind_of(400, "RequestTimeout"), AwsFailureKind::Unavailable);
    }

    #[test]
    fn a_bad_certificate_is_found_at_any_depth_and_not_retried() {
        let tls = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let nested = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, tls));
        assert_eq!(
            kind_of_chain(&nested),
            Some(AwsFailureKind::Misconfigured(BAD_CERTIFICATE))
        );
    }

    #[test]
    fn unreachable_credentials_are_not_missing_credentials() {
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
    fn an_unreadable_file_of_credentials_is_not_retried() {
        for kind in [io::ErrorKind::NotFound, io::ErrorKind::PermissionDenied] {
            let unreadable = CredentialsError::provider_error(io::Error::from(kind));
            assert_eq!(
                kind_of_chain(&io::Error::other(unreadable)),
                Some(AwsFailureKind::Misconfigured(UNREADABLE_CREDENTIALS))
            );
        }
    }

    #[test]
    fn each_code_of_kms_has_a_kind() {
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
