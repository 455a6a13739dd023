//! Pseudonyms for people and accounts, so that a pack can be given to people who may not see names.

use ring::hmac;

use super::{Fact, Pack, Table};

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
    /// A pseudonym of each value, for a person.
    Person,
    /// A pseudonym of each value, for an account.
    Account,
    /// Keys with their values: `person_id=N-1005;check=hr_drop`.
    Keys,
    /// Nothing: free text may name people.
    Blank,
}

fn redacted(table: &str, column: &str) -> Redacted {
    match (table, column) {
        ("reviews", "name" | "accepted_incomplete") => Redacted::Blank,
        ("admins" | "changes" | "decisions", "name" | "email") => Redacted::Account,
        // A setting may contain addresses and domains.
        ("rules", "before" | "after") => Redacted::Blank,
        (_, "person_id" | "name" | "emails") => Redacted::Person,
        (_, "owner" | "approved_by" | "reviewer" | "decided_by") => Redacted::Person,
        (_, "account_id" | "account_email") => Redacted::Account,
        (_, "keys") => Redacted::Keys,
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

fn redact_table(table: &mut Table, key: &RedactionKey) {
    let name = table.name;
    for row in &mut table.rows {
        for (column, cell) in table.columns.iter().zip(row) {
            *cell = match redacted(name, column.name) {
                Redacted::Same => continue,
                Redacted::Person => each(cell, |value| key.pseudonym("P", value)),
                Redacted::Account => each(cell, |value| key.pseudonym("A", value)),
                Redacted::Keys => each(cell, |pair| match pair.split_once('=') {
                    Some(("account_id", value)) => {
                        format!("account_id={}", key.pseudonym("A", value))
                    }
                    Some((name @ ("person_id" | "email"), value)) => {
                        format!("{name}={}", key.pseudonym("P", value))
                    }
                    Some(_) | None => pair.to_owned(),
                }),
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
        for table in &mut self.tables {
            redact_table(table, key);
        }
        for item in &mut self.items {
            item.name = item.name.as_deref().map(|name| key.pseudonym("P", name));
        }
        self.sample.clear();
        self.integrity.push(Fact {
            name: "redacted",
            value: "names, addresses and ids are pseudonyms; free text and samples are left out"
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
}
