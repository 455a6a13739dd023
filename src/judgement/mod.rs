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
//! 3. `matching` ties people to accounts, `suspicion` finds those that may be theirs, and `directives`
//!    are what people decided by hand.
//! 4. `outcomes` gives each leaver exactly one outcome, and the interval in which access ended.
//! 5. `findings`, `changes`, the remaining checks and the verdict follow from that.

mod changes;
mod checks;
mod directives;
mod domains;
mod earlier;
mod findings;
mod inputs;
mod lookup;
mod matching;
mod outcomes;
mod records;
mod reviews;
mod roster;
mod standing;
mod summary;
mod suspicion;
mod tenures;
mod words;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::people::Account;

use directives::Directives;
use lookup::Map;

pub use checks::mark_of_origin;
pub(crate) use domains::SameDomains;
pub use domains::is_public_mail_provider;
pub use inputs::{Baseline, FeedScope, FormerEmails, Inputs, Past, Policy, Previous, RunRef};
pub use records::{
    AccountCounts, Change, ChangeCounts, Check, Counts, DirectiveUse, Finding, FindingCounts,
    Judgement, Leaver, LeaverCounts, Night, Owner, RosterMember, Tenure,
};
pub use words::{
    ChangeKind, CheckId, CheckStatus, DirectiveKind, DirectiveState, FindingKind, MatchKind,
    Outcome, Severity, Verdict, WithinSla,
};

/// The version of the rules. A change that can alter a judgement on the same inputs raises it.
///
/// 2: aliases, exceptions, domain aliases, rosters; look-alike addresses raise a suspicion.
pub const VERSION: u32 = 2;

/// What the parts of a judgement stand on: the inputs, and what follows from them alone.
struct Basis<'a> {
    inputs: &'a Inputs,
    directives: Directives<'a>,
    /// Mail domains that are one.
    same_domains: SameDomains,
    /// The organization's mail domains.
    domains: BTreeSet<String>,
    /// Tonight's accounts, by id.
    listed: Map<&'a str, &'a Account>,
    /// The baseline's accounts, by id.
    earlier: Map<&'a str, &'a Account>,
}

impl<'a> Basis<'a> {
    fn of(inputs: &'a Inputs) -> Self {
        let same_domains = SameDomains::of(inputs);
        let baseline = inputs.past.baseline.as_ref();
        let baseline = baseline.map_or(&[][..], |baseline| &baseline.accounts);
        Self {
            listed: matching::by_id(&inputs.population.accounts),
            earlier: matching::by_id(baseline),
            inputs,
            directives: Directives::of(inputs),
            domains: domains::of_the_organization(inputs, &same_domains),
            same_domains,
        }
    }
}

/// Judges one night.
pub fn judge(inputs: &Inputs) -> Judgement {
    let basis = Basis::of(inputs);
    let mut checks = checks::of_the_accounts(&basis);
    let complete = checks::make_complete(&checks);

    let rejected = roster::Rejected::of(inputs);
    let people = tenures::people(&basis, &rejected);
    let former_emails = matching::former_emails(&basis);
    let matches = matching::of_everybody(&basis, &people, &former_emails, complete);
    let leavers = outcomes::of_everybody(&basis, &people, &matches, complete);

    checks.extend(checks::of_the_feed(&basis, &people));
    checks.extend(checks::of_the_past(inputs));
    checks.extend(checks::of_the_store(inputs));
    checks.extend(reviews::review_due(inputs));
    checks.sort_by_key(|check| check.id);

    let reviews = reviews::tonight(&basis, complete);
    let not_done = &reviews.not_done;
    let findings = findings::of_the_night(&basis, &people, &leavers, &matches, not_done);
    let changes = changes::of_the_night(&basis, &leavers, complete);
    let owners = matching::owners(inputs, &people, &matches, &findings);
    let members = people.iter().filter_map(tenures::Person::as_member);
    let roster = roster::tonight(inputs, &rejected, members);

    let leavers: Vec<Leaver> = leavers.into_iter().map(|judged| judged.leaver).collect();
    let needed = basis.directives.exceptions_needed();
    let (verdict, reasons) = summary::verdict(&checks, &leavers, &findings, needed);
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
        directives: basis.directives.uses(inputs),
        roster,
        reviews: reviews.reviews,
        former_emails,
        organization_domains: basis.domains.into_iter().collect(),
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
