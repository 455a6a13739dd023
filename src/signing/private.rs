//! The private key: read once, told to nobody.

use std::fmt;

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use secrecy::{ExposeSecret as _, SecretString};

use super::SigningError;
use super::pem;
use super::public::PublicKey;
use crate::evidence::KeyKind;

/// A private key that signs ledger entries. It shows nothing but its public half.
pub struct PrivateKey {
    pair: Pair,
    public: PublicKey,
}

enum Pair {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
}

/// Why a text is no key to sign with. Nothing of the text is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Nothing in it begins as PEM does.
    #[error("holds no PEM key")]
    NoPem,
    /// PEM that is cut, altered, or has lost its line breaks; or more than one key.
    #[error("holds no single, whole PEM key")]
    Broken,
    /// The older form of keys on elliptic curves.
    #[error("holds a key in the older SEC1 form (`EC PRIVATE KEY`), not in PKCS#8")]
    Sec1,
    /// A key behind a passphrase.
    #[error("holds a key behind a passphrase")]
    Encrypted,
    /// A public key.
    #[error("holds a public key, which cannot sign")]
    Public,
    /// A key of another kind.
    #[error("holds no private key of Ed25519 or P-256")]
    OtherKind,
}

impl KeyError {
    /// What to do about it.
    pub fn hint(self) -> &'static str {
        match self {
            Self::NoPem | Self::Public => {
                "give the text from `-----BEGIN PRIVATE KEY-----` on, or name its file with \
                 EVIDENCE_SIGNING_KEY_FILE"
            }
            Self::Broken => {
                "keep the line breaks of the key, or name its file with EVIDENCE_SIGNING_KEY_FILE"
            }
            Self::Sec1 | Self::Encrypted => {
                "convert it: `openssl pkcs8 -topk8 -nocrypt -in OLD.pem -out KEY.pem`"
            }
            Self::OtherKind => "make one: `openssl genpkey -algorithm ed25519 -out KEY.pem`",
        }
    }
}

impl PrivateKey {
    /// The one private key of a PEM text, in PKCS#8.
    ///
    /// # Errors
    /// What keeps it from signing.
    pub fn from_pem(text: &SecretString) -> Result<Self, KeyError> {
        let text = text.expose_secret();
        ensure_pkcs8(text)?;
        let pkcs8 = pem::private_key(text).ok_or(KeyError::Broken)?;
        Self::from_pkcs8(pkcs8.expose_secret())
    }

    fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, KeyError> {
        // "Maybe unchecked", since openssl writes Ed25519 keys without their public half.
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

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs exactly these bytes. Of P-256, each signature of the same bytes is another.
    ///
    /// # Errors
    /// Where the system gives no randomness.
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

/// Whether the key of a text is in PKCS#8, by the line it begins with. Of several, the first that is no
/// `EC PARAMETERS`, which `openssl ecparam` writes before a key.
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
        // The older form, in which `ring` reads nothing.
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
