//! A feed in the making: every row goes into exactly one count.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};

use super::columns::Layout;
use super::rows::{ReadRow, RowReader};
use crate::model::{FeedOrigin, HrFeed, HrRow};

/// Notes of the file are for people, who do not read more than this. The cap also keeps an odd file from making
/// too much evidence.
const MAX_NOTES: usize = 20;

/// A feed within the size cap that has more rows is no feed of people, and would fill the memory.
pub(super) const MAX_ROWS: usize = 500_000;

/// Why a feed with more rows cannot be used.
pub(super) fn too_many_rows() -> String {
    format!("the feed has more than {MAX_ROWS} rows: export only people")
}

/// What has been read of a feed so far.
#[derive(Debug, Default)]
pub(super) struct Draft {
    feed: HrFeed,
    notes_left_out: usize,
    is_full: bool,
    hasher: RandomState,
    /// Rows by a digest of their values, to find repeated ones.
    by_values: HashMap<u64, usize>,
    /// The first row of each person's id, by a digest of it.
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

    /// Adds a note on the file. Never about a person: no names, no addresses.
    pub(super) fn note(&mut self, text: impl Into<String>) {
        if self.feed.origin.notes.len() < MAX_NOTES {
            self.feed.origin.notes.push(text.into());
        } else {
            self.notes_left_out += 1;
        }
    }

    /// Records what each column was read as.
    pub(super) fn read_with(&mut self, layout: &Layout) {
        self.feed.origin.columns.clone_from(&layout.columns);
        for note in &layout.notes {
            self.note(note.as_str());
        }
    }

    /// Records what the reader of the rows noticed.
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
            // Tenures of one record share its line: that they differ is what they are for.
            let is_another =
                |other: &&HrRow| other.person_id == row.person_id && other.line != row.line;
            if let Some(other) = self.feed.rows.get(first).filter(is_another) {
                let line = other.line;
                row.notes
                    .push(format!("line {line} has the same id and other values"));
            }
        }
        self.feed.rows.push(row);
    }

    /// The feed as read; if that failed, an unusable feed with the reason.
    pub(super) fn finish(mut self, read: Result<(), String>) -> HrFeed {
        if self.notes_left_out > 0 {
            let more = format!("… and {} more notes like these", self.notes_left_out);
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

/// Whether two rows are equal in every value, whatever line they are on.
fn is_repeat(one: &HrRow, other: &HrRow) -> bool {
    let moved = HrRow {
        line: other.line,
        notes: other.notes.clone(),
        ..one.clone()
    };
    moved == *other
}
