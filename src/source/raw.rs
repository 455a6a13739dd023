//! What is kept of Truto's answers, packed as it arrives so that little memory is held.

use std::io::Write as _;

use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use serde::Serialize;

use super::RawPages;
use crate::model::{RawFile, RawFileSize, RawKind, RequestRecord};
use crate::truto::{Page, minimal_page};

/// Named, so that the same answers give the same bytes; a low one, because pages repeat themselves
/// so much that a higher one costs more time than it saves room.
const LEVEL: Compression = Compression::new(3);

/// A file as kept: packed bytes and rows.
pub(super) type Kept = (Vec<u8>, u64);

/// A list that was read to its end or as far as it goes.
#[derive(Debug)]
pub(super) struct ReadList<T> {
    pub(super) content: T,
    pub(super) raw: Vec<Kept>,
    pub(super) request: RequestRecord,
}

/// Packs answers into files, one answer a line.
#[derive(Debug)]
pub(super) struct Packer {
    raw: RawPages,
    files: Vec<Kept>,
    /// The file that grows: its packer and its rows.
    growing: Option<(GzEncoder<Vec<u8>>, u64)>,
    size: RawFileSize,
}

impl Packer {
    pub(super) fn new(raw: RawPages) -> Self {
        Self {
            raw,
            files: Vec::new(),
            growing: None,
            size: RawFileSize::default(),
        }
    }

    /// Adds a page as far as it is to be kept.
    pub(super) fn page<T: Serialize>(&mut self, page: &Page<T>) {
        let (bytes, rows) = (page.record.bytes, page.record.rows);
        match self.raw {
            RawPages::None => {}
            RawPages::Full => self.add(&page.body, bytes, rows),
            RawPages::Minimal => self.add(&minimal_page(&page.rows), bytes, rows),
        }
    }

    /// Adds a user that was read alone. A line break in a JSON body can only be white space between its parts.
    pub(super) fn user(&mut self, user: &impl Serialize, mut body: Vec<u8>) {
        match self.raw {
            RawPages::None => return,
            RawPages::Full => {
                for byte in body.iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')) {
                    *byte = b' ';
                }
            }
            RawPages::Minimal => body = serde_json::to_vec(user).unwrap_or_default(),
        }
        // All users that were read alone are in one file.
        self.add(&body, 0, 1);
    }

    /// Writing into memory cannot fail.
    fn add(&mut self, line: &[u8], bytes: u64, rows: u64) {
        if self.size.begins_with(bytes) {
            self.close();
        }
        let (pack, all_rows) = self
            .growing
            .get_or_insert_with(|| (GzBuilder::new().mtime(0).write(Vec::new(), LEVEL), 0));
        if pack
            .write_all(line)
            .and_then(|()| pack.write_all(b"\n"))
            .is_ok()
        {
            *all_rows += rows;
        }
    }

    fn close(&mut self) {
        let Some((pack, rows)) = self.growing.take() else {
            return;
        };
        if let Ok(mut packed) = pack.finish() {
            packed.shrink_to_fit();
            self.files.push((packed, rows));
        }
    }

    pub(super) fn finish(mut self) -> Vec<Kept> {
        self.close();
        self.files
    }
}

/// The files in their order, those of pages numbered through all lists.
pub(super) fn numbered(pages: [Vec<Kept>; 3], gets: Vec<Kept>) -> Vec<RawFile> {
    let file = |kind, (bytes, rows)| RawFile { kind, bytes, rows };
    let pages = pages.into_iter().flatten().zip(1..);
    let pages = pages.map(|(kept, number)| file(RawKind::Pages(number), kept));
    let gets = gets.into_iter().map(|kept| file(RawKind::Gets, kept));
    pages.chain(gets).collect()
}
