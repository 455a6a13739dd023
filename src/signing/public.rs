//! Public keys: their exact form, their hash, and the check of a signature.

use std::fmt;

use ring::signature::{ECDSA_P256_SHA256_ASN1, ED25519, UnparsedPublicKey, VerificationAlgorithm};

use super::pem;
use crate::evidence::{KeyKind, sha256_hex};

/// The DER before the 32 bytes of an Ed25519 key (RFC 8410).
const ED25519_PREFIX: &[u8] = &[
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// The DER before the 65 bytes of an uncompressed P-256 point (RFC 5480).
const P256_PREFIX: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// The first byte of an uncompressed point.
const UNCOMPRESSED: u8 = 0x04;

/// A public key that checks signatures.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    kind: KeyKind,
    /// `SubjectPublicKeyInfo`, exactly as `openssl pkey -pubin -outform DER` writes it.
    spki: Vec<u8>,
    sha256: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not an Ed25519 or P-256 public key")]
pub struct NotAPublicKey;

impl PublicKey {
    /// The public key in a PEM text.
    ///
    /// # Errors
    /// If the text does not have exactly one public key, or if the key is of another kind.
    pub fn from_pem(text: &[u8]) -> Result<Self, NotAPublicKey> {
        Self::from_spki_der(&pem::public_key(text).ok_or(NotAPublicKey)?)
    }

    /// The key in a file that is named after its hash. None if the file has another content.
    pub fn named(sha256: &str, text: &[u8]) -> Option<Self> {
        let key = Self::from_pem(text).ok()?;
        (key.sha256 == sha256).then_some(key)
    }

    /// A public key as `SubjectPublicKeyInfo`, in DER.
    ///
    /// # Errors
    /// If the key is of another kind, or encoded in another form.
    pub fn from_spki_der(spki: &[u8]) -> Result<Self, NotAPublicKey> {
        let is_ed25519 = |key: &[u8]| key.len() == 32;
        let is_p256 = |key: &[u8]| key.len() == 65 && key[0] == UNCOMPRESSED;
        let kind = if spki.strip_prefix(ED25519_PREFIX).is_some_and(is_ed25519) {
            KeyKind::Ed25519
        } else if spki.strip_prefix(P256_PREFIX).is_some_and(is_p256) {
            KeyKind::P256
        } else {
            return Err(NotAPublicKey);
        };
        Ok(Self {
            kind,
            spki: spki.to_owned(),
            sha256: sha256_hex(spki),
        })
    }

    /// The key from the bytes after the DER prefix.
    pub(super) fn from_raw(kind: KeyKind, raw: &[u8]) -> Result<Self, NotAPublicKey> {
        Self::from_spki_der(&[prefix(kind), raw].concat())
    }

    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// SHA-256 of the DER, in hex. Entries and files refer to the key by this hash.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The PEM text, byte for byte as `openssl pkey -pubin` writes it.
    pub fn to_pem(&self) -> String {
        pem::of_public_key(&self.spki)
    }

    /// Whether the signature is by this key and over exactly these bytes.
    #[must_use]
    pub fn verify(&self, bytes: &[u8], signature: &[u8]) -> bool {
        let algorithm: &dyn VerificationAlgorithm = match self.kind {
            KeyKind::Ed25519 => &ED25519,
            KeyKind::P256 => &ECDSA_P256_SHA256_ASN1,
        };
        let raw = &self.spki[prefix(self.kind).len()..];
        UnparsedPublicKey::new(algorithm, raw)
            .verify(bytes, signature)
            .is_ok()
    }
}

fn prefix(kind: KeyKind) -> &'static [u8] {
    match kind {
        KeyKind::Ed25519 => ED25519_PREFIX,
        KeyKind::P256 => P256_PREFIX,
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({:?} {})", self.kind, self.sha256)
    }
}
