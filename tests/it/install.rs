//! `docs/install.md`, command by command. Commands that need no cloud run; the others are checked
//! by reading.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command as Process;

use crate::support::has;
use crate::support::job::{Job, LEFT_AND_GONE, ended};
use crate::support::kube::{
    compare_with_kubernetes, documents, helms, here, only, pods, printed, text,
};
use crate::support::servers::Moto;
use asana_access_review::cli;
use serde_json::Value;
use truto_simulator::World;

/// The fenced blocks of a language, in order.
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

/// Stand-ins for programs that need a cluster, a registry or a cloud. The real program does as much
/// of each command as possible without them, and every command is written to the notes.
const PRELUDE: &str = r#"
set -euo pipefail
note() { printf '%s\n' "$*" >> "$NOTES"; }
docker() { note docker "$@"; }
helm() {
  note helm "$@"
  case $1 in
    install | upgrade)
      # `helm template` cannot read the values of a release.
      command helm upgrade --help | grep -q -- --reset-then-reuse-values
      shift
      local arguments=("$@")
      command helm template "${arguments[@]/--reset-then-reuse-values/--skip-tests=false}" > "$RELEASES/$(date +%s%N).yaml" ;;
    template) command helm "$@" ;;
    # The release has the values of the page.
    get) test "$2" != values || cat values.yaml ;;
    test) command helm test --help | grep -q -- --logs ;;
  esac
}
kubectl() {
  note kubectl "$@"
  case "$*" in
    *"create namespace"* | *"create secret"* | *"create configmap"*) command kubectl "$@" --dry-run=client --output=json > "$MADE/$(date +%s%N).json" ;;
  esac
}
aws() {
  note aws "$@"
  case "$1 $2" in
    # moto has no EKS.
    "eks create-pod-identity-association") ;;
    "eks describe-cluster") echo https://oidc.eks.eu-central-1.amazonaws.com/id/0123 ;;
    # What happens in AWS does not depend on Helm.
    *) test -z "${AWS_ENDPOINT_URL:-}" || command aws "$@" > /dev/null ;;
  esac
}
asana-access-review() { note asana-access-review "$@"; }
git() { echo 0123abc; }
sh() { note sh "$@"; }
"#;

#[test]
fn the_installation_runs_to_its_end_on_each_helm() {
    if !has(&["bash", "kubectl", "aws", "jq", "kubernetes-validate"]) {
        return;
    }
    let helms = helms();
    let Some(moto) = Moto::start() else { return };
    let mut all = Vec::new();
    for (place, helm) in helms.iter().enumerate() {
        let aws = (place == 0).then_some(&moto);
        all.extend(install(helm, aws));
    }
    let compared = compare_with_kubernetes(&all).unwrap_or_else(|unknown| panic!("{unknown}"));
    assert!(compared > 10, "{compared}");
}

/// Follows `docs/install.md`. Returns all objects that it makes.
fn install(helm: &Path, moto: Option<&Moto>) -> Vec<Value> {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["docs", "helm"] {
        crate::support::copy(&here(name), &folder.path().join(name));
    }
    fs::write(folder.path().join("truto-token"), "a token").expect("a token");
    let typed = Typed::new(helm, moto, folder.path(), &["docs/install.md"], "");
    let trust = fs::read_to_string(folder.path().join("trust.json")).expect("a policy");
    let subject = r#"id/0123:sub":"system:serviceaccount:access-review:asana-access-review""#;
    assert!(trust.contains(subject), "{trust}");

    // The policies are complete: JSON without placeholders.
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
    // The release, with notifications, with alerts.
    assert_eq!(typed.releases.len(), 3);
    let release = typed.releases.last().expect("a release");
    only(release, "CronJob");
    only(release, "PrometheusRule");
    let pods = pods(release);
    assert!(pods.values().all(
        |pod| pod["containers"][0]["image"] == "registry.example.com/asana-access-review:0.1.0"
    ));
    // The last Secret has every key that the pods mount.
    only(&typed.made, "Namespace");
    let secret = typed.made.iter().rfind(|object| object["kind"] == "Secret");
    let secret = secret.expect("a Secret");
    for pod in pods.values() {
        let volume = &pod["volumes"][0]["secret"];
        assert_eq!(volume["secretName"], secret["metadata"]["name"]);
        let items = volume["items"].as_array().expect("items");
        assert_eq!(items.len(), 2, "the token, and the webhook URL");
        for item in items {
            let key = item["key"].as_str().expect("a key");
            assert!(secret["data"][key].is_string(), "{key}");
        }
    }
    let programs = [
        "asana-access-review",
        "aws",
        "docker",
        "helm",
        "kubectl",
        "sh",
    ];
    assert_eq!(
        ensure_commands_are_valid(&typed.notes),
        BTreeSet::from(programs.map(str::to_owned))
    );
    typed.objects()
}

/// What the commands of some pages did.
struct Typed {
    /// Every command, one a line.
    notes: String,
    /// The objects that kubectl made, in order.
    made: Vec<Value>,
    /// The objects of each `helm install` and `helm upgrade`, in order.
    releases: Vec<Vec<Value>>,
}

impl Typed {
    /// Types the blocks of some pages into a shell with this helm. Without moto, nothing is done in AWS.
    fn new(helm: &Path, moto: Option<&Moto>, folder: &Path, pages: &[&str], before: &str) -> Self {
        let (made, releases) = (folder.join("made"), folder.join("releases"));
        for name in [&made, &releases] {
            fs::create_dir(name).expect("a folder");
        }
        let notes = folder.join("notes");
        let blocks = pages.iter().flat_map(|page| blocks(&text(page), "sh"));
        let script = format!(
            "{PRELUDE}\n{before}\n{}",
            blocks.collect::<Vec<_>>().join("\n")
        );
        // The helm comes with the kubectl of its time.
        let own = helm.parent().unwrap_or(Path::new("")).display();
        let script = format!("PATH={own}:$PATH\n{script}");
        let mut bash = Process::new("bash");
        bash.args(["-c", &script]).current_dir(folder);
        if let Some(moto) = moto {
            bash.envs(moto.s3_env());
            bash.env("AWS_ENDPOINT_URL", moto.endpoint());
        }
        bash.env("NOTES", &notes)
            .env("RELEASES", &releases)
            .env("MADE", &made);
        let run = ended(bash.output().expect("bash"));
        assert_eq!(run.code, 0, "{helm:?}: {}{}", run.stdout, run.stderr);
        let files = |folder: &PathBuf| -> Vec<String> {
            let names = crate::support::files_below(folder).into_iter();
            let read = |name| fs::read_to_string(folder.join(name)).expect("a file");
            names.map(read).collect()
        };
        let parse = |text: String| serde_json::from_str(&text).expect("JSON");
        Self {
            notes: fs::read_to_string(&notes).expect("notes"),
            made: files(&made).into_iter().map(parse).collect(),
            releases: files(&releases)
                .iter()
                .map(|text| documents(text))
                .collect(),
        }
    }

    fn objects(self) -> Vec<Value> {
        let released = self.releases.into_iter().flatten();
        self.made.into_iter().chain(released).collect()
    }
}

#[test]
fn every_command_for_other_stores_and_operations_runs() {
    if !has(&[
        "bash",
        "kubectl",
        "aws",
        "jq",
        "promtool",
        "kubernetes-validate",
    ]) {
        return;
    }
    let helms = helms();
    let Some(helm) = helms.last() else { return };
    let Some(moto) = Moto::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    crate::support::copy(&here("helm"), &folder.path().join("helm"));
    fs::write(folder.path().join("truto-token"), "a token").expect("a token");
    fs::write(folder.path().join("company-ca.pem"), "a certificate").expect("a certificate");
    let values = here("helm/asana-access-review/ci/eks-pod-identity-values.yaml");
    fs::copy(values, folder.path().join("values.yaml")).expect("values");
    // A bucket, and its backup with one object.
    let before = "
        export AWS_DEFAULT_REGION=eu-central-1 BUCKET=evidence-elsewhere
        command aws s3 mb s3://$BUCKET > /dev/null
        command aws s3 mb s3://$BUCKET-copy > /dev/null
        printf x | command aws s3 cp - s3://$BUCKET-copy/asana/x";
    let pages = ["docs/stores.md", "docs/operations.md"];
    let typed = Typed::new(helm, Some(&moto), folder.path(), &pages, before);
    only(typed.releases.last().expect("a release"), "CronJob");
    assert!(
        typed
            .made
            .iter()
            .any(|made| made["kind"] == "Secret" && made["data"]["AWS_CREDENTIALS"].is_string())
    );
    ensure_commands_are_valid(&typed.notes);
    // With these names, the rules are those of the plain manifests.
    let rules = fs::read_to_string(folder.path().join("prometheus-rules.yaml")).expect("rules");
    assert_eq!(
        documents(&rules),
        documents(&text("k8s/prometheus-rules.yaml"))
    );
    compare_with_kubernetes(&typed.objects()).unwrap_or_else(|unknown| panic!("{unknown}"));
}

/// Checks the commands that could not run. Returns the names of the programs.
fn ensure_commands_are_valid(notes: &str) -> BTreeSet<String> {
    let mut programs = BTreeSet::new();
    for note in notes.lines() {
        let words: Vec<&str> = note.split(' ').collect();
        programs.insert(words[0].to_owned());
        match words[0] {
            "docker" => ensure_docker(&words),
            "asana-access-review" => ensure_our_command_line(&words),
            "sh" => assert!(here(words[1]).is_file(), "{note}"),
            _ => {}
        }
    }
    programs
}

/// The Dockerfile has each argument of a build.
fn ensure_docker(words: &[&str]) {
    let dockerfile = text("Dockerfile");
    for pair in words.windows(2).filter(|pair| pair[0] == "--build-arg") {
        let name = pair[1].split('=').next().unwrap_or_default();
        assert!(dockerfile.contains(&format!("\nARG {name}")), "{name}");
    }
}

/// The program accepts the command line.
fn ensure_our_command_line(words: &[&str]) {
    if let Err(text) = cli::parse(words.iter().map(Into::into))
        && text.use_stderr()
    {
        panic!("{words:?}: {text}");
    }
}

#[test]
fn an_auditors_copy_passes_both_verifiers_as_documented() {
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
    // The copy exists already, and the other lines run unchanged.
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
fn the_terraform_of_the_installation_sets_versions_and_locks() {
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
    // Terraform and the commands make the same bucket.
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
