//! The store, the ledger and the signing key.

use std::sync::Arc;

use secrecy::SecretString;

use super::judge::Judge;
use super::values::{self, Place, Wrong};
use super::variables::Raw;
use crate::model::LockMode;
use crate::signing::PrivateKey;
use crate::{ledger, signing, store};

pub(super) struct Evidence {
    pub(super) store: store::Settings,
    pub(super) ledger: ledger::Settings,
    pub(super) signing: signing::Settings,
}

impl Judge {
    pub(super) fn evidence(
        &mut self,
        raw: &Raw,
        force_path_style: Option<bool>,
    ) -> Option<Evidence> {
        let store = self.store(raw, force_path_style);
        let retention_days = self.get(&raw.evidence_retention_days, values::number(1, 36_500));
        let lock_mode = self.lock_mode(raw);
        if let Some(store::Settings::Folder(_)) = &store {
            self.only_for_buckets(raw);
        }
        let signing = self.signing(raw);
        Some(Evidence {
            store: store?,
            ledger: ledger::Settings {
                retention_days,
                lock_mode: lock_mode?,
            },
            signing: signing?,
        })
    }

    pub(super) fn force_path_style(&mut self, raw: &Raw) -> Option<bool> {
        self.get(&raw.s3_force_path_style, values::boolean)
    }

    pub(super) fn store(
        &mut self,
        raw: &Raw,
        force_path_style: Option<bool>,
    ) -> Option<store::Settings> {
        let place = self.get(&raw.evidence_url, |text| match values::place(text)? {
            Place::Web(_) | Place::TrutoHris(_) => {
                Err(Wrong::new("is neither a folder nor a bucket")
                    .hint("write `s3://bucket/prefix`"))
            }
            place => Ok(place),
        });
        let owner = self.optional(&raw.evidence_bucket_owner, values::aws_account);
        Some(match place? {
            Place::Path(path) => store::Settings::Folder(path),
            Place::S3 { bucket, key } => store::Settings::S3 {
                bucket,
                prefix: key.trim_matches('/').to_owned(),
                force_path_style: force_path_style?,
                owner: owner?,
                kms_key_id: raw.evidence_kms_key_id.text.clone(),
            },
            Place::Web(_) | Place::TrutoHris(_) => return None,
        })
    }

    /// The requested object lock.
    pub(super) fn lock_mode(&mut self, raw: &Raw) -> Option<Option<LockMode>> {
        let mode = &raw.evidence_object_lock_mode;
        if mode.is_set() && !raw.evidence_retention_days.is_set() {
            self.add(
                format!("{} needs EVIDENCE_RETENTION_DAYS", mode.name),
                Some("a lock needs an end: set EVIDENCE_RETENTION_DAYS to the number of days to keep evidence"),
            );
        }
        let words = [
            ("governance", LockMode::Governance),
            ("compliance", LockMode::Compliance),
        ];
        self.optional(mode, values::one_of(words))
    }

    pub(super) fn signing(&mut self, raw: &Raw) -> Option<signing::Settings> {
        let private = self.optional(&raw.evidence_signing_key, |text| {
            let key = PrivateKey::from_pem(&SecretString::from(text))
                .map_err(|error| Wrong::new(error.to_string()).hint(error.hint()))?;
            Ok(signing::Settings::Private(Arc::new(key)))
        });
        let Some(id) = &raw.evidence_signing_kms_key_id.text else {
            return Some(private?.unwrap_or(signing::Settings::Unsigned));
        };
        if raw.evidence_signing_key.is_set() {
            let problem = "EVIDENCE_SIGNING_KEY and EVIDENCE_SIGNING_KMS_KEY_ID are both set";
            self.add(problem, Some("keep one of the two"));
        }
        if values::is_kms_key(id) {
            return Some(signing::Settings::Kms(id.clone()));
        }
        // The value is not shown, because it may be the private key itself.
        self.add(
            "EVIDENCE_SIGNING_KMS_KEY_ID does not name a KMS key",
            Some("write the key's id, `alias/NAME`, or its ARN"),
        );
        None
    }

    /// Reports settings of a bucket if the store is not a bucket. They would have no effect.
    pub(super) fn only_for_buckets(&mut self, raw: &Raw) {
        for value in [
            &raw.evidence_object_lock_mode,
            &raw.evidence_kms_key_id,
            &raw.evidence_bucket_owner,
        ] {
            if value.is_set() {
                self.add(
                    format!("{} is set, but EVIDENCE_URL is not a bucket", value.name),
                    Some("unset it, or set EVIDENCE_URL to `s3://bucket/prefix`"),
                );
            }
        }
    }
}
