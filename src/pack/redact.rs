//! Pseudonyms for people and accounts, so that a pack can be given to people who may not see names.

use jiff::civil::Date;
use ring::hmac;

use super::{DeviationType, Fact, Pack, Table};
use crate::evidence::ReviewFolder;
use crate::judgement::is_manual_word;

/// The key of the pseudonyms. It is kept outside of the pack.
#[derive(Debug)]
pub struct RedactionKey(hmac::Key);

impl RedactionKey {
    /// The length of a key in bytes.
    pub const BYTES: usize = 32;

    pub fn of(bytes: &[u8; Self::BYTES]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// `P-` or `A-`, and the first 10 hex digits of the HMAC-SHA256 of the value.
    fn pseudonym(&self, prefix: &str, value: &str) -> String {
        let tag = hmac::sign(&self.0, value.as_bytes());
        format!("{prefix}-{}", const_hex::encode(&tag.as_ref()[..5]))
    }
}

/// What a redacted cell contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Redacted {
    /// The same.
    Same,
    /// A pseudonym of each value, with this prefix.
    As(&'static str),
    /// A pseudonym if it is the folder of a review: its id has the name of the review.
    Review,
    /// Keys with their values: `person_id=N-1005;check=hr_drop`.
    Keys,
    /// The meaning of a status, without the word that HR wrote.
    Status,
    /// A day, as a person wrote it. Another text is left out.
    Day,
    /// A whole number, `true` or `false`. Another text is left out.
    Number,
    /// Nothing: free text may name people.
    Blank,
}

fn redacted(table: &str, column: &str) -> Redacted {
    match (table, column) {
        ("reviews", "name" | "accepted_incomplete") => Redacted::Blank,
        ("admins" | "changes" | "decisions", "name" | "email") => Redacted::As("A"),
        // A setting may contain addresses and domains.
        ("rules", "before" | "after") => Redacted::Number,
        ("tools", "hr_feed" | "hr_columns") => Redacted::Blank,
        ("deviations", "run") => Redacted::Review,
        (_, "review") => Redacted::As("R"),
        (_, "person_id" | "name" | "emails") => Redacted::As("P"),
        (_, "owner" | "approved_by" | "reviewer" | "decided_by") => Redacted::As("P"),
        (_, "account_id" | "account_email") => Redacted::As("A"),
        // These ids are hashes of ids and addresses, which can be guessed.
        (_, "exception_id" | "exception") => Redacted::As("E"),
        (_, "finding_id") => Redacted::As("F"),
        (_, "deviation_id") => Redacted::As("D"),
        (_, "keys") => Redacted::Keys,
        (_, "hr_status") => Redacted::Status,
        (_, "approved_on" | "expires_on") => Redacted::Day,
        (_, "reason" | "note" | "ticket") => Redacted::Blank,
        // The folders are left out.
        ("sample" | "sample_runs", "folder") => Redacted::Blank,
        _ => Redacted::Same,
    }
}

fn each(cell: &str, value: impl Fn(&str) -> String) -> String {
    let values = cell.split(';').map(|of| match of {
        "" => String::new(),
        of => value(of),
    });
    values.collect::<Vec<_>>().join(";")
}

/// The keys with pseudonyms. A value may contain a semicolon or an equals sign, so a part without a known name, and a word
/// that no check and no relation has, are left out.
fn redact_keys(cell: &str, key: &RedactionKey) -> String {
    let parts = cell.split(';').filter_map(|part| part.split_once('='));
    let parts = parts.filter_map(|(name, value)| match name {
        "account_id" => Some(format!("{name}={}", key.pseudonym("A", value))),
        "person_id" | "email" => Some(format!("{name}={}", key.pseudonym("P", value))),
        "check" | "relation" => is_manual_word(value).then(|| format!("{name}={value}")),
        _ => None,
    });
    parts.collect::<Vec<_>>().join(";")
}

fn is_number(cell: &str) -> bool {
    cell.parse::<i64>().is_ok() || cell.parse::<bool>().is_ok()
}

fn redact_table(table: &mut Table, key: &RedactionKey) {
    let name = table.name;
    // The sentences about a rule and a source have their values, and that about an overdue review has its id.
    let named = [
        DeviationType::RuleLoosened,
        DeviationType::MappingChanged,
        DeviationType::ReviewOverdue,
    ]
    .map(DeviationType::as_str);
    let sentence = table.place("type").zip(table.place("what"));
    for row in &mut table.rows {
        if let Some((_, what)) = sentence.filter(|(kind, _)| named.contains(&row[*kind].as_str())) {
            row[what].clear();
        }
        for (column, cell) in table.columns.iter().zip(row) {
            *cell = match redacted(name, column.name) {
                Redacted::Same => continue,
                Redacted::As(prefix) => each(cell, |value| key.pseudonym(prefix, value)),
                Redacted::Review => match ReviewFolder::parse(cell) {
                    Some(folder) => key.pseudonym("R", folder.id()),
                    None => continue,
                },
                Redacted::Keys => redact_keys(cell, key),
                Redacted::Status => match cell.split_once(':') {
                    Some((meaning, _)) => meaning.to_owned(),
                    None => continue,
                },
                Redacted::Day if cell.parse::<Date>().is_ok() => continue,
                Redacted::Number if is_number(cell) => continue,
                Redacted::Day | Redacted::Number => String::new(),
                Redacted::Blank => String::new(),
            };
        }
    }
}

impl Pack {
    /// The pack with pseudonyms and without free text. `item_id` stays, so that the sample can be drawn again.
    #[must_use]
    pub fn redact(mut self, key: &RedactionKey) -> Self {
        self.cover.redacted = true;
        self.cover.criticality.clear();
        self.cover.own_controls.clear();
        for table in &mut self.tables {
            redact_table(table, key);
        }
        for item in &mut self.items {
            item.name = item.name.as_deref().map(|name| key.pseudonym("P", name));
        }
        for run in self.gaps.iter_mut().flat_map(|gap| &mut gap.runs) {
            run.reason.clear();
        }
        self.sample.clear();
        self.integrity.push(Fact {
            name: "redacted",
            value: "names, addresses and ids are pseudonyms, except item ids; free text and samples are left out"
                .to_owned(),
        });
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_the_same_pseudonym_in_every_cell() {
        let key = RedactionKey::of(&[7; RedactionKey::BYTES]);
        let one = each("N-1;N-2", |value| key.pseudonym("P", value));
        let (first, second) = one.split_once(';').expect("two");
        assert_ne!(first, second);
        assert_eq!(first, key.pseudonym("P", "N-1"));
        assert_eq!(first.len(), 12);
        let other = RedactionKey::of(&[8; RedactionKey::BYTES]);
        assert_ne!(first, other.pseudonym("P", "N-1"));
        assert_eq!(each("", |_| unreachable!()), "");
    }
    #[test]
    fn a_key_passes_no_part_of_a_value_through() {
        let key = RedactionKey::of(&[7; RedactionKey::BYTES]);
        let shown = redact_keys("email=a@b.example;person_id=N-1;Otto;check=Otto", &key);
        let (email, id) = (key.pseudonym("P", "a@b.example"), key.pseudonym("P", "N-1"));
        assert_eq!(shown, format!("email={email};person_id={id}"));
        let shown = redact_keys("person_id=N=1;Otto=2;relation=Service", &key);
        let id = key.pseudonym("P", "N=1");
        assert_eq!(shown, format!("person_id={id};relation=Service"));
        assert_eq!(redact_keys("check=hr_drop", &key), "check=hr_drop");
    }
}
