//! Periodic access reviews: what reviewers decide, and what is left to follow from night to night.

use std::collections::{HashMap, HashSet};
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::people::{EmailAddress, Role, is_zero_width};

/// What a reviewer decides about an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Access and role are right.
    Keep,
    /// Access must end.
    Revoke,
    /// Another role is right.
    ChangeRole,
    /// The reviewer cannot tell.
    DontKnow,
}

impl Decision {
    /// Every decision.
    pub const ALL: [Self; 4] = [Self::Keep, Self::Revoke, Self::ChangeRole, Self::DontKnow];

    /// The word evidence uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Revoke => "revoke",
            Self::ChangeRole => "change_role",
            Self::DontKnow => "dont_know",
        }
    }

    /// Reads the word, as people write it too: `Change role`, `don't know`. Not `keep?`, which is a doubt.
    pub fn parse(text: &str) -> Option<Self> {
        let is_between = |c: &char| c.is_whitespace() || "_-'\u{2019}.".contains(*c);
        let letters = text
            .chars()
            .filter(|c| !is_between(c) && !is_zero_width(*c));
        let letters: String = letters.flat_map(char::to_lowercase).collect();
        match letters.as_str() {
            "keep" => Some(Self::Keep),
            "revoke" => Some(Self::Revoke),
            "changerole" => Some(Self::ChangeRole),
            "dontknow" | "donotknow" => Some(Self::DontKnow),
            _ => None,
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A review's entry in the ledger, as a nightly run reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewEvent {
    /// Number of the ledger entry.
    pub sequence: u64,
    /// The review's id.
    pub review: String,
    /// What happened to it.
    pub what: ReviewStep,
}

/// What happened to a review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReviewStep {
    /// It was opened.
    Opened {
        /// When.
        at: Timestamp,
        /// The last day for decisions.
        due: String,
    },
    /// It was opened or closed, and what is said of it could not be read.
    Unread {
        /// Whether it was closed.
        is_close: bool,
    },
    /// Nobody knows: the entry is gone or is not believed, and may have closed any review that was open.
    Lost,
    /// It was closed.
    Closed {
        /// When.
        at: Timestamp,
        /// Number of the ledger entry that opened it: what was decided before, its reviewers could know.
        opened: u64,
        /// Number of the ledger entry of the night whose population it was.
        night: u64,
        /// Whether every row was decided.
        complete: bool,
        /// Whether every account was in it, not only some roles.
        of_everybody: bool,
        /// What was decided.
        decided: Vec<Decided>,
    },
}

/// A decision about one account, as a closed review holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// The account.
    pub account_id: String,
    /// Its address, when the review was opened.
    pub email: Option<EmailAddress>,
    /// Its role, when the review was opened.
    pub role: Role,
    /// What was decided.
    pub decision: Decision,
    /// The role it is to have.
    pub new_role: Option<Role>,
}

/// The reviews of a connection, as one night leaves them to the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reviews {
    /// Ledger entries up to this number have been read for reviews.
    pub through: u64,
    /// Since when a review may be awaited: the first night that looked.
    pub counted_from: Timestamp,
    /// The review of everybody that was closed last: the next is due after it.
    pub last_closed: Option<ClosedReview>,
    /// One that was closed after it and was not of everybody: of some roles only, or without a decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_of_some: Option<ClosedReview>,
    /// Reviews that are open, the oldest first.
    pub open: Vec<OpenReview>,
    /// Ledger entries of reviews that could not be read: what they asked for is not followed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<u64>,
    /// What closed reviews asked for, and how far it is done.
    pub follow_ups: Vec<FollowUp>,
}

/// A review that was closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedReview {
    /// Its id.
    pub review: String,
    /// Number of the ledger entry that closed it.
    pub sequence: u64,
    /// When.
    pub closed_at: Timestamp,
    /// Whether every row was decided.
    pub complete: bool,
}

/// A review that is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenReview {
    /// Its id.
    pub review: String,
    /// Number of the ledger entry that opened it.
    pub sequence: u64,
    /// When.
    pub opened_at: Timestamp,
    /// The last day for decisions, `2026-12-31`.
    pub due: String,
}

/// A revocation or a change of role that a review asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowUp {
    /// The review's id.
    pub review: String,
    /// Number of the ledger entry that closed it.
    pub sequence: u64,
    /// The account.
    pub account_id: String,
    /// Its address, when the review was opened: another account that bears it is the same access. None
    /// where such a one was decided on by itself.
    pub email: Option<EmailAddress>,
    /// `revoke` or `change_role`.
    pub decision: Decision,
    /// Its role, when the review was opened.
    pub role: Role,
    /// The role it is to have.
    pub new_role: Option<Role>,
    /// When the review was closed: the grace counts from here.
    pub decided_at: Timestamp,
    /// How far it is done.
    pub state: FollowUpState,
    /// The last run that saw it not done.
    pub last_seen_before: Option<Timestamp>,
    /// The first run after that which saw it done.
    pub first_seen_done: Option<Timestamp>,
    /// The run that saw it undone after it had been done.
    pub undone_at: Option<Timestamp>,
}

/// How far a revocation or a change of role is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FollowUpState {
    /// Not done yet, or not seen to be.
    Open,
    /// Seen to be done.
    Done,
    /// It was done, and the access or role is back.
    GrantedAgain,
}

impl FollowUpState {
    /// The word evidence uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Done => "done",
            Self::GrantedAgain => "granted_again",
        }
    }
}

impl Reviews {
    /// What the last night left, with what has happened to reviews since, in the order of the ledger.
    ///
    /// `through` is the entry up to which the ledger was read.
    #[must_use]
    pub fn carried(
        before: Option<&Self>,
        events: &[ReviewEvent],
        through: u64,
        as_of: Timestamp,
    ) -> Self {
        let mut reviews = before.cloned().unwrap_or(Self {
            through: 0,
            counted_from: as_of,
            last_closed: None,
            last_of_some: None,
            open: Vec::new(),
            unread: Vec::new(),
            follow_ups: Vec::new(),
        });
        let mut new: Vec<&ReviewEvent> = events
            .iter()
            .filter(|event| event.sequence > reviews.through && event.sequence <= through)
            .collect();
        new.sort_by_key(|event| event.sequence);
        for event in new {
            reviews.take(event, as_of);
        }
        reviews.through = reviews.through.max(through);
        reviews
    }

    fn take(&mut self, event: &ReviewEvent, as_of: Timestamp) {
        match &event.what {
            ReviewStep::Opened { at, due } => self.open.push(OpenReview {
                review: event.review.clone(),
                sequence: event.sequence,
                opened_at: *at,
                due: due.clone(),
            }),
            ReviewStep::Unread { is_close } => {
                self.unread.push(event.sequence);
                if *is_close {
                    self.open.retain(|open| open.review != event.review);
                }
            }
            ReviewStep::Lost if self.open.is_empty() => {}
            ReviewStep::Lost => self.unread.push(event.sequence),
            ReviewStep::Closed {
                at,
                opened,
                night,
                complete,
                of_everybody,
                decided,
            } => {
                // It was closed before this run: a clock that is ahead gives nobody more time.
                let at = (*at).min(as_of);
                self.open.retain(|open| open.review != event.review);
                let closed = Some(ClosedReview {
                    review: event.review.clone(),
                    sequence: event.sequence,
                    closed_at: at,
                    complete: *complete,
                });
                // One that nobody decided anything in is a way to give up an open one.
                if *of_everybody && !decided.is_empty() {
                    (self.last_closed, self.last_of_some) = (closed, None);
                } else {
                    self.last_of_some = closed;
                }
                let settles_all = *of_everybody && *complete;
                // Whatever one asked for that was lost before this one began: everybody was decided on since.
                if settles_all {
                    self.unread.retain(|lost| lost > opened);
                }
                let closed = Closing {
                    event,
                    at,
                    opened: *opened,
                    settles_done: settles_all.then_some(*night),
                };
                self.follow(&closed, decided);
            }
        }
    }

    /// What a review asked for is followed from now on; what it decided otherwise than an earlier one
    /// takes the place of that. The same again is still the earlier one: its grace does not begin anew.
    ///
    /// Reviewers of one that was opened before the other was closed could not know of it: where the two
    /// differ, what asks for less access stands.
    fn follow(&mut self, closing: &Closing<'_>, decided: &[Decided]) {
        let by_account: HashMap<&str, &Decided> = decided
            .iter()
            .map(|decided| (decided.account_id.as_str(), decided))
            .collect();
        let mut followed: HashSet<String> = HashSet::new();
        self.follow_ups.retain(|of| {
            let is_done = of.state == FollowUpState::Done;
            let Some(again) = by_account.get(of.account_id.as_str()) else {
                // It had no access in a later night, and so no row.
                let is_settled = closing
                    .settles_done
                    .is_some_and(|night| night > of.sequence);
                return !(is_settled && is_done);
            };
            let is_same = again.decision == of.decision && again.new_role == of.new_role;
            let stays = if closing.opened < of.sequence {
                !again.asks_for_less_than(of)
            } else {
                match again.decision {
                    Decision::DontKnow => true,
                    Decision::Keep => false,
                    Decision::Revoke | Decision::ChangeRole => is_same && !is_done,
                }
            };
            if stays {
                followed.insert(of.account_id.clone());
            }
            stays
        });
        for decided in decided {
            let is_asked = match decided.decision {
                Decision::Revoke | Decision::ChangeRole => true,
                Decision::Keep | Decision::DontKnow => false,
            };
            if is_asked && !followed.contains(&decided.account_id) {
                self.follow_ups.push(FollowUp {
                    review: closing.event.review.clone(),
                    sequence: closing.event.sequence,
                    account_id: decided.account_id.clone(),
                    email: decided.email.clone(),
                    decision: decided.decision,
                    role: decided.role.clone(),
                    new_role: decided.new_role.clone(),
                    decided_at: closing.at,
                    state: FollowUpState::Open,
                    last_seen_before: None,
                    first_seen_done: None,
                    undone_at: None,
                });
            }
        }
        self.let_go_of_addresses(closing, decided);
    }

    /// An account that bears the address of another, and that reviewers who could know decided to leave
    /// its access, is not what was asked for.
    fn let_go_of_addresses(&mut self, closing: &Closing<'_>, decided: &[Decided]) {
        let mut left: HashMap<&EmailAddress, Vec<&str>> = HashMap::new();
        for of in decided {
            let leaves_access = match of.decision {
                Decision::Keep | Decision::ChangeRole => true,
                Decision::Revoke | Decision::DontKnow => false,
            };
            if let (Some(email), true) = (&of.email, leaves_access) {
                left.entry(email).or_default().push(&of.account_id);
            }
        }
        for of in &mut self.follow_ups {
            let accounts = of.email.as_ref().and_then(|email| left.get(email));
            let is_of_another =
                accounts.is_some_and(|accounts| accounts.iter().any(|id| *id != of.account_id));
            let could_know = closing.opened > of.sequence || closing.event.sequence == of.sequence;
            if is_of_another && could_know {
                of.email = None;
            }
        }
    }
}

/// A review that is closed, as the follow-ups need to know it.
struct Closing<'a> {
    event: &'a ReviewEvent,
    at: Timestamp,
    /// Number of the ledger entry that opened it.
    opened: u64,
    /// Where everybody who had access was decided on: number of the entry of the night that says who had.
    settles_done: Option<u64>,
}

impl Decided {
    /// Whether it takes more access away than what is followed.
    fn asks_for_less_than(&self, of: &FollowUp) -> bool {
        let new_role = |role: &Option<Role>| role.as_ref().and_then(Role::rank);
        match (self.decision, of.decision) {
            (Decision::Keep | Decision::DontKnow, _) | (_, Decision::Revoke) => false,
            (Decision::Revoke, _) => true,
            (Decision::ChangeRole, _) => new_role(&self.new_role) < new_role(&of.new_role),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    fn decided(account: &str, decision: Decision) -> Decided {
        Decided {
            account_id: account.to_owned(),
            email: None,
            role: Role::Admin,
            decision,
            new_role: (decision == Decision::ChangeRole).then_some(Role::Member),
        }
    }

    /// A review of everybody, opened by the entry before.
    fn closed(sequence: u64, review: &str, decided: Vec<Decided>) -> ReviewEvent {
        overlapping(sequence, sequence - 1, review, decided)
    }

    /// A review of everybody, opened by another entry, of the night right before that.
    fn overlapping(sequence: u64, opened: u64, review: &str, decided: Vec<Decided>) -> ReviewEvent {
        ReviewEvent {
            sequence,
            review: review.to_owned(),
            what: ReviewStep::Closed {
                at: at("2026-10-01T00:00:00Z"),
                opened,
                night: opened - 1,
                complete: true,
                of_everybody: true,
                decided,
            },
        }
    }

    fn opened(sequence: u64, review: &str) -> ReviewEvent {
        ReviewEvent {
            sequence,
            review: review.to_owned(),
            what: ReviewStep::Opened {
                at: at("2026-09-01T00:00:00Z"),
                due: "2026-10-01".to_owned(),
            },
        }
    }

    fn lost(sequence: u64) -> ReviewEvent {
        ReviewEvent {
            sequence,
            review: String::new(),
            what: ReviewStep::Lost,
        }
    }

    fn borne(of: Decided, email: &str) -> Decided {
        Decided {
            email: EmailAddress::parse(email),
            ..of
        }
    }

    /// What is followed after these, in the order of the ledger.
    fn after(events: &[ReviewEvent]) -> Reviews {
        Reviews::carried(None, events, 100, at(NOW))
    }

    fn asked(reviews: &Reviews) -> Vec<(&str, Decision)> {
        let follow_ups = reviews.follow_ups.iter();
        follow_ups
            .map(|of| (of.account_id.as_str(), of.decision))
            .collect()
    }

    const NOW: &str = "2026-10-02T00:00:00Z";

    #[test]
    fn a_decision_is_read_as_people_write_it() {
        for decision in Decision::ALL {
            assert_eq!(Decision::parse(decision.as_str()), Some(decision));
        }
        assert_eq!(Decision::parse(" Don’t know "), Some(Decision::DontKnow));
        assert_eq!(Decision::parse("Change role"), Some(Decision::ChangeRole));
        assert_eq!(Decision::parse("KEEP."), Some(Decision::Keep));
        for doubt in ["remove", "keep?", "keep/revoke", "(keep)", "not keep"] {
            assert_eq!(Decision::parse(doubt), None, "{doubt}");
        }
        assert_eq!(Decision::parse(""), None);
    }

    #[test]
    fn without_reviews_nothing_is_carried_but_since_when_one_is_awaited() {
        let first = Reviews::carried(None, &[], 3, at(NOW));
        assert_eq!((first.through, first.counted_from), (3, at(NOW)));
        let next = Reviews::carried(Some(&first), &[], 4, at("2026-10-03T00:00:00Z"));
        assert_eq!((next.through, next.counted_from), (4, at(NOW)));
    }

    #[test]
    fn a_revocation_decided_again_keeps_the_grace_it_had() {
        let first = closed(2, "q3", vec![decided("1", Decision::Revoke)]);
        let q3 = Reviews::carried(None, &[first], 2, at(NOW));
        let again = closed(5, "q4", vec![decided("1", Decision::Revoke)]);
        let q4 = Reviews::carried(Some(&q3), &[again], 5, at(NOW));
        assert_eq!(q4.follow_ups, q3.follow_ups);
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
        let q3 = Reviews::carried(None, &[asked], 2, at(NOW));
        let later = closed(
            5,
            "q4",
            vec![
                decided("1", Decision::Keep),
                decided("2", Decision::DontKnow),
            ],
        );
        let q4 = Reviews::carried(Some(&q3), &[later], 5, at(NOW));
        let left: Vec<&str> = q4
            .follow_ups
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
            what: ReviewStep::Unread { is_close: true },
        };
        let q3 = Reviews::carried(None, &[lost], 2, at(NOW));
        assert_eq!(q3.unread, [2]);
        let of_some = |complete, of_everybody| {
            let mut event = closed(5, "q4", vec![decided("1", Decision::Keep)]);
            event.what = ReviewStep::Closed {
                at: at("2026-10-01T00:00:00Z"),
                opened: 4,
                night: 3,
                complete,
                of_everybody,
                decided: Vec::new(),
            };
            Reviews::carried(Some(&q3), &[event], 5, at(NOW)).unread
        };
        assert_eq!(of_some(false, true), [2]);
        assert_eq!(of_some(true, false), [2]);
        assert_eq!(of_some(true, true), [0; 0]);
    }

    #[test]
    fn what_was_read_before_is_not_taken_again() {
        let event = closed(2, "q3", vec![decided("1", Decision::Revoke)]);
        let mut q3 = Reviews::carried(None, std::slice::from_ref(&event), 2, at(NOW));
        q3.follow_ups[0].state = FollowUpState::Done;
        let next = Reviews::carried(Some(&q3), &[event], 3, at(NOW));
        assert_eq!(next.follow_ups[0].state, FollowUpState::Done);
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
            assert_eq!(both.follow_ups[0].review, "q4", "{decision}");
            // One that was opened after it was closed may.
            let later = overlapping(11, 10, "other", vec![decided("1", Decision::Keep)]);
            assert_eq!(asked(&after(&[revoked(), later])), []);
        }
        let role = closed(9, "q4", vec![decided("1", Decision::ChangeRole)]);
        let other = overlapping(11, 5, "other", vec![decided("1", Decision::Revoke)]);
        assert_eq!(asked(&after(&[role, other])), [("1", Decision::Revoke)]);
    }

    #[test]
    fn a_revocation_that_is_done_is_settled_by_a_later_night_only() {
        let mut q4 = after(&[closed(9, "q4", vec![decided("1", Decision::Revoke)])]);
        q4.follow_ups[0].state = FollowUpState::Done;
        q4.through = 9;
        let settled = |opened| {
            let event = overlapping(20, opened, "next", vec![decided("2", Decision::Keep)]);
            Reviews::carried(Some(&q4), &[event], 20, at(NOW)).follow_ups
        };
        assert_eq!(settled(12), []);
        // Opened since, of a night from before: who was not in that night may have come after it.
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
            what: ReviewStep::Unread { is_close: true },
        };
        let reviews = after(&[opened(3, "q4"), unread]);
        assert_eq!((reviews.open.len(), reviews.unread.len()), (0, 1));
    }

    #[test]
    fn a_review_of_some_roles_is_not_the_one_that_is_due() {
        let everybody = closed(5, "q4", vec![decided("1", Decision::Keep)]);
        let mut admins = closed(8, "admins", Vec::new());
        if let ReviewStep::Closed { of_everybody, .. } = &mut admins.what {
            *of_everybody = false;
        }
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
        let mut event = closed(5, "q4", vec![decided("1", Decision::Revoke)]);
        if let ReviewStep::Closed { at: closed_at, .. } = &mut event.what {
            *closed_at = at("2036-10-01T00:00:00Z");
        }
        let reviews = after(&[event]);
        assert_eq!(reviews.follow_ups[0].decided_at, at(NOW));
        let last = reviews.last_closed.expect("a review");
        assert_eq!(last.closed_at, at(NOW));
    }

    #[test]
    fn an_account_that_was_kept_by_itself_is_not_the_one_whose_address_it_bears() {
        let revoked = borne(decided("1", Decision::Revoke), "ada@example.com");
        let emails = |events: &[ReviewEvent]| -> Vec<bool> {
            let follow_ups = after(events).follow_ups;
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
