//! What an auditor types: lines of the documentation, in a shell that has nothing of ours.

#![allow(dead_code, reason = "no test program uses all of it")]

use std::fs;
use std::path::Path;
use std::process::Command;

/// What the lines of the documentation and of the report are typed into, and call.
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

/// Lines that begin like this, of the pages about signatures and about how to check evidence.
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

/// The one line of these pages that begins like this.
pub(crate) fn the_one(beginning: &str) -> String {
    match &printed(beginning)[..] {
        [line] => line.clone(),
        lines => panic!("the pages have `{beginning}` {} times", lines.len()),
    }
}
