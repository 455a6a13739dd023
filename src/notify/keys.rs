//! Keys of Standard Webhooks: with one, a receiver can check that a notification came from this program.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::BASE64_STANDARD;
use ring::hmac;
use secrecy::{ExposeSecret as _, SecretString, zeroize::Zeroizing};

const PREFIX: &str = "whsec_";

/// The bounds of the specification, in bytes.
const LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;

/// Senders and receivers write it with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The keys that sign a notification. During a rotation there are several: each signs, and a receiver checks the
/// signature of its own key.
#[derive(Clone, Debug)]
pub struct Keys(Vec<hmac::Key>);

/// Why a text is not a usable key. The error does not quote the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookKeyError {
    #[error("has no key")]
    None,
    #[error("has an asymmetric key (`whsk_`, `whpk_`), which is not supported")]
    Asymmetric,
    #[error("has a key that does not start with `whsec_`")]
    Prefix,
    #[error("has a key that is not Base64 after `whsec_`")]
    NoBase64,
    #[error("has a key of {0} bytes; a key has 24 to 64")]
    Length(usize),
}

impl WebhookKeyError {
    /// What the operator can do.
    pub fn hint(self) -> &'static str {
        "make a key with `echo \"whsec_$(openssl rand -base64 32)\"`, and give the receiver the same key"
    }
}

impl Keys {
    /// Keys as `whsec_…`, separated by blanks or commas.
    ///
    /// # Errors
    /// The fault of the first unusable key.
    pub fn parse(text: &SecretString) -> Result<Self, WebhookKeyError> {
        let keys = text
            .expose_secret()
            .split(|c: char| c.is_whitespace() || c == ',')
            .filter(|key| !key.is_empty())
            .map(Self::key)
            .collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            return Err(WebhookKeyError::None);
        }
        Ok(Self(keys))
    }

    fn key(text: &str) -> Result<hmac::Key, WebhookKeyError> {
        if text.starts_with("whsk_") || text.starts_with("whpk_") {
            return Err(WebhookKeyError::Asymmetric);
        }
        let encoded = text.strip_prefix(PREFIX).ok_or(WebhookKeyError::Prefix)?;
        let key = BASE64
            .decode(encoded)
            .map_err(|_| WebhookKeyError::NoBase64)?;
        let key = Zeroizing::new(key);
        if !LENGTHS.contains(&key.len()) {
            return Err(WebhookKeyError::Length(key.len()));
        }
        Ok(hmac::Key::new(hmac::HMAC_SHA256, &key))
    }

    /// The `webhook-signature` over exactly these bytes, one for each key.
    pub(super) fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let signed = [format!("{id}.{timestamp}.").as_bytes(), body].concat();
        let signatures = self.0.iter().map(|key| {
            let tag = hmac::sign(key, &signed);
            format!("v1,{}", BASE64_STANDARD.encode(tag))
        });
        signatures.collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Keys, WebhookKeyError> {
        Keys::parse(&SecretString::from(text))
    }

    /// The test vector of the Standard Webhooks libraries.
    #[test]
    fn the_published_example_has_the_published_signature() {
        let keys = parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("a key");
        let body = br#"{"test": 2432232314}"#;
        assert_eq!(
            keys.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn each_key_signs_and_padding_makes_no_difference() {
        let padded = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGA==";
        let bare = padded.trim_end_matches('=');
        let of = |text: &str| parse(text).expect("keys").sign("m", 1, b"{}");
        let one = of(padded);
        assert_eq!(of(bare), one);
        let other = of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        for between in [" ", ",", ", ", "\n"] {
            let both = format!("{padded}{between}whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
            assert_eq!(of(&both), format!("{one} {other}"));
        }
    }

    #[test]
    fn the_error_of_a_wrong_key_does_not_quote_it() {
        let of_length = |length| format!("whsec_{}", BASE64_STANDARD.encode(vec![7; length]));
        for (text, error) in [
            ("".to_owned(), WebhookKeyError::None),
            (" , ".to_owned(), WebhookKeyError::None),
            ("hunter2".to_owned(), WebhookKeyError::Prefix),
            ("whsk_AAAA".to_owned(), WebhookKeyError::Asymmetric),
            ("whsec_hunter2!".to_owned(), WebhookKeyError::NoBase64),
            ("whsec_".to_owned(), WebhookKeyError::Length(0)),
            (of_length(23), WebhookKeyError::Length(23)),
            (of_length(65), WebhookKeyError::Length(65)),
            (
                format!("{} hunter2", of_length(24)),
                WebhookKeyError::Prefix,
            ),
        ] {
            assert_eq!(parse(&text).map(drop), Err(error), "{text}");
            assert!(!error.to_string().contains("hunter2"));
        }
        assert!(parse(&of_length(24)).is_ok());
        let longest = parse(&of_length(64)).expect("a key");
        assert!(!format!("{longest:?}").contains('7'), "{longest:?}");
    }
}
