//! Truto's mapping of Asana's records. The accounts do not depend on it; its digest is recorded so that a change of
//! the mapping is seen.

use sha2::{Digest as _, Sha256};
use tracing::warn;

use super::SourceError;
use crate::model::{Mapping, RequestRecord};
use crate::truto::{Client, TrutoError};

/// The digest of the mapping. A missing mapping is an outcome, not an error: the accounts are read without it.
pub(super) async fn read(client: &Client) -> Result<(Mapping, RequestRecord), SourceError> {
    let mapping = match client.users_mapping().await {
        Ok(canonical) => Mapping::Reported {
            sha256: const_hex::encode(Sha256::digest(canonical)),
        },
        // After a dead login or the deadline, every other request fails too.
        Err(error) if error.status() == Some(401) || client.deadline().remaining().is_zero() => {
            return Err(error.into());
        }
        Err(error) => {
            warn!("Could not read how Truto maps users: {error}");
            Mapping::NotReported {
                reason: in_short(&error),
            }
        }
    };
    let record = client.record("/unified/user-directory/users/meta/list", 1);
    Ok((mapping, record))
}

/// The error without attempts and seconds, which differ between runs with the same evidence.
fn in_short(error: &TrutoError) -> String {
    match error.status() {
        Some(status) => format!("Truto answers {status}"),
        None if error.is_malformed() => "the answer cannot be read".to_owned(),
        None => "no usable answer".to_owned(),
    }
}
