//! A whole quarter as in the runbook: open, two reviewers decide, close, a missing revocation is
//! found and then proven by the next run, and an auditor verifies all of it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::chromium::{Page, browser};
use crate::support::job::{Job, LEFT_AND_GONE, verify};
use crate::support::review::at as at_review;
use crate::support::review::{assert_verifies, filled, hash, outsiders, part, saved, worksheet};
use asana_access_review::cli::arguments::{CloseArguments, DecisionArguments, OpenArguments};
use asana_access_review::commands::review as command;
use asana_access_review::judgement::Verdict;
use serde_json::{Value, json};
use truto_simulator::World;

const ADMINS: &str = "ciso@example.net";
const OTHERS: &str = "lead@example.net";

fn world() -> World {
    World::generated(12)
}

fn snapshot(job: &Job, day: &str, world: World) -> i32 {
    job.run_at(&format!("{day}T22:40:00Z"), world)
}

fn opened(job: &Job) {
    let reviewers = job.folder.path().join("reviewers.csv");
    let text = format!("rule,value,reviewer\nrole,admin,{ADMINS}\ndefault,,{OTHERS}\n");
    fs::write(&reviewers, text).expect("a file");
    let asked = OpenArguments {
        name: "2026-Q4".to_owned(),
        due: "2026-11-30".parse().expect("a day"),
        reviewers: Some(reviewers),
        yes: true,
        ..OpenArguments::default()
    };
    at_review(
        job,
        "2026-11-02T09:00:00Z",
        async |settings, moment, clock| command::open(settings, &asked, moment, clock).await,
    );
}

/// Decides by keyboard: revokes the row of this account and keeps all others of the reviewer.
fn decided_by_page(job: &Job, browser: &Path, revoked: &str) -> PathBuf {
    let mut page = Page::open(browser, &part(job, "open").join("worksheet.html"));
    let rows = page.value(&format!(
        "(() => {{ const select = document.getElementById('reviewer'); \
         select.value = [...select.options].find((of) => of.text === '{OTHERS}').value; \
         select.dispatchEvent(new Event('change', {{ bubbles: true }})); \
         return document.querySelectorAll('#rows tr').length; }})()"
    ));
    let mut revocations = 0;
    for _ in 0..rows.as_u64().expect("rows") {
        page.key("u");
        let row = page.value("document.activeElement.closest('tr').textContent");
        if row.as_str().expect("a text").contains(revoked) {
            page.key("2");
            page.key("n");
            page.text("the project has ended");
            page.key("Escape");
            revocations += 1;
        } else {
            page.key("1");
        }
    }
    assert_eq!(revocations, 1);
    let file = page.saved_by("document.getElementById('save').click()");
    let kept = job.folder.path().join("lead.jsonl");
    fs::copy(file, &kept).expect("a copy");
    assert_eq!(page.complaints, Vec::<String>::new());
    kept
}

/// A file from a spreadsheet with semicolons, in which only the rows of this reviewer are decided.
fn decided_by_spreadsheet(job: &Job) -> PathBuf {
    let rows = filled(job, |_, row| {
        if row.iter().any(|cell| cell == ADMINS) {
            row[crate::support::review::DECISION] = "Keep".to_owned();
            row[crate::support::review::NOTE] = "on call".to_owned();
            row[crate::support::review::DECIDED_BY] = ADMINS.to_owned();
        }
    });
    saved(job, "ciso.csv", &rows, b';')
}

fn asked(decisions: &[&PathBuf]) -> DecisionArguments {
    DecisionArguments {
        decisions: decisions.iter().map(|path| (*path).clone()).collect(),
        accept_reviewer: outsiders(),
        ..DecisionArguments::default()
    }
}

fn finding(job: &Job, sequence: u64) -> Value {
    job.json(sequence, "result.json")["findings"][0].clone()
}

fn follow_up(job: &Job, sequence: u64) -> Value {
    job.json(sequence, "result.json")["follow_ups"]["decisions"][0].clone()
}

#[test]
fn a_quarter_runs_from_the_open_to_the_auditor() {
    let Some(browser) = browser() else { return };
    let job = Job::new(world(), LEFT_AND_GONE);
    assert_eq!(snapshot(&job, "2026-11-01", world()), 0);
    opened(&job);
    let rows = worksheet(&job)["rows"].as_array().expect("rows").clone();
    let admins = rows.iter().filter(|row| row["reviewer"] == ADMINS).count();
    assert!((1..rows.len()).contains(&admins), "{admins}");
    let revoked = rows.iter().find(|row| row["reviewer"] == OTHERS);
    let revoked = revoked.expect("a row")["account_id"].clone();
    let revoked_id = revoked.as_str().expect("an id");

    // The page's file is there. On the day after the due day, `status` shows who is missing.
    let by_page = decided_by_page(&job, &browser, revoked_id);
    let late = at_review(&job, "2026-12-01T09:00:00Z", async |settings, moment, _| {
        command::status(settings, &asked(&[&by_page]), moment).await
    });
    let late = late.as_json(true);
    assert_eq!(late["not_in_order"], json!([]));
    let waiting = late["reviewers"].as_array().expect("reviewers").iter();
    let waiting: Vec<&Value> = waiting.filter(|of| of["overdue"] == true).collect();
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0]["reviewer"], ADMINS);
    assert_eq!(waiting[0]["totals"]["undecided"], admins);

    // The spreadsheet is there, and the review is closed.
    let by_spreadsheet = decided_by_spreadsheet(&job);
    let asked = CloseArguments {
        of: asked(&[&by_page, &by_spreadsheet]),
        ..CloseArguments::default()
    };
    let closed = at_review(
        &job,
        "2026-12-01T17:00:00Z",
        async |settings, moment, clock| command::close(settings, &asked, moment, clock).await,
    );
    assert_eq!(closed.verdict, Some(Verdict::Pass));
    let head = closed.committed.expect("an entry");
    let noted = format!("{}:{}", head.sequence, head.head_sha256);

    // The access is not removed. The run passes within the grace and fails after it.
    assert_eq!(snapshot(&job, "2026-12-01", world()), 0);
    assert_eq!(follow_up(&job, 4)["state"], "open");
    assert_eq!(snapshot(&job, "2026-12-07", world()), 0);
    assert_eq!(snapshot(&job, "2026-12-08", world()), 3);
    assert_eq!(finding(&job, 6)["kind"], "revocation_not_done");
    assert_eq!(finding(&job, 6)["account_id"], revoked);
    assert_eq!(finding(&job, 6)["deadline"], "2026-12-08T17:00:00Z");

    // The access is removed, and the next run proves it within an interval.
    let mut without = world();
    without.people.retain(|person| json!(person.gid) != revoked);
    assert_eq!(snapshot(&job, "2026-12-09", without), 0);
    let done = follow_up(&job, 7);
    assert_eq!(
        (
            &done["state"],
            &done["last_seen_before"],
            &done["first_seen_done"]
        ),
        (
            &json!("done"),
            &json!("2026-12-08T22:40:00Z"),
            &json!("2026-12-09T22:40:00Z")
        )
    );

    // The auditor has a copy, and the head that was noted at the close.
    assert_verifies(&job);
    let seen = verify(&job.evidence(), &["--head", &noted]);
    assert_eq!(seen.code, 0, "{}", seen.stdout);
    let review = fs::read(part(&job, "close").join("review.json")).expect("a review");
    let review: Value = serde_json::from_slice(&review).expect("JSON");
    assert_eq!(review["review_sha256"], hash(&job));
    assert_eq!(review["totals"]["decided"], rows.len());
    let decided = review["rows"].as_array().expect("rows");
    for (row, decided) in rows.iter().zip(decided) {
        let is_revoked = row["account_id"] == revoked;
        let decision = if is_revoked { "revoke" } else { "keep" };
        assert_eq!(
            (
                &decided["account_id"],
                &decided["decision"],
                &decided["decided_by"]
            ),
            (&row["account_id"], &json!(decision), &row["reviewer"])
        );
    }
    let files = review["decision_files"].as_array().expect("files").iter();
    let hashes: Vec<&str> = files.filter_map(|file| file["sha256"].as_str()).collect();
    let given = [&by_page, &by_spreadsheet]
        .map(|path| asana_access_review::evidence::sha256_hex(&fs::read(path).expect("a file")));
    assert_eq!(hashes, given);
}
