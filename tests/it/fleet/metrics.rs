//! Metrics: the file for node_exporter and the groups in a real Pushgateway.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use asana_access_review::metrics::Metric;
use truto_simulator::{Action, CONNECTION_ID, Fault, World};

use super::Provider;
use crate::support::has;
use crate::support::job::{Job, LEFT_AND_ACTIVE, LEFT_AND_GONE};

/// Debian's `prometheus-pushgateway`.
struct Pushgateway {
    address: String,
    process: Child,
}

impl Pushgateway {
    fn start() -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = free.local_addr().expect("an address").to_string();
        drop(free);
        let process = Command::new("prometheus-pushgateway")
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the Pushgateway");
        let gateway = Self { address, process };
        let began = Instant::now();
        while TcpStream::connect(&gateway.address).is_err() {
            assert!(began.elapsed() < Duration::from_secs(30), "it never starts");
            std::thread::sleep(Duration::from_millis(20));
        }
        gateway
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The page that Prometheus scrapes, without the Pushgateway's own metrics.
    fn page(&self) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("the Pushgateway");
        stream
            .write_all(b"GET /metrics HTTP/1.0\r\n\r\n")
            .expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (head, page) = answer.split_once("\r\n\r\n").expect("a body");
        assert!(head.contains(" 200 "), "{head}");
        let ours = page.lines().filter(|line| {
            let rest = line
                .trim_start_matches("# HELP ")
                .trim_start_matches("# TYPE ");
            rest.starts_with("asana_access_review_")
        });
        ours.map(|line| format!("{line}\n")).collect()
    }
}

impl Drop for Pushgateway {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// `promtool check metrics` finds no fault.
fn ensure_valid(page: &str) {
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool");
    let mut input = promtool.stdin.take().expect("its input");
    input.write_all(page.as_bytes()).expect("a page");
    drop(input);
    let checked = promtool.wait_with_output().expect("promtool");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let problems = text(&checked.stdout) + &text(&checked.stderr);
    assert!(
        checked.status.success() && problems.is_empty(),
        "{problems}\n{page}"
    );
}

/// The values of a metric of a connection, each with its other label.
fn values(page: &str, metric: Metric, connection: &str) -> Vec<(String, f64)> {
    let name = format!("{}{{", metric.name());
    let id = format!("connection=\"{connection}\"");
    let lines = page.lines().filter_map(|line| line.strip_prefix(&name));
    let of_connection = lines.filter(|line| line.contains(&id));
    let value = |line: &str| {
        let (labels, value) = line.rsplit_once("} ").expect("a value");
        let label = metric.label().and_then(|label| {
            let (_, word) = labels.split_once(&format!("{label}=\""))?;
            Some(word.split('"').next()?.to_owned())
        });
        (label.unwrap_or_default(), value.parse().expect("a number"))
    };
    of_connection.map(value).collect()
}

fn value(page: &str, metric: Metric, connection: &str) -> Option<f64> {
    match &values(page, metric, connection)[..] {
        [] => None,
        [(_, value)] => Some(*value),
        several => panic!("{several:?}"),
    }
}

/// The value of one word.
fn of_word(page: &str, metric: Metric, connection: &str, word: &str) -> Option<f64> {
    let values = values(page, metric, connection);
    let found = values.iter().find(|(of, _)| of == word);
    found.map(|(_, value)| *value)
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).expect("a file of metrics")
}

#[test]
fn a_run_writes_its_verdict_counts_and_requests_as_valid_metrics() {
    let job = Job::new(World::generated(6), LEFT_AND_ACTIVE).env("METRICS_FILE", "asana.prom");
    let ended = job.run();
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    let page = read(job.place(), "asana.prom");
    let one = |metric| value(&page, metric, CONNECTION_ID).expect("a value");
    let word = |metric, word| of_word(&page, metric, CONNECTION_ID, word);
    let manifest = job.json(1, "manifest.json");
    assert_eq!(one(Metric::ExitCode), 3.0);
    assert_eq!(one(Metric::LedgerSequence), 1.0);
    assert_eq!(one(Metric::Throttled), 0.0);
    assert_eq!(one(Metric::LastRun), one(Metric::LastSuccess));
    let as_of: jiff::Timestamp = manifest["run"]["as_of"]
        .as_str()
        .and_then(|text| text.parse().ok())
        .expect("an instant");
    assert_eq!(one(Metric::LastSuccess), as_of.as_second() as f64);
    let requests = job.simulator.requests().len();
    assert_eq!(one(Metric::Requests), requests as f64);
    assert_eq!(word(Metric::Verdict, "fail"), Some(1.0));
    assert_eq!(word(Metric::Verdict, "pass"), Some(0.0));
    for (metric, counts) in [
        (
            Metric::Findings,
            &manifest["summary"]["findings"]["by_kind"],
        ),
        (
            Metric::Accounts,
            &manifest["summary"]["accounts"]["by_status"],
        ),
        (
            Metric::Leavers,
            &manifest["summary"]["leavers"]["by_outcome"],
        ),
    ] {
        let counts = counts.as_object().expect("counts");
        assert!(!counts.is_empty());
        let found = values(&page, metric, CONNECTION_ID);
        assert_eq!(found.len(), counts.len(), "{metric:?}");
        for (word, count) in counts {
            assert_eq!(
                of_word(&page, metric, CONNECTION_ID, word),
                count.as_f64(),
                "{word}"
            );
        }
    }
    assert_eq!(word(Metric::Findings, "offboarded_access"), Some(1.0));
    for metric in Metric::ALL {
        assert!(
            !values(&page, metric, CONNECTION_ID).is_empty(),
            "{metric:?}"
        );
    }
    // The feed and Truto's answers have names and addresses.
    assert!(!page.contains('@'), "{page}");
    if has(&["promtool"]) {
        ensure_valid(&page);
    }
}

#[test]
fn a_failed_run_keeps_the_last_success_in_file_and_gateway() {
    if !has(&["prometheus-pushgateway", "promtool"]) {
        return;
    }
    let gateway = Pushgateway::start();
    let provider = Provider::new()
        .tenant("c1", World::generated(6), LEFT_AND_ACTIVE)
        .env("METRICS_FILE", "asana.prom")
        .env("METRICS_PUSHGATEWAY_URL", &gateway.url())
        .env("POD_UID", "")
        .listed();
    assert_eq!(provider.run(&[]).code, 0);
    let pages = || [read(provider.folder.path(), "asana.prom"), gateway.page()];
    let before = pages();
    let broken = World::new().fault(Fault::once("/", Action::status(503, "busy")).for_ever());
    provider.simulator.add(["c1".to_owned()], broken);
    assert_eq!(provider.run(&[]).code, 75);
    for (before, after) in before.iter().zip(pages()) {
        ensure_valid(&after);
        let one = |metric| value(&after, metric, "c1");
        assert_eq!(one(Metric::ExitCode), Some(75.0));
        assert_eq!(one(Metric::LedgerSequence), Some(2.0));
        assert!(one(Metric::Requests) > Some(0.0));
        for metric in [
            Metric::LastSuccess,
            Metric::Verdict,
            Metric::Findings,
            Metric::Leavers,
        ] {
            let kept = values(&after, metric, "c1");
            assert_eq!(kept, values(before, metric, "c1"), "{metric:?}");
            assert!(!kept.is_empty(), "{metric:?}");
        }
    }
}

#[test]
fn a_shard_writes_all_its_connections_and_one_group_for_each() {
    if !has(&["prometheus-pushgateway", "promtool"]) {
        return;
    }
    let gateway = Pushgateway::start();
    let provider = Provider::new()
        .healthy("pass")
        .tenant("fail", World::generated(6), LEFT_AND_ACTIVE)
        .tenant(
            "refused",
            World::new().connection_status("needs_reauth"),
            LEFT_AND_GONE,
        )
        .tenant(
            "throttled",
            World::generated(6).fault(Fault::once("/", Action::status(429, "busy"))),
            LEFT_AND_GONE,
        )
        .env("METRICS_FILE", "asana.prom")
        .env("METRICS_PUSHGATEWAY_URL", &gateway.url())
        .env("RETRY_MAX_ATTEMPTS", "3")
        .listed();
    let ended = provider.run(&[]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let file = read(provider.folder.path(), "asana.prom");
    let pushed = gateway.page();
    for page in [&file, &pushed] {
        ensure_valid(page);
        let exit = |id| value(page, Metric::ExitCode, id);
        assert_eq!(
            ["pass", "fail", "refused", "throttled"].map(exit),
            [Some(0.0), Some(3.0), Some(77.0), Some(0.0)],
        );
        assert_eq!(value(page, Metric::LastSuccess, "refused"), None);
        assert_eq!(value(page, Metric::Throttled, "throttled"), Some(1.0));
        assert_eq!(value(page, Metric::Throttled, "pass"), Some(0.0));
    }
    assert!(pushed.contains("job=\"asana-access-review\""), "{pushed}");

    // A restarted shard publishes the results of its earlier attempts too, also on another machine.
    fs::remove_file(provider.folder.path().join("asana.prom")).expect("a file");
    assert_eq!(provider.run(&[("JOB_RETRY", "1")]).code, 0);
    let again = read(provider.folder.path(), "asana.prom");
    ensure_valid(&again);
    for metric in [
        Metric::LastSuccess,
        Metric::Verdict,
        Metric::Findings,
        Metric::ExitCode,
    ] {
        for id in ["pass", "fail", "refused"] {
            assert_eq!(
                values(&again, metric, id),
                values(&file, metric, id),
                "{id}"
            );
        }
    }
    assert_eq!(provider.kinds("pass").len(), 1, "it ran once");
}

#[test]
fn a_connection_left_out_is_published_without_a_success() {
    let provider = Provider::new()
        .healthy("c1")
        .env("SHARD_DEADLINE", "1s")
        .tenant(
            "slow",
            World::generated(6).fault(Fault::once("/", Action::Delay(Duration::from_secs(2)))),
            LEFT_AND_GONE,
        )
        .env("CONNECTIONS_CONCURRENCY", "1")
        .env("METRICS_FILE", "asana.prom");
    let mut provider = provider;
    provider.lines.reverse();
    let provider = provider.listed();
    assert_eq!(provider.run(&[]).code, 75);
    let page = read(provider.folder.path(), "asana.prom");
    assert_eq!(value(&page, Metric::ExitCode, "c1"), Some(75.0), "{page}");
    assert!(value(&page, Metric::LastRun, "c1").is_some());
    assert_eq!(value(&page, Metric::LastSuccess, "c1"), None);
    assert!(value(&page, Metric::LastSuccess, "slow").is_some());
}

#[test]
fn metrics_that_cannot_be_published_change_no_outcome() {
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = closed.local_addr().expect("an address").to_string();
    drop(closed);
    let job = Job::new(World::generated(6), LEFT_AND_GONE)
        .env("RUST_LOG", "warn")
        .env("METRICS_FILE", "nowhere/asana.prom")
        .env("METRICS_PUSHGATEWAY_URL", &format!("http://{address}/"));
    let ended = job.run();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    for warning in [
        "Could not write metrics to `nowhere/asana.prom`; the outcome does not change",
        "the outcome does not change",
        "METRICS_PUSHGATEWAY_URL",
    ] {
        assert!(ended.stderr.contains(warning), "{}", ended.stderr);
    }
    // A folder, and bytes that are not UTF-8, which the program replaces.
    fs::create_dir(job.place().join("folder.prom")).expect("a folder");
    let job = job.env("METRICS_FILE", "folder.prom");
    let ended = job.run();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("it is not a regular file"),
        "{}",
        ended.stderr
    );
    fs::write(job.place().join("damaged.prom"), b"\xff\xfe").expect("a file");
    let job = job.env("METRICS_FILE", "damaged.prom");
    assert_eq!(job.run().code, 0);
    ensure_valid(&read(job.place(), "damaged.prom"));
    // A receiver that is no Pushgateway.
    let simulator = job.simulator.url();
    let job = job.env("METRICS_PUSHGATEWAY_URL", &simulator);
    let ended = job.run();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(
        ended
            .stderr
            .contains("Pushed metrics of 0 of 1 connections"),
        "{}",
        ended.stderr
    );
}

#[test]
fn the_documentation_has_every_metric_of_the_code() {
    let mut table =
        String::from("| metric | labels besides `connection` | meaning |\n|---|---|---|\n");
    for metric in Metric::ALL {
        let label = metric
            .label()
            .map_or("–".to_owned(), |label| format!("`{label}`"));
        table += &format!("| `{}` | {label} | {} |\n", metric.name(), metric.help());
    }
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md");
    let page = fs::read_to_string(page).expect("a page");
    assert!(
        page.contains(&table),
        "docs/metrics.md should have this table:\n{table}"
    );
}
