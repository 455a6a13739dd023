//! From bytes to text: unpacking and encodings.
//!
//! A wrongly decoded name would stay wrong in the evidence. A text in an unclear encoding is therefore refused, and the
//! message names the encoding that was tried.

use std::io::{ErrorKind, Read};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::UTF_8;
use flate2::read::MultiGzDecoder;

/// The reason why bytes could not be unpacked.
#[derive(Debug)]
pub(crate) enum PackingFault {
    /// The unpacked bytes exceed the limit.
    TooLarge,
    /// The bytes are not complete, valid gzip data.
    Corrupt(String),
}

/// Whether bytes are gzip, by their first two.
pub(crate) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// Unpacks gzip data. Only the content shows whether data is gzip: names and headers are often wrong.
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
                "the gzip data ends too early: the file looks truncated".to_owned()
            }
            _ => format!("the gzip data is corrupt: {error}"),
        })
        .map_err(PackingFault::Corrupt)?;
    if unpacked.len() as u64 > max_bytes {
        return Err(PackingFault::TooLarge);
    }
    Ok(unpacked)
}

/// A text and its encoding.
#[derive(Debug, PartialEq)]
pub(crate) struct Decoded {
    pub(crate) text: String,
    pub(crate) encoding: &'static str,
    /// A note for people if the encoding was guessed.
    pub(crate) note: Option<String>,
}

/// Decodes bytes as text. UTF-8 is checked, but not copied.
///
/// # Errors
/// The reason why the bytes cannot be decoded.
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
        format!(
            "the first bytes announce {name}, but the text is not valid {name}: export it as UTF-8"
        )
    })?;
    Ok(Decoded {
        text,
        encoding: name,
        note: (mark == 0).then(|| {
            format!(
                "The text has no byte order mark and was read as {name} because of its zero bytes"
            )
        }),
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

/// The name of an encoding with several bytes per letter, and its decoder.
type Wide = (&'static str, fn(&[u8]) -> Option<String>);

const UTF_16LE: Wide = ("UTF-16LE", |bytes| utf_16(bytes, u16::from_le_bytes));
const UTF_16BE: Wide = ("UTF-16BE", |bytes| utf_16(bytes, u16::from_be_bytes));
const UTF_32LE: Wide = ("UTF-32LE", |bytes| utf_32(bytes, u32::from_le_bytes));
const UTF_32BE: Wide = ("UTF-32BE", |bytes| utf_32(bytes, u32::from_be_bytes));

/// The wide encoding of a text, and the length of its byte order mark. Without a mark, the zero bytes between the ASCII
/// letters of a header show the encoding.
fn wide(bytes: &[u8]) -> Option<(Wide, usize)> {
    match bytes {
        // Before UTF-16LE, because this mark begins with that of UTF-16LE.
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

/// Decodes text without wide letters: UTF-8 with or without a mark, else an old encoding with one byte per letter.
fn decode_narrow(mut bytes: Vec<u8>) -> Result<Decoded, String> {
    let is_marked = bytes.starts_with(b"\xEF\xBB\xBF");
    if is_marked {
        bytes.drain(..3);
    }
    let error = match String::from_utf8(bytes) {
        Ok(text) if !is_marked && text.contains('\0') => {
            return Err("the file contains zero bytes, so it is not text".to_owned());
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
    // An earlier letter of several bytes was valid, so the text is corrupt UTF-8. In an old encoding, all its intact
    // names would be wrong.
    if is_marked || !bytes[..valid].is_ascii() {
        let line = 1 + bytes[..valid].iter().filter(|b| **b == b'\n').count();
        return Err(format!(
            "the text is UTF-8 up to line {line} and corrupt or truncated there: export it again as UTF-8"
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
        // Text has no control characters of the upper half. They show that the encoding is wrong.
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
                "the text is neither UTF-8 nor valid {name}, which its letters suggest: export it as UTF-8"
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
    fn plain_text_is_utf_8_and_its_mark_is_removed() {
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
    fn a_wide_text_that_ends_inside_a_letter_is_refused() {
        assert_snapshot!(read(&[0xFF, 0xFE, b'I', 0, b'D']), @"the first bytes announce UTF-16LE, but the text is not valid UTF-16LE: export it as UTF-8");
        assert_snapshot!(read(&[0xFF, 0xFE, 0, 0, b'I', 0, 0]), @"the first bytes announce UTF-32LE, but the text is not valid UTF-32LE: export it as UTF-8");
    }

    #[test]
    fn names_in_windows_1252_are_decoded_and_the_encoding_is_named() {
        let decoded = decode(b"Employee ID,Name\nE7,Jos\xE9 Mu\xF1oz\n".to_vec()).expect("text");
        assert_eq!(decoded.encoding, "windows-1252");
        assert_eq!(decoded.text, "Employee ID,Name\nE7,José Muñoz\n");
        assert_snapshot!(decoded.note.expect("a note"), @"The text is not UTF-8 and was read as windows-1252, as its letters suggest");
    }

    #[test]
    fn an_ambiguous_encoding_is_refused_by_name() {
        let (bytes, _, _) =
            encoding_rs::SHIFT_JIS.encode("氏名,メール\n山田太郎は退職しました,a@x.com\n");
        assert_snapshot!(read(&bytes), @"the text is not UTF-8 and looks like Shift_JIS: export it as UTF-8");
    }

    #[test]
    fn corrupt_utf_8_is_not_read_in_another_encoding() {
        assert_snapshot!(read(b"Name\nD\xC3\xADaz\nJos\xE9\n"), @"the text is UTF-8 up to line 3 and corrupt or truncated there: export it again as UTF-8");
        assert_snapshot!(read(b"\xEF\xBB\xBFName\nD\xC3"), @"the text is UTF-8 up to line 2 and corrupt or truncated there: export it again as UTF-8");
    }

    #[test]
    fn other_kinds_of_file_are_refused_by_name() {
        assert_snapshot!(read(b"PK\x03\x04rest"), @"the file is an Excel workbook or another ZIP archive, not text: export it as CSV or JSON");
        assert_snapshot!(read(b"\n<!DOCTYPE html><title>Sign in"), @"the file is a web page (of a login, perhaps), not text: export it as CSV or JSON");
        assert_snapshot!(read(b"abc\0\0\0\0"), @"the file contains zero bytes, so it is not text");
    }

    #[test]
    fn gzip_is_detected_by_content_and_may_have_several_members() {
        let packed = [gzip(b"Employee "), gzip(b"ID")].concat();
        assert_eq!(unpack(packed, 1000).expect("whole"), b"Employee ID");
    }

    #[test]
    fn a_gzip_bomb_stops_at_the_limit() {
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
    fn a_truncated_gzip_and_a_corrupt_one_are_distinguished() {
        let mut packed = gzip(b"Employee ID,Name");
        packed.truncate(packed.len() - 5);
        match unpack(packed, 1000) {
            Err(PackingFault::Corrupt(reason)) => {
                assert_snapshot!(reason, @"the gzip data ends too early: the file looks truncated")
            }
            other => panic!("{other:?}"),
        }
        let mut packed = gzip(b"Employee ID,Name");
        let crc = packed.len() - 6;
        packed[crc] ^= 1;
        assert!(matches!(
            unpack(packed, 1000),
            Err(PackingFault::Corrupt(_))
        ));
    }
}
