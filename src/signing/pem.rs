//! PEM: the text that keys come in.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::{PemObject as _, SectionKind};
use secrecy::SecretSlice;

/// What the key of a text is written as, by the line it begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `PRIVATE KEY`.
    Pkcs8,
    /// `EC PRIVATE KEY`: the older form, in which `ring` reads nothing.
    Sec1,
    /// Behind a passphrase, in either form.
    Encrypted,
    /// `PUBLIC KEY`.
    Public,
    /// Some other key, or a certificate.
    Other,
}

/// The form of the key in a text; none where nothing begins. Of several, the first that is no
/// `EC PARAMETERS`, which `openssl ecparam` writes before a key.
pub(super) fn form(text: &str) -> Option<Form> {
    let labels = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("-----BEGIN "));
    let label = labels
        .map(|rest| rest.split("-----").next().unwrap_or_default())
        .find(|label| *label != "EC PARAMETERS")?;
    Some(match label {
        _ if text.contains("Proc-Type:") => Form::Encrypted,
        "ENCRYPTED PRIVATE KEY" => Form::Encrypted,
        "PRIVATE KEY" => Form::Pkcs8,
        "EC PRIVATE KEY" => Form::Sec1,
        "PUBLIC KEY" => Form::Public,
        _ => Form::Other,
    })
}

/// The one private key of a text, if it is whole and in PKCS#8.
pub(super) fn private_key(text: &str) -> Option<SecretSlice<u8>> {
    let mut sections = <(SectionKind, Vec<u8>)>::pem_slice_iter(text.as_bytes());
    match (sections.next(), sections.next()) {
        (Some(Ok((SectionKind::PrivateKey, der))), None) => Some(der.into()),
        _ => None,
    }
}

/// The one public key of a text.
pub(super) fn public_key(text: &[u8]) -> Option<Vec<u8>> {
    let mut keys = SubjectPublicKeyInfoDer::pem_slice_iter(text);
    match (keys.next(), keys.next()) {
        (Some(Ok(key)), None) => Some(key.as_ref().to_vec()),
        _ => None,
    }
}

/// A public key as text, in lines of 64 as `openssl` writes them.
pub(super) fn of_public_key(der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let mut text = String::from("-----BEGIN PUBLIC KEY-----\n");
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str("-----END PUBLIC KEY-----\n");
    text
}
