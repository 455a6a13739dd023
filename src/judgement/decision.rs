//! The decision of a reviewer about an account.

use crate::model::{is_zero_width, words};

words! {
    Decision {
        /// Access and role are right.
        Keep = "keep",
        /// Access must end.
        Revoke = "revoke",
        /// Another role is right.
        ChangeRole = "change_role",
        /// The reviewer does not know.
        DontKnow = "dont_know",
    }
}

impl Decision {
    /// Reads the word, also as people write it: `Change role`, `don't know`. `keep?` is not a decision.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_is_read_as_people_write_it() {
        for decision in Decision::ALL {
            assert_eq!(Decision::parse(decision.as_str()), Some(*decision));
        }
        assert_eq!(Decision::parse(" Don’t know "), Some(Decision::DontKnow));
        assert_eq!(Decision::parse("Change role"), Some(Decision::ChangeRole));
        assert_eq!(Decision::parse("KEEP."), Some(Decision::Keep));
        for unclear in ["remove", "keep?", "keep/revoke", "(keep)", "not keep"] {
            assert_eq!(Decision::parse(unclear), None, "{unclear}");
        }
        assert_eq!(Decision::parse(""), None);
    }
}

words! {
    /// The accounts of a review.
    ReviewScope {
        /// Every account that has or may have access.
        All = "all",
        /// The administrators among these, and accounts of unknown role.
        Admins = "admins",
        /// The guests among these, and accounts of unknown role.
        Guests = "guests",
    }
}
