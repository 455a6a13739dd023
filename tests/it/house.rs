//! Which module may import which, and documentation that agrees with the code.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use asana_access_review::cli;
use asana_access_review::cli::exit::{Exit, FailOn};
use asana_access_review::config::{Command, Default, VARIABLES};
use asana_access_review::judgement::Verdict;

/// The layers, from top to bottom. A module imports from layers below; see also [`WITHIN`]. A part
/// of a module may have its own layer.
const LAYERS: &[(&str, &[&str])] = &[
    ("entry", &["main", "lib"]),
    ("commands", &["commands"]),
    ("command line", &["cli"]),
    ("configuration", &["config"]),
    ("after the commit", &["notify", "metrics"]),
    ("verification", &["verify", "status"]),
    ("exit codes", &["cli::exit"]),
    ("chain", &["ledger", "signing"]),
    ("inputs", &["source", "feed", "manual"]),
    ("outputs", &["store"]),
    ("outside world", &["truto", "files", "aws", "net", "clock"]),
    (
        "pure",
        &[
            "pack",
            "report",
            "review",
            "evidence",
            "judgement",
            "schedule",
            "model",
        ],
    ),
];

/// Imports that are allowed within a layer.
const WITHIN: &[(&str, &[&str])] = &[
    ("status", &["verify"]),
    ("ledger", &["signing"]),
    ("truto", &["net", "clock"]),
    ("files", &["aws", "net"]),
    ("aws", &["net"]),
    (
        "pack",
        &[
            "review",
            "report",
            "evidence",
            "judgement",
            "schedule",
            "model",
        ],
    ),
    ("review", &["report", "evidence", "judgement", "model"]),
    ("report", &["evidence", "judgement", "schedule", "model"]),
    ("evidence", &["judgement", "schedule", "model"]),
    ("judgement", &["schedule", "model"]),
];

/// The listed module that a path such as `cli::exit::Exit` belongs to.
fn module_of(path: &str) -> &'static str {
    let modules = LAYERS.iter().flat_map(|(_, modules)| *modules);
    modules
        .filter(|module| {
            let rest = path.strip_prefix(**module);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        })
        .max_by_key(|module| module.len())
        .unwrap_or_else(|| panic!("`{path}` is in no layer: add it to LAYERS"))
}

fn may_import(module: &str, other: &str) -> bool {
    let layer = |module| LAYERS.iter().position(|(_, of)| of.contains(&module));
    let within = WITHIN.iter().find(|(from, _)| *from == module);
    module == other
        || layer(other) > layer(module)
        || within.is_some_and(|(_, modules)| modules.contains(&other))
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

/// The paths that follow `root`, in `use` lines and elsewhere.
fn imported(text: &str, root: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for after in text.split(root).skip(1) {
        let names = match after.strip_prefix('{') {
            Some(group) => outermost(group),
            None => vec![after],
        };
        for name in names {
            let name = name.trim();
            let end = name.find(|c: char| !c.is_ascii_lowercase() && !matches!(c, '_' | ':'));
            let path = name[..end.unwrap_or(name.len())].trim_end_matches(':');
            if !path.is_empty() {
                paths.push(path.to_owned());
            }
        }
    }
    paths
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
fn every_form_of_an_import_is_found() {
    let text = "use crate::net;\nuse crate::{feed::{self, Format}, run, store};\nlet x = \
                crate::cli::exit::f();";
    let paths = ["net", "feed", "run", "store", "cli::exit::f"];
    assert_eq!(imported(text, "crate::"), paths);
}

#[test]
fn a_module_imports_only_from_layers_below() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for path in sources(&src) {
        let relative = path.strip_prefix(&src).expect("below src");
        let place = relative.with_extension("");
        let module = module_of(&place.display().to_string().replace('/', "::"));
        let root = match module {
            "main" => "asana_access_review::",
            _ => "crate::",
        };
        let text = fs::read_to_string(&path).expect("a source file");
        for other in imported(&text, root) {
            if !may_import(module, module_of(&other)) {
                wrong.push(format!("{} imports `{other}`", relative.display()));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn a_module_is_in_exactly_one_layer() {
    let modules = LAYERS.iter().flat_map(|(_, modules)| *modules);
    let mut seen = BTreeSet::new();
    for module in modules {
        assert!(seen.insert(module), "`{module}` is in two layers");
    }
}

#[test]
fn pure_modules_have_no_network_environment_or_clock() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let pure = LAYERS.iter().find(|(layer, _)| *layer == "pure");
    for module in pure.expect("a layer").1 {
        let folder = src.join(module);
        let files = match folder.is_dir() {
            true => sources(&folder),
            false => vec![folder.with_extension("rs")],
        };
        for path in files {
            let text = fs::read_to_string(&path).expect("a source file");
            for word in [
                "async ",
                "tokio",
                "reqwest",
                "std::env",
                "std::fs",
                "std::net::Tcp",
                "getrandom",
                "Instant::now",
                "time::Instant",
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

/// The expected table of variables.
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

/// The expected table of exit codes.
fn exit_codes() -> String {
    let mut table = String::from("| code | meaning |\n|---|---|\n");
    for exit in Exit::ALL {
        table.push_str(&format!("| `{}` | {} |\n", exit.code(), exit.meaning()));
    }
    table
}

#[test]
fn the_documentation_has_every_variable_of_the_code() {
    let table = variables();
    assert!(
        page("docs/configuration.md").contains(&table),
        "docs/configuration.md should have this table:\n{table}"
    );
}

#[test]
fn the_readme_has_every_exit_code_of_the_code() {
    let table = exit_codes();
    assert!(
        page("README.md").contains(&table),
        "README.md should have this table:\n{table}"
    );
}

#[test]
fn the_readme_has_every_verdict_with_its_exit_code() {
    let readme = page("README.md");
    for verdict in [
        Verdict::Fail,
        Verdict::Inconclusive,
        Verdict::PassWithExceptions,
        Verdict::Pass,
    ] {
        let code = Exit::of_verdict(verdict, FailOn::Findings).code();
        let row = format!("\n| `{}` | {code} | ", verdict.as_str());
        assert!(readme.contains(&row), "README.md should have{row}");
    }
}

#[test]
fn the_help_names_the_variables_and_exit_codes_of_its_command() {
    let help = |arguments: &[&str]| {
        let line = [&["asana-access-review"], arguments].concat();
        match cli::parse(line.into_iter().map(Into::into)) {
            Err(help) => help.to_string(),
            Ok(_) => panic!("{arguments:?} is not a request for help"),
        }
    };
    let overview = help(&["--help"]);
    assert!(!overview.contains("TRUTO_API_TOKEN"), "{overview}");
    assert!(!help(&["run", "-h"]).contains("TRUTO_API_TOKEN"));
    let line = |exit: Exit, meaning: &str| format!("\n  {:>3}  {meaning}\n", exit.code());
    for exit in Exit::ALL {
        let line = line(exit, exit.meaning());
        assert!(overview.contains(&line), "{line}");
    }
    for command in Command::ALL {
        let help = help(&[command.as_str(), "--help"]);
        for variable in VARIABLES {
            let serves = variable.commands.contains(&command);
            let line = format!("\n  {}  (", variable.name);
            assert_eq!(help.contains(&line), serves, "{}", variable.name);
        }
        for exit in Exit::ALL {
            match cli::meaning_for(exit, command) {
                Some(meaning) => assert!(help.contains(&line(exit, meaning)), "{help}"),
                None => assert!(
                    !help.contains(&format!("\n  {:>3}  ", exit.code())),
                    "{help}"
                ),
            }
        }
    }
}

#[test]
fn a_page_about_a_command_gives_its_exit_codes_as_the_help_does() {
    for (name, command) in [
        ("docs/connect-and-check.md", Command::Connect),
        ("docs/verify.md", Command::Verify),
        ("docs/audit-pack.md", Command::Report),
        ("docs/status.md", Command::Status),
        ("docs/access-reviews.md", Command::Review),
    ] {
        let page = page(name);
        let rows: Vec<&str> = page
            .lines()
            .map(str::trim)
            .skip_while(|line| *line != "| exit | meaning |")
            .skip(2)
            .take_while(|line| line.starts_with('|'))
            .collect();
        let expected = Exit::ALL.iter().filter_map(|exit| {
            let meaning = cli::meaning_for(*exit, command)?;
            // A code that means the same for every command is only in the README.
            (meaning != exit.meaning()).then(|| format!("| `{}` | {meaning} |", exit.code()))
        });
        assert_eq!(rows, expected.collect::<Vec<_>>(), "{name}");
    }
}
