//! The chart as helm renders it, and manifests as YAML.

#![allow(dead_code, reason = "each test uses only a part of it")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Map, Value, json};

use super::has;

/// The namespace of every rendering.
pub(crate) const NAMESPACE: &str = "access-review";

/// A file or folder of this repository.
pub(crate) fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The text of a file of this repository.
pub(crate) fn text(name: &str) -> String {
    let path = here(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn chart() -> PathBuf {
    here("helm/asana-access-review")
}

/// Every document of a YAML text except empty ones. A duplicate key is an error.
pub(crate) fn documents(yaml: &str) -> Vec<Value> {
    let all: Vec<Value> = serde_saphyr::from_multiple(yaml)
        .unwrap_or_else(|error| panic!("no YAML: {error}\n{yaml}"));
    all.into_iter().filter(|value| !value.is_null()).collect()
}

/// The one document of a YAML file of this repository.
pub(crate) fn document(name: &str) -> Value {
    let mut all = documents(&text(name));
    assert_eq!(all.len(), 1, "{name} is one document");
    all.remove(0)
}

/// The minimal values: those without a usable default.
pub(crate) fn least() -> Value {
    json!({
        "image": { "repository": "registry.example.com/asana-access-review" },
        "cronJob": { "timeZone": "Europe/Paris" },
        "config": {
            "trutoIntegratedAccountId": "5f0c3a52-8d1e-4b7a-9c64-2e9b7d1f4a10",
            "hrFeedUrl": "s3://hr-exports/feed.csv",
            "evidenceUrl": "s3://access-evidence/asana",
        },
        "existingSecret": "asana-access-review",
    })
}

/// Merges values as `helm -f` does: maps are merged, everything else is replaced.
pub(crate) fn over(base: &Value, other: &Value) -> Value {
    match (base, other) {
        (Value::Object(base), Value::Object(other)) => {
            let mut merged = base.clone();
            for (key, value) in other {
                let value = match merged.get(key) {
                    Some(there) => over(there, value),
                    None => value.clone(),
                };
                merged.insert(key.clone(), value);
            }
            Value::Object(merged)
        }
        (_, other) => other.clone(),
    }
}

/// A value at a path of keys.
pub(crate) fn at(path: &[&str], value: Value) -> Value {
    path.iter().rev().fold(value, |inner, key| {
        let mut outer = Map::new();
        outer.insert((*key).to_owned(), inner);
        Value::Object(outer)
    })
}

/// Runs a program to its end.
pub(crate) fn output(program: &str, arguments: &[&str]) -> Output {
    let run = Command::new(program).args(arguments).output();
    run.unwrap_or_else(|error| panic!("{program}: {error}"))
}

/// The output of a program that must succeed.
pub(crate) fn printed(program: &str, arguments: &[&str]) -> String {
    let output = output(program, arguments);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{program} {arguments:?}\n{}\n{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}

/// The versions of Helm that `.ci/run` installs in target/tools. They treat nulls differently.
const HELM_VERSIONS: [&str; 3] = ["3.17", "4.1", "4.3"];

/// Each of these versions that is installed, or the helm in PATH. Continuous integration needs all
/// of them.
#[expect(
    clippy::print_stdout,
    reason = "a test prints the versions that it used"
)]
#[expect(
    clippy::disallowed_methods,
    reason = "continuous integration must not skip a version"
)]
pub(crate) fn helms() -> Vec<PathBuf> {
    let helm = |version| here("target/tools").join(format!("helm-{version}/helm"));
    let mut helms: Vec<PathBuf> = HELM_VERSIONS.map(helm).into();
    helms.retain(|helm| helm.is_file());
    let is_ci = std::env::var_os("CI").is_some();
    assert!(
        !is_ci || helms.len() == HELM_VERSIONS.len(),
        "only {helms:?} of {HELM_VERSIONS:?} is below target/tools: run .ci/run"
    );
    if helms.is_empty() && has(&["helm"]) {
        helms.push("helm".into());
    }
    for helm in &helms {
        let version = printed(helm.to_str().expect("UTF-8"), &["version", "--short"]);
        println!("ran with helm {}", version.trim());
    }
    helms
}

/// A release of a chart as helm renders it, or helm's error.
pub(crate) fn template_of(chart: &Path, release: &str, values: &Value) -> Result<String, String> {
    template_by(Path::new("helm"), chart, release, values)
}

/// A release of a chart as one of several helms renders it, or its error.
pub(crate) fn template_by(
    helm: &Path,
    chart: &Path,
    release: &str,
    values: &Value,
) -> Result<String, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("values.json");
    fs::write(&file, values.to_string()).expect("values");
    let run = Command::new(helm)
        .args(["template", release])
        .arg(chart)
        .args(["--namespace", NAMESPACE, "--values"])
        .arg(&file)
        .output()
        .expect("helm");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if run.status.success() {
        Ok(text(&run.stdout))
    } else {
        Err(text(&run.stderr))
    }
}

/// The rendered chart, or helm's error.
pub(crate) fn template(release: &str, values: &Value) -> Result<String, String> {
    template_of(&chart(), release, values)
}

/// The objects of the chart rendered with valid values.
pub(crate) fn objects(release: &str, values: &Value) -> Vec<Value> {
    let rendered = template(release, values)
        .unwrap_or_else(|error| panic!("values that should work: {error}\n{values:#}"));
    documents(&rendered)
}

/// The only object of a kind.
pub(crate) fn only<'a>(objects: &'a [Value], kind: &str) -> &'a Value {
    let mut found = objects.iter().filter(|object| object["kind"] == kind);
    let first = found.next().unwrap_or_else(|| panic!("no {kind}"));
    assert!(found.next().is_none(), "more than one {kind}");
    first
}

/// The specs of all pods of the objects, by kind and name.
pub(crate) fn pods(objects: &[Value]) -> BTreeMap<String, &Value> {
    let mut pods = BTreeMap::new();
    for object in objects {
        let spec = match object["kind"].as_str() {
            Some("CronJob") => &object["spec"]["jobTemplate"]["spec"]["template"]["spec"],
            Some("Job") => &object["spec"]["template"]["spec"],
            Some("Pod") => &object["spec"],
            _ => continue,
        };
        let name = object["metadata"]["name"].as_str().unwrap_or("unnamed");
        let kind = object["kind"].as_str().unwrap_or_default();
        pods.insert(format!("{kind} {name}"), spec);
    }
    pods
}

/// The environment of a pod's first container: the variables of the ConfigMap, and its own with a
/// literal value.
pub(crate) fn environment(objects: &[Value], pod: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let mut environment = BTreeMap::new();
    let settings = objects.iter().find(|object| object["data"].is_object());
    for (name, value) in settings.expect("a ConfigMap")["data"]
        .as_object()
        .expect("data")
    {
        environment.insert(name.clone(), text(value));
    }
    for entry in pod["containers"][0]["env"].as_array().expect("env") {
        if let Some(value) = entry["value"].as_str() {
            environment.insert(text(&entry["name"]), value.to_owned());
        }
    }
    environment
}

/// The versions of Kubernetes with which the chart must work: from its `kubeVersion` to the newest
/// that kubernetes-validate knows.
const KUBERNETES_VERSIONS: [&str; 7] = ["1.31", "1.32", "1.33", "1.34", "1.35", "1.36", "1.37"];

/// Kinds that operators add to a cluster.
const KINDS_OF_OPERATORS: [&str; 2] = ["ExternalSecret", "PrometheusRule"];

/// Compares objects with the strict schemas of each version. Returns how many objects it compared,
/// or what a schema does not know. Needs kubernetes-validate.
pub(crate) fn compare_with_kubernetes(objects: &[Value]) -> Result<usize, String> {
    let is_known = |object: &&Value| {
        let kind = object["kind"].as_str().unwrap_or_default();
        !KINDS_OF_OPERATORS.contains(&kind)
    };
    let texts: BTreeSet<String> = objects
        .iter()
        .filter(is_known)
        .map(|object| {
            let mut object = object.clone();
            // The name that Kubernetes generates, which kubernetes-validate requires.
            if let Some(begin) = object["metadata"]["generateName"].as_str() {
                object["metadata"]["name"] = json!(format!("{begin}x7k2p"));
            }
            object.to_string()
        })
        .collect();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("objects.yaml");
    let count = texts.len();
    let texts: Vec<String> = texts.into_iter().collect();
    fs::write(&file, texts.join("\n---\n")).expect("manifests");
    let mut arguments = vec!["--strict", "--quiet"];
    for version in KUBERNETES_VERSIONS {
        arguments.extend(["-k", version]);
    }
    arguments.push(file.to_str().expect("UTF-8"));
    let compared = output("kubernetes-validate", &arguments);
    if compared.status.success() {
        return Ok(count);
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Err(text(&compared.stdout) + &text(&compared.stderr))
}

/// A leaf of the chart's schema: a value that can be set, with its examples.
#[derive(Clone, Debug)]
pub(crate) struct Leaf {
    pub(crate) path: Vec<String>,
    pub(crate) schema: Value,
}

impl Leaf {
    /// The name with dots, such as `cronJob.schedule`.
    pub(crate) fn name(&self) -> String {
        self.path.join(".")
    }

    /// The examples in the schema.
    pub(crate) fn examples(&self) -> Vec<Value> {
        let examples = self.schema["examples"].as_array();
        examples
            .unwrap_or_else(|| panic!("{} has no examples", self.name()))
            .clone()
    }

    /// Values with only this value.
    pub(crate) fn set(&self, value: Value) -> Value {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        at(&path, value)
    }

    /// This value in other values.
    pub(crate) fn get<'a>(&self, values: &'a Value) -> &'a Value {
        self.path
            .iter()
            .fold(values, |value, key| &value[key.as_str()])
    }
}

pub(crate) fn schema() -> Value {
    serde_json::from_str(&text("helm/asana-access-review/values.schema.json")).expect("JSON")
}

/// Every leaf of the schema in order: a value that is not a closed group.
pub(crate) fn leaves() -> Vec<Leaf> {
    fn walk(schema: &Value, path: &mut Vec<String>, leaves: &mut Vec<Leaf>) {
        let is_group = schema["type"] == "object"
            && schema["examples"].is_null()
            && schema["properties"].is_object();
        if !is_group {
            let schema = schema.clone();
            let path = path.clone();
            leaves.push(Leaf { path, schema });
            return;
        }
        for (key, inner) in schema["properties"].as_object().expect("properties") {
            path.push(key.clone());
            walk(inner, path, leaves);
            path.pop();
        }
    }
    let mut leaves = Vec::new();
    walk(&schema(), &mut Vec::new(), &mut leaves);
    // A parent chart may pass these, but no template reads them.
    leaves.retain(|leaf| leaf.name() != "global" && leaf.name() != "enabled");
    leaves
}

/// Every closed group of keys by its path. The chart's root has the empty path.
pub(crate) fn groups() -> BTreeSet<Vec<String>> {
    let above = |leaf: Leaf| (0..leaf.path.len()).map(move |length| leaf.path[..length].to_vec());
    leaves().into_iter().flat_map(above).collect()
}
