//! From bytes to text: unpacking and encodings.
//!
//! A name that comes out wrong is wrong in the evidence for ever, so a text of an unclear encoding is refused, with the
//! encoding named that was tried.

use std::io::{ErrorKind, Read};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::UTF_8;
use flate2::read::MultiGzDecoder;

/// Why bytes could not be unpacked.
#[derive(Debug)]
pub(crate) enum PackingFault {
    /// Unpacked they are more than the cap.
    TooLarge,
    /// They are no whole gzip.
    Damaged(String),
}

/// Whether bytes are gzip, by their first two.
pub(crate) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// Unpacks what is gzip by content; names and headers lie too often.
pub(crate) fn unpack(bytes: Vec<u8>, max_bytes: u64) -> Result<Vec<u8>, PackingFault> {
    if bytes.len() as u64 > max_bytes {
        return Err(PackingFault::TooLarge);
    }
    if !is_gzip(&bytes) {
        return Ok(bytes);
    }
    let mut unpacked = Vec::new();
    MultiGzDecoder::new(bytes.as_slice())
        .take(max_bytes.saturating_add(1))
        .read_to_end(&mut unpacked)
        .map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => {
                "the gzip ends too early: the file looks truncated".to_owned()
            }
            _ => format!("the gzip is damaged: {error}"),
        })
        .map_err(PackingFault::Damaged)?;
    if unpacked.len() as u64 > max_bytes {
        return Err(PackingFault::TooLarge);
    }
    Ok(unpacked)
}

/// A text and how it was found.
#[derive(Debug, PartialEq)]
pub(crate) struct Decoded {
    pub(crate) text: String,
    pub(crate) encoding: &'static str,
    /// What a person might want to know of the choice.
    pub(crate) note: Option<String>,
}

/// Reads bytes as text. UTF-8 is checked and not copied.
///
/// # Errors
/// Why they are no text we can read.
pub(crate) fn decode(bytes: Vec<u8>) -> Result<Decoded, String> {
    if let Some(other) = something_else(&bytes) {
        return Err(format!(
            "the file is {other}, not text: export it as CSV or JSON"
        ));
    }
    let Some(((name, read), mark)) = wide(&bytes) else {
        return decode_narrow(bytes);
    };
    let text = read(&bytes[mark..]).ok_or_else(|| {
        format!("the text is not valid {name}, the encoding its first bytes announce: export it as UTF-8")
    })?;
    Ok(Decoded {
        text,
        encoding: name,
        note: (mark == 0)
            .then(|| format!("The text has no byte order mark; its zero bytes show {name}")),
    })
}

/// File formats that people mistake for CSV, by their first bytes.
fn something_else(bytes: &[u8]) -> Option<&'static str> {
    const FORMATS: [(&[u8], &str); 6] = [
        (b"PK\x03\x04", "an Excel workbook or another ZIP archive"),
        (b"\xD0\xCF\x11\xE0", "an old Excel workbook"),
        (b"%PDF", "a PDF document"),
        (b"\x28\xB5\x2F\xFD", "packed with zstd"),
        (b"BZh", "packed with bzip2"),
        (b"\xFD7zXZ", "packed with xz"),
    ];
    const TAGS: [(&str, &str); 3] = [
        ("<!doctype html", "a web page (of a login, perhaps)"),
        ("<html", "a web page (of a login, perhaps)"),
        ("<?xml", "XML"),
    ];
    let start = bytes.trim_ascii_start();
    let begins = |(tag, _): &(&str, &str)| {
        let head = start.get(..tag.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(tag.as_bytes()))
    };
    let format = FORMATS
        .into_iter()
        .find(|(magic, _)| bytes.starts_with(magic));
    let tag = || TAGS.into_iter().find(begins);
    format
        .map(|(_, name)| name)
        .or_else(|| tag().map(|(_, name)| name))
}

/// The name of an encoding whose letters are of several bytes each, and its reader.
type Wide = (&'static str, fn(&[u8]) -> Option<String>);

const UTF_16LE: Wide = ("UTF-16LE", |bytes| utf_16(bytes, u16::from_le_bytes));
const UTF_16BE: Wide = ("UTF-16BE", |bytes| utf_16(bytes, u16::from_be_bytes));
const UTF_32LE: Wide = ("UTF-32LE", |bytes| utf_32(bytes, u32::from_le_bytes));
const UTF_32BE: Wide = ("UTF-32BE", |bytes| utf_32(bytes, u32::from_be_bytes));

/// The wide encoding of a text, and the length of its byte order mark. Without a mark, the zero bytes of a header's ASCII
/// letters show it.
fn wide(bytes: &[u8]) -> Option<(Wide, usize)> {
    match bytes {
        // Before UTF-16LE, whose mark is the beginning of this one.
        [0xFF, 0xFE, 0, 0, ..] => Some((UTF_32LE, 4)),
        [0, 0, 0xFE, 0xFF, ..] => Some((UTF_32BE, 4)),
        [0xFF, 0xFE, ..] => Some((UTF_16LE, 2)),
        [0xFE, 0xFF, ..] => Some((UTF_16BE, 2)),
        [1..=255, 0, 0, 0, ..] => Some((UTF_32LE, 0)),
        [0, 0, 0, 1..=255, ..] => Some((UTF_32BE, 0)),
        [1..=255, 0, 1..=255, 0, ..] => Some((UTF_16LE, 0)),
        [0, 1..=255, 0, 1..=255, ..] => Some((UTF_16BE, 0)),
        _ => None,
    }
}

fn utf_16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let (units, []) = bytes.as_chunks() else {
        return None;
    };
    let letters = char::decode_utf16(units.iter().map(|bytes| unit(*bytes)));
    letters.collect::<Result<_, _>>().ok()
}

fn utf_32(bytes: &[u8], unit: fn([u8; 4]) -> u32) -> Option<String> {
    let (units, []) = bytes.as_chunks() else {
        return None;
    };
    let letters = units.iter().map(|bytes| char::from_u32(unit(*bytes)));
    letters.collect()
}

/// Text without wide letters: UTF-8, which may have a mark, else one of the old one-byte encodings.
fn decode_narrow(mut bytes: Vec<u8>) -> Result<Decoded, String> {
    let is_marked = bytes.starts_with(b"\xEF\xBB\xBF");
    if is_marked {
        bytes.drain(..3);
    }
    let error = match String::from_utf8(bytes) {
        Ok(text) if !is_marked && text.contains('\0') => {
            return Err("the file holds zero bytes: it is not text".to_owned());
        }
        Ok(text) => {
            return Ok(Decoded {
                text,
                encoding: UTF_8.name(),
                note: None,
            });
        }
        Err(error) => error,
    };
    let valid = error.utf8_error().valid_up_to();
    let bytes = error.into_bytes();
    // A letter of several bytes came out right before: the text is UTF-8 and damaged.
    // Read in an old encoding all its good names would come out wrong.
    if is_marked || !bytes[..valid].is_ascii() {
        let line = 1 + bytes[..valid].iter().filter(|b| **b == b'\n').count();
        return Err(format!(
            "the text is UTF-8 until line {line} and damaged or truncated there: export it again as UTF-8"
        ));
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(&bytes, true);
    let encoding = detector.guess(None, Utf8Detection::Deny);
    let name = encoding.name();
    if !name.starts_with("windows-125") && !name.starts_with("ISO-8859-") {
        return Err(format!(
            "the text is not UTF-8 and looks like {name}: export it as UTF-8"
        ));
    }
    encoding
        .decode_without_bom_handling_and_without_replacement(&bytes)
        // Control characters of the upper half are in no text: a sign of the wrong encoding.
        .filter(|text| !text.contains('\0') && !text.contains(|c| matches!(c, '\u{80}'..='\u{9f}')))
        .map(|text| Decoded {
            text: text.into_owned(),
            encoding: name,
            note: Some(format!(
                "The text is not UTF-8 and was read as {name}, as its letters suggest"
            )),
        })
        .ok_or_else(|| {
            format!(
                "the text is not UTF-8, nor valid {name} as its letters suggest: export it as UTF-8"
            )
        })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use insta::assert_snapshot;

    use super::*;

    fn read(bytes: &[u8]) -> String {
        match decode(bytes.to_vec()) {
            Ok(decoded) => format!("{}: {}", decoded.encoding, decoded.text),
            Err(reason) => reason,
        }
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(text).expect("room");
        packer.finish().expect("room")
    }

    #[test]
    fn plain_text_is_utf_8_and_a_mark_is_no_part_of_it() {
        assert_eq!(read("Díaz".as_bytes()), "UTF-8: Díaz");
        assert_eq!(read(b"\xEF\xBB\xBF\"Work Email\""), "UTF-8: \"Work Email\"");
    }

    #[test]
    fn wide_encodings_are_read_with_and_without_their_mark() {
        let text = "ID\tDíaz";
        let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let le32: Vec<u8> = text
            .chars()
            .flat_map(|c| (c as u32).to_le_bytes())
            .collect();
        let be32: Vec<u8> = text
            .chars()
            .flat_map(|c| (c as u32).to_be_bytes())
            .collect();
        let marked = |mark: &[u8], rest: &[u8]| [mark, rest].concat();
        assert_eq!(read(&marked(&[0xFF, 0xFE], &le)), "UTF-16LE: ID\tDíaz");
        assert_eq!(read(&marked(&[0xFE, 0xFF], &be)), "UTF-16BE: ID\tDíaz");
        assert_eq!(
            read(&marked(&[0xFF, 0xFE, 0, 0], &le32)),
            "UTF-32LE: ID\tDíaz"
        );
        assert_eq!(
            read(&marked(&[0, 0, 0xFE, 0xFF], &be32)),
            "UTF-32BE: ID\tDíaz"
        );
        assert_eq!(read(&le), "UTF-16LE: ID\tDíaz");
        assert_eq!(read(&be), "UTF-16BE: ID\tDíaz");
        assert_eq!(read(&le32), "UTF-32LE: ID\tDíaz");
    }

    #[test]
    fn a_wide_text_cut_in_a_letter_is_refused_by_name() {
        assert_snapshot!(read(&[0xFF, 0xFE, b'I', 0, b'D']), @"the text is not valid UTF-16LE, the encoding its first bytes announce: export it as UTF-8");
        assert_snapshot!(read(&[0xFF, 0xFE, 0, 0, b'I', 0, 0]), @"the text is not valid UTF-32LE, the encoding its first bytes announce: export it as UTF-8");
    }

    #[test]
    fn names_in_windows_1252_come_out_right_and_the_encoding_is_named() {
        let decoded = decode(b"Employee ID,Name\nE7,Jos\xE9 Mu\xF1oz\n".to_vec()).expect("text");
        assert_eq!(decoded.encoding, "windows-1252");
        assert_eq!(decoded.text, "Employee ID,Name\nE7,José Muñoz\n");
        assert_snapshot!(decoded.note.expect("a note"), @"The text is not UTF-8 and was read as windows-1252, as its letters suggest");
    }

    #[test]
    fn an_encoding_we_would_have_to_guess_is_refused_by_name() {
        let (bytes, _, _) =
            encoding_rs::SHIFT_JIS.encode("氏名,メール\n山田太郎は退職しました,a@x.com\n");
        assert_snapshot!(read(&bytes), @"the text is not UTF-8 and looks like Shift_JIS: export it as UTF-8");
    }

    #[test]
    fn damaged_utf_8_is_not_read_as_something_else() {
        assert_snapshot!(read(b"Name\nD\xC3\xADaz\nJos\xE9\n"), @"the text is UTF-8 until line 3 and damaged or truncated there: export it again as UTF-8");
        assert_snapshot!(read(b"\xEF\xBB\xBFName\nD\xC3"), @"the text is UTF-8 until line 2 and damaged or truncated there: export it again as UTF-8");
    }

    #[test]
    fn other_kinds_of_file_are_reported_by_name() {
        assert_snapshot!(read(b"PK\x03\x04rest"), @"the file is an Excel workbook or another ZIP archive, not text: export it as CSV or JSON");
        assert_snapshot!(read(b"\n<!DOCTYPE html><title>Sign in"), @"the file is a web page (of a login, perhaps), not text: export it as CSV or JSON");
        assert_snapshot!(read(b"abc\0\0\0\0"), @"the file holds zero bytes: it is not text");
    }

    #[test]
    fn gzip_is_known_by_content_and_may_have_several_members() {
        let packed = [gzip(b"Employee "), gzip(b"ID")].concat();
        assert_eq!(unpack(packed, 1000).expect("whole"), b"Employee ID");
    }

    #[test]
    fn a_bomb_stops_at_the_cap() {
        let bomb = gzip(&vec![0; 5_000_000]);
        assert!(bomb.len() < 100_000);
        assert!(matches!(
            unpack(bomb, 1_000_000),
            Err(PackingFault::TooLarge)
        ));
        assert!(matches!(
            unpack(vec![b'x'; 11], 10),
            Err(PackingFault::TooLarge)
        ));
        assert!(unpack(gzip(&[b'x'; 1000]), 1000).is_ok());
    }

    #[test]
    fn a_gzip_that_ends_early_is_truncated_and_a_changed_one_damaged() {
        let mut packed = gzip(b"Employee ID,Name");
        packed.truncate(packed.len() - 5);
        match unpack(packed, 1000) {
            Err(PackingFault::Damaged(reason)) => {
                assert_snapshot!(reason, @"the gzip ends too early: the file looks truncated")
            }
            other => panic!("{other:?}"),
        }
        let mut packed = gzip(b"Employee ID,Name");
        let crc = packed.len() - 6;
        packed[crc] ^= 1;
        assert!(matches!(
            unpack(packed, 1000),
            Err(PackingFault::Damaged(_))
        ));
    }
}
