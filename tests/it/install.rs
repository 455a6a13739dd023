//! `docs/install.md`, command by command: what runs without a cloud is run, and what needs one is read.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command as Process;

use crate::support::has;
use crate::support::job::{Job, LEFT_AND_GONE, ended};
use crate::support::kube::{documents, here, only, pods, printed, text};
use crate::support::servers::Moto;
use asana_access_review::cli;
use serde_json::Value;
use truto_simulator::World;

/// The fenced blocks of a language, in their order.
fn blocks(document: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open: Option<(bool, String)> = None;
    for line in document.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(said)) => open = Some((said == language, String::new())),
            (Some((wanted, block)), Some(_)) => {
                if *wanted {
                    blocks.push(std::mem::take(block));
                }
                open = None;
            }
            (Some((_, block)), None) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block that does not end");
    blocks
}

/// What stands in for programs that need a cluster, a registry or a cloud: as much of each command as can be
/// done without is done by the real program, and all of it is written down.
const PRELUDE: &str = r#"
set -euo pipefail
note() { printf '%s\n' "$*" >> "$NOTES"; }
docker() { note docker "$@"; }
helm() {
  note helm "$@"
  case $1 in
    install | upgrade) shift; command helm template "$@" > "$RENDERED" ;;
    test) command helm test --help | grep -q -- --logs ;;
  esac
}
kubectl() {
  note kubectl "$@"
  case "$*" in
    *"create namespace"* | *"create secret"*) command kubectl "$@" --dry-run=client --output=json > "$MADE/$(date +%s%N).json" ;;
  esac
}
aws() {
  note aws "$@"
  case "$1 $2" in
    # The server of the test knows no EKS.
    "eks create-pod-identity-association") ;;
    *) command aws "$@" > /dev/null ;;
  esac
}
asana-access-review() { note asana-access-review "$@"; }
git() { echo 0123abc; }
sh() { note sh "$@"; }
"#;

#[test]
fn every_command_of_the_installation_is_run_as_far_as_it_can_be_without_a_cloud() {
    if !has(&["bash", "helm", "kubectl", "aws", "jq"]) {
        return;
    }
    let Some(moto) = Moto::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["docs", "helm"] {
        crate::support::copy(&here(name), &folder.path().join(name));
    }
    fs::write(folder.path().join("truto-token"), "a token").expect("a token");
    let made = folder.path().join("made");
    fs::create_dir(&made).expect("a folder");
    let notes = folder.path().join("notes");
    let rendered = folder.path().join("rendered.yaml");
    let script = format!(
        "{PRELUDE}\n{}",
        blocks(&text("docs/install.md"), "sh").join("\n")
    );
    let mut bash = Process::new("bash");
    bash.args(["-c", &script]).current_dir(folder.path());
    for (name, value) in moto.s3_env() {
        bash.env(name, value);
    }
    bash.env("AWS_ENDPOINT_URL", moto.endpoint());
    bash.env("NOTES", &notes)
        .env("RENDERED", &rendered)
        .env("MADE", &made);
    let run = ended(bash.output().expect("bash"));
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);

    // The policies are whole: JSON without a word that was to be replaced.
    for policy in ["writer", "auditor", "bucket-policy"] {
        let text =
            fs::read_to_string(folder.path().join(format!("{policy}.json"))).expect("a policy");
        let parsed: Value = serde_json::from_str(&text).expect("JSON");
        assert!(
            parsed["Statement"]
                .as_array()
                .is_some_and(|statements| statements.len() > 1)
        );
        for word in [
            "BUCKET",
            "PREFIX",
            "ACCOUNT",
            "REGION",
            "BREAK_GLASS",
            "_KEY",
        ] {
            assert!(
                !text.contains(word),
                "{policy}.json still has {word}:\n{text}"
            );
        }
    }
    // What is installed last is the review with its alerts.
    let rendered = documents(&fs::read_to_string(&rendered).expect("manifests"));
    only(&rendered, "CronJob");
    only(&rendered, "PrometheusRule");
    let pods = pods(&rendered);
    assert!(pods.values().all(
        |pod| pod["containers"][0]["image"] == "registry.example.com/asana-access-review:0.1.0"
    ));
    // The secret that was made last has all that the pods mount.
    let made: Vec<Value> = crate::support::files_below(&made)
        .iter()
        .map(|name| fs::read(made.join(name)).expect("a file"))
        .map(|bytes| serde_json::from_slice(&bytes).expect("JSON"))
        .collect();
    only(&made, "Namespace");
    let secret = made.iter().rfind(|object| object["kind"] == "Secret");
    let secret = secret.expect("a Secret");
    for pod in pods.values() {
        let volume = &pod["volumes"][0]["secret"];
        assert_eq!(volume["secretName"], secret["metadata"]["name"]);
        let items = volume["items"].as_array().expect("items");
        assert_eq!(items.len(), 2, "the token, and where to tell");
        for item in items {
            let key = item["key"].as_str().expect("a key");
            assert!(secret["data"][key].is_string(), "{key}");
        }
    }
    ensure_read(&fs::read_to_string(&notes).expect("notes"));
}

/// Reads what could not be run.
fn ensure_read(notes: &str) {
    let mut programs = BTreeSet::new();
    for note in notes.lines() {
        let words: Vec<&str> = note.split(' ').collect();
        programs.insert(words[0]);
        match words[0] {
            "docker" => ensure_docker(&words),
            "asana-access-review" => ensure_ours(&words),
            "sh" => assert!(here(words[1]).is_file(), "{note}"),
            _ => {}
        }
    }
    let expected = [
        "asana-access-review",
        "aws",
        "docker",
        "helm",
        "kubectl",
        "sh",
    ];
    assert_eq!(programs, BTreeSet::from(expected));
}

/// Each argument of a build is one that the Dockerfile has.
fn ensure_docker(words: &[&str]) {
    let dockerfile = text("Dockerfile");
    for pair in words.windows(2).filter(|pair| pair[0] == "--build-arg") {
        let name = pair[1].split('=').next().unwrap_or_default();
        assert!(dockerfile.contains(&format!("\nARG {name}")), "{name}");
    }
}

/// The program understands the command line.
fn ensure_ours(words: &[&str]) {
    if let Err(text) = cli::parse(words.iter().map(Into::into))
        && text.use_stderr()
    {
        panic!("{words:?}: {text}");
    }
}

#[test]
fn the_copy_of_an_auditor_passes_both_verifiers_as_the_installation_says() {
    let job = Job::new(World::generated(12), LEFT_AND_GONE);
    assert_eq!(job.run().code, 0);
    let document = text("docs/install.md");
    let auditor = blocks(&document, "sh")
        .into_iter()
        .find(|block| block.contains("aws s3 sync"))
        .expect("the auditor's block");
    if !has(&["sha256sum"]) {
        return;
    }
    // The copy is there; the rest is run as it stands.
    let commands: String = auditor
        .lines()
        .filter(|line| !line.starts_with("aws "))
        .map(|line| format!("{line}\n"))
        .collect();
    let folder = tempfile::tempdir().expect("a folder");
    crate::support::copy(&job.evidence(), &folder.path().join("copy"));
    crate::support::copy(&here("docs"), &folder.path().join("docs"));
    let binary = Path::new(env!("CARGO_BIN_EXE_asana-access-review"))
        .parent()
        .expect("a folder");
    let script = format!("set -eu\nPATH={}:$PATH\n{commands}", binary.display());
    let run = ended(
        Process::new("sh")
            .args(["-c", &script])
            .current_dir(folder.path())
            .output()
            .expect("sh"),
    );
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
}

#[test]
fn the_terraform_of_the_installation_keeps_versions_and_locks_them() {
    if !has(&["hcl2tojson"]) {
        return;
    }
    let document = text("docs/install.md");
    let modules = blocks(&document, "hcl");
    assert_eq!(modules.len(), 1);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("main.tf");
    fs::write(&file, &modules[0]).expect("a module");
    let parsed = printed("hcl2tojson", &[file.to_str().expect("UTF-8")]);
    let parsed: Value = serde_json::from_str(&parsed).expect("JSON");
    let text = parsed.to_string();
    for resource in [
        "aws_s3_bucket_versioning",
        "aws_s3_bucket_object_lock_configuration",
        "aws_s3_bucket_public_access_block",
        "aws_s3_bucket_policy",
    ] {
        assert!(text.contains(resource), "{resource}");
    }
    // Both ways make the same bucket.
    for (terraform, aws) in [
        ("mode = \"GOVERNANCE\"", "\"Mode\": \"GOVERNANCE\""),
        ("days = 400", "\"Days\": 400"),
        (
            "object_lock_enabled = true",
            "--object-lock-enabled-for-bucket",
        ),
    ] {
        assert!(modules[0].contains(terraform), "{terraform}");
        assert!(document.contains(aws), "{aws}");
    }
    assert!(here("docs/iam/bucket-policy.json").is_file());
}

#[test]
fn every_link_of_the_guides_leads_somewhere() {
    for name in [
        "docs/install.md",
        "docs/runbook.md",
        "docs/access-reviews.md",
        "helm/asana-access-review/README.md",
    ] {
        let document = text(name);
        let folder = here(name).parent().expect("a folder").to_owned();
        for link in document
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() {
                here(name)
            } else {
                folder.join(path)
            };
            assert!(target.exists(), "{name}: {link}");
            if !anchor.is_empty() {
                let headings = fs::read_to_string(&target).expect("a document");
                let has_anchor =
                    headings
                        .lines()
                        .filter(|line| line.starts_with('#'))
                        .any(|line| {
                            let plain = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-');
                            let slug: String = line
                                .trim_start_matches('#')
                                .trim()
                                .chars()
                                .filter(plain)
                                .collect();
                            slug.to_lowercase().replace(' ', "-") == anchor
                        });
                assert!(has_anchor, "{name}: {link}");
            }
        }
    }
}
