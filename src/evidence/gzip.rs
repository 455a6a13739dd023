//! What is packed in evidence, unpacked, and never to more than it may be.

use std::io::Read as _;

/// The content of a gzip to its very end; none where it is none, or has more than `most` bytes.
///
/// A file of strangers may unpack to anything, and carry more behind what a reader of one member sees.
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
    use std::io::Write as _;

    use super::unpacked;

    fn packed(content: &[u8]) -> Vec<u8> {
        let level = flate2::Compression::fast();
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), level);
        packer.write_all(content).expect("gzip");
        packer.finish().expect("gzip")
    }

    #[test]
    fn every_member_is_unpacked_and_what_follows_the_last_is_no_gzip() {
        let both = [packed(b"one"), packed(b"two")].concat();
        assert_eq!(unpacked(&both, 6).as_deref(), Some(&b"onetwo"[..]));
        assert_eq!(unpacked(&[&both[..], b"three"].concat(), 100), None);
        assert_eq!(unpacked(&both[..both.len() - 1], 100), None);
        assert_eq!(unpacked(b"one", 100), None);
    }

    #[test]
    fn what_unpacks_to_more_than_it_may_is_not_cut_but_refused() {
        let zeros = packed(&[0; 100_000]);
        assert_eq!(unpacked(&zeros, 100_000).map(|of| of.len()), Some(100_000));
        assert_eq!(unpacked(&zeros, 99_999), None);
    }
}
