//! Packs bytes as gzip, and unpacks the gzip files of evidence up to a maximum size.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;

/// The same content gives the same bytes: the header has no name and no time.
pub fn packed(content: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    let written = packer.write_all(content).and_then(|()| packer.finish());
    written.expect("writing to memory does not fail")
}

/// The content of all members of a gzip file. None if the bytes are not gzip, or if the content is larger than `most`
/// bytes.
///
/// A hostile file may unpack to any size, and may have more members after the first one.
pub fn unpacked(gzip: &[u8], most: u64) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    flate2::read::MultiGzDecoder::new(gzip)
        .take(most.saturating_add(1))
        .read_to_end(&mut content)
        .ok()?;
    (content.len() as u64 <= most).then_some(content)
}

#[cfg(test)]
mod tests {
    use super::{packed, unpacked};

    #[test]
    fn every_member_is_unpacked_and_extra_bytes_are_refused() {
        let both = [packed(b"one"), packed(b"two")].concat();
        assert_eq!(unpacked(&both, 6).as_deref(), Some(&b"onetwo"[..]));
        assert_eq!(unpacked(&[&both[..], b"three"].concat(), 100), None);
        assert_eq!(unpacked(&both[..both.len() - 1], 100), None);
        assert_eq!(unpacked(b"one", 100), None);
    }

    #[test]
    fn content_over_the_maximum_is_refused_and_not_cut() {
        let zeros = packed(&[0; 100_000]);
        assert_eq!(unpacked(&zeros, 100_000).map(|of| of.len()), Some(100_000));
        assert_eq!(unpacked(&zeros, 99_999), None);
    }
}
