//! The private key. It is read once and never printed.

use std::fmt;

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use secrecy::{ExposeSecret as _, SecretString};

use super::SigningError;
use super::pem;
use super::public::PublicKey;
use crate::evidence::KeyKind;

/// A private key that signs ledger entries. Its debug output has only the public half.
pub struct PrivateKey {
    pair: Pair,
    public: PublicKey,
}

enum Pair {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
}

/// Why a text is not a key to sign with. The error contains no part of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("does not contain a PEM key")]
    NoPem,
    /// The PEM is cut or altered, has lost its line breaks, or has more than one key.
    #[error("does not contain exactly one complete PEM key")]
    Broken,
    #[error("contains a key in the older SEC1 form (`EC PRIVATE KEY`), not in PKCS#8")]
    Sec1,
    #[error("contains a key that is protected by a passphrase")]
    Encrypted,
    #[error("contains a public key, which cannot sign")]
    Public,
    #[error("does not contain an Ed25519 or P-256 private key")]
    OtherKind,
}

impl KeyError {
    /// A remedy for the operator.
    pub fn hint(self) -> &'static str {
        match self {
            Self::NoPem | Self::Public => {
                "give the text from `-----BEGIN PRIVATE KEY-----` on, or set EVIDENCE_SIGNING_KEY_FILE to the key's \
                 file"
            }
            Self::Broken => {
                "keep the line breaks of the key, or set EVIDENCE_SIGNING_KEY_FILE to the key's file"
            }
            Self::Sec1 | Self::Encrypted => {
                "convert it: `openssl pkcs8 -topk8 -nocrypt -in OLD.pem -out KEY.pem`"
            }
            Self::OtherKind => "create a key: `openssl genpkey -algorithm ed25519 -out KEY.pem`",
        }
    }
}

impl PrivateKey {
    /// The private key in a PEM text, in PKCS#8.
    pub fn from_pem(text: &SecretString) -> Result<Self, KeyError> {
        let text = text.expose_secret();
        ensure_pkcs8(text)?;
        let pkcs8 = pem::private_key(text).ok_or(KeyError::Broken)?;
        Self::from_pkcs8(pkcs8.expose_secret())
    }

    fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, KeyError> {
        // `maybe_unchecked`, because openssl writes Ed25519 keys without their public half.
        let (pair, kind) = if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8) {
            (Pair::Ed25519(pair), KeyKind::Ed25519)
        } else {
            let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
            let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8, &SystemRandom::new())
                .map_err(|_| KeyError::OtherKind)?;
            (Pair::P256(pair), KeyKind::P256)
        };
        let raw = match &pair {
            Pair::Ed25519(pair) => pair.public_key().as_ref(),
            Pair::P256(pair) => pair.public_key().as_ref(),
        };
        let public = PublicKey::from_raw(kind, raw).map_err(|_| KeyError::OtherKind)?;
        Ok(Self { pair, public })
    }

    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs exactly these bytes. P-256 gives another signature each time.
    ///
    /// # Errors
    /// If the system gives no random numbers.
    pub fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, SigningError> {
        match &self.pair {
            Pair::Ed25519(pair) => Ok(pair.sign(bytes).as_ref().to_vec()),
            Pair::P256(pair) => pair
                .sign(&SystemRandom::new(), bytes)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| SigningError::NoRandomness),
        }
    }
}

/// Checks by the first `BEGIN` line that the key is in PKCS#8. Skips `EC PARAMETERS`, which `openssl ecparam` writes
/// before a key.
fn ensure_pkcs8(text: &str) -> Result<(), KeyError> {
    let labels = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("-----BEGIN "));
    let mut labels = labels.map(|rest| rest.split("-----").next().unwrap_or_default());
    match labels.find(|label| *label != "EC PARAMETERS") {
        None => Err(KeyError::NoPem),
        Some(_) if text.contains("Proc-Type:") => Err(KeyError::Encrypted),
        Some("ENCRYPTED PRIVATE KEY") => Err(KeyError::Encrypted),
        Some("PRIVATE KEY") => Ok(()),
        // `ring` cannot read this older form.
        Some("EC PRIVATE KEY") => Err(KeyError::Sec1),
        Some("PUBLIC KEY") => Err(KeyError::Public),
        Some(_) => Err(KeyError::OtherKind),
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey of {:?}", self.public)
    }
}
