//! A run over several connections: `CONNECTIONS_URL`, shards, restarts.

mod bad_input;
mod isolation;
mod killed;
mod load;
mod metrics;
mod privacy;
mod shard;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use asana_access_review::evidence::{ConnectionFolder, Entry, EntryKind, Manifest, ShardSummary};
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use truto_simulator::{Simulator, TOKEN, World};

use crate::support::job::{Ended, LEFT_AND_GONE, ended};

/// A provider with several tenants, each with one connection.
struct Provider {
    simulator: Simulator,
    folder: TempDir,
    environment: Vec<(String, String)>,
    lines: Vec<Map<String, Value>>,
}

impl Provider {
    fn new() -> Self {
        let simulator = Simulator::spawn(World::new());
        let url = simulator.url();
        let provider = Self {
            simulator,
            folder: tempfile::tempdir().expect("a folder"),
            environment: Vec::new(),
            lines: Vec::new(),
        };
        provider
            .env("TRUTO_BASE_URL", &url)
            .env("TRUTO_API_TOKEN", TOKEN)
            .env("CONNECTIONS_URL", "connections.jsonl")
            .env("TRUTO_RATE_LIMIT", "off")
            .env("RETRY_MAX_ATTEMPTS", "1")
            .env("JOB_NAME", "review-29400000")
            .env("POD_UID", "0f3a")
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A tenant with its own world and HR feed.
    fn tenant(mut self, id: &str, world: World, hr_rows: &str) -> Self {
        self.simulator.add([id.to_owned()], world);
        let feed = format!("hr-{id}.csv");
        let head = "Employee ID,Name,Work Email,Status,Termination Date\n";
        fs::write(self.folder.path().join(&feed), format!("{head}{hr_rows}")).expect("a feed");
        let line = json!({ "TRUTO_INTEGRATED_ACCOUNT_ID": id, "HR_FEED_URL": feed });
        self.lines
            .push(line.as_object().expect("an object").clone());
        self
    }

    /// A tenant whose run passes.
    fn healthy(self, id: &str) -> Self {
        self.tenant(id, World::generated(6), LEFT_AND_GONE)
    }

    /// Sets a variable on the line of the last tenant.
    fn with(mut self, name: &str, value: &str) -> Self {
        let line = self.lines.last_mut().expect("a tenant");
        line.insert(name.to_owned(), value.into());
        self
    }

    fn file(&self, name: &str, text: &str) -> &Self {
        fs::write(self.folder.path().join(name), text).expect("a file");
        self
    }

    /// Writes the list of connections.
    fn listed(self) -> Self {
        let lines = self.lines.iter().map(|line| format!("{}\n", json!(line)));
        self.file("connections.jsonl", &lines.collect::<String>());
        self
    }

    fn command(&self, more: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_asana-access-review"));
        command
            .current_dir(self.folder.path())
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .envs(more.iter().copied())
            .stdin(Stdio::null());
        command
    }

    fn run(&self, more: &[(&str, &str)]) -> Ended {
        ended(self.command(more).output().expect("the binary"))
    }

    fn evidence(&self) -> PathBuf {
        self.folder.path().join("evidence")
    }

    fn connection(&self, id: &str) -> PathBuf {
        self.evidence().join(ConnectionFolder::of(id).to_string())
    }

    /// The entries of a connection, each with its manifest.
    fn entries(&self, id: &str) -> Vec<(Entry, Manifest)> {
        let folder = self.connection(id);
        let count = fs::read_dir(folder.join("ledger")).map_or(0, Iterator::count);
        let entry = |sequence| {
            let path = folder.join(format!("ledger/{sequence:010}.json"));
            let entry = Entry::from_bytes(&fs::read(path).expect("an entry")).expect("an entry");
            let manifest = fs::read(folder.join(&entry.run).join("manifest.json"));
            let manifest = serde_json::from_slice(&manifest.expect("a manifest"));
            (entry, manifest.expect("a manifest"))
        };
        (1..=count).map(entry).collect()
    }

    /// The kinds of the entries of a connection.
    fn kinds(&self, id: &str) -> Vec<EntryKind> {
        let folder = self.connection(id).join("ledger");
        let names = crate::support::files_below(&folder).into_iter();
        let kind = |name: String| {
            let bytes = fs::read(folder.join(name)).expect("a file");
            Entry::from_bytes(&bytes).expect("an entry").kind
        };
        names.map(kind).collect()
    }

    /// The verdicts of a connection, from the first run on.
    fn verdicts(&self, id: &str) -> Vec<String> {
        let entries = self.entries(id).into_iter();
        entries.map(|(entry, _)| entry.verdict).collect()
    }

    /// Every summary, the oldest first.
    fn summaries(&self) -> Vec<ShardSummary> {
        let folder = self.evidence().join("summary");
        let mut names = match folder.exists() {
            true => crate::support::files_below(&folder),
            false => Vec::new(),
        };
        // The names of runs in the same second are in no order.
        names.sort_by_key(|name| {
            let file = fs::metadata(folder.join(name)).expect("a file");
            file.modified().expect("a time")
        });
        let read = |name: String| {
            let bytes = fs::read(folder.join(name)).expect("a file");
            let summary: ShardSummary = serde_json::from_slice(&bytes).expect("a summary");
            assert_eq!(summary.to_bytes(), bytes, "the exact bytes");
            summary
        };
        names.into_iter().map(read).collect()
    }
}
