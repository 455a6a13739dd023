//! Text as people and systems write it: differences that comparisons ignore.

/// Folds a text: letters that differ only in case or composition become equal.
///
/// Two changes of case have the result of Unicode's full case folding: `ẞ`, `ß` and `ss` are equal, and so are `ſ` and
/// `s`. The dotless `ı` stays a separate letter.
pub(crate) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut folded = String::with_capacity(text.len());
    for c in text.to_lowercase().chars() {
        match c {
            'ı' => folded.push(c),
            c => folded.extend(c.to_uppercase().flat_map(char::to_lowercase)),
        }
    }
    icu_normalizer::ComposingNormalizerBorrowed::new_nfc()
        .normalize(&folded)
        .into_owned()
}

/// Removes white space around a text, including no-break spaces and zero-width characters.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || is_zero_width(c))
}

/// Whether a character is invisible. Other systems insert such characters by accident.
pub(crate) fn is_zero_width(c: char) -> bool {
    matches!(
        c,
        '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{FEFF}' | '\u{00AD}'
    )
}

/// A number with its words, in the singular or plural: `1 row was read`, `2 rows were read`.
pub(crate) fn counted(number: impl std::fmt::Display, one: &str, several: &str) -> String {
    match number.to_string().as_str() {
        "1" => format!("1 {one}"),
        number => format!("{number} {several}"),
    }
}

/// The first lines, then the number of further ones.
pub(crate) fn at_most(most: usize, mut lines: Vec<String>) -> Vec<String> {
    let more = lines.len().saturating_sub(most);
    lines.truncate(most);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines
}

/// Words that systems write for a missing value.
const BLANK_WORDS: &str =
    "- -- – — n/a na n.a. #n/a none (none) null nil nan nat undefined (blank)";

/// Whether a trimmed text is blank or a word for "none".
pub(crate) fn is_blank_word(text: &str) -> bool {
    let mut words = BLANK_WORDS.split(' ');
    text.is_empty() || (text.len() <= 9 && words.any(|word| text.eq_ignore_ascii_case(word)))
}
