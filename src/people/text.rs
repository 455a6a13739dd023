//! Text as people and systems leave it: what makes no difference when it is compared.

/// Letters that differ only by case or by composition become the same text.
///
/// Upper-casing first catches what has no lower-case twin (`ß`, `ſ`), as Unicode's full case
/// folding does.
pub(crate) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let folded = text.to_uppercase().to_lowercase();
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

/// A name as it is compared for suspicion: case, blanks, commas and the order of the words make no
/// difference (`Díaz, Ana` and `Ana Díaz`).
pub(crate) fn name_key(name: &str) -> Option<String> {
    let folded = fold(name);
    let mut words: Vec<&str> = folded
        .split(|c: char| c.is_whitespace() || c == ',')
        .filter(|word| !word.is_empty())
        .collect();
    words.sort_unstable();
    (!words.is_empty()).then(|| words.join(" "))
}
