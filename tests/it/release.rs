//! A release, without its second build of the binary: `.ci/package` gets the static binary that the image has too.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::container::{LIMITS, binary, can_build, output_of, podman};
use crate::support::kube::{documents, helms, here, least, objects, output, printed, text};
use crate::support::{files_below, has};
use serde_json::{Value, json};

const URL: &str = "https://git.example.com/asana-access-review";

/// The lines of `.ci/release` that make the SBOM.
fn sbom() -> String {
    let script = r#"cd "$1" && cargo tree --locked --offline --package asana-access-review --target x86_64-unknown-linux-gnu \
        --edges normal,build --prefix depth --format '|{p}|{l}' | python3 .ci/sbom.py 0123abc 1700000000 https://git.example.com/asana-access-review"#;
    let here = here(".");
    printed("sh", &["-c", script, "sh", here.to_str().expect("UTF-8")])
}

#[test]
fn the_sbom_lists_exactly_the_crates_of_the_binary() {
    if !has(&["python3", "cargo"]) {
        return;
    }
    let printed = sbom();
    assert_eq!(printed, sbom());
    let sbom: Value = serde_json::from_str(&printed).expect("JSON");
    assert_eq!(sbom["metadata"]["timestamp"], "2023-11-14T22:13:20Z");
    assert_eq!(sbom["metadata"]["component"]["name"], "asana-access-review");
    let components = sbom["components"].as_array().expect("components");
    let names = components
        .iter()
        .map(|component| component["name"].as_str());
    let names: BTreeSet<&str> = names.map(|name| name.expect("a name")).collect();
    // Every direct dependency has a row in this table.
    let table = text("docs/dependencies.md");
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
    let direct: Vec<&str> = rows.filter_map(|row| row.split('`').next()).collect();
    assert!(direct.len() > 30, "{direct:?}");
    for used in direct {
        assert!(names.contains(used), "{used}");
    }
    let lock = text("Cargo.lock");
    for of_tests in ["proptest", "insta", "truto-simulator"] {
        assert!(!names.contains(of_tests), "{of_tests}");
    }
    for component in components {
        assert!(component["licenses"].is_array(), "{component}");
        assert_eq!(component["hashes"][0]["alg"], "SHA-256", "{component}");
        let named = format!(
            "name = {}\nversion = {}\n",
            component["name"], component["version"]
        );
        let checksum = format!("checksum = {}\n", component["hashes"][0]["content"]);
        let mut packages = lock.split("[[package]]\n");
        let is_it = |of: &str| of.starts_with(&named) && of.contains(&checksum);
        assert!(packages.any(is_it), "{component}");
    }
}

#[test]
fn the_sbom_is_valid_cyclonedx() {
    // The validator comes with checkov.
    if !has(&["python3", "cargo", "checkov"]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("sbom.json");
    let validate = "import sys\n\
        from cyclonedx.schema import SchemaVersion\n\
        from cyclonedx.validation.json import JsonStrictValidator\n\
        sys.exit(JsonStrictValidator(SchemaVersion.V1_5).validate_str(open(sys.argv[1]).read()))";
    let path = file.to_str().expect("UTF-8");
    let sbom = sbom();
    fs::write(&file, &sbom).expect("a file");
    printed("python3", &["-c", validate, path]);
    fs::write(&file, sbom.replace("\"library\"", "\"crate\"")).expect("a file");
    let refused = output("python3", &["-c", validate, path]);
    assert!(!refused.status.success(), "an invalid SBOM passed");
}

#[test]
fn a_release_of_another_version_is_refused() {
    if !has(&["bash", "git", "cargo"]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let release = Command::new(here(".ci/release"))
        .arg("9.9.9")
        .arg(&out)
        .output();
    let release = release.expect("bash");
    assert_eq!(release.status.code(), Some(1));
    let reported = String::from_utf8_lossy(&release.stderr);
    assert_eq!(reported, "error: the version in Cargo.toml is not 9.9.9\n");
    assert!(!out.exists());
}

/// Makes the files of a release.
fn package(out: &Path) {
    let mut package = Command::new(here(".ci/package"));
    package.arg(binary()).arg(out).env("SOURCE_URL", URL);
    package.env("GIT_COMMIT", "0123abc");
    package.env("SOURCE_DATE_EPOCH", "1700000000");
    output_of(&mut package);
}

#[test]
fn a_release_has_the_same_bytes_twice_and_its_files_work() {
    if !can_build() || !has(&["bash", "tar", "gzip", "python3", "sha256sum"]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (out, again) = (folder.path().join("out"), folder.path().join("again"));
    package(&out);
    package(&again);
    let name = format!("asana-access-review-{}", env!("CARGO_PKG_VERSION"));
    let [binary, chart, image, sbom] = [
        "x86_64-linux",
        "chart.tgz",
        "image.oci.tar",
        "sbom.cdx.json",
    ]
    .map(|of| format!("{name}-{of}"));
    let files = files_below(&out);
    assert_eq!(files, ["SHA256SUMS", &chart, &image, &sbom, &binary]);
    for file in &files {
        let read = |out: &Path| fs::read(out.join(file)).expect("a file");
        assert!(read(&out) == read(&again), "{file} differs");
    }
    let mut check = Command::new("sha256sum");
    check.args(["--strict", "--check", "SHA256SUMS"]);
    let checked = output_of(check.current_dir(&out));
    assert_eq!(checked.lines().count(), 4);

    // The binary and the image are the same program.
    let printed = output_of(Command::new(out.join(&binary)).arg("--version"));
    assert!(printed.contains(env!("CARGO_PKG_VERSION")), "{printed}");
    let storage = folder.path().join("containers");
    output_of(
        podman(&storage)
            .arg("load")
            .arg("--input")
            .arg(out.join(&image)),
    );
    let tag = format!(
        "localhost/asana-access-review:{}",
        env!("CARGO_PKG_VERSION")
    );
    let mut run = podman(&storage);
    run.args(["run", "--rm", "--network=none"]).args(LIMITS);
    assert_eq!(output_of(run.args([&tag, "--version"])), printed);
    let inspect = ["image", "inspect", "--format", "{{json .Labels}}", &tag];
    let labels: Value =
        serde_json::from_str(&output_of(podman(&storage).args(inspect))).expect("JSON");
    assert_eq!(labels["org.opencontainers.image.revision"], "0123abc");
    assert_eq!(labels["org.opencontainers.image.source"], URL);
    output_of(podman(&storage).args(["rmi", "--all"]));

    // Every helm renders the package as it renders the folder.
    let values = folder.path().join("values.json");
    fs::write(&values, least().to_string()).expect("values");
    let chart = out.join(&chart);
    for helm in helms() {
        let run = |arguments: &[&str]| output_of(Command::new(&helm).args(arguments).arg(&chart));
        run(&["lint", "--strict"]);
        let shown = documents(&run(&["show", "chart"])).remove(0);
        assert_eq!(shown["home"], URL);
        assert_eq!(shown["sources"], json!([URL]));
        assert!(shown["maintainers"][0]["name"].is_string());
        let mut template = Command::new(&helm);
        template.args(["template", "review"]).arg(&chart);
        template.args(["--namespace", crate::support::kube::NAMESPACE, "--values"]);
        let rendered = documents(&output_of(template.arg(&values)));
        assert_eq!(rendered, objects("review", &least()), "{helm:?}");
    }
}
