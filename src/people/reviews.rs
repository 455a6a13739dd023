//! Periodic access reviews: what reviewers decide, and what is left to follow from night to night.

use std::collections::HashMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{EmailAddress, Role};

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

    /// Reads the word, as people write it too: `Change role`, `don't know`.
    pub fn parse(text: &str) -> Option<Self> {
        let letters = text.chars().filter(|c| c.is_alphanumeric());
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
    /// Something did, and it could not be read.
    Unread,
    /// It was closed.
    Closed {
        /// When.
        at: Timestamp,
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
    /// The review that was closed last.
    pub last_closed: Option<ClosedReview>,
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
    /// Its address, when the review was opened.
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
            reviews.take(event);
        }
        reviews.through = reviews.through.max(through);
        reviews
    }

    fn take(&mut self, event: &ReviewEvent) {
        match &event.what {
            ReviewStep::Opened { at, due } => self.open.push(OpenReview {
                review: event.review.clone(),
                sequence: event.sequence,
                opened_at: *at,
                due: due.clone(),
            }),
            ReviewStep::Unread => self.unread.push(event.sequence),
            ReviewStep::Closed {
                at,
                complete,
                of_everybody,
                decided,
            } => {
                self.open.retain(|open| open.review != event.review);
                self.last_closed = Some(ClosedReview {
                    review: event.review.clone(),
                    sequence: event.sequence,
                    closed_at: *at,
                    complete: *complete,
                });
                let settles_all = *of_everybody && *complete;
                // Whatever one that is lost asked for, everybody was decided on again.
                if settles_all {
                    self.unread.clear();
                }
                self.follow(event, *at, settles_all, decided);
            }
        }
    }

    /// What a review asked for is followed from now on; what it decided otherwise than an earlier one
    /// takes the place of that. The same again is still the earlier one: its grace does not begin anew.
    fn follow(
        &mut self,
        event: &ReviewEvent,
        at: Timestamp,
        settles_done: bool,
        decided: &[Decided],
    ) {
        let by_account: HashMap<&str, &Decided> = decided
            .iter()
            .map(|decided| (decided.account_id.as_str(), decided))
            .collect();
        let mut followed = Vec::new();
        self.follow_ups.retain(|of| {
            let Some(again) = by_account.get(of.account_id.as_str()) else {
                return !(settles_done && of.state == FollowUpState::Done);
            };
            let stays = match again.decision {
                Decision::DontKnow => true,
                Decision::Keep => false,
                Decision::Revoke | Decision::ChangeRole => {
                    again.decision == of.decision
                        && again.new_role == of.new_role
                        && of.state != FollowUpState::Done
                }
            };
            if stays {
                followed.push(of.account_id.clone());
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
                    review: event.review.clone(),
                    sequence: event.sequence,
                    account_id: decided.account_id.clone(),
                    email: decided.email.clone(),
                    decision: decided.decision,
                    role: decided.role.clone(),
                    new_role: decided.new_role.clone(),
                    decided_at: at,
                    state: FollowUpState::Open,
                    last_seen_before: None,
                    first_seen_done: None,
                    undone_at: None,
                });
            }
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

    fn closed(sequence: u64, review: &str, decided: Vec<Decided>) -> ReviewEvent {
        ReviewEvent {
            sequence,
            review: review.to_owned(),
            what: ReviewStep::Closed {
                at: at("2026-10-01T00:00:00Z"),
                complete: true,
                of_everybody: true,
                decided,
            },
        }
    }

    const NOW: &str = "2026-10-02T00:00:00Z";

    #[test]
    fn a_decision_is_read_as_people_write_it() {
        for decision in Decision::ALL {
            assert_eq!(Decision::parse(decision.as_str()), Some(decision));
        }
        assert_eq!(Decision::parse(" Don’t know "), Some(Decision::DontKnow));
        assert_eq!(Decision::parse("Change role"), Some(Decision::ChangeRole));
        assert_eq!(Decision::parse("remove"), None);
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
            what: ReviewStep::Unread,
        };
        let q3 = Reviews::carried(None, &[lost], 2, at(NOW));
        assert_eq!(q3.unread, [2]);
        let of_some = |complete, of_everybody| {
            let mut event = closed(5, "q4", vec![decided("1", Decision::Keep)]);
            event.what = ReviewStep::Closed {
                at: at("2026-10-01T00:00:00Z"),
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
}
