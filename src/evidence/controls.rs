//! The controls that evidence supports, each with what it supports and what it does not show.
//!
//! The sentences are ours. The numbers are those of the AICPA Trust Services Criteria (2017, points of
//! focus revised in 2022) and ISO/IEC 27001:2022 Annex A. PCI DSS 8.2.5 asks for removal at once, which
//! runs on a schedule cannot show, so it is not claimed.

use serde::{Deserialize, Serialize};

use crate::judgement::{FeedScope, Verdict};

/// A control that the evidence supports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    /// `SOC 2 CC6.2`, or an id of the company's own.
    pub id: String,
    /// One sentence.
    pub supports: String,
    /// One sentence.
    pub does_not_show: String,
}

/// A control of the company's own, as configured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnControl {
    pub id: String,
    pub text: Option<String>,
}

/// What decides which controls a run supports.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim {
    pub(super) verdict: Verdict,
    pub(super) complete: bool,
    pub(super) scope: FeedScope,
    /// Whether an earlier complete run is compared with.
    pub(super) has_baseline: bool,
}

/// The controls of a leaver access check. An incomplete or inconclusive run supports none.
pub(super) fn of_a_run(claim: Claim, own: &[OwnControl]) -> Vec<Control> {
    if !claim.complete || claim.verdict == Verdict::Inconclusive {
        return Vec::new();
    }
    let mut controls = vec![
        control(
            "SOC 2 CC6.1",
            "Lists every account of the workspace with its status and role at the instant of the run.",
            "How people sign in, what an account can reach inside the workspace, and other systems.",
        ),
        control(
            "SOC 2 CC6.2",
            "Detects access of people whose work has ended according to HR, until it is removed.",
            "How access is requested, approved and granted; people whom HR does not name.",
        ),
    ];
    if claim.has_baseline {
        controls.push(control(
            "SOC 2 CC6.3",
            "Shows every change of a role between two complete runs.",
            "Whether a role is appropriate or a change was approved; a change undone between the two runs.",
        ));
    }
    controls.push(control(
        "ISO/IEC 27001:2022 A.5.15",
        "Compares the rule that access ends with work with the accounts that have access.",
        "The access control policy itself, and its other rules.",
    ));
    // Only a roster names the people who own the other accounts.
    match claim.scope {
        FeedScope::Roster => controls.push(control(
            "ISO/IEC 27001:2022 A.5.16",
            "Ties each account to a person of the HR roster by id or address, or lists it as not tied.",
            "How identities are verified and registered.",
        )),
        FeedScope::Leavers | FeedScope::RecentLeavers => {}
    }
    controls.extend([
        control(
            "ISO/IEC 27001:2022 A.5.18",
            "Shows the removal of access rights as an interval between two runs.",
            "How access rights are granted, changed and reviewed.",
        ),
        control(
            "ISO/IEC 27001:2022 A.8.2",
            "Lists the accounts with the role admin, and reports each one whose owner has left.",
            "How admin rights are approved; privileges inside teams and projects.",
        ),
    ]);
    controls.extend(own.iter().map(claimed));
    controls
}

/// The controls of a periodic access review. One that is open, or closed incomplete, supports none.
pub(crate) fn of_a_review(verdict: Verdict, complete: bool, own: &[OwnControl]) -> Vec<Control> {
    if !complete || verdict == Verdict::Inconclusive {
        return Vec::new();
    }
    let mut controls = vec![
        control(
            "SOC 2 CC6.2",
            "Reviewers decided about the access of a frozen population; revocations are followed until done.",
            "How access is requested, approved and granted.",
        ),
        control(
            "SOC 2 CC6.3",
            "Reviewers other than the owner of an account confirmed or changed its role.",
            "Rights inside teams and projects.",
        ),
        control(
            "ISO/IEC 27001:2022 A.5.18",
            "Access rights were reviewed, and each decision is followed until it is carried out.",
            "How access rights are granted.",
        ),
    ];
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

    fn ids(claim: Claim) -> Vec<String> {
        let own = [OwnControl {
            id: "NW-IAM-07".to_owned(),
            text: Some("Leavers lose access within a day".to_owned()),
        }];
        let controls = of_a_run(claim, &own).into_iter();
        controls.map(|control| control.id).collect()
    }

    const PASSED: Claim = Claim {
        verdict: Verdict::Pass,
        complete: true,
        scope: FeedScope::Roster,
        has_baseline: true,
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
        let found = Claim {
            verdict: Verdict::Fail,
            ..PASSED
        };
        assert_eq!(ids(found), all, "a finding is evidence, too");
    }

    #[test]
    fn an_incomplete_or_inconclusive_run_supports_no_control() {
        for (verdict, complete) in [
            (Verdict::Inconclusive, true),
            (Verdict::Inconclusive, false),
            (Verdict::Fail, false),
        ] {
            let claim = Claim {
                verdict,
                complete,
                ..PASSED
            };
            assert!(ids(claim).is_empty(), "{claim:?}");
        }
    }

    #[test]
    fn each_claim_has_its_condition() {
        let first = Claim {
            has_baseline: false,
            ..PASSED
        };
        assert!(!ids(first).contains(&"SOC 2 CC6.3".to_owned()));
        for scope in [FeedScope::Leavers, FeedScope::RecentLeavers] {
            let claim = Claim { scope, ..PASSED };
            assert!(!ids(claim).contains(&"ISO/IEC 27001:2022 A.5.16".to_owned()));
        }
        let controls = of_a_run(PASSED, &[]).into_iter();
        let claimed = controls.chain(of_a_review(Verdict::Pass, true, &[]));
        let texts = claimed.map(|control| control.id + &control.supports);
        assert!(texts.into_iter().all(|text| !text.contains("PCI")));
    }

    #[test]
    fn a_review_that_is_not_complete_supports_no_control() {
        assert_eq!(of_a_review(Verdict::Pass, true, &[]).len(), 3);
        assert!(of_a_review(Verdict::Inconclusive, false, &[]).is_empty());
        assert!(of_a_review(Verdict::Pass, false, &[]).is_empty());
    }
}
