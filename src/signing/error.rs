//! Errors of signing.

use crate::aws::AwsError;
use crate::net::ErrorKind;

/// Why a key cannot be used, or gave no signature. Without a signature, no entry is written.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// P-256 signatures need random numbers.
    #[error("the system gave no random numbers to sign with")]
    NoRandomness,
    #[error(transparent)]
    Kms(#[from] AwsError),
    /// The key exists, but it is of another kind.
    #[error("the KMS key `{id}` cannot sign ledger entries: {why}")]
    Unfit {
        /// Id, alias or ARN.
        id: String,
        why: String,
    },
    #[error("the signature does not verify with the public half of the key")]
    NotVerified,
}

impl SigningError {
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Kms(error) => error.kind(),
            Self::Unfit { .. } => ErrorKind::Configuration,
            Self::NoRandomness | Self::NotVerified => ErrorKind::Unexpected,
        }
    }

    /// A remedy for the operator.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Kms(error) => error.hint(),
            Self::Unfit { .. } => Some(
                "create a key: `aws kms create-key --key-spec ECC_NIST_P256 --key-usage SIGN_VERIFY`",
            ),
            Self::NotVerified => Some(
                "if the alias was moved to another key during the run, run again; else check which server answers as \
                 KMS (AWS_ENDPOINT_URL_KMS)",
            ),
            Self::NoRandomness => None,
        }
    }
}
