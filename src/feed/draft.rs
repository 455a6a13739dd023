//! A feed in the making: every row goes into exactly one count.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::columns::Layout;
use super::rows::{ReadRow, RowReader};
use crate::model::{Employment, FeedOrigin, HrDate, HrFeed, HrRow};

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
#[derive(Debug)]
pub(super) struct Draft {
    feed: HrFeed,
    notes_left_out: usize,
    is_full: bool,
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
            notes_left_out: 0,
            is_full: false,
            by_values: HashMap::new(),
            by_person: HashMap::new(),
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
        let twin = *self.by_values.entry(digest(&row)).or_insert(at);
        if twin != at && says_the_same(&self.feed.rows[twin], &row) {
            self.feed.duplicate_rows += 1;
            return;
        }
        if let Some(id) = &row.person_id {
            let mut hasher = DefaultHasher::new();
            id.hash(&mut hasher);
            let first = *self.by_person.entry(hasher.finish()).or_insert(at);
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

    /// The feed as read.
    pub(super) fn finish(mut self) -> HrFeed {
        if self.notes_left_out > 0 {
            let more = format!("… and {} more notes like these", self.notes_left_out);
            self.feed.origin.notes.push(more);
        }
        if std::mem::take(&mut self.is_full) {
            return self.unusable(too_many_rows());
        }
        self.feed.rows.shrink_to_fit();
        self.feed
    }

    /// An unusable feed, with the reason.
    pub(super) fn unusable(self, reason: String) -> HrFeed {
        let HrFeed { origin, .. } = self.finish();
        HrFeed {
            origin,
            unusable: Some(reason),
            ..HrFeed::default()
        }
    }
}

/// Whether two rows are equal in every value, whatever line they are on.
fn says_the_same(one: &HrRow, other: &HrRow) -> bool {
    let HrRow {
        line: _,
        person_id,
        name,
        email,
        other_emails,
        status,
        start,
        end,
        last_day,
        location,
        unreadable_address,
        unread,
        notes: _,
    } = one;
    *person_id == other.person_id
        && *name == other.name
        && *email == other.email
        && *other_emails == other.other_emails
        && *status == other.status
        && *start == other.start
        && *end == other.end
        && *last_day == other.last_day
        && *location == other.location
        && *unreadable_address == other.unreadable_address
        && *unread == other.unread
}

fn digest(row: &HrRow) -> u64 {
    let moment = |date: &Option<HrDate>| date.as_ref().map(|date| date.at);
    let mut hasher = DefaultHasher::new();
    row.person_id.hash(&mut hasher);
    row.name.hash(&mut hasher);
    row.email.hash(&mut hasher);
    row.other_emails.hash(&mut hasher);
    row.location.hash(&mut hasher);
    match &row.status {
        Employment::Active => 0.hash(&mut hasher),
        Employment::OnLeave => 3.hash(&mut hasher),
        Employment::Ended => 1.hash(&mut hasher),
        Employment::Blank => 2.hash(&mut hasher),
        Employment::Unclassified(word) => word.hash(&mut hasher),
    }
    moment(&row.start).hash(&mut hasher);
    moment(&row.end).hash(&mut hasher);
    moment(&row.last_day).hash(&mut hasher);
    hasher.finish()
}
