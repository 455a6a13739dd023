//! What an auditor types: lines of README.md, in a shell that has nothing of ours.

#![allow(dead_code, reason = "no test program uses all of it")]

use std::fs;
use std::path::Path;
use std::process::Command;

/// What the lines of README.md and of the report are typed into, and call.
pub(crate) const TOOLS: [&str; 4] = ["sh", "openssl", "sha256sum", "cut"];

/// Whether a shell ends well with these lines in a folder, and what it says.
pub(crate) fn shell(folder: &Path, lines: &str, variables: &[(&str, &str)]) -> (bool, String) {
    let ended = Command::new("sh")
        .args(["-euc", lines])
        .envs(variables.iter().copied())
        .current_dir(folder)
        .output()
        .expect("sh");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (
        ended.status.success(),
        text(ended.stdout) + &text(ended.stderr),
    )
}

/// Lines of README.md that begin like this.
pub(crate) fn printed(beginning: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(path).expect("README.md");
    let lines = readme.lines().filter(|line| line.starts_with(beginning));
    lines.map(str::to_owned).collect()
}

/// The one line of README.md that begins like this.
pub(crate) fn the_one(beginning: &str) -> String {
    match &printed(beginning)[..] {
        [line] => line.clone(),
        lines => panic!("README.md has `{beginning}` {} times", lines.len()),
    }
}
