//! Tests of the page.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::evidence::{
    Executor, FailedSnapshot, Failure, Frame, OwnControl, RunFolder, RunIdentity, Snapshot, Tool,
    Trigger,
};
use crate::judgement::{
    Baseline, FeedScope, FollowUps, Inputs, Judgement, Past, Policy, Previous, RunRef, judge,
};
use crate::model::{
    Account, Connection, DerivationRecord, EmailAddress, Employment, Exception, FeedOrigin, HrDate,
    HrFeed, HrRow, Listing, ManualDecisions, ManualFile, Mapping, Memberships, PageRecord,
    Permissions, Population, RawPages, RejectedRow, Role, Status, Viewer, Workspace,
};
use crate::schedule::RunSchedule;

const TORUN: &str = "2026-11-23T22:40:00Z";

fn at(instant: &str) -> Timestamp {
    instant.parse().expect("an instant")
}

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).expect("an address")
}

fn account(id: &str, name: &str, email: &str, role: Role, status: Status) -> Account {
    Account {
        id: id.to_owned(),
        emails: vec![address(email)],
        name: Some(name.to_owned()),
        status,
        role,
        view_only: None,
        external_id: None,
        joined_at: None,
        last_login_at: None,
    }
}

fn left(line: u64, name: &str, email: &str, end: &str) -> HrRow {
    HrRow {
        line,
        person_id: Some(format!("E{line:03}")),
        name: Some(name.to_owned()),
        email: Some(address(email)),
        status: Employment::Ended,
        end: Some(HrDate {
            written: end[..10].into(),
            at: at(end),
            zone: "Europe/Berlin".into(),
        }),
        ..HrRow::default()
    }
}

/// A run in which one person left long ago and no leaver has access.
struct ReportedRun {
    inputs: Inputs,
}

fn world() -> ReportedRun {
    let admin = account(
        "100",
        "Root",
        "root@example.com",
        Role::Admin,
        Status::Active,
    );
    let inputs = Inputs {
        as_of: at(TORUN),
        run: "dt=2026-11-23/run=20261123T224000Z-7f3a9c".into(),
        schedule: None,
        policy: Policy {
            asana_permissions: Permissions::Full,
            offboarding_grace_seconds: 86_400,
            hr_time_zone: "Europe/Berlin".to_owned(),
            hr_location_zones: BTreeMap::new(),
            hr_feed_scope: FeedScope::Leavers,
            hr_feed_max_age_seconds: Some(172_800),
            hr_feed_allow_empty: false,
            hr_feed_date_order: None,
            hr_feed_columns: [("end".to_owned(), "Left on".to_owned())].into(),
            hr_feed_records: Vec::new(),
            hr_feed_statuses: BTreeMap::new(),
            hr_feed_no_address: Vec::new(),
            internal_domains: Vec::new(),
            email_domain_aliases: Vec::new(),
            max_drop_percent: 30,
            review_every_seconds: None,
            revocation_grace_seconds: None,
        },
        population: Population {
            connection: Connection {
                id: "c1".to_owned(),
                status: "active".to_owned(),
                ..Connection::default()
            },
            origin: "https://api.truto.one".to_owned(),
            workspace: Workspace {
                id: "1200001".to_owned(),
                name: Some("Example GmbH".to_owned()),
            },
            workspaces_visible: 1,
            viewer: Viewer::Account {
                id: "100".to_owned(),
                role: Role::Admin,
                has_address: false,
            },
            listing: Listing::default(),
            memberships: Memberships::NotRequested,
            gaps: crate::model::GapFilling::default(),
            derivation: DerivationRecord {
                version: 1,
                kept: RawPages::Full,
            },
            mapping: Mapping::Reported {
                sha256: "ab".repeat(32),
            },
            clock_skew_minutes: Some(0),
            requests: Vec::new(),
            accounts: vec![admin],
        },
        hr: HrFeed {
            origin: FeedOrigin {
                url: "s3://people/leavers.csv".to_owned(),
                sha256: "ab".repeat(32),
                bytes: 2048,
                modified_at: Some(at("2026-11-23T18:00:00Z")),
                format: "csv".to_owned(),
                encoding: "UTF-8".to_owned(),
                ..FeedOrigin::default()
            },
            rows: vec![left(
                2,
                "Ben Gone",
                "ben@example.com",
                "2026-10-01T22:00:00Z",
            )],
            ..HrFeed::default()
        },
        manual: ManualDecisions::default(),
        follow_ups: FollowUps::starting(at(TORUN)),
        past: Past::default(),
        store: None,
    };
    ReportedRun { inputs }
}

impl ReportedRun {
    fn account(mut self, id: &str, name: &str, email: &str, role: Role, status: Status) -> Self {
        let accounts = &mut self.inputs.population.accounts;
        accounts.push(account(id, name, email, role, status));
        accounts.sort_by(|a, b| a.id.cmp(&b.id));
        self
    }

    fn leaver(mut self, name: &str, email: &str, end: &str) -> Self {
        let line = self.inputs.hr.rows.len() as u64 + 2;
        self.inputs.hr.rows.push(left(line, name, email, end));
        self
    }

    fn with(mut self, change: impl FnOnce(&mut Inputs)) -> Self {
        change(&mut self.inputs);
        self
    }

    /// The next run, which continues this one.
    fn a_run_later(mut self) -> Self {
        let judged = self.settle();
        let at = RunRef {
            sequence: self.inputs.past.ledger_head.unwrap_or(0) + 1,
            run: self.inputs.run.to_string(),
            manifest_sha256: "cd".repeat(32),
        };
        if judged.complete {
            self.inputs.past.baseline = Some(Baseline {
                at: at.clone(),
                workspace_id: self.inputs.population.workspace.id.clone(),
                as_of: self.inputs.as_of,
                accounts: self.inputs.population.accounts.clone(),
                former_emails: judged.former_emails,
                gone: judged.gone,
                mapping: self.inputs.population.mapping.clone(),
            });
        }
        self.inputs.past.ledger_head = Some(at.sequence);
        self.inputs.past.previous = Some(Previous {
            schedule: None,
            ledger_faults: Vec::new(),
            manual: self.inputs.manual.sha256(),
            links: judged.links,
            feed_url: self.inputs.hr.origin.url.clone(),
            feed_since: judged.feed_since,
            exceptions_since: BTreeMap::new(),
            follow_ups: judged.follow_ups,
            at,
            workspace_id: Some(self.inputs.population.workspace.id.clone()),
            policy: self.inputs.policy.clone(),
            findings_first_seen: judged
                .findings
                .iter()
                .map(|finding| (finding.finding_id.clone(), finding.first_seen))
                .collect(),
            leavers: {
                let leavers = judged.leavers.into_iter().map(Arc::new);
                leavers.chain(judged.concluded).collect()
            },
            trend: judged.trend,
        });
        self.inputs.as_of += SignedDuration::from_hours(24);
        self.inputs.run = RunFolder::of(&identity(self.inputs.as_of))
            .to_string()
            .into();
        self.inputs.hr.origin.modified_at = Some(self.inputs.as_of);
        self
    }

    /// Counts the rows like a source, and judges.
    fn settle(&mut self) -> Judgement {
        let count = self.inputs.population.accounts.len() as u64;
        self.inputs.population.listing = Listing {
            pages: vec![PageRecord {
                list: "users".to_owned(),
                page: 1,
                rows: count,
                bytes: 600 * count,
                sha256: "ef".repeat(32),
                cursor_sha256: None,
                last: true,
                status: 200,
                attempts: 1,
            }],
            rows: count,
            unique: count,
            last_page_reached: self.inputs.population.listing.stopped_because.is_none(),
            stopped_because: self.inputs.population.listing.stopped_because.clone(),
            ..Listing::default()
        };
        self.inputs.population.memberships = Memberships::Read {
            rows: count,
            rejected: 0,
            active: count,
            inactive: 0,
            unknown: 0,
            active_not_listed: Vec::new(),
            listed_without_membership: Vec::new(),
        };
        judge(&self.inputs)
    }

    fn report(mut self) -> String {
        let judgement = self.settle();
        let frame = frame(self.inputs.as_of);
        let snapshot = Snapshot {
            frame: &frame,
            inputs: &self.inputs,
            judgement: &judgement,
        };
        let page = super::snapshot(&snapshot);
        assert_eq!(super::snapshot(&snapshot), page, "same input, same bytes");
        String::from_utf8(page).expect("text")
    }
}

fn identity(as_of: Timestamp) -> RunIdentity {
    RunIdentity {
        as_of,
        trigger: Trigger::Scheduled,
        suffix: "7f3a9c".to_owned(),
        tool: Tool {
            name: "asana-access-review".to_owned(),
            version: "0.1.0".to_owned(),
            commit: "0123abc".to_owned(),
        },
        executor: Executor::default(),
    }
}

fn frame(as_of: Timestamp) -> Frame {
    Frame {
        identity: identity(as_of),
        criticality: "critical".to_owned(),
        own_controls: vec![OwnControl {
            id: "ACME-IAM-7".to_owned(),
            text: Some("Leavers lose access within a day".to_owned()),
        }],
        signer: None,
    }
}

fn failed_report(origin: &str, code: u8, message: &str) -> String {
    let frame = frame(at(TORUN));
    let failure = Failure {
        stage: "reading the accounts".to_owned(),
        code,
        message: message.to_owned(),
    };
    let page = super::failed_run(&FailedSnapshot {
        frame: &frame,
        connection: "c1",
        origin,
        schedule: None,
        failure: &failure,
    });
    String::from_utf8(page).expect("text")
}

/// The visible text of the page, without style and tags, and with single blanks.
fn text_of(page: &str) -> String {
    let body = page.split_once("<body>").expect("a body").1;
    // `<wbr>` only marks where a word may break.
    let body = body.replace("<wbr>", "");
    let mut text = String::new();
    let mut in_tag = false;
    for c in body.chars() {
        match c {
            '<' => in_tag = true,
            '>' => {
                in_tag = false;
                text.push(' ');
            }
            _ if !in_tag => text.push(c),
            _ => {}
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn assert_has(text: &str, wanted: &str) {
    assert!(text.contains(wanted), "`{wanted}` is not in: {text}");
}

#[track_caller]
fn assert_lacks(text: &str, unwanted: &str) {
    assert!(!text.contains(unwanted), "`{unwanted}` is in: {text}");
}

#[test]
fn a_quiet_run_reads_as_a_pass() {
    let page = world().a_run_later().report();
    assert_has(
        &page,
        "<title>Pass · Asana leaver access check of Example GmbH",
    );
    let text = text_of(&page);
    assert_has(
        &text,
        "Verdict: Pass No leaver was found with access past the deadline. No check failed.",
    );
    assert_has(&text, "The run is complete.");
    assert_has(&text, "Findings None.");
    assert_has(&text, "Nothing changed.");
    assert_has(
        &text,
        "No account found since the first run no_access_found",
    );
    assert_has(
        &text,
        "Past deadline 0 Accepted risk 0 Within grace 0 Not concluded 0 ",
    );
    assert_has(
        &text,
        "SOC 2 CC6.2 Reports the accounts, matched to people whose work ended",
    );
    assert_has(
        &text,
        "2026-11-24 22:40 UTC 2026-11-24 23:40 Europe/Berlin (+01:00)",
    );
    assert_lacks(&text, "Reasons:");
    assert_lacks(&text, "TEST DATA");
}

#[test]
fn a_leaver_with_access_is_a_fail_on_the_first_screen() {
    let text = text_of(
        &world()
            .account("7", "Ada", "ada@example.com", Role::Admin, Status::Active)
            .leaver("Ada Lovelace", "ada@example.com", "2026-11-01T23:00:00Z")
            .report(),
    );
    assert_has(
        &text,
        "Verdict: Fail A leaver has access past the deadline.",
    );
    assert_has(&text, "1 account of a leaver has access past the deadline");
    assert_has(&text, "critical Access past the deadline");
    assert_has(&text, "503 h (20 days 23 h)");
    assert_lacks(&text, "there may be more");
}

#[test]
fn an_incomplete_list_shows_its_limits() {
    let cut = |inputs: &mut Inputs| {
        inputs.population.listing.stopped_because = Some("a cursor came twice".to_owned());
    };
    let text = text_of(&world().a_run_later().with(cut).report());
    assert_has(&text, "Verdict: Inconclusive");
    assert_has(&text, "The run is not complete.");
    assert_has(&text, "so findings may be missing");
    assert_has(
        &text,
        "Changes of accounts are not judged: this run is not complete",
    );
    assert_lacks(&text, "Nothing changed.");

    let text = text_of(
        &world()
            .account("7", "Ada", "ada@example.com", Role::Member, Status::Active)
            .leaver("Ada", "ada@example.com", "2026-11-01T23:00:00Z")
            .with(cut)
            .report(),
    );
    assert_has(&text, "Verdict: Fail");
    assert_has(&text, "there may be more");
}

/// Sentences that only a complete run with a conclusion may print.
const CLAIMS: [&str; 6] = [
    "No leaver has access past the deadline",
    "No unapproved access past the deadline",
    "No check failed",
    "The run is complete",
    "Nothing changed.",
    "SOC 2",
];

#[test]
fn an_incomplete_run_claims_nothing() {
    let cut = |inputs: &mut Inputs| {
        inputs.population.listing.stopped_because = Some("a cursor came twice".to_owned());
    };
    let text = text_of(&world().a_run_later().with(cut).report());
    assert_has(
        &text,
        "Scope limitation: no reliance on this run. A check failed, or a leaver or an account could not be judged.",
    );
    assert_has(&text, "Past deadline 0 seen ");
    assert_has(
        &text,
        "This run supports no control, because it is not complete.",
    );
    for claim in CLAIMS {
        assert_lacks(&text, claim);
    }
    assert_lacks(&text, "ACME-IAM-7");
}

#[test]
fn a_complete_run_with_an_old_feed_claims_nothing_about_leavers() {
    let old = |inputs: &mut Inputs| {
        inputs.hr.origin.modified_at = Some(at("2026-11-01T00:00:00Z"));
    };
    let text = text_of(&world().a_run_later().with(old).report());
    assert_has(&text, "Scope limitation: no reliance on this run.");
    assert_has(&text, "Past deadline 0 seen ");
    assert_has(
        &text,
        "This run supports no control, because it is inconclusive.",
    );
    for claim in CLAIMS.iter().filter(|claim| {
        !claim.starts_with("The run is complete") && !claim.starts_with("Nothing changed")
    }) {
        assert_lacks(&text, claim);
    }
}

#[test]
fn a_run_that_failed_claims_nothing() {
    let text = text_of(&failed_report("https://api.truto.one", 75, "no answer"));
    assert_has(
        &text,
        "The run ended before it could check whether leavers have access.",
    );
    for claim in CLAIMS {
        assert_lacks(&text, claim);
    }
}

#[test]
fn a_run_without_leavers_states_that_it_tested_none() {
    let empty = |inputs: &mut Inputs| {
        inputs.hr.rows.clear();
        inputs.policy.hr_feed_allow_empty = true;
    };
    let text = text_of(&world().with(empty).a_run_later().report());
    assert_has(&text, "Verdict: Pass");
    assert_has(&text, "this pass tested no new removal");
    assert_has(&text, "The HR feed names no leaver.");
}

#[test]
fn accounts_rows_and_exclusions_tie_out() {
    let exception = |line: u64, account: &str| Exception {
        line,
        account_id: Some(account.to_owned()),
        reason: Some("hands over".to_owned()),
        approved_by: Some("ciso@example.com".to_owned()),
        approved_on: Some("2026-11-20".to_owned()),
        expires_on: Some("2026-12-24".to_owned()),
        ..Exception::default()
    };
    let text = text_of(
        &world()
            .account("7", "Ada", "ada@example.com", Role::Member, Status::Active)
            .leaver("Ada", "ada@example.com", "2026-11-01T23:00:00Z")
            .with(|inputs| {
                inputs.manual.exceptions = Some(ManualFile {
                    url: "exceptions.csv".to_owned(),
                    sha256: "ef".repeat(32),
                    bytes: 80,
                    lines: vec![exception(2, "7"), exception(3, "nobody's")],
                });
            })
            .report(),
    );
    assert_has(
        &text,
        "No unapproved access past the deadline was found; 1 risk acceptance.",
    );
    assert_has(
        &text,
        "Accounts in accounts.csv 2 2 rows received − 0 repeated − 0 rejected = 2",
    );
    assert_has(
        &text,
        "Offboardings in leavers.csv 2 1 excepted + 1 no_access_found; 0 older ones are in concluded.jsonl.gz",
    );
    assert_has(&text, "Exclusions: 1 line ");
    assert_has(&text, "exceptions.csv , line 2 covers access by account 7");
}

#[test]
fn without_a_baseline_no_empty_list_of_changes_is_shown() {
    let text = text_of(&world().report());
    assert_has(
        &text,
        "the ledger has no earlier complete run to compare with",
    );
    assert_lacks(&text, "Nothing changed");
}

#[test]
fn every_finding_leaver_check_control_and_rule_is_on_the_page() {
    let mut world = world();
    for n in 10..40 {
        let email = format!("p{n}@example.com");
        world = world.account(
            &format!("id-{n}"),
            "P",
            &email,
            Role::Member,
            Status::Active,
        );
        world = world.leaver(&format!("Leaver {n}"), &email, "2026-11-01T23:00:00Z");
    }
    let judged = world.settle();
    assert_eq!(judged.findings.len(), 30);
    let policy = serde_json::to_value(&world.inputs.policy).expect("json");
    let page = world.report();
    for finding in &judged.findings {
        assert_has(&page, &finding.finding_id);
    }
    for leaver in &judged.leavers {
        assert_has(&page, leaver.name.as_deref().expect("a name"));
        assert_has(&page, leaver.person_id.as_deref().expect("an id"));
    }
    for check in &judged.checks {
        assert_has(&page, &format!("<code>{}</code>", check.id));
    }
    for rule in policy.as_object().expect("an object").keys() {
        assert_has(&page, &format!("<code>{rule}</code>"));
    }
    assert_has(&page, "SOC 2 CC6.2");
    assert_has(&page, "ACME-IAM-7");
}

#[test]
fn a_removal_is_shown_as_the_interval_between_two_runs() {
    let text = text_of(
        &world()
            .account("7", "Ada", "ada@example.com", Role::Member, Status::Active)
            .leaver("Ada", "ada@example.com", "2026-11-23T23:00:00Z")
            .a_run_later()
            .with(|inputs| {
                inputs
                    .population
                    .accounts
                    .retain(|account| account.id != "7")
            })
            .report(),
    );
    assert_has(&text, "Verdict: Pass");
    assert_has(
        &text,
        "Results of the concluded offboardings (later runs repeat them): 1 in_time",
    );
    assert_has(
        &text,
        "2026-11-23 22:40 UTC → 2026-11-24 22:40 UTC Removed in time in_time",
    );
    assert_has(
        &text,
        "Account no longer listed removed Ada ada@example.com 7",
    );
}

#[test]
fn an_exception_after_the_fact_is_labelled() {
    let text = |text: &str| Some(text.to_owned());
    let exception = Exception {
        line: 2,
        account_id: text("7"),
        reason: text("hands over"),
        approved_by: text("ciso@example.com"),
        approved_on: text("2026-11-24"),
        expires_on: text("2026-12-24"),
        ticket: text("SEC-118"),
        ..Exception::default()
    };
    let text = text_of(
        &world()
            .account("7", "Ada", "ada@example.com", Role::Member, Status::Active)
            .leaver("Ada", "ada@example.com", "2026-11-20T23:00:00Z")
            .a_run_later()
            .a_run_later()
            .with(|inputs| {
                inputs.manual.exceptions = Some(ManualFile {
                    url: "exceptions.csv".to_owned(),
                    sha256: "ef".repeat(32),
                    bytes: 80,
                    lines: vec![exception],
                });
            })
            .report(),
    );
    assert_has(&text, "1 risk acceptance in use, 1 after the fact");
    assert_has(
        &text,
        "hands over ticket SEC-118 ciso@example.com on 2026-11-24",
    );
    assert_has(&text, "since 2026-11-25 22:40 UTC through 2026-12-24");
    assert_has(&text, "used after the fact covers access by account 7");
    assert_has(
        &text,
        "(after the fact: in force since 2026-11-25T22:40:00Z)",
    );
}

#[test]
fn rejected_rows_of_the_hr_file_are_named_by_line() {
    let text = text_of(
        &world()
            .with(|inputs| {
                inputs.hr.rejected.push(RejectedRow {
                    line: 17,
                    reason: "`03/04/2026` may be March or April".to_owned(),
                    names_setting: false,
                    person_id: Some("E017".to_owned()),
                    email: None,
                    name: None,
                    other_emails: Vec::new(),
                });
            })
            .report(),
    );
    assert_has(
        &text,
        "Rows of the HR feed 2 1 read + 1 rejected + 0 blank + 0 repeated",
    );
    assert_has(&text, "17 E017 `03/04/2026` may be March or April");
}

#[test]
fn a_name_with_markup_is_shown_as_text() {
    let name = "<script>alert(1)</script>\"'&<img src=x onerror=y>";
    let page = world()
        .account("7", name, "ada@example.com", Role::Member, Status::Active)
        .leaver(name, "ada@example.com", "2026-11-01T23:00:00Z")
        .with(|inputs| {
            inputs.population.workspace.name = Some("</title><script>x</script>".to_owned());
            inputs.hr.origin.url = "https://hr.example.com/\"><script>".to_owned();
        })
        .report();
    assert_has(
        &page,
        "&#60;script&#62;alert(1)&#60;/script&#62;&#34;&#39;&#38;",
    );
    assert_lacks(&page, "<script");
    assert_lacks(&page, "<img");
    assert_eq!(
        page.matches("</title>").count(),
        page.matches("<title").count()
    );
}

#[test]
fn a_name_cannot_reverse_the_text_of_the_page() {
    let name = "Ada\u{202E}nimda\u{2066}\u{200B}\u{0}";
    let page = world()
        .account("7", name, "ada@example.com", Role::Member, Status::Active)
        .leaver(name, "ada@example.com", "2026-11-01T23:00:00Z")
        .report();
    assert_has(&page, "Ada[U+202E]nimda[U+2066][U+200B][U+0000]");
    assert!(!page.contains(['\u{202E}', '\u{2066}', '\u{200B}', '\0']));
}

#[test]
fn the_page_loads_nothing_and_runs_nothing() {
    let pages = [
        world().a_run_later().report(),
        failed_report("https://api.truto.one", 75, "no answer"),
    ];
    for page in pages {
        for loading in [
            "<script",
            "<link",
            "<img",
            "<iframe",
            "<object",
            "<embed",
            "<form",
            "src=",
            "@import",
            "url(",
            "xlink",
            "javascript:",
            " onload",
            " onerror",
            " style=",
            "href=\"http",
            "href=\"//",
        ] {
            assert_lacks(&page, loading);
        }
        assert_has(&page, "default-src 'none'");
    }
}

#[test]
fn the_page_is_well_formed_for_screen_readers() {
    let page = world()
        .account("7", "Ada", "ada@example.com", Role::Member, Status::Active)
        .leaver("Ada", "ada@example.com", "2026-11-01T23:00:00Z")
        .a_run_later()
        .a_run_later()
        .report();
    assert!(page.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"));
    assert_eq!(page.matches("<h1").count(), 1);
    assert_eq!(
        page.matches("<table").count(),
        page.matches("<caption").count()
    );
    assert_eq!(
        page.matches("<th").count() - page.matches("<thead").count(),
        { page.matches("<th scope=\"").count() }
    );
    // Each id occurs once, and each reference has a target.
    let values = |attribute: &str| -> Vec<String> {
        page.split(&format!(" {attribute}=\""))
            .skip(1)
            .filter_map(|rest| rest.split_once('"'))
            .map(|(value, _)| value.to_owned())
            .collect()
    };
    let mut ids = values("id");
    ids.sort();
    let count = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), count, "{ids:?}");
    let anchors = values("href").into_iter();
    let anchors = anchors.filter_map(|link| link.strip_prefix('#').map(str::to_owned));
    let labels = values("aria-labelledby");
    let labels = labels.iter().flat_map(|list| list.split(' '));
    for id in labels.map(str::to_owned).chain(anchors) {
        assert!(ids.contains(&id), "{id}");
    }
}

#[test]
fn answers_from_another_server_are_marked_first() {
    let from = |origin: &str| {
        text_of(
            &world()
                .with(|inputs| inputs.population.origin = origin.to_owned())
                .report(),
        )
    };
    assert!(from("http://127.0.0.1:8080").starts_with("TEST DATA"));
    assert!(from("https://proxy.example.com").starts_with("NOT FROM api.truto.one"));
    let failed = failed_report("http://localhost:1", 75, "no answer");
    assert!(text_of(&failed).starts_with("TEST DATA"));
}

#[test]
fn a_sandbox_is_marked_first() {
    let sandbox = world().with(|inputs| inputs.population.connection.is_sandbox = Some(true));
    let text = text_of(&sandbox.report());
    assert!(text.starts_with("SANDBOX Truto reports this connection as a sandbox"));
    let unknown = world().with(|inputs| inputs.population.connection.is_sandbox = None);
    assert_lacks(&text_of(&unknown.report()), "SANDBOX");
}

#[test]
fn the_first_page_names_connection_program_trigger_and_schedule() {
    let text = text_of(&world().report());
    assert_has(
        &text,
        "whether it is a sandbox: not reported; region not reported",
    );
    assert_has(&text, "Schedule not set");
    let known = world().with(|inputs| {
        inputs.schedule = Some(RunSchedule {
            cron: "30 0,23 * * *".to_owned(),
            zone: "Europe/Berlin".to_owned(),
        });
        let connection = &mut inputs.population.connection;
        connection.tenant_id = Some("acme".to_owned());
        connection.environment_id = Some("0b6f3d0e".to_owned());
        connection.is_sandbox = Some(false);
        connection.region = Some("eu".to_owned());
    });
    let text = text_of(&known.report());
    let connection = ", tenant acme Truto environment 0b6f3d0e ; not a sandbox; region eu";
    assert_has(&text, connection);
    assert_has(&text, "0.1.0, commit 0123abc ; version");
    assert_has(
        &text,
        "by the CronJob at a scheduled time, according to the name of its Job ( scheduled )",
    );
    assert_has(&text, "Schedule 30 0,23 * * * in Europe/Berlin");
    assert_lacks(&text, "does not identify its source");
}

#[test]
fn a_program_of_unknown_source_is_named_on_the_first_page() {
    let tool = |commit: &str| Tool {
        commit: commit.to_owned(),
        ..identity(at(TORUN)).tool
    };
    assert_eq!(tool("0123abc").why_not_identified(), None);
    for commit in ["unknown", "0123abc-dirty"] {
        let tool = tool(commit);
        let why = tool.why_not_identified().expect("a sentence");
        let mut frame = frame(at(TORUN));
        frame.identity.tool = tool;
        let ReportedRun { inputs, .. } = world();
        let judgement = judge(&inputs);
        let page = super::snapshot(&Snapshot {
            frame: &frame,
            inputs: &inputs,
            judgement: &judgement,
        });
        let text = text_of(&String::from_utf8(page).expect("text"));
        let first = text
            .split("Asana, read through Truto")
            .next()
            .expect("a page");
        assert_has(first, why);
    }
}

#[test]
fn the_population_reconciles_people_with_rows() {
    let text = text_of(&world().report());
    assert_has(
        &text,
        "People in the HR feed 1 1 rows read − 0 further rows of the same people = \
         0 employed + 0 on leave + 1 left + 0 unclassified",
    );
}

#[test]
fn a_failed_run_never_contains_the_word_pass_as_a_verdict() {
    for code in [1, 75, 77, 200] {
        let page = failed_report("https://api.truto.one", code, "a <b>bold</b> cause");
        assert_has(&page, "<title>RUN FAILED");
        let text = text_of(&page);
        assert_has(&text, "This run failed");
        assert_has(&text, "reading the accounts");
        assert_has(&text, &format!("{code}: "));
        assert_has(&text, "a &#60;b&#62;bold&#60;/b&#62; cause");
        assert_has(&text, "A failed run is not a pass.");
        let elsewhere = text.replace("A failed run is not a pass.", "");
        assert_lacks(&elsewhere.to_lowercase(), "pass");
        assert_lacks(&text, "Verdict");
    }
}

#[test]
fn the_trend_is_a_chart_and_a_table_of_the_same_runs() {
    let page = world().a_run_later().a_run_later().report();
    assert_eq!(page.matches("<circle").count(), 3);
    assert_has(&page, "<polyline points=\"62,22 383,22 704,22\"/>");
    assert_has(&text_of(&page), "The last 3 runs, newest first");

    // A missed run breaks the line.
    let page = world()
        .a_run_later()
        .with(|inputs| inputs.as_of += SignedDuration::from_hours(24))
        .report();
    assert_lacks(&page, "<polyline");
    assert_eq!(page.matches("<circle").count(), 2);
}
