//! Service accounts: when an alias may cover an account that a list lacks, and the line that would.

use super::Basis;
use super::remedies::{Key, Remedy};
use super::uses::Uses;
use crate::model::{Population, Viewer};

/// If more accounts than this are in doubt, the cause is another one: a list was cut off, or a permission is missing.
pub(super) const MOST_SERVICES: usize = 10;

/// Whether an account that the list lacks is a service account: an alias with its id says so, and nothing shows that a
/// person has or had it.
pub(super) fn is_unlisted_service(basis: &Basis<'_>, account_id: &str, uses: &mut Uses) -> bool {
    basis.manual.has_service_line(account_id)
        && is_of_nobody(basis, account_id)
        && basis.manual.is_service_id(account_id, uses)
}

/// Whether nothing shows that a person has or had the account: neither an address in this run or an earlier one, nor a
/// leaver or an employed person to whom an earlier run tied it, nor the end of its access.
pub(super) fn is_of_nobody(basis: &Basis<'_>, account_id: &str) -> bool {
    let inputs = basis.inputs;
    let known = [&basis.listed, &basis.earlier].map(|accounts| accounts.get(account_id));
    let mut known = known.iter().flatten();
    let with_email = &inputs.population.gaps.unlisted_with_email;
    let has_address = known.any(|known| !known.emails.is_empty())
        || with_email.iter().any(|id| id == account_id)
        || has_address_of_its_own(&inputs.population, account_id);
    let is_of_baseline = inputs.past.baseline.as_ref().is_some_and(|baseline| {
        baseline.former_emails.contains_key(account_id) || baseline.gone.contains_key(account_id)
    });
    let is_of_a_person = inputs.past.previous.as_ref().is_some_and(|previous| {
        let mut leavers = previous.leavers.iter();
        let mut linked = previous.links.iter().flat_map(|links| &links.accounts);
        leavers.any(|leaver| leaver.account_id.iter().any(|id| id == account_id))
            || linked.any(|account| account.account_id == account_id)
    });
    !(has_address || is_of_baseline || is_of_a_person)
}

/// Whether `/me` gives an address, and this is the connected account.
fn has_address_of_its_own(population: &Population, account_id: &str) -> bool {
    match &population.viewer {
        Viewer::Account {
            id, has_address, ..
        } => *has_address && id == account_id,
        Viewer::NotReported { .. } => false,
    }
}

/// Whether so many accounts without an address may be service accounts, so that the line is worth printing. A missing
/// permission is mended first.
pub(super) fn may_be_services(basis: &Basis<'_>, accounts: usize) -> bool {
    let gaps = &basis.inputs.population.gaps;
    accounts <= MOST_SERVICES && gaps.stopped_because.is_none() && gaps.missing_scopes.is_empty()
}

/// The words that name the alias for an account that may be a service account.
pub(super) fn closes_with(account_id: &str) -> String {
    let line = Remedy::Service(account_id.to_owned()).line(Key::None);
    format!("if it is a service account or an AI teammate, closes with: `{line}`")
}
