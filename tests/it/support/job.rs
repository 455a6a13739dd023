//! The real binary as an operator starts it: an environment in, an exit code and texts out.

#![allow(dead_code, reason = "each test uses only a part of it")]

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::SystemTime;

use asana_access_review::cli::exit::Exit;
use asana_access_review::clock::Clock;

use asana_access_review::commands::run::{self, Done, Failed};
use asana_access_review::config;
use asana_access_review::evidence::{RunIdentity, Tool};
use asana_access_review::notify;
use jiff::Timestamp;
use tempfile::TempDir;
use truto_simulator::{CONNECTION_ID, Simulator, TOKEN, World};

/// A job with its own folder and all required settings, against a simulator.
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

/// A person who left long ago, and who is an active member in the simulator's worlds.
pub(crate) const LEFT_AND_ACTIVE: &str =
    "E1,Person Two,person2@example.com,Terminated,2020-01-31\n";
/// A person who left long ago, and who is in none of the simulator's worlds.
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
        Self::new(World::scenario(name).expect("a scenario"), hr_rows).for_scenario(name)
    }

    /// Sets the permissions for which a scenario is made.
    pub(crate) fn for_scenario(self, name: &str) -> Self {
        match name.starts_with("narrow") {
            true => self.narrow(),
            false => self,
        }
    }

    /// Sets narrow permissions, and the domain of the simulator's people.
    pub(crate) fn narrow(self) -> Self {
        self.env("ASANA_PERMISSIONS", "narrow")
            .env("INTERNAL_DOMAINS", "example.com")
    }

    /// Sets a variable. Empty means unset.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn hr_feed(&self, rows: &str) {
        let text = format!("Employee ID,Name,Work Email,Status,Termination Date\n{rows}");
        self.hr_file(text.as_bytes());
    }

    /// Replaces the HR feed by these bytes.
    pub(crate) fn hr_file(&self, bytes: &[u8]) {
        fs::write(self.folder.path().join("hr.csv"), bytes).expect("an HR feed");
    }

    /// The modification time of the HR feed.
    pub(crate) fn hr_changed(&self) -> SystemTime {
        let file = fs::metadata(self.folder.path().join("hr.csv"));
        file.and_then(|file| file.modified()).expect("a time")
    }

    /// Sets the modification time of the HR feed.
    pub(crate) fn hr_changed_at(&self, changed: SystemTime) {
        let path = self.folder.path().join("hr.csv");
        let file = fs::File::options().write(true).open(path);
        file.and_then(|file| file.set_modified(changed))
            .expect("a time");
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

    /// Runs the binary to its end.
    pub(crate) fn run(&self) -> Ended {
        self.run_with(&[])
    }

    pub(crate) fn run_with(&self, arguments: &[&str]) -> Ended {
        ended(self.command().args(arguments).output().expect("the binary"))
    }

    /// Runs the code of the binary at an instant that no variable can set. Returns the exit code.
    ///
    /// The world is that of the run, and the HR feed was changed three hours before.
    pub(crate) fn run_at(&self, as_of: &str, world: World) -> i32 {
        let (ended, exit) = self.try_run_at(as_of, world, |_| ());
        if let Err(failed) = ended {
            panic!("{}", failed.error.chain());
        }
        exit.code().into()
    }

    /// The same, by another program.
    pub(crate) fn run_as(&self, as_of: &str, world: World, tool: Tool) -> i32 {
        let (ended, exit) = self.try_run_as(as_of, world, |_| (), Some(tool));
        if let Err(failed) = ended {
            panic!("{}", failed.error.chain());
        }
        exit.code().into()
    }

    /// The same as [`run_at`](Self::run_at), also for a failed run, and with other notification settings.
    pub(crate) fn try_run_at(
        &self,
        as_of: &str,
        world: World,
        change: impl FnOnce(&mut notify::Settings),
    ) -> (Result<Done, Failed>, Exit) {
        self.try_run_as(as_of, world, change, None)
    }

    fn try_run_as(
        &self,
        as_of: &str,
        world: World,
        change: impl FnOnce(&mut notify::Settings),
        tool: Option<Tool>,
    ) -> (Result<Done, Failed>, Exit) {
        let as_of: Timestamp = as_of.parse().expect("an instant");
        self.simulator.set_world(world.at(as_of));
        super::changed_before(&self.folder.path().join("hr.csv"), as_of);

        let mut settings = self.settings();
        change(&mut settings.notify);
        let identity = RunIdentity {
            executor: settings.executor.clone(),
            ..super::identity(as_of, "7f3a9c")
        };
        let identity = RunIdentity {
            tool: tool.unwrap_or(identity.tool),
            ..identity
        };
        let about = run::about(&settings, &identity);
        let clock = Clock::at(as_of);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let ended = run::run(&settings, identity, clock).await;
            let exit = match &ended {
                Ok(done) => Exit::of_verdict(done.judgement.verdict, settings.fail_on),
                Err(failed) => failed.error.exit(),
            };
            run::notify(&settings, &about, &ended, exit, clock).await;
            (ended, exit)
        })
    }

    /// The settings that the binary reads from the environment. Paths are below the job's folder.
    pub(crate) fn settings(&self) -> config::Settings {
        config::load(self.whole_environment(), |path| fs::read_to_string(path))
            .unwrap_or_else(|problems| panic!("{problems}"))
            .settings
    }

    /// The same for a periodic review.
    pub(crate) fn review_settings(&self, tool: Tool) -> config::ReviewSettings {
        let environment = self.whole_environment();
        config::load_review(environment, tool, |path| fs::read_to_string(path))
            .unwrap_or_else(|problems| panic!("{problems}"))
            .settings
    }

    fn whole_environment(&self) -> Vec<(OsString, OsString)> {
        let mut environment: Vec<(OsString, OsString)> =
            vec![("EVIDENCE_URL".into(), self.evidence().into())];
        for (name, value) in &self.environment {
            let is_relative = name.ends_with("_URL") && !value.contains("://") && !value.is_empty();
            let value = match is_relative {
                true => self.folder.path().join(value).into(),
                false => value.into(),
            };
            environment.push((name.into(), value));
        }
        environment
    }

    /// Starts the binary and does not wait.
    pub(crate) fn start(&self) -> Child {
        self.command()
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary")
    }

    /// The working directory of the job.
    pub(crate) fn place(&self) -> &Path {
        self.folder.path()
    }

    /// The default place of evidence.
    pub(crate) fn evidence(&self) -> PathBuf {
        self.folder.path().join("evidence")
    }

    /// What an operator sees: the exit code and both outputs as one text.
    pub(crate) fn reported(&self, ended: &Ended) -> String {
        let stdout = masked(&ended.stdout, self.folder.path());
        let stderr = masked(&ended.stderr, self.folder.path());
        format!(
            "exit {}\n--- stdout\n{stdout}--- stderr\n{stderr}",
            ended.code
        )
    }

    /// The folder of the connection.
    pub(crate) fn connection(&self) -> PathBuf {
        self.evidence()
            .join(format!("system=asana/connection={CONNECTION_ID}"))
    }

    pub(crate) fn entry(&self, sequence: u64) -> serde_json::Value {
        let path = self
            .connection()
            .join(format!("ledger/{sequence:010}.json"));
        let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_slice(&bytes).expect("JSON")
    }

    /// The number of entries in the ledger.
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

    /// A text file of a committed run, unpacked.
    pub(crate) fn text(&self, sequence: u64, name: &str) -> String {
        let bytes = fs::read(self.run_folder(sequence).join(name)).expect("a file");
        String::from_utf8(unpacked(name, bytes)).expect("UTF-8")
    }

    /// The records of a JSON Lines file of a committed run.
    pub(crate) fn records(&self, sequence: u64, name: &str) -> Vec<serde_json::Value> {
        self.text(sequence, name)
            .lines()
            .map(|line| serde_json::from_str(line).expect("a JSON object"))
            .collect()
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

/// Every file below a folder by its relative name, unpacked, including the ledger.
pub(crate) fn tree(folder: &Path) -> std::collections::BTreeMap<String, Vec<u8>> {
    let read = |name: String| {
        let bytes = fs::read(folder.join(&name)).expect("a file");
        let content = unpacked(&name, bytes);
        (name, content)
    };
    super::files_below(folder).into_iter().map(read).collect()
}

/// Runs `verify --json`.
pub(crate) fn verify(folder: &Path, arguments: &[&str]) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_asana-access-review"));
    command.env_clear().args(["verify", "--json"]);
    command.args(arguments).arg(folder);
    ended(command.output().expect("the binary"))
}

/// The content of a file, unpacked if its name ends with `.gz`.
pub(crate) fn unpacked(name: &str, bytes: Vec<u8>) -> Vec<u8> {
    if !name.ends_with(".gz") {
        return bytes;
    }
    let mut content = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&*bytes), &mut content)
        .expect("gzip");
    content
}

/// A text in which everything that differs between runs and machines is replaced.
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
