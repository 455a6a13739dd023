//! The stored part of Truto's answers, packed as they arrive to save memory.

use std::io::Write as _;

use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use serde::Serialize;

use super::RawPages;
use crate::model::{RawFile, RawFileSize, RawKind, RequestRecord};
use crate::truto::{Page, minimal_page};

/// A fixed level, so that the same answers give the same bytes. Pages are so repetitive that a higher level costs more
/// time than it saves space.
const LEVEL: Compression = Compression::new(3);

/// A stored file: packed bytes and number of rows.
pub(super) type Kept = (Vec<u8>, u64);

/// A list, with its requests and stored pages.
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
    /// The file in progress: its packer and number of rows.
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

    /// Adds the part of a page that the settings keep.
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
        // All users that were read alone go into one file.
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

/// The files in order; files of pages are numbered across all lists.
pub(super) fn numbered(pages: [Vec<Kept>; 3], gets: Vec<Kept>) -> Vec<RawFile> {
    let file = |kind, (bytes, rows)| RawFile { kind, bytes, rows };
    let pages = pages.into_iter().flatten().zip(1..);
    let pages = pages.map(|(kept, number)| file(RawKind::Pages(number), kept));
    let gets = gets.into_iter().map(|kept| file(RawKind::Gets, kept));
    pages.chain(gets).collect()
}
