//! Whose the accounts of an open review are, as its night knows.

use jiff::Timestamp;

use super::open::night_of;
use crate::evidence::{Entry, Owners, ReviewedNight, Worksheet};
use crate::ledger::{Ledger, LedgerError};

/// Whose the accounts are, as the night knows that a review is of. Where its time to be kept is over, only
/// what the rows themselves bear is known.
pub(super) async fn of_review(
    ledger: &Ledger,
    worksheet: &Worksheet,
    as_of: Timestamp,
) -> Result<Owners, LedgerError> {
    let is_it = |entry: &Entry| entry.run_ref() == worksheet.night;
    let entries = ledger.back_to(is_it).await?;
    let Some(entry) = entries.last().filter(|entry| is_it(entry)) else {
        let sequence = worksheet.night.sequence;
        let text = format!("ledger entry {sequence}, whose night is reviewed, is gone");
        return Err(LedgerError::Fault(text));
    };
    let names = ReviewedNight::FILES.map(|file| file.name());
    let wanted: Vec<&str> = names.iter().map(String::as_str).collect();
    let files = ledger.committed_files_alone(entry, &wanted).await;
    match files.and_then(|files| night_of(entry, &files)) {
        Ok(night) => Ok(night.owners),
        // Only what is gone or other than it was: a store that fails says nothing of the night.
        Err(LedgerError::Fault(why)) if entry.retain_until.is_some_and(|until| until < as_of) => {
            tracing::warn!(
                why,
                "The night that is reviewed is kept no longer: an owner is known by the addresses of \
                 the row alone"
            );
            Ok(Owners::default())
        }
        Err(error) => Err(error),
    }
}
