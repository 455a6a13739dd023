//! Lines below and above the rows: whether they show that rows are missing or name a person.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::{dates, statuses};
use crate::model::{Employment, trim};

/// The meaning of a footer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FooterMeaning {
    Nothing,
    /// Rows are missing.
    More,
    /// The line may be a person.
    MayNamePerson,
}

/// Parts of texts, separated by bars, that show that an export stopped or continues elsewhere.
const PARTIAL: &str = "error|fehler|erreur|errore|erro:|failed|timed out|timeout|time-out|exceed|truncat|incomplete|\
    unvollst|abort|abgebrochen|interrupt|more r|more e|limit|max row|max. row|continued|fortsetzung|next page|next sheet|\
    siehe blatt|page suivante|suite page|not exported|not shown|only the first|partial";

/// Beginnings of words that are common in footers.
const USUAL: &str = "confidential vertraulich confidentiel confidencial riservato vertrouwelijk generated erstellt stand \
    created printed exported report bericht page seite end ende fin source quelle copyright internal intern gedruckt total \
    note hinweis filter as affected rows records zeilen";

/// Words between the number of a part and the number of parts.
const OF: [&str; 8] = ["of", "von", "de", "di", "van", "sur", "da", "/"];

/// Whether the text of a line may be a footer: several words, or a common word of footers.
pub(super) fn is_text(text: &str) -> bool {
    text.contains([' ', ':', '\u{a0}']) || is_usual(&text.to_lowercase())
}

fn is_usual(word: &str) -> bool {
    let is_it = |usual: &str| word == usual || usual.len() > 4 && word.starts_with(usual);
    USUAL.split(' ').any(is_it)
}

/// The words of a line in lower case, without punctuation around them.
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

/// The numbers of a word that has only numbers: `50`, `1-50`, `1/3`.
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

/// Whether a line shows that the file is only a part: `Page 1 of 5`, `Export limit reached`.
pub(super) fn shows_part(text: &str) -> bool {
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

/// The meaning of a footer below this number of rows. A number that is not a date is a row count or an id.
pub(super) fn meaning(text: &str, rows: u64) -> FooterMeaning {
    if shows_part(text) {
        return FooterMeaning::More;
    }
    let words = words(text);
    for word in words.iter().filter(|word| !is_date(word)) {
        match numbers(word) {
            Some(numbers) if numbers.iter().any(|number| *number > rows) => {
                return FooterMeaning::More;
            }
            None if word.contains(|c: char| c.is_ascii_digit()) => {
                return FooterMeaning::MayNamePerson;
            }
            Some(_) | None => {}
        }
    }
    let means_left = |word: &String| {
        word != "inactive"
            && statuses::employment(word, None, &BTreeMap::new()) == Employment::Ended
    };
    // A name has up to four words, and no common word of footers.
    let may_be_name =
        words.len() < 5 && !words.iter().any(|word| is_usual(word)) && !text.contains(':');
    match words.iter().any(means_left) || may_be_name {
        true => FooterMeaning::MayNamePerson,
        false => FooterMeaning::Nothing,
    }
}

/// The number in a line of sums, if the line has only one number and it is a whole number.
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
    fn a_common_footer_has_no_meaning() {
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
            assert_eq!(meaning(text, 40), FooterMeaning::Nothing, "{text}");
        }
    }

    #[test]
    fn a_footer_may_show_that_rows_are_missing() {
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
            assert_eq!(meaning(text, 40), FooterMeaning::More, "{text}");
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
            assert_eq!(meaning(text, 40), FooterMeaning::MayNamePerson, "{text}");
        }
    }
}
