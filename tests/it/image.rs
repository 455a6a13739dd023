//! The image, built and run as in a cluster: another user, a read-only root, little memory.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::support::container::{self, LIMITS, binary, can_build, output_of};
use crate::support::job::{Ended, Job, LEFT_AND_ACTIVE, LEFT_AND_GONE, ended, verify};
use crate::support::kube::{here, printed, text};
use serde_json::{Value, json};
use truto_simulator::World;

/// The memory of the job in the test, the smallest limit in use.
const MEMORY: &str = "--memory=64m";

/// Storage for images and containers of this module only.
fn storage() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("image")
}

fn podman() -> Command {
    container::podman(&storage())
}

/// The image, built once from the Dockerfile and the binary.
fn image() -> &'static str {
    static IMAGE: OnceLock<&str> = OnceLock::new();
    IMAGE.get_or_init(|| {
        let _ = fs::remove_dir_all(storage());
        let context = tempfile::tempdir().expect("a folder");
        let dist = context.path().join("dist");
        fs::create_dir_all(&dist).expect("a folder");
        fs::copy(binary(), dist.join("asana-access-review")).expect("the binary");
        let roots = "/etc/ssl/certs/ca-certificates.crt";
        fs::copy(roots, dist.join("ca-certificates.crt"))
            .expect("certificates, of package ca-certificates");
        let mut build = container::with_storage("buildah", &storage());
        build.args([
            "bud",
            "--isolation=chroot",
            "--build-arg",
            "BINARY=prebuilt",
        ]);
        build.args([
            "--build-arg",
            "REVISION=0123abc",
            "--tag",
            "localhost/asana-access-review",
        ]);
        build
            .arg("--file")
            .arg(here("Dockerfile"))
            .arg(context.path());
        output_of(&mut build);
        "localhost/asana-access-review"
    })
}

/// A job with folders that the image's user may read and write.
struct Contained {
    job: Job,
}

impl Contained {
    fn new(world: World, hr_rows: &str) -> Self {
        let job = Job::new(world, hr_rows)
            .env("EVIDENCE_URL", "/evidence")
            .env("RUST_LOG", "info");
        let evidence = job.evidence();
        fs::create_dir(&evidence).expect("a folder");
        // A user who is not root cannot change the owner, and makes the folder world-writable
        // instead.
        if chown(&evidence, Some(65532), Some(65532)).is_err() {
            fs::set_permissions(&evidence, fs::Permissions::from_mode(0o777)).expect("permissions");
        }
        fs::set_permissions(job.folder.path(), fs::Permissions::from_mode(0o755))
            .expect("permissions");
        let message = job.folder.path().join("termination-log");
        fs::write(&message, "").expect("a file");
        fs::set_permissions(&message, fs::Permissions::from_mode(0o666)).expect("permissions");
        Self { job }
    }

    /// `podman run` with the settings of the chart's pod, up to the image.
    fn run(&self, more: &[&str]) -> Command {
        let folder = self.job.folder.path().display();
        let mut command = podman();
        command.arg("run").args(LIMITS).arg(MEMORY);
        command.args([
            "--network=host",
            "--read-only",
            "--read-only-tmpfs=false",
            "--cap-drop=all",
        ]);
        command.args(["--security-opt=no-new-privileges", "--workdir=/job"]);
        command.args(["--volume", &format!("{folder}:/job:ro")]);
        command.args(["--volume", &format!("{folder}/evidence:/evidence")]);
        command.args([
            "--volume",
            &format!("{folder}/termination-log:/dev/termination-log"),
        ]);
        for (name, value) in self.job.command().get_envs() {
            let (name, value) = (
                name.to_str().expect("UTF-8"),
                value.expect("a value").to_str().expect("UTF-8"),
            );
            command.args(["--env", &format!("{name}={value}")]);
        }
        command.args(more).arg(image());
        command
    }

    fn ended(&self, arguments: &[&str]) -> Ended {
        ended(
            self.run(&["--rm"])
                .args(arguments)
                .output()
                .expect("podman"),
        )
    }
}

#[test]
fn the_image_has_the_binary_and_certificates_and_no_root_user() {
    if !can_build() {
        return;
    }
    let inspected = output_of(podman().args(["image", "inspect", image()]));
    let inspected: Value = serde_json::from_str(&inspected).expect("JSON");
    let config = &inspected[0]["Config"];
    assert_eq!(config["User"], "65532:65532");
    assert_eq!(config["Entrypoint"], json!(["/asana-access-review"]));
    let labels = &config["Labels"];
    assert_eq!(
        labels["org.opencontainers.image.title"],
        "asana-access-review"
    );
    assert_eq!(labels["org.opencontainers.image.licenses"], "Apache-2.0");
    assert_eq!(
        labels["org.opencontainers.image.version"],
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(labels["org.opencontainers.image.revision"], "0123abc");
    assert_eq!(
        labels["org.opencontainers.image.description"],
        env!("CARGO_PKG_DESCRIPTION")
    );

    let container = output_of(podman().args(["create", image()]));
    let archive = storage().join("files.tar");
    output_of(
        podman()
            .args(["export", "--output"])
            .arg(&archive)
            .arg(container.trim()),
    );
    output_of(podman().args(["rm", container.trim()]));
    let files = printed(
        "tar",
        &["--list", "--file", archive.to_str().expect("UTF-8")],
    );
    let files: Vec<&str> = files.lines().filter(|name| !name.ends_with('/')).collect();
    // Podman adds the mount points of its usual mounts.
    let ours: Vec<&&str> = files
        .iter()
        .filter(|name| {
            ![
                "etc/hosts",
                "etc/hostname",
                "etc/resolv.conf",
                "run/.containerenv",
                "etc/mtab",
            ]
            .contains(*name)
        })
        .collect();
    assert_eq!(
        ours,
        [&"asana-access-review", &"etc/ssl/certs/ca-certificates.crt"]
    );
}

#[test]
fn a_run_in_the_container_writes_evidence_that_verifies() {
    if !can_build() {
        return;
    }
    let contained = Contained::new(World::generated(250), LEFT_AND_ACTIVE);
    let snapshot = contained.ended(&[]);
    assert_eq!(snapshot.code, 3, "{}{}", snapshot.stdout, snapshot.stderr);
    let job = &contained.job;
    assert_eq!(job.entry(1)["verdict"], "fail");
    assert!(
        verify(&job.evidence(), &[]).code == 0,
        "the evidence verifies"
    );
    let message = fs::read_to_string(job.folder.path().join("termination-log"))
        .expect("a termination message");
    let message: Value = serde_json::from_str(&message).expect("JSON");
    assert_eq!(message["exit"], 3);
    assert_eq!(message["ledger"]["sequence"], 1);

    job.hr_feed(LEFT_AND_GONE);
    let next = contained.ended(&["run"]);
    assert_eq!(
        next.code, 3,
        "the leaver whose row is gone is followed: {}{}",
        next.stdout, next.stderr
    );
    let verified = contained.ended(&["verify", "--json"]);
    assert_eq!(verified.code, 0, "{}{}", verified.stdout, verified.stderr);
}

#[test]
fn as_the_first_process_it_stops_at_once_on_sigterm() {
    if !can_build() {
        return;
    }
    // Every answer takes two seconds, so a run takes many.
    let contained = Contained::new(World::scenario("slow").expect("a scenario"), LEFT_AND_GONE);
    let requests = contained.job.simulator.watch();
    let container = output_of(&mut contained.run(&["--detach"]));
    let container = container.trim();
    let asked = requests.recv_timeout(Duration::from_secs(30));
    asked.expect("a request of the run");
    let signalled = Instant::now();
    output_of(podman().args(["kill", "--signal=TERM", container]));
    let code = output_of(podman().args(["wait", container]));
    let took = signalled.elapsed();
    let logs = podman().args(["logs", container]).output().expect("logs");
    output_of(podman().args(["rm", container]));
    assert_eq!(code.trim(), "143", "{logs:?}");
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert_eq!(contained.job.entries(), 0, "no entry is written");
}

#[test]
fn the_image_has_the_certificates_of_public_servers() {
    if !can_build() {
        return;
    }
    // The port is closed. Without certificates, the error would come before the connection attempt.
    let world = World::generated(1);
    let mut contained = Contained::new(world, LEFT_AND_GONE);
    contained.job = contained
        .job
        .env("TRUTO_BASE_URL", "https://127.0.0.1:9")
        .env("RETRY_MAX_ATTEMPTS", "1");
    let snapshot = contained.ended(&[]);
    assert_eq!(snapshot.code, 75, "{}{}", snapshot.stdout, snapshot.stderr);
    assert!(
        !snapshot.stderr.contains("certificate"),
        "{}",
        snapshot.stderr
    );
}

#[test]
fn the_build_context_has_only_the_required_files() {
    // The paths of this repository that .dockerignore includes.
    let allowed: Vec<String> = text(".dockerignore")
        .lines()
        .filter_map(|line| line.strip_prefix('!').map(str::to_owned))
        .collect();
    let folder = tempfile::tempdir().expect("a folder");
    for name in allowed.iter().filter(|name| *name != "dist") {
        let (from, to) = (here(name), folder.path().join(name));
        if from.is_dir() {
            crate::support::copy(&from, &to);
        } else {
            fs::copy(&from, &to).expect("a copy");
        }
    }
    let manifest = folder.path().join("Cargo.toml");
    let arguments = [
        "metadata",
        "--locked",
        "--offline",
        "--format-version=1",
        "--no-deps",
        "--manifest-path",
    ];
    let metadata = output_of(Command::new(env!("CARGO")).args(arguments).arg(&manifest));
    let metadata: Value = serde_json::from_str(&metadata).expect("JSON");
    let packages: BTreeMap<&str, &Value> = metadata["packages"]
        .as_array()
        .expect("packages")
        .iter()
        .map(|package| {
            (
                package["name"].as_str().expect("a name"),
                &package["targets"],
            )
        })
        .collect();
    let bin = json!(["bin"]);
    let targets = packages["asana-access-review"].as_array().expect("targets");
    assert!(
        targets
            .iter()
            .any(|target| target["kind"] == bin && target["name"] == "asana-access-review")
    );
    assert!(
        allowed
            .iter()
            .all(|name| !["k8s", "helm", ".git", "target"].contains(&name.as_str()))
    );
}
