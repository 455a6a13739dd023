//! How the follow-ups go on from one run to the next: what the ledger says of reviews since.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::{ClosedRow, ReviewClosed, ReviewManifest, Scope};
use crate::evidence::{Entry, EntryKind};
use crate::judgement::{ClosedReview, Decision, FollowUp, FollowUpState, FollowUps, OpenReview};
use crate::model::{EmailAddress, Role};

/// What a ledger entry says of a review.
#[derive(Clone, Debug)]
pub struct ReviewEvent {
    /// Number of the ledger entry.
    pub sequence: u64,
    /// The review's id.
    pub review: String,
    pub change: ReviewChange,
}

#[derive(Clone, Debug)]
pub enum ReviewChange {
    Opened {
        at: Timestamp,
        /// The last day for decisions.
        due: String,
    },
    Closed(Box<ReviewClosed>),
    /// It was opened or closed, and its files could not be read.
    Unread {
        is_close: bool,
    },
    /// The entry is gone or is not believed: it may have closed any review that was open.
    Lost,
}

impl ReviewEvent {
    /// From an entry, its manifest, and `review.json` if the entry closed a review.
    ///
    /// # Errors
    /// A sentence, if they contradict each other.
    pub fn of(
        entry: &Entry,
        manifest: ReviewManifest,
        closed: Option<ReviewClosed>,
    ) -> Result<Self, String> {
        let apart = manifest.apart_from(entry);
        if !apart.is_empty() {
            return Err(format!("its manifest disagrees: {}", apart.join(", ")));
        }
        let change = match (entry.kind, closed) {
            (EntryKind::ReviewOpen, _) => ReviewChange::Opened {
                at: manifest.review.at,
                due: manifest.review.due,
            },
            (EntryKind::ReviewClose, Some(closed)) => {
                if closed.review != manifest.review.id || closed.complete != entry.complete {
                    return Err("its review.json is of another review".to_owned());
                }
                ReviewChange::Closed(Box::new(closed))
            }
            (EntryKind::Run | EntryKind::Failure | EntryKind::ReviewClose, _) => {
                return Err("it is not of a review".to_owned());
            }
        };
        Ok(Self {
            sequence: entry.sequence,
            review: manifest.review.id,
            change,
        })
    }
}

impl FollowUps {
    /// What the previous run left, with what has happened to reviews since. `through` is the entry up to
    /// which the ledger was read.
    #[must_use]
    pub fn carried(
        before: Option<&Self>,
        events: &[ReviewEvent],
        through: u64,
        as_of: Timestamp,
    ) -> Self {
        let mut next = before.cloned().unwrap_or(Self::starting(as_of));
        let is_new = |event: &&ReviewEvent| (next.through + 1..=through).contains(&event.sequence);
        let mut new: Vec<&ReviewEvent> = events.iter().filter(is_new).collect();
        new.sort_by_key(|event| event.sequence);
        for event in new {
            next.take(event, as_of);
        }
        next.through = next.through.max(through);
        next
    }

    fn take(&mut self, event: &ReviewEvent, as_of: Timestamp) {
        match &event.change {
            ReviewChange::Opened { at, due } => self.open.push(OpenReview {
                review: event.review.clone(),
                sequence: event.sequence,
                opened_at: *at,
                due: due.clone(),
            }),
            ReviewChange::Unread { is_close } => {
                self.unread.push(event.sequence);
                if *is_close {
                    self.open.retain(|open| open.review != event.review);
                }
            }
            ReviewChange::Lost if self.open.is_empty() => {}
            ReviewChange::Lost => self.unread.push(event.sequence),
            ReviewChange::Closed(closed) => self.close(event.sequence, closed, as_of),
        }
    }

    fn close(&mut self, sequence: u64, closed: &ReviewClosed, as_of: Timestamp) {
        self.open.retain(|open| open.review != closed.review);
        // It was closed before this run: a clock that was ahead gives no more time.
        let closed_at = closed.closed_at.min(as_of);
        let last = Some(ClosedReview {
            review: closed.review.clone(),
            sequence,
            closed_at,
            complete: closed.complete,
        });
        // Closing a review without a decision is a way to give it up.
        let is_due_one = closed.scope == Scope::All && closed.totals.decided > 0;
        match is_due_one {
            true => (self.last_closed, self.last_of_some) = (last, None),
            false => self.last_of_some = last,
        }
        // All accounts were decided about again after the lost review.
        if closed.is_of_all() {
            self.unread.retain(|lost| *lost > closed.opened.sequence);
        }
        self.follow(sequence, closed, closed_at);
        self.forget_addresses(sequence, closed);
    }

    /// A decision that differs from an earlier one replaces it. The same decision again stays the earlier
    /// one: its grace does not begin anew.
    ///
    /// The reviewers of a review that was opened before another was closed could not know of it: if the two
    /// differ, the stricter decision wins.
    fn follow(&mut self, sequence: u64, closed: &ReviewClosed, decided_at: Timestamp) {
        let decided = closed.decided();
        let by_account: HashMap<&str, (&ClosedRow, Decision)> =
            decided.map(|of| (of.0.account_id.as_str(), of)).collect();
        let mut followed: HashSet<String> = HashSet::new();
        self.decisions.retain(|of| {
            let is_done = of.state == FollowUpState::Done;
            let Some((again, decision)) = by_account.get(of.account_id.as_str()) else {
                // A later run listed it without access, so it has no row.
                let is_settled = closed.is_of_all() && closed.snapshot.sequence > of.sequence;
                return !(is_settled && is_done);
            };
            let stays = match decision {
                _ if closed.opened.sequence < of.sequence => !is_stricter(*decision, again, of),
                Decision::DontKnow => true,
                Decision::Keep => false,
                Decision::Revoke | Decision::ChangeRole => {
                    *decision == of.decision && again.new_role == of.new_role && !is_done
                }
            };
            if stays {
                followed.insert(of.account_id.clone());
            }
            stays
        });
        for (row, decision) in closed.asked() {
            if !followed.contains(&row.account_id) {
                self.decisions.push(FollowUp {
                    review: closed.review.clone(),
                    sequence,
                    account_id: row.account_id.clone(),
                    email: row.email.clone(),
                    decision,
                    role: row.role.clone(),
                    new_role: row.new_role.clone(),
                    decided_at,
                    state: FollowUpState::Open,
                    last_seen_before: None,
                    first_seen_done: None,
                    undone_at: None,
                });
            }
        }
    }

    /// If reviewers who could know of a follow-up decided that another account with its address keeps its
    /// access, that account is not what was asked for.
    fn forget_addresses(&mut self, sequence: u64, closed: &ReviewClosed) {
        let mut kept: HashMap<&EmailAddress, Vec<&str>> = HashMap::new();
        for (row, decision) in closed.decided() {
            let keeps_access = match decision {
                Decision::Keep | Decision::ChangeRole => true,
                Decision::Revoke | Decision::DontKnow => false,
            };
            if let (Some(email), true) = (&row.email, keeps_access) {
                kept.entry(email).or_default().push(&row.account_id);
            }
        }
        for of in &mut self.decisions {
            let could_know = closed.opened.sequence > of.sequence || sequence == of.sequence;
            let is_of_another = |email: &EmailAddress| {
                let accounts = kept.get(email);
                accounts.is_some_and(|ids| ids.iter().any(|id| *id != of.account_id))
            };
            if could_know {
                of.email.take_if(|email| is_of_another(email));
            }
        }
    }
}

/// Whether a decision takes more access away than the one that is followed.
fn is_stricter(decision: Decision, row: &ClosedRow, of: &FollowUp) -> bool {
    let rank = |role: &Option<Role>| role.as_ref().and_then(Role::rank);
    match (decision, of.decision) {
        (Decision::Keep | Decision::DontKnow, _) | (_, Decision::Revoke) => false,
        (Decision::Revoke, _) => true,
        (Decision::ChangeRole, _) => rank(&row.new_role) < rank(&of.new_role),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judgement::{RunRef, Verdict};
    use crate::review::Totals;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    fn decided(account: &str, decision: Decision) -> ClosedRow {
        ClosedRow {
            row: 1,
            account_id: account.to_owned(),
            email: None,
            name: None,
            role: Role::Admin,
            reviewer: None,
            decided_by: None,
            decision: Some(decision),
            new_role: (decision == Decision::ChangeRole).then_some(Role::Member),
            note: String::new(),
            decided_at: None,
            source: None,
        }
    }

    fn entry(sequence: u64) -> RunRef {
        RunRef {
            sequence,
            run: String::new(),
            manifest_sha256: String::new(),
        }
    }

    /// A review of all accounts, opened by the entry before.
    fn closed(sequence: u64, review: &str, decided: Vec<ClosedRow>) -> ReviewEvent {
        overlapping(sequence, sequence - 1, review, decided)
    }

    /// A review of all accounts, opened by another entry, of the run right before that.
    fn overlapping(sequence: u64, opened: u64, review: &str, rows: Vec<ClosedRow>) -> ReviewEvent {
        let closed = ReviewClosed {
            schema: String::new(),
            review: review.to_owned(),
            name: review.to_owned(),
            due: "2026-10-01".to_owned(),
            scope: Scope::All,
            opened_at: at("2026-09-01T00:00:00Z"),
            closed_at: at("2026-10-01T00:00:00Z"),
            revocations_due: at("2026-10-08T00:00:00Z"),
            review_sha256: String::new(),
            opened: entry(opened),
            snapshot: entry(opened - 1),
            verdict: Verdict::Pass,
            complete: true,
            accepted_incomplete: None,
            totals: Totals::of(&rows),
            reviewers: Vec::new(),
            reassigned: None,
            decision_files: Vec::new(),
            rows,
        };
        ReviewEvent {
            sequence,
            review: review.to_owned(),
            change: ReviewChange::Closed(Box::new(closed)),
        }
    }

    /// The same, changed.
    fn but(mut event: ReviewEvent, change: impl FnOnce(&mut ReviewClosed)) -> ReviewEvent {
        if let ReviewChange::Closed(closed) = &mut event.change {
            change(closed);
        }
        event
    }

    fn opened(sequence: u64, review: &str) -> ReviewEvent {
        ReviewEvent {
            sequence,
            review: review.to_owned(),
            change: ReviewChange::Opened {
                at: at("2026-09-01T00:00:00Z"),
                due: "2026-10-01".to_owned(),
            },
        }
    }

    fn lost(sequence: u64) -> ReviewEvent {
        ReviewEvent {
            sequence,
            review: String::new(),
            change: ReviewChange::Lost,
        }
    }

    fn borne(of: ClosedRow, email: &str) -> ClosedRow {
        ClosedRow {
            email: EmailAddress::parse(email),
            ..of
        }
    }

    /// What is followed after these, in the order of the ledger.
    fn after(events: &[ReviewEvent]) -> FollowUps {
        FollowUps::carried(None, events, 100, at(NOW))
    }

    fn asked(reviews: &FollowUps) -> Vec<(&str, Decision)> {
        let follow_ups = reviews.decisions.iter();
        follow_ups
            .map(|of| (of.account_id.as_str(), of.decision))
            .collect()
    }

    const NOW: &str = "2026-10-02T00:00:00Z";

    #[test]
    fn without_reviews_nothing_is_carried_but_since_when_one_is_awaited() {
        let first = FollowUps::carried(None, &[], 3, at(NOW));
        assert_eq!((first.through, first.counted_from), (3, at(NOW)));
        let next = FollowUps::carried(Some(&first), &[], 4, at("2026-10-03T00:00:00Z"));
        assert_eq!((next.through, next.counted_from), (4, at(NOW)));
    }

    #[test]
    fn a_revocation_decided_again_keeps_the_grace_it_had() {
        let first = closed(2, "q3", vec![decided("1", Decision::Revoke)]);
        let q3 = FollowUps::carried(None, &[first], 2, at(NOW));
        let again = closed(5, "q4", vec![decided("1", Decision::Revoke)]);
        let q4 = FollowUps::carried(Some(&q3), &[again], 5, at(NOW));
        assert_eq!(q4.decisions, q3.decisions);
    }

    #[test]
    fn a_later_keep_ends_it_and_a_later_doubt_does_not() {
        let asked = closed(
            2,
            "q3",
            vec![
                decided("1", Decision::Revoke),
                decided("2", Decision::Revoke),
            ],
        );
        let q3 = FollowUps::carried(None, &[asked], 2, at(NOW));
        let later = closed(
            5,
            "q4",
            vec![
                decided("1", Decision::Keep),
                decided("2", Decision::DontKnow),
            ],
        );
        let q4 = FollowUps::carried(Some(&q3), &[later], 5, at(NOW));
        let left: Vec<&str> = q4
            .decisions
            .iter()
            .map(|of| of.account_id.as_str())
            .collect();
        assert_eq!(left, ["2"]);
    }

    #[test]
    fn a_review_that_cannot_be_read_is_open_until_everybody_was_decided_on_again() {
        let lost = ReviewEvent {
            sequence: 2,
            review: "q3".to_owned(),
            change: ReviewChange::Unread { is_close: true },
        };
        let q3 = FollowUps::carried(None, &[lost], 2, at(NOW));
        assert_eq!(q3.unread, [2]);
        let of_some = |complete, scope| {
            let event = but(closed(5, "q4", Vec::new()), |closed| {
                closed.complete = complete;
                closed.scope = scope;
            });
            FollowUps::carried(Some(&q3), &[event], 5, at(NOW)).unread
        };
        assert_eq!(of_some(false, Scope::All), [2]);
        assert_eq!(of_some(true, Scope::Admins), [2]);
        assert_eq!(of_some(true, Scope::All), [0; 0]);
    }

    #[test]
    fn what_was_read_before_is_not_taken_again() {
        let event = closed(2, "q3", vec![decided("1", Decision::Revoke)]);
        let mut q3 = FollowUps::carried(None, std::slice::from_ref(&event), 2, at(NOW));
        q3.decisions[0].state = FollowUpState::Done;
        let next = FollowUps::carried(Some(&q3), &[event], 3, at(NOW));
        assert_eq!(next.decisions[0].state, FollowUpState::Done);
    }

    #[test]
    fn a_review_that_could_not_know_of_a_revocation_does_not_end_it() {
        let revoked = || closed(9, "q4", vec![decided("1", Decision::Revoke)]);
        for (decision, wanted) in [
            (Decision::Keep, Decision::Revoke),
            (Decision::ChangeRole, Decision::Revoke),
            (Decision::DontKnow, Decision::Revoke),
            (Decision::Revoke, Decision::Revoke),
        ] {
            let other = overlapping(11, 5, "other", vec![decided("1", decision)]);
            let both = after(&[revoked(), other]);
            assert_eq!(asked(&both), [("1", wanted)], "{decision}");
            assert_eq!(both.decisions[0].review, "q4", "{decision}");
            // One that was opened after it was closed may.
            let later = overlapping(11, 10, "other", vec![decided("1", Decision::Keep)]);
            assert_eq!(asked(&after(&[revoked(), later])), []);
        }
        let role = closed(9, "q4", vec![decided("1", Decision::ChangeRole)]);
        let other = overlapping(11, 5, "other", vec![decided("1", Decision::Revoke)]);
        assert_eq!(asked(&after(&[role, other])), [("1", Decision::Revoke)]);
    }

    #[test]
    fn a_revocation_that_is_done_is_settled_by_a_later_run_only() {
        let mut q4 = after(&[closed(9, "q4", vec![decided("1", Decision::Revoke)])]);
        q4.decisions[0].state = FollowUpState::Done;
        q4.through = 9;
        let settled = |opened| {
            let event = overlapping(20, opened, "next", vec![decided("2", Decision::Keep)]);
            FollowUps::carried(Some(&q4), &[event], 20, at(NOW)).decisions
        };
        assert_eq!(settled(12), []);
        // Opened since, of a run from before: an account that is not in that run may have come after it.
        assert_eq!(settled(10).len(), 1);
        assert_eq!(settled(5).len(), 1);
    }

    #[test]
    fn an_entry_that_is_lost_while_a_review_is_open_may_have_closed_it() {
        let none = after(&[lost(4)]);
        assert_eq!(none.unread, [0; 0]);
        let open = after(&[opened(3, "q4"), lost(4)]);
        assert_eq!(open.unread, [4]);
        // A review that began before it was lost does not know what that one asked for.
        let other = overlapping(6, 3, "q4", vec![decided("1", Decision::Keep)]);
        assert_eq!(after(&[opened(3, "q4"), lost(4), other]).unread, [4]);
        let later = overlapping(6, 5, "q1", vec![decided("1", Decision::Keep)]);
        assert_eq!(after(&[opened(3, "q4"), lost(4), later]).unread, [0; 0]);
    }

    #[test]
    fn a_review_whose_closing_cannot_be_read_is_not_open() {
        let unread = ReviewEvent {
            sequence: 4,
            review: "q4".to_owned(),
            change: ReviewChange::Unread { is_close: true },
        };
        let reviews = after(&[opened(3, "q4"), unread]);
        assert_eq!((reviews.open.len(), reviews.unread.len()), (0, 1));
    }

    #[test]
    fn a_review_of_some_roles_is_not_the_one_that_is_due() {
        let everybody = closed(5, "q4", vec![decided("1", Decision::Keep)]);
        let admins = vec![decided("1", Decision::Keep)];
        let admins = but(closed(8, "admins", admins), |closed| {
            closed.scope = Scope::Admins
        });
        let reviews = after(&[everybody, admins]);
        let name = |of: &Option<ClosedReview>| of.as_ref().map(|of| of.review.clone());
        assert_eq!(name(&reviews.last_closed).as_deref(), Some("q4"));
        assert_eq!(name(&reviews.last_of_some).as_deref(), Some("admins"));
        // Nor is one that was given up.
        let given_up = after(&[closed(5, "q4", Vec::new())]);
        assert_eq!(name(&given_up.last_closed), None);
    }

    #[test]
    fn a_clock_that_was_ahead_at_the_closing_gives_nobody_more_time() {
        let event = closed(5, "q4", vec![decided("1", Decision::Revoke)]);
        let reviews = after(&[but(event, |closed| {
            closed.closed_at = at("2036-10-01T00:00:00Z")
        })]);
        assert_eq!(reviews.decisions[0].decided_at, at(NOW));
        let last = reviews.last_closed.expect("a review");
        assert_eq!(last.closed_at, at(NOW));
    }

    #[test]
    fn an_account_that_was_kept_by_itself_is_not_the_one_whose_address_it_bears() {
        let revoked = borne(decided("1", Decision::Revoke), "ada@example.com");
        let emails = |events: &[ReviewEvent]| -> Vec<bool> {
            let follow_ups = after(events).decisions;
            follow_ups.iter().map(|of| of.email.is_some()).collect()
        };
        assert_eq!(emails(&[closed(5, "q4", vec![revoked.clone()])]), [true]);
        let other = |decision| borne(decided("2", decision), "ADA@example.com");
        let both = closed(5, "q4", vec![revoked.clone(), other(Decision::Keep)]);
        assert_eq!(emails(&[both]), [false]);
        let first = closed(5, "q4", vec![revoked]);
        let later = closed(8, "q1", vec![other(Decision::Keep)]);
        assert_eq!(emails(&[first.clone(), later]), [false]);
        let doubt = closed(8, "q1", vec![other(Decision::DontKnow)]);
        assert_eq!(emails(&[first.clone(), doubt]), [true]);
        let overlapping = overlapping(8, 4, "q1", vec![other(Decision::Keep)]);
        assert_eq!(emails(&[first, overlapping]), [true]);
    }
}
