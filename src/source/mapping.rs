//! How Truto makes accounts of Asana's records: not read for them, but remembered, so that a change of
//! meaning does not go unseen.

use sha2::{Digest as _, Sha256};
use tracing::warn;

use super::SourceError;
use crate::model::{Mapping, RequestRecord};
use crate::truto::{Client, TrutoError};

/// The mapping's digest. That it is not told is an outcome and no error: no account is lost by it.
pub(super) async fn read(client: &Client) -> Result<(Mapping, RequestRecord), SourceError> {
    let mapping = match client.users_mapping().await {
        Ok(canonical) => Mapping::Reported {
            sha256: const_hex::encode(Sha256::digest(canonical)),
        },
        // The login is dead, or time is over: so is all else.
        Err(error) if error.status() == Some(401) || client.deadline().remaining().is_zero() => {
            return Err(error.into());
        }
        Err(error) => {
            warn!("How Truto maps users cannot be read: {error}");
            Mapping::NotReported {
                reason: in_short(&error),
            }
        }
    };
    let record = client.record("/unified/user-directory/users/meta/list", 1);
    Ok((mapping, record))
}

/// Without attempts and seconds, which differ from run to run where the evidence must not.
fn in_short(error: &TrutoError) -> String {
    match error.status() {
        Some(status) => format!("Truto answers {status}"),
        None if error.is_malformed() => "the answer was not understood".to_owned(),
        None => "no usable answer".to_owned(),
    }
}
