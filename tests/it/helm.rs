//! Renders the chart with the real helm: what it renders, what it refuses, and that the program,
//! Kubernetes and the README agree with it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use crate::support::has;
use crate::support::kube::{
    Leaf, NAMESPACE, at, chart, compare_with_kubernetes, document, documents, environment, groups,
    helms, here, least, leaves, objects, only, output, over, pods, printed, schema, template,
    template_by, template_of, text,
};
use asana_access_review::cli::exit::Exit;
use asana_access_review::cli::{self, CommandRequest};
use asana_access_review::config::{self, Command, Default, VARIABLES, Variable};
use asana_access_review::metrics::Metric;
use asana_access_review::schedule::Pattern;
use serde_json::{Value, json};

/// Variables that the chart sets itself, so it offers no value for them.
const OF_THE_CHART: [&str; 8] = [
    "JOB_NAME",
    "POD_UID",
    "IMAGE_DIGEST",
    "RUN_SCHEDULE",
    "RUN_SCHEDULE_ZONE",
    "SHARD_COUNT",
    "JOB_COMPLETION_INDEX",
    "JOB_RETRY",
];

/// Values for every kind of installation, to merge over the minimal values.
fn matrix() -> Vec<(&'static str, Value)> {
    vec![
        ("least", json!({})),
        (
            "everything at once",
            json!({
                "prometheusRule": { "enabled": true, "labels": { "release": "prometheus" } },
                "image": { "digest": format!("sha256:{}", "0".repeat(64)), "pullPolicy": "Always" },
                "imagePullSecrets": [{ "name": "registry" }],
                "secretKeys": { "evidenceSigningKey": "signing.pem", "awsCredentials": "credentials" },
                "aws": { "region": "eu-central-1", "endpointUrlS3": "https://s3.example.com", "ec2MetadataDisabled": false },
                "podLabels": { "team": "security" },
                "nodeSelector": { "kubernetes.io/os": "linux" },
                "tolerations": [{ "key": "batch", "operator": "Exists" }],
                "affinity": { "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [{ "matchExpressions": [{ "key": "x", "operator": "Exists" }] }] } } },
                "topologySpreadConstraints": [{ "maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway" }],
                "proxy": { "url": "http://proxy.example.com:3128", "noProxy": ["s3.example.com"] },
                "privateCa": { "configMap": "company-ca" },
                "extraEnv": [{ "name": "SSL_CERT_DIR", "value": "/etc/private-ca:/more" }],
                "extraEnvFrom": [{ "configMapRef": { "name": "more" } }],
                "extraVolumes": [{ "name": "more", "emptyDir": {} }],
                "extraVolumeMounts": [{ "name": "more", "mountPath": "/more" }],
                "extraObjects": [{ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "{{ .Release.Name }}-more" } }],
                "config": { "hrLocationZones": { "New York, NY": "America/New_York" }, "controlIds": ["AC-7: Leavers, and contractors, lose access within a day", "IT-12"] },
                "networkPolicy": { "extraEgress": [{ "ports": [{ "protocol": "UDP", "port": 5353 }] }] },
            }),
        ),
        (
            "IRSA",
            json!({ "serviceAccount": { "annotations": {
                "eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/asana-access-review" } } }),
        ),
        (
            "External Secrets",
            json!({
                "existingSecret": "",
                "externalSecret": { "enabled": true, "remoteKey": "prod/review", "secretStoreRef": { "name": "vault" } },
            }),
        ),
        (
            "a folder on a claim",
            json!({ "config": { "evidenceUrl": "/evidence/asana" }, "persistence": { "enabled": true } }),
        ),
        (
            "a claim that is there",
            json!({ "config": { "evidenceUrl": "file:///evidence" }, "persistence": { "enabled": true, "existingClaim": "evidence" } }),
        ),
        (
            "secrets in the environment",
            json!({ "secretsAsEnv": true, "config": { "hrFeedUrl": "https://hr.example.com/leavers" },
                    "secretKeys": { "hrFeedAuthorization": "hr" } }),
        ),
        (
            "an HR file that is mounted",
            json!({
                "config": { "hrFeedUrl": "/hr/leavers.csv", "aliasesUrl": "file:///hr/aliases.csv" },
                "extraVolumes": [{ "name": "hr", "persistentVolumeClaim": { "claimName": "hr" } }],
                "extraVolumeMounts": [{ "name": "hr", "mountPath": "/hr", "readOnly": true }],
            }),
        ),
        (
            "an HR system",
            json!({ "config": { "hrFeedUrl": "truto-hris://8f14e45f-ceea-467f-9d3b-1e2c7a1f0a11" } }),
        ),
        (
            "a key in KMS, and both receivers of notifications",
            json!({
                "config": { "evidenceSigningKmsKeyId": "alias/evidence-ledger", "notifyOn": "always" },
                "secretKeys": { "notifyWebhookUrl": "url", "notifyWebhookSecret": "key", "notifySlackWebhookUrl": "slack" },
            }),
        ),
        (
            "a step of an access review",
            json!({
                "review": { "args": ["open", "--name", "2026-Q4", "--due", "2026-12-31", "--reviewers", "/review/reviewers.csv"],
                            "claim": "review-2026-q4" },
                "secretKeys": { "evidenceSigningKey": "signing.pem", "notifySlackWebhookUrl": "slack" },
            }),
        ),
        (
            "a step of an access review, with a folder for evidence and the files on a claim",
            json!({
                "review": { "args": ["close", "--review", "2026-Q4", "--decisions=/review", "--accept-incomplete", "why *not*?"],
                            "claim": "received", "ttlSecondsAfterFinished": null },
                "config": { "evidenceUrl": "/evidence/asana" }, "persistence": { "enabled": true },
                "cronJob": { "jobLabels": { "kueue.x-k8s.io/queue-name": "security" }, "suspendJobs": true },
                "secretsAsEnv": true, "secretKeys": { "evidenceSigningKey": "signing.pem" },
            }),
        ),
        ("an audit pack of each quarter", audit_pack(json!({}))),
        (
            "an audit pack of each month, with a folder for evidence",
            over(
                &audit_pack(json!({ "period": "last-month", "args": ["--redact"] })),
                &json!({ "config": { "evidenceUrl": "/evidence" }, "persistence": { "enabled": true },
                    "secretKeys": { "awsCredentials": "aws", "evidenceSigningKey": "signing.pem" },
                    "cronJob": { "managedBy": "example.com/queue", "suspendJobs": true }, "prometheusRule": { "enabled": true } }),
            ),
        ),
        ("many connections in one pod", many_connections()),
        (
            "many connections in shards",
            over(
                &many_connections(),
                &json!({ "sharding": { "enabled": true, "shards": 400, "parallelism": 20, "backoffLimitPerIndex": 0,
                    "queueName": "nightly", "minParallelism": 2 }, "prometheusRule": { "enabled": true } }),
            ),
        ),
        (
            "zero and false",
            json!({
                "cronJob": { "backoffLimit": 0, "ttlSecondsAfterFinished": 0, "successfulJobsHistoryLimit": 0,
                             "failedJobsHistoryLimit": 0, "suspendJobs": false },
                "terminationGracePeriodSeconds": 0,
                "config": { "maxDropPercent": 0, "offboardingGrace": "0s" },
            }),
        ),
        (
            "as little as can be",
            json!({
                "networkPolicy": { "enabled": false }, "tests": { "enabled": false },
                "serviceAccount": { "create": false, "name": "there" },
                "cronJob": { "podFailurePolicy": null, "podReplacementPolicy": null, "backoffLimit": null,
                             "startingDeadlineSeconds": null, "ttlSecondsAfterFinished": null },
                "restartPolicy": "OnFailure",
            }),
        ),
    ]
}

/// A list of connections in place of the values of one company.
fn many_connections() -> Value {
    json!({ "config": { "trutoIntegratedAccountId": "", "hrFeedUrl": "", "connectionsUrl": "s3://fleet/list.jsonl" } })
}

/// The same, in shards.
fn sharded(sharding: Value) -> Value {
    let on = json!({ "sharding": { "enabled": true } });
    over(
        &over(&many_connections(), &on),
        &json!({ "sharding": sharding }),
    )
}

/// Values with an audit pack, and these values of its own.
fn audit_pack(pack: Value) -> Value {
    let on = json!({ "auditPack": { "enabled": true, "claim": "packs" } });
    over(&on, &json!({ "auditPack": pack }))
}

/// Complete values for each kind of installation, by file name.
fn installations() -> Vec<(String, Value)> {
    let folder = "helm/asana-access-review/ci";
    let names = crate::support::files_below(&here(folder));
    let read = |name: String| (name.clone(), document(&format!("{folder}/{name}")));
    names.into_iter().map(read).collect()
}

/// The other values that a value needs to have an effect.
fn needs(leaf: &str) -> Value {
    let indexed = json!({ "cronJob": { "completionMode": "Indexed", "completions": 1, "backoffLimitPerIndex": 1 } });
    let claim = json!({
        "persistence": { "enabled": true },
        "config": { "evidenceUrl": "" },
        "extraEnv": [{ "name": "EVIDENCE_URL", "value": "/elsewhere" }],
    });
    let external = json!({
        "existingSecret": "",
        "extraEnvFrom": [{ "secretRef": { "name": "x" } }],
        "externalSecret": { "secretStoreRef": { "name": "store" }, "remoteKey": "key", "enabled": true },
    });
    match leaf {
        "cronJob.backoffLimitPerIndex" | "cronJob.maxFailedIndexes" | "cronJob.successPolicy" => {
            indexed
        }
        "cronJob.podReplacementPolicy" => json!({ "cronJob": { "podFailurePolicy": null } }),
        "restartPolicy" => json!({ "cronJob": { "podFailurePolicy": null } }),
        "secretKeys.hrFeedAuthorization" => {
            json!({ "config": { "hrFeedUrl": "https://hr.example.com/x" } })
        }
        "config.asanaPermissions" => {
            json!({ "config": { "internalDomains": ["example.com"] } })
        }
        "config.evidenceObjectLockMode" => {
            json!({ "config": { "evidenceRetentionDays": 400 } })
        }
        "config.metricsFile" => json!({
            "extraVolumes": [{ "name": "textfile", "hostPath": { "path": "/var/lib/textfile" } }],
            "extraVolumeMounts": [{ "name": "textfile", "mountPath": "/textfile" }],
        }),
        _ if leaf.starts_with("dashboard.") => {
            let on = json!({ "config": { "metricsPushgatewayUrl": "http://pushgateway:9091" } });
            match leaf {
                "dashboard.enabled" => on,
                _ => over(&on, &json!({ "dashboard": { "enabled": true } })),
            }
        }
        "proxy.noProxy" => json!({ "proxy": { "url": "http://proxy.example.com" } }),
        "config.notifyOn" => json!({ "secretKeys": { "notifySlackWebhookUrl": "slack" } }),
        "secretKeys.notifyWebhookUrl" => json!({ "extraEnv": [
            { "name": "NOTIFY_WEBHOOK_SECRET", "value": "whsec_x" },
        ], "extraEnvFrom": [{}] }),
        "secretKeys.notifyWebhookSecret" => {
            json!({ "secretKeys": { "notifyWebhookUrl": "url" }, "extraEnvFrom": [{}] })
        }
        "externalSecret.enabled" => over(
            &external,
            &json!({ "externalSecret": { "enabled": false } }),
        ),
        "persistence.enabled" => over(&claim, &json!({ "persistence": { "enabled": false } })),
        "review.activeDeadlineSeconds" | "review.ttlSecondsAfterFinished" | "review.claim" => {
            json!({ "review": { "args": ["status"] } })
        }
        "auditPack.enabled" => audit_pack(json!({ "enabled": false })),
        _ if leaf.starts_with("auditPack.") => audit_pack(json!({})),
        "config.connectionsUrl" => over(
            &many_connections(),
            &json!({ "config": { "connectionsUrl": "" }, "extraEnvFrom": [{}] }),
        ),
        "config.connectionsConcurrency"
        | "config.shardDeadline"
        | "config.trutoTokenRateLimit"
        | "sharding.enabled" => many_connections(),
        "sharding.minParallelism" => sharded(json!({ "queueName": "nightly" })),
        _ if leaf.starts_with("sharding.") => sharded(json!({})),
        "review.args" => json!({ "extraVolumes": [{ "name": "mine", "emptyDir": {} }],
            "extraVolumeMounts": [{ "name": "mine", "mountPath": "/review" }] }),
        _ if leaf.starts_with("externalSecret.") => external,
        _ if leaf.starts_with("persistence.") => claim,
        _ if leaf.starts_with("prometheusRule.") && leaf != "prometheusRule.enabled" => {
            json!({ "prometheusRule": { "enabled": true } })
        }
        _ => json!({}),
    }
}

/// The program's variable for a key of `config` or `secretKeys`.
fn variable_of(key: &str) -> String {
    let mut name = String::new();
    for c in key.chars() {
        if c.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(c.to_ascii_uppercase());
    }
    name
}

/// The key of `config` or `secretKeys` for a variable.
fn key_of(variable: &str) -> String {
    let mut key = String::new();
    for (place, word) in variable.to_ascii_lowercase().split('_').enumerate() {
        let (first, rest) = word.split_at(1);
        match place {
            0 => key.push_str(first),
            _ => key.push_str(&first.to_ascii_uppercase()),
        }
        key.push_str(rest);
    }
    key
}

/// Variables that this version reads in a run or in `check`, and that the chart does not set
/// itself.
fn offered() -> impl Iterator<Item = &'static Variable> {
    VARIABLES.iter().filter(|variable| {
        let serves = |command| variable.commands.contains(&command);
        (serves(Command::Run) || serves(Command::Check)) && !OF_THE_CHART.contains(&variable.name)
    })
}

/// A valid value for a secret variable.
fn secret(variable: &str) -> String {
    match variable {
        "EVIDENCE_SIGNING_KEY" => text("tests/keys/ed25519.test-key.pem"),
        "NOTIFY_WEBHOOK_URL" | "NOTIFY_SLACK_WEBHOOK_URL" => {
            "https://hooks.example.com/x".to_owned()
        }
        "NOTIFY_WEBHOOK_SECRET" => {
            format!("whsec_{}", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
        }
        _ => "secret".to_owned(),
    }
}

/// Loads the rendered configuration as the program would.
fn ensure_accepted(objects: &[Value]) -> Result<(), String> {
    let pods = pods(objects);
    let pod = pods.values().next().expect("a pod");
    let secret = |path: &std::path::Path| {
        Ok(secret(
            path.file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default(),
        ))
    };
    let mut environment = environment(objects, pod);
    for entry in pod["containers"][0]["env"].as_array().expect("env") {
        if entry["valueFrom"]["secretKeyRef"].is_object() {
            let name = entry["name"].as_str().expect("a name");
            environment.insert(name.to_owned(), self::secret(name));
        }
    }
    if pod["containers"][0]["envFrom"]
        .as_array()
        .expect("envFrom")
        .len()
        > 1
    {
        environment
            .entry("TRUTO_API_TOKEN_FILE".to_owned())
            .or_insert("x".to_owned());
    }
    if environment.contains_key("SHARD_COUNT") {
        // Kubernetes sets it.
        environment.insert("JOB_COMPLETION_INDEX".to_owned(), "0".to_owned());
    }
    let environment = environment
        .into_iter()
        .map(|(name, value)| (name.into(), value.into()));
    let environment: config::Environment = environment.collect();
    let warnings = match config::has_connections(&environment) {
        true => config::load_fleet(environment, secret).map(|fleet| fleet.warnings),
        false => config::load(environment, secret).map(|run| run.warnings),
    };
    let warnings = warnings.map_err(|problems| problems.to_string())?;
    match warnings.as_slice() {
        [] => Ok(()),
        warnings => Err(warnings.join("\n")),
    }
}

/// Our own part of helm's error message.
fn sentences(refused: &str) -> String {
    let (_, ours) = refused
        .split_once("the values have")
        .unwrap_or_else(|| panic!("{refused}"));
    format!(
        "the values have{}",
        ours.split("\n\n").next().unwrap_or_default()
    )
}

/// Does some work for each of many things, on both cores, because starting helm takes most of the
/// time.
fn each<T: Sync>(things: &[T], work: impl Fn(&T) -> Option<String> + Sync) -> Vec<String> {
    let half = things.len().div_ceil(2).max(1);
    std::thread::scope(|scope| {
        let chunks = things.chunks(half);
        let threads: Vec<_> = chunks
            .map(|chunk| scope.spawn(|| chunk.iter().filter_map(&work).collect::<Vec<_>>()))
            .collect();
        let joined = threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("no panic"));
        joined.collect()
    })
}

#[test]
fn the_chart_passes_a_strict_lint_and_packs() {
    if !has(&["helm"]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let values = folder.path().join("values.json");
    fs::write(&values, least().to_string()).expect("values");
    let path = |path: &std::path::Path| path.to_str().expect("UTF-8").to_owned();
    let (chart, values, folder) = (path(&chart()), path(&values), path(folder.path()));
    printed("helm", &["lint", "--strict", &chart]);
    printed("helm", &["lint", "--strict", &chart, "--values", &values]);
    printed("helm", &["package", &chart, "--destination", &folder]);
}

#[test]
fn the_program_accepts_what_the_chart_renders() {
    if !has(&["helm"]) {
        return;
    }
    for (name, values) in matrix() {
        let objects = objects("review", &over(&least(), &values));
        ensure_accepted(&objects).unwrap_or_else(|problems| panic!("{name}: {problems}"));
    }
}

#[test]
fn each_helm_version_renders_the_same_objects() {
    let helms = helms();
    if helms.is_empty() {
        return;
    }
    let matrix = matrix().into_iter();
    let mut all: Vec<_> = matrix
        .map(|(name, values)| (name.to_owned(), over(&least(), &values)))
        .collect();
    let installations = installations();
    assert!(installations.len() > 8, "{installations:?}");
    all.extend(installations);
    let wrong = each(&all, |(name, values)| {
        let refused = rendered_alike(&helms, values).err()?;
        Some(format!("{name}: {refused}"))
    });
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_program_accepts_the_values_of_each_installation() {
    if !has(&["helm"]) {
        return;
    }
    for (name, values) in installations() {
        ensure_accepted(&objects("review", &values))
            .unwrap_or_else(|problems| panic!("{name}: {problems}"));
    }
    // A platform that chooses user and group finds no user or group in the manifests.
    let values = document("helm/asana-access-review/ci/openshift-values.yaml");
    for pod in pods(&objects("review", &values)).values() {
        assert!(!pod.to_string().contains("65532"), "{pod}");
    }
}

#[test]
fn without_values_the_chart_lists_every_required_value() {
    if !has(&["helm"]) {
        return;
    }
    let refused = template("review", &json!({})).expect_err("nothing is set");
    insta::assert_snapshot!(sentences(&refused));
}

#[test]
fn values_that_conflict_are_refused_with_a_hint() {
    if !has(&["helm"]) {
        return;
    }
    let wrong = [
        (
            "a folder that ends with its pod",
            json!({ "config": { "evidenceUrl": "/evidence" } }),
        ),
        (
            "a folder beside the claim",
            json!({ "config": { "evidenceUrl": "/evidences" }, "persistence": { "enabled": true } }),
        ),
        (
            "a claim beside a bucket",
            json!({ "persistence": { "enabled": true } }),
        ),
        (
            "two keys that sign",
            json!({ "config": { "evidenceSigningKmsKeyId": "alias/x" }, "secretKeys": { "evidenceSigningKey": "k" } }),
        ),
        (
            "a webhook without a key",
            json!({ "secretKeys": { "notifyWebhookUrl": "url" } }),
        ),
        (
            "a key without a webhook, and no receiver",
            json!({ "secretKeys": { "notifyWebhookSecret": "key" }, "config": { "notifyOn": "problem" } }),
        ),
        (
            "locks of no bucket, for no time",
            json!({
                "config": { "evidenceUrl": "/evidence", "evidenceObjectLockMode": "compliance",
                    "evidenceKmsKeyId": "alias/evidence", "evidenceBucketOwner": "123456789012" },
                "persistence": { "enabled": true },
            }),
        ),
        (
            "evidence on the web",
            json!({ "config": { "evidenceUrl": "https://example.com" } }),
        ),
        ("no token", json!({ "existingSecret": "" })),
        (
            "two Secrets",
            json!({ "externalSecret": { "enabled": true, "secretStoreRef": { "name": "x" }, "remoteKey": "y" } }),
        ),
        (
            "an external secret from nowhere",
            json!({ "existingSecret": "", "externalSecret": { "enabled": true } }),
        ),
        (
            "keys of no Secret",
            json!({ "existingSecret": "", "extraEnvFrom": [{}], "secretKeys": { "evidenceSigningKey": "k" } }),
        ),
        (
            "a token from two places",
            json!({ "extraEnv": [{ "name": "TRUTO_API_TOKEN", "value": "x" }] }),
        ),
        (
            "a setting from two places",
            json!({ "extraEnv": [{ "name": "RUN_DEADLINE", "value": "9h" }, { "name": "HR_TIME_ZONE", "value": "Etc/UTC" }] }),
        ),
        (
            "an HR file nowhere",
            json!({ "config": { "hrFeedUrl": "/hr/leavers.csv", "exceptionsUrl": "/hr/exceptions.csv" },
            "extraVolumes": [{ "name": "hr", "emptyDir": {} }], "extraVolumeMounts": [{ "name": "hr", "mountPath": "/h" }] }),
        ),
        (
            "authorization for a bucket",
            json!({ "secretKeys": { "hrFeedAuthorization": "x" } }),
        ),
        (
            "the HR system of Asana",
            json!({ "config": { "hrFeedUrl": "truto-hris://5f0c3a52-8d1e-4b7a-9c64-2e9b7d1f4a10", "hrFeedFormat": "csv" } }),
        ),
        (
            "narrow permissions without domains",
            json!({ "config": { "asanaPermissions": "narrow" } }),
        ),
        (
            "annotations without a service account",
            json!({ "serviceAccount": { "create": false, "annotations": { "a": "b" } } }),
        ),
        (
            "a policy without Never",
            json!({ "restartPolicy": "OnFailure", "cronJob": { "podReplacementPolicy": "TerminatingOrFailed" } }),
        ),
        (
            "unsorted exit codes",
            json!({ "cronJob": { "podFailurePolicy": { "rules": [
            { "action": "FailJob", "onExitCodes": { "operator": "In", "values": [77, 3, 0] } }] } } }),
        ),
        (
            "a Job that ends before its run",
            json!({ "cronJob": { "activeDeadlineSeconds": 600 } }),
        ),
        (
            "indexes of no index",
            json!({ "cronJob": { "backoffLimitPerIndex": 1, "successPolicy": { "rules": [{ "succeededCount": 1 }] } } }),
        ),
        (
            "failed indexes of which none is tried",
            json!({ "cronJob": { "completionMode": "Indexed", "completions": 4, "maxFailedIndexes": 1,
                "podFailurePolicy": { "rules": [{ "action": "FailIndex", "onExitCodes": { "operator": "In", "values": [3] } }] } } }),
        ),
        (
            "rules of two conditions, and of none",
            json!({ "cronJob": { "podFailurePolicy": { "rules": [
                { "action": "FailJob", "onExitCodes": { "operator": "In", "values": [3] },
                  "onPodConditions": [{ "type": "DisruptionTarget" }] },
                { "action": "Ignore" },
            ] } } }),
        ),
        (
            "zones that are none",
            json!({ "cronJob": { "timeZone": "Europe/Berln" },
                "config": { "hrTimeZone": "Local", "hrLocationZones": { "Rome": "europe/rome" } } }),
        ),
        (
            "a proxy with a password",
            json!({ "proxy": { "url": "http://user:password@proxy.example.com:3128" } }),
        ),
        (
            "a proxy whose port is unknown",
            json!({ "extraEnv": [{ "name": "HTTPS_PROXY", "valueFrom": { "secretKeyRef": { "name": "proxy", "key": "url" } } }] }),
        ),
        (
            "exceptions of no proxy",
            json!({ "proxy": { "noProxy": ["minio.storage.svc"] } }),
        ),
        (
            "names that are taken",
            json!({
                "privateCa": { "configMap": "company-ca" },
                "extraEnv": [{ "name": "A", "value": "1" }, { "name": "A", "value": "2" }],
                "extraVolumes": [{ "name": "secrets", "emptyDir": {} }, { "name": "private-ca", "emptyDir": {} }, { "name": "x", "emptyDir": {} }, { "name": "x", "emptyDir": {} }],
                "extraContainers": [{ "name": "asana-access-review", "securityContext": {} }],
            }),
        ),
        (
            "the name of the volume of reviewers' files",
            json!({ "review": { "args": ["status"], "claim": "x" }, "extraVolumes": [{ "name": "review", "emptyDir": {} }] }),
        ),
        (
            "an audit pack without a place, and one with options of the chart",
            over(
                &audit_pack(
                    json!({ "claim": "", "args": ["--from=2026-01-01", "--out", "/elsewhere"], "schedule": "monthly" }),
                ),
                &json!({ "extraVolumes": [{ "name": "audit-packs", "emptyDir": {} }] }),
            ),
        ),
        (
            "an audit pack of no connection",
            over(&many_connections(), &audit_pack(json!({}))),
        ),
        (
            "containers of no security",
            json!({ "extraContainers": [{ "name": "side" }], "extraInitContainers": [{ "name": "wait" }] }),
        ),
        (
            "more asked for than is given",
            json!({ "resources": { "requests": { "cpu": "1500m", "memory": "1Gi" }, "limits": { "cpu": 1, "memory": "1G" } } }),
        ),
        ("no server of names", json!({ "dnsPolicy": "None" })),
        (
            "a field of the pod that is a value",
            json!({ "extraPodSpec": { "nodeSelector": {}, "hostUsers": false } }),
        ),
        (
            "an index without a number",
            json!({ "cronJob": { "completionMode": "Indexed" } }),
        ),
        (
            "alerts about Jobs that are gone",
            json!({ "prometheusRule": { "enabled": true }, "cronJob": {
            "failedJobsHistoryLimit": 0, "successfulJobsHistoryLimit": 0, "ttlSecondsAfterFinished": 3600 } }),
        ),
        (
            "shards of no list",
            json!({ "sharding": { "enabled": true }, "config": { "connectionsConcurrency": 8, "shardDeadline": "2h",
                "trutoTokenRateLimit": "off" } }),
        ),
        (
            "a company beside a list of companies",
            json!({ "config": { "connectionsUrl": "s3://fleet/list.jsonl", "aliasesUrl": "s3://x/aliases.csv",
                "internalDomains": ["example.com"] }, "secretKeys": { "hrFeedAuthorization": "hr" } }),
        ),
        (
            "a list that is not mounted, on a claim for one pod",
            over(
                &sharded(json!({})),
                &json!({ "config": { "connectionsUrl": "/list.jsonl", "evidenceUrl": "/evidence" },
                "persistence": { "enabled": true } }),
            ),
        ),
        (
            "shards that contradict the Job",
            over(
                &sharded(json!({ "shards": 4, "parallelism": 5, "minParallelism": 5 })),
                &json!({ "cronJob": {
                "completions": 8, "completionMode": "Indexed", "maxFailedIndexes": 0, "podFailurePolicy": null },
                "restartPolicy": "OnFailure", "config": { "trutoTokenRateLimit": "3/10s", "shardDeadline": "1" },
                "extraEnv": [{ "name": "SHARD_COUNT", "value": "3" }] }),
            ),
        ),
        (
            "a queue of no shards",
            json!({ "sharding": { "queueName": "nightly" } }),
        ),
        (
            "a review that is none, with its name twice",
            json!({ "review": { "args": ["review", "open"] } }),
        ),
        (
            "a log of names",
            json!({ "review": { "args": ["status", "--json", "--names"] } }),
        ),
        (
            "a file of metrics that ends with its pod",
            json!({ "config": { "metricsFile": "/tmp/asana.prom" },
                "extraVolumeMounts": [{ "name": "x", "mountPath": "/tmp", "readOnly": true }] }),
        ),
        (
            "a dashboard without metrics",
            json!({ "dashboard": { "enabled": true } }),
        ),
        (
            "metrics of a wrong form",
            json!({ "config": { "metricsFile": "/tmp", "metricsPushgatewayUrl": "pushgateway:9091" } }),
        ),
        (
            "files for no review",
            json!({ "review": { "claim": "one" } }),
        ),
        (
            "files that only a shell would find, and files of a laptop",
            json!({ "review": { "args": ["close", "--decisions", "/review/*", "received/ada.csv", "--reviewers=/reviews/on.csv",
                "--accept-incomplete", "no/file"], "claim": "one" } }),
        ),
        (
            "a file without a claim",
            json!({ "review": { "args": ["open", "--reviewers", "/review/reviewers.csv"] } }),
        ),
        (
            "texts of a wrong form",
            json!({
            "cronJob": { "schedule": "CRON_TZ=Europe/Berlin 40 23 * * *", "timeZone": "Europe Berlin" },
            "config": { "httpTimeout": "30", "runDeadline": "0s", "hrFeedMaxAge": "two days", "offboardingGrace": "1w",
                "retryMaxElapsed": "", "trutoRateLimit": "50", "trutoBaseUrl": "http://truto.example.com",
                "hrFeedUrl": "https://user:password@hr.example.com/x", "aliasesUrl": "aliases.csv", "hrTimeZone": "Berlin!",
                "trutoIntegratedAccountId": "an id", "hrLocationZones": { "Berlin": "" } } }),
        ),
    ];
    let mut reported = String::new();
    for (what, values) in wrong {
        let refused = template("review", &over(&least(), &values));
        let refused = refused.map(|_| what).expect_err("it should be refused");
        reported.push_str(&format!("# {what}\n{}\n", sentences(&refused)));
    }
    insta::assert_snapshot!(reported);
}

#[test]
fn only_an_invalid_schedule_is_refused() {
    if !has(&["helm"]) {
        return;
    }
    let good = [
        "40 23 * * *",
        "*/15 0-6,22 1,15 JAN-MAR sun",
        "0 0 29 2 *",
        "5 04 01 12 6",
        "@daily",
        "@midnight",
        "@annually",
        "0 0 ? * *",
    ];
    let bad = [
        "60 1 * * *",
        "0 24 * * *",
        "0 0 32 * *",
        "0 0 0 * *",
        "0 0 * 13 *",
        "0 0 * * 7",
        "* * * *",
        "* * * * * *",
        "@nightly",
        "TZ=Etc/UTC 0 0 * * *",
        "",
        "0 0 * * MON-",
        "*/0 * * * *",
    ];
    for (schedules, accepted) in [(&good[..], true), (&bad[..], false)] {
        for schedule in schedules {
            let values = over(&least(), &at(&["cronJob", "schedule"], json!(schedule)));
            let rendered = template("review", &values);
            assert_eq!(rendered.is_ok(), accepted, "{schedule}");
            // The program reads the schedule too, and must understand it.
            if let Ok(rendered) = rendered {
                let rendered = documents(&rendered);
                let reported = &only(&rendered, "ConfigMap")["data"]["RUN_SCHEDULE"];
                assert_eq!(reported, schedule);
                assert!(Pattern::parse(schedule).is_ok(), "{schedule}");
            }
        }
    }
}

#[test]
fn each_misspelt_key_fails_with_its_path() {
    if !has(&["helm"]) {
        return;
    }
    let groups = groups();
    assert!(groups.len() > 12, "{groups:?}");
    let mut values = least();
    for group in &groups {
        let path: Vec<&str> = group
            .iter()
            .map(String::as_str)
            .chain(["mispelt"])
            .collect();
        values = over(&values, &at(&path, json!(1)));
    }
    let refused = template("review", &values).expect_err("every value is wrong");
    for group in &groups {
        let path = group
            .iter()
            .map(|key| format!("/{key}"))
            .collect::<String>();
        let line = format!("- at '{path}': additional properties 'mispelt' not allowed");
        assert!(refused.contains(&line), "{line}\n{refused}");
    }
}

#[test]
fn each_wrong_type_fails_with_its_path() {
    if !has(&["helm"]) {
        return;
    }
    let mut values = least();
    let all = leaves();
    for leaf in &all {
        // An object is wrong for every value except a map, and a number is wrong for a map.
        let is_map = leaf.schema["type"] == "object" || leaf.schema["type"][0] == "object";
        let wrong = if is_map { json!(1) } else { json!({ "a": 1 }) };
        values = over(&values, &leaf.set(wrong));
    }
    let refused = template("review", &values).expect_err("every value is wrong");
    for leaf in &all {
        let path = leaf
            .path
            .iter()
            .map(|key| format!("/{key}"))
            .collect::<String>();
        assert!(
            refused.contains(&format!("- at '{path}': ")),
            "{path}\n{refused}"
        );
    }
}

#[test]
fn every_value_has_an_effect_and_each_example_works() {
    if !has(&["helm"]) {
        return;
    }
    let wrong = each(&leaves(), |leaf| {
        let name = leaf.name();
        let before = over(&least(), &needs(&name));
        let plain = match template("review", &before) {
            Ok(plain) => plain,
            Err(error) => return Some(format!("{name} before: {error}")),
        };
        leaf.examples().into_iter().find_map(|example| {
            let values = over(&before, &leaf.set(example.clone()));
            match template("review", &values) {
                Err(error) => Some(format!("{name} = {example}: {error}")),
                Ok(rendered) if rendered == plain => {
                    Some(format!("{name} = {example} changes nothing"))
                }
                Ok(rendered) if leaf.path[0] == "config" => ensure_accepted(&documents(&rendered))
                    .err()
                    .map(|problems| format!("{name} = {example}: {problems}")),
                Ok(_) => None,
            }
        })
    });
    assert_eq!(wrong, Vec::<String>::new());
}

/// Values that people write for "nothing".
fn empty_values() -> [Value; 4] {
    [json!(null), json!(0), json!(false), json!("")]
}

/// What the chart's README promises for `null`: keys whose default is null, or whose description
/// says what null does.
fn nullable() -> BTreeSet<String> {
    let readme = text("helm/asana-access-review/README.md");
    let rows = readme.lines().filter_map(|line| line.strip_prefix("| `"));
    let rows = rows.filter_map(|row| row.split_once("` | "));
    let promised = rows.filter(|(_, row)| row.starts_with("null |") || row.contains("null: "));
    promised.map(|(name, _)| name.to_owned()).collect()
}

/// Whether the schema allows a value of a key.
fn is_allowed(leaf: &Leaf, value: &Value) -> bool {
    let schema = over(&json!({ "$defs": schema()["$defs"] }), &leaf.schema);
    jsonschema::is_valid(&schema, value)
}

/// Whether one line of helm's error names the key, in the form of Helm 3 or Helm 4.
fn is_key_named(refused: &str, path: &[String]) -> bool {
    let (key, group) = path.split_last().expect("a key");
    let whole = [
        format!("- at '/{}': ", path.join("/")),
        format!("- {}: ", path.join(".")),
        format!("  {} ", path.join(".")),
    ];
    let at_group = match group {
        [] => ["- at '': missing".to_owned(), "- (root): ".to_owned()],
        group => [
            format!("- at '/{}': missing", group.join("/")),
            format!("- {}: ", group.join(".")),
        ],
    };
    refused.lines().any(|line| {
        let inner = line.trim_start();
        let line = if inner.starts_with('-') { inner } else { line };
        let is_missing =
            line.contains(&format!("'{key}'")) || line.ends_with(&format!(" {key} is required"));
        whole.iter().any(|begin| line.starts_with(begin))
            || is_missing && at_group.iter().any(|begin| line.starts_with(begin))
    })
}

/// What each helm renders, which must be the same, without values that follow from another field.
fn rendered_alike(helms: &[PathBuf], values: &Value) -> Result<BTreeMap<String, Value>, String> {
    fn walk(value: &Value, path: String, scalars: &mut BTreeMap<String, Value>) {
        match value {
            Value::Object(map) => {
                for (key, inner) in map {
                    walk(inner, format!("{path}/{key}"), scalars);
                }
            }
            Value::Array(list) => {
                for (place, inner) in list.iter().enumerate() {
                    // Items of named lists are compared by name, so that a missing one does not
                    // shift the others.
                    let place = inner["name"]
                        .as_str()
                        .map_or(place.to_string(), str::to_owned);
                    walk(inner, format!("{path}/{place}"), scalars);
                }
            }
            scalar => {
                scalars.insert(path, scalar.clone());
            }
        }
    }
    let render = |helm: &PathBuf| {
        let rendered = template_by(helm, &chart(), "review", values)
            .map_err(|reported| sentences(&reported))?;
        let mut scalars = BTreeMap::new();
        for object in documents(&rendered) {
            let kind = object["kind"].as_str().expect("a kind");
            walk(&object, kind.to_owned(), &mut scalars);
        }
        scalars.retain(|path, _| !path.ends_with("checksum/config"));
        Ok(scalars)
    };
    let mut all = helms.iter().map(render);
    let first = all.next().expect("a helm");
    for other in all {
        assert_eq!(first, other, "{values}");
    }
    first
}

/// What is wrong with the rendering of a value that the schema allows.
fn broken_promise(helms: &[PathBuf], leaf: &Leaf, nothing: &Value) -> Option<String> {
    let name = leaf.name();
    let before = over(&least(), &needs(&name));
    let plain = rendered_alike(&helms[..1], &before).expect("values that work");
    let rendered = match rendered_alike(helms, &over(&before, &leaf.set(nothing.clone()))) {
        Ok(rendered) => rendered,
        Err(reported) if reported.contains(&name) => return None,
        Err(reported) => {
            return Some(format!(
                "{name}: {nothing} is refused without its name: {reported}"
            ));
        }
    };
    let follows = |path: &str| match (name.as_str(), nothing) {
        ("cronJob.backoffLimit" | "sharding.backoffLimitPerIndex", _) => {
            path.ends_with("/activeDeadlineSeconds")
        }
        ("serviceAccount.create", _) => path.ends_with("/serviceAccountName"),
        ("aws.ec2MetadataDisabled", _) => path.starts_with("NetworkPolicy/"),
        // An empty class name is a class, see values.yaml.
        ("persistence.storageClassName", Value::String(_)) => path.ends_with("/storageClassName"),
        _ => false,
    };
    let is_zero = |value: &Value| match nothing {
        Value::Number(_) => *value == 0 || *value == "0",
        Value::Bool(_) => *value == false || *value == "false",
        // Null and the empty text render nothing, so no value may be new.
        _ => false,
    };
    let new = rendered
        .iter()
        .find(|(path, value)| plain.get(*path) != Some(value) && !follows(path) && !is_zero(value));
    new.map(|(path, value)| format!("{name}: {nothing} makes {path} {value}"))
}

#[test]
fn null_zero_false_and_empty_do_what_the_readme_says_on_each_helm() {
    let helms = helms();
    if helms.is_empty() {
        return;
    }
    let leaves = leaves();
    let promised = nullable();
    let mut allowed = Vec::new();
    for nothing in empty_values() {
        let mut values = least();
        let mut refused = Vec::new();
        for leaf in &leaves {
            let is_allowed = is_allowed(leaf, &nothing);
            if nothing.is_null() {
                let name = leaf.name();
                assert_eq!(is_allowed, promised.contains(&name), "null of {name}");
            }
            if is_allowed {
                allowed.push((leaf, nothing.clone()));
            } else {
                values = over(&values, &leaf.set(nothing.clone()));
                refused.push(leaf.path.clone());
            }
        }
        assert!(refused.len() > 50, "{nothing}");
        for helm in &helms {
            let reported = template_by(helm, &chart(), "review", &values).expect_err("many slips");
            for path in &refused {
                assert!(
                    is_key_named(&reported, path),
                    "{helm:?}: {nothing} of {path:?}\n{reported}"
                );
            }
        }
    }
    // A group without its keys, innermost group first, so that each is tested alone.
    for group in groups().iter().filter(|group| !group.is_empty()) {
        let path: Vec<&str> = group.iter().map(String::as_str).collect();
        for helm in &helms {
            let values = over(&least(), &at(&path, json!(null)));
            let reported = template_by(helm, &chart(), "review", &values).expect_err("no group");
            assert!(
                is_key_named(&reported, group),
                "{helm:?}: {group:?}\n{reported}"
            );
        }
    }
    assert!(allowed.len() > 80, "{}", allowed.len());
    let wrong = each(&allowed, |(leaf, nothing)| {
        broken_promise(&helms, leaf, nothing)
    });
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_release_name_gives_names_that_kubernetes_accepts() {
    if !has(&["helm"]) {
        return;
    }
    let lengths = (1..=53).flat_map(|length: usize| [(length, 0), (length, 400)]);
    let lengths: Vec<(usize, u32)> = lengths.collect();
    let wrong = each(&lengths, |(length, shards)| {
        // Over the lengths, the cut falls on a dash at least once.
        let mut release: String = "abcdefghi-".chars().cycle().take(*length).collect();
        if release.ends_with('-') {
            release.pop();
            release.push('z');
        }
        let values = over(
            &least(),
            &json!({
                "prometheusRule": { "enabled": true },
                "config": { "evidenceUrl": "/evidence" },
                "persistence": { "enabled": true, "accessModes": ["ReadWriteMany"] },
                "review": { "args": ["status"] },
                "auditPack": { "enabled": true, "claim": "audit-packs", "args": ["--connection", "one"] },
            }),
        );
        let values = match shards {
            0 => values,
            shards => over(&values, &sharded(json!({ "shards": shards }))),
        };
        for object in objects(&release, &values) {
            let metadata = &object["metadata"];
            // Kubernetes appends five characters to a generated name, and cuts longer names.
            let made = metadata["generateName"].as_str();
            let made = made.map(|begin| format!("{}abcde", &begin[..begin.len().min(58)]));
            let name = made.as_deref().or(metadata["name"].as_str());
            let name = name.expect("a name");
            // A Job's name is its CronJob's name and eleven more characters.
            let longest = if object["kind"] == "CronJob" { 52 } else { 63 };
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            let fits = name.len() <= longest
                && name.chars().all(plain)
                && !name.starts_with('-')
                && !name.ends_with('-');
            let labels = object["metadata"]["labels"].as_object().expect("labels");
            let label = labels
                .values()
                .find(|label| label.as_str().is_none_or(|text| text.len() > 63));
            // With shards, the host of a pod is its Job's name, a dash and the number of the shard.
            let is_pack = labels["app.kubernetes.io/component"] == "audit-pack";
            let is_long =
                object["kind"] == "CronJob" && !is_pack && name.len() + 11 + "-399".len() > 63;
            if !fits || is_long && *shards == 400 || label.is_some() {
                return Some(format!("{release}: {} {name} {label:?}", object["kind"]));
            }
        }
        None
    });
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_pod_security_is_restricted_and_the_root_is_read_only() {
    if !has(&["helm"]) {
        return;
    }
    let kinds = [
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "persistentVolumeClaim",
        "projected",
        "secret",
    ];
    for (name, values) in matrix() {
        let objects = objects("review", &over(&least(), &values));
        for (pod, spec) in pods(&objects) {
            let place = format!("{name}: {pod}");
            let security = &spec["securityContext"];
            assert_eq!(security["runAsNonRoot"], true, "{place}");
            assert_eq!(security["runAsUser"], 65532, "{place}");
            assert_eq!(
                security["seccompProfile"]["type"], "RuntimeDefault",
                "{place}"
            );
            assert_eq!(spec["automountServiceAccountToken"], false, "{place}");
            for key in ["hostNetwork", "hostPID", "hostIPC"] {
                assert!(spec[key].is_null(), "{place}");
            }
            for container in spec["containers"].as_array().expect("containers") {
                let security = &container["securityContext"];
                assert_eq!(security["allowPrivilegeEscalation"], false, "{place}");
                assert_eq!(security["readOnlyRootFilesystem"], true, "{place}");
                assert_eq!(
                    security["capabilities"],
                    json!({ "drop": ["ALL"] }),
                    "{place}"
                );
                assert!(security["privileged"].is_null(), "{place}");
                assert!(
                    container["resources"]["limits"]["memory"].is_string(),
                    "{place}"
                );
            }
            let volumes = spec["volumes"].as_array().cloned().unwrap_or_default();
            let mounts = spec["containers"][0]["volumeMounts"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            for volume in &volumes {
                let kind = volume
                    .as_object()
                    .expect("a volume")
                    .keys()
                    .find(|key| *key != "name");
                assert!(
                    kinds.contains(&kind.expect("a kind").as_str()),
                    "{place}: {volume}"
                );
            }
            for mount in &mounts {
                assert!(
                    volumes.iter().any(|volume| volume["name"] == mount["name"]),
                    "{place}: {mount}"
                );
            }
        }
    }
}

#[test]
fn no_secret_is_in_the_environment_unless_configured() {
    if !has(&["helm"]) {
        return;
    }
    let keys =
        json!({ "secretKeys": { "evidenceSigningKey": "signing.pem", "awsCredentials": "aws" } });
    let rendered = objects("review", &over(&least(), &keys));
    let pods_of = pods(&rendered);
    for pod in pods_of.values() {
        let env = pod["containers"][0]["env"].as_array().expect("env");
        assert!(
            env.iter()
                .all(|entry| entry["valueFrom"]["secretKeyRef"].is_null())
        );
        let environment = environment(&rendered, pod);
        assert_eq!(
            environment["EVIDENCE_SIGNING_KEY_FILE"],
            "/run/secrets/asana-access-review/EVIDENCE_SIGNING_KEY"
        );
        assert_eq!(
            environment["AWS_SHARED_CREDENTIALS_FILE"],
            "/run/secrets/asana-access-review/AWS_SHARED_CREDENTIALS"
        );
        let items = &pod["volumes"][0]["secret"]["items"];
        assert_eq!(items.as_array().map(Vec::len), Some(3), "{items}");
        assert_eq!(pod["volumes"][0]["secret"]["defaultMode"], 0o440);
    }
    let asked = over(&over(&least(), &keys), &json!({ "secretsAsEnv": true }));
    let rendered = objects("review", &asked);
    let token = json!({ "name": "TRUTO_API_TOKEN", "valueFrom": { "secretKeyRef": {
        "name": "asana-access-review", "key": "TRUTO_API_TOKEN" } } });
    for pod in pods(&rendered).values() {
        let env = pod["containers"][0]["env"].as_array().expect("env");
        assert!(env.contains(&token));
        assert_eq!(
            pod["volumes"][0]["secret"]["items"]
                .as_array()
                .map(Vec::len),
            Some(1)
        );
    }
}

#[test]
fn a_variable_in_extra_env_replaces_the_one_of_the_chart() {
    if !has(&["helm"]) {
        return;
    }
    let values = over(
        &least(),
        &json!({ "extraEnv": [
        { "name": "AWS_EC2_METADATA_DISABLED", "value": "false" },
        { "name": "JOB_NAME", "value": "by hand" },
        { "name": "EXTRA", "value": "1" },
    ] }),
    );
    let rendered = objects("review", &values);
    for pod in pods(&rendered).values() {
        let env = pod["containers"][0]["env"].as_array().expect("env");
        let names: Vec<&str> = env
            .iter()
            .filter_map(|entry| entry["name"].as_str())
            .collect();
        let once: BTreeSet<&str> = names.iter().copied().collect();
        assert_eq!(once.len(), names.len(), "{names:?}");
        let environment = environment(&rendered, pod);
        assert_eq!(environment["AWS_EC2_METADATA_DISABLED"], "false");
        assert_eq!(environment["JOB_NAME"], "by hand");
        assert_eq!(environment["EXTRA"], "1");
    }
}

#[test]
fn a_private_ca_is_added_to_the_certificates_of_the_image() {
    if !has(&["helm"]) {
        return;
    }
    let values = json!({
        "proxy": { "url": "http://proxy.example.com:3128", "noProxy": ["minio.storage.svc", ".example.com"] },
        "privateCa": { "configMap": "company-ca" },
    });
    let rendered = objects("review", &over(&least(), &values));
    for pod in pods(&rendered).values() {
        let environment = environment(&rendered, pod);
        assert_eq!(environment["HTTPS_PROXY"], "http://proxy.example.com:3128");
        assert_eq!(environment["NO_PROXY"], "minio.storage.svc,.example.com");
        // The place of the certificates in the image.
        let roots = &environment["SSL_CERT_FILE"];
        let dockerfile = text("Dockerfile");
        assert!(dockerfile.contains(&format!("/dist/ca-certificates.crt {roots}\n")));
        let mounts = pod["containers"][0]["volumeMounts"]
            .as_array()
            .expect("mounts");
        let mount = mounts.iter().find(|mount| mount["name"] == "private-ca");
        assert_eq!(
            mount.expect("a mount")["mountPath"],
            environment["SSL_CERT_DIR"]
        );
    }
}

#[test]
fn extra_objects_are_rendered_as_templates_from_maps_or_text() {
    if !has(&["helm"]) {
        return;
    }
    let map = json!({ "apiVersion": "v1", "kind": "Map", "metadata": { "name": "{{ .Release.Name }}-map" } });
    let text = "apiVersion: v1\nkind: Text\nmetadata:\n  name: {{ .Release.Name }}-text\n";
    let values = over(&least(), &json!({ "extraObjects": [map, text] }));
    let rendered = objects("review", &values);
    assert_eq!(only(&rendered, "Map")["metadata"]["name"], "review-map");
    assert_eq!(only(&rendered, "Text")["metadata"]["name"], "review-text");
}

#[test]
fn the_job_deadline_covers_all_tries_and_15_more_minutes() {
    if !has(&["helm"]) {
        return;
    }
    for (values, seconds) in [
        (json!({}), 4 * 3000 + 900),
        (json!({ "cronJob": { "backoffLimit": 0 } }), 3000 + 900),
        (
            json!({ "cronJob": { "backoffLimit": 1 }, "config": { "runDeadline": "2h" } }),
            2 * 7200 + 900,
        ),
        (json!({ "config": { "runDeadline": "90s" } }), 4 * 90 + 900),
        (
            json!({ "config": { "runDeadline": "1d" } }),
            4 * 86_400 + 900,
        ),
        (
            json!({ "cronJob": { "activeDeadlineSeconds": 3000 } }),
            3000,
        ),
        // Kubernetes uses its own number of tries if none is set.
        (
            json!({ "cronJob": { "backoffLimit": null } }),
            7 * 3000 + 900,
        ),
    ] {
        let rendered = objects("review", &over(&least(), &values));
        let spec = &only(&rendered, "CronJob")["spec"]["jobTemplate"]["spec"];
        assert_eq!(spec["activeDeadlineSeconds"], seconds, "{values}");
    }
}

#[test]
fn shards_are_an_indexed_job_in_which_no_failure_ends_another_shard() {
    if !has(&["helm"]) {
        return;
    }
    let queue = json!({ "parallelism": 5, "queueName": "nightly", "minParallelism": 2 });
    let rendered = objects("review", &over(&least(), &sharded(queue)));
    let job = &only(&rendered, "CronJob")["spec"]["jobTemplate"];
    let spec = &job["spec"];
    for (key, value) in [
        ("completionMode", json!("Indexed")),
        ("completions", json!(16)),
        ("parallelism", json!(5)),
        ("backoffLimitPerIndex", json!(3)),
        ("podReplacementPolicy", json!("Failed")),
        // Kueue admits the Job.
        ("suspend", json!(true)),
        // Both would let the failure of one shard end the others.
        ("backoffLimit", json!(null)),
        ("maxFailedIndexes", json!(null)),
    ] {
        assert_eq!(spec[key], value, "{key}");
    }
    let rules = spec["podFailurePolicy"]["rules"].as_array().expect("rules");
    let actions: Vec<&Value> = rules.iter().map(|rule| &rule["action"]).collect();
    assert_eq!(actions, ["Ignore", "FailIndex"]);
    assert_eq!(
        job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"],
        "nightly"
    );
    let annotations = json!({ "kueue.x-k8s.io/job-min-parallelism": "2" });
    assert_eq!(job["metadata"]["annotations"], annotations);

    let env = |pod: &Value| -> BTreeSet<String> {
        let env = pod["containers"][0]["env"].as_array().expect("env").iter();
        let names = env.filter_map(|entry| entry["name"].as_str());
        names.map(str::to_owned).collect()
    };
    let of_shards = ["SHARD_COUNT", "JOB_RETRY"];
    let run = &spec["template"]["spec"];
    assert!(
        of_shards.iter().all(|name| env(run).contains(*name)),
        "{run}"
    );
    let retry = json!({ "name": "JOB_RETRY", "valueFrom": { "fieldRef": {
        "fieldPath": "metadata.annotations['batch.kubernetes.io/job-index-failure-count']" } } });
    let entries = run["containers"][0]["env"].as_array().expect("env");
    assert!(entries.contains(&retry), "{entries:?}");
    // `check` reads the whole list.
    let check = &only(&rendered, "Pod")["spec"];
    assert!(
        of_shards.iter().all(|name| !env(check).contains(*name)),
        "{check}"
    );

    // A verdict does not fail the Job unless a value says so.
    let fail_on = |values: Value| {
        let rendered = objects(
            "review",
            &over(&over(&least(), &sharded(json!({}))), &values),
        );
        only(&rendered, "ConfigMap")["data"]["FAIL_ON"].clone()
    };
    assert_eq!(fail_on(json!({})), "never");
    assert_eq!(
        fail_on(json!({ "config": { "failOn": "findings" } })),
        "findings"
    );
    // Without a queue, nothing admits the Job.
    let plain = objects("review", &over(&least(), &sharded(json!({}))));
    let spec = &only(&plain, "CronJob")["spec"]["jobTemplate"]["spec"];
    assert_eq!(
        (&spec["suspend"], &spec["parallelism"]),
        (&json!(null), &json!(16))
    );
}

#[test]
fn the_deadline_of_shards_covers_all_rounds_and_tries() {
    if !has(&["helm"]) {
        return;
    }
    let each = 3600 + 3000;
    for (sharding, seconds) in [
        (json!({}), 4 * each + 900),
        (json!({ "parallelism": 16 }), 4 * each + 900),
        (json!({ "parallelism": 5 }), 4 * 4 * each + 900),
        (
            json!({ "parallelism": 8, "backoffLimitPerIndex": 0 }),
            2 * each + 900,
        ),
        (json!({ "shards": 1 }), 4 * each + 900),
    ] {
        let rendered = objects("review", &over(&least(), &sharded(sharding.clone())));
        let spec = &only(&rendered, "CronJob")["spec"]["jobTemplate"]["spec"];
        assert_eq!(spec["activeDeadlineSeconds"], seconds, "{sharding}");
    }
}

#[test]
fn the_schedule_uses_the_hr_time_zone_unless_another_is_set() {
    if !has(&["helm"]) {
        return;
    }
    let rendered = objects("review", &least());
    assert_eq!(
        only(&rendered, "CronJob")["spec"]["timeZone"],
        "Europe/Paris"
    );
    assert_eq!(
        only(&rendered, "CronJob")["spec"]["schedule"],
        "30 0,23 * * *"
    );
    let config = &only(&rendered, "ConfigMap")["data"];
    assert_eq!(config["RUN_SCHEDULE"], "30 0,23 * * *");
    assert_eq!(config["RUN_SCHEDULE_ZONE"], "Europe/Paris");
    assert_eq!(
        only(&rendered, "ConfigMap")["data"]["HR_TIME_ZONE"],
        "Europe/Paris"
    );
    let other = over(
        &least(),
        &json!({ "config": { "hrTimeZone": "Asia/Tokyo" } }),
    );
    let rendered = objects("review", &other);
    assert_eq!(
        only(&rendered, "CronJob")["spec"]["timeZone"],
        "Europe/Paris"
    );
    assert_eq!(
        only(&rendered, "ConfigMap")["data"]["HR_TIME_ZONE"],
        "Asia/Tokyo"
    );
}

#[test]
fn a_finding_fails_the_job_if_no_receiver_is_configured() {
    if !has(&["helm"]) {
        return;
    }
    let fail_on = |values: Value| {
        let rendered = objects("review", &over(&least(), &values));
        only(&rendered, "ConfigMap")["data"]["FAIL_ON"].clone()
    };
    let notifier = |names: &[&str]| {
        let entry = |name: &&str| json!({ "name": name, "value": "x" });
        json!({ "extraEnv": names.iter().map(entry).collect::<Vec<_>>() })
    };
    assert_eq!(fail_on(json!({})), "findings");
    for names in [
        &["NOTIFY_WEBHOOK_URL", "NOTIFY_WEBHOOK_SECRET"][..],
        &["NOTIFY_SLACK_WEBHOOK_URL"],
        &["NOTIFY_SLACK_WEBHOOK_URL_FILE"],
    ] {
        assert_eq!(fail_on(notifier(names)), "inconclusive", "{names:?}");
    }
    assert_eq!(fail_on(notifier(&["NOTIFIED"])), "findings");
    let said = json!({ "config": { "failOn": "findings" } });
    let said = over(&notifier(&["NOTIFY_SLACK_WEBHOOK_URL"]), &said);
    assert_eq!(fail_on(said), "findings");
    // It works as a key of the Secret, too. Every notifier variable must be one that `auto` looks
    // for.
    let notifiers = offered().filter(|variable| {
        variable.secret && variable.name.starts_with("NOTIFY_") && variable.name.ends_with("_URL")
    });
    let mut count = 0;
    for variable in notifiers {
        let keys = at(&["secretKeys", &key_of(variable.name)], json!("key"));
        let signed =
            json!({ "secretKeys": { "notifyWebhookUrl": "url", "notifyWebhookSecret": "key" } });
        let keys = if variable.name.contains("SLACK") {
            keys
        } else {
            over(&signed, &keys)
        };
        assert_eq!(fail_on(keys), "inconclusive", "{}", variable.name);
        count += 1;
    }
    assert_eq!(count, 2);
}

#[test]
fn the_network_allows_only_dns_https_and_credentials() {
    if !has(&["helm"]) {
        return;
    }
    let rendered = objects("review", &least());
    let policy = &only(&rendered, "NetworkPolicy")["spec"];
    assert_eq!(policy["policyTypes"], json!(["Ingress", "Egress"]));
    assert_eq!(policy["ingress"], json!([]));
    assert_eq!(
        policy["egress"],
        json!([
            { "ports": [{ "protocol": "UDP", "port": 53 }, { "protocol": "TCP", "port": 53 }] },
            { "ports": [{ "protocol": "TCP", "port": 443 }] },
            { "to": [{ "ipBlock": { "cidr": "169.254.170.23/32" } }], "ports": [{ "protocol": "TCP", "port": 80 }] },
            { "to": [{ "ipBlock": { "cidr": "fd00:ec2::23/128" } }], "ports": [{ "protocol": "TCP", "port": 80 }] },
        ])
    );
    // It applies to the pods of runs and to the pods of `helm test`.
    let selector = policy["podSelector"]["matchLabels"]
        .as_object()
        .expect("labels");
    let snapshot = &only(&rendered, "CronJob")["spec"]["jobTemplate"]["spec"]["template"];
    for labels in [
        &snapshot["metadata"]["labels"],
        &only(&rendered, "Pod")["metadata"]["labels"],
    ] {
        assert!(
            selector.iter().all(|(key, value)| labels[key] == *value),
            "{labels}"
        );
    }
    let node = over(
        &least(),
        &json!({ "aws": { "ec2MetadataDisabled": false } }),
    );
    let rendered = objects("review", &node);
    let egress = &only(&rendered, "NetworkPolicy")["spec"]["egress"];
    assert_eq!(egress[4]["to"][0]["ipBlock"]["cidr"], "169.254.169.254/32");
}

#[test]
fn the_ports_of_addresses_in_the_values_are_open() {
    if !has(&["helm"]) {
        return;
    }
    let values = json!({
        "proxy": { "url": "http://proxy.example.com:8080" },
        "extraEnv": [{ "name": "https_proxy", "value": "http://proxy.example.com:3128" },
                     { "name": "HTTP_PROXY", "value": "http://proxy.example.com" },
                     { "name": "NO_PROXY", "value": "store.example.com:1234" }],
        "aws": { "endpointUrlS3": "https://[fd00::9]:9000/" },
        "config": { "metricsPushgatewayUrl": "http://pushgateway.monitoring:9091",
            "hrFeedUrl": "https://hr.example.com:8443/leavers:17/x", "aliasesUrl": "s3://hr/aliases:18/x" },
    });
    let rendered = objects("review", &over(&least(), &values));
    let ports = &only(&rendered, "NetworkPolicy")["spec"]["egress"][1]["ports"];
    let ports = ports.as_array().expect("ports").iter();
    let ports: Vec<_> = ports.map(|port| port["port"].as_u64()).collect();
    assert_eq!(ports, [443, 8080, 9000, 8443, 9091, 3128, 80].map(Some));
}

#[test]
fn the_chart_accepts_every_time_zone_of_the_program() {
    let zones: Vec<_> = jiff::tz::db()
        .available()
        .map(|zone| zone.to_string())
        .collect();
    assert!(zones.len() > 500);
    let text = text("helm/asana-access-review/zones.txt");
    let of_the_chart: BTreeSet<&str> = text.lines().collect();
    assert_eq!(of_the_chart, zones.iter().map(String::as_str).collect());
}

/// The Job of `review status`, with further values.
fn review_job(values: &Value) -> (Vec<Value>, Value) {
    let step = json!({ "review": { "args": ["status"] } });
    let rendered = objects("review", &over(&over(&least(), &step), values));
    let job = only(&rendered, "Job").clone();
    (rendered, job)
}

#[test]
fn a_review_step_is_a_job_with_one_try_outside_of_the_release() {
    if !has(&["helm"]) {
        return;
    }
    let without = objects("review", &least());
    assert!(without.iter().all(|object| object["kind"] != "Job"));

    let values = json!({ "restartPolicy": "OnFailure", "cronJob": { "podFailurePolicy": null } });
    let (rendered, job) = review_job(&values);
    assert!(job["metadata"]["name"].is_null());
    assert_eq!(
        job["metadata"]["generateName"],
        "review-asana-access-review-status-"
    );
    let spec = &job["spec"];
    assert_eq!(spec["backoffLimit"], 0);
    assert!(spec["podFailurePolicy"].is_null());
    assert_eq!(spec["activeDeadlineSeconds"], 3600);
    assert_eq!(spec["ttlSecondsAfterFinished"], 604_800);
    let pod = &spec["template"];
    assert_eq!(pod["spec"]["restartPolicy"], "Never");
    let container = &pod["spec"]["containers"][0];
    assert_eq!(container["args"], json!(["review", "status"]));

    // The policy of the nightly pods covers this pod, but its labels distinguish it from them.
    let policy = &only(&rendered, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"];
    let labels = &pod["metadata"]["labels"];
    let selector = policy.as_object().expect("labels");
    assert!(selector.iter().all(|(key, value)| labels[key] == *value));
    for labels in [labels, &job["metadata"]["labels"]] {
        assert_eq!(labels["app.kubernetes.io/component"], "access-review");
    }
    let snapshot = &only(&rendered, "CronJob")["spec"]["jobTemplate"]["spec"]["template"];
    for same in [
        "serviceAccountName",
        "securityContext",
        "automountServiceAccountToken",
        "enableServiceLinks",
    ] {
        assert_eq!(pod["spec"][same], snapshot["spec"][same], "{same}");
    }
    for same in ["image", "securityContext", "resources", "envFrom"] {
        let container_of_run = &snapshot["spec"]["containers"][0];
        assert_eq!(container[same], container_of_run[same], "{same}");
    }

    // Values that were kept by mistake do not start the review again with each upgrade.
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("values.json");
    let kept = over(&least(), &json!({ "review": { "args": ["status"] } }));
    fs::write(&file, kept.to_string()).expect("values");
    let path = |path: &std::path::Path| path.to_str().expect("UTF-8").to_owned();
    let (chart, file) = (path(&chart()), path(&file));
    let arguments = ["template", "review", &chart, "--values", &file];
    let upgraded = output("helm", &[&arguments[..], &["--is-upgrade"]].concat());
    assert!(!upgraded.status.success());
    let reported = String::from_utf8_lossy(&upgraded.stderr).into_owned();
    assert!(
        reported.contains("review.args is set in an install or upgrade"),
        "{reported}"
    );
}

/// The answers that helm needs from a cluster before it creates anything. The cluster has no
/// Secret, so it has no release.
fn empty_cluster(path: &str) -> Option<Value> {
    let secrets = json!({ "name": "secrets", "singularName": "secret", "namespaced": true, "kind": "Secret", "verbs": ["list"] });
    match path {
        "/version" => Some(json!({ "major": "1", "minor": "34", "gitVersion": "v1.34.0" })),
        "/api" => Some(json!({ "kind": "APIVersions", "versions": ["v1"] })),
        "/apis" => Some(json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": [] })),
        "/api/v1" => {
            Some(json!({ "kind": "APIResourceList", "groupVersion": "v1", "resources": [secrets] }))
        }
        _ if path.ends_with("/secrets") => {
            Some(json!({ "kind": "SecretList", "apiVersion": "v1", "metadata": {}, "items": [] }))
        }
        _ => None,
    }
}

#[test]
fn a_review_step_is_refused_in_the_first_install() {
    let helms = helms();
    if helms.is_empty() {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let answer = |request: axum::extract::Request| async move {
        empty_cluster(request.uri().path())
            .map(axum::Json)
            .ok_or(axum::http::StatusCode::NOT_FOUND)
    };
    let listener = runtime
        .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
        .expect("a port");
    let server = format!("http://{}", listener.local_addr().expect("an address"));
    let router = axum::Router::new().fallback(answer);
    runtime.spawn(async { axum::serve(listener, router).await });
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("values.json");
    fs::write(
        &file,
        over(&least(), &json!({ "review": { "args": ["status"] } })).to_string(),
    )
    .expect("values");
    for helm in helms {
        let install = std::process::Command::new(&helm)
            .args(["install", "review"])
            .arg(chart())
            .args([
                "--kube-apiserver",
                &server,
                "--namespace",
                NAMESPACE,
                "--values",
            ])
            .arg(&file)
            .env_remove("KUBECONFIG")
            .env("HOME", folder.path())
            .output()
            .expect("helm");
        let reported = String::from_utf8_lossy(&install.stderr);
        assert!(
            reported.contains("review.args is set in an install or upgrade"),
            "{helm:?}: {reported}"
        );
    }
}

#[test]
fn a_review_step_gets_only_the_secrets_it_needs() {
    if !has(&["helm"]) {
        return;
    }
    let secrets: Vec<&Variable> = offered().filter(|variable| variable.secret).collect();
    let is_for_reviews = |variable: &Variable| variable.commands.contains(&Command::Review);
    assert!(secrets.iter().any(|variable| is_for_reviews(variable)));
    let mut keys = json!({ "awsCredentials": "aws" });
    for variable in &secrets {
        keys[key_of(variable.name)] = json!(format!("of-{}", variable.name));
    }
    let feed = json!({ "hrFeedUrl": "https://hr.example.com/x" });
    let from_secret = json!({ "config": feed, "secretKeys": keys });
    let as_env = over(&from_secret, &json!({ "secretsAsEnv": true }));
    let entry = |name: String| json!({ "name": name, "value": "x" });
    let mut by_hand: Vec<Value> = secrets
        .iter()
        .map(|variable| entry(variable.name.to_owned()))
        .collect();
    by_hand.push(entry("HTTPS_PROXY".to_owned()));
    let by_hand = json!({ "config": feed, "existingSecret": "", "secretKeys": { "trutoApiToken": "" }, "extraEnv": by_hand });
    for (values, suffix) in [(from_secret, "_FILE"), (as_env, ""), (by_hand, "")] {
        let (_, job) = review_job(&values);
        let pod = &job["spec"]["template"]["spec"];
        let env = pod["containers"][0]["env"].as_array().expect("env");
        let has = |name: &str| env.iter().any(|entry| entry["name"] == name);
        let text = pod.to_string();
        for variable in &secrets {
            let name = format!("{}{suffix}", variable.name);
            assert_eq!(has(&name), is_for_reviews(variable), "{name}: {text}");
            let key = format!("of-{}", variable.name);
            let is_there = text.contains(&key);
            assert!(!is_there || is_for_reviews(variable), "{key}: {text}");
        }
        assert!(has("AWS_SHARED_CREDENTIALS_FILE") || has("HTTPS_PROXY"));
    }
}

/// The CronJob that makes audit packs.
fn pack_job(rendered: &[Value]) -> &Value {
    let is_pack = |object: &&Value| {
        object["kind"] == "CronJob"
            && object["metadata"]["labels"]["app.kubernetes.io/component"] == "audit-pack"
    };
    rendered.iter().find(is_pack).expect("a CronJob")
}

#[test]
fn an_audit_pack_is_made_after_its_period_in_the_zone_of_hr() {
    if !has(&["helm"]) {
        return;
    }
    let without = objects("review", &least());
    assert_eq!(
        only(&without, "CronJob")["metadata"]["name"],
        "review-asana-access-review"
    );
    for (pack, period, schedule) in [
        (json!({}), "last-quarter", "0 6 3 1,4,7,10 *"),
        (json!({ "period": "last-month" }), "last-month", "0 6 3 * *"),
        (
            json!({ "schedule": "0 9 7 * *" }),
            "last-quarter",
            "0 9 7 * *",
        ),
    ] {
        let zone = json!({ "config": { "hrTimeZone": "America/New_York" } });
        let values = over(&over(&least(), &audit_pack(pack)), &zone);
        let rendered = objects("review", &values);
        let job = pack_job(&rendered);
        assert_eq!(job["metadata"]["name"], "review-asana-access-review-pack");
        assert_eq!(job["spec"]["schedule"], schedule);
        assert_eq!(job["spec"]["timeZone"], "America/New_York");
        let container = &pod_of(job)["containers"][0];
        let (arguments, folder) = (&container["args"], &container["workingDir"]);
        let zone = "America/New_York";
        let wanted = json!(["report", "--from", period, "--to", period, "--zone", zone]);
        assert_eq!(*arguments, wanted);
        // The pack is a new folder in the working directory, which is the claim.
        assert!(container["volumeMounts"].as_array().is_some_and(|mounts| {
            mounts
                .iter()
                .any(|mount| mount["mountPath"] == *folder && mount["readOnly"].is_null())
        }));
        let line: Vec<&str> = arguments
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let line = std::iter::once("asana-access-review").chain(line);
        let read = cli::parse(line.map(Into::into));
        assert!(matches!(read, Ok(CommandRequest::Report(_))), "{read:?}");
    }
}

/// The pod of a CronJob.
fn pod_of(job: &Value) -> &Value {
    &job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
}

#[test]
fn an_audit_pack_gets_only_what_report_reads() {
    if !has(&["helm"]) {
        return;
    }
    let secrets: Vec<&Variable> = offered().filter(|variable| variable.secret).collect();
    let mut keys = json!({ "awsCredentials": "aws" });
    for variable in &secrets {
        keys[key_of(variable.name)] = json!(format!("of-{}", variable.name));
    }
    let feed =
        json!({ "hrFeedUrl": "https://hr.example.com/x", "evidenceBucketOwner": "123456789012" });
    let from_secret = over(
        &audit_pack(json!({})),
        &json!({ "config": feed, "secretKeys": keys }),
    );
    let as_env = over(&from_secret, &json!({ "secretsAsEnv": true }));
    let entry = |variable: &&Variable| json!({ "name": variable.name, "value": "x" });
    let by_hand: Vec<Value> = secrets.iter().map(entry).collect();
    let by_hand = over(
        &audit_pack(json!({})),
        &json!({ "config": feed, "existingSecret": "", "secretKeys": { "trutoApiToken": "" }, "extraEnv": by_hand }),
    );
    for values in [from_secret, as_env, by_hand] {
        let rendered = objects("review", &over(&least(), &values));
        let pod = pod_of(pack_job(&rendered));
        let container = &pod["containers"][0];
        assert!(container["envFrom"].is_null(), "{container}");
        let env = container["env"].as_array().expect("env");
        let names: BTreeSet<&str> = env.iter().filter_map(|of| of["name"].as_str()).collect();
        for variable in VARIABLES {
            let is_chart = OF_THE_CHART.contains(&variable.name);
            let is_read = variable.commands.contains(&Command::Report);
            let file = format!("{}_FILE", variable.name);
            assert_eq!(
                names.contains(variable.name) && !is_chart,
                is_read,
                "{}",
                variable.name
            );
            assert!(!names.contains(file.as_str()), "{file}");
        }
        let text = pod.to_string();
        assert!(
            !text.contains("of-") && !text.contains("hr.example.com"),
            "{text}"
        );
        let of_run = rendered.iter().find(|object| {
            object["kind"] == "CronJob"
                && object["metadata"]["name"] == "review-asana-access-review"
        });
        let of_run = pod_of(of_run.expect("the CronJob of runs"));
        for same in [
            "serviceAccountName",
            "securityContext",
            "automountServiceAccountToken",
        ] {
            assert_eq!(pod[same], of_run[same], "{same}");
        }
    }
}

#[test]
fn evidence_in_a_folder_is_read_only_for_an_audit_pack() {
    if !has(&["helm"]) {
        return;
    }
    let folder =
        json!({ "config": { "evidenceUrl": "/evidence" }, "persistence": { "enabled": true } });
    let values = over(&over(&least(), &audit_pack(json!({}))), &folder);
    let rendered = objects("review", &values);
    let pod = pod_of(pack_job(&rendered));
    let mounts = pod["containers"][0]["volumeMounts"]
        .as_array()
        .expect("mounts");
    let evidence = mounts.iter().find(|mount| mount["name"] == "evidence");
    assert_eq!(evidence.expect("a mount")["readOnly"], true);
}

#[test]
fn a_volume_claim_of_the_chart_survives_an_uninstall() {
    if !has(&["helm"]) {
        return;
    }
    let values =
        json!({ "config": { "evidenceUrl": "/evidence" }, "persistence": { "enabled": true } });
    let rendered = objects("review", &over(&least(), &values));
    let claim = only(&rendered, "PersistentVolumeClaim");
    assert_eq!(
        claim["metadata"]["annotations"]["helm.sh/resource-policy"],
        "keep"
    );
    for (pod, spec) in pods(&rendered) {
        let volumes = spec["volumes"].as_array().expect("volumes");
        let claimed = volumes
            .iter()
            .find(|volume| volume["name"] == "evidence")
            .expect(&pod);
        assert_eq!(
            claimed["persistentVolumeClaim"]["claimName"],
            claim["metadata"]["name"]
        );
    }
}

#[test]
fn the_chart_works_as_a_subchart() {
    if !has(&["helm"]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let parent = folder.path().join("parent");
    crate::support::copy(&chart(), &parent.join("charts/asana-access-review"));
    fs::write(
        parent.join("Chart.yaml"),
        "apiVersion: v2\nname: parent\nversion: 1.0.0\ndependencies:\n  - name: asana-access-review\n    \
         version: 0.1.0\n    condition: asana-access-review.enabled\n",
    )
    .expect("a chart");
    let values = |enabled: bool| {
        json!({
            "global": { "imageRegistry": "x" },
            "asana-access-review": over(&least(), &json!({ "enabled": enabled })),
        })
    };
    let rendered = template_of(&parent, "review", &values(true)).expect("a subchart");
    only(&documents(&rendered), "CronJob");
    let rendered = template_of(&parent, "review", &values(false)).expect("a subchart that is off");
    assert_eq!(documents(&rendered), Vec::<Value>::new());
    let slip = over(
        &values(true),
        &json!({ "asana-access-review": { "mispelt": 1 } }),
    );
    let refused = template_of(&parent, "review", &slip).expect_err("a slip");
    assert!(
        refused.contains("additional properties 'mispelt' not allowed"),
        "{refused}"
    );
}

#[test]
fn the_chart_offers_exactly_the_variables_that_work() {
    let values = document("helm/asana-access-review/values.yaml");
    let (config, secrets) = (&values["config"], &values["secretKeys"]);
    let mut missing = Vec::new();
    for variable in offered() {
        let group = if variable.secret { secrets } else { config };
        let key = key_of(variable.name);
        if group.get(&key).is_none() {
            let group = if variable.secret {
                "secretKeys"
            } else {
                "config"
            };
            missing.push(format!(
                "{} works now: add `{group}.{key}` to values.yaml and values.schema.json of the chart, a secret also to \
                 its README.md, and its variable to k8s/base/configmap.yaml if it has a default",
                variable.name
            ));
        }
    }
    assert_eq!(missing, Vec::<String>::new());
    let names: BTreeSet<String> = offered().map(|variable| variable.name.to_owned()).collect();
    for group in [config, secrets] {
        for key in group
            .as_object()
            .expect("a map")
            .keys()
            .filter(|key| *key != "awsCredentials")
        {
            let variable = variable_of(key);
            assert!(
                names.contains(&variable),
                "{key}: the program has no {variable}"
            );
        }
    }
}

#[test]
fn defaults_and_descriptions_are_those_of_the_program() {
    let values = document("helm/asana-access-review/values.yaml");
    let leaves: BTreeMap<String, Leaf> = leaves()
        .into_iter()
        .map(|leaf| (leaf.name(), leaf))
        .collect();
    for variable in offered() {
        let group = if variable.secret {
            "secretKeys"
        } else {
            "config"
        };
        let name = format!("{group}.{}", key_of(variable.name));
        let Some(leaf) = leaves.get(&name) else {
            panic!("{name} is not in values.schema.json");
        };
        assert_eq!(
            leaf.schema["description"], variable.meaning,
            "the description of {name}"
        );
        if variable.secret {
            continue;
        }
        let value = leaf.get(&values);
        let said = match value {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            Value::Array(list) if list.is_empty() => String::new(),
            Value::Object(map) if map.is_empty() => String::new(),
            other => other.to_string(),
        };
        // Defaults that the chart derives from other values.
        let expected = match (variable.name, variable.default) {
            ("FAIL_ON", _) => "auto",
            ("HR_TIME_ZONE" | "EVIDENCE_URL", _) => "",
            ("LOG_FORMAT", _) => "json",
            (_, Default::Value(default)) => default,
            (_, Default::Required | Default::Unset | Default::Depends(_)) => "",
        };
        assert_eq!(said, expected, "{name}");
    }
}

/// The chart's table of values, from the schema and the values. `docs/configuration.md` has the
/// table of `config`.
fn values_table() -> String {
    let values = document("helm/asana-access-review/values.yaml");
    let mut table = String::from("| value | default | meaning |\n|---|---|---|\n");
    for leaf in leaves().iter().filter(|leaf| leaf.path[0] != "config") {
        let default = leaf.get(&values);
        let default = match default {
            Value::Null => "null".to_owned(),
            other if other.to_string().len() > 78 => "see values.yaml".to_owned(),
            other => format!("`{other}`"),
        };
        let meaning = leaf.schema["description"]
            .as_str()
            .unwrap_or_else(|| panic!("{} is not described", leaf.name()));
        let words = leaf.schema["enum"].as_array().map(|words| {
            let words: Vec<String> = words
                .iter()
                .map(|word| format!("`{}`", word.as_str().unwrap_or("null")))
                .collect();
            format!("; one of {}", words.join(", "))
        });
        let words = words.unwrap_or_default().replace("``", "empty");
        table.push_str(&format!(
            "| `{}` | {default} | {meaning}{words} |\n",
            leaf.name()
        ));
    }
    table
}

#[test]
fn the_readme_of_the_chart_lists_each_value_as_in_the_schema() {
    let table = values_table();
    assert!(
        text("helm/asana-access-review/README.md").contains(&table),
        "helm/asana-access-review/README.md should have this table:\n{table}"
    );
}

#[test]
fn the_schema_allows_each_default() {
    let validator = jsonschema::validator_for(&schema()).expect("a schema");
    let values = document("helm/asana-access-review/values.yaml");
    let problems: Vec<String> = validator
        .iter_errors(&values)
        .map(|error| error.to_string())
        .collect();
    assert_eq!(problems, Vec::<String>::new());
}

#[test]
fn chart_and_program_have_the_same_version() {
    let chart = document("helm/asana-access-review/Chart.yaml");
    for version in ["version", "appVersion"] {
        assert_eq!(chart[version], env!("CARGO_PKG_VERSION"), "{version}");
    }
    assert_eq!(chart["annotations"]["artifacthub.io/license"], "Apache-2.0");
}

/// Whether the chart does not retry after this exit code.
fn is_final(exit: Exit) -> bool {
    match exit {
        Exit::Usage
        | Exit::Fail
        | Exit::Inconclusive
        | Exit::IntegrityFault
        | Exit::Refused
        | Exit::Configuration => true,
        // Success, errors that a retry may fix, and stops by Kubernetes itself.
        Exit::Pass | Exit::Unexpected | Exit::Transient | Exit::Interrupted | Exit::Terminated => {
            false
        }
    }
}

#[test]
fn exit_codes_agree_in_code_chart_runbook_and_alerts() {
    let finals: Vec<u8> = Exit::ALL
        .into_iter()
        .filter(|exit| is_final(*exit))
        .map(Exit::code)
        .collect();
    let values = document("helm/asana-access-review/values.yaml");
    let rules = &values["cronJob"]["podFailurePolicy"]["rules"];
    assert_eq!(
        rules[0],
        json!({ "action": "Ignore", "onPodConditions": [{ "type": "DisruptionTarget", "status": "True" }] })
    );
    assert_eq!(
        rules[1],
        json!({ "action": "FailJob", "onExitCodes": {
        "containerName": "asana-access-review", "operator": "In", "values": finals } })
    );
    assert_eq!(rules.as_array().map(Vec::len), Some(2));

    let runbook = text("docs/runbook.md");
    let readme = text("helm/asana-access-review/README.md");
    for exit in Exit::ALL {
        let heading = format!("\n### Exit {}: {}\n", exit.code(), exit.meaning());
        assert!(
            runbook.contains(&heading),
            "docs/runbook.md should have{heading}"
        );
        let again = if is_final(exit) {
            "no"
        } else if exit == Exit::Pass {
            "done"
        } else {
            "yes"
        };
        let row = format!("| `{}` | {} | {again} |\n", exit.code(), exit.meaning());
        assert!(
            readme.contains(&row),
            "the chart's README should have {row}"
        );
    }
    if !has(&["helm"]) {
        return;
    }
    // The exit codes of a review that are not retried, by what counts as a failure.
    for (fail_on, codes) in [
        (
            "findings",
            vec![
                Exit::Fail,
                Exit::Inconclusive,
                Exit::Refused,
                Exit::Configuration,
            ],
        ),
        (
            "inconclusive",
            vec![Exit::Inconclusive, Exit::Refused, Exit::Configuration],
        ),
        ("never", vec![Exit::Refused, Exit::Configuration]),
    ] {
        let values =
            json!({ "prometheusRule": { "enabled": true }, "config": { "failOn": fail_on } });
        let rendered = objects("review", &over(&least(), &values));
        let rules = &only(&rendered, "PrometheusRule")["spec"]["groups"][0]["rules"];
        let summary = rules[1]["annotations"]["summary"]
            .as_str()
            .expect("a summary");
        let (_, reported) = summary.split_once("ended with exit").expect("the codes");
        let reported: Vec<u8> = reported
            .split(|c: char| !c.is_ascii_digit())
            .filter_map(|number| number.parse().ok())
            .collect();
        let codes: Vec<u8> = codes.into_iter().map(Exit::code).collect();
        assert_eq!(reported, codes, "{fail_on}");
        assert!(codes.iter().all(|code| finals.contains(code)));
    }
}

#[test]
fn each_alert_has_an_action_and_a_link_if_the_runbook_has_a_url() {
    if !has(&["helm"]) {
        return;
    }
    let rules = |runbook: &str| {
        let values = json!({
            "prometheusRule": { "enabled": true, "runbookUrl": runbook },
            "auditPack": { "enabled": true, "claim": "packs" },
            "config": { "metricsPushgatewayUrl": "https://pushgateway.example.com" },
        });
        let rendered = objects("review", &over(&least(), &values));
        let rules = &only(&rendered, "PrometheusRule")["spec"]["groups"][0]["rules"];
        rules.as_array().expect("rules").clone()
    };
    for rule in rules("") {
        let annotations = &rule["annotations"];
        assert!(annotations["runbook_url"].is_null(), "{annotations}");
        let description = annotations["description"].as_str().expect("a text");
        assert!(
            description.contains("kubectl -n access-review "),
            "{description}"
        );
    }
    let runbook = text("docs/runbook.md");
    let rules = rules("https://wiki.example.com/runbook");
    for rule in &rules {
        let alert = rule["alert"].as_str().expect("a name");
        let link = rule["annotations"]["runbook_url"].as_str().expect("a link");
        let section = alert.to_lowercase();
        assert_eq!(link, format!("https://wiki.example.com/runbook#{section}"));
        assert!(runbook.contains(&format!("\n### {alert}\n")), "{alert}");
    }
    assert_eq!(rules.len(), 6);
    // Of one connection, not of others in the same Prometheus.
    for rule in &rules[4..] {
        let id = least()["config"]["trutoIntegratedAccountId"].clone();
        let selector = format!("{{connection={id}");
        let expression = rule["expr"].as_str().expect("an expression");
        assert_eq!(
            expression.matches(&selector).count(),
            expression.matches("asana_access_review_").count(),
            "{expression}"
        );
    }
    let relative = json!({ "prometheusRule": { "runbookUrl": "docs/runbook.md" } });
    let refused = template("review", &over(&least(), &relative)).expect_err("no address");
    assert!(sentences(&refused).contains("prometheusRule.runbookUrl is `docs/runbook.md`"));
}

#[test]
fn the_alerts_fire_only_when_they_should() {
    if !has(&["helm", "promtool"]) {
        return;
    }
    let values = json!({ "prometheusRule": {
        "enabled": true, "runbookUrl": "https://wiki.example.com/runbook" } });
    let gateway =
        json!({ "config": { "metricsPushgatewayUrl": "http://pushgateway.monitoring:9091" } });
    for (name, more) in [
        ("alerts.yaml", json!({})),
        ("alerts-of-packs.yaml", audit_pack(json!({}))),
        ("alerts-of-shards.yaml", sharded(json!({}))),
        (
            "alerts-of-metrics.yaml",
            over(&sharded(json!({})), &gateway),
        ),
    ] {
        let rendered = objects("review", &over(&over(&least(), &values), &more));
        let folder = tempfile::tempdir().expect("a folder");
        let rules = folder.path().join("rules.yaml");
        let spec = only(&rendered, "PrometheusRule")["spec"].to_string();
        fs::write(&rules, spec).expect("rules");
        let tests = folder.path().join(name);
        fs::copy(here("tests/helm").join(name), &tests).expect("tests of the alerts");
        let rules = rules.to_str().expect("UTF-8");
        printed("promtool", &["check", "rules", rules]);
        printed(
            "promtool",
            &["test", "rules", tests.to_str().expect("UTF-8")],
        );
    }
}

#[test]
fn the_dashboard_shows_every_metric_in_valid_expressions() {
    if !has(&["helm", "promtool"]) {
        return;
    }
    let values = json!({
        "dashboard": { "enabled": true },
        "config": { "metricsPushgatewayUrl": "http://pushgateway.monitoring:9091" },
    });
    let rendered = objects("review", &over(&least(), &values));
    let is_dashboard = |of: &&Value| of["metadata"]["labels"]["grafana_dashboard"] == "1";
    let map = rendered.iter().find(is_dashboard).expect("a dashboard");
    let files = map["data"].as_object().expect("files");
    assert_eq!(files.len(), 1);
    let (_, file) = files.iter().next().expect("a file");
    let dashboard: Value =
        serde_json::from_str(file.as_str().expect("a text")).expect("a JSON document");
    let targets = dashboard["panels"].as_array().expect("panels").iter();
    let targets = targets.flat_map(|panel| panel["targets"].as_array().expect("targets"));
    let expressions = targets.map(|target| target["expr"].as_str().expect("an expression"));
    let expressions: Vec<String> = expressions
        .map(|of| of.replace("$connection", ".*"))
        .collect();
    let names = Metric::ALL.map(Metric::name);
    for expression in &expressions {
        for part in expression.split("asana_access_review_").skip(1) {
            let (name, _) = part.split_once('{').expect("labels");
            let name = format!("asana_access_review_{name}");
            assert!(names.contains(&name.as_str()), "{name}");
        }
    }
    for name in names {
        let is_shown = expressions
            .iter()
            .any(|of| of.contains(&format!("{name}{{")));
        assert!(is_shown, "{name}");
    }
    let rules = expressions.iter().enumerate();
    let rules = rules.map(|(number, of)| json!({ "record": format!("r{number}"), "expr": of }));
    let rules: Vec<Value> = rules.collect();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("rules.yaml");
    let groups = json!({ "groups": [{ "name": "dashboard", "rules": rules }] });
    fs::write(&path, groups.to_string()).expect("rules");
    let path = path.to_str().expect("UTF-8");
    printed("promtool", &["check", "rules", path]);
}

#[test]
fn every_rendered_field_is_known_to_kubernetes_1_31_to_1_37() {
    if !has(&["helm", "kubernetes-validate"]) {
        return;
    }
    let mut all: Vec<Value> = Vec::new();
    for (_, values) in matrix() {
        all.extend(objects("review", &over(&least(), &values)));
    }
    for (_, values) in installations() {
        all.extend(objects("review", &values));
    }
    let compared = compare_with_kubernetes(&all).unwrap_or_else(|unknown| panic!("{unknown}"));
    assert!(compared > 60, "{compared}");

    // The tool reports a field that does not exist.
    let mut wrong = only(&objects("review", &least()), "CronJob").clone();
    wrong["spec"]["jobTemplate"]["spec"]["backofLimit"] = json!(1);
    let unknown = compare_with_kubernetes(&[wrong]).expect_err("no such field");
    for version in ["1.31", "1.37"] {
        assert!(
            unknown.contains(&format!("against version {version}")),
            "{unknown}"
        );
    }
}

/// Findings of checkov that are not a problem here, each with its reason.
const CHECKOV_SKIPS: [(&str, &str); 7] = [
    (
        "CKV_K8S_8",
        "the pod of `helm test` ends by itself, so it needs no liveness probe",
    ),
    (
        "CKV_K8S_9",
        "the pod of `helm test` serves no requests, so it needs no readiness probe",
    ),
    (
        "CKV_K8S_21",
        "the namespace of `extraObjects` is the installer's choice",
    ),
    (
        "CKV_K8S_43",
        "a digest is offered by image.digest, and the image is not built yet",
    ),
    (
        "CKV_K8S_15",
        "the tag of a version does not move, so it need not be pulled for each run",
    ),
    ("CKV_K8S_11", "a CPU limit only makes a nightly job slower"),
    ("CKV_K8S_35", "only where secretsAsEnv asks for it"),
];

#[test]
fn every_finding_of_checkov_is_explained() {
    if !has(&["helm", "checkov"]) {
        return;
    }
    // checkov skips hidden paths, such as a folder whose name begins with a dot.
    let folder = tempfile::Builder::new()
        .prefix("chart")
        .tempdir()
        .expect("a folder");
    for (number, (_, values)) in matrix().into_iter().enumerate() {
        let rendered = template("review", &over(&least(), &values)).expect("a chart");
        fs::write(folder.path().join(format!("{number}.yaml")), rendered).expect("manifests");
    }
    let arguments = [
        "-d",
        folder.path().to_str().expect("UTF-8"),
        "--framework",
        "kubernetes",
        "--compact",
        "--quiet",
        "--skip-download",
        "-o",
        "json",
    ];
    let found = output("checkov", &arguments);
    let found: Value = serde_json::from_slice(&found.stdout).expect("JSON");
    assert!(found["results"].is_object(), "{found:#}");
    let mut ids: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for check in found["results"]["failed_checks"]
        .as_array()
        .expect("checks")
    {
        let id = check["check_id"].as_str().expect("an id");
        ids.entry(id).or_default().push(format!(
            "{} {} in {}",
            check["check_name"], check["resource"], check["file_path"]
        ));
    }
    let explained: BTreeSet<&str> = CHECKOV_SKIPS.iter().map(|(id, _)| *id).collect();
    let unexplained: Vec<_> = ids
        .iter()
        .filter(|(id, _)| !explained.contains(*id))
        .collect();
    assert!(unexplained.is_empty(), "{unexplained:#?}");
    for id in explained {
        assert!(
            ids.contains_key(id),
            "{id} is no longer found: remove its entry"
        );
    }
    let passed = found["summary"]["passed"].as_u64().unwrap_or_default();
    assert!(passed > 500, "checkov ran few checks: {passed}");
}

/// The fields of a Kubernetes type, as its schema has them.
fn fields(kind: &str) -> BTreeSet<String> {
    let find =
        "import kubernetes_validate, os; print(os.path.dirname(kubernetes_validate.__file__))";
    let package = printed("python3", &["-c", find]);
    let file = format!(
        "{}/kubernetes-json-schema/v1.34.0-local-strict/{kind}.json",
        package.trim()
    );
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
    let schema: Value = serde_json::from_str(&text).expect("JSON");
    schema["properties"]
        .as_object()
        .expect("properties")
        .keys()
        .cloned()
        .collect()
}

#[test]
fn every_field_of_the_job_can_be_set() {
    if !has(&["kubernetes-validate"]) {
        return;
    }
    let leaves = leaves();
    let below = |group: &str| -> BTreeSet<String> {
        let of_group = leaves
            .iter()
            .filter(|leaf| leaf.path.len() > 1 && leaf.path[0] == group);
        of_group.map(|leaf| leaf.path[1].clone()).collect()
    };
    let cron = below("cronJob");
    // Kubernetes sets the selector of a CronJob's Jobs itself and refuses one of ours. `suspend` is
    // `cronJob.suspendJobs`, because the CronJob has its own `suspend`.
    let of_job = fields("jobspec-batch-v1");
    let missing: Vec<_> = of_job.difference(&cron).cloned().collect();
    assert_eq!(missing, ["manualSelector", "selector", "template"]);
    let missing: Vec<_> = fields("cronjobspec-batch-v1")
        .difference(&cron)
        .cloned()
        .collect();
    assert_eq!(missing, ["jobTemplate"]);
    assert!(cron.contains("suspendJobs"));
}

#[test]
fn the_notes_name_the_command_for_one_run_and_where_the_evidence_is() {
    if !has(&["helm"]) {
        return;
    }
    // Helm prints notes only with a cluster, so the test renders them as part of an object.
    let folder = tempfile::tempdir().expect("a folder");
    let copied = folder.path().join("chart");
    crate::support::copy(&chart(), &copied);
    fs::rename(copied.join("templates/NOTES.txt"), copied.join("notes.txt")).expect("notes");
    let object = "apiVersion: v1\nkind: Notes\nmetadata:\n  name: notes\nnotes: {{ tpl (.Files.Get \"notes.txt\") . | quote }}\n";
    fs::write(copied.join("templates/notes.yaml"), object).expect("a template");
    let notes = |values: Value| {
        let rendered = template_of(&copied, "review", &over(&least(), &values)).expect("a chart");
        let objects = documents(&rendered);
        only(&objects, "Notes")["notes"]
            .as_str()
            .expect("notes")
            .to_owned()
    };
    let plain = notes(json!({}));
    insta::assert_snapshot!(plain);
    assert!(plain.contains(&format!("kubectl --namespace {NAMESPACE} create job review-asana-access-review-$(date +%s) --from=cronjob/review-asana-access-review")));
    let other = notes(
        json!({ "cronJob": { "suspend": true }, "config": { "failOn": "never" }, "prometheusRule": { "enabled": true } }),
    );
    assert!(other.contains("is suspended"));
    assert!(other.contains("FAIL_ON=never"));
    assert!(!other.contains("No alert fires"));
}
