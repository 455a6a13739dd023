//! E-mail addresses, kept as written and compared by one rule.

use std::fmt;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::text::{fold, is_zero_width};

/// An e-mail address: the text as it came, and the key it is compared by.
///
/// Two addresses are equal when their keys are: surrounding white space (no-break space too) and
/// zero-width characters removed, letters case-folded, NFC, the domain in its ASCII (IDNA) form.
/// A plus-tag or another domain makes another address, and look-alike letters stay different.
#[derive(Clone)]
pub struct EmailAddress {
    key: Box<str>,
    /// Only where it differs from the key: most addresses come as they are compared, and a large
    /// population is held in memory twice.
    written: Option<Box<str>>,
}

impl EmailAddress {
    /// Reads an address, or `None` where the text is none: no `@`, nothing before or after it,
    /// white space inside, or a domain no host name can have.
    pub fn parse(written: &str) -> Option<Self> {
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
            key: key.into_boxed_str(),
        })
    }

    /// The same of a text that people wrote, and nothing around the address: of `Ana<ana@x.com>` and
    /// `mailto:ana@x.com` an address of somebody else would be made.
    pub fn parse_alone(written: &str) -> Option<Self> {
        let is_around = |c: char| "<>()[],;:\"\\".contains(c);
        match written.contains(is_around) {
            true => None,
            false => Self::parse(written),
        }
    }

    /// The text as the source wrote it.
    pub fn as_written(&self) -> &str {
        self.written.as_deref().unwrap_or(&self.key)
    }

    /// What addresses are compared by.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The domain, in ASCII and lower case.
    pub fn domain(&self) -> &str {
        self.parts().1
    }

    /// What stands before the `@`, as it is compared.
    pub fn local(&self) -> &str {
        self.parts().0
    }

    fn parts(&self) -> (&str, &str) {
        // A key always has an `@`, and its domain never does.
        self.key.rsplit_once('@').unwrap_or((&self.key, ""))
    }

    /// The key without a plus-tag: `ana+asana@x.com` and `ana@x.com` give `ana@x.com`.
    ///
    /// Good for a suspicion, never for a match: some servers give the two to different people.
    pub fn key_without_tag(&self) -> String {
        let (local, domain) = self.parts();
        let untagged = local.split_once('+').map_or(local, |(before, _)| before);
        format!(
            "{}@{}",
            if untagged.is_empty() { local } else { untagged },
            domain
        )
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
        assert_ne!(key("\u{430}na@x.com"), key("ana@x.com"));
    }

    #[test]
    fn a_domain_is_compared_in_its_ascii_form() {
        assert_eq!(key("a@b\u{fc}cher.example"), key("a@xn--bcher-kva.example"));
        assert_eq!(key("a@x.com."), key("a@x.com"));
    }

    #[test]
    fn what_is_no_address_is_not_read_as_one() {
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
