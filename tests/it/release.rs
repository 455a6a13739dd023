//! The parts of a release that can be checked without a build.

use std::collections::BTreeSet;

use crate::support::has;
use crate::support::kube::{here, printed};
use serde_json::Value;

/// The lines of `.ci/release` that make the SBOM.
fn sbom() -> String {
    let script = r#"cd "$1" && cargo tree --locked --offline --package asana-access-review --target x86_64-unknown-linux-gnu \
        --edges normal,build --prefix depth --format '|{p}|{l}' | python3 .ci/sbom.py 0123abc 1700000000"#;
    let here = here(".");
    printed("sh", &["-c", script, "sh", here.to_str().expect("UTF-8")])
}

#[test]
fn the_sbom_lists_exactly_the_crates_of_the_binary() {
    if !has(&["python3", "cargo"]) {
        return;
    }
    let text = sbom();
    assert_eq!(text, sbom());
    let sbom: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(sbom["metadata"]["timestamp"], "2023-11-14T22:13:20Z");
    assert_eq!(sbom["metadata"]["component"]["name"], "asana-access-review");
    let components = sbom["components"].as_array().expect("components");
    let names = components
        .iter()
        .map(|component| component["name"].as_str());
    let names: BTreeSet<&str> = names.map(|name| name.expect("a name")).collect();
    for used in ["tokio", "reqwest", "aws-sdk-s3", "serde", "envy", "backoff"] {
        assert!(names.contains(used), "{used}");
    }
    for of_tests in ["proptest", "insta", "truto-simulator"] {
        assert!(!names.contains(of_tests), "{of_tests}");
    }
    for component in components {
        assert!(component["licenses"].is_array(), "{component}");
        assert_eq!(component["hashes"][0]["alg"], "SHA-256", "{component}");
    }
}
