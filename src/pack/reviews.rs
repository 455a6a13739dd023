//! Access reviews of the period, their decisions, and what became of these.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::accounts::ReviewedAccount;
use super::deviations::{Deviation, Deviations, Moment};
use super::findings::Findings;
use super::items::RunAt;
use super::period::{Period, Phase};
use super::table::{cell, count, flag, instant, text};
use super::{Column, DeviationType, Table};
use crate::evidence::{Entry, EntryKind};
use crate::judgement::{Decision, FindingKind, FollowUp, FollowUpState};
use crate::model::{EmailAddress, Role};
use crate::review::{ReviewClosed, ReviewManifest};

/// An access review, by its entries.
#[derive(Clone, Debug, Default)]
struct Review {
    name: String,
    scope: String,
    due: String,
    opened: Option<Moment>,
    closed: Option<Moment>,
    acknowledged: Option<Moment>,
    outcome: Option<Outcome>,
}

#[derive(Clone, Debug)]
struct Outcome {
    rows: u64,
    decided: u64,
    by_decision: BTreeMap<Decision, u64>,
    complete: bool,
    verdict: String,
    accepted_incomplete: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Reviews {
    reviews: BTreeMap<String, Review>,
    decisions: Vec<Vec<String>>,
    deviations: Vec<Deviation>,
    reviewed: BTreeMap<String, ReviewedAccount>,
    /// People who decided: review, row, account, address, and the instant of the closing.
    deciders: Vec<(String, u32, String, EmailAddress, Moment)>,
    /// The newest state of each follow-up, by review and account, with its deadline.
    follow_ups: BTreeMap<(String, String), (FollowUp, Timestamp)>,
}

const REVIEWS: &[Column] = &[
    text("review"),
    text("name"),
    text("scope"),
    count("opened_entry"),
    instant("opened_at"),
    text("due"),
    count("closed_entry"),
    instant("closed_at"),
    count("acknowledged_entry"),
    instant("acknowledged_at"),
    count("rows"),
    count("decided"),
    count("undecided"),
    count("keep"),
    count("revoke"),
    count("change_role"),
    count("dont_know"),
    flag("complete"),
    text("verdict"),
    text("accepted_incomplete"),
];

const DECISIONS: &[Column] = &[
    text("review"),
    count("row"),
    text("account_id"),
    text("email"),
    text("name"),
    text("role"),
    text("reviewer"),
    text("decided_by"),
    text("decision"),
    text("new_role"),
    text("note"),
    instant("decided_at"),
];

const FOLLOW_UP: &[Column] = &[
    text("review"),
    text("account_id"),
    text("decision"),
    text("new_role"),
    instant("decided_at"),
    instant("deadline"),
    instant("last_seen_before"),
    instant("first_seen_done"),
    instant("undone_at"),
    text("state"),
];

impl Reviews {
    /// Takes an entry of a review. `closed` is its `review.json`, if it closed one.
    pub(super) fn take(
        &mut self,
        entry: &Entry,
        manifest: &ReviewManifest,
        closed: Option<&ReviewClosed>,
        period: &Period,
    ) {
        let of = &manifest.review;
        let moment = (of.at, Some(entry.sequence));
        let review = self.reviews.entry(of.id.clone()).or_default();
        review.name.clone_from(&of.name);
        review.scope = of.scope.to_string();
        review.due.clone_from(&of.due);
        let Some(closed) = closed else {
            match entry.kind == EntryKind::ReviewAcknowledge {
                true => review.acknowledged = Some(moment),
                false => review.opened = Some(moment),
            }
            return;
        };
        review.closed = Some(moment);
        review.outcome = Some(Outcome {
            rows: closed.totals.rows,
            decided: closed.totals.decided,
            by_decision: closed.totals.by_decision.clone(),
            complete: closed.complete,
            verdict: closed.verdict.to_string(),
            accepted_incomplete: closed
                .accepted_incomplete
                .as_ref()
                .map(|of| of.reason.clone()),
        });
        if period.phase(of.at) == Phase::After {
            return;
        }
        for row in &closed.rows {
            let decided = ReviewedAccount {
                decision: row.decision,
                note: row.note.clone(),
            };
            self.reviewed.insert(row.account_id.clone(), decided);
        }
        if period.phase(of.at) == Phase::Within {
            self.closed_in_period(closed, moment);
        }
    }

    fn closed_in_period(&mut self, closed: &ReviewClosed, moment: Moment) {
        let id = &closed.review;
        let mut add = |kind, key: String, account_id: &str, what: String| {
            self.deviations.push(Deviation {
                account_id: account_id.to_owned(),
                opened: Some(moment),
                what,
                ..Deviation::of(kind, &key)
            });
        };
        if !closed.complete {
            let (undecided, rows) = (closed.totals.undecided, closed.totals.rows);
            let what = format!("review {id}: {undecided} of {rows} rows are undecided");
            add(DeviationType::ReviewIncomplete, id.clone(), "", what);
        }
        for row in &closed.rows {
            let (number, account) = (row.row, row.account_id.as_str());
            let key = format!("{id}\n{number}");
            match row.decision {
                Some(Decision::DontKnow) => {
                    let what = format!("review {id}, row {number}: the reviewer does not know");
                    add(DeviationType::RowDontKnow, key, account, what);
                }
                Some(Decision::Keep) if row.role == Role::Admin && row.note.is_empty() => {
                    let what = format!("review {id}, row {number}: kept without a reason");
                    add(
                        DeviationType::PrivilegedKeptWithoutReason,
                        key,
                        account,
                        what,
                    );
                }
                Some(Decision::Keep | Decision::Revoke | Decision::ChangeRole) | None => {}
            }
            if let Some(by) = &row.decided_by {
                let account = account.to_owned();
                self.deciders
                    .push((id.clone(), number, account, by.clone(), moment));
            }
            let email = |of: &Option<EmailAddress>| cell(of.as_ref().map(EmailAddress::as_written));
            self.decisions.push(vec![
                id.clone(),
                number.to_string(),
                row.account_id.clone(),
                email(&row.email),
                cell(row.name.as_ref()),
                row.role.to_string(),
                email(&row.reviewer),
                email(&row.decided_by),
                cell(row.decision),
                cell(row.new_role.as_ref()),
                row.note.clone(),
                cell(row.decided_at),
            ]);
        }
    }

    /// Takes the follow-ups of one run, before or in the period.
    pub(super) fn follow(&mut self, decisions: &[FollowUp], grace_seconds: Option<i64>) {
        let grace = SignedDuration::from_secs(grace_seconds.unwrap_or_default());
        for of in decisions {
            let key = (of.review.clone(), of.account_id.clone());
            // The first run that followed it fixed its deadline.
            let known = self.follow_ups.get(&key).map(|(_, deadline)| *deadline);
            let deadline = of.decided_at.checked_add(grace).unwrap_or(of.decided_at);
            let deadline = known.unwrap_or(deadline);
            self.follow_ups.insert(key, (of.clone(), deadline));
        }
    }

    /// The newest decision about each account.
    pub(super) fn reviewed(&self) -> &BTreeMap<String, ReviewedAccount> {
        &self.reviewed
    }

    /// The tables `reviews`, `decisions` and `follow_up`. `ends` has the end of work of leavers by address.
    pub(super) fn tables(
        self,
        period: &Period,
        findings: &Findings,
        ends: &BTreeMap<String, Timestamp>,
        deviations: &mut Deviations,
    ) -> [Table; 3] {
        let mut reviews = Table::new("reviews", "Access reviews", REVIEWS);
        for (id, of) in &self.reviews {
            let ended = of.closed.is_some_and(|(at, _)| at < period.from);
            let is_later = of.opened.is_some_and(|(at, _)| at >= period.to);
            if ended || is_later {
                continue;
            }
            let outcome = of.outcome.as_ref();
            let with = |decision| {
                cell(outcome.map(|of| of.by_decision.get(&decision).copied().unwrap_or_default()))
            };
            reviews.push([
                id.clone(),
                of.name.clone(),
                of.scope.clone(),
                cell(of.opened.and_then(|(_, entry)| entry)),
                cell(of.opened.map(|(at, _)| at)),
                of.due.clone(),
                cell(of.closed.and_then(|(_, entry)| entry)),
                cell(of.closed.map(|(at, _)| at)),
                cell(of.acknowledged.and_then(|(_, entry)| entry)),
                cell(of.acknowledged.map(|(at, _)| at)),
                cell(outcome.map(|of| of.rows)),
                cell(outcome.map(|of| of.decided)),
                cell(outcome.map(|of| of.rows - of.decided)),
                with(Decision::Keep),
                with(Decision::Revoke),
                with(Decision::ChangeRole),
                with(Decision::DontKnow),
                cell(outcome.map(|of| of.complete)),
                cell(outcome.map(|of| &of.verdict)),
                cell(outcome.and_then(|of| of.accepted_incomplete.as_ref())),
            ]);
        }
        let mut decisions = Table::new("decisions", "Decisions of access reviews", DECISIONS);
        decisions.rows = self.decisions;
        let mut follow_up = Table::new("follow_up", "Revocations and role changes", FOLLOW_UP);
        for (of, deadline) in self.follow_ups.values() {
            let is_over = of.state == FollowUpState::Done
                && of.first_seen_done.is_some_and(|at| at < period.from);
            if is_over {
                continue;
            }
            follow_up.push([
                of.review.clone(),
                of.account_id.clone(),
                of.decision.to_string(),
                cell(of.new_role.as_ref()),
                of.decided_at.to_string(),
                deadline.to_string(),
                cell(of.last_seen_before),
                cell(of.first_seen_done),
                cell(of.undone_at),
                of.state.to_string(),
            ]);
        }
        for of in self.deviations {
            deviations.push(of);
        }
        for (review, row, account_id, by, moment) in &self.deciders {
            let has_left = ends.get(by.key()).is_some_and(|end| *end < moment.0);
            if has_left {
                deviations.push(Deviation {
                    account_id: account_id.clone(),
                    opened: Some(*moment),
                    what: format!("review {review}, row {row}: the person who decided had left"),
                    ..Deviation::of(
                        DeviationType::ReviewerIneligible,
                        &format!("{review}\n{row}"),
                    )
                });
            }
        }
        let not_done = findings.series().into_iter();
        for series in not_done.filter(|of| of.kind == FindingKind::RevocationNotDone) {
            let account = cell(series.account_id.as_ref());
            let mut states = self.follow_ups.values();
            let was_undone = states
                .any(|(of, _)| of.account_id == account && of.undone_at == Some(series.opened.at));
            let (kind, what) = match was_undone {
                true => (
                    DeviationType::RevocationUndone,
                    "a decision was carried out, and later undone",
                ),
                false => (
                    DeviationType::RevocationLate,
                    "a decision was not carried out by its deadline",
                ),
            };
            let moment = |run: RunAt| (run.at, Some(run.entry));
            deviations.push(Deviation {
                account_id: account.clone(),
                opened: Some(moment(series.opened)),
                closed: series.closed.map(|(run, _)| moment(run)),
                how_closed: cell(series.closed.map(|(_, how)| how)),
                what: what.to_owned(),
                ..Deviation::of(kind, &account)
            });
        }
        [reviews, decisions, follow_up]
    }
}
