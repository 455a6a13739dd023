//! Access reviews of the period, their decisions, and what became of these.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::accounts::ReviewedAccount;
use super::deviations::{Deviation, Deviations, Moment};
use super::findings::{Findings, Series};
use super::items::{Left, PopulationItem};
use super::period::{Period, Phase};
use super::table::{cell, count, day, flag, instant, text};
use super::{Column, DeviationType, FindingClosed, Table};
use crate::evidence::{Entry, EntryKind};
use crate::judgement::{Decision, FindingKind, FollowUp, FollowUpState};
use crate::model::{EmailAddress, Role};
use crate::review::{ReviewClosed, ReviewManifest};

/// An access review, by its entries.
#[derive(Clone, Debug, Default)]
struct Review {
    /// The folder of its first part.
    run: String,
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
    /// The rows of closed reviews, each with the instant of closing.
    decisions: Vec<(Timestamp, Vec<String>)>,
    deviations: Vec<Deviation>,
    reviewed: BTreeMap<String, ReviewedAccount>,
    deciders: Vec<Decider>,
    /// The newest state of each follow-up, by review and account, with its deadline.
    follow_ups: BTreeMap<(String, String), (FollowUp, Timestamp)>,
}

/// A person who decided a row.
#[derive(Clone, Debug)]
struct Decider {
    /// The folder of the close.
    part: String,
    row: u32,
    account_id: String,
    owner: Option<EmailAddress>,
    by: EmailAddress,
    /// When the file claims that they decided; at the latest, the closing.
    at: Timestamp,
    closed: Moment,
}

impl Decider {
    /// Why the person may not decide the row. A plus-tag makes no other person.
    fn wrong(&self, left: &BTreeMap<String, Vec<Left>>) -> Option<&'static str> {
        let key = self.by.key_without_tag();
        let tenures = left.get(&key).map_or(&[][..], Vec::as_slice);
        let had_left =
            |(end, back): &Left| *end < self.at && back.is_none_or(|back| self.at < back);
        if tenures.iter().any(had_left) {
            Some("the person who decided had left")
        } else if self.owner.as_ref().map(EmailAddress::key_without_tag) == Some(key) {
            Some("the person who decided owns the account")
        } else {
            None
        }
    }
}

const REVIEWS: &[Column] = &[
    text("review"),
    text("name"),
    text("scope"),
    count("opened_entry"),
    instant("opened_at"),
    day("due"),
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
    text("item_id"),
];

const LATE: &str = "a decision was not carried out by its deadline";

/// Where `account_id` is in [`DECISIONS`].
const DECIDED_ACCOUNT: usize = 2;

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
        if review.run.is_empty() {
            review.run.clone_from(&entry.run);
        }
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
                role: row.role.clone(),
                at: of.at,
                decision: row.decision,
                note: row.note.clone(),
            };
            self.reviewed.insert(row.account_id.clone(), decided);
        }
        if period.phase(of.at) == Phase::Within {
            self.closed_in_period(&entry.run, closed, moment);
        }
    }

    fn closed_in_period(&mut self, part: &str, closed: &ReviewClosed, moment: Moment) {
        let id = &closed.review;
        let mut add = |kind, key: String, account_id: &str, what: String| {
            self.deviations.push(Deviation {
                account_id: account_id.to_owned(),
                run: part.to_owned(),
                opened: Some(moment),
                what,
                ..Deviation::of(kind, &key)
            });
        };
        if !closed.complete {
            let (undecided, rows) = (closed.totals.undecided, closed.totals.rows);
            let what = format!("{undecided} of {rows} rows are undecided");
            add(DeviationType::ReviewIncomplete, id.clone(), "", what);
        }
        for row in &closed.rows {
            let (number, account) = (row.row, row.account_id.as_str());
            let key = format!("{id}\n{number}");
            match row.decision {
                Some(Decision::DontKnow) => {
                    let what = format!("row {number}: the reviewer does not know");
                    add(DeviationType::RowDontKnow, key, account, what);
                }
                Some(Decision::Keep) if row.role == Role::Admin && row.note.is_empty() => {
                    let what = format!("row {number}: kept without a reason");
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
                self.deciders.push(Decider {
                    part: part.to_owned(),
                    row: number,
                    account_id: account.to_owned(),
                    owner: row.email.clone(),
                    by: by.clone(),
                    at: row.decided_at.map_or(moment.0, |at| at.min(moment.0)),
                    closed: moment,
                });
            }
            let email = |of: &Option<EmailAddress>| cell(of.as_ref().map(EmailAddress::as_written));
            let cells = vec![
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
            ];
            self.decisions.push((moment.0, cells));
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

    /// The tables `reviews`, `decisions` and `follow_up`. `left` has the ended tenures of leavers by address, and `items`
    /// the population.
    pub(super) fn tables(
        self,
        period: &Period,
        findings: &Findings,
        left: &BTreeMap<String, Vec<Left>>,
        items: &[PopulationItem],
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
        // Runs check only the newest review, and without REVIEW_EVERY none.
        for (id, of) in &self.reviews {
            let due = of.due.parse().ok().and_then(|day| period.end_of(day));
            let Some(due) = due.filter(|due| period.phase(*due) == Phase::Within) else {
                continue;
            };
            let closed = of.closed.filter(|_| of.outcome.is_some());
            let until = closed.map_or(period.to, |(at, _)| at);
            if until <= due || deviations.lasts_in(DeviationType::ReviewOverdue, due, until) {
                continue;
            }
            deviations.push(Deviation {
                run: of.run.clone(),
                opened: Some((due, None)),
                closed,
                what: "the access review was not closed by its due day".to_owned(),
                ..Deviation::of(DeviationType::ReviewOverdue, id)
            });
        }
        let mut decisions = Table::new("decisions", "Decisions of access reviews", DECISIONS);
        for (closed, mut cells) in self.decisions {
            let is_of_leaver = |item: &&PopulationItem| {
                let ids = &item.leaver.account_id;
                ids.contains(&cells[DECIDED_ACCOUNT])
                    && item.leaver.end_of_work.is_some_and(|end| end <= closed)
            };
            let item = items.iter().rev().find(is_of_leaver);
            cells.push(cell(item.map(|item| &item.bar.item_id)));
            decisions.rows.push(cells);
        }
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
        for of in &self.deciders {
            if let Some(wrong) = of.wrong(left) {
                let row = of.row;
                deviations.push(Deviation {
                    account_id: of.account_id.clone(),
                    run: of.part.clone(),
                    opened: Some(of.closed),
                    what: format!("row {row}: {wrong}"),
                    ..Deviation::of(
                        DeviationType::ReviewerIneligible,
                        &format!("{}\n{row}", of.part),
                    )
                });
            }
        }
        // When each account's newest deviation ended. None: it goes on.
        let mut ended: BTreeMap<String, Option<Timestamp>> = BTreeMap::new();
        let not_done = findings.series().into_iter();
        let is_it = |of: &&Series| of.finding.kind == FindingKind::RevocationNotDone;
        for series in not_done.filter(is_it) {
            let account = cell(series.finding.account_id.as_ref());
            let opened = series.opened;
            let goes_on = ended
                .get(&account)
                .is_some_and(|ended| ended.is_none_or(|at| at > opened.at));
            if goes_on {
                continue;
            }
            let states = self.follow_ups.values().map(|(of, _)| of);
            let states = states.filter(|of| of.account_id == account);
            let was_undone = states.clone().any(|of| of.undone_at == Some(opened.at));
            // Only a run that saw the decision carried out closes it. An exception accepts the risk and ends nothing.
            let done = states.filter(|of| of.state == FollowUpState::Done);
            let done = done.filter_map(|of| of.first_seen_done).max();
            let closed = match series.closed {
                Some((run, FindingClosed::NotFound)) => Some((run.at, Some(run.entry))),
                Some((_, FindingClosed::NotConfirmed | FindingClosed::Accepted)) | None => {
                    done.filter(|at| *at > opened.at).map(|at| (at, None))
                }
            };
            ended.insert(account.clone(), closed.map(|(at, _)| at));
            let (kind, what) = match was_undone {
                true => (
                    DeviationType::RevocationUndone,
                    "a decision was carried out, and later undone",
                ),
                false => (DeviationType::RevocationLate, LATE),
            };
            deviations.push(Deviation {
                account_id: account.clone(),
                opened: Some((opened.at, Some(opened.entry))),
                closed,
                how_closed: cell(closed.map(|_| FollowUpState::Done)),
                exception: cell(series.exception.as_ref()),
                what: what.to_owned(),
                ..Deviation::of(kind, &account)
            });
        }
        // A later setting may give a decision more time. Its deadline is that of the first run that followed it.
        for (of, deadline) in self.follow_ups.values() {
            let was_seen_late = of.last_seen_before.is_some_and(|at| at > *deadline);
            let is_known = ended.contains_key(&of.account_id);
            if is_known || !was_seen_late || period.phase(*deadline) != Phase::Within {
                continue;
            }
            deviations.push(Deviation {
                account_id: of.account_id.clone(),
                opened: Some((*deadline, None)),
                closed: of.first_seen_done.map(|at| (at, None)),
                how_closed: cell(of.first_seen_done.map(|_| FollowUpState::Done)),
                what: LATE.to_owned(),
                ..Deviation::of(DeviationType::RevocationLate, &of.account_id)
            });
        }
        [reviews, decisions, follow_up]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_who_left_or_owns_the_account_may_not_decide() {
        let at = |text: &str| -> Timestamp { text.parse().expect("an instant") };
        let email = |text: &str| EmailAddress::parse(text).expect("an address");
        // Left in 2025, came back in 2026, and left again.
        let tenures = vec![
            (at("2025-03-01T00:00:00Z"), Some(at("2026-02-01T00:00:00Z"))),
            (at("2026-10-01T00:00:00Z"), None),
        ];
        let left = BTreeMap::from([("boss@x.example".to_owned(), tenures)]);
        let wrong = |by: &str, owner: &str, day: &str| {
            let decider = Decider {
                part: "reviews/q4/close-1".to_owned(),
                row: 1,
                account_id: "1".to_owned(),
                owner: Some(email(owner)),
                by: email(by),
                at: at(day),
                closed: (at("2026-12-01T00:00:00Z"), None),
            };
            decider.wrong(&left)
        };
        let had_left = Some("the person who decided had left");
        let owns = Some("the person who decided owns the account");
        for (by, owner, day, expected) in [
            (
                "boss@x.example",
                "a@x.example",
                "2025-01-01T00:00:00Z",
                None,
            ),
            (
                "boss@x.example",
                "a@x.example",
                "2025-06-01T00:00:00Z",
                had_left,
            ),
            (
                "boss@x.example",
                "a@x.example",
                "2026-06-01T00:00:00Z",
                None,
            ),
            (
                "boss@x.example",
                "a@x.example",
                "2026-10-02T00:00:00Z",
                had_left,
            ),
            (
                "Boss+asana@x.example",
                "a@x.example",
                "2026-10-02T00:00:00Z",
                had_left,
            ),
            (
                "a+admin@x.example",
                "a@x.example",
                "2026-06-01T00:00:00Z",
                owns,
            ),
        ] {
            assert_eq!(wrong(by, owner, day), expected, "{by} {day}");
        }
    }
}
