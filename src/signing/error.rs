//! Why there is no signature.

use crate::aws::AwsError;
use crate::net::ErrorKind;

/// Why a key cannot be used, or gave no signature. Without one, no entry is written.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// The system gave no randomness, without which P-256 cannot sign.
    #[error("the system gave no randomness to sign with")]
    NoRandomness,
    /// KMS did not do what it was asked.
    #[error(transparent)]
    Kms(#[from] AwsError),
    /// KMS has the key, and it is of another kind.
    #[error("the KMS key `{id}` cannot sign ledger entries: {why}")]
    Unfit {
        /// Its id, alias or ARN.
        id: String,
        /// What it is.
        why: String,
    },
    /// There is a signature, and the key's public half says it is none.
    #[error("the signature does not verify with the public half of the key")]
    Unsound,
}

impl SigningError {
    /// What sort of trouble it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Kms(error) => error.kind(),
            Self::Unfit { .. } => ErrorKind::Configuration,
            Self::NoRandomness | Self::Unsound => ErrorKind::Unexpected,
        }
    }

    /// What the operator may do about it.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Kms(error) => error.hint(),
            Self::Unfit { .. } => Some(
                "make one: `aws kms create-key --key-spec ECC_NIST_P256 --key-usage SIGN_VERIFY`",
            ),
            Self::Unsound => Some(
                "if the alias was pointed to another key during the run, try again; else see what \
                 answers in the place of KMS",
            ),
            Self::NoRandomness => None,
        }
    }
}
