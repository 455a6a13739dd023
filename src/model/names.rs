//! Names of people as sets of words, and their comparison.

use icu_normalizer::DecomposingNormalizerBorrowed;

use super::text::{fold, is_zero_width};

/// The likeness of two names. A missing name agrees with any name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Likeness {
    /// The names share no word.
    Unlike,
    /// The names share a word.
    Related,
    /// One name has every word of the other, or the names are in different scripts.
    Agree,
}

/// The words of a name, sorted, each once. Case, accents, punctuation, order, titles and particles make no difference:
/// `Dr. José de la Cruz` is `cruz jose`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NameWords {
    words: Vec<String>,
    script: Script,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Script {
    Latin,
    Greek,
    Cyrillic,
    Han,
    Kana,
    Hangul,
    Other,
}

/// Words that do not distinguish people: titles, particles and suffixes in the languages of HR feeds. Sorted.
const IGNORED_WORDS: &[&str] = &[
    "af", "al", "av", "da", "das", "de", "dei", "del", "della", "dello", "den", "der", "des",
    "dhr", "di", "dipl", "do", "don", "dona", "dos", "dott", "dr", "du", "e", "el", "fr", "frau",
    "herr", "hr", "ii", "iii", "ing", "iv", "jr", "la", "las", "le", "los", "m", "mag", "mba",
    "md", "mevr", "miss", "mlle", "mme", "mr", "mrs", "ms", "mx", "phd", "prof", "sig", "sir",
    "sr", "sra", "srta", "te", "ten", "ter", "und", "van", "vom", "von", "y", "zu", "zum", "zur",
];

impl NameWords {
    /// The words of a name, or `None` if the name has no letter.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let mut visible = without_marks(name);
        visible.retain(|c| !is_zero_width(c));
        let folded = fold(&visible);
        let parts: Vec<String> = folded
            .split(|c: char| !c.is_alphanumeric() && !matches!(c, '\'' | '\u{2019}'))
            .map(spelled)
            .filter(|part| !part.is_empty())
            .collect();
        let script = parts
            .iter()
            .flat_map(|part| part.chars())
            .find_map(script)?;
        let is_word = |part: &String| IGNORED_WORDS.binary_search(&part.as_str()).is_err();
        let mut words = parts;
        if words.iter().any(is_word) {
            words.retain(is_word);
        }
        words.sort_unstable();
        words.dedup();
        Some(Self { words, script })
    }

    pub(crate) fn words(&self) -> &[String] {
        &self.words
    }

    /// Whether the name is in Latin script and has no initial. Then its words find every name that agrees with it.
    pub(crate) fn is_plain(&self) -> bool {
        let is_initial = |word: &String| word.chars().count() == 1;
        self.script == Script::Latin && !self.words.iter().any(is_initial)
    }

    /// Whether this name has every word of another one. An initial matches any word that begins with it.
    fn contains(&self, other: &Self) -> bool {
        other
            .words
            .iter()
            .all(|word| self.words.iter().any(|own| is_same_word(own, word)))
    }

    /// Whether both names are in one script and one of them has every word of the other.
    pub(crate) fn agrees_in_one_script(&self, other: &Self) -> bool {
        self.script == other.script && (self.contains(other) || other.contains(self))
    }

    /// The likeness of this name to another one.
    pub(crate) fn compare(&self, other: &Self) -> Likeness {
        if self.script != other.script || self.agrees_in_one_script(other) {
            Likeness::Agree
        } else if self.words.iter().any(|word| other.words.contains(word)) {
            Likeness::Related
        } else {
            Likeness::Unlike
        }
    }
}

/// The likeness of two names, either of which may be missing.
pub(crate) fn compare_names(one: Option<&NameWords>, other: Option<&NameWords>) -> Likeness {
    match (one, other) {
        (Some(one), Some(other)) => one.compare(other),
        (None, _) | (_, None) => Likeness::Agree,
    }
}

fn is_same_word(one: &str, other: &str) -> bool {
    let is_initial = |word: &str| word.chars().count() == 1;
    one == other
        || is_initial(one) && other.starts_with(one)
        || is_initial(other) && one.starts_with(other)
}

/// A text without accents: letters decomposed (NFKD), without combining marks.
pub(crate) fn without_marks(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let decomposed = DecomposingNormalizerBorrowed::new_nfkd().normalize(text);
    decomposed.chars().filter(|c| !is_mark(*c)).collect()
}

/// Whether a character is a combining mark, which NFKD separates from its letter.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}')
}

/// A word in one spelling. It replaces letters that do not decompose, and German vowels written as two letters.
fn spelled(part: &str) -> String {
    let mut word = String::with_capacity(part.len());
    for c in part.chars() {
        match c {
            '\'' | '\u{2019}' => {}
            'ø' | 'œ' => word.push('o'),
            'æ' => word.push('a'),
            'ł' => word.push('l'),
            'đ' | 'ð' => word.push('d'),
            'þ' => word.push_str("th"),
            'ı' => word.push('i'),
            'e' if word.ends_with(['a', 'o', 'u']) => {}
            c => word.push(c),
        }
    }
    word
}

fn script(c: char) -> Option<Script> {
    Some(match c {
        'a'..='z' | '\u{df}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => Script::Latin,
        '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => Script::Greek,
        '\u{400}'..='\u{52f}' => Script::Cyrillic,
        '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' => Script::Kana,
        '\u{ac00}'..='\u{d7af}' | '\u{1100}'..='\u{11ff}' => Script::Hangul,
        '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3134f}' => {
            Script::Han
        }
        c if c.is_alphabetic() => Script::Other,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(one: &str, other: &str) -> Likeness {
        compare_names(NameWords::of(one).as_ref(), NameWords::of(other).as_ref())
    }

    #[test]
    fn accents_case_order_and_titles_make_no_difference() {
        for (one, other) in [
            ("José Núñez", "NUNEZ, JOSE"),
            ("Dr. Jürgen Müller", "Mueller, Juergen"),
            ("Søren Ødegård", "soren odegard"),
            ("Ana de la Cruz", "Cruz, Ana"),
            ("Łukasz Żak", "Lukasz Zak"),
            ("John Smith Jr.", "Smith, John"),
            ("Sean O'Brien", "Sean OBrien"),
        ] {
            let words = |name| NameWords::of(name).expect("words");
            assert_eq!(words(one).words(), words(other).words(), "{one}");
        }
    }

    #[test]
    fn a_name_agrees_with_a_longer_one_an_initial_and_another_script() {
        for (one, other) in [
            ("Ana Diaz", "Ana Maria Diaz"),
            ("J. Smith", "John Smith"),
            ("小田 勉", "Tsutomu Oda"),
            ("", "Tsutomu Oda"),
            ("Иван Петров", "Ivan Petrov"),
        ] {
            assert_eq!(compared(one, other), Likeness::Agree, "{one}");
        }
    }

    #[test]
    fn names_are_related_by_a_word_and_unlike_without_one() {
        assert_eq!(compared("Ana Diaz", "Ana Lopez"), Likeness::Related);
        assert_eq!(compared("John Smith", "Anna Smith"), Likeness::Related);
        assert_eq!(compared("Ben Ode", "Cia Fox"), Likeness::Unlike);
        assert_eq!(
            compared("Ana de la Vega", "Luis de la Cruz"),
            Likeness::Unlike
        );
    }

    #[test]
    fn ignored_words_are_sorted_for_the_binary_search() {
        assert!(IGNORED_WORDS.is_sorted());
    }

    #[test]
    fn a_name_of_only_particles_keeps_them() {
        let words = |name| NameWords::of(name).expect("words").words().join(" ");
        assert_eq!(words("Di La"), "di la");
        assert_eq!(NameWords::of(" - 12"), None);
    }
}
