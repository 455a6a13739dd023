//! The house keeps its own rules: who may import whom, and texts that agree with the code.

use std::fs;
use std::path::{Path, PathBuf};

use asana_access_review::cli::{self, Asked};
use asana_access_review::config::{Command, Default, VARIABLES};
use asana_access_review::exit::Exit;

/// The floors from the door down. A room may import from its own and from floors below; on one
/// floor rooms don't know each other except where `SAME_FLOOR` says so.
const FLOORS: &[&[&str]] = &[
    &["main", "lib"],
    &["cli", "logging", "words"],
    &["config"],
    &["check"],
    &["run", "connect", "verify", "review::command"],
    &["notify"],
    &["exit"],
    &["ledger"],
    &["source", "feed", "directives", "store"],
    &["files", "signing"],
    &["truto", "aws", "net"],
    &["clock"],
    &["review"],
    &["report"],
    &["evidence"],
    &["judgement"],
    &["people"],
    &["schedule"],
];

/// Arrows that the floors alone do not allow.
const ARROWS: &[(&str, &str, &str)] = &[
    ("truto", "net", "the wire under Truto's"),
    ("judgement", "review", "what closed reviews asked for"),
    ("evidence", "review", "the same, as a run stores it"),
    ("report", "review", "the same, as its page shows it"),
];

fn floor(room: &str) -> usize {
    FLOORS
        .iter()
        .position(|rooms| rooms.contains(&room))
        .unwrap_or_else(|| panic!("`{room}` has no floor: add it to FLOORS"))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Rooms named after `crate::`, in `use` lines and in paths alike.
fn imported(text: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for after in text.split("crate::").skip(1) {
        let names = match after.strip_prefix('{') {
            Some(group) => outermost(group),
            None => vec![after],
        };
        for name in names {
            let name = name.trim();
            let end = name
                .find(|c: char| !c.is_ascii_lowercase() && c != '_')
                .unwrap_or(name.len());
            match name.starts_with("review::command") {
                true => rooms.push("review::command".to_owned()),
                false if end > 0 => rooms.push(name[..end].to_owned()),
                false => {}
            }
        }
    }
    rooms
}

/// The parts of a group, up to its closing brace; groups inside of it stay whole.
fn outermost(group: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                parts.push(&group[start..at]);
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    parts
}

#[test]
fn an_import_is_seen_in_every_form() {
    let text = "use crate::net;\nuse crate::{feed::{self, Format}, run, store};\nlet x = \
                crate::words::f();";
    assert_eq!(imported(text), ["net", "feed", "run", "store", "words"]);
}

#[test]
fn no_room_imports_from_above() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for path in sources(&src) {
        let relative = path.strip_prefix(&src).expect("below src");
        let first = relative.components().next().expect("a name").as_os_str();
        let room = match relative.starts_with("review/command") {
            true => "review::command".to_owned(),
            false => first.to_string_lossy().trim_end_matches(".rs").to_owned(),
        };
        let text = fs::read_to_string(&path).expect("a source file");
        for other in imported(&text) {
            let allowed = other == room
                || floor(&other) > floor(&room)
                || ARROWS
                    .iter()
                    .any(|(from, to, _)| *from == room && *to == other);
            if !allowed {
                wrong.push(format!("{} imports `{other}`", relative.display()));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_pure_rooms_know_no_network_environment_or_clock() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let command = src.join("review/command");
    for room in [
        "people",
        "judgement",
        "evidence",
        "report",
        "review",
        "schedule.rs",
    ] {
        let room = src.join(room);
        let files = match room.is_dir() {
            true => sources(&room),
            false => vec![room],
        };
        for path in files.into_iter().filter(|path| !path.starts_with(&command)) {
            let text = fs::read_to_string(&path).expect("a source file");
            for word in [
                "async ",
                "tokio",
                "reqwest",
                "std::env",
                "std::fs",
                "std::net::Tcp",
                "getrandom",
                "Instant",
                "SystemTime",
                "Timestamp::now",
                // Predicates return what they used instead of recording that they were asked.
                "std::cell",
                "std::sync::Mutex",
            ] {
                assert!(!text.contains(word), "{} has `{word}`", path.display());
            }
        }
    }
}

fn page(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    fs::read_to_string(path).expect("a page")
}

fn default(default: Default) -> String {
    match default {
        Default::Required => "**required**".to_owned(),
        Default::Unset => "unset".to_owned(),
        Default::Value(value) => format!("`{value}`"),
        Default::Depends(words) => words.to_owned(),
    }
}

/// The table of variables as the code has it.
fn variables() -> String {
    let mut table =
        String::from("| variable | default | commands | meaning |\n|---|---|---|---|\n");
    for variable in VARIABLES {
        let commands: Vec<&str> = variable
            .commands
            .iter()
            .map(|command| command.as_str())
            .collect();
        let commands = if variable.commands.len() == Command::ALL.len() {
            "all".to_owned()
        } else {
            commands.join(" ")
        };
        let secret = if variable.secret { " *(secret)*" } else { "" };
        table.push_str(&format!(
            "| `{}` | {} | {commands} | {}{secret} |\n",
            variable.name,
            default(variable.default),
            variable.meaning,
        ));
    }
    table
}

/// The table of exit codes as the code has it.
fn exit_codes() -> String {
    let mut table = String::from("| code | meaning |\n|---|---|\n");
    for exit in Exit::ALL {
        table.push_str(&format!("| `{}` | {} |\n", exit.code(), exit.meaning()));
    }
    table
}

#[test]
fn the_documentation_has_every_variable_as_the_code_has_it() {
    let table = variables();
    assert!(
        page("docs/configuration.md").contains(&table),
        "docs/configuration.md should have this table:\n{table}"
    );
}

#[test]
fn the_readme_has_every_exit_code_as_the_code_has_it() {
    let table = exit_codes();
    assert!(
        page("README.md").contains(&table),
        "README.md should have this table:\n{table}"
    );
}

#[test]
fn the_help_names_the_variables_and_exit_codes_of_its_command() {
    for (command, arguments) in [
        (Command::Run, &["asana-access-review", "--help"][..]),
        (Command::Run, &["asana-access-review", "run", "--help"]),
        (Command::Check, &["asana-access-review", "check", "--help"]),
        (
            Command::Connect,
            &["asana-access-review", "connect", "--help"],
        ),
        (
            Command::Verify,
            &["asana-access-review", "verify", "--help"],
        ),
    ] {
        let Asked::Print(help) = cli::parse(arguments.iter().map(Into::into)) else {
            panic!("{arguments:?} is no help");
        };
        for variable in VARIABLES {
            let serves = variable.commands.contains(&command);
            let line = format!("\n  {}  (", variable.name);
            assert_eq!(help.contains(&line), serves, "{}", variable.name);
        }
        for exit in Exit::ALL {
            assert!(help.contains(exit.meaning()), "{}", exit.code());
        }
    }
}
