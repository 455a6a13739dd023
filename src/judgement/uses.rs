//! The effects of the manual decisions in a run, and the risk acceptances that were needed.

use std::collections::{BTreeMap, BTreeSet};

use super::ManualKind;

/// The place of a line: its file and number.
pub(super) type Place = (ManualKind, u64);

/// The effects of lines, collected during the judgement.
#[derive(Debug, Default)]
pub(super) struct Uses {
    pub(super) effects: BTreeMap<Place, Effect>,
    /// Lines that were not used, because the person whom they concern approved them.
    pub(super) own_approvals: BTreeSet<Place>,
    /// Aliases that separated an account with access from a person. Each accepts a risk.
    ended_ties: BTreeSet<u64>,
}

/// The effects of a line in force.
#[derive(Debug, Default)]
pub(super) struct Effect {
    pub(super) what: BTreeSet<String>,
    pub(super) after_the_fact: bool,
}

/// The number of risk acceptances that a run needed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Needed {
    pub(super) exceptions: usize,
    /// The number of these exceptions that came into force after the deadline of what they cover.
    pub(super) after_the_fact: usize,
}

impl Uses {
    pub(super) fn alias(&mut self, line: u64, what: String) {
        let effect = self.effects.entry((ManualKind::Alias, line)).or_default();
        effect.what.insert(what);
    }

    pub(super) fn exception(&mut self, line: u64, what: String, after_the_fact: bool) {
        let effect = self.effects.entry((ManualKind::Exception, line));
        let effect = effect.or_default();
        effect.what.insert(what);
        effect.after_the_fact |= after_the_fact;
    }

    /// Records a line that the person whom it concerns approved.
    pub(super) fn own_approval(&mut self, place: Place) {
        self.own_approvals.insert(place);
    }

    /// Records an alias that separated an account with access from a person.
    pub(super) fn ended_tie(&mut self, line: u64) {
        self.ended_ties.insert(line);
    }

    /// The risk acceptances that were needed: exceptions, and aliases that ended a tie.
    pub(super) fn needed(&self) -> Needed {
        let is_exception = |(kind, _): &&Place| *kind == ManualKind::Exception;
        let exceptions = self.effects.keys().filter(is_exception).count();
        Needed {
            exceptions: exceptions + self.ended_ties.len(),
            after_the_fact: self
                .effects
                .values()
                .filter(|effect| effect.after_the_fact)
                .count(),
        }
    }
}
