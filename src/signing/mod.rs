//! Signs ledger entries with a private key in PEM or in AWS KMS, and checks signatures with a public key.
//!
//! `openssl` can check both kinds of signatures: Ed25519, and ECDSA over P-256 with SHA-256 in DER. A public key does
//! not prove who owns it: it is trusted only if an operator or auditor names it.

mod error;
mod kms;
mod pem;
mod private;
mod public;

use std::sync::Arc;

pub use error::SigningError;
pub use kms::KmsKey;
pub use private::{KeyError, PrivateKey};
pub use public::{NotAPublicKey, PublicKey};

use crate::evidence::{Custody, Signer};

/// The key to sign with.
#[derive(Clone, Debug, Default)]
pub enum Settings {
    #[default]
    Unsigned,
    Private(Arc<PrivateKey>),
    /// The id, alias or ARN of a key in AWS KMS.
    Kms(String),
}

/// A key that signs ledger entries.
#[derive(Clone, Debug)]
pub enum SigningKey {
    Private(Arc<PrivateKey>),
    Kms(KmsKey),
}

impl SigningKey {
    /// The key of the settings, ready to sign. None if no key is set.
    ///
    /// # Errors
    /// If KMS does not return the public half, or the key is of another kind.
    pub async fn open(settings: &Settings) -> Result<Option<Self>, SigningError> {
        Ok(match settings {
            Settings::Unsigned => None,
            Settings::Private(key) => Some(Self::Private(Arc::clone(key))),
            Settings::Kms(id) => Some(Self::Kms(KmsKey::open(id).await?)),
        })
    }

    pub fn public(&self) -> &PublicKey {
        match self {
            Self::Private(key) => key.public(),
            Self::Kms(key) => key.public(),
        }
    }

    /// The description of the key for reports.
    pub fn signer(&self) -> Signer {
        Signer {
            key_sha256: self.public().sha256().to_owned(),
            kind: self.public().kind(),
            custody: match self {
                Self::Private(_) => Custody::Private,
                Self::Kms(_) => Custody::Kms,
            },
        }
    }

    /// Signs exactly these bytes, and checks the signature with the public half. P-256 gives another signature each
    /// time.
    ///
    /// # Errors
    /// If the key gives no signature, or if the signature does not verify.
    pub async fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, SigningError> {
        let signature = match self {
            Self::Private(key) => key.sign(bytes)?,
            Self::Kms(key) => key.sign(bytes).await?,
        };
        match self.public().verify(bytes, &signature) {
            true => Ok(signature),
            false => Err(SigningError::NotVerified),
        }
    }
}

#[cfg(test)]
mod tests;
