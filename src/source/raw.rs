//! What is kept of Truto's answers, packed as it arrives so that little memory is held.

use std::io::Write as _;

use flate2::write::{DeflateEncoder, GzEncoder};
use flate2::{Compression, Crc, GzBuilder};
use serde::Serialize;

use super::RawPages;
use crate::model::{RawFile, RawKind};
use crate::truto::{Page, minimal_page};

/// Named, so that the same answers give the same bytes; a low one, because pages repeat themselves
/// so much that a higher one costs more time than it saves room.
const LEVEL: Compression = Compression::new(3);

/// A page as kept: packed bytes and rows.
pub(super) type Kept = (Vec<u8>, u64);

/// Packs pages, one after the other.
///
/// The state of the compressor is large (some 300 KiB), so there is one for all pages of a list:
/// made anew for each page it would leave holes in the heap that add up to several times of what
/// the accounts need.
#[derive(Debug)]
pub(super) struct Packer {
    raw: RawPages,
    deflate: Option<DeflateEncoder<Vec<u8>>>,
}

impl Packer {
    pub(super) fn new(raw: RawPages) -> Self {
        Self { raw, deflate: None }
    }

    /// Packs a page as far as it is to be kept.
    pub(super) fn page<T: Serialize>(&mut self, page: &Page<T>) -> Option<Kept> {
        match self.raw {
            RawPages::None => None,
            RawPages::Full => Some((self.gzip(&page.body)?, page.record.rows)),
            RawPages::Minimal => {
                // Written to memory first: a serialiser's many small writes are slow to compress.
                let bytes = minimal_page(&page.rows);
                Some((self.gzip(&bytes)?, page.record.rows))
            }
        }
    }

    /// Gzip (RFC 1952) without a name or time in it, so that the same bytes give the same file.
    /// Writing into memory cannot fail.
    fn gzip(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
        let deflate = match &mut self.deflate {
            Some(deflate) => {
                deflate.reset(HEADER.to_vec()).ok()?;
                deflate
            }
            none => none.insert(DeflateEncoder::new(HEADER.to_vec(), LEVEL)),
        };
        deflate.write_all(bytes).ok()?;
        // Ends this stream and hands its bytes over; the state stays for the next one.
        let mut packed = deflate.reset(Vec::new()).ok()?;
        let mut crc = Crc::new();
        crc.update(bytes);
        packed.extend_from_slice(&crc.sum().to_le_bytes());
        packed.extend_from_slice(&crc.amount().to_le_bytes());
        packed.shrink_to_fit();
        Some(packed)
    }
}

/// Users read one by one, as lines.
#[derive(Debug)]
pub(super) struct Lines {
    raw: RawPages,
    pack: GzEncoder<Vec<u8>>,
    rows: u64,
}

impl Lines {
    pub(super) fn new(raw: RawPages) -> Self {
        Self {
            raw,
            pack: GzBuilder::new().mtime(0).write(Vec::new(), LEVEL),
            rows: 0,
        }
    }

    /// Adds a user. A line break in a JSON body can only be white space between its parts.
    pub(super) fn add(&mut self, user: &impl Serialize, mut body: Vec<u8>) {
        match self.raw {
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
        if self.rows == 0 {
            return None;
        }
        let mut packed = self.pack.finish().ok()?;
        packed.shrink_to_fit();
        Some((packed, self.rows))
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
