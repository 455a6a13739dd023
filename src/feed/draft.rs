//! A feed under construction. Every row is in exactly one count.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};

use super::columns::Layout;
use super::rows::{ReadRow, RowReader};
use crate::model::{FeedOrigin, HrFeed, HrRow, counted};

/// The most notes on a file. People read no more, and an odd file must not make the evidence large.
const MAX_NOTES: usize = 20;

/// The most rows of a feed. A feed with more rows is not a feed of people and would fill the memory.
pub(super) const MAX_ROWS: usize = 500_000;

/// The reason why a feed with more rows cannot be used.
pub(super) fn too_many_rows() -> String {
    format!("the feed has more than {MAX_ROWS} rows: export only people")
}

/// The part of a feed that has been read.
#[derive(Debug, Default)]
pub(super) struct Draft {
    feed: HrFeed,
    notes_left_out: u64,
    is_full: bool,
    hasher: RandomState,
    /// Rows by a digest of their values, to find repeated rows.
    by_values: HashMap<u64, usize>,
    /// The first row of each person id, by a digest of the id.
    by_person: HashMap<u64, usize>,
}

impl Draft {
    pub(super) fn new(origin: FeedOrigin) -> Self {
        Self {
            feed: HrFeed {
                origin,
                ..HrFeed::default()
            },
            ..Self::default()
        }
    }

    /// The number of records in the feed: read, rejected, blank and repeated.
    pub(super) fn records(&self) -> u64 {
        self.feed.rows_in_file() - self.feed.blank_rows
    }

    pub(super) fn origin(&mut self) -> &mut FeedOrigin {
        &mut self.feed.origin
    }

    /// Adds a note on the file. A note never names a person.
    pub(super) fn note(&mut self, text: impl Into<String>) {
        if self.feed.origin.notes.len() < MAX_NOTES {
            self.feed.origin.notes.push(text.into());
        } else {
            self.notes_left_out += 1;
        }
    }

    /// Records the meaning of each column.
    pub(super) fn read_with(&mut self, layout: &Layout) {
        self.feed.origin.columns.clone_from(&layout.columns);
        for note in &layout.notes {
            self.note(note.as_str());
        }
    }

    /// Records the status words and notes of the reader.
    pub(super) fn was_read_by(&mut self, reader: &RowReader) {
        self.feed.origin.status_words = reader.status_words();
        for note in reader.notes() {
            self.note(note);
        }
    }

    pub(super) fn add_blank(&mut self, rows: u64) {
        self.feed.blank_rows += rows;
    }

    pub(super) fn add(&mut self, entry: ReadRow) {
        if self.feed.rows.len() + self.feed.rejected.len() == MAX_ROWS {
            self.is_full = true;
            return;
        }
        match entry {
            ReadRow::Row(row) => self.add_row(row),
            ReadRow::Rejected(row) => self.feed.rejected.push(row),
            ReadRow::Blank => self.add_blank(1),
        }
    }

    fn add_row(&mut self, mut row: HrRow) {
        let at = self.feed.rows.len();
        let addresses = (&row.email, &row.other_emails);
        let dates = (&row.start, &row.end, &row.last_day);
        let person = (&row.person_id, &row.name, &row.location, &row.status);
        let digest = self.hasher.hash_one((person, addresses, dates));
        let twin = *self.by_values.entry(digest).or_insert(at);
        if twin != at && is_repeat(&self.feed.rows[twin], &row) {
            self.feed.duplicate_rows += 1;
            return;
        }
        if let Some(id) = &row.person_id {
            let digest = self.hasher.hash_one(id);
            let first = *self.by_person.entry(digest).or_insert(at);
            // Tenures of one record share its line and always differ.
            let is_another =
                |other: &&HrRow| other.person_id == row.person_id && other.line != row.line;
            if let Some(other) = self.feed.rows.get(first).filter(is_another) {
                let line = other.line;
                row.notes
                    .push(format!("line {line} has the same id but other values"));
            }
        }
        self.feed.rows.push(row);
    }

    /// The feed, or an unusable feed with the reason if reading failed.
    pub(super) fn finish(mut self, read: Result<(), String>) -> HrFeed {
        if self.notes_left_out > 0 {
            let more = format!(
                "and {}",
                counted(self.notes_left_out, "more note", "more notes")
            );
            self.feed.origin.notes.push(more);
        }
        let unusable = read.err().or(self.is_full.then(too_many_rows));
        if unusable.is_some() {
            return HrFeed {
                origin: self.feed.origin,
                unusable,
                ..HrFeed::default()
            };
        }
        self.feed.rows.shrink_to_fit();
        self.feed
    }
}

/// Whether two rows are equal in every value except their line. Without an id and an address, they may be two people of
/// one name.
fn is_repeat(one: &HrRow, other: &HrRow) -> bool {
    if one.person_id.is_none() && one.emails().next().is_none() {
        return false;
    }
    let moved = HrRow {
        line: other.line,
        notes: other.notes.clone(),
        department: other.department.clone(),
        title: other.title.clone(),
        ..one.clone()
    };
    moved == *other
}
