//! The real binary as an operator starts it: an environment in, an exit code and texts out.

#![allow(dead_code, reason = "no test program uses all of it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;
use truto_simulator::{CONNECTION_ID, Simulator, TOKEN, World};

/// A job with a folder of its own and everything it needs, against a simulator.
pub(crate) struct Job {
    pub(crate) simulator: Simulator,
    pub(crate) folder: TempDir,
    environment: Vec<(String, String)>,
}

/// How a job ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Somebody who left long ago, and whom the simulator's worlds know as an active member.
pub(crate) const LEFT_AND_ACTIVE: &str =
    "E1,Person Two,person2@example.com,Terminated,2020-01-31\n";
/// Somebody who left long ago, and whom no world knows.
pub(crate) const LEFT_AND_GONE: &str = "E9,Nobody Here,nobody@example.com,Terminated,2020-01-31\n";

impl Job {
    /// A job against a world, with an HR feed of these rows.
    pub(crate) fn new(world: World, hr_rows: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let job = Self {
            simulator: Simulator::spawn(world),
            folder,
            environment: Vec::new(),
        };
        job.hr_feed(hr_rows);
        let url = job.simulator.url();
        job.env("TRUTO_BASE_URL", &url)
            .env("TRUTO_API_TOKEN", TOKEN)
            .env("TRUTO_INTEGRATED_ACCOUNT_ID", CONNECTION_ID)
            .env("HR_FEED_URL", "hr.csv")
            .env("TRUTO_RATE_LIMIT", "off")
            .env("RETRY_MAX_ATTEMPTS", "2")
            .env("RUST_LOG", "off")
    }

    /// A job against a scenario.
    pub(crate) fn scenario(name: &str, hr_rows: &str) -> Self {
        Self::new(World::scenario(name).expect("a scenario"), hr_rows)
    }

    /// Sets a variable; empty is as good as unset.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Replaces the HR feed.
    pub(crate) fn hr_feed(&self, rows: &str) {
        let text = format!("Employee ID,Name,Work Email,Status,Termination Date\n{rows}");
        fs::write(self.folder.path().join("hr.csv"), text).expect("an HR feed");
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_asana-access-review"));
        command
            .current_dir(self.folder.path())
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    /// Runs it to its end.
    pub(crate) fn run(&self) -> Ended {
        self.run_with(&[])
    }

    /// Runs it with arguments.
    pub(crate) fn run_with(&self, arguments: &[&str]) -> Ended {
        ended(self.command().args(arguments).output().expect("the binary"))
    }

    /// Starts it and does not wait.
    pub(crate) fn start(&self) -> Child {
        self.command()
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary")
    }

    /// Where evidence goes unless a test says otherwise.
    pub(crate) fn evidence(&self) -> PathBuf {
        self.folder.path().join("evidence")
    }

    /// The folder of the connection.
    pub(crate) fn connection(&self) -> PathBuf {
        self.evidence()
            .join(format!("system=asana/connection={CONNECTION_ID}"))
    }

    /// A ledger entry.
    pub(crate) fn entry(&self, sequence: u64) -> serde_json::Value {
        let path = self
            .connection()
            .join(format!("ledger/{sequence:010}.json"));
        let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_slice(&bytes).expect("JSON")
    }

    /// How many entries the ledger has.
    pub(crate) fn entries(&self) -> usize {
        fs::read_dir(self.connection().join("ledger")).map_or(0, Iterator::count)
    }

    /// The folder of a committed run.
    pub(crate) fn run_folder(&self, sequence: u64) -> PathBuf {
        self.connection()
            .join(self.entry(sequence)["run"].as_str().expect("a run"))
    }

    /// A JSON file of a committed run.
    pub(crate) fn json(&self, sequence: u64, name: &str) -> serde_json::Value {
        let bytes = fs::read(self.run_folder(sequence).join(name)).expect("a file");
        serde_json::from_slice(&bytes).expect("JSON")
    }
}

pub(crate) fn ended(output: Output) -> Ended {
    use std::os::unix::process::ExitStatusExt;
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    let signal = output.status.signal();
    Ended {
        code: output
            .status
            .code()
            .unwrap_or_else(|| panic!("killed by signal {signal:?}")),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// Every file below a folder, by its name relative to it, gzip unpacked, ledger included.
pub(crate) fn tree(folder: &Path) -> std::collections::BTreeMap<String, Vec<u8>> {
    let mut files = std::collections::BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for found in fs::read_dir(&next).expect("a folder") {
            let path = found.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path
                .strip_prefix(folder)
                .expect("below")
                .to_str()
                .expect("UTF-8");
            files.insert(
                name.to_owned(),
                unpacked(name, fs::read(&path).expect("a file")),
            );
        }
    }
    files
}

/// The content of a file, unpacked if its name says that it is gzip.
pub(crate) fn unpacked(name: &str, bytes: Vec<u8>) -> Vec<u8> {
    if !name.ends_with(".gz") {
        return bytes;
    }
    let mut content = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&*bytes), &mut content)
        .expect("gzip");
    content
}

/// A text with everything replaced that differs from run to run and from machine to machine.
pub(crate) fn masked(text: &str, folder: &Path) -> String {
    let text = text.replace(&folder.display().to_string(), "[folder]");
    let mut masked = String::new();
    let mut rest = text.as_str();
    while let Some(c) = rest.chars().next() {
        let word = rest
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(rest.len());
        let (token, after) = rest.split_at(word.max(c.len_utf8()));
        let is_hex =
            |length| token.len() == length && token.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_hex(64) {
            masked.push_str("[sha256]");
        } else if token == "127" && after.starts_with(".0.0.1:") {
            let port = &after[".0.0.1:".len()..];
            let digits = port
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(port.len());
            masked.push_str("127.0.0.1:[port]");
            rest = &port[digits..];
            continue;
        } else if after.starts_with(" h past") && token.bytes().all(|b| b.is_ascii_digit()) {
            masked.push_str("[hours]");
        } else if token == "dt" && after.starts_with("=20") {
            masked.push_str("dt=[day]");
            rest = &after["=2026-11-23".len()..];
            continue;
        } else if token == "run" && after.starts_with("=20") {
            masked.push_str("run=[run]");
            rest = &after["=20261123T224000Z-7f3a9c".len()..];
            continue;
        } else {
            masked.push_str(token);
        }
        rest = after;
    }
    masked
}
