//! The deviations of the period, each with its beginning and its end.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::items::days;
use super::table::{cell, count, decimal, instant, joined, text};
use super::{Column, DeviationType, Table};
use crate::report::words::Meaning as _;

/// An instant, and the ledger entry of the run or review that began or committed then, if it is known.
pub(super) type Moment = (Timestamp, Option<u64>);

#[derive(Clone, Debug)]
pub(super) struct Deviation {
    pub(super) kind: DeviationType,
    /// What distinguishes it from others of its type.
    pub(super) key: String,
    pub(super) item_ids: Vec<String>,
    pub(super) account_id: String,
    /// `dt=…/run=…`.
    pub(super) run: String,
    pub(super) what: String,
    pub(super) opened: Option<Moment>,
    pub(super) closed: Option<Moment>,
    pub(super) how_closed: String,
    pub(super) exception: String,
}

impl Deviation {
    pub(super) fn of(kind: DeviationType, key: &str) -> Self {
        Self {
            kind,
            key: key.to_owned(),
            item_ids: Vec::new(),
            account_id: String::new(),
            run: String::new(),
            what: String::new(),
            opened: None,
            closed: None,
            how_closed: String::new(),
            exception: String::new(),
        }
    }

    /// The same for the same event, however often the pack is made.
    fn id(&self, connection: &str) -> String {
        let kind = self.kind;
        let opened = cell(self.opened.map(|(at, _)| at));
        let digest = Sha256::digest(format!("{connection}\n{kind}\n{}\n{opened}", self.key));
        const_hex::encode(&digest[..6])
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Deviations {
    all: Vec<Deviation>,
}

const COLUMNS: &[Column] = &[
    text("deviation_id"),
    text("type"),
    text("severity"),
    text("item_id"),
    text("account_id"),
    text("run"),
    text("criterion"),
    text("what"),
    count("opened_entry"),
    instant("opened_at"),
    count("closed_entry"),
    instant("closed_at"),
    decimal("days"),
    text("how_closed"),
    text("exception"),
    text("management_response"),
];

const TYPES: &[Column] = &[
    text("type"),
    text("severity"),
    text("rule"),
    count("deviations"),
];

impl Deviations {
    pub(super) fn push(&mut self, deviation: Deviation) {
        self.all.push(deviation);
    }

    /// Whether a deviation of this type lasts at some instant between two.
    pub(super) fn lasts_in(&self, kind: DeviationType, from: Timestamp, to: Timestamp) -> bool {
        self.all.iter().any(|of| {
            let began = of.opened.is_none_or(|(at, _)| at <= to);
            of.kind == kind && began && of.closed.is_none_or(|(at, _)| at >= from)
        })
    }

    /// The items with a deviation.
    pub(super) fn items(&self) -> BTreeSet<&str> {
        let items = self.all.iter().flat_map(|of| &of.item_ids);
        items.map(String::as_str).collect()
    }

    /// The items with a deviation of this type.
    pub(super) fn items_of(&self, kind: DeviationType) -> BTreeSet<String> {
        let all = self.all.iter().filter(|of| of.kind == kind);
        all.flat_map(|of| &of.item_ids).cloned().collect()
    }

    /// The tables `deviations` and `deviation_types`, and the count of each type.
    pub(super) fn tables(mut self, connection: &str) -> ([Table; 2], BTreeMap<DeviationType, u64>) {
        self.all.sort_by(|a, b| {
            let order = |of: &Deviation| (of.kind.severity(), of.kind);
            (order(a), a.opened, &a.key).cmp(&(order(b), b.opened, &b.key))
        });
        let mut counts: BTreeMap<DeviationType, u64> =
            DeviationType::ALL.iter().map(|kind| (*kind, 0)).collect();
        let mut table = Table::new("deviations", "Deviations", COLUMNS);
        for of in &self.all {
            *counts.entry(of.kind).or_default() += 1;
            let lasted = of.opened.zip(of.closed);
            let is_event = matches!(
                of.kind,
                DeviationType::RunMissing
                    | DeviationType::RunFailed
                    | DeviationType::RunInconclusive
                    | DeviationType::MappingChanged
                    | DeviationType::VersionChanged
            );
            table.push([
                of.id(connection),
                of.kind.to_string(),
                of.kind.severity().to_string(),
                joined(&of.item_ids),
                of.account_id.clone(),
                of.run.clone(),
                of.kind.meaning().to_owned(),
                of.what.clone(),
                cell(of.opened.and_then(|(_, entry)| entry)),
                cell(of.opened.map(|(at, _)| at)),
                cell(of.closed.and_then(|(_, entry)| entry)),
                cell(of.closed.map(|(at, _)| at)),
                cell(lasted.map(|((from, _), (to, _))| days(from, to))),
                match is_event {
                    true => "event".to_owned(),
                    false => of.how_closed.clone(),
                },
                of.exception.clone(),
                String::new(),
            ]);
        }
        let mut types = Table::new("deviation_types", "Types of deviations", TYPES);
        for (kind, count) in &counts {
            types.push([
                kind.to_string(),
                kind.severity().to_string(),
                kind.meaning().to_owned(),
                count.to_string(),
            ]);
        }
        ([table, types], counts)
    }
}
