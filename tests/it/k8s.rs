//! The plain manifests are compared field by field with the rendered chart.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::support::has;
use crate::support::kube::{document, documents, here, objects, only, over, printed, text};
use serde_json::{Value, json};

/// Labels and annotations that only helm adds.
const OF_HELM: [&str; 3] = [
    "helm.sh/chart",
    "app.kubernetes.io/managed-by",
    "checksum/config",
];

/// Lists whose order does not matter, and the key of their items.
const UNORDERED: [(&str, &str); 3] = [("env", "name"), ("items", "key"), ("volumes", "name")];

/// An object without helm's additions, and with sorted lists.
fn plain(mut value: Value) -> Value {
    match &mut value {
        Value::Object(map) => {
            map.retain(|key, _| !OF_HELM.contains(&key.as_str()));
            for (key, inner) in map.iter_mut() {
                *inner = plain(inner.take());
                let sorted_by = UNORDERED.iter().find(|(list, _)| list == key);
                if let (Value::Array(list), Some((_, by))) = (&mut *inner, sorted_by) {
                    list.sort_by_key(|entry| entry[*by].to_string());
                }
            }
            map.retain(|key, inner| {
                key != "annotations" || inner.as_object().is_none_or(|map| !map.is_empty())
            });
        }
        Value::Array(list) => list
            .iter_mut()
            .for_each(|inner| *inner = plain(inner.take())),
        _ => {}
    }
    value
}

fn by_kind(objects: Vec<Value>) -> BTreeMap<String, Value> {
    let kind = |object: &Value| object["kind"].as_str().expect("a kind").to_owned();
    objects
        .into_iter()
        .map(|object| (kind(&object), plain(object)))
        .collect()
}

/// The chart rendered with the values of a folder, without the pod of `helm test`.
fn of_the_chart(values: &str) -> BTreeMap<String, Value> {
    let mut objects = by_kind(objects("asana-access-review", &document(values)));
    assert!(objects.remove("Pod").is_some(), "the pod of `helm test`");
    objects
}

fn kustomized(folder: &Path) -> BTreeMap<String, Value> {
    by_kind(documents(&printed(
        "kubectl",
        &["kustomize", folder.to_str().expect("UTF-8")],
    )))
}

fn ensure_same(chart: &BTreeMap<String, Value>, manifests: &BTreeMap<String, Value>) {
    assert_eq!(
        chart.keys().collect::<Vec<_>>(),
        manifests.keys().collect::<Vec<_>>()
    );
    for (kind, rendered) in chart {
        assert_eq!(
            &manifests[kind], rendered,
            "{kind}: the chart's rendering is on the right"
        );
    }
}

#[test]
fn the_base_equals_the_rendered_chart() {
    if !has(&["helm", "kubectl"]) {
        return;
    }
    ensure_same(
        &of_the_chart("k8s/values.yaml"),
        &kustomized(&here("k8s/base")),
    );
}

#[test]
fn the_eks_overlay_equals_the_chart_with_a_role() {
    if !has(&["helm", "kubectl"]) {
        return;
    }
    let chart = of_the_chart("k8s/overlays/eks-irsa/values.yaml");
    ensure_same(&chart, &kustomized(&here("k8s/overlays/eks-irsa")));
}

#[test]
fn the_plain_overlay_equals_the_chart_and_a_secret_of_local_files() {
    if !has(&["helm", "kubectl"]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    crate::support::copy(&here("k8s"), folder.path());
    let overlay = folder.path().join("overlays/plain");
    fs::create_dir_all(overlay.join("secrets")).expect("a folder");
    for name in [
        "TRUTO_API_TOKEN",
        "HR_FEED_AUTHORIZATION",
        "AWS_CREDENTIALS",
    ] {
        fs::write(overlay.join("secrets").join(name), "secret").expect("a secret");
    }
    let mut manifests = kustomized(&overlay);
    let secret = manifests.remove("Secret").expect("a Secret");
    let chart = of_the_chart("k8s/overlays/plain/values.yaml");
    ensure_same(&chart, &manifests);

    // The Secret has each key that the pod mounts.
    let spec = &chart["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"];
    let mounted = &spec["volumes"][0]["secret"];
    assert_eq!(secret["metadata"]["name"], mounted["secretName"]);
    let keys: Vec<&str> = mounted["items"]
        .as_array()
        .expect("items")
        .iter()
        .filter_map(|item| item["key"].as_str())
        .collect();
    let data: Vec<&str> = secret["data"]
        .as_object()
        .expect("data")
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(keys, data);
    assert!(text(".gitignore").contains("/k8s/overlays/plain/secrets\n"));
}

#[test]
fn the_one_off_job_equals_the_nightly_job_with_a_generated_name() {
    let snapshot = plain(document("k8s/base/cronjob.yaml"));
    let job = plain(document("k8s/one-off-job.yaml"));
    assert_eq!(job["spec"], snapshot["spec"]["jobTemplate"]["spec"]);
    assert_eq!(
        job["metadata"]["labels"],
        snapshot["spec"]["jobTemplate"]["metadata"]["labels"]
    );
    assert_eq!(
        job["metadata"]["namespace"],
        snapshot["metadata"]["namespace"]
    );
    assert!(job["metadata"]["name"].is_null());
    assert_eq!(
        job["metadata"]["generateName"],
        "asana-access-review-manual-"
    );
}

#[test]
fn the_job_of_an_access_review_equals_the_rendered_chart() {
    if !has(&["helm"]) {
        return;
    }
    let job = document("k8s/review-job.yaml");
    let args = job["spec"]["template"]["spec"]["containers"][0]["args"].as_array();
    let (review, args) = args.and_then(|args| args.split_first()).expect("arguments");
    assert_eq!(review, "review");
    let step = json!({ "review": { "args": args, "claim": "review-files" } });
    let values = over(&document("k8s/values.yaml"), &step);
    let chart = objects("asana-access-review", &values);
    assert_eq!(plain(job), plain(only(&chart, "Job").clone()));
}
