//! The documentation: links have a target, the README is short, and the words are plain English.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::kube::{here, text};

/// Pages outside of `docs/`.
const OTHERS: [&str; 6] = [
    "README.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "docs/iam/README.md",
    "helm/asana-access-review/README.md",
    "benches/side_by_side/README.md",
];

/// Phrases that must not occur on a page, in lower case and without punctuation.
const PHRASES: &[&str] = &[
    // A run is a run.
    "night",
    "nights",
    "tonight",
    // A person or a program acts.
    "whoever",
    "whomever",
    "nobody",
    "somebody",
    "somebody's",
    "whose eyes",
    // Verbs for people and programs only.
    "told",
    "tells",
    "tell of",
    "stands",
    "bears",
    "vouch",
    "vouches",
    "lies in",
    "lie in",
    // Integrity, fault, recompute.
    "damage",
    "damaged",
    "judged again",
    // Most severe first.
    "gravest",
    "graver",
    // Not, none.
    "is no",
    "are no",
    "is none",
    "are none",
    "where there is",
    "where there are",
    "campaign",
    "campaigns",
];

fn pages() -> Vec<String> {
    let docs = fs::read_dir(here("docs")).expect("a folder");
    let docs = docs.map(|entry| entry.expect("an entry").file_name());
    let docs = docs.map(|name| name.into_string().expect("UTF-8"));
    let docs = docs.filter(|name| name.ends_with(".md"));
    let mut pages: Vec<String> = docs.map(|name| format!("docs/{name}")).collect();
    pages.extend(OTHERS.map(str::to_owned));
    pages.sort();
    pages
}

/// The lines outside of fenced blocks, with their numbers.
fn prose(document: &str) -> Vec<(usize, &str)> {
    let mut is_fenced = false;
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(document.lines()) {
        match line.trim_start().starts_with("```") {
            true => is_fenced = !is_fenced,
            false if !is_fenced => lines.push((number, line)),
            false => {}
        }
    }
    assert!(!is_fenced, "a block that does not end");
    lines
}

/// A line without the text between two marks, such as code or the output of a program.
fn without(line: &str, mark: &str) -> String {
    line.split(mark).step_by(2).collect::<Vec<_>>().join(" ")
}

/// The targets of the links of a line.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let targets = line.split("](").skip(1);
    targets.filter_map(|rest| rest.split(')').next())
}

/// The anchors of a document, as GitHub makes them.
fn anchors(document: &str) -> Vec<String> {
    let mut times = BTreeMap::<String, usize>::new();
    let mut anchors = Vec::new();
    for (_, line) in prose(document) {
        let title = line.trim_start_matches('#');
        if title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let keeps = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
        let slug: String = title.trim().chars().filter(keeps).collect();
        let slug = slug.to_lowercase().replace(' ', "-");
        let before = times.entry(slug.clone()).or_default();
        anchors.push(match *before {
            0 => slug,
            more => format!("{slug}-{more}"),
        });
        *before += 1;
    }
    anchors
}

#[test]
fn every_link_of_the_documentation_has_a_target() {
    let mut broken = Vec::new();
    for page in pages() {
        let document = text(&page);
        let folder = here(&page).parent().expect("a folder").to_owned();
        for (number, line) in prose(&document) {
            let line = without(line, "``");
            for link in links(&line).filter(|link| !link.starts_with("https://")) {
                let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
                let target = match path {
                    "" => here(&page),
                    path => folder.join(path),
                };
                let is_there = match anchor {
                    "" => target.exists(),
                    anchor => fs::read_to_string(&target)
                        .is_ok_and(|text| anchors(&text).iter().any(|of| of == anchor)),
                };
                if !is_there {
                    broken.push(format!("{page}:{number}: {link}"));
                }
            }
        }
    }
    assert_eq!(broken, Vec::<String>::new());
}

#[test]
fn the_index_lists_every_page_of_the_documentation() {
    let index = text("docs/README.md");
    for page in pages() {
        let Some(name) = page.strip_prefix("docs/") else {
            continue;
        };
        assert!(
            name == "README.md" || index.contains(&format!("]({name})")),
            "docs/README.md lacks {name}"
        );
    }
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => files.extend(self::files(&path)),
            false => files.push(path),
        }
    }
    files
}

#[test]
fn every_page_that_the_program_and_the_chart_name_exists() {
    let mut named = 0;
    for folder in ["src", "helm", "k8s"] {
        for path in files(&here(folder)) {
            let text = fs::read_to_string(&path).expect("a text");
            for after in text.split("docs/").skip(1) {
                let end = after.find(|c: char| !c.is_ascii_alphanumeric() && !"-_/.".contains(c));
                let name = after[..end.unwrap_or(after.len())].trim_end_matches('.');
                if name.ends_with(".md") {
                    let page = here("docs").join(name);
                    assert!(page.is_file(), "{}: docs/{name}", path.display());
                    named += 1;
                }
            }
        }
    }
    assert!(named > 0);
}

#[test]
fn the_readme_has_at_most_200_lines() {
    let lines = text("README.md").lines().count();
    assert!(lines <= 200, "{lines}");
}

/// The sentences of a page as words, with a blank between words and at both ends. Code, emphasis
/// and the targets of links are omitted.
fn sentences(document: &str) -> Vec<String> {
    let mut text = String::new();
    for (_, line) in prose(document) {
        let line = without(&without(line, "``"), "`").replace("**", "");
        let line = without(&line, "*");
        let mut parts = line.split("](");
        text.push_str(parts.next().unwrap_or_default());
        for part in parts {
            text.push(' ');
            text.push_str(part.split_once(')').map_or("", |(_, rest)| rest));
        }
        // A table or a heading ends its sentence with its line.
        text.push_str(if line.trim().is_empty() || line.starts_with(['|', '#']) {
            " . "
        } else {
            " "
        });
    }
    let text = text.to_lowercase().replace('’', "'");
    let keeps = |c: char| c.is_alphanumeric() || c == '\'';
    text.split(['.', ':', ';', '|'])
        .map(|sentence| {
            let words = sentence.split(|c: char| !keeps(c));
            let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
            format!(" {} ", words.join(" ")).replace(" no longer ", " ")
        })
        .collect()
}

/// The phrases of [`PHRASES`] in a sentence.
fn phrases_in(sentence: &str) -> Vec<&'static str> {
    let has = |phrase: &&str| sentence.contains(&format!(" {phrase} "));
    let mut wrong: Vec<&str> = PHRASES.iter().copied().filter(has).collect();
    let mut words = sentence.split(' ');
    if words.any(|word| matches!(word, "leave" | "leaves")) && words.any(|word| word == "away") {
        wrong.push("leave … away");
    }
    wrong
}

#[test]
fn the_documentation_is_in_plain_english() {
    let mut found = Vec::new();
    for page in pages() {
        for sentence in sentences(&text(&page)) {
            for phrase in phrases_in(&sentence) {
                found.push(format!("{page}: `{phrase}` in:{sentence}"));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_phrase_is_found_across_lines_and_not_in_code() {
    let found = |document: &str| -> Vec<&str> {
        let sentences = sentences(document);
        sentences.iter().flat_map(|of| phrases_in(of)).collect()
    };
    assert_eq!(found("It is\nno fault, the gravest."), ["gravest", "is no"]);
    assert_eq!(found("Leave `X` away. At midnight."), ["leave … away"]);
    assert_eq!(found("A [night](night.md) ends"), ["night"]);
    assert_eq!(
        found("Nightly: `nobody`, *is no*\n```\nnight\n```\n"),
        [""; 0]
    );
    assert_eq!(anchors("## A `b`, c\n## A b c"), ["a-b-c", "a-b-c-1"]);
}

#[test]
fn every_dependency_has_a_documented_reason() {
    let manifest = text("Cargo.toml");
    let direct = manifest
        .split("[dependencies]\n")
        .nth(1)
        .expect("a section");
    let direct = direct.split("\n[").next().expect("its lines");
    let crates: Vec<&str> = direct
        .lines()
        .filter_map(|line| line.split_once([' ', '.']))
        .map(|(name, _)| name)
        .filter(|name| !name.starts_with('#'))
        .collect();
    assert!(crates.len() > 40, "{crates:?}");
    let page = text("docs/dependencies.md");
    let rows: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(rows, crates);
}

/// Words that must not occur in code: not in names, comments or messages.
const CODE_WORDS: [&str; 9] = [
    "night", "nights", "tonight", "told", "whoever", "whomever", "gravest", "graver", "vouch",
];

#[test]
fn the_code_is_in_plain_english() {
    let mut folders = [
        "src",
        "tests/it",
        "tests/simulator/src",
        "examples",
        "benches",
    ]
    .map(here)
    .to_vec();
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.display().to_string();
            if path.is_dir() {
                folders.push(path);
            } else if [".rs", ".html", ".js"]
                .iter()
                .any(|end| name.ends_with(end))
                && !name.ends_with("tests/it/documentation.rs")
            {
                let text = fs::read_to_string(&path).expect("a source file");
                // A file name that is given.
                let text = text.to_lowercase().replace("h39-mail-told.csv", "");
                let words = text.split(|c: char| !c.is_ascii_alphabetic());
                let wrong = words.filter(|word| CODE_WORDS.contains(word));
                found.extend(wrong.map(|word| format!("{name}: `{word}`")));
                // A count has a singular and a plural.
                let both = text
                    .lines()
                    .filter(|line| line.contains("(s) ") && line.contains('"'));
                found.extend(both.map(|line| format!("{name}: {}", line.trim())));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
