//! Signatures over ledger entries: a private key in PEM signs, or one in AWS KMS, and a public key
//! checks.
//!
//! Two kinds, both checked by stock `openssl`: Ed25519, and ECDSA over P-256 with SHA-256, whose
//! signatures are DER. A public key says nothing about whose it is: it is trusted only where
//! somebody pins it.

mod error;
mod kms;
mod pem;
mod private;
mod public;

use std::sync::Arc;

pub use error::SigningError;
pub use kms::KmsKey;
pub use private::{KeyError, PrivateKey};
pub use public::{NoPublicKey, PublicKey};

use crate::evidence::{Custody, Signer};

/// What signs, if anything does.
#[derive(Clone, Debug, Default)]
pub enum Settings {
    /// Nothing.
    #[default]
    Unsigned,
    /// A private key that was read.
    Private(Arc<PrivateKey>),
    /// A key in AWS KMS: its id, alias or ARN.
    Kms(String),
}

/// A key that signs ledger entries.
#[derive(Clone, Debug)]
pub enum SigningKey {
    /// A private key in this process.
    Private(Arc<PrivateKey>),
    /// A key in AWS KMS.
    Kms(KmsKey),
}

impl SigningKey {
    /// The key of the settings, ready to sign; none where nothing is to be signed.
    ///
    /// # Errors
    /// Where KMS does not give the key's public half, or the key cannot sign as we need it.
    pub async fn open(settings: &Settings) -> Result<Option<Self>, SigningError> {
        Ok(match settings {
            Settings::Unsigned => None,
            Settings::Private(key) => Some(Self::Private(Arc::clone(key))),
            Settings::Kms(id) => Some(Self::Kms(KmsKey::open(id).await?)),
        })
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        match self {
            Self::Private(key) => key.public(),
            Self::Kms(key) => key.public(),
        }
    }

    /// The key as reports tell it.
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

    /// Signs exactly these bytes. Of P-256, each signature of the same bytes is another.
    ///
    /// A signature that this gives verifies with the public half: it was tried.
    ///
    /// # Errors
    /// Where there is no signature, or it does not verify.
    pub async fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, SigningError> {
        let signature = match self {
            Self::Private(key) => key.sign(bytes)?,
            Self::Kms(key) => key.sign(bytes).await?,
        };
        match self.public().verify(bytes, &signature) {
            true => Ok(signature),
            false => Err(SigningError::Unsound),
        }
    }
}

#[cfg(test)]
mod tests;
