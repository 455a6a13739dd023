//! Lines of the documentation that an auditor types, in a shell without our program.

#![allow(dead_code, reason = "each test uses only a part of it")]

use std::fs;
use std::path::Path;
use std::process::Command;

/// The shell and the programs that the lines of the documentation and of the report call.
pub(crate) const TOOLS: [&str; 4] = ["sh", "openssl", "sha256sum", "cut"];

/// Runs these lines in a folder. Returns whether the shell succeeded, and its output.
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

/// The lines with this beginning on the pages about signatures and verification.
pub(crate) fn printed(beginning: &str) -> Vec<String> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let pages = ["signatures.md", "verify.md"];
    let pages = pages.map(|page| fs::read_to_string(docs.join(page)).expect("a page"));
    let lines = pages.iter().flat_map(|page| page.lines());
    lines
        .filter(|line| line.starts_with(beginning))
        .map(str::to_owned)
        .collect()
}

/// The only line of these pages with this beginning.
pub(crate) fn the_one(beginning: &str) -> String {
    match &printed(beginning)[..] {
        [line] => line.clone(),
        lines => panic!("the pages have `{beginning}` {} times", lines.len()),
    }
}
