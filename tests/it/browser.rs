//! The report in a real browser: it loads completely, and it loads nothing else.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::job::{Job, LEFT_AND_ACTIVE};
use truto_simulator::{Person, World};

/// A browser on this machine. Continuous integration must have one.
#[expect(
    clippy::disallowed_methods,
    reason = "a test looks for tools on this machine"
)]
#[expect(
    clippy::print_stdout,
    reason = "the output of the test should name what was skipped"
)]
fn browser() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found = std::env::split_paths(&path)
        .flat_map(|folder| names.map(|name| folder.join(name)))
        .find(|candidate| candidate.is_file());
    assert!(
        found.is_some() || std::env::var_os("CI").is_none(),
        "no browser, and this is continuous integration: install chromium"
    );
    if found.is_none() {
        println!("skipped: no chromium on this machine");
    }
    found
}

fn open(browser: &Path, profile: &Path, arguments: &[&str], page: &Path) -> (String, String) {
    let opened = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--enable-logging=stderr",
        ])
        .arg(format!("--user-data-dir={}", profile.display()))
        .args(arguments)
        .arg(format!("file://{}", page.display()))
        .output()
        .expect("the browser");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&opened.stdout), text(&opened.stderr))
}

#[test]
fn the_report_opens_completely_and_runs_no_script() {
    let Some(browser) = browser() else { return };
    let hostile =
        "<script>document.title='run'</script><img src=x onerror=\"document.title='run'\">";
    let world =
        World::generated(12).person(Person::member("1299", hostile, "person99@example.com"));
    let job = Job::new(
        world,
        &format!(
            "{LEFT_AND_ACTIVE}E99,\"{}\",person99@example.com,Terminated,2020-01-31\n",
            hostile.replace('"', "\"\"")
        ),
    );
    assert_eq!(job.run().code, 3);
    let page = job.run_folder(1).join("report.html");
    let profile = tempfile::tempdir().expect("a folder");

    let (dom, log) = open(&browser, profile.path(), &["--dump-dom"], &page);
    assert!(dom.contains("Verdict: Fail"), "{dom}\n{log}");
    assert!(dom.contains("&lt;script&gt;"), "the hostile name is text");
    assert!(!dom.contains("<title>run"), "the hostile name ran");
    assert!(dom.trim_end().ends_with("</html>"), "cut off");
    let complaints: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("CONSOLE"))
        .collect();
    assert_eq!(complaints, Vec::<&str>::new());

    for size in ["1200,900", "500,900"] {
        let shot = profile.path().join(format!("{size}.png"));
        let arguments = [
            format!("--window-size={size}"),
            format!("--screenshot={}", shot.display()),
        ];
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let (_, log) = open(&browser, profile.path(), &arguments, &page);
        let bytes = std::fs::metadata(&shot).map_or(0, |file| file.len());
        // An empty page is 3 to 5 kB.
        assert!(
            bytes > 20_000,
            "the page at {size} is {bytes} bytes of picture\n{log}"
        );
    }
}
