//! The controls that evidence supports: for each, what the evidence supports and what it does not show.
//!
//! The sentences are ours. The numbers are those of the AICPA Trust Services Criteria (2017, points of focus revised in
//! 2022) and ISO/IEC 27001:2022 Annex A. PCI DSS 8.2.5 is not claimed: it asks for immediate removal, which scheduled
//! runs cannot show.

use serde::{Deserialize, Serialize};

use crate::judgement::{FeedScope, ReviewScope as Scope, Verdict};
use crate::model::Permissions;

/// A control that the evidence supports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    /// Such as `SOC 2 CC6.2`, or an id of the company.
    pub id: String,
    /// One sentence.
    pub supports: String,
    /// One sentence.
    pub does_not_show: String,
}

/// A control of the company, as configured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnControl {
    pub id: String,
    pub text: Option<String>,
}

/// The facts that decide which controls a run supports.
#[derive(Clone, Copy, Debug)]
pub(super) struct ControlClaim {
    pub(super) permissions: Permissions,
    pub(super) complete: bool,
    /// Whether a check failed or a leaver could not be judged.
    pub(super) has_open_questions: bool,
    pub(super) scope: FeedScope,
    /// Whether the run is compared with an earlier complete run.
    pub(super) has_baseline: bool,
    /// Whether HR names a person whose work has ended.
    pub(super) has_leavers: bool,
}

/// The controls that a leaver access check supports. It supports none if it is incomplete or has open questions: it did
/// not test every person, so it is not evidence of a control.
pub(super) fn of_a_run(claim: ControlClaim, own: &[OwnControl]) -> Vec<Control> {
    if !claim.complete || claim.has_open_questions {
        return Vec::new();
    }
    let has_roles = claim.permissions == Permissions::Full;
    let controls = [
        (
            true,
            "SOC 2 CC6.1",
            match claim.permissions {
                Permissions::Full => {
                    "Lists the accounts that Truto returned, each with its status and role, and checks that the list is \
                     complete."
                }
                Permissions::Narrow => {
                    "Lists the accounts that Truto returned, without status and role, and checks that the list is complete."
                }
            },
            "How people sign in, what an account can reach inside the workspace, and other systems.",
        ),
        (
            claim.has_leavers,
            "SOC 2 CC6.2",
            "Reports the accounts, matched to people whose work ended according to HR, that still have access.",
            "How access is requested, approved and granted; people whom HR does not name.",
        ),
        (
            claim.has_baseline && has_roles,
            "SOC 2 CC6.3",
            "Lists the accounts whose role differs between two complete runs.",
            "Whether a role is appropriate or a change was approved; a change undone between the two runs.",
        ),
        (
            claim.has_leavers,
            "ISO/IEC 27001:2022 A.5.15",
            "Tests one rule, that access ends within the grace after work ends, against the accounts that have access.",
            "The access control policy itself, and its other rules.",
        ),
        (
            // Only a roster names the people who own the other accounts.
            claim.scope == FeedScope::Roster,
            "ISO/IEC 27001:2022 A.5.16",
            "Matches each account to a person of the HR roster by id, address or alias, or lists it as unmatched.",
            "How identities are verified and registered.",
        ),
        (
            claim.has_baseline,
            "ISO/IEC 27001:2022 A.5.18",
            "Shows each observed removal of a leaver's access as an interval between two runs.",
            "How access rights are granted, changed and reviewed.",
        ),
        (
            has_roles,
            "ISO/IEC 27001:2022 A.8.2",
            "Lists the accounts with the role admin, and reports those that a leaver named by HR still has after the deadline.",
            "How admin rights are approved; privileges inside teams and projects.",
        ),
    ];
    let supported = controls
        .into_iter()
        .filter(|(is_supported, ..)| *is_supported);
    let supported = supported.map(|(_, id, supports, not)| control(id, supports, not));
    supported.chain(own.iter().map(claimed)).collect()
}

/// The facts that decide which controls a closed review supports.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReviewClaim {
    pub(crate) verdict: Verdict,
    pub(crate) complete: bool,
    pub(crate) scope: Scope,
    /// Whether the connection could read roles.
    pub(crate) permissions: Permissions,
    /// Whether a second person acknowledged it, and how many of its decisions were open then.
    pub(crate) acknowledged: Option<u64>,
}

/// The controls that a periodic access review supports. An open review, or one that was closed incomplete, supports
/// none. Without readable roles, it supports no control about roles or privileges. PCI DSS 7.2.4 needs all accounts,
/// readable roles, no open decision and the acknowledgement.
pub(crate) fn of_a_review(claim: ReviewClaim, own: &[OwnControl]) -> Vec<Control> {
    if !claim.complete || claim.verdict == Verdict::Inconclusive {
        return Vec::new();
    }
    let whose = match claim.scope {
        Scope::All => "each account with access",
        Scope::Admins => "each administrator",
        Scope::Guests => "each guest",
    };
    let is_all = claim.scope == Scope::All;
    let or_others = |text: &str| match is_all {
        true => format!("{text}."),
        false => format!("{text}; accounts of other roles."),
    };
    let or_unsigned = |text: &str| match claim.acknowledged {
        Some(_) => or_others(text),
        None => or_others(&format!(
            "{text}; an acknowledgement by a second person, which is a ledger entry of its own"
        )),
    };
    let mut controls = vec![
        control(
            "SOC 2 CC6.2",
            &format!(
                "Records a decision about {whose} of a frozen population; later runs follow each revocation until it is done."
            ),
            &or_others("How access is requested, approved and granted"),
        ),
        control(
            "SOC 2 CC6.3",
            &format!(
                "Records, for {whose}, a decision about its role by a reviewer other than its known owner."
            ),
            &or_unsigned("Rights inside teams and projects"),
        ),
        control(
            "ISO/IEC 27001:2022 A.5.18",
            &format!(
                "Records a decision about {whose}; later runs follow it until it is carried out."
            ),
            &or_unsigned("How access rights are granted"),
        ),
    ];
    if is_all && claim.acknowledged == Some(0) {
        controls.push(control(
            "PCI DSS 7.2.4",
            "Records a decision about each account with access, that every change was carried out, and that a second person acknowledged the review.",
            "That reviews happen every six months; rights inside teams and projects; who the person at the keyboard was.",
        ));
    }
    if claim.permissions == Permissions::Narrow {
        controls.retain(|control| !["SOC 2 CC6.3", "PCI DSS 7.2.4"].contains(&&*control.id));
    }
    controls.extend(own.iter().map(claimed));
    controls
}

fn control(id: &str, supports: &str, does_not_show: &str) -> Control {
    Control {
        id: id.to_owned(),
        supports: supports.to_owned(),
        does_not_show: does_not_show.to_owned(),
    }
}

fn claimed(own: &OwnControl) -> Control {
    let text = own.text.as_deref();
    control(
        &own.id,
        text.unwrap_or("The company's own control, configured without a text."),
        "Whether this run covers all of the control: the company chose the text.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(claim: ControlClaim) -> Vec<String> {
        let own = [OwnControl {
            id: "NW-IAM-07".to_owned(),
            text: Some("Leavers lose access within a day".to_owned()),
        }];
        let controls = of_a_run(claim, &own).into_iter();
        controls.map(|control| control.id).collect()
    }

    const CLOSED: ReviewClaim = ReviewClaim {
        verdict: Verdict::Pass,
        complete: true,
        scope: Scope::All,
        permissions: Permissions::Full,
        acknowledged: None,
    };

    const PASSED: ControlClaim = ControlClaim {
        permissions: Permissions::Full,
        complete: true,
        has_open_questions: false,
        scope: FeedScope::Roster,
        has_baseline: true,
        has_leavers: true,
    };

    #[test]
    fn a_complete_run_over_a_roster_supports_every_control() {
        let all = [
            "SOC 2 CC6.1",
            "SOC 2 CC6.2",
            "SOC 2 CC6.3",
            "ISO/IEC 27001:2022 A.5.15",
            "ISO/IEC 27001:2022 A.5.16",
            "ISO/IEC 27001:2022 A.5.18",
            "ISO/IEC 27001:2022 A.8.2",
            "NW-IAM-07",
        ];
        assert_eq!(ids(PASSED), all);
    }

    #[test]
    fn an_incomplete_run_or_one_with_open_questions_supports_no_control() {
        for (complete, has_open_questions) in [(true, true), (false, false), (false, true)] {
            let claim = ControlClaim {
                complete,
                has_open_questions,
                ..PASSED
            };
            assert!(ids(claim).is_empty(), "{claim:?}");
        }
    }

    #[test]
    fn each_claim_has_its_condition() {
        let first = ControlClaim {
            has_baseline: false,
            ..PASSED
        };
        let lacks = |claim, id: &str| !ids(claim).contains(&id.to_owned());
        assert!(lacks(first, "SOC 2 CC6.3") && lacks(first, "ISO/IEC 27001:2022 A.5.18"));
        let without_leavers = ControlClaim {
            has_leavers: false,
            ..PASSED
        };
        assert!(lacks(without_leavers, "SOC 2 CC6.2"));
        assert!(lacks(without_leavers, "ISO/IEC 27001:2022 A.5.15"));
        for scope in [FeedScope::Leavers, FeedScope::RecentLeavers] {
            let claim = ControlClaim { scope, ..PASSED };
            assert!(!ids(claim).contains(&"ISO/IEC 27001:2022 A.5.16".to_owned()));
        }
        let controls = of_a_run(PASSED, &[]).into_iter();
        let claimed = controls.chain(of_a_review(CLOSED, &[]));
        let texts = claimed.map(|control| control.id + &control.supports);
        assert!(texts.into_iter().all(|text| !text.contains("PCI")));
    }

    #[test]
    fn a_review_that_is_not_complete_supports_no_control() {
        assert_eq!(of_a_review(CLOSED, &[]).len(), 3);
        for (verdict, complete) in [(Verdict::Inconclusive, true), (Verdict::Pass, false)] {
            let claim = ReviewClaim {
                verdict,
                complete,
                acknowledged: Some(0),
                ..CLOSED
            };
            assert!(of_a_review(claim, &[]).is_empty());
        }
    }

    #[test]
    fn narrow_permissions_support_no_control_about_roles() {
        let narrow = ControlClaim {
            permissions: Permissions::Narrow,
            ..PASSED
        };
        let about_roles = ["SOC 2 CC6.3", "ISO/IEC 27001:2022 A.8.2"];
        let lost = ids(PASSED).len() - ids(narrow).len();
        assert_eq!(lost, about_roles.len());
        assert!(ids(narrow).iter().all(|id| !about_roles.contains(&&**id)));
        let claim = ReviewClaim {
            permissions: Permissions::Narrow,
            acknowledged: Some(0),
            ..CLOSED
        };
        let review = of_a_review(claim, &[]);
        let ids = Vec::from_iter(review.iter().map(|control| &*control.id));
        assert_eq!(ids, ["SOC 2 CC6.2", "ISO/IEC 27001:2022 A.5.18"]);
    }

    #[test]
    fn pci_needs_all_accounts_no_open_decision_and_the_acknowledgement() {
        let claims = |scope, acknowledged| {
            let claim = ReviewClaim {
                scope,
                acknowledged,
                ..CLOSED
            };
            let controls = of_a_review(claim, &[]);
            controls.iter().any(|of| of.id == "PCI DSS 7.2.4")
        };
        assert!(claims(Scope::All, Some(0)));
        assert!(!claims(Scope::All, None) && !claims(Scope::All, Some(1)));
        assert!(!claims(Scope::Admins, Some(0)) && !claims(Scope::Guests, Some(0)));
    }
}
