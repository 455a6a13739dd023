//! What the manual decisions did in a run, and the risk acceptances that were needed.

use std::collections::{BTreeMap, BTreeSet};

use super::ManualKind;

/// The place of a line: its file and number.
pub(super) type Place = (ManualKind, u64);

/// What lines did, collected while a run is judged.
#[derive(Debug, Default)]
pub(super) struct Uses {
    pub(super) did: BTreeMap<Place, Did>,
    /// Lines that were not used, because the person they are for approved them.
    pub(super) own_approvals: BTreeSet<Place>,
    /// Aliases that separated an account with access from a person: each accepts a risk.
    ended_ties: BTreeSet<u64>,
}

/// What a line in force did.
#[derive(Debug, Default)]
pub(super) struct Did {
    pub(super) what: BTreeSet<String>,
    pub(super) after_the_fact: bool,
}

/// How many risk acceptances a run needed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Needed {
    pub(super) exceptions: usize,
    /// How many of them came into force after what they cover was due.
    pub(super) after_the_fact: usize,
}

impl Uses {
    pub(super) fn alias(&mut self, line: u64, what: String) {
        let did = self.did.entry((ManualKind::Alias, line)).or_default();
        did.what.insert(what);
    }

    pub(super) fn exception(&mut self, line: u64, what: String, after_the_fact: bool) {
        let did = self.did.entry((ManualKind::Exception, line));
        let did = did.or_default();
        did.what.insert(what);
        did.after_the_fact |= after_the_fact;
    }

    /// A line could not be used, because the person it is for approved it.
    pub(super) fn own_approval(&mut self, place: Place) {
        self.own_approvals.insert(place);
    }

    /// An alias separated an account with access from a person.
    pub(super) fn ended_tie(&mut self, line: u64) {
        self.ended_ties.insert(line);
    }

    /// How many risk acceptances were needed: exceptions, and aliases that ended a tie.
    pub(super) fn needed(&self) -> Needed {
        let is_exception = |(kind, _): &&Place| *kind == ManualKind::Exception;
        let exceptions = self.did.keys().filter(is_exception).count();
        Needed {
            exceptions: exceptions + self.ended_ties.len(),
            after_the_fact: self.did.values().filter(|did| did.after_the_fact).count(),
        }
    }
}
