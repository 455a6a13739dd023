//! Pages of lists. Rows are rendered once; a page is a slice of their bytes.

use crate::CONNECTION_ID;

/// The rendered rows of one list, `{…},{…},{…}`, and the position at which each row ends.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Rows {
    /// Adds a rendered row.
    pub(crate) fn push(&mut self, row: &[u8]) {
        if !self.ends.is_empty() {
            self.bytes.push(b',');
        }
        self.bytes.extend_from_slice(row);
        self.ends.push(self.bytes.len());
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The bytes of the rows from `start` up to `end`, joined by commas.
    pub(crate) fn slice(&self, start: usize, end: usize) -> &[u8] {
        if start >= end {
            return &[];
        }
        // A row begins after the comma that follows the one before.
        let begin = if start == 0 {
            0
        } else {
            self.ends[start - 1] + 1
        };
        &self.bytes[begin..self.ends[end - 1]]
    }
}

/// A page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// The first row.
    pub(crate) start: usize,
    /// The row after the last.
    pub(crate) end: usize,
}

impl Page {
    /// The page of at most `limit` rows that begins at `start`.
    pub(crate) fn new(start: usize, limit: usize, rows: usize) -> Self {
        let start = start.min(rows);
        Self {
            start,
            end: (start + limit).min(rows),
        }
    }

    /// How many rows it holds.
    pub(crate) fn len(self) -> usize {
        self.end - self.start
    }
}

/// A cursor for the row `start` of a list. Opaque to clients, like the provider's cursors.
pub(crate) fn cursor(list: &str, start: usize) -> String {
    let mask = mask(list);
    format!("{:016x}{:016x}", mask, start as u64 ^ mask)
}

/// The row of a cursor, if the cursor belongs to this list.
pub(crate) fn parse_cursor(list: &str, cursor: &str) -> Option<usize> {
    let (tag, place) = cursor.split_at_checked(16)?;
    let mask = mask(list);
    if u64::from_str_radix(tag, 16).ok()? != mask || place.len() != 16 {
        return None;
    }
    usize::try_from(u64::from_str_radix(place, 16).ok()? ^ mask).ok()
}

/// A number for each list (FNV-1a), so that a cursor of one list is invalid in another.
fn mask(list: &str) -> u64 {
    CONNECTION_ID
        .bytes()
        .chain(list.bytes())
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_a_slice_of_the_rendered_rows() {
        let mut rows = Rows::default();
        for row in ["{\"a\":1}", "2", "[3,4]"] {
            rows.push(row.as_bytes());
        }
        assert_eq!(rows.slice(0, 3), b"{\"a\":1},2,[3,4]");
        assert_eq!(rows.slice(1, 2), b"2");
        assert_eq!(rows.slice(3, 3), b"");
        let page = Page::new(2, 100, rows.len());
        assert_eq!(rows.slice(page.start, page.end), b"[3,4]");
        assert_eq!(Page::new(99, 100, 3).len(), 0);
    }

    #[test]
    fn a_cursor_leads_back_only_in_its_own_list() {
        let made = cursor("users", 200);
        assert_eq!(parse_cursor("users", &made), Some(200));
        assert_eq!(parse_cursor("memberships", &made), None);
        for other in ["", "200", "zz", "é", &made[1..]] {
            assert_eq!(parse_cursor("users", other), None, "{other:?}");
        }
    }
}
