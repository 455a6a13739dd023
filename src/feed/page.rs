//! The reference tables of `docs/hr-feed.md`, made from the tables in the code.

use std::fmt::{Display, Write as _};

use super::names::{
    ABOUT_OTHERS, DISPLAYED, ENDING, FAMILY_NAMES, FLAGS, GIVEN_NAMES, HARMLESS,
    HARMLESS_UNLESS_ENDING, LEAVING, LEFT_FLAGS, NO_ADDRESS, NO_ID, PEOPLE, TIMESTAMPS, groups,
};
use super::signs::{SIGNS, Sign};
use super::statuses::{ANSWERS, WORDS};
use crate::model::{Employment, Meaning};

const BEGIN: &str = "<!-- the tables, made by a test -->\n";
const END: &str = "<!-- end of the tables -->\n";
const WIDTH: usize = 118;

/// The words of a table, each as code.
fn code(words: &str) -> String {
    let words: Vec<String> = words
        .split_whitespace()
        .map(|word| format!("`{word}`"))
        .collect();
    words.join(", ")
}

/// A text wrapped into lines, with an indent from the second line on.
fn wrapped(text: &str, indent: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let fits = |line: &&mut String| line.chars().count() + word.chars().count() < WIDTH;
        match lines.last_mut().filter(fits) {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) => {
                line.push(' ');
                line.push_str(word);
            }
            None => lines.push(format!("{indent}{word}")),
        }
    }
    lines.join("\n")
}

fn list(items: impl IntoIterator<Item = (impl Display, String)>) -> String {
    let items = items.into_iter();
    items
        .map(|(title, words)| wrapped(&format!("- {title}: {words}"), "  ") + "\n")
        .collect()
}

/// A field with its names, unless it has no names because it is not read.
fn field(meaning: &Meaning) -> Option<(String, String)> {
    let groups: Vec<String> = groups(*meaning).map(code).collect();
    (!groups.is_empty()).then(|| (format!("`{meaning}`"), groups.join("; **else** ")))
}

fn status(meaning: &Employment) -> &'static str {
    match meaning {
        Employment::Active => "employed",
        Employment::OnLeave => "on leave",
        Employment::Ended => "has left",
        Employment::Unclassified(_) | Employment::Blank => unreachable!("no words"),
    }
}

fn sign(sign: Sign) -> &'static str {
    match sign {
        Sign::Next => "more follows, if it is a token, a link or an object",
        Sign::HasMore => "more follows, if true",
        Sign::IsLast => "more follows, if false",
        Sign::Pages => "more follows, if above 1",
        Sign::Total => "more follows, if above the number of records",
        Sign::Count => {
            "more follows, if above the number of records and no total or end is next to it"
        }
        Sign::Previous => "a later page, if it is a token, a link or an object",
        Sign::HasPrevious => "a later page, if true",
        Sign::IsFirst => "a later page, if false",
        Sign::Offset => "a later page, if above 0",
        Sign::Page => "a later page, if above 1",
        Sign::Error => "an error, if it is set",
        Sign::Success => "an error, if false",
    }
}

fn made() -> String {
    let mut made = String::from(BEGIN);
    let mut section = |title: &str, text: &str, list: String| {
        let _ = write!(made, "\n### {title}\n\n{text}\n\n{list}");
    };
    section(
        "Columns",
        "Best names first. Names after **else** count only if no column has a name before it.",
        list(Meaning::ALL.iter().filter_map(field)),
    );
    section(
        "Columns for reviewers",
        "Reviewers of a [periodic review](access-reviews.md) see these. They decide nothing: a date or an address in them counts as unread.",
        list(DISPLAYED.map(|(of, names)| (format!("`{of}`"), code(names)))),
    );
    section(
        "Names in two columns",
        "Used if no column has full names. From each list, the first name that the file has is used.",
        list([
            ("first name", code(GIVEN_NAMES)),
            ("last name", code(FAMILY_NAMES)),
        ]),
    );
    section(
        "Harmless columns",
        "A column is harmless if a word of its name begins with one of these. An address in a column of harmless dates still counts as unread.",
        list([
            ("about another person", code(ABOUT_OTHERS)),
            ("dates that are not the end of work", code(HARMLESS)),
            (
                "the same, unless the name also contains a word of the next list",
                code(HARMLESS_UNLESS_ENDING),
            ),
            ("words for an end", code(ENDING)),
            (
                "words for leaving: a column with one is never harmless",
                code(LEAVING),
            ),
            (
                "the timestamp of a form, together with the address column after it",
                code(TIMESTAMPS),
            ),
        ]),
    );
    section(
        "Status words",
        "In any status column:",
        list(
            WORDS
                .iter()
                .map(|(means, words)| (status(means), code(words))),
        ),
    );
    section(
        "Answers",
        &wrapped(
            &format!(
                "Only in a column with one of these names: {}. In a column with one of the following names, each \
                 answer means the opposite: {}.",
                code(FLAGS),
                code(LEFT_FLAGS)
            ),
            "",
        ),
        list(
            ANSWERS
                .iter()
                .map(|(means, words)| (status(means), code(words))),
        ),
    );
    section(
        "No address and no id",
        "These words and local parts of addresses stand for a missing value.",
        list([
            ("no address", code(NO_ADDRESS)),
            (
                "no id (also zeros, and numbers like `2.00E+11`)",
                code(NO_ID),
            ),
        ]),
    );
    section(
        "Lists of people in JSON",
        "A list is treated as people if its name ends with one of these words.",
        list([("names", code(PEOPLE))]),
    );
    section(
        "Signs of more pages in JSON",
        "Keys around the records, and the meaning of their values.",
        list(SIGNS.iter().map(|(of, keys)| (sign(*of), code(keys)))),
    );
    made.push('\n');
    made.push_str(END);
    made
}

#[test]
fn the_page_has_every_name_status_word_placeholder_and_sign() {
    let page = include_str!("../../docs/hr-feed.md");
    let made = made();
    assert!(page.contains(&made), "docs/hr-feed.md should have:\n{made}");
}

/// The sources of the messages in section 10.
const SOURCES: [&str; 16] = [
    include_str!("columns.rs"),
    include_str!("dates.rs"),
    include_str!("draft.rs"),
    include_str!("json.rs"),
    include_str!("mod.rs"),
    include_str!("outline.rs"),
    include_str!("rows.rs"),
    include_str!("table.rs"),
    include_str!("../files/decode.rs"),
    include_str!("../files/delimited.rs"),
    include_str!("../files/error.rs"),
    include_str!("../judgement/columns.rs"),
    include_str!("../judgement/findings.rs"),
    include_str!("../judgement/checks/mod.rs"),
    include_str!("../judgement/checks/feed.rs"),
    include_str!("../judgement/outcomes.rs"),
];

#[test]
fn every_message_of_the_page_is_one_of_the_program() {
    let page = include_str!("../../docs/hr-feed.md");
    let (_, section) = page.split_once("\n## 10. ").expect("the section");
    let (section, _) = section.split_once("\n## 11. ").expect("the next section");
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    let mut count = 0;
    for row in rows {
        let (messages, _) = row.split_once(" | ").expect("a cell");
        for message in format!("`{messages}").split('`').skip(1).step_by(2) {
            count += 1;
            for part in message.split('…').map(str::trim) {
                let part = part.trim_end_matches([':', ';', ',']);
                let is_made = SOURCES.iter().any(|source| source.contains(part));
                assert!(is_made, "no source has `{part}` of `{message}`");
            }
        }
    }
    assert!(count > 30, "{count} messages");
}
