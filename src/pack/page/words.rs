//! Titles and sentences for the closed sets of the pack. A page shows each beside the word of the CSV file.

use crate::pack::{DeviationType, Flag, ItemResult, Part, RunState, SampleReason, ScheduleBasis};
use crate::report::words::{Meaning, Title, each};

each!(Title::title of RunState {
    Pass => "Pass",
    PassRiskAccepted => "Pass with accepted risks",
    Fail => "Fail",
    Inconclusive => "Inconclusive",
    Failed => "Did not finish",
    Missing => "Missing",
    Extra => "Extra",
});

each!(Meaning::meaning of RunState {
    Pass => "No leaver has access past the deadline.",
    PassRiskAccepted => "No unapproved access past the deadline. Each risk acceptance is listed in section 9.",
    Fail => "A check failed, or a leaver has access past the deadline.",
    Inconclusive => "Scope limitation: the run proves no absence. Access that it saw still counts.",
    Failed => "The run left a failure record and no verdict. It proves no absence.",
    Missing => "A run was due, and none started before the next one was due.",
    Extra => "Started in addition to the run that was due. It is not one of the due runs.",
});

each!(Title::title of ItemResult {
    InTime => "Removed in time",
    Late => "Late",
    NotDemonstrated => "Not demonstrated",
    RiskAccepted => "Risk accepted",
    Open => "Open",
    NoAccount => "No account found",
    DateCorrected => "Date corrected too late",
    Withdrawn => "Withdrawn by HR",
    RehiredBeforeDue => "Rehired before the deadline",
    NotEvaluable => "Not evaluable",
    NotDue => "Not due",
    AccessAfterConclusion => "Access after the conclusion",
});

each!(Meaning::meaning of ItemResult {
    InTime => "The first complete run without access is no later than the deadline.",
    Late => "A run saw access after the deadline.",
    NotDemonstrated => "The last run with access is before the deadline, and the first complete run without it is after \
        the deadline. The evidence does not show on which side access ended.",
    RiskAccepted => "An account has access after the deadline. An exception that was in force before the deadline accepts \
        the risk.",
    Open => "The deadline has passed, and no complete run shows that access ended.",
    NoAccount => "No run found an account of the person. An account that was removed before the first run cannot be seen.",
    DateCorrected => "HR moved the end of work after the deadline of record had passed.",
    Withdrawn => "HR withdrew the end of work.",
    RehiredBeforeDue => "The person began to work again before the deadline.",
    NotEvaluable => "The last run could not judge whether the person has access.",
    NotDue => "The deadline is after the last run of the period.",
    AccessAfterConclusion => "An account has access again after the item was concluded. This is an item of its own.",
});

each!(Title::title of Part {
    InPeriod => "work ended in the period",
    CarriedIn => "carried in from before the period",
});

each!(Title::title of Flag {
    GapOverDeadline => "deadline in a gap",
    LateNotice => "named by HR after the end of work",
    EndMoved => "end of work moved",
    EndMovedAfterTheFact => "end of work moved after the deadline",
    Vanished => "no longer named by HR",
    ExceptionAfterTheFact => "exception after the fact",
    Suspected => "possible further account",
    NoDate => "no end of work given",
});

each!(Meaning::meaning of Flag {
    GapOverDeadline => "No conclusive run lies close to the deadline, because a run was missing, failed or inconclusive.",
    LateNotice => "HR named the leaver only after the end of work.",
    EndMoved => "HR moved the end of work before the deadline had passed. The deadline moved with it.",
    EndMovedAfterTheFact => "HR moved the end of work after the deadline of record had passed.",
    Vanished => "HR's rows no longer name the leaver. Runs follow the item until it is concluded.",
    ExceptionAfterTheFact => "An exception came into force after the deadline. It does not change the result.",
    Suspected => "An account may belong to the person. A run does not decide this without an alias.",
    NoDate => "HR gave no end of work. The deadline counts from the first run that named the leaver.",
});

each!(Title::title of SampleReason {
    Random => "drawn by the seed",
    AllAdmins => "all administrators",
    AllDeviations => "all deviations",
});

each!(Meaning::meaning of ScheduleBasis {
    Given => "given on the command line",
    Recorded => "as recorded by the runs",
    Unknown => "No schedule was given, and no run recorded one. So no run counts as missing.",
});

each!(Title::title of DeviationType {
    AccessAfterDeadline => "Access after the deadline",
    RemovalLate => "Access removed late",
    RemovalNotDemonstrated => "Removal not demonstrated",
    AccessAfterConclusion => "Access after the conclusion",
    DateCorrected => "Date corrected too late",
    ExceptionAfterTheFact => "Exception after the fact",
    ExceptionExpiredInUse => "Exception expired while in use",
    LeaverVanished => "Leaver vanished from HR's rows",
    EndMovedAfterTheFact => "End of work moved after the deadline",
    HrRowsRejected => "HR rows rejected",
    RunMissing => "Run missing",
    RunFailed => "Run did not finish",
    RunInconclusive => "Run inconclusive",
    RuleLoosened => "Rule loosened",
    MappingChanged => "Mapping changed",
    VersionChanged => "Program changed",
    AliasWithoutApprover => "Alias without approver",
    ReviewOverdue => "Access review overdue",
    ReviewIncomplete => "Access review incomplete",
    RowDontKnow => "Reviewer did not know",
    ReviewerIneligible => "Reviewer not eligible",
    PrivilegedKeptWithoutReason => "Administrator kept without a reason",
    RevocationLate => "Revocation late",
    RevocationUndone => "Revocation undone",
    UnsignedEntry => "Ledger entry not signed",
});

/// The shade of a word. Every word is also written out, so no meaning hangs on colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Warn,
    Bad,
    Plain,
}

impl Tone {
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Plain => "plain",
        }
    }

    pub(super) fn of_state(state: RunState) -> Self {
        match state {
            RunState::Pass => Self::Good,
            RunState::PassRiskAccepted | RunState::Inconclusive => Self::Warn,
            RunState::Fail | RunState::Failed | RunState::Missing => Self::Bad,
            RunState::Extra => Self::Plain,
        }
    }

    pub(super) fn of_result(result: ItemResult) -> Self {
        match result {
            ItemResult::InTime => Self::Good,
            ItemResult::Late | ItemResult::Open | ItemResult::AccessAfterConclusion => Self::Bad,
            ItemResult::NotDemonstrated
            | ItemResult::RiskAccepted
            | ItemResult::DateCorrected
            | ItemResult::NotEvaluable => Self::Warn,
            ItemResult::NoAccount
            | ItemResult::Withdrawn
            | ItemResult::RehiredBeforeDue
            | ItemResult::NotDue => Self::Plain,
        }
    }
}

/// The results in the order of the page: what an auditor reads first is first.
pub(super) const RESULTS: [ItemResult; 12] = [
    ItemResult::Late,
    ItemResult::Open,
    ItemResult::AccessAfterConclusion,
    ItemResult::NotDemonstrated,
    ItemResult::NotEvaluable,
    ItemResult::DateCorrected,
    ItemResult::RiskAccepted,
    ItemResult::RehiredBeforeDue,
    ItemResult::Withdrawn,
    ItemResult::NoAccount,
    ItemResult::InTime,
    ItemResult::NotDue,
];

/// The states of runs in the order of the page.
pub(super) const STATES: [RunState; 7] = [
    RunState::Missing,
    RunState::Failed,
    RunState::Inconclusive,
    RunState::Fail,
    RunState::PassRiskAccepted,
    RunState::Pass,
    RunState::Extra,
];

/// The name of a column as a heading: `hr_last_day` is `HR last day`.
pub(super) fn heading(column: &str) -> String {
    let word = |word| match word {
        "hr" => "HR",
        "sha256" => "SHA-256",
        other => other,
    };
    let words: Vec<&str> = column.split('_').map(word).collect();
    let words = words.join(" ");
    match words.chars().next() {
        Some(first) => first.to_uppercase().chain(words.chars().skip(1)).collect(),
        None => words,
    }
}

/// A count with its noun: `1 run`, `2 runs`.
pub(super) fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_heading_is_the_name_of_its_column() {
        assert_eq!(heading("hr_last_day"), "HR last day");
        assert_eq!(heading("entry_sha256"), "Entry SHA-256");
    }

    #[test]
    fn the_page_orders_every_result_and_every_state() {
        let results: BTreeSet<_> = RESULTS.into_iter().collect();
        assert_eq!(results, ItemResult::ALL.iter().copied().collect());
        let states: BTreeSet<_> = STATES.into_iter().collect();
        assert_eq!(states, RunState::ALL.iter().copied().collect());
    }
}
