//! The judgement: a pure function from what was read to what is said about it.
//!
//! Same inputs, same words, whoever runs it and whenever: an auditor can do it again. It knows no
//! network, no clock and no setting but the [`Policy`] it is handed. The rules, in the order they
//! are applied:
//!
//! 1. `checks` on the accounts decide whether the run is *complete*: only then does absence from
//!    the list prove that somebody has no account.
//! 2. `tenures` groups HR rows into people, `earlier` says who of them the previous run knew, and
//!    together they say who has left at the instant of the run.
//! 3. `matching` ties people to accounts.
//! 4. `outcomes` gives each leaver exactly one outcome, and the interval in which access ended.
//! 5. `findings`, `changes`, the remaining checks and the verdict follow from that.

mod changes;
mod checks;
mod domains;
mod earlier;
mod findings;
mod inputs;
mod matching;
mod outcomes;
mod records;
mod standing;
mod summary;
mod tenures;
mod words;

#[cfg(test)]
mod tests;

pub use checks::mark_of_origin;
pub use domains::is_public_mail_provider;
pub use inputs::{Baseline, FeedScope, FormerEmails, Inputs, Past, Policy, Previous, RunRef};
pub use records::{
    AccountCounts, Change, ChangeCounts, Check, Counts, Finding, FindingCounts, Judgement, Leaver,
    LeaverCounts, Night, Owner, Tenure,
};
pub use words::{
    ChangeKind, CheckId, CheckStatus, FindingKind, MatchKind, Outcome, Severity, Verdict, WithinSla,
};

/// The version of the rules. A change that can alter a judgement on the same inputs raises it.
pub const VERSION: u32 = 1;

/// Judges one night.
pub fn judge(inputs: &Inputs) -> Judgement {
    let domains = domains::of_the_organization(inputs);
    let mut checks = checks::of_the_accounts(inputs);
    let complete = checks::make_complete(&checks);

    let people = tenures::people(inputs);
    let former_emails = matching::former_emails(inputs);
    let matches = matching::of_everybody(inputs, &people, &former_emails);
    let leavers = outcomes::of_everybody(inputs, &people, &matches, &domains, complete);

    checks.extend(checks::of_the_feed(inputs, &people));
    checks.extend(checks::of_the_past(inputs));
    checks.sort_by_key(|check| check.id);

    let findings = findings::of_the_night(inputs, &leavers);
    let changes = changes::of_the_night(inputs, &leavers, complete);
    let owners = matching::owners(inputs, &people, &matches, &findings);

    let leavers: Vec<Leaver> = leavers.into_iter().map(|judged| judged.leaver).collect();
    let (verdict, reasons) = summary::verdict(&checks, &leavers, &findings);
    let counts = summary::count(&inputs.population.accounts, &leavers, &findings, &changes);
    let trend = summary::trend(inputs, verdict, complete, &counts);

    Judgement {
        verdict,
        reasons,
        complete,
        checks,
        leavers,
        findings,
        changes,
        owners,
        former_emails,
        organization_domains: domains.into_iter().collect(),
        counts,
        trend,
    }
}

/// Proves that the sums of a judgement add up.
///
/// # Errors
/// A sentence naming the first sum that does not; that would be a fault of this program.
pub fn ensure_sums_reconcile(inputs: &Inputs, judgement: &Judgement) -> Result<(), String> {
    summary::ensure_sums_reconcile(inputs, judgement)
}
