//! Small functions for every cell.

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

use crate::model::trim;

/// Letters and digits in lower case, without accents: `Employee #`, `employee_number` and
/// `EmployeeNumber` are one, and so are `Début` and `debut`.
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
    // Signs of Japanese come apart as well, and have to be put together again.
    letters(&ComposingNormalizerBorrowed::new_nfc().normalize(&bare))
}

/// A text for a message: short ones with a digit and without an `@` as they are. Reasons are read
/// more widely than evidence, and a cell of a shifted row may hold a name.
pub(super) fn quoted(text: &str) -> String {
    let length = text.chars().count();
    if !text.contains(|c: char| c.is_ascii_digit()) {
        "a text without any digit".to_owned()
    } else if length > 40 || text.contains(['@', '`']) || text.contains(char::is_control) {
        format!("a text of {length} characters")
    } else {
        format!("`{text}`")
    }
}

/// At most `max` names for a message, each in backticks and cut to a readable length.
pub(super) fn listed<'n>(names: impl IntoIterator<Item = &'n str>, max: usize) -> String {
    let mut names = names.into_iter();
    let mut text = names
        .by_ref()
        .take(max)
        .map(|name| format!("`{}`", shortened(name)))
        .collect::<Vec<_>>()
        .join(", ");
    let more = names.count();
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

/// A name cut to a readable length, on one line, and without any address, even if the header has one.
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

/// A number with its noun.
pub(super) fn count(number: u64, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}

/// What an address is for, the best one first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum AddressKind {
    /// The address is called the primary one, whatever its type.
    Primary,
    Work,
    Unreported,
    Other,
}

impl AddressKind {
    /// By the `type` beside an address.
    pub(super) fn of(word: &str) -> Self {
        match trim(word).to_ascii_lowercase().as_str() {
            "work" | "business" | "company" | "corporate" | "office" => Self::Work,
            "" | "primary" | "main" | "default" => Self::Unreported,
            _ => Self::Other,
        }
    }
}
