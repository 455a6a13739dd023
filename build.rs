//! Gives the program the commit that it is built from: `GIT_COMMIT` if the build sets it, else what git reports.

use std::path::Path;
use std::process::Command;

/// What the program is made from. A change to any other file leaves it the same.
const SOURCES: [&str; 4] = ["Cargo.lock", "Cargo.toml", "build.rs", "src"];

#[expect(
    clippy::disallowed_methods,
    reason = "a build script gets its input from the environment"
)]
fn main() {
    let given = std::env::var("GIT_COMMIT").unwrap_or_default();
    let commit = match given.trim() {
        "" => of_git().unwrap_or("unknown".to_owned()),
        commit => commit.to_owned(),
    };
    println!("cargo::rustc-env=BUILD_COMMIT={commit}");
    println!("cargo::rerun-if-env-changed=GIT_COMMIT");
    for source in SOURCES {
        println!("cargo::rerun-if-changed={source}");
    }
}

/// The commit that is checked out, with `-dirty` if the sources differ from it. None without a repository, as in
/// a tarball: a repository further up is not of these sources.
fn of_git() -> Option<String> {
    if !Path::new(".git").exists() {
        return None;
    }
    // HEAD changes with a checkout, its log with each commit.
    for name in ["HEAD", "logs/HEAD"] {
        let file = git(&["rev-parse", "--git-path", name])?;
        if Path::new(&file).exists() {
            println!("cargo::rerun-if-changed={file}");
        }
    }
    let commit = git(&["rev-parse", "HEAD"])?;
    let status = ["--no-optional-locks", "status", "--porcelain", "--"];
    let changed = git(&[&status[..], &SOURCES[..]].concat())?;
    let dirty = if changed.is_empty() { "" } else { "-dirty" };
    Some(format!("{commit}{dirty}"))
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
