//! Tests with keys in all forms that operators use.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use secrecy::SecretString;

use super::*;
use crate::evidence::KeyKind;

const ED25519: &str = include_str!("../../tests/keys/ed25519.test-key.pem");
const ED25519_PUBLIC: &str = include_str!("../../tests/keys/ed25519.pub.pem");
const P256: &str = include_str!("../../tests/keys/p256.test-key.pem");
const P256_PUBLIC: &str = include_str!("../../tests/keys/p256.pub.pem");
const P256_SEC1: &str = include_str!("../../tests/keys/p256-sec1.test-key.pem");
const P256_ENCRYPTED: &str = include_str!("../../tests/keys/p256-encrypted.test-key.pem");
const P256_SEC1_ENCRYPTED: &str = include_str!("../../tests/keys/p256-sec1-encrypted.test-key.pem");
const P384: &str = include_str!("../../tests/keys/p384.test-key.pem");

fn read(text: &str) -> Result<PrivateKey, KeyError> {
    PrivateKey::from_pem(&SecretString::from(text))
}

fn key(text: &str) -> PrivateKey {
    read(text).expect("a key")
}

/// A new key, as `ring` writes it.
fn fresh(kind: KeyKind) -> PrivateKey {
    let random = SystemRandom::new();
    let document = match kind {
        KeyKind::Ed25519 => Ed25519KeyPair::generate_pkcs8(&random),
        KeyKind::P256 => EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random),
    };
    let body = STANDARD.encode(document.expect("a key"));
    key(&format!(
        "-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n"
    ))
}

fn all() -> Vec<PrivateKey> {
    vec![
        key(ED25519),
        key(P256),
        fresh(KeyKind::Ed25519),
        fresh(KeyKind::P256),
    ]
}

#[test]
fn a_key_of_openssl_has_the_public_half_that_openssl_writes() {
    for (text, public, kind) in [
        (ED25519, ED25519_PUBLIC, KeyKind::Ed25519),
        (P256, P256_PUBLIC, KeyKind::P256),
    ] {
        let key = key(text);
        assert_eq!(key.public().kind(), kind);
        assert_eq!(key.public().to_pem(), public);
        let read = PublicKey::from_pem(public.as_bytes()).expect("a public key");
        assert_eq!(&read, key.public());
    }
    // openssl pkey -pubin -in ed25519.pub.pem -outform DER | sha256sum
    assert_eq!(
        key(ED25519).public().sha256(),
        "1927010212f425590c021911bd62e953f7df389f1bdba8786c53b187d8e87a66"
    );
    assert_eq!(
        key(P256).public().sha256(),
        "fff1c2662f4474c1a9c2a1ee4f1568b7313223be89adfad5a71514d44a01cfab"
    );
}

#[test]
fn a_signature_verifies_only_with_its_bytes_and_its_key() {
    let keys = all();
    for (at, key) in keys.iter().enumerate() {
        let signature = key.sign(b"an entry").expect("a signature");
        assert!(key.public().verify(b"an entry", &signature));
        assert!(!key.public().verify(b"an entrz", &signature));
        assert!(!key.public().verify(b"an entry", b""));
        for byte in 0..signature.len() {
            let mut other = signature.clone();
            other[byte] ^= 1;
            assert!(!key.public().verify(b"an entry", &other), "byte {byte}");
        }
        let longer = [&signature[..], b"\n"].concat();
        assert!(!key.public().verify(b"an entry", &longer));
        for other in keys.iter().enumerate().filter(|(other, _)| *other != at) {
            assert!(!other.1.public().verify(b"an entry", &signature));
        }
    }
}

#[test]
fn a_public_key_is_read_back_from_its_text_and_its_der() {
    for key in all() {
        let public = key.public();
        let text = public.to_pem();
        assert_eq!(PublicKey::from_pem(text.as_bytes()).as_ref(), Ok(public));
        let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
        let der = STANDARD.decode(body).expect("Base64");
        assert_eq!(PublicKey::from_spki_der(&der).as_ref(), Ok(public));

        let longer = [&der[..], &[0]].concat();
        for other in [&der[1..], &der[..der.len() - 1], &longer, &[]] {
            assert_eq!(PublicKey::from_spki_der(other), Err(NotAPublicKey));
        }
    }
}

#[test]
fn a_text_without_exactly_one_public_key_is_refused() {
    let two = format!("{ED25519_PUBLIC}{P256_PUBLIC}");
    let cut = &P256_PUBLIC[..P256_PUBLIC.len() - 30];
    let bent = P256_PUBLIC.replacen("MFkw", "MFkx", 1);
    for text in ["", "x", ED25519, &two, cut, &bent] {
        let read = PublicKey::from_pem(text.as_bytes());
        assert_eq!(read, Err(NotAPublicKey), "{text}");
    }
}

#[test]
fn line_endings_and_words_around_a_key_make_no_difference() {
    let expected = key(P256).public().clone();
    for text in [
        P256.trim().to_owned(),
        P256.replace('\n', "\r\n"),
        format!("the key of the nightly job\n{P256}\n\n"),
    ] {
        assert_eq!(key(&text).public(), &expected);
    }
}

#[test]
fn a_key_that_cannot_sign_is_refused_with_a_hint() {
    let mut reported = String::new();
    let on_one_line = P256.replace('\n', " ");
    let cut = &P256[..P256.len() - 40];
    let no_base64 = P256.replacen("MIGH", "M!GH", 1);
    let two = format!("{P256}{ED25519}");
    let of_zeros = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----",
        STANDARD.encode([0; 48])
    );
    for (what, text) in [
        ("nothing", ""),
        ("words", "hunter2"),
        ("SEC1", P256_SEC1),
        ("encrypted", P256_ENCRYPTED),
        ("SEC1, encrypted", P256_SEC1_ENCRYPTED),
        ("public", P256_PUBLIC),
        ("P-384", P384),
        ("of zeros", &of_zeros),
        ("RSA", "-----BEGIN RSA PRIVATE KEY-----\n"),
        ("OpenSSH", "-----BEGIN OPENSSH PRIVATE KEY-----\n"),
        ("on one line", &on_one_line),
        ("with \\n for its line breaks", &P256.replace('\n', "\\n")),
        ("cut", cut),
        ("no Base64", &no_base64),
        ("two keys", &two),
    ] {
        let error = read(text).expect_err(what);
        reported += &format!("{what}: it {error}; {}\n", error.hint());
    }
    insta::assert_snapshot!(reported);
}

#[test]
fn a_key_shows_only_its_public_half() {
    for (text, key) in [(ED25519, key(ED25519)), (P256, key(P256))] {
        let shown = format!("{key:?} {:?}", key.public());
        assert!(shown.contains(key.public().sha256()), "{shown}");
        let body = text.lines().nth(1).expect("a line");
        let bytes = STANDARD
            .decode(&body[..body.len() / 4 * 4])
            .expect("Base64");
        let secret = const_hex::encode(&bytes[bytes.len() - 16..]);
        assert!(!shown.contains(&secret) && !shown.contains(body));
    }
}
