//! The order, the shade and the heading of words on a page.

use crate::pack::{ItemResult, RunState};

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
