//! Text as people and systems write it: the differences that a comparison ignores.

/// Letters that differ only by case or by composition become the same text.
///
/// Changing case twice gives what Unicode's full case folding gives: `ẞ`, `ß` and `ss` are equal, and
/// so are `ſ` and `s`. The dotless `ı` stays a letter of its own.
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

/// Removes white space around a text, no-break spaces and characters that take no room too.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || is_zero_width(c))
}

/// Characters that take no room and that other systems leave in by accident.
pub(crate) fn is_zero_width(c: char) -> bool {
    matches!(
        c,
        '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{FEFF}' | '\u{00AD}'
    )
}

/// The first lines, and how many more there are.
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

/// Whether a trimmed text is a way to write "none".
pub(crate) fn is_blank_word(text: &str) -> bool {
    let mut words = BLANK_WORDS.split(' ');
    text.is_empty() || (text.len() <= 9 && words.any(|word| text.eq_ignore_ascii_case(word)))
}
