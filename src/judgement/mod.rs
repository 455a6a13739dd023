//! The judgement: a pure function from the inputs of a run to its results.
//!
//! The same inputs always give the same results, so an auditor can recompute them. The judgement reads no
//! network, no clock and no setting except the [`Policy`] among its inputs. It applies the rules in this order:
//!
//! 1. `checks` on the accounts decide whether the run is *complete*. Only then does absence from
//!    the list prove that a person has no account.
//! 2. `identity` groups HR rows into people, `earlier` ties them to people of the previous run, `ends` finds
//!    when their work ends, and `people` joins the three.
//! 3. `matching` ties people to accounts, `suspicion` finds accounts that may be theirs, `columns` checks unread
//!    columns, and `manual` applies the manual decisions.
//! 4. `outcomes` gives each leaver exactly one outcome, and the interval in which access ended.
//! 5. `findings`, `changes`, the remaining checks and the verdict follow from that.

mod approvers;
mod changes;
mod checks;
mod columns;
mod decision;
mod domains;
mod earlier;
mod ends;
mod findings;
mod follow_up;
mod identity;
mod inputs;
mod lookup;
mod manual;
mod matching;
mod offboardings;
mod outcomes;
mod people;
mod records;
mod remedies;
mod reviews;
mod roster;
mod services;
mod states;
mod summary;
mod suspicion;
mod uses;
mod words;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::{Account, EmailAddress};

use lookup::Map;
use manual::UsableLines;
use outcomes::{JudgedLeaver, JudgedLeavers};
use people::People;
use uses::Uses;

pub(crate) use approvers::has_name;
pub use checks::{ScheduleGaps, is_tolerable as is_tolerable_clock_difference};
pub use decision::{Decision, ReviewScope};
pub(crate) use domains::SameDomains;
pub use domains::is_public_mail_provider;
pub use follow_up::{ClosedReview, DecisionSeen, FollowUp, FollowUpState, FollowUps, OpenReview};
pub use inputs::{Baseline, FeedScope, FormerEmails, Inputs, Past, Policy, Previous, RunRef};
pub use manual::is_manual_word;
pub use offboardings::for_later_runs;
pub use records::{
    AccountCounts, Change, ChangeCounts, Check, Counts, Finding, FindingCounts, GoneAccount,
    HrPeople, Judgement, Leaver, LeaverCounts, LinkedAccount, ManualUse, Owner, PersonLinks,
    Tenure, TrendPoint,
};
pub use summary::ensure_sums_reconcile;
pub use words::{
    ChangeKind, CheckId, CheckStatus, FindingKind, ManualKind, ManualState, Mark, MatchKind,
    OffboardingResult, Outcome, Severity, Standing, Verdict, WithinSla,
};

/// The version of the rules. Raise it with every change that can alter a judgement of the same inputs.
pub const VERSION: u32 = 1;

/// The inputs, and the indexes that every part of the judgement uses.
struct Basis<'a> {
    inputs: &'a Inputs,
    manual: UsableLines<'a>,
    /// Equivalent mail domains.
    same_domains: SameDomains,
    /// The organization's mail domains.
    domains: BTreeSet<String>,
    /// Today's accounts, by id.
    listed: Map<&'a str, &'a Account>,
    /// The baseline's accounts, by id.
    earlier: Map<&'a str, &'a Account>,
    /// Today's accounts, by each address.
    by_email: Map<&'a str, Vec<&'a Account>>,
}

impl<'a> Basis<'a> {
    fn of(inputs: &'a Inputs) -> Self {
        let same_domains = SameDomains::of(inputs);
        let baseline = inputs.past.baseline.as_ref();
        let baseline = baseline.map_or(&[][..], |baseline| &baseline.accounts);
        let accounts = &inputs.population.accounts;
        let emails = matching::emails_of(accounts);
        Self {
            by_email: matching::grouped(emails.map(|(email, account)| (email.key(), account))),
            listed: matching::by_id(accounts),
            earlier: matching::by_id(baseline),
            inputs,
            manual: UsableLines::of(inputs),
            domains: domains::of_the_organization(inputs, &same_domains),
            same_domains,
        }
    }

    /// Whether an address is in a domain of the organization.
    fn is_ours(&self, email: &EmailAddress) -> bool {
        self.domains.contains(email.domain())
    }
}

/// Judges one run.
pub fn judge(inputs: &Inputs) -> Judgement {
    let basis = Basis::of(inputs);
    let mut uses = Uses::default();
    let mut checks = checks::of_the_accounts(&basis, &mut uses);
    let complete = checks::make_complete(&checks);

    let rejected = people::Rejected::of(inputs);
    let People {
        all: mut people,
        closed,
        rows_with_shared_id: shared,
    } = people::people(&basis, &rejected, &mut uses);
    let former_emails = matching::former_emails(&basis);
    let index = matching::Index::of(&basis, &former_emails);
    columns::mark(&basis, &mut people, &index, &mut uses);
    let hr_people = summary::hr_people(&people);
    let matches = matching::of_all(&basis, &people, &index, &mut uses);
    let suspects = suspicion::suspects(&basis, &people, &index, &matches, complete, &mut uses);
    let feed_since = feed_since(inputs, complete);
    let JudgedLeavers { leavers, unchanged } = outcomes::of_all(
        &basis, &people, &matches, &suspects, feed_since, complete, &mut uses,
    );

    checks.extend(checks::of_the_feed(
        &basis, &people, &leavers, shared, &mut uses,
    ));
    checks.extend(checks::of_the_past(inputs, &leavers));
    checks.extend(checks::of_the_store(inputs));
    checks.extend(reviews::review_due(inputs));
    checks.sort_by_key(|check| check.id);

    let (follow_ups, not_done) = reviews::follow_up(&basis, complete, &mut uses);
    let findings = findings::of_the_run(&basis, &leavers, &matches, &not_done, &mut uses);
    let changes = changes::of_the_run(&basis, &leavers, &closed, complete);
    let owners = matching::owners(inputs, &people, &matches, &findings);
    let links = roster::links(inputs, &rejected, &people, &matches, complete);

    let mut leavers = records(inputs, leavers, closed);
    // A company may have ten times as many old leavers as accounts: what is not needed any more makes room.
    drop((suspects, matches));
    drop(people);
    let mut concluded = unchanged;
    take_old(&mut leavers, &mut concluded, inputs);
    // Stable: offboardings of one outcome stay in their own order.
    leavers.sort_by_cached_key(|leaver| outcomes::urgency(leaver.outcome));
    let needed = uses.needed();
    let conclusion = summary::verdict(&checks, &leavers, &findings, needed);
    let counts = summary::count(inputs, &leavers, &findings, &changes, needed);
    let trend = summary::trend(inputs, conclusion.verdict, complete, &counts);

    Judgement {
        verdict: conclusion.verdict,
        reasons: conclusion.reasons,
        in_doubt: conclusion.in_doubt,
        complete,
        checks,
        leavers,
        concluded,
        gone: offboardings::gone(&basis, complete),
        findings,
        changes,
        owners,
        hr_people,
        manual: states::of_every_line(&basis, &uses),
        links,
        feed_since,
        follow_ups,
        former_emails,
        organization_domains: basis.domains.into_iter().collect(),
        counts,
        trend,
    }
}

/// The records of this run.
fn records(
    inputs: &Inputs,
    mut judged: Vec<JudgedLeaver<'_>>,
    closed: Vec<&Arc<Leaver>>,
) -> Vec<Leaver> {
    let superseded = judged
        .iter_mut()
        .map(|of| std::mem::take(&mut of.superseded));
    let superseded: Vec<Leaver> = superseded.flatten().collect();
    // Collects in place.
    let mut records: Vec<Leaver> = judged.into_iter().map(|of| of.leaver).collect();
    records.extend(superseded);
    let repeated = closed
        .into_iter()
        .map(|prior| offboardings::repeated(prior, inputs));
    records.extend(repeated);
    records
}

/// Moves the records that were concluded long ago, each shortened.
fn take_old(records: &mut Vec<Leaver>, concluded: &mut Vec<Arc<Leaver>>, inputs: &Inputs) {
    let taken = records.extract_if(.., |leaver| offboardings::is_short(leaver, inputs));
    concluded.extend(taken.map(offboardings::shortened).map(Arc::new));
    records.shrink_to_fit();
}

/// The first complete run that read this feed. If that run already had a leaver without a date, the end of work
/// is unknown.
fn feed_since(inputs: &Inputs, complete: bool) -> Option<Timestamp> {
    let previous = inputs.past.previous.as_ref();
    let same_feed = previous.filter(|previous| previous.feed_url == inputs.hr.origin.url);
    let before = same_feed.and_then(|previous| previous.feed_since);
    before.or_else(|| (complete && inputs.hr.unusable.is_none()).then_some(inputs.as_of))
}
