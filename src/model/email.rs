//! E-mail addresses, kept as written and compared by one rule.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::text::{fold, is_blank_word, is_zero_width, trim};

/// An e-mail address: the text as written, and the key for comparisons.
///
/// Two addresses are equal if their keys are equal. A key has no surrounding white space (including no-break spaces) and
/// no zero-width characters. It is case-folded and in NFC, with the domain in ASCII (IDNA) form. A plus-tag, another
/// domain and look-alike letters make different addresses.
///
/// Clones share the text: a leaver's row, person and records have the same addresses.
#[derive(Clone)]
pub struct EmailAddress {
    key: Arc<str>,
    /// `None` if it equals the key, as for most addresses. This halves the memory for a large population.
    written: Option<Arc<str>>,
}

impl EmailAddress {
    /// Reads a text that is exactly one address. Returns `None` for a text without an `@`, with white space or a delimiter
    /// inside, or with an invalid domain. For text as people and systems write it, use [`read_addresses`].
    pub fn parse(written: &str) -> Option<Self> {
        if written.contains(DELIMITERS) {
            return None;
        }
        let visible: String = written.chars().filter(|c| !is_zero_width(*c)).collect();
        let (local, domain) = visible.trim().rsplit_once('@')?;
        let is_plain = |part: &str| {
            !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c.is_control())
        };
        if !is_plain(local) || !is_plain(domain) || local.contains('@') {
            return None;
        }
        let domain = idna::domain_to_ascii(domain.trim_end_matches('.')).ok()?;
        if domain.is_empty() {
            return None;
        }
        let key = format!("{}@{domain}", fold(local));
        Some(Self {
            written: (key != written).then(|| written.into()),
            key: key.into(),
        })
    }

    /// The text as the source wrote it.
    pub fn as_written(&self) -> &str {
        self.written.as_deref().unwrap_or(&self.key)
    }

    /// The key for comparisons.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The domain, in ASCII and lower case.
    pub fn domain(&self) -> &str {
        self.parts().1
    }

    /// The part of the key before the `@`.
    pub fn local(&self) -> &str {
        self.parts().0
    }

    fn parts(&self) -> (&str, &str) {
        // A key always contains an `@`, and its domain never does.
        self.key.rsplit_once('@').unwrap_or((&self.key, ""))
    }

    /// The key without a plus-tag: `ana+asana@x.com` and `ana@x.com` give `ana@x.com`.
    ///
    /// It supports a suspicion, but never a match: on some servers the two belong to different people.
    pub fn key_without_tag(&self) -> String {
        let (local, domain) = self.parts();
        let untagged = local
            .split('+')
            .next()
            .filter(|untagged| !untagged.is_empty());
        format!("{}@{domain}", untagged.unwrap_or(local))
    }
}

/// Characters that only a quoted address may contain. HR systems write no quoted addresses.
const DELIMITERS: &[char] = &['<', '>', '(', ')', '[', ']', ',', ';', ':', '"', '\\', '|'];

/// Schemes that directories and address books write before an address.
const SCHEMES: [&str; 5] = ["smtp", "mailto", "sip", "email", "e-mail"];

/// The addresses in a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadAddresses {
    /// The addresses, each once, in the order of the text.
    pub found: Vec<EmailAddress>,
    /// Whether part of the text is neither an address nor the display name of one.
    pub has_unreadable: bool,
    /// Whether an address had a scheme, a display name, brackets or quotes around it.
    pub was_unwrapped: bool,
}

/// Reads every address of a text: `a@x.com; smtp:b@x.com`, `"Diaz, Ana" <ana@x.com>`, `[a@x.com]`.
///
/// The HR feed and Asana share this parser. It skips words that mean "none".
pub fn read_addresses(text: &str) -> ReadAddresses {
    let mut read = ReadAddresses::default();
    let spaced = text.replace('<', " <").replace('>', "> ");
    let is_separator = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '|');
    // Words since the last address: a display name if `<address>` follows, else unreadable.
    let mut has_words = false;
    for token in spaced.split(is_separator).map(trim) {
        if token.is_empty() || is_blank_word(token) {
            continue;
        }
        if !token.contains('@') {
            has_words = true;
            continue;
        }
        let bare = unwrapped(token);
        has_words &= !token.starts_with('<');
        read.has_unreadable |= std::mem::take(&mut has_words);
        match EmailAddress::parse(bare) {
            None => read.has_unreadable = true,
            Some(address) => {
                read.was_unwrapped |= bare.len() != token.len();
                if !read.found.contains(&address) {
                    read.found.reserve_exact(1);
                    read.found.push(address);
                }
            }
        }
    }
    read.has_unreadable |= has_words;
    read
}

/// A token without the brackets and quotes around it and the scheme before it.
fn unwrapped(token: &str) -> &str {
    let mut bare = token;
    loop {
        let inside = [("<", ">"), ("[", "]"), ("(", ")"), ("\"", "\""), ("'", "'")]
            .iter()
            .find_map(|(opens, closes)| bare.strip_prefix(opens)?.strip_suffix(closes));
        let without_scheme = || {
            let (scheme, rest) = bare.split_once(':')?;
            let is_known = SCHEMES
                .iter()
                .any(|known| scheme.eq_ignore_ascii_case(known));
            is_known.then_some(rest)
        };
        match inside.or_else(without_scheme) {
            Some(inside) => bare = inside,
            None => return bare,
        }
    }
}

impl PartialEq for EmailAddress {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for EmailAddress {}

impl Hash for EmailAddress {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

impl PartialOrd for EmailAddress {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for EmailAddress {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.cmp(&other.key)
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_written())
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_written())
    }
}

impl Serialize for EmailAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_written())
    }
}

impl<'de> Deserialize<'de> for EmailAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = String::deserialize(deserializer)?;
        Self::parse(&written).ok_or_else(|| serde::de::Error::custom("not an e-mail address"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Option<String> {
        EmailAddress::parse(text).map(|email| email.key().to_owned())
    }

    #[test]
    fn a_plain_address_is_its_own_key() {
        assert_eq!(key("ada@example.com").as_deref(), Some("ada@example.com"));
    }

    #[test]
    fn case_blanks_and_zero_width_characters_make_no_difference() {
        for written in [
            " Ana@X.COM ",
            "\u{a0}ana@x.com\u{a0}",
            "a\u{200b}na@x.com",
            "\u{feff}ana@x.com",
        ] {
            assert_eq!(key(written).as_deref(), Some("ana@x.com"), "{written:?}");
        }
    }

    #[test]
    fn composed_and_decomposed_letters_are_equal_and_look_alikes_are_not() {
        assert_eq!(key("jose\u{301}@x.com"), key("jos\u{e9}@x.com"));
        assert_eq!(key("STRASSE@x.com"), key("stra\u{df}e@x.com"));
        assert_eq!(key("N.GRO\u{1e9e}E@x.com"), key("n.gro\u{df}e@x.com"));
        assert_ne!(key("\u{430}na@x.com"), key("ana@x.com"));
    }

    #[test]
    fn a_domain_is_compared_in_its_ascii_form() {
        assert_eq!(key("a@b\u{fc}cher.example"), key("a@xn--bcher-kva.example"));
        assert_eq!(key("a@x.com."), key("a@x.com"));
    }

    #[test]
    fn a_text_that_is_not_an_address_is_not_read() {
        for text in [
            "",
            "ana",
            "ana@",
            "@x.com",
            "a b@x.com",
            "bob@@x.com",
            "a@ x.com",
        ] {
            assert_eq!(key(text), None, "{text:?}");
        }
    }

    fn keys(text: &str) -> (Vec<String>, bool) {
        let read = read_addresses(text);
        let keys = read.found.iter().map(|email| email.key().to_owned());
        (keys.collect(), read.has_unreadable)
    }

    #[test]
    fn an_address_is_read_from_the_forms_that_systems_write() {
        for written in [
            "ana@x.com",
            "\u{a0}Ana@X.COM",
            "smtp:ana@x.com",
            "SMTP:ana@x.com",
            "mailto:ana@x.com",
            "<ana@x.com>",
            "[ana@x.com]",
            "\"ana@x.com\"",
            "'ana@x.com'",
            "Ana Diaz <ana@x.com>",
            "Ana<ana@x.com>",
            "\"Diaz, Ana\" <ana@x.com>",
            "Diaz, Ana <mailto:ana@x.com>",
            "ana@x.com; n/a",
            "ana@x.com, SMTP:ana@x.com",
        ] {
            assert_eq!(
                keys(written),
                (vec!["ana@x.com".to_owned()], false),
                "{written}"
            );
        }
    }

    #[test]
    fn a_list_gives_every_address() {
        let both = vec!["a@x.com".to_owned(), "b@x.com".to_owned()];
        for written in [
            "a@x.com;b@x.com",
            "a@x.com b@x.com",
            "a@x.com|b@x.com",
            "SMTP:a@x.com;smtp:b@x.com",
            "A <a@x.com>, B <b@x.com>",
        ] {
            assert_eq!(keys(written), (both.clone(), false), "{written}");
        }
    }

    #[test]
    fn text_beside_addresses_is_unreadable() {
        let nothing = Vec::new();
        for written in [
            "bob@",
            "(SEP)ana@x.com",
            "ask the manager",
            "ana(at)x.com",
            "http://x.com/@ana",
        ] {
            assert_eq!(keys(written), (nothing.clone(), true), "{written}");
        }
        for written in ["ana@x.com; see file", "old: ana@x.com", "ana@x.com (left)"] {
            assert_eq!(
                keys(written),
                (vec!["ana@x.com".to_owned()], true),
                "{written}"
            );
        }
        assert_eq!(keys(" n/a "), (nothing, false));
    }

    #[test]
    fn a_plus_tag_is_another_address_with_the_same_base() {
        let tagged = EmailAddress::parse("ana+asana@x.com").expect("an address");
        assert_ne!(Some(tagged.key()), key("ana@x.com").as_deref());
        assert_eq!(tagged.key_without_tag(), "ana@x.com");
    }

    #[test]
    fn the_written_form_survives_serialisation() {
        let email = EmailAddress::parse("Ana@X.com").expect("an address");
        let json = serde_json::to_string(&email).expect("json");
        assert_eq!(json, "\"Ana@X.com\"");
        assert_eq!(
            serde_json::from_str::<EmailAddress>(&json).expect("an address"),
            email
        );
    }
}
