//! `docs/troubleshooting.md` quotes real messages with their exit codes.

use std::fs;
use std::path::Path;

use truto_simulator::{Action, Fault, Limiter, Permission, World};

use super::{LIST, scenario};
use crate::support::job::{Ended, Job, LEFT_AND_GONE};

/// A row of the page's tables.
struct Row {
    message: String,
    exit: i32,
}

/// The rows of the page, in order.
fn rows() -> Vec<Row> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/troubleshooting.md");
    let text = fs::read_to_string(path).expect("the page");
    let lines = text.lines().filter(|line| line.starts_with("| `"));
    lines
        .map(|line| {
            let cells: Vec<_> = line.trim_matches('|').split(" | ").collect();
            let [message, exit, cause, fix] = cells.as_slice() else {
                panic!("{line}");
            };
            assert!(!cause.trim().is_empty() && !fix.trim().is_empty(), "{line}");
            let message = message.trim();
            // Code that contains a backtick is between two backticks.
            let message = message.strip_prefix("``").map_or_else(
                || message.trim_matches('`').to_owned(),
                |inner| inner.trim_end_matches("``").trim().to_owned(),
            );
            let exit = exit.trim().parse().expect("a code");
            Row { message, exit }
        })
        .collect()
}

/// Whether a text contains the parts of a message in order.
fn has(text: &str, message: &str) -> bool {
    let mut rest = text;
    message.split('…').all(|part| match rest.split_once(part) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}

fn job(world: World) -> Job {
    Job::new(world, LEFT_AND_GONE)
}

fn always(path: &str, action: Action) -> World {
    scenario("healthy").fault(Fault::once(path, action).for_ever())
}

fn refused(status: u16) -> World {
    let action = Action::TrutoError {
        status,
        message: "Not allowed".to_owned(),
    };
    always(LIST, action)
}

fn connect(name: &str) -> Ended {
    let job = Job::scenario(name, LEFT_AND_GONE).env("RETRY_MAX_ATTEMPTS", "1");
    job.run_with(&["connect", "--tenant-id", "acme", "--yes", "--timeout", "4s"])
}

/// The results that the page describes, in the order of the page.
fn results() -> Vec<Ended> {
    let run = |world: World| job(world).run();
    let named = |name: &str| run(scenario(name));
    let narrow = |name: &str| job(scenario(name)).narrow().run();
    let with = |world: World, name: &str, value: &str| job(world).env(name, value).run();
    let healthy = || scenario("healthy");
    let one_workspace = |world: &mut World| world.workspaces.clear();
    let other = r#"{"id":"x","status":"active","integration":{"name":"jira"}}"#;
    let bare = Action::status(200, r#"{"id":"1200000000000001"}"#);
    let nameless = Fault::once("user-directory/me", bare).for_ever();
    let no_server = {
        let job = job(healthy());
        let url = "http://127.0.0.1:1";
        job.env("TRUTO_BASE_URL", url).run()
    };
    vec![
        with(healthy(), "TRUTO_API_TOKEN", ""),
        named("bad-token"),
        with(healthy(), "TRUTO_INTEGRATED_ACCOUNT_ID", "nobody"),
        run(refused(401)),
        named("missing-scope"),
        named("memberships-unauthorized"),
        named("memberships-refused"),
        narrow("narrow-single-list"),
        narrow("narrow-guest"),
        named("viewer-refused"),
        run(scenario("vanished-viewer").fault(nameless)),
        named("vanished-viewer"),
        with(scenario("narrow"), "ASANA_PERMISSIONS", "narrow"),
        run(refused(403)),
        named("fields-refused"),
        named("guest-connection"),
        named("two-workspaces"),
        with(scenario("two-workspaces"), "ASANA_WORKSPACE_ID", "42"),
        run(healthy().with(one_workspace)),
        run(always("integrated-account", Action::status(200, other))),
        named("repeated-cursor"),
        named("disagreeing-witness"),
        named("empty"),
        named("two-thousand"),
        named("needs-reauth"),
        named("reauth-mid-run"),
        named("connecting"),
        run(healthy()
            .fault(Fault::once(LIST, Action::RateLimited(Limiter::Truto)))
            .with(|world| world.retry_after = 9000)),
        job(healthy())
            .env("TRUTO_RATE_LIMIT", "2/60s")
            .env("RUN_DEADLINE", "20s")
            .run(),
        with(scenario("slow"), "RUN_DEADLINE", "1s"),
        named("down"),
        with(scenario("slow"), "HTTP_TIMEOUT", "1s"),
        no_server,
        named("blocked"),
        run(always(LIST, Action::html(200))),
        run(always(
            LIST,
            Action::status(302, "").header("location", "https://elsewhere.example/"),
        )),
        connect("connect-unused"),
        connect("connect-forbidden-scopes"),
        connect("connect-validation-error"),
        connect("connect-post-install-error"),
    ]
}

#[test]
fn each_message_of_the_page_occurs_with_its_exit_code() {
    let rows = rows();
    let results = results();
    assert_eq!(rows.len(), results.len());
    for (row, ended) in rows.iter().zip(&results) {
        let text = format!("{}{}", ended.stdout, ended.stderr);
        assert!(has(&text, &row.message), "{}\n---\n{text}", row.message);
        assert_eq!(ended.code, row.exit, "{}\n---\n{text}", row.message);
        // A failure has a hint, and an inconclusive run has its reasons.
        let says = text.contains("\nhint: ") || text.contains("  because  ");
        let passes = [
            "502 Bad Gateway",
            "did not answer in time",
            "no connection",
            "429 Too",
        ];
        let passes = passes.iter().any(|word| row.message.contains(word));
        assert!(says || passes, "{text}");
    }
}

#[test]
fn an_organization_that_blocks_the_app_later_is_refused() {
    let closed = scenario("healthy").with(|world| {
        world.users = Permission::Forbidden(Vec::new());
    });
    let ended = job(closed).run();
    assert_eq!(ended.code, 77);
    assert!(
        ended.stderr.contains("was refused (status 403): ")
            && ended.stderr.contains("restricts third-party apps"),
        "{}",
        ended.stderr
    );
}
