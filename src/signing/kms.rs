//! A key in AWS KMS. KMS signs; the key never leaves it.
//!
//! Signatures have the form that `openssl` checks: ECDSA over P-256 with SHA-256, in DER. KMS gets the bytes themselves
//! (`RAW`) and hashes them.

use std::fmt;

use aws_sdk_kms::Client;
use aws_sdk_kms::operation::get_public_key::GetPublicKeyOutput;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{KeySpec, KeyUsageType, MessageType, SigningAlgorithmSpec};

use super::SigningError;
use super::public::PublicKey;
use crate::aws::{self, Action, AwsError, AwsFailure};
use crate::evidence::KeyKind;

/// The only algorithm that evidence uses with KMS.
const ALGORITHM: SigningAlgorithmSpec = SigningAlgorithmSpec::EcdsaSha256;

/// A P-256 key in AWS KMS.
#[derive(Clone)]
pub struct KmsKey {
    client: Client,
    id: String,
    public: PublicKey,
}

impl KmsKey {
    /// The key with this id, alias or ARN, with the configuration of this process.
    ///
    /// # Errors
    /// If KMS does not return the public half, or the key is of another kind.
    pub async fn open(id: &str) -> Result<Self, SigningError> {
        let client = aws::kms_client(&aws::sdk_config().await, id)?;
        Self::open_with(client, id).await
    }

    /// Like [`open`](Self::open), with an existing client.
    ///
    /// # Errors
    /// If KMS does not return the public half, or the key is of another kind.
    pub async fn open_with(client: Client, id: &str) -> Result<Self, SigningError> {
        let answer = client
            .get_public_key()
            .key_id(id)
            .send()
            .await
            .map_err(|error| failed(Action::GetPublicKey, id, AwsFailure::of_kms(error)))?;
        let public = public_half(&answer).map_err(|why| SigningError::Unfit {
            id: id.to_owned(),
            why,
        })?;
        tracing::info!(
            kms_key = answer.key_id().unwrap_or(id),
            key_sha256 = public.sha256(),
            "Ledger entries are signed in AWS KMS"
        );
        let id = id.to_owned();
        Ok(Self { client, id, public })
    }

    pub(super) fn public(&self) -> &PublicKey {
        &self.public
    }

    pub(super) async fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, SigningError> {
        let answer = self
            .client
            .sign()
            // The configured name, because a policy may allow only the alias.
            .key_id(&self.id)
            .message_type(MessageType::Raw)
            .message(Blob::new(bytes))
            .signing_algorithm(ALGORITHM)
            .send()
            .await
            .map_err(|error| failed(Action::Sign, &self.id, AwsFailure::of_kms(error)))?;
        Ok(answer.signature.unwrap_or_default().into_inner())
    }
}

fn failed(action: Action, id: &str, failure: AwsFailure) -> SigningError {
    AwsError::from_failure(action, "", id, failure).into()
}

/// The public half, or why the key cannot sign ledger entries.
fn public_half(answer: &GetPublicKeyOutput) -> Result<PublicKey, String> {
    if let Some(usage) = answer.key_usage()
        && *usage != KeyUsageType::SignVerify
    {
        return Err(format!("its usage is `{usage}`, not `SIGN_VERIFY`"));
    }
    if let Some(spec) = answer.key_spec()
        && *spec != KeySpec::EccNistP256
    {
        return Err(format!("its spec is `{spec}`, not `ECC_NIST_P256`"));
    }
    let algorithms = answer.signing_algorithms();
    if !algorithms.is_empty() && !algorithms.contains(&ALGORITHM) {
        return Err(format!("it does not sign with `{ALGORITHM}`"));
    }
    let der = answer.public_key().map(AsRef::as_ref).unwrap_or_default();
    match PublicKey::from_spki_der(der) {
        Ok(public) if public.kind() == KeyKind::P256 => Ok(public),
        _ => Err("its public half is not a P-256 key".to_owned()),
    }
}

impl fmt::Debug for KmsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KmsKey `{}` of {:?}", self.id, self.public)
    }
}
