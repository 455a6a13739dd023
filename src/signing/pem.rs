//! Reads and writes keys in PEM.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::{PemObject as _, SectionKind};
use secrecy::SecretSlice;

/// The private key in a text. None unless the text has exactly one complete key, in PKCS#8.
pub(super) fn private_key(text: &str) -> Option<SecretSlice<u8>> {
    let mut sections = <(SectionKind, Vec<u8>)>::pem_slice_iter(text.as_bytes());
    match (sections.next(), sections.next()) {
        (Some(Ok((SectionKind::PrivateKey, der))), None) => Some(der.into()),
        _ => None,
    }
}

/// The public key in a text. None unless the text has exactly one.
pub(super) fn public_key(text: &[u8]) -> Option<Vec<u8>> {
    let mut keys = SubjectPublicKeyInfoDer::pem_slice_iter(text);
    match (keys.next(), keys.next()) {
        (Some(Ok(key)), None) => Some(key.as_ref().to_vec()),
        _ => None,
    }
}

/// A public key as PEM, in lines of 64 characters as `openssl` writes them.
pub(super) fn of_public_key(der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let mut text = String::from("-----BEGIN PUBLIC KEY-----\n");
    for line in body.as_bytes().chunks(64) {
        text += &String::from_utf8_lossy(line);
        text.push('\n');
    }
    text.push_str("-----END PUBLIC KEY-----\n");
    text
}
