//! Lines below the rows, and titles above them: what they say of the rows.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::{dates, statuses};
use crate::model::{Employment, trim};

/// What a footer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FooterSays {
    Nothing,
    /// The file lacks rows.
    More,
    /// It may be a person.
    MayNamePerson,
}

/// Parts of texts with which an export says that it stopped, or goes on elsewhere; bars part them.
const PARTIAL: &str = "error|fehler|erreur|errore|erro:|failed|timed out|timeout|time-out|exceed|truncat|incomplete|\
    unvollst|abort|abgebrochen|interrupt|more r|more e|limit|max row|max. row|continued|fortsetzung|next page|next sheet|\
    siehe blatt|page suivante|suite page|not exported|not shown|only the first|partial";

/// Beginnings of words of which footers are made.
const USUAL: &str = "confidential vertraulich confidentiel confidencial riservato vertrouwelijk generated erstellt stand \
    created printed exported report bericht page seite end ende fin source quelle copyright internal intern gedruckt total \
    note hinweis filter as affected rows records zeilen";

/// Words between the number of a part and that of the whole.
const OF: [&str; 8] = ["of", "von", "de", "di", "van", "sur", "da", "/"];

/// Whether the text of a line may be a footer: several words, or a word that footers are made of.
pub(super) fn is_text(text: &str) -> bool {
    text.contains([' ', ':', '\u{a0}']) || is_usual(&text.to_lowercase())
}

fn is_usual(word: &str) -> bool {
    let is_it = |usual: &str| word == usual || usual.len() > 4 && word.starts_with(usual);
    USUAL.split(' ').any(is_it)
}

/// The words of a line in lower case, without the signs around them.
fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let words = lower.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')'));
    words
        .map(|word| match word {
            "/" => word.to_owned(),
            word => word.trim_matches(|c: char| !c.is_alphanumeric()).to_owned(),
        })
        .filter(|word| !word.is_empty())
        .collect()
}

/// The numbers of a word that is nothing else: `50`, `1-50`, `1/3`.
fn numbers(word: &str) -> Option<Vec<u64>> {
    let is_range = |c: char| c.is_ascii_digit() || matches!(c, '-' | '/' | '\u{2013}');
    (word.contains(|c: char| c.is_ascii_digit()) && word.chars().all(is_range)).then(|| {
        let parts = word.split(|c: char| !c.is_ascii_digit());
        parts.filter_map(|part| part.parse().ok()).collect()
    })
}

fn is_date(word: &str) -> bool {
    let is_year = word.len() == 4 && (word.starts_with("19") || word.starts_with("20"));
    is_year || word.contains(':') || dates::of_unread(word, false, &TimeZone::UTC).is_some()
}

/// Whether a line says that the file is a part: `Page 1 of 5`, `Export limit reached`.
pub(super) fn says_partial(text: &str) -> bool {
    let lower = text.to_lowercase();
    let words = words(text);
    let is_part = |three: &[String]| match (numbers(&three[0]), numbers(&three[2])) {
        (Some(part), Some(whole)) => OF.contains(&three[1].as_str()) && part.last() < whole.first(),
        _ => false,
    };
    let is_slashed = |word: &String| {
        let is_fraction = word.matches('/').count() == 1 && !is_date(word);
        is_fraction
            && numbers(word).is_some_and(|of| matches!(of[..], [part, whole] if part < whole))
    };
    PARTIAL.split('|').any(|part| lower.contains(part))
        || words.windows(3).any(is_part)
        || words.iter().any(is_slashed)
}

/// Reads a footer below this many rows. A number in it that is not a date is a row count or an id.
pub(super) fn says(text: &str, rows: u64) -> FooterSays {
    if says_partial(text) {
        return FooterSays::More;
    }
    let words = words(text);
    for word in words.iter().filter(|word| !is_date(word)) {
        match numbers(word) {
            Some(numbers) if numbers.iter().any(|number| *number > rows) => {
                return FooterSays::More;
            }
            None if word.contains(|c: char| c.is_ascii_digit()) => {
                return FooterSays::MayNamePerson;
            }
            Some(_) | None => {}
        }
    }
    let says_left = |word: &String| {
        word != "inactive"
            && statuses::employment(word, None, &BTreeMap::new()) == Employment::Ended
    };
    // A name is two to four words that are in no usual footer.
    let may_be_name =
        words.len() < 5 && !words.iter().any(|word| is_usual(word)) && !text.contains(':');
    match words.iter().any(says_left) || may_be_name {
        true => FooterSays::MayNamePerson,
        false => FooterSays::Nothing,
    }
}

/// The number in a line of sums, if it has only one and that is whole.
pub(super) fn count_of<'c>(cells: impl Iterator<Item = &'c str>) -> Option<u64> {
    let mut numbers = cells
        .map(trim)
        .filter(|cell| cell.starts_with(|c: char| c.is_ascii_digit()));
    let only = numbers.next().filter(|_| numbers.next().is_none())?;
    only.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usual_footer_says_nothing() {
        for text in [
            "Confidential: not for distribution",
            "Generated by HR on 2026-11-28",
            "Stand: 28.11.2026, vertraulich",
            "Ende",
            "Page 3 of 3",
            "End of report",
            "Total: 40",
        ] {
            assert!(is_text(text), "{text}");
            assert_eq!(says(text, 40), FooterSays::Nothing, "{text}");
        }
    }

    #[test]
    fn a_footer_that_says_that_rows_are_missing_is_heard() {
        for text in [
            "Page 1 of 5",
            "Seite 1 von 3",
            "Page 1/3",
            "Rows 1-40 of 250",
            "Total: 250",
            "... 249 more rows",
            "Export limit reached",
            "Fortsetzung folgt",
            "Error: export timed out",
        ] {
            assert_eq!(says(text, 40), FooterSays::More, "{text}");
        }
    }

    #[test]
    fn a_footer_may_be_a_person() {
        for text in [
            "David Dupont",
            "E10 Ben Ode left on 2026-10-31",
            "David Dupont (left)",
            "Also left: Ben Ode",
        ] {
            assert_eq!(says(text, 40), FooterSays::MayNamePerson, "{text}");
        }
    }
}
