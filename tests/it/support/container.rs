//! Images and containers, without a daemon.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::has;
use super::kube::{here, printed};

/// The static binary for the image, as .ci/run builds it.
pub(crate) fn binary() -> PathBuf {
    let version = printed("rustc", &["-vV"]);
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .expect("a host");
    here(&format!("target/{host}/release/asana-access-review"))
}

/// Whether this machine has the tools and the binary for the image.
#[expect(
    clippy::print_stdout,
    reason = "the output of the test should name what was skipped"
)]
#[expect(
    clippy::disallowed_methods,
    reason = "continuous integration must not skip a test"
)]
pub(crate) fn can_build() -> bool {
    if !has(&["buildah", "podman", "runc"]) {
        return false;
    }
    let is_there = binary().is_file();
    if !is_there {
        let how = "see the head of the Dockerfile";
        let is_ci = std::env::var_os("CI").is_some();
        assert!(
            !is_ci,
            "no static binary, and this is continuous integration: {how}"
        );
        println!("skipped: no static binary, {how}");
    }
    is_there
}

/// A program of containers with its images and containers in a folder.
pub(crate) fn with_storage(program: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["--storage-driver", "vfs"]);
    command.arg("--root").arg(folder.join("root"));
    command.arg("--runroot").arg(folder.join("run"));
    command
}

pub(crate) fn podman(storage: &Path) -> Command {
    let mut command = with_storage("podman", storage);
    command.args(["--runtime=runc", "--cgroup-manager=cgroupfs"]);
    command
}

/// Limits that `podman run` may set also without all privileges.
pub(crate) const LIMITS: [&str; 4] = [
    "--ulimit",
    "nofile=1024:1024",
    "--ulimit",
    "nproc=1024:1024",
];

/// The output of a command that must succeed.
pub(crate) fn output_of(command: &mut Command) -> String {
    let output = command.output().expect("a program");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{command:?}\n{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}
