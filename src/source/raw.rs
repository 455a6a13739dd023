//! What is kept of Truto's answers, packed as it arrives so that little memory is held.

use std::io::Write as _;

use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use serde::Serialize;

use super::RawPages;
use crate::people::{RawFile, RawKind};
use crate::truto::{Page, Row};

/// Named, so that the same answers give the same bytes; a low one, because pages repeat themselves
/// so much that a higher one costs more time than it saves room.
const LEVEL: Compression = Compression::new(3);

/// A page as kept: packed bytes and rows.
pub(super) type Kept = (Vec<u8>, u64);

/// Packs a page as far as it is to be kept.
pub(super) fn keep_page<T: Serialize>(raw: RawPages, page: &Page<T>) -> Option<Kept> {
    #[derive(Serialize)]
    struct Minimal<'a, T> {
        result: &'a [Row<T>],
    }

    let mut pack = encoder();
    // Writing into a vector cannot fail, and our own structs always serialise.
    match raw {
        RawPages::None => return None,
        RawPages::Full => pack.write_all(&page.body).ok()?,
        RawPages::Minimal => {
            let result = &page.rows;
            serde_json::to_writer(&mut pack, &Minimal { result }).ok()?;
        }
    }
    Some((finish(pack)?, page.record.rows))
}

/// Users read one by one, as lines.
#[derive(Debug)]
pub(super) struct Lines {
    pack: GzEncoder<Vec<u8>>,
    rows: u64,
}

impl Lines {
    pub(super) fn new() -> Self {
        Self {
            pack: encoder(),
            rows: 0,
        }
    }

    /// Adds a user. A line break in a JSON body can only be white space between its parts.
    pub(super) fn add(&mut self, raw: RawPages, user: &impl Serialize, mut body: Vec<u8>) {
        match raw {
            RawPages::None => return,
            RawPages::Full => {
                for byte in body.iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')) {
                    *byte = b' ';
                }
            }
            RawPages::Minimal => body = serde_json::to_vec(user).unwrap_or_default(),
        }
        body.push(b'\n');
        if self.pack.write_all(&body).is_ok() {
            self.rows += 1;
        }
    }

    pub(super) fn finish(self) -> Option<Kept> {
        let rows = self.rows;
        (rows > 0).then(|| Some((finish(self.pack)?, rows)))?
    }
}

/// The files in their order, pages numbered through all lists.
pub(super) fn numbered(pages: [Vec<Kept>; 3], gets: Option<Kept>) -> Vec<RawFile> {
    let file = |kind, (bytes, rows)| RawFile { kind, bytes, rows };
    let pages = pages.into_iter().flatten().zip(1..);
    let pages = pages.map(|(kept, number)| file(RawKind::Page(number), kept));
    let gets = gets.map(|kept| file(RawKind::Gets, kept));
    pages.chain(gets).collect()
}

fn encoder() -> GzEncoder<Vec<u8>> {
    GzBuilder::new().mtime(0).write(Vec::new(), LEVEL)
}

fn finish(pack: GzEncoder<Vec<u8>>) -> Option<Vec<u8>> {
    let mut bytes = pack.finish().ok()?;
    bytes.shrink_to_fit();
    Some(bytes)
}
