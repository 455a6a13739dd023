//! The page a reviewer works in, in a real browser: by keyboard, over a reload, to a file that closes.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use asana_access_review::evidence::Worksheet;
use asana_access_review::report;
use serde_json::{Value, json};
use support::chromium::{Page, browser};
use support::job::{Job, LEFT_AND_GONE};
use truto_simulator::{Person, World};

const HOSTILE: &str = "</script><script>document.title='run'</script><img src=x onerror=\"document.title='run'\">\u{202e}";

/// A company with somebody of a hostile name, and its review open for two reviewers.
fn opened() -> (Job, PathBuf) {
    let world = World::generated(12).person(Person::member("1299", HOSTILE, "h@example.com"));
    let job = Job::new(world, LEFT_AND_GONE);
    assert_eq!(job.run().code, 0);
    let reviewers = job.folder.path().join("reviewers.csv");
    let text = "rule,value,reviewer\nrole,admin,ciso@example.net\ndefault,,lead@example.net\n";
    fs::write(&reviewers, text).expect("a file");
    let line = [
        "review",
        "open",
        "--name",
        "2026-Q4",
        "--due",
        "2999-12-31",
        "--reviewers",
    ];
    let line = [&line[..], &[reviewers.to_str().expect("UTF-8")]].concat();
    let opened = job.run_with(&line);
    assert_eq!(opened.code, 0, "{}", opened.stderr);
    let folder = job.run_folder(2);
    (job, folder.join("worksheet.html"))
}

fn choose(page: &mut Page, reviewer: &str) -> u64 {
    let rows = page.value(&format!(
        "(() => {{ const select = document.getElementById('reviewer'); \
         select.value = [...select.options].find((of) => of.text === '{reviewer}').value; \
         select.dispatchEvent(new Event('change', {{ bubbles: true }})); \
         return document.querySelectorAll('#rows tr').length; }})()"
    ));
    rows.as_u64().expect("a count")
}

fn counted(page: &mut Page) -> String {
    let text = page.value("document.getElementById('counted').textContent");
    text.as_str().expect("a text").to_owned()
}

#[test]
fn a_reviewer_decides_by_keyboard_keeps_the_work_over_a_reload_and_closes_with_what_was_saved() {
    let Some(browser) = browser() else { return };
    let (job, file) = opened();
    let mut page = Page::open(&browser, &file);
    let rows = choose(&mut page, "lead@example.net");
    assert!(rows > 5, "{rows}");
    assert_eq!(counted(&mut page), format!("0 of {rows}"));
    assert_eq!(
        page.value("document.title"),
        "Access review 2026-Q4 · worksheet"
    );
    assert_eq!(page.value("document.images.length"), 0);
    let names = page.value("document.getElementById('rows').textContent");
    let names = names.as_str().expect("a text");
    assert!(
        names.contains("</script>") && names.contains("[U+202E]"),
        "{names}"
    );

    // Keep, then revoke with a note, then another role.
    page.key("u");
    page.key("1");
    page.key("j");
    page.key("2");
    page.text("<b>left</b> the project");
    page.key("Escape");
    page.key("j");
    page.key("3");
    page.value(
        "(() => { const select = document.activeElement; select.value = 'guest'; \
         select.dispatchEvent(new Event('change', { bubbles: true })); })()",
    );
    page.text("an outsider");
    page.key("Escape");
    assert_eq!(counted(&mut page), format!("3 of {rows}"));

    // A row that lacks its note is not saved, and shown.
    page.key("u");
    page.key("4");
    page.value("document.getElementById('save').click()");
    let said = page.value("document.getElementById('said').textContent");
    assert!(
        said.as_str()
            .is_some_and(|said| said.contains("1 row(s) still need")),
        "{said}"
    );
    assert_eq!(
        page.value("document.querySelectorAll('#rows tr').length"),
        1
    );
    page.key("n");
    page.text("never met them");

    page.reload();
    assert_eq!(counted(&mut page), format!("4 of {rows}"));
    let kept = page.value("JSON.stringify(localStorage)");
    let kept = kept.as_str().expect("a text");
    assert!(
        kept.contains("never met them") && !kept.contains('@'),
        "{kept}"
    );

    // Filters show what they say.
    let shown = |page: &mut Page, id: &str, value: &str, event: &str| {
        page.value(&format!(
            "(() => {{ const of = document.getElementById('{id}'); of.value = '{value}'; \
             of.dispatchEvent(new Event('{event}')); \
             return document.querySelectorAll('#rows tr').length; }})()"
        ))
    };
    assert_eq!(shown(&mut page, "state", "revoke", "change"), 1);
    assert_eq!(shown(&mut page, "state", "open", "change"), rows - 4);
    assert_eq!(shown(&mut page, "find", "h@example.com", "input"), 1);
    assert_eq!(shown(&mut page, "find", "", "input"), rows - 4);
    page.value("document.querySelector('th[data-sort=who] button').click()");
    for _ in 0..rows - 4 {
        page.key("u");
        page.key("1");
    }
    assert_eq!(counted(&mut page), format!("{rows} of {rows}"));
    let lead = page.saved_by("document.getElementById('save').click()");
    let lead_file = job.folder.path().join("lead.jsonl");
    fs::copy(&lead, &lead_file).expect("a copy");

    // The other reviewer, on the same machine.
    let mut other = Page::open(&browser, &file);
    let admins = choose(&mut other, "ciso@example.net");
    for _ in 0..admins {
        other.key("u");
        other.key("1");
    }
    let ciso = other.saved_by("document.getElementById('save').click()");

    let files = [
        lead_file.to_str().expect("UTF-8"),
        ciso.to_str().expect("UTF-8"),
    ];
    let closed = job.run_with(&["review", "close", "--decisions", files[0], files[1]]);
    // Somebody did not know.
    assert_eq!(closed.code, 4, "{}", closed.stderr);
    let review = fs::read(job.run_folder(3).join("review.json")).expect("a file");
    let review: Value = serde_json::from_slice(&review).expect("JSON");
    assert_eq!(review["totals"]["rows"], rows + admins);
    assert_eq!(
        review["totals"]["by_decision"],
        json!({"keep": rows + admins - 3, "revoke": 1, "change_role": 1, "dont_know": 1})
    );
    assert_eq!(page.complaints, Vec::<String>::new());
    assert_eq!(other.complaints, Vec::<String>::new());
}

#[test]
fn a_file_of_the_page_that_was_cut_is_refused() {
    let Some(browser) = browser() else { return };
    let (job, file) = opened();
    let mut page = Page::open(&browser, &file);
    choose(&mut page, "lead@example.net");
    for _ in 0..3 {
        page.key("u");
        page.key("1");
    }
    let saved = page.saved_by("document.getElementById('save').click()");
    let text = fs::read_to_string(&saved).expect("text");
    let cut = job.folder.path().join("cut.jsonl");
    fs::write(&cut, text.lines().take(3).collect::<Vec<_>>().join("\n")).expect("a file");
    let status = job.run_with(&[
        "review",
        "status",
        "--decisions",
        cut.to_str().expect("UTF-8"),
    ]);
    assert!(
        status.stdout.contains("holds 3 decision(s), and holds 2"),
        "{}",
        status.stdout
    );
}

/// A worksheet of so many rows, as a file.
fn of_rows(folder: &Path, rows: usize) -> PathBuf {
    let row = |number: usize| {
        json!({
            "row": number, "account_id": format!("12045567{number:08}"),
            "email": format!("person{number}@example.com"), "other_emails": [],
            "name": format!("Person Number {number}"), "role": (["member", "guest", "admin"][number % 3]),
            "status": "active", "view_only": null, "joined_at": "2025-01-01T00:00:00Z",
            "last_login_at": null, "person_id": [format!("E{number}")], "match": ["email"],
            "changed": "unchanged", "previous_decision": "keep", "findings": [],
            "recommended": "keep", "reason": "nothing was found against it",
            "reviewer": "lead@example.net", "assigned_by": "line 2: default",
        })
    };
    let worksheet = json!({
        "schema": Worksheet::schema(), "review": "big-7f3a9c", "name": "big", "due": "2999-12-31",
        "scope": "all", "opened_at": "2026-11-25T09:00:00Z", "connection": "c1",
        "workspace": {"id": "1331", "name": "Example"},
        "night": {"sequence": 1, "run": "dt=2026-11-24/run=20261124T224000Z-7f3a9c", "manifest_sha256": "ab".repeat(32)},
        "night_as_of": "2026-11-24T22:40:00Z", "compared_with": null, "reviewers": null,
        "left_out": {"without_access": 0, "out_of_scope": 0},
        "rows": (1..=rows).map(row).collect::<Vec<_>>(),
    });
    let worksheet = Worksheet::from_bytes(worksheet.to_string().as_bytes()).expect("a worksheet");
    let (_, hash) = worksheet.to_file();
    let file = folder.join("worksheet.html");
    let page = report::worksheet(&worksheet, &hash, "https://api.truto.one");
    fs::write(&file, page).expect("a file");
    file
}

#[test]
fn five_thousand_rows_stay_smooth() {
    let Some(browser) = browser() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let file = of_rows(folder.path(), 5000);
    let mut page = Page::open(&browser, &file);
    // The best of three: other tests run beside this one.
    let mut painted = f64::MAX;
    for _ in 0..3 {
        page.reload();
        let first = page.value(
            "new Promise((done) => { const seen = (list) => { const of = list.getEntries() \
             .find((entry) => entry.name === 'first-contentful-paint'); if (of) done(of.startTime); }; \
             new PerformanceObserver(seen).observe({ type: 'paint', buffered: true }); })",
        );
        painted = painted.min(first.as_f64().expect("a time"));
    }
    assert!(painted < 1000.0, "first paint after {painted} ms");
    assert_eq!(
        page.value("document.getElementById('shown').textContent"),
        "5000 of your 5000 rows"
    );
    let filtered = page.value(
        "(() => { const find = document.getElementById('find'); const times = []; \
         for (const text of ['p', 'person', 'number 49', 'nobody', '']) { \
         const before = performance.now(); find.value = text; find.dispatchEvent(new Event('input')); \
         document.body.offsetHeight; times.push(performance.now() - before); } \
         return times; })()",
    );
    let filtered = filtered.as_array().expect("times").iter();
    let filtered: Vec<f64> = filtered
        .map(|time| time.as_f64().expect("a time"))
        .collect();
    let middle = {
        let mut sorted = filtered.clone();
        sorted.sort_by(f64::total_cmp);
        sorted[2]
    };
    assert!(middle < 100.0, "filtering took {filtered:?} ms");
    assert_eq!(page.complaints, Vec::<String>::new());
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a test asks what this machine has"
)]
fn axe_finds_nothing_in_the_page_that_keeps_anybody_out() {
    let Some(browser) = browser() else { return };
    let path = "target/tools/axe/node_modules/axe-core/axe.min.js";
    let axe = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let Ok(axe) = fs::read_to_string(axe) else {
        let is_ci = std::env::var_os("CI").is_some();
        assert!(
            !is_ci,
            "axe-core is missing, and this is continuous integration"
        );
        println!("skipped: no axe-core on this machine");
        return;
    };
    let (_job, file) = opened();
    let mut page = Page::open(&browser, &file);
    choose(&mut page, "lead@example.net");
    page.key("u");
    page.key("2");
    page.key("Escape");
    page.key("j");
    page.key("3");
    page.value(&format!("{axe}; 0"));
    for scheme in ["light", "dark"] {
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        page.ask("Emulation.setEmulatedMedia", features);
        let found = page.value(
            "axe.run().then((found) => found.violations.map((of) => \
             of.id + ': ' + of.nodes.map((node) => node.html.slice(0, 200)).join(' | ')))",
        );
        assert_eq!(found, json!([]), "{scheme}");
    }
}
