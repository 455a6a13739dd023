//! The commands of the documentation: the shell accepts each block, the program accepts each of its commands and
//! variables, and what needs no network runs.

use std::fs;
use std::process::{Command, Stdio};

use asana_access_review::cli;
use asana_access_review::config::{self, Default, VARIABLES};
use asana_access_review::evidence::sha256_hex;

use crate::support::has;
use crate::support::job::{Job, LEFT_AND_ACTIVE, ended};
use crate::support::kube::{here, text};
use serde_json::json;
use truto_simulator::CONNECTION_ID;

const PROGRAM: &str = "asana-access-review";

/// Pages with blocks of other programs only, and what runs these blocks.
const LEFT_OUT: [(&str, &str); 13] = [
    (
        "README.md",
        "cargo: .ci/run; kubectl and helm: as in docs/install.md",
    ),
    ("docs/access-reviews.md", "review_job::"),
    ("docs/audit-pack.md", "report::"),
    (
        "docs/for-auditors.md",
        "tests/by_hand.sh; kubectl: as in docs/install.md",
    ),
    (
        "docs/getting-started.md",
        "the demo: .ci/run; the simulator: not run",
    ),
    ("docs/hr-feed.md", "jq: not run"),
    ("docs/install.md", "install::"),
    ("docs/notifications.md", "notify::"),
    ("docs/operations.md", "install::"),
    ("docs/runbook.md", "kubectl: not run"),
    ("docs/signatures.md", "signing:: and kms::"),
    ("docs/stores.md", "install::; mc: not run"),
    ("docs/verify.md", "signing::"),
];

/// A block of shell commands.
struct Block {
    page: String,
    /// The number of its first line.
    line: usize,
    text: String,
}

fn blocks() -> Vec<Block> {
    let docs = fs::read_dir(here("docs")).expect("a folder");
    let docs = docs.map(|entry| entry.expect("an entry").file_name());
    let docs = docs.map(|name| name.into_string().expect("UTF-8"));
    let pages = docs.filter(|name| name.ends_with(".md"));
    let mut pages: Vec<String> = pages.map(|name| format!("docs/{name}")).collect();
    pages.extend(["README.md", "docs/iam/README.md"].map(str::to_owned));
    pages.sort();
    let mut blocks: Vec<Block> = Vec::new();
    for page in pages {
        let mut is_shell = false;
        let mut is_fenced = false;
        for (line, content) in (1..).zip(text(&page).lines()) {
            match content.trim_start().strip_prefix("```") {
                Some(language) => {
                    is_fenced = !is_fenced;
                    is_shell = is_fenced && matches!(language, "sh" | "bash");
                    if is_shell {
                        let (page, text) = (page.clone(), String::new());
                        blocks.push(Block { page, line, text });
                    }
                }
                None if is_shell => {
                    let block = blocks.last_mut().expect("a block");
                    block.text.push_str(content);
                    block.text.push('\n');
                }
                None => {}
            }
        }
    }
    blocks
}

/// The words of the first command of a line, up to a comment, pipe or redirection. Quotes are resolved.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if open == c => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '|' | '>' | ';' | '&') => break,
            (None, '#') if word.is_none() => break,
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// The assignments at the beginning of a line, also after `export`, and the command after them.
fn assignments_and_command(line: &str) -> (Vec<(String, String)>, Vec<String>) {
    let mut words = words(line);
    if words.first().is_some_and(|word| word == "export") {
        words.remove(0);
    }
    let is_name = |name: &str| {
        let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        !name.is_empty() && name.chars().all(plain)
    };
    let assigned = |word: &String| {
        let (name, value) = word.split_once('=')?;
        is_name(name).then(|| (name.to_owned(), value.to_owned()))
    };
    let assignments: Vec<_> = words.iter().map_while(assigned).collect();
    let command = words.split_off(assignments.len());
    (assignments, command)
}

impl Block {
    /// The lines with their continuations.
    fn lines(&self) -> Vec<String> {
        let joined = self.text.replace("\\\n", " ");
        joined.lines().map(|line| line.trim().to_owned()).collect()
    }

    /// The commands of the program, each without its name.
    fn commands(&self) -> Vec<Vec<String>> {
        let lines = self.lines();
        let commands = lines.iter().map(|line| assignments_and_command(line).1);
        let ours = commands.filter(|command| command.first().is_some_and(|word| word == PROGRAM));
        ours.map(|command| command[1..].to_vec()).collect()
    }

    fn variables(&self) -> Vec<(String, String)> {
        let lines = self.lines();
        let assigned = lines
            .iter()
            .flat_map(|line| assignments_and_command(line).0);
        assigned.collect()
    }

    fn place(&self) -> String {
        format!("{}:{}", self.page, self.line)
    }
}

/// Whether the program reads this variable.
fn is_ours(name: &str) -> bool {
    let is = |of: &config::Variable| {
        of.name == name || (of.secret && name.strip_suffix("_FILE") == Some(of.name))
    };
    VARIABLES.iter().any(is)
}

#[test]
fn the_shell_accepts_every_block_of_the_documentation() {
    if !has(&["sh"]) {
        return;
    }
    for block in blocks() {
        let checked = Command::new("sh").args(["-nc", &block.text]).output();
        let checked = checked.expect("sh");
        assert!(checked.status.success(), "{}: {checked:?}", block.place());
    }
}

#[test]
fn the_program_accepts_each_of_its_commands_on_a_page() {
    let mut count = 0;
    for block in blocks() {
        for command in block.commands() {
            let whole_head = format!("42:{}", "9f2c".repeat(16));
            let arguments = command
                .iter()
                .map(|word| word.replace("42:9f2c…", &whole_head));
            let line = [PROGRAM.to_owned()].into_iter().chain(arguments);
            if let Err(error) = cli::parse(line.map(Into::into)) {
                panic!("{}: {}", block.place(), error.render());
            }
            count += 1;
        }
    }
    assert!(count > 15, "{count} commands");
}

#[test]
fn every_variable_that_a_page_sets_has_a_use_and_a_valid_value() {
    let mut count = 0;
    let blocks = blocks();
    for block in &blocks {
        let page = text(&block.page);
        let of_the_page = blocks.iter().filter(|of| of.page == block.page);
        let of_the_page: Vec<_> = of_the_page.flat_map(Block::variables).collect();
        let mut settings: Vec<(String, String)> = Vec::new();
        for (name, value) in block.variables() {
            let is_used =
                page.contains(&format!("${name}")) || page.contains(&format!("${{{name}"));
            let is_known = is_ours(&name) || name.starts_with("AWS_") || name == "LC_ALL";
            assert!(is_known || is_used, "{}: {name}", block.place());
            if is_ours(&name) {
                count += 1;
                // `$NAME` is a variable that the page sets.
                let known = of_the_page.iter().rev();
                let value = known.fold(value, |value, (name, known)| {
                    value.replace(&format!("${name}"), known)
                });
                settings.push((name, value));
            }
        }
        for variable in VARIABLES {
            let is_set = |(name, _): &(String, String)| name.starts_with(variable.name);
            if variable.default == Default::Required && !settings.iter().any(is_set) {
                let value = match variable.name {
                    "TRUTO_INTEGRATED_ACCOUNT_ID" => "5f0c3a52-8d1e-4b7a-9c64-2e9b7d1f4a10",
                    "HR_FEED_URL" => "https://hr.example/people.csv",
                    _ => "x",
                };
                settings.push((variable.name.to_owned(), value.to_owned()));
            }
        }
        let settings = settings
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()));
        let loaded = config::load(settings.collect(), |_| Ok("x".to_owned()));
        if let Err(problems) = loaded {
            panic!("{}: {problems}", block.place());
        }
    }
    assert!(count > 40, "{count} variables");
}

#[test]
fn the_commands_of_the_pages_that_need_no_network_run() {
    let key = fs::read_to_string(here("tests/keys/ed25519.test-key.pem")).expect("a key");
    let job = Job::scenario("healthy", LEFT_AND_ACTIVE).env("EVIDENCE_SIGNING_KEY", &key);
    assert_eq!(job.run().code, 3);
    let folder = job.folder.path();
    for copy in ["copy", "restored"] {
        std::os::unix::fs::symlink("evidence", folder.join(copy)).expect("a link");
    }
    for (from, to) in [("ed25519", "signing"), ("p256", "signing-2")] {
        let from = here(&format!("tests/keys/{from}.pub.pem"));
        fs::copy(from, folder.join(format!("{to}.pub.pem"))).expect("a key");
    }
    let list = json!({"TRUTO_INTEGRATED_ACCOUNT_ID": CONNECTION_ID, "HR_FEED_URL": "hr.csv"});
    fs::write(folder.join("connections.jsonl"), list.to_string()).expect("a file");
    let entry = fs::read(job.connection().join("ledger/0000000001.json")).expect("an entry");
    let head = format!("1:{}", sha256_hex(&entry));

    let mut count = 0;
    for block in blocks() {
        for command in block.commands() {
            match command.first().map(String::as_str) {
                Some("verify" | "status" | "completions" | "man") => {}
                // `check`, `connect` and a run need Truto, a review needs decisions, and a pack needs a period. They have
                // tests of their own.
                None | Some("run" | "check" | "connect" | "review" | "report") => continue,
                Some(other) => panic!("{}: run `{other}`, or leave it out here", block.place()),
            }
            let arguments = command.iter().map(|word| word.replace("42:9f2c…", &head));
            let output = Command::new(env!("CARGO_BIN_EXE_asana-access-review"))
                .current_dir(folder)
                .env_clear()
                .stdin(Stdio::null())
                .args(arguments)
                .output();
            let ended = ended(output.expect("the binary"));
            // 3: `status` shows the verdict of the run. 4: the only run is not all that were scheduled.
            let is_fine = match command.first().map(String::as_str) {
                Some("status") => ended.code == 3,
                _ => matches!(ended.code, 0 | 4),
            };
            assert!(is_fine, "{}: {ended:?}", block.place());
            assert!(!ended.stdout.is_empty(), "{}", block.place());
            count += 1;
        }
    }
    assert!(count >= 7, "{count} commands");
}

#[test]
fn a_page_with_commands_of_other_programs_names_its_test() {
    let mut others: Vec<String> = Vec::new();
    for block in blocks() {
        let sets_ours = block.variables().iter().any(|(name, _)| is_ours(name));
        if block.commands().is_empty() && !sets_ours && !others.contains(&block.page) {
            others.push(block.page);
        }
    }
    others.sort();
    assert_eq!(others, LEFT_OUT.map(|(page, _)| page));
}

#[test]
fn words_of_a_command_are_read_as_by_a_shell() {
    let (variables, command) =
        assignments_and_command("A=1 B='x y' asana-access-review check --zone \"a b\" # c | d");
    assert_eq!(
        variables,
        [("A", "1"), ("B", "x y")].map(|(a, b)| (a.to_owned(), b.to_owned()))
    );
    assert_eq!(command, ["asana-access-review", "check", "--zone", "a b"]);
    assert_eq!(
        words("asana-access-review; echo x"),
        ["asana-access-review"]
    );
    assert_eq!(words("man > x.1"), ["man"]);
}
