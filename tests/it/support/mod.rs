//! Helpers of several test modules.

#![allow(dead_code, reason = "each test uses only a part of it")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

use asana_access_review::evidence::{Executor, RunIdentity, Tool, Trigger};
use asana_access_review::net::ErrorKind;
use jiff::Timestamp;

pub(crate) mod chance;
pub(crate) mod chromium;
pub(crate) mod company;
pub(crate) mod container;
pub(crate) mod job;
pub(crate) mod kms;
pub(crate) mod kube;
pub(crate) mod measure;
pub(crate) mod receiver;
pub(crate) mod review;
pub(crate) mod s3;
pub(crate) mod schema;
pub(crate) mod servers;
pub(crate) mod shell;
pub(crate) mod year;

/// Copies a folder with its whole content.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let copied = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &copied);
        } else {
            fs::copy(&path, &copied).expect("a copy");
        }
    }
}

/// Files as Kubernetes mounts a Secret: each is a link into a folder that is replaced as a whole.
pub(crate) fn mount(folder: &Path, files: &[(&str, Vec<u8>)]) {
    let data = "..2026_11_25_23_40_00.1234567890";
    fs::create_dir_all(folder.join(data)).expect("a folder");
    let link = |to: &str, name: &str| {
        std::os::unix::fs::symlink(to, folder.join(name)).expect("a link");
    };
    link(data, "..data");
    for (name, bytes) in files {
        fs::write(folder.join(data).join(name), bytes).expect("a file");
        link(&format!("..data/{name}"), name);
    }
}

/// The names of all files below a folder, relative to it.
pub(crate) fn files_below(folder: &Path) -> Vec<String> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for found in fs::read_dir(&next).expect("a folder") {
            let path = found.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(folder).expect("below");
            files.push(name.to_str().expect("UTF-8").to_owned());
        }
    }
    files.sort();
    files
}

/// Every file below a folder except temporary ones.
pub(crate) fn objects_below(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let names = files_below(folder).into_iter();
    names
        .filter(|name| !name.starts_with(".tmp/"))
        .map(|name| {
            let bytes = fs::read(folder.join(&name)).expect("a file");
            (name, bytes)
        })
        .collect()
}

/// Whether this machine has the tools of a test. Continuous integration must have them.
#[expect(
    clippy::print_stdout,
    reason = "the output of the test should name what was skipped"
)]
#[expect(
    clippy::disallowed_methods,
    reason = "continuous integration must not skip a test"
)]
pub(crate) fn has(tools: &[&str]) -> bool {
    let missing = tools.iter().find(|tool| {
        let found = Command::new("sh")
            .args(["-c", "command -v -- \"$1\"", "sh", tool])
            .output();
        !found.is_ok_and(|found| found.status.success())
    });
    if let Some(tool) = missing {
        let is_ci = std::env::var_os("CI").is_some();
        assert!(
            !is_ci,
            "{tool} is missing, and this is continuous integration"
        );
        println!("skipped: no {tool} on this machine");
    }
    missing.is_none()
}

/// An error with its causes, as a command prints them.
pub(crate) fn chain(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |reported, cause| {
        format!("{reported}: {cause}")
    })
}

/// An error as an operator sees it: its kind, the chain of causes and the hint.
pub(crate) fn reported(error: &dyn Error, kind: ErrorKind, hint: Option<String>) -> String {
    let hint = hint.unwrap_or_else(|| "-".to_owned());
    format!("{kind:?}: {}\nhint: {hint}", chain(error))
}

/// A run with a fixed identity, by a program without a real version.
pub(crate) fn identity(as_of: Timestamp, suffix: &str) -> RunIdentity {
    RunIdentity {
        as_of,
        trigger: Trigger::Unknown,
        suffix: suffix.to_owned(),
        tool: Tool {
            name: "asana-access-review".to_owned(),
            version: "0.0.0".to_owned(),
            commit: "unknown".to_owned(),
        },
        executor: Executor::default(),
    }
}

/// Sets the modification time of a file to three hours before an instant.
pub(crate) fn changed_before(path: &Path, as_of: Timestamp) {
    let seconds = as_of.as_second().unsigned_abs();
    let changed = UNIX_EPOCH + Duration::from_secs(seconds - 3 * 3600);
    let file = fs::File::options().write(true).open(path);
    file.and_then(|file| file.set_modified(changed))
        .expect("a time");
}

/// The same job with its evidence in a bucket.
pub(crate) fn in_bucket(job: job::Job, server: &s3::S3Server) -> job::Job {
    let mut job = job.env("EVIDENCE_URL", "s3://evidence/n");
    for (name, value) in server.env() {
        job = job.env(name, &value);
    }
    job
}
