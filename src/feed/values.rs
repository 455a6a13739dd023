//! Functions for single cells and names: plain forms, quotes for messages, kinds of addresses.

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

use crate::model::{quoted, trim};

/// Letters and digits in lower case, without accents. `Employee #`, `employee_number` and `EmployeeNumber` have the
/// same plain form, and so have `Début` and `debut`.
pub(super) fn plain(text: &str) -> String {
    let numbered = text.replace('#', "number");
    let letters = |text: &str| -> String {
        let letters = text.chars().filter(|c| c.is_alphanumeric());
        letters.flat_map(char::to_lowercase).collect()
    };
    if text.is_ascii() {
        return letters(&numbered);
    }
    let decomposed = DecomposingNormalizerBorrowed::new_nfkd().normalize(&numbered);
    let mut bare = decomposed.into_owned();
    bare.retain(|c| !matches!(c, '\u{300}'..='\u{36f}'));
    // Japanese characters decompose, too, and must be composed again.
    letters(&ComposingNormalizerBorrowed::new_nfc().normalize(&bare))
}

/// A date cell for a message. Reasons reach more readers than the evidence does, and a shifted cell may contain a name.
/// A text without a digit, a long text and an address are therefore only described.
pub(super) fn quoted_date(text: &str) -> String {
    let length = text.chars().count();
    if !text.contains(|c: char| c.is_ascii_digit()) {
        "a text without any digit".to_owned()
    } else if length > 40 || text.contains('@') || text.contains(char::is_control) {
        format!("a text of {length} characters")
    } else {
        quoted(text)
    }
}

/// The name of a column, a key or a list for a message.
pub(super) fn quoted_name(name: &str) -> String {
    quoted(&shortened(name))
}

/// At most `max` names for a message, and the number of further ones.
pub(super) fn listed<'n>(names: impl IntoIterator<Item = &'n str>, max: usize) -> String {
    let mut names = names.into_iter();
    let mut text = names
        .by_ref()
        .take(max)
        .map(quoted_name)
        .collect::<Vec<_>>()
        .join(", ");
    let more = names.count();
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

/// A name cut to a readable length, on one line, and without addresses.
pub(super) fn shortened(name: &str) -> String {
    const MAX: usize = 60;
    if name.contains('@') {
        return "…@…".to_owned();
    }
    let plain: String = name
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX)
        .collect();
    if name.chars().count() > MAX {
        format!("{plain}…")
    } else {
        plain
    }
}

/// The purpose of an address, most preferred first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum AddressKind {
    /// Marked as primary, whatever its type.
    Primary,
    Work,
    Unreported,
    Other,
}

impl AddressKind {
    /// The kind for the `type` of an address.
    pub(super) fn of(word: &str) -> Self {
        match trim(word).to_ascii_lowercase().as_str() {
            "work" | "business" | "company" | "corporate" | "office" => Self::Work,
            "" | "primary" | "main" | "default" => Self::Unreported,
            _ => Self::Other,
        }
    }
}
