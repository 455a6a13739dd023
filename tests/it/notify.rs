//! Which runs send a notification, to which receiver and with what content: over real HTTP, with
//! receivers that fail in every way.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::support::job::{Ended, Job, LEFT_AND_ACTIVE, LEFT_AND_GONE, ended, verify};
use crate::support::receiver::{Answer, Mail, Receiver, rude};
use crate::support::{has, in_bucket};
use asana_access_review::cli::exit::Exit;
use asana_access_review::clock::Clock;
use asana_access_review::evidence::Tool;
use asana_access_review::notify::{
    self, About, Address, Because, Content, FindingState, Keys, Notification, NotifiedReview,
    NotifiedReviewer, NotifiedWorkspace, NotifyOn, ReviewStep, Webhook,
};
use asana_access_review::review::Totals;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::Url;
use secrecy::SecretString;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use truto_simulator::{CONNECTION_ID, World, scenarios};

/// Two keys as `openssl rand -base64 32` makes them.
const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OLD_KEY: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

// ---- Whether a notification is sent ----

/// A job with a webhook and Slack.
fn with_both_receivers(job: Job, receiver: &Receiver) -> Job {
    job.env("NOTIFY_WEBHOOK_URL", &receiver.url("/hook"))
        .env("NOTIFY_WEBHOOK_SECRET", KEY)
        .env("NOTIFY_SLACK_WEBHOOK_URL", &receiver.url("/slack"))
}

fn healthy() -> World {
    World::scenario("healthy").expect("a scenario")
}

fn down() -> World {
    World::scenario("down").expect("a scenario")
}

/// Makes one run, and returns for each mode the words of `because`, or none if that mode sends no
/// notification.
fn reported_by_mode(
    job: &Job,
    receiver: &Receiver,
    as_of: &str,
    world: World,
) -> [Option<String>; 3] {
    let modes = [NotifyOn::Always, NotifyOn::Change, NotifyOn::Problem];
    let (ended, exit) = job.try_run_at(as_of, world, |settings| {
        settings.http.base_delay = Duration::ZERO;
        settings.webhook = None;
    });
    let settings = job.settings();
    let identity = crate::support::identity(as_of.parse().expect("an instant"), "7f3a9c");
    let about = asana_access_review::commands::run::about(&settings, &identity);
    let clock = Clock::at(identity.as_of);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    modes.map(|on| {
        receiver.take();
        let mut settings = settings.clone();
        settings.notify.on = on;
        let send =
            asana_access_review::commands::run::notify(&settings, &about, &ended, exit, clock);
        runtime.block_on(send);
        let reported = receiver.take();
        assert!(reported.len() <= 1, "{reported:?}");
        reported.first().map(|mail| {
            let because = mail.json()["data"]["because"].clone();
            let words = because.as_array().expect("words").iter();
            let words: Vec<&str> = words.map(|word| word.as_str().expect("a word")).collect();
            words.join(" ")
        })
    })
}

#[test]
fn each_mode_sends_notifications_of_its_runs() {
    let receiver = Receiver::spawn();
    let job = Job::scenario("healthy", LEFT_AND_GONE)
        .env("NOTIFY_WEBHOOK_URL", &receiver.url("/hook"))
        .env("NOTIFY_WEBHOOK_SECRET", KEY)
        .env("RETRY_MAX_ATTEMPTS", "1")
        .env("HR_TIME_ZONE", "Europe/Berlin");
    let snapshot = |as_of: &str, world: World| reported_by_mode(&job, &receiver, as_of, world);
    let some = |words: &str| Some(words.to_owned());
    let nothing = || [some(""), None, None];

    // Tuesday, the 10th of November 2026.
    let first = some("first_run");
    assert_eq!(
        snapshot("2026-11-10T22:10:00Z", healthy()),
        [first.clone(), first, None]
    );
    assert_eq!(snapshot("2026-11-11T22:10:00Z", healthy()), nothing());

    job.hr_feed(LEFT_AND_ACTIVE);
    let found = some("verdict_changed findings_changed");
    assert_eq!(
        snapshot("2026-11-12T22:10:00Z", healthy()),
        [found.clone(), found.clone(), found]
    );
    // Nothing changed, but the finding still needs action.
    assert_eq!(
        snapshot("2026-11-13T22:10:00Z", healthy()),
        [some(""), None, some("")]
    );

    // Every failed run sends a notification, and so does the first complete run after it.
    let failed = some("run_failed");
    for as_of in ["2026-11-14T22:10:00Z", "2026-11-14T22:40:00Z"] {
        assert_eq!(
            snapshot(as_of, down()),
            [failed.clone(), failed.clone(), failed.clone()]
        );
    }
    let again = some("after_a_failure");
    assert_eq!(
        snapshot("2026-11-14T22:50:00Z", healthy()),
        [again.clone(), again.clone(), again]
    );

    // Sunday at 23:10 in Berlin is still the same week, and Sunday at 23:10 UTC is Monday there.
    job.hr_feed(&format!(
        "{LEFT_AND_GONE}{}",
        LEFT_AND_ACTIVE.replace("Terminated,2020-01-31", "Active,")
    ));
    let closed = some("verdict_changed findings_changed");
    assert_eq!(
        snapshot("2026-11-15T22:10:00Z", healthy()),
        [closed.clone(), closed, None]
    );
    let week = some("first_of_week");
    assert_eq!(
        snapshot("2026-11-15T23:10:00Z", healthy()),
        [week.clone(), week, None]
    );
    assert_eq!(snapshot("2026-11-16T22:10:00Z", healthy()), nothing());
    assert_eq!(snapshot("2026-11-22T22:50:00Z", healthy()), nothing());
    let week = some("first_of_week");
    assert_eq!(
        snapshot("2026-11-23T22:10:00Z", healthy()),
        [week.clone(), week, None]
    );

    // Inconclusive, and inconclusive for another reason in the next run.
    let list = World::scenario("repeated-cursor").expect("a scenario");
    let doubt = some("verdict_changed doubts_changed");
    assert_eq!(
        snapshot("2026-11-24T22:10:00Z", list),
        [doubt.clone(), doubt.clone(), doubt]
    );
    job.hr_feed("");
    let doubt = some("doubts_changed");
    assert_eq!(
        snapshot("2026-11-25T22:10:00Z", healthy()),
        [doubt.clone(), doubt.clone(), doubt]
    );
    assert_eq!(
        snapshot("2026-11-26T22:10:00Z", healthy()),
        [some(""), None, some("")]
    );
}

#[test]
fn a_run_after_a_fault_sends_a_notification() {
    let receiver = Receiver::spawn();
    let job = Job::scenario("healthy", LEFT_AND_GONE)
        .env("NOTIFY_WEBHOOK_URL", &receiver.url("/hook"))
        .env("NOTIFY_WEBHOOK_SECRET", KEY);
    reported_by_mode(&job, &receiver, "2026-11-10T22:10:00Z", healthy());
    reported_by_mode(&job, &receiver, "2026-11-11T22:10:00Z", healthy());
    let result = job.run_folder(2).join("result.json");
    let text = fs::read_to_string(&result).expect("a file");
    fs::write(&result, text.replace("\"pass\"", "\"fail\"")).expect("a file");
    let [_, change, problem] = reported_by_mode(&job, &receiver, "2026-11-12T22:10:00Z", healthy());
    assert_eq!(change.as_deref(), Some("earlier_unknown"));
    assert_eq!(problem.as_deref(), Some("earlier_unknown"));
}

#[test]
fn without_a_receiver_nothing_is_sent_and_nothing_is_logged() {
    let job = Job::scenario("healthy", LEFT_AND_GONE).env("RUST_LOG", "info");
    let Ended { code, stderr, .. } = job.run();
    assert_eq!(code, 0);
    assert!(!stderr.to_lowercase().contains("notif"), "{stderr}");
}

#[test]
fn a_run_without_a_notification_logs_the_reason() {
    let receiver = Receiver::spawn();
    let job = with_both_receivers(Job::scenario("healthy", LEFT_AND_GONE), &receiver)
        .env("NOTIFY_ON", "problem")
        .env("RUST_LOG", "info");
    let Ended { code, stderr, .. } = job.run();
    assert_eq!(code, 0);
    assert!(
        stderr.contains("Sent no notification, because of NOTIFY_ON=problem"),
        "{stderr}"
    );
    assert_eq!(receiver.count(), 0);
}

// ---- What a notification contains ----

/// HMAC-SHA256 as in RFC 2104, independent of the program's own.
fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    assert!(key.len() <= 64);
    let pad = |with: u8| -> Vec<u8> {
        let padded = key.iter().copied().chain(std::iter::repeat(0)).take(64);
        padded.map(|byte| byte ^ with).collect()
    };
    let inner = Sha256::digest([&pad(0x36), message].concat());
    Sha256::digest([&pad(0x5c)[..], &inner].concat()).to_vec()
}

/// The signature that a receiver with this key expects.
fn expected(mail: &Mail, key: &str) -> String {
    let key = BASE64_STANDARD
        .decode(key.strip_prefix("whsec_").expect("a key"))
        .expect("Base64");
    let (id, at) = (mail.header("webhook-id"), mail.header("webhook-timestamp"));
    let signed = [format!("{id}.{at}.").as_bytes(), &mail.body].concat();
    format!("v1,{}", BASE64_STANDARD.encode(hmac_sha256(&key, &signed)))
}

#[test]
fn webhook_and_slack_get_the_findings_and_the_place_of_the_evidence() {
    let receiver = Receiver::spawn();
    let job = with_both_receivers(Job::scenario("healthy", LEFT_AND_ACTIVE), &receiver)
        .env("RUST_LOG", "info");
    let Ended { code, stderr, .. } = job.run();
    assert_eq!(code, 3);
    let mut mail = receiver.take();
    mail.sort_by_key(|mail| mail.path.clone());
    let [hook, slack] = &mail[..] else {
        panic!("{mail:?}");
    };

    assert_eq!(hook.header("webhook-signature"), expected(hook, KEY));
    assert_eq!(hook.header("content-type"), "application/json");
    assert!(
        hook.header("user-agent")
            .starts_with("asana-access-review/")
    );
    let body = hook.json();
    assert_eq!(body["type"], "run.completed");
    let data = &body["data"];
    let run = data["run"].as_str().expect("an id");
    assert_eq!(
        hook.header("webhook-id"),
        format!("run_{run}_{CONNECTION_ID}")
    );
    assert_eq!(data["exit_code"], 3);
    assert_eq!(data["verdict"], "fail");
    assert_eq!(data["mark"], "TEST DATA");
    assert_eq!(data["because"], json!(["first_run"]));
    assert_eq!(
        data["reasons"],
        json!(["1 account of a leaver has access past the deadline"])
    );
    assert_eq!(data["findings"][0]["kind"], "offboarded_access");
    assert_eq!(data["findings"][0]["state"], "new");
    assert_eq!(data["findings_left_out"], 0);
    assert_eq!(data["tool"]["version"], env!("CARGO_PKG_VERSION"));
    let evidence = data["evidence"].as_str().expect("a key");
    assert!(job.evidence().join(evidence).join("report.html").exists());
    let entry = fs::read(job.connection().join("ledger/0000000001.json")).expect("an entry");
    let head = const_hex::encode(Sha256::digest(entry));
    assert_eq!(data["ledger"], json!({ "sequence": 1, "head": head }));

    let message = slack.json();
    let text = message["text"].as_str().expect("a text");
    assert!(
        text.starts_with(
            "TEST DATA: Asana leaver access check: FAIL, a leaver has access past the deadline"
        ),
        "{text}"
    );
    assert!(text.ends_with(&format!("ledger 1:{head}")), "{text}");

    // The log names the receiver's host, and no secrets.
    let host = receiver.url("");
    assert!(stderr.contains(&format!("Notified {host}")), "{stderr}");
}

#[test]
fn slack_gets_names_of_places_and_words_instead_of_codes() {
    let receiver = Receiver::spawn();
    let server = crate::support::s3::S3Server::start(["evidence"]);
    let job = with_both_receivers(Job::scenario("healthy", LEFT_AND_ACTIVE), &receiver);
    let job = in_bucket(job, &server).env("HR_FEED_MAX_AGE", "1s");
    job.hr_changed_at(job.hr_changed() - Duration::from_secs(3600));
    assert_eq!(job.run().code, 3);
    let mail = receiver.take();
    let of = |path: &str| mail.iter().find(|mail| mail.path == path).expect("mail");
    let data = &of("/hook").json()["data"];
    assert_eq!(data["workspace"], healthy().workspaces[0].name);
    let report = data["report"].as_str().expect("an address");
    let evidence = data["evidence"].as_str().expect("a key");
    assert!(report.starts_with("s3://evidence/"), "{report}");
    assert!(
        report.ends_with(&format!("{evidence}/report.html")),
        "{report}"
    );

    let text = of("/slack").text();
    for words in [
        format!(
            "Workspace `{}` (tenant `{}`), run of ",
            healthy().workspaces[0].name,
            healthy().tenant_id
        ),
        format!("Report `{report}`"),
        "*new*, high: Access past the deadline, account `".to_owned(),
        "check failed: Age of the HR feed (hr_fresh)".to_owned(),
    ] {
        assert!(text.contains(&words), "`{words}` in {text}");
    }
    for code in ["offboarded_access", "exit 3", "(s)"] {
        assert!(!text.contains(code), "`{code}` in {text}");
    }
}

#[test]
fn an_address_in_the_name_of_a_workspace_or_tenant_is_not_sent() {
    let workspace = asana_access_review::model::Workspace {
        id: "1201".to_owned(),
        name: Some("ada@example.com's workspace".to_owned()),
    };
    let notified = NotifiedWorkspace::new(&workspace, Some("ada@example.com"));
    assert_eq!(notified.name, "[address]'s workspace");
    assert_eq!(notified.tenant.as_deref(), Some("[address]"));
}

#[test]
fn during_a_key_exchange_both_keys_sign() {
    let receiver = Receiver::spawn();
    let both = format!("{KEY}, {OLD_KEY}");
    let job = Job::scenario("healthy", LEFT_AND_GONE)
        .env("NOTIFY_WEBHOOK_URL", &receiver.url("/hook?source=asana"))
        .env("NOTIFY_WEBHOOK_SECRET", &both);
    assert_eq!(job.run().code, 0);
    let mail = receiver.take().remove(0);
    assert_eq!(
        mail.header("webhook-signature"),
        format!("{} {}", expected(&mail, KEY), expected(&mail, OLD_KEY))
    );
}

#[test]
fn a_failed_run_is_notified_with_its_stage_and_record() {
    let receiver = Receiver::spawn();
    let job = with_both_receivers(Job::scenario("needs-reauth", LEFT_AND_GONE), &receiver);
    assert_eq!(job.run().code, 77);
    let mail = receiver.take();
    assert_eq!(mail.len(), 2);
    let hook = mail
        .iter()
        .find(|mail| mail.path == "/hook")
        .expect("a webhook");
    let body = hook.json();
    assert_eq!(body["type"], "run.failed");
    let data = &body["data"];
    assert_eq!(data["exit_code"], 77);
    assert_eq!(data["verdict"], "inconclusive");
    assert_eq!(data["stage"], "reading the Asana accounts");
    assert_eq!(data["meaning"], Exit::Refused.meaning());
    assert_eq!(data["ledger"]["sequence"], 1);
    let evidence = data["evidence"].as_str().expect("a key");
    assert!(job.evidence().join(evidence).join("manifest.json").exists());
}

#[test]
fn a_run_that_can_store_no_record_sends_a_notification() {
    let receiver = Receiver::spawn();
    let job = with_both_receivers(Job::scenario("healthy", LEFT_AND_GONE), &receiver)
        .env("EVIDENCE_URL", "hr.csv/evidence")
        .env("NOTIFY_ON", "problem");
    assert_eq!(job.run().code, 78);
    let server = crate::support::s3::S3Server::start(["evidence"]);
    let refuses =
        crate::support::s3::Rule::on("", "evidence", crate::support::s3::Fault::AccessDenied);
    server.inject(refuses.always());
    let job = in_bucket(job, &server);
    assert_eq!(job.run().code, 77);
    let mail = receiver.take();
    let hooks: Vec<Value> = mail
        .iter()
        .filter(|mail| mail.path == "/hook")
        .map(Mail::json)
        .collect();
    assert_eq!(hooks.len(), 2);
    for (body, code) in hooks.iter().zip([78, 77]) {
        assert_eq!(body["type"], "run.failed");
        assert_eq!(body["data"]["exit_code"], code);
        assert_eq!(body["data"]["ledger"], Value::Null);
        assert_eq!(body["data"]["evidence"], Value::Null);
        assert_eq!(body["data"]["verdict"], Value::Null);
    }
    let slack = mail
        .iter()
        .find(|mail| mail.path == "/slack")
        .expect("Slack");
    assert!(
        slack.text().contains("No evidence was stored"),
        "{}",
        slack.text()
    );
}

/// Every text that may be the name or address of a person: each cell, and each word of a name.
fn add_names_in_text(text: &str, words: &mut BTreeSet<String>) {
    for cell in text.split([',', ';', '\t', '\r', '\n', '"', '|']) {
        let cell = cell.trim().trim_matches(['\'', '\u{feff}']);
        let is_name = cell.contains(' ') && cell.chars().next().is_some_and(char::is_uppercase);
        if cell.contains('@') || is_name {
            words.insert(cell.to_owned());
        }
    }
}

/// The names and addresses of a world, whole and by word.
fn add_names_in_world(world: &World, words: &mut BTreeSet<String>) {
    for person in &world.people {
        let addresses = person.email.iter().chain(&person.other_emails);
        words.extend(addresses.cloned());
        let parts = person.name.split_whitespace().filter(|part| part.len() > 2);
        words.extend(parts.map(str::to_owned));
        words.insert(person.name.clone());
    }
}

fn ensure_no_names(mail: &[Mail], words: &BTreeSet<String>) {
    for mail in mail {
        let text = mail.text();
        assert!(!text.contains('@'), "{text}");
        for word in words.iter().filter(|word| !word.is_empty()) {
            assert!(!text.contains(word.as_str()), "`{word}` in {text}");
        }
    }
}

#[test]
fn no_name_or_address_is_sent_in_the_demo() {
    let receiver = Receiver::spawn();
    let job = with_both_receivers(Job::new(World::new(), ""), &receiver)
        .env("ALIASES_URL", "aliases.csv")
        .env("EXCEPTIONS_URL", "exceptions.csv")
        .env("HR_TIME_ZONE", "Europe/Berlin")
        .env("NOTIFY_ON", "always");
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/demo");
    let read = |name: &str| fs::read_to_string(demo.join(name)).expect("a file");
    // A line with an address in the place of an account id is a finding of its own.
    let exceptions = "person_id,email,account_id,reason,approved_by,approved_on,expires_on\n\
                      ,,grace.okafor@northwind.example,Grace keeps it,Daniel Reyes,2019-12-01,2020-01-01\n\
                      ,,GraceOkafor,Grace keeps it,Daniel Reyes,2019-12-01,2020-01-01\n";
    fs::write(job.folder.path().join("exceptions.csv"), exceptions).expect("a file");
    fs::write(job.folder.path().join("aliases.csv"), read("aliases.csv")).expect("a file");

    let mut words = BTreeSet::new();
    add_names_in_text(exceptions, &mut words);
    words.insert("GraceOkafor".to_owned());
    for (as_of, world, hr) in [
        ("2026-11-22T22:40:00Z", World::story_first_run(), "hr-1.csv"),
        (
            "2026-11-23T22:40:00Z",
            World::story_second_run(),
            "hr-2.csv",
        ),
    ] {
        let hr = read(hr);
        add_names_in_text(&hr, &mut words);
        let ids = hr.lines().filter_map(|line| line.split(',').next());
        words.extend(ids.filter(|id| id.starts_with("N-")).map(str::to_owned));
        add_names_in_world(&world, &mut words);
        job.hr_file(hr.as_bytes());
        assert_eq!(job.run_at(as_of, world), 3);
    }
    assert!(words.len() > 80, "{}", words.len());
    for word in ["Grace", "N-1003", "grace.okafor@northwind.example"] {
        assert!(words.contains(word), "{word}");
    }
    let mail = receiver.take();
    assert_eq!(mail.len(), 4);
    ensure_no_names(&mail, &words);
    let reported = mail
        .iter()
        .any(|mail| mail.text().contains("exception_invalid"));
    assert!(
        reported,
        "the finding is reported without the content of the line"
    );
}

#[test]
fn no_name_or_address_is_sent_in_any_scenario_or_hr_case() {
    let receiver = Receiver::spawn();
    let mut runs = 0;
    for (_, name, _) in scenarios() {
        // Worlds that take minutes have their own tests.
        if name.contains("slow") || name.contains("limit") {
            continue;
        }
        let world = World::scenario(name).expect("a scenario");
        let mut words = BTreeSet::new();
        add_names_in_world(&world, &mut words);
        add_names_in_text(LEFT_AND_ACTIVE, &mut words);
        let job = with_both_receivers(Job::new(World::new(), LEFT_AND_ACTIVE), &receiver)
            .env("NOTIFY_ON", "always")
            .env("RETRY_MAX_ATTEMPTS", "1")
            .env("HTTP_TIMEOUT", "1s");
        let _ = job.try_run_at("2026-11-10T22:10:00Z", world, |_| ());
        let mail = receiver.take();
        assert_eq!(mail.len(), 2, "{name}");
        ensure_no_names(&mail, &words);
        runs += 1;
    }
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/feeds/cases");
    for case in fs::read_dir(cases).expect("a folder") {
        let bytes = fs::read(case.expect("a file").path()).expect("a file");
        let mut words = BTreeSet::new();
        add_names_in_text(&String::from_utf8_lossy(&bytes), &mut words);
        add_names_in_world(&healthy(), &mut words);
        let job =
            with_both_receivers(Job::new(World::new(), ""), &receiver).env("NOTIFY_ON", "always");
        job.hr_file(&bytes);
        let _ = job.try_run_at("2026-11-10T22:10:00Z", healthy(), |_| ());
        let mail = receiver.take();
        assert_eq!(mail.len(), 2);
        ensure_no_names(&mail, &words);
        runs += 1;
    }
    assert!(runs > 50, "{runs}");
}

#[test]
fn of_five_thousand_findings_only_those_that_fit_are_sent() {
    let receiver = Receiver::spawn();
    // About a tenth of the accounts are inactive.
    let world = World::generated(5700);
    let rows: String = world.people[1..=5600]
        .iter()
        .enumerate()
        .map(|(n, person)| {
            let email = person.email.as_deref().expect("an address");
            format!("E{n},{},{email},Terminated,2020-01-31\n", person.name)
        })
        .collect();
    let job = with_both_receivers(Job::new(World::new(), &rows), &receiver)
        .env("TRUTO_PAGE_SIZE", "1000");
    assert_eq!(job.run_at("2026-11-10T22:10:00Z", world), 3);
    let total = job.json(1, "result.json")["findings"]
        .as_array()
        .map(Vec::len);
    let total = total.expect("findings");
    assert!(total >= 5000, "{total}");

    for mail in receiver.take() {
        if mail.path == "/hook" {
            assert!(
                (19_000..20_000).contains(&mail.body.len()),
                "{}",
                mail.body.len()
            );
            assert_eq!(mail.header("webhook-signature"), expected(&mail, KEY));
            let data = &mail.json()["data"];
            let listed = data["findings"].as_array().expect("findings").len();
            assert!(listed > 50, "{listed}");
            assert_eq!(data["findings_left_out"], total - listed);
            assert_eq!(data["counts"]["findings"]["total"], total);
        } else {
            ensure_slack_accepts(&mail.json());
            assert!(mail.text().contains(&format!("and {} more", total - 20)));
        }
    }
}

/// A notification of a review with this number of reviewers.
fn of_a_review(reviewers: usize) -> Notification {
    let about = hostile_notification("c1").about;
    let reviewers = (1..=reviewers).map(|number| NotifiedReviewer {
        number,
        rows: 100,
        decided: 7,
        overdue: true,
    });
    let review = NotifiedReview {
        step: ReviewStep::Status,
        review: "2026-Q4-7f3a9c".to_owned(),
        due: "2026-12-31".to_owned(),
        overdue: true,
        verdict: None,
        totals: Totals::of(&[]),
        reviewers: reviewers.collect(),
        not_in_order: 3,
    };
    Notification::new(&about, Content::Review(review), None, Exit::Pass)
}

#[tokio::test]
async fn of_five_thousand_reviewers_only_those_that_fit_are_sent() {
    let receiver = Receiver::spawn();
    let settings = settings(&receiver.url("/hook"), &receiver.url("/slack"));
    send(&settings, &of_a_review(5000)).await;
    for mail in receiver.take() {
        if mail.path == "/hook" {
            let length = mail.body.len();
            assert!((19_000..20_000).contains(&length), "{length}");
            let data = &mail.json()["data"];
            let listed = data["reviewers"].as_array().expect("reviewers").len();
            assert_eq!(data["reviewers_left_out"], 5000 - listed);
        } else {
            ensure_slack_accepts(&mail.json());
            let text = mail.text();
            assert!(
                text.contains("and 4980 more") && text.contains("3 problems in decision files")
            );
            assert!(
                text.contains("2026-Q4-7f3a9c OVERDUE, was due 2026-12-31"),
                "{text}"
            );
        }
    }
}

/// Slack's documented limits.
fn ensure_slack_accepts(message: &Value) {
    let characters = |value: &Value| value.as_str().expect("a text").chars().count();
    assert!(characters(&message["text"]) > 0);
    let blocks = message["blocks"].as_array().expect("blocks");
    assert!((1..=50).contains(&blocks.len()));
    let mut all = 0;
    for block in blocks {
        let text = &block["text"];
        let most = match block["type"].as_str() {
            Some("header") => {
                assert_eq!(text["type"], "plain_text");
                150
            }
            Some("section") => {
                assert_eq!(text["type"], "mrkdwn");
                3000
            }
            other => panic!("{other:?}"),
        };
        let length = characters(&text["text"]);
        assert!((1..=most).contains(&length), "{length} in {block}");
        all += length;
    }
    assert!(all < 13_200, "{all}");
}

/// A notification with text that an attacker may have entered.
fn hostile_notification(text: &str) -> Notification {
    let about = About {
        run: "20261123T224000Z-7f3a9c".to_owned(),
        as_of: "2026-11-23T22:40:00Z".parse().expect("an instant"),
        connection: text.to_owned(),
        workspace: Some(NotifiedWorkspace {
            name: text.to_owned(),
            tenant: Some(text.to_owned()),
        }),
        mark: None,
        tool: Tool {
            name: "asana-access-review".to_owned(),
            version: "0.0.0".to_owned(),
            commit: "unknown".to_owned(),
        },
    };
    Notification::new(
        &about,
        Content::Failed { stage: "judging" },
        None,
        Exit::Unexpected,
    )
}

fn settings(webhook: &str, slack: &str) -> notify::Settings {
    let address = |url: &str| Address::new(Url::parse(url).expect("an address"));
    let keys = Keys::parse(&SecretString::from(KEY)).expect("a key");
    let mut settings = notify::Settings {
        on: NotifyOn::Always,
        webhook: (!webhook.is_empty()).then(|| Webhook {
            address: address(webhook),
            keys,
        }),
        slack: (!slack.is_empty()).then(|| address(slack)),
        http: notify::Settings::HTTP,
        within: notify::Settings::WITHIN,
    };
    settings.http.base_delay = Duration::ZERO;
    settings
}

async fn send(settings: &notify::Settings, notification: &Notification) {
    let clock = Clock::at(notification.about.as_of);
    notify::send(settings, || notification.clone(), &clock).await;
}

#[tokio::test]
async fn markup_of_slack_is_escaped_and_within_the_limits() {
    let receiver = Receiver::spawn();
    let text = "<!channel> & <https://evil.test|click> `x`".repeat(500);
    send(
        &settings("", &receiver.url("/slack")),
        &hostile_notification(&text),
    )
    .await;
    let mail = receiver.take().remove(0);
    let message = mail.json();
    ensure_slack_accepts(&message);
    let section = message["blocks"][1]["text"]["text"]
        .as_str()
        .expect("a text");
    assert!(section.contains("&lt;!channel&gt; &amp; &lt;https://evil.test|click&gt; 'x'"));
    assert!(!mail.text().contains('<'), "{}", mail.text());
}

// ---- How receivers behave ----

/// How many attempts each status gets, and the result.
#[tokio::test]
async fn each_status_gets_its_number_of_attempts() {
    let receiver = Receiver::spawn();
    let notification = hostile_notification("c1");
    let to = settings(&receiver.url("/hook"), "");
    let mut attempts = Vec::new();
    for status in (200..=226)
        .chain(300..=308)
        .chain(400..=451)
        .chain(500..=530)
    {
        receiver.answers(vec![Answer::status(status); 10]);
        send(&to, &notification).await;
        let mail = receiver.take();
        let ids: BTreeSet<&str> = mail.iter().map(|mail| mail.header("webhook-id")).collect();
        assert_eq!(ids.len(), 1, "{status}");
        attempts.push((status, mail.len()));
    }
    let worth = |number| -> Vec<u16> {
        let found = attempts.iter().filter(|(_, attempts)| *attempts == number);
        found.map(|(status, _)| *status).collect()
    };
    assert_eq!(
        worth(4),
        [
            408, 425, 429, 500, 502, 504, 520, 521, 522, 523, 524, 525, 526, 527, 528, 529, 530
        ]
    );
    assert_eq!(worth(3), [503]);
    assert_eq!(worth(1).len() + 18, attempts.len());
    assert!(worth(1).contains(&410));
}

#[tokio::test]
async fn a_resent_notification_keeps_id_and_body_and_gets_a_new_timestamp() {
    let receiver = Receiver::spawn();
    receiver.answers([
        Answer::status(503).header("retry-after", "2"),
        Answer::status(500),
    ]);
    let started = Instant::now();
    send(
        &settings(&receiver.url("/hook"), ""),
        &hostile_notification("c1"),
    )
    .await;
    let waited = started.elapsed();
    assert!(waited >= Duration::from_secs(2), "{waited:?}");
    let mail = receiver.take();
    assert_eq!(mail.len(), 3);
    for mail in &mail {
        assert_eq!(mail.header("webhook-id"), "run_20261123T224000Z-7f3a9c_c1");
        assert_eq!(mail.header("webhook-signature"), expected(mail, KEY));
    }
    assert_eq!(mail[0].body, mail[2].body);
    let at = |n: usize| -> i64 {
        mail[n]
            .header("webhook-timestamp")
            .parse()
            .expect("seconds")
    };
    let began = hostile_notification("").about.as_of.as_second();
    assert!((began..began + 2).contains(&at(0)), "{}", at(0));
    assert!(at(1) >= at(0) + 2, "{} {}", at(0), at(1));
}

#[tokio::test]
async fn a_requested_wait_beyond_the_limit_ends_the_attempts() {
    let receiver = Receiver::spawn();
    receiver.answers([Answer::status(429).header("retry-after", "31")]);
    let started = Instant::now();
    send(
        &settings(&receiver.url("/hook"), ""),
        &hostile_notification("c1"),
    )
    .await;
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(receiver.take().len(), 1);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (receiver, elsewhere) = (Receiver::spawn(), Receiver::spawn());
    for status in [301, 302, 303, 307, 308] {
        receiver.answers([Answer::status(status).header("location", elsewhere.url("/hook"))]);
        send(
            &settings(&receiver.url("/hook"), ""),
            &hostile_notification("c1"),
        )
        .await;
        assert_eq!(receiver.take().len(), 1);
    }
    assert_eq!(elsewhere.count(), 0);
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_delays_a_run_only_to_the_limit() {
    let receiver = Receiver::spawn();
    receiver.answers(vec![Answer::status(204).after(Duration::from_secs(60)); 8]);
    let mut slow = settings(&receiver.url("/hook"), &receiver.url("/slack"));
    slow.http.timeout = Duration::from_millis(400);
    slow.within = Duration::from_secs(1);
    let started = Instant::now();
    send(&slow, &hostile_notification("c1")).await;
    let took = started.elapsed();
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert!((2..=8).contains(&receiver.take().len()));
    assert!(notify::Settings::WITHIN <= Duration::from_secs(30));
    assert!(notify::Settings::HTTP.timeout < notify::Settings::WITHIN);
}

#[tokio::test]
async fn a_success_status_counts_even_if_the_body_is_broken() {
    for bytes in [
        "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\ncut",
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
    ] {
        let (url, calls) = rude(bytes);
        send(&settings(&url, ""), &hostile_notification("c1")).await;
        assert_eq!(calls.load(Ordering::SeqCst), 1, "{bytes}");
    }
    let receiver = Receiver::spawn();
    receiver.answers([Answer::status(200).body(&"x".repeat(1 << 20))]);
    send(
        &settings(&receiver.url("/hook"), ""),
        &hostile_notification("c1"),
    )
    .await;
    assert_eq!(receiver.take().len(), 1);
}

#[tokio::test]
async fn a_broken_connection_is_retried_a_few_times() {
    let (url, calls) = rude("");
    send(&settings(&url, ""), &hostile_notification("c1")).await;
    assert_eq!(calls.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn a_failing_receiver_does_not_affect_the_other() {
    let receiver = Receiver::spawn();
    let (broken, _) = rude("");
    send(
        &settings(&broken, &receiver.url("/slack")),
        &hostile_notification("c1"),
    )
    .await;
    assert_eq!(receiver.take().len(), 1);
    send(
        &settings(&receiver.url("/hook"), &broken),
        &hostile_notification("c1"),
    )
    .await;
    assert_eq!(receiver.take().len(), 1);
}

/// The log lines about notifications: level and text.
fn log_of(job: &Job) -> String {
    let Ended { stderr, .. } = job.run();
    let lines = stderr.lines().filter_map(|line| {
        let line: Value = serde_json::from_str(line).expect("a JSON line");
        let message = line["message"].as_str()?.to_owned();
        let error = line["error"].as_str().unwrap_or_default();
        let is_about = ["otif", "POST"].iter().any(|word| message.contains(word));
        let hint = line["hint"].as_str().unwrap_or_default();
        is_about.then(|| {
            format!(
                "{} {message} [{error}] [{hint}]\n",
                line["level"].as_str().unwrap_or("")
            )
        })
    });
    let text: String = lines.collect();
    crate::support::job::masked(&text, job.folder.path())
}

#[test]
fn the_answer_of_slack_is_in_the_log() {
    let receiver = Receiver::spawn();
    let job = Job::scenario("healthy", LEFT_AND_GONE)
        .env(
            "NOTIFY_SLACK_WEBHOOK_URL",
            &receiver.url("/slack/T0/B0/hunter2"),
        )
        .env("NOTIFY_ON", "always")
        .env("RUST_LOG", "info");
    receiver.answers([Answer::status(404).body("no_service\n")]);
    let refused = log_of(&job);
    receiver.take();
    receiver.answers([Answer::status(200).body("<html>Sign in</html>")]);
    let captive = log_of(&job);
    receiver.take();
    receiver.answers([Answer::status(400).body("<html>dear Ada</html>")]);
    let page = log_of(&job);
    insta::assert_snapshot!(refused + &captive + &page, @r"
    WARN Could not notify http://127.0.0.1:[port]; the outcome does not change [Slack refused the message: `no_service`: POST http://127.0.0.1:[port]: 404 Not Found] [set the variable to the present address of the receiver]
    WARN Could not notify http://127.0.0.1:[port]; the outcome does not change [the answer has status 200 and is not the `ok` of Slack] [set the variable to the present address of the receiver]
    WARN Could not notify http://127.0.0.1:[port]; the outcome does not change [Slack did not accept the message: POST http://127.0.0.1:[port]: 400 Bad Request] []
    ");
}

#[test]
fn a_receiver_that_is_gone_gets_one_attempt_and_a_hint() {
    let receiver = Receiver::spawn();
    receiver.answers(vec![Answer::status(410); 4]);
    let job = Job::scenario("healthy", LEFT_AND_GONE)
        .env("NOTIFY_WEBHOOK_URL", &receiver.url("/hook"))
        .env("NOTIFY_WEBHOOK_SECRET", KEY)
        .env("RUST_LOG", "info");
    insta::assert_snapshot!(log_of(&job), @r"
    WARN Could not notify http://127.0.0.1:[port]; the outcome does not change [POST http://127.0.0.1:[port]: 410 Gone] [unset the variable or set another address: the receiver accepts no more]
    ");
    assert_eq!(receiver.take().len(), 1);
}

// ---- What a notification never changes ----

#[test]
fn failed_notifications_change_no_exit_code_and_no_evidence() {
    // Nothing listens at this address.
    let dead = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        format!(
            "http://{}/hunter2",
            listener.local_addr().expect("an address")
        )
    };
    let html = truto_simulator::Action::status(200, "<html>");
    let odd = World::generated(12)
        .fault(truto_simulator::Fault::once("user-directory/users$", html).for_ever());
    for (job, code) in [
        (Job::scenario("healthy", LEFT_AND_GONE), 0),
        (Job::scenario("healthy", LEFT_AND_ACTIVE), 3),
        (Job::scenario("healthy", ""), 4),
        (Job::new(odd, LEFT_AND_GONE), 1),
        (Job::scenario("down", LEFT_AND_GONE), 75),
        (Job::scenario("needs-reauth", LEFT_AND_GONE), 77),
        (Job::scenario("two-workspaces", LEFT_AND_GONE), 78),
    ] {
        let job = job
            .env("NOTIFY_WEBHOOK_URL", &dead)
            .env("NOTIFY_WEBHOOK_SECRET", KEY)
            .env("NOTIFY_SLACK_WEBHOOK_URL", &dead)
            .env("RUST_LOG", "trace");
        let started = Instant::now();
        let Ended {
            code: reported,
            stderr,
            stdout,
        } = job.run();
        assert_eq!(reported, code, "{stderr}");
        assert!(started.elapsed() < Duration::from_secs(35));
        let complaints = stderr.matches("Could not notify").count();
        assert_eq!(complaints, 2, "{stderr}");
        let key = KEY.strip_prefix("whsec_").expect("a key");
        for secret in ["hunter2", key] {
            assert!(
                !stderr.contains(secret) && !stdout.contains(secret),
                "{stderr}"
            );
        }
        if code != 78 {
            assert_eq!(verify(&job.evidence(), &[]).code, 0);
        }
    }
}

#[test]
fn sigterm_during_a_notification_ends_in_two_seconds_with_evidence() {
    let receiver = Receiver::spawn();
    receiver.answers(vec![Answer::status(204).after(Duration::from_secs(60)); 8]);
    let job = with_both_receivers(Job::scenario("healthy", LEFT_AND_ACTIVE), &receiver)
        .env("RUST_LOG", "info");
    let child = job.start();
    let watched = Instant::now();
    while receiver.count() < 2 && watched.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(10));
    }
    let asked = Instant::now();
    let kill = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status();
    assert!(kill.expect("kill").success());
    let Ended {
        code,
        stdout,
        stderr,
    } = ended(child.wait_with_output().expect("an end"));
    assert!(
        asked.elapsed() < Duration::from_secs(2),
        "{:?}",
        asked.elapsed()
    );
    assert_eq!(code, 143, "{stderr}");
    assert!(stdout.contains("  ledger     1:"), "{stdout}");
    assert!(stderr.contains("the evidence is stored"), "{stderr}");
    assert_eq!(verify(&job.evidence(), &[]).code, 0);
}

// ---- What a notification is for ----

#[test]
fn a_head_from_a_notification_shows_a_cut_tail() {
    let receiver = Receiver::spawn();
    let job = with_both_receivers(Job::scenario("healthy", LEFT_AND_GONE), &receiver)
        .env("NOTIFY_ON", "always");
    for as_of in ["2026-11-10T22:10:00Z", "2026-11-11T22:10:00Z"] {
        assert_eq!(job.run_at(as_of, healthy()), 0);
    }
    let mail = receiver.take();
    let last = mail
        .iter()
        .rfind(|mail| mail.path == "/hook")
        .expect("a webhook");
    let ledger = &last.json()["data"]["ledger"];
    let head = format!(
        "{}:{}",
        ledger["sequence"],
        ledger["head"].as_str().expect("a hash")
    );
    let whole = verify(&job.evidence(), &["--head", &head]);
    assert_eq!(whole.code, 0, "{}", whole.stdout);

    fs::remove_dir_all(job.run_folder(2)).expect("a folder");
    fs::remove_file(job.connection().join("ledger/0000000002.json")).expect("an entry");
    assert_eq!(
        verify(&job.evidence(), &[]).code,
        0,
        "nothing in the copy shows it"
    );
    let cut = verify(&job.evidence(), &["--head", &head]);
    assert_eq!(cut.code, 5);
    assert!(cut.stdout.contains("truncated"), "{}", cut.stdout);
}

// ---- What the documentation says ----

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/notifications.md");
    fs::read_to_string(path).expect("the page")
}

/// The first block of this language.
fn block(language: &str) -> String {
    let text = page();
    let (_, block) = text
        .split_once(&format!("```{language}\n"))
        .expect("a block");
    block.split_once("```").expect("its end").0.to_owned()
}

#[test]
fn the_example_of_the_page_is_the_notification_of_the_demo() {
    let receiver = Receiver::spawn();
    let job = with_both_receivers(Job::new(World::new(), ""), &receiver)
        .env("ALIASES_URL", "aliases.csv")
        .env("EXCEPTIONS_URL", "exceptions.csv")
        .env("HR_TIME_ZONE", "Europe/Berlin");
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/demo");
    for name in ["aliases.csv", "exceptions.csv"] {
        fs::copy(demo.join(name), job.folder.path().join(name)).expect("a file");
    }
    for (as_of, world, hr) in [
        ("2026-11-22T22:40:00Z", World::story_first_run(), "hr-1.csv"),
        (
            "2026-11-23T22:40:00Z",
            World::story_second_run(),
            "hr-2.csv",
        ),
    ] {
        job.hr_file(&fs::read(demo.join(hr)).expect("a file"));
        assert_eq!(job.run_at(as_of, world), 3);
    }
    let mail = receiver.take();
    let last = mail
        .iter()
        .rfind(|mail| mail.path == "/hook")
        .expect("a webhook");
    let mut reported = last.json();
    let example: Value = serde_json::from_str(&block("json")).expect("JSON");
    // Entry and message have the time of writing, which is later on a busy machine.
    for pointer in ["/timestamp", "/data/ledger/head", "/data/tool/version"] {
        let shown = example.pointer(pointer).cloned().unwrap_or_default();
        *reported.pointer_mut(pointer).expect("a value") = shown;
    }
    assert_eq!(reported, example, "{reported:#}");
}

#[test]
fn the_lines_of_the_page_verify_a_signature() {
    if !has(&["sh", "openssl", "base64", "od", "tr", "cat", "sed"]) {
        return;
    }
    let receiver = Receiver::spawn();
    let job = with_both_receivers(Job::scenario("healthy", LEFT_AND_GONE), &receiver);
    assert_eq!(job.run().code, 0);
    let mail = receiver.take();
    let mail = mail
        .iter()
        .find(|mail| mail.path == "/hook")
        .expect("a webhook");
    fs::write(job.folder.path().join("body.json"), &mail.body).expect("a file");
    let lines = block("sh");
    let run = |secret: &str| {
        let shell = Command::new("sh")
            .args(["-euc", &lines])
            .current_dir(job.folder.path())
            .env("secret", secret)
            .env("id", mail.header("webhook-id"))
            .env("timestamp", mail.header("webhook-timestamp"))
            .output()
            .expect("sh");
        assert!(shell.status.success(), "{shell:?}");
        String::from_utf8(shell.stdout)
            .expect("text")
            .trim()
            .to_owned()
    };
    let ledger = &mail.json()["data"]["ledger"];
    let head = ledger["head"].as_str().expect("a hash");
    assert_eq!(
        run(KEY),
        format!("{}\n{}:{head}", expected(mail, KEY), ledger["sequence"])
    );
    assert_ne!(run(OLD_KEY), run(KEY));
}

#[test]
fn the_page_explains_every_word_of_a_notification() {
    let section = page();
    for because in [
        Because::RunFailed,
        Because::FirstRun,
        Because::AfterAFailure,
        Because::EarlierUnknown,
        Because::VerdictChanged,
        Because::FindingsChanged,
        Because::OpenQuestionsChanged,
        Because::FirstOfWeek,
        Because::ReviewOpened,
        Because::ReviewStatus,
        Because::ReviewClosed,
    ] {
        let word = serde_json::to_value(because).expect("a word");
        assert!(
            section.contains(&format!("`{}`", word.as_str().expect("a word"))),
            "{word}"
        );
    }
    for state in [FindingState::New, FindingState::Closed, FindingState::Open] {
        let word = serde_json::to_value(state).expect("a word");
        assert!(
            section.contains(&format!("`{}`", word.as_str().expect("a word"))),
            "{word}"
        );
    }
    assert!(matches!(
        hostile_notification("").content,
        Content::Failed { .. }
    ));
}
