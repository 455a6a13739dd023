//! Carries the follow-ups from one run to the next, with the reviews in the ledger since then.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::{ClosedRow, ReviewClosed, ReviewManifest, Scope};
use crate::evidence::{Entry, EntryKind};
use crate::judgement::{ClosedReview, Decision, FollowUp, FollowUpState, FollowUps, OpenReview};
use crate::model::{EmailAddress, Role};

/// A ledger entry of a review.
#[derive(Clone, Debug)]
pub struct ReviewEvent {
    /// The number of the ledger entry.
    pub sequence: u64,
    pub review: String,
    pub change: ReviewChange,
}

#[derive(Clone, Debug)]
pub enum ReviewChange {
    Opened {
        at: Timestamp,
        /// The last day for decisions.
        due: String,
        scope: Scope,
    },
    Closed(Box<ReviewClosed>),
    Acknowledged {
        at: Timestamp,
    },
    /// The review was opened or closed, but its files cannot be read.
    Unread {
        is_close: bool,
    },
    /// The entry is missing or faulty. It may have closed any open review.
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
            return Err(format!("its manifest differs in {}", apart.join(", ")));
        }
        let change = match (entry.kind, closed) {
            (EntryKind::ReviewOpen, _) => ReviewChange::Opened {
                at: manifest.review.at,
                due: manifest.review.due,
                scope: manifest.review.scope,
            },
            (EntryKind::ReviewAcknowledge, _) => ReviewChange::Acknowledged {
                at: manifest.review.at,
            },
            (EntryKind::ReviewClose, Some(closed)) => {
                if closed.review != manifest.review.id || closed.complete != entry.complete {
                    return Err("its review.json belongs to another review".to_owned());
                }
                ReviewChange::Closed(Box::new(closed))
            }
            (EntryKind::Run | EntryKind::Failure | EntryKind::ReviewClose, _) => {
                return Err("it is not an entry of a review".to_owned());
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
    /// The follow-ups of the previous run, with the later entries of reviews. `through` is the last entry that was
    /// read.
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
            ReviewChange::Opened { at, due, scope } => self.open.push(OpenReview {
                review: event.review.clone(),
                sequence: event.sequence,
                opened_at: *at,
                due: due.clone(),
                scope: *scope,
            }),
            ReviewChange::Acknowledged { at } => {
                for last in [&mut self.last_closed, &mut self.last_of_some] {
                    if let Some(last) = last.as_mut().filter(|last| last.review == event.review) {
                        last.acknowledged_at = Some(*at);
                    }
                }
            }
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
        // The review was closed before this run, so a fast clock at the closing gives no extra time.
        let closed_at = closed.closed_at.min(as_of);
        let last = Some(ClosedReview {
            review: closed.review.clone(),
            sequence,
            closed_at,
            complete: closed.complete,
            acknowledged_at: None,
        });
        // A review that is closed without a decision counts as cancelled.
        let is_due_one = closed.scope == Scope::All && closed.totals.decided > 0;
        match is_due_one {
            true => (self.last_closed, self.last_of_some) = (last, None),
            false => self.last_of_some = last,
        }
        // All accounts were decided after the lost review.
        if closed.is_of_all() {
            self.unread.retain(|lost| *lost > closed.opened.sequence);
        }
        self.follow(sequence, closed, closed_at);
        self.forget_addresses(sequence, closed);
    }

    /// A decision that differs from an earlier one replaces it. An equal decision changes nothing, so its grace does
    /// not start once more.
    ///
    /// If a review was opened before another was closed, its reviewers could not know the other decisions. If the two
    /// differ, the stricter decision wins.
    fn follow(&mut self, sequence: u64, closed: &ReviewClosed, decided_at: Timestamp) {
        let decided = closed.decided();
        let by_account: HashMap<&str, (&ClosedRow, Decision)> =
            decided.map(|of| (of.0.account_id.as_str(), of)).collect();
        let mut followed: HashSet<String> = HashSet::new();
        self.decisions.retain(|of| {
            let is_done = of.state == FollowUpState::Done;
            let Some((row, decision)) = by_account.get(of.account_id.as_str()) else {
                // A later run listed the account without access, so it has no row.
                let is_settled = closed.is_of_all() && closed.snapshot.sequence > of.sequence;
                return !(is_settled && is_done);
            };
            let stays = match decision {
                _ if closed.opened.sequence < of.sequence => !is_stricter(*decision, row, of),
                // An answer is asked again, if the account lost access and has it again.
                Decision::DontKnow => of.decision != Decision::DontKnow || !is_done,
                Decision::Keep => false,
                Decision::Revoke | Decision::ChangeRole => {
                    *decision == of.decision && row.new_role == of.new_role && !is_done
                }
            };
            if stays {
                followed.insert(of.account_id.clone());
            }
            stays
        });
        for (row, decision) in closed.followed() {
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

    /// Reviewers who could know of a follow-up may keep another account with the same address. Then the address no
    /// longer identifies the account to revoke.
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

/// Whether a decision removes more access than the followed one, or answers its question with a change.
fn is_stricter(decision: Decision, row: &ClosedRow, of: &FollowUp) -> bool {
    let rank = |role: &Option<Role>| role.as_ref().and_then(Role::rank);
    match (decision, of.decision) {
        (Decision::Keep | Decision::DontKnow, _) | (_, Decision::Revoke) => false,
        (Decision::Revoke, _) | (Decision::ChangeRole, Decision::DontKnow) => true,
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

    /// A review of all accounts, opened by the previous entry.
    fn closed(sequence: u64, review: &str, decided: Vec<ClosedRow>) -> ReviewEvent {
        overlapping(sequence, sequence - 1, review, decided)
    }

    /// A review of all accounts, opened by the entry `opened`, of the run before that entry.
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
            people_run: entry(opened - 1),
            verdict: Verdict::Pass,
            complete: true,
            accepted_incomplete: None,
            totals: Totals::of(&rows),
            reviewers: Vec::new(),
            deciders: Vec::new(),
            accepted_reviewers: Vec::new(),
            reassigned: None,
            decision_files: Vec::new(),
            attachments: Vec::new(),
            rows,
        };
        ReviewEvent {
            sequence,
            review: review.to_owned(),
            change: ReviewChange::Closed(Box::new(closed)),
        }
    }

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
                scope: Scope::All,
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

    fn with_email(of: ClosedRow, email: &str) -> ClosedRow {
        ClosedRow {
            email: EmailAddress::parse(email),
            ..of
        }
    }

    /// The follow-ups after these events, in the order of the ledger.
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
    fn without_reviews_only_the_start_of_the_wait_is_carried() {
        let first = FollowUps::carried(None, &[], 3, at(NOW));
        assert_eq!((first.through, first.counted_from), (3, at(NOW)));
        let next = FollowUps::carried(Some(&first), &[], 4, at("2026-10-03T00:00:00Z"));
        assert_eq!((next.through, next.counted_from), (4, at(NOW)));
    }

    #[test]
    fn a_repeated_revocation_keeps_its_grace() {
        let first = closed(2, "q3", vec![decided("1", Decision::Revoke)]);
        let q3 = FollowUps::carried(None, &[first], 2, at(NOW));
        let again = closed(5, "q4", vec![decided("1", Decision::Revoke)]);
        let q4 = FollowUps::carried(Some(&q3), &[again], 5, at(NOW));
        assert_eq!(q4.decisions, q3.decisions);
    }

    #[test]
    fn a_later_keep_ends_a_revocation_but_dont_know_does_not() {
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
    fn an_unreadable_review_is_open_until_all_accounts_are_decided() {
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
    fn an_entry_that_was_read_before_is_skipped() {
        let event = closed(2, "q3", vec![decided("1", Decision::Revoke)]);
        let mut q3 = FollowUps::carried(None, std::slice::from_ref(&event), 2, at(NOW));
        q3.decisions[0].state = FollowUpState::Done;
        let next = FollowUps::carried(Some(&q3), &[event], 3, at(NOW));
        assert_eq!(next.decisions[0].state, FollowUpState::Done);
    }

    #[test]
    fn an_overlapping_review_does_not_end_a_revocation() {
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
            // A review that was opened after the closing may end it.
            let later = overlapping(11, 10, "other", vec![decided("1", Decision::Keep)]);
            assert_eq!(asked(&after(&[revoked(), later])), []);
        }
        let role = closed(9, "q4", vec![decided("1", Decision::ChangeRole)]);
        let other = overlapping(11, 5, "other", vec![decided("1", Decision::Revoke)]);
        assert_eq!(asked(&after(&[role, other])), [("1", Decision::Revoke)]);
    }

    #[test]
    fn only_a_later_run_settles_a_revocation() {
        let mut q4 = after(&[closed(9, "q4", vec![decided("1", Decision::Revoke)])]);
        q4.decisions[0].state = FollowUpState::Done;
        q4.through = 9;
        let settled = |opened| {
            let event = overlapping(20, opened, "next", vec![decided("2", Decision::Keep)]);
            FollowUps::carried(Some(&q4), &[event], 20, at(NOW)).decisions
        };
        assert_eq!(settled(12), []);
        // The review was opened later, but of an earlier run, which may lack newer accounts.
        assert_eq!(settled(10).len(), 1);
        assert_eq!(settled(5).len(), 1);
    }

    #[test]
    fn a_lost_entry_may_have_closed_an_open_review() {
        let none = after(&[lost(4)]);
        assert_eq!(none.unread, [0; 0]);
        let open = after(&[opened(3, "q4"), lost(4)]);
        assert_eq!(open.unread, [4]);
        // A review that was opened before the lost entry does not know its decisions.
        let other = overlapping(6, 3, "q4", vec![decided("1", Decision::Keep)]);
        assert_eq!(after(&[opened(3, "q4"), lost(4), other]).unread, [4]);
        let later = overlapping(6, 5, "q1", vec![decided("1", Decision::Keep)]);
        assert_eq!(after(&[opened(3, "q4"), lost(4), later]).unread, [0; 0]);
    }

    #[test]
    fn a_review_with_an_unreadable_closing_is_not_open() {
        let unread = ReviewEvent {
            sequence: 4,
            review: "q4".to_owned(),
            change: ReviewChange::Unread { is_close: true },
        };
        let reviews = after(&[opened(3, "q4"), unread]);
        assert_eq!((reviews.open.len(), reviews.unread.len()), (0, 1));
    }

    #[test]
    fn a_review_of_some_roles_is_not_the_due_one() {
        let of_all = closed(5, "q4", vec![decided("1", Decision::Keep)]);
        let admins = vec![decided("1", Decision::Keep)];
        let admins = but(closed(8, "admins", admins), |closed| {
            closed.scope = Scope::Admins
        });
        let reviews = after(&[of_all, admins]);
        let name = |of: &Option<ClosedReview>| of.as_ref().map(|of| of.review.clone());
        assert_eq!(name(&reviews.last_closed).as_deref(), Some("q4"));
        assert_eq!(name(&reviews.last_of_some).as_deref(), Some("admins"));
        // Nor is a cancelled review.
        let given_up = after(&[closed(5, "q4", Vec::new())]);
        assert_eq!(name(&given_up.last_closed), None);
    }

    #[test]
    fn a_fast_clock_at_the_closing_gives_no_extra_time() {
        let event = closed(5, "q4", vec![decided("1", Decision::Revoke)]);
        let reviews = after(&[but(event, |closed| {
            closed.closed_at = at("2036-10-01T00:00:00Z")
        })]);
        assert_eq!(reviews.decisions[0].decided_at, at(NOW));
        let last = reviews.last_closed.expect("a review");
        assert_eq!(last.closed_at, at(NOW));
    }

    #[test]
    fn a_kept_account_is_not_revoked_for_its_address() {
        let revoked = with_email(decided("1", Decision::Revoke), "ada@example.com");
        let emails = |events: &[ReviewEvent]| -> Vec<bool> {
            let follow_ups = after(events).decisions;
            follow_ups.iter().map(|of| of.email.is_some()).collect()
        };
        assert_eq!(emails(&[closed(5, "q4", vec![revoked.clone()])]), [true]);
        let other = |decision| with_email(decided("2", decision), "ADA@example.com");
        let both = closed(5, "q4", vec![revoked.clone(), other(Decision::Keep)]);
        assert_eq!(emails(&[both]), [false]);
        let first = closed(5, "q4", vec![revoked]);
        let later = closed(8, "q1", vec![other(Decision::Keep)]);
        assert_eq!(emails(&[first.clone(), later]), [false]);
        let unsure = closed(8, "q1", vec![other(Decision::DontKnow)]);
        assert_eq!(emails(&[first.clone(), unsure]), [true, true]);
        let overlapping = overlapping(8, 4, "q1", vec![other(Decision::Keep)]);
        assert_eq!(emails(&[first, overlapping]), [true]);
    }
}
