//! An access review in a cluster: the Job of the chart and of the manifest, its files on a claim, and
//! the real binary, from the open to the acknowledgement, as the guide describes it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::has;
use crate::support::job::{Ended, Job, LEFT_AND_GONE, ended, verify};
use crate::support::kube::{
    NAMESPACE, document, documents, environment, here, least, objects, only, over, pods, printed,
    text,
};
use crate::support::review::part_in;
use serde_json::{Value, json};
use truto_simulator::{CONNECTION_ID, Person, World};

/// A name from the company that no log may contain.
const NAME: &str = "Wilhelmina Featherstonehaugh";

/// A company with one signed run.
fn company() -> Job {
    let person = Person::member("1299", NAME, "wilhelmina@example.com");
    let key = here("tests/keys/ed25519.test-key.pem");
    let job = Job::new(World::generated(12).person(person), LEFT_AND_GONE)
        .env("EVIDENCE_SIGNING_KEY_FILE", key.to_str().expect("UTF-8"));
    assert_eq!(job.run().code, 0);
    job
}

/// Values of a release with its evidence on a claim.
fn values() -> Value {
    over(
        &least(),
        &json!({
            "config": { "evidenceUrl": "/evidence/asana", "trutoIntegratedAccountId": CONNECTION_ID },
            "persistence": { "enabled": true },
            "secretKeys": { "evidenceSigningKey": "EVIDENCE_SIGNING_KEY" },
        }),
    )
}

/// Does the work of a kubelet for a Job: mounts its files and starts the program with its arguments
/// and environment. Paths of the pod are replaced by paths of this test.
fn run_as_pod(job: &Job, release: &[Value], made: &Value, files: &Path) -> Ended {
    let objects = [release, std::slice::from_ref(made)].concat();
    let pods = pods(std::slice::from_ref(made));
    let pod = pods.values().next().expect("a pod");
    let folder = tempfile::tempdir().expect("a folder");
    let review = folder.path().join("review");
    crate::support::copy(files, &review);
    let path = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let placed = |text: &str| match text {
        // A day in the far future, so that the test passes on every day.
        "2026-12-31" => "2999-12-31".to_owned(),
        "/run/secrets/asana-access-review/EVIDENCE_SIGNING_KEY" => {
            path(&here("tests/keys/ed25519.test-key.pem"))
        }
        _ if text.contains("set-in-an-overlay/asana") || text == "/evidence/asana" => {
            path(&job.evidence())
        }
        "set-in-an-overlay" => CONNECTION_ID.to_owned(),
        _ => text.replacen(
            "/review",
            &path(&review),
            usize::from(text.starts_with("/review")),
        ),
    };
    let environment: BTreeMap<String, String> = environment(&objects, pod)
        .into_iter()
        .map(|(name, value)| (name, placed(&value)))
        .collect();
    for name in environment.keys() {
        let is_anothers = ["TRUTO_API", "HR_FEED_AUTH"]
            .iter()
            .any(|secret| name.starts_with(secret));
        assert!(!is_anothers, "{name}");
    }
    let args = pod["containers"][0]["args"].as_array().expect("arguments");
    let args = args
        .iter()
        .map(|word| placed(word.as_str().expect("a word")));
    let run = Command::new(env!("CARGO_BIN_EXE_asana-access-review"))
        .current_dir(folder.path())
        .env_clear()
        .envs(environment)
        .envs([("JOB_NAME", "the-job"), ("POD_UID", "the-pod")])
        .args(args)
        .stdin(Stdio::null())
        .output();
    ended(run.expect("the binary"))
}

/// The folder of a part of the only review.
fn part(reviews: &Path, part: &str) -> PathBuf {
    let mut ids = fs::read_dir(reviews).expect("reviews");
    let id = ids.next().expect("one").expect("one").path();
    assert!(ids.next().is_none());
    part_in(&id, part)
}

/// The worksheet as its reviewers fill it in. Everything is kept, and each file has the rows of one
/// reviewer.
fn decided(worksheet: &Path) -> BTreeMap<String, Vec<u8>> {
    let text = fs::read(worksheet).expect("a worksheet");
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(&text[3..]);
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    let column = |name: &str| rows[0].iter().position(|header| header == name);
    let columns = ["decision", "reviewer", "note"].map(|name| column(name).expect("a column"));
    let [decision, reviewer, note] = columns;
    let mut files: BTreeMap<String, csv::Writer<Vec<u8>>> = BTreeMap::new();
    for row in &rows[1..] {
        let row = row.iter().enumerate();
        let row: Vec<&str> = row
            .map(|(at, cell)| match at {
                _ if at == decision => "keep",
                _ if at == note => "on call",
                _ => cell,
            })
            .collect();
        let file = files.entry(row[reviewer].to_owned()).or_insert_with(|| {
            let mut file = csv::Writer::from_writer(Vec::new());
            file.write_record(&rows[0]).expect("a header");
            file
        });
        file.write_record(row).expect("a row");
    }
    let bytes = |file: csv::Writer<Vec<u8>>| file.into_inner().expect("bytes");
    files
        .into_iter()
        .map(|(who, file)| (who, bytes(file)))
        .collect()
}

const REVIEWERS: &str = "rule,value,reviewer\nrole,admin,person1@example.com\ndefault,,person3@example.com\n\
     default,,person1@example.com\n";

/// No log may contain the name of a person, or a file name that may contain one.
fn ensure_no_names(log: &str) {
    for name in ["@", "lead", "ciso", "Person", "Wilhelmina", "final"] {
        assert!(!log.contains(name), "{name}\n{log}");
    }
}

/// The fenced commands of the guide's section about a cluster.
fn commands() -> Vec<String> {
    let guide = text("docs/access-reviews.md");
    let (_, section) = guide
        .split_once("\n### Where only the cluster may write\n")
        .expect("the section");
    let section = section.split("\n## ").next().unwrap_or_default();
    let blocks = section.split("```sh\n").skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap_or_default().to_owned())
        .collect()
}

/// Stand-ins for a cluster and a bucket. The real programs make Secrets and manifests. `kubectl
/// logs` asks this test to run the Job.
const PRELUDE: &str = r#"
set -euo pipefail
trap 'echo over > "$ASK"' EXIT
helm() {
  case "$1 $2" in
    "get values") cat "$RELEASE" ;;
    *) command helm "$@" ;;
  esac
}
kubectl() {
  case "$*" in
    "create --filename - --output name") cat > "$CLUSTER/job"; echo job.batch/the-job ;;
    "apply --filename -") cat > "$CLUSTER/claim"; mkdir -p "$FILES" ;;
    *" logs "*" job.batch/the-job") echo run > "$ASK"; read -r code < "$ANSWER"; cat "$CLUSTER/log" ;;
    *" get pods "*"batch.kubernetes.io/job-name=the-job "*) echo "exit $code" ;;
    "create --filename -") cat > "$CLUSTER/pod" ;;
    *" wait --for=condition=Ready pod/review-files" | *" delete pod review-files") grep -q . "$CLUSTER/pod" ;;
    *" exec review-files -- rm -rf /review/"*) rm -rf "$FILES/${8#/review/}" ;;
    *" cp "*" review-files:/review") cp -r "$4" "$FILES/" ;;
    *" delete persistentvolumeclaim review-files") rm -r "$FILES" "$CLUSTER/claim" ;;
    *) echo "unexpected: kubectl $*" >&2; return 1 ;;
  esac
}
asana-access-review() {
  [ "$EVIDENCE_URL" = "s3://$BUCKET/asana" ]
  EVIDENCE_URL=$EVIDENCE "$BINARY" "$@"
}
aws() {
  [ "$*" = "s3 cp --recursive s3://$BUCKET/asana/system=asana/connection=$CONNECTION/reviews/ reviews --exclude * --include 2026-Q4-*/open-*/*" ]
  cp -r "$EVIDENCE/system=asana/connection=$CONNECTION/reviews" reviews
}
"#;

/// A folder in which commands of the guide run, with Jobs that this test runs.
struct Cluster<'a> {
    job: &'a Job,
    release: Vec<Value>,
    folder: tempfile::TempDir,
}

impl Cluster<'_> {
    fn place(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the created Job with its Secret and returns the exit code.
    fn run_job(&self) -> i32 {
        let made = fs::read_to_string(self.place("cluster/job")).expect("a Job");
        let made = documents(&made);
        let job = only(&made, "Job");
        let volumes = job["spec"]["template"]["spec"]["volumes"].as_array();
        let mut volumes = volumes.into_iter().flatten();
        let review = volumes.find(|of| of["name"] == "review").expect("a volume");
        assert_eq!(review["persistentVolumeClaim"]["claimName"], "review-files");
        let files = self.place("files");
        let run = run_as_pod(self.job, &self.release, job, &files);
        let log = format!("{}{}", run.stdout, run.stderr);
        fs::write(self.place("cluster/log"), log).expect("a log");
        run.code
    }

    /// Runs commands to their end and returns what they printed.
    fn run_commands(&self, commands: &[String]) -> String {
        let (ask, answer) = (self.place("ask"), self.place("answer"));
        let script = format!("{PRELUDE}\n{}", commands.join("\n"));
        std::thread::scope(|scope| {
            let bash = scope.spawn(|| {
                let mut bash = Command::new("bash");
                bash.args(["-c", &script]).current_dir(self.folder.path());
                bash.env("ASK", &ask).env("ANSWER", &answer);
                bash.env("CLUSTER", self.place("cluster"));
                bash.env("FILES", self.place("files"));
                bash.env("RELEASE", self.place("release.json"));
                bash.env("EVIDENCE", self.job.evidence());
                bash.env("BINARY", env!("CARGO_BIN_EXE_asana-access-review"));
                ended(bash.output().expect("bash"))
            });
            // Opening a pipe for reading blocks until the other end is opened.
            while fs::read_to_string(&ask).expect("a question").trim() == "run" {
                let code = self.run_job();
                fs::write(&answer, format!("{code}\n")).expect("an answer");
            }
            let run = bash.join().expect("bash");
            assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
            format!("{}{}", run.stdout, run.stderr)
        })
    }
}

#[test]
fn the_commands_of_the_guide_run_a_review_in_a_cluster() {
    if !has(&["bash", "mkfifo", "helm", "kubectl", "sha256sum"]) {
        return;
    }
    let job = company();
    let cluster = Cluster {
        job: &job,
        release: objects("asana-access-review", &values()),
        folder: tempfile::tempdir().expect("a folder"),
    };
    for pipe in ["ask", "answer"] {
        let made = Command::new("mkfifo").arg(cluster.place(pipe)).status();
        assert!(made.expect("mkfifo").success());
    }
    for folder in ["cluster", "received"] {
        fs::create_dir(cluster.place(folder)).expect("a folder");
    }
    crate::support::copy(&here("helm"), &cluster.place("helm"));
    fs::write(cluster.place("release.json"), values().to_string()).expect("values");
    fs::write(cluster.place("reviewers.csv"), REVIEWERS).expect("reviewers");
    // The reader's own settings, as the page about the installation names the file.
    fs::write(cluster.place("values.yaml"), "# of the reader").expect("values");
    let commands = commands();
    let [setup, open, fetch, status, close, acknowledge] = &commands[..] else {
        panic!("{commands:#?}");
    };

    let log = cluster.run_commands(&[setup.clone(), open.clone(), fetch.clone()]);
    assert!(log.contains("\nexit 0\n"), "{log}");
    assert!(log.contains("reviewer 2: "), "{log}");
    ensure_no_names(&log);
    assert_eq!(job.entry(2)["kind"], "review_open");
    assert!(job.entry(2)["key_sha256"].is_string());

    let opened = part(&cluster.place("reviews"), "open");
    let files = decided(&opened.join("worksheet.csv"));
    assert_eq!(files.len(), 2);
    let names = [
        "2026-Q4.lead-example-net.decisions.jsonl",
        "Lead's, final=2 (1).csv",
    ];
    for (name, bytes) in names.iter().zip(files.values()) {
        fs::write(cluster.place("received").join(name), bytes).expect("decisions");
    }
    let seen = cluster.run_commands(&[setup.clone(), status.clone()]);
    assert!(seen.contains("reviewer   person1@example.com "), "{seen}");
    // A file that was taken back does not stay on the claim.
    fs::create_dir(cluster.place("files/received")).expect("a folder");
    fs::write(cluster.place("files/received/old.csv"), "of last week").expect("a file");
    let log = cluster.run_commands(&[setup.clone(), close.clone()]);
    assert_eq!(log.matches("\nexit 0\n").count(), 1, "{log}");
    assert!(log.contains("CLOSED "), "{log}");
    ensure_no_names(&log);
    assert_eq!(job.entry(3)["kind"], "review_close");
    assert_eq!(job.entry(3)["verdict"], "pass");
    let log = cluster.run_commands(&[setup.clone(), acknowledge.clone()]);
    assert!(log.contains("ACKNOWLEDGED "), "{log}");
    ensure_no_names(&log);
    assert_eq!(job.entry(4)["kind"], "review_acknowledge");
    let closed = part(&job.connection().join("reviews"), "close");
    let manifest = fs::read(closed.join("manifest.json")).expect("a manifest");
    let manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
    assert!(manifest.to_string().contains("the-job"), "{manifest:#}");
    let seen = verify(&job.evidence(), &[]);
    assert_eq!(seen.code, 0, "{}", seen.stdout);

    let own = fs::read_to_string(cluster.place("values.yaml")).expect("values");
    assert_eq!(own, "# of the reader");

    // No file of a reviewer is left in the cluster.
    let left = crate::support::files_below(&cluster.place("cluster"));
    assert_eq!(left, ["job", "log", "pod"]);
    assert!(!cluster.place("files").exists());
    ensure_restricted(&cluster);
}

/// The pod that copies files to the claim meets the restricted standard, and has no evidence.
fn ensure_restricted(cluster: &Cluster<'_>) {
    let file = cluster.place("cluster/pod");
    let pod = documents(&fs::read_to_string(&file).expect("a Pod")).remove(0);
    assert_eq!(pod["metadata"]["namespace"], NAMESPACE);
    let snapshot = pods(&cluster.release);
    let snapshot = &snapshot["CronJob asana-access-review"];
    let container = &pod["spec"]["containers"][0];
    assert_eq!(pod["spec"]["securityContext"], snapshot["securityContext"]);
    assert_eq!(pod["spec"]["automountServiceAccountToken"], false);
    for (field, value) in container["securityContext"].as_object().expect("fields") {
        assert_eq!(&snapshot["containers"][0]["securityContext"][field], value);
    }
    assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);
    let claimed = &pod["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"];
    assert_eq!(claimed, "review-files");
    assert_eq!(pod["spec"]["volumes"].as_array().map(Vec::len), Some(1));
    if has(&["kubernetes-validate"]) {
        let file = file.to_str().expect("UTF-8");
        printed("kubernetes-validate", &["-k", "1.34", "--strict", file]);
    }
}

#[test]
fn the_plain_manifest_opens_a_review_and_closes_it_with_a_reason() {
    let job = company();
    let release = [document("k8s/base/configmap.yaml")];
    let mut manifest = document("k8s/review-job.yaml");
    // The key, as an overlay adds it.
    let container = &mut manifest["spec"]["template"]["spec"]["containers"][0];
    container["env"].as_array_mut().expect("env").push(json!({
        "name": "EVIDENCE_SIGNING_KEY_FILE",
        "value": "/run/secrets/asana-access-review/EVIDENCE_SIGNING_KEY",
    }));
    let claim = job.place().join("claim");
    fs::create_dir_all(claim.join("received")).expect("a folder");
    fs::write(claim.join("reviewers.csv"), REVIEWERS).expect("a file");
    let opened = run_as_pod(&job, &release, &manifest, &claim);
    assert_eq!(opened.code, 0, "{}{}", opened.stdout, opened.stderr);
    ensure_no_names(&(opened.stdout + &opened.stderr));

    let worksheet = part(&job.connection().join("reviews"), "open").join("worksheet.csv");
    let files = decided(&worksheet);
    let some = files.values().next().expect("decisions").clone();
    fs::write(claim.join("received/lead@example.net.csv"), some).expect("a file");
    let steps = text("k8s/review-job.yaml");
    let args = |step: &str| -> Vec<String> {
        let line = steps
            .lines()
            .find_map(|line| line.strip_prefix(&format!("#   args: [review, {step}, ")))
            .expect("the step");
        let rest = line.trim_end_matches(']').split(", ").map(str::to_owned);
        ["review", step]
            .map(str::to_owned)
            .into_iter()
            .chain(rest)
            .collect()
    };
    let mut ended = |args: Vec<String>| {
        manifest["spec"]["template"]["spec"]["containers"][0]["args"] = json!(args);
        let ended = run_as_pod(&job, &release, &manifest, &claim);
        let log = format!("{}{}", ended.stdout, ended.stderr);
        ensure_no_names(&log);
        (ended.code, log)
    };
    assert_eq!(ended(args("status")).0, 0);
    let (code, log) = ended(args("close"));
    assert_eq!(code, 78, "{log}");
    assert!(log.contains("the review is not closed"), "{log}");
    assert_eq!(job.entries(), 4, "two entries with their signatures");
    let reason = ["--accept-incomplete", "the others are ill"].map(str::to_owned);
    let (code, log) = ended([args("close"), reason.to_vec()].concat());
    assert_eq!(code, 4, "{log}");
    assert!(log.starts_with("CLOSED "), "{log}");
    assert_eq!(job.entry(3)["complete"], false);
}
