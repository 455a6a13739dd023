//! `ASANA_PERMISSIONS=narrow`: who is listed, without roles and status, and nothing that passes by mistake.

use std::fs;

use serde_json::{Value, json};
use truto_simulator::{Action, Fault, ListFields, Permission, Person, RecordedRequest, World};

use super::scenario;
use crate::support::job::{Ended, Job, LEFT_AND_ACTIVE, LEFT_AND_GONE, verify};
use crate::support::review::{
    DECISION, NOTE, OUTSIDERS, assert_verifies, filled, keep, part, saved, worksheet,
};

/// A job with narrow permissions.
fn narrow(world: World, hr_rows: &str) -> Job {
    Job::new(world, hr_rows).narrow()
}

/// The status and detail of a check of a run.
fn check(job: &Job, sequence: u64, id: &str) -> (String, String) {
    let result = job.json(sequence, "result.json");
    let checks = result["checks"].as_array().expect("checks");
    let check = checks.iter().find(|check| check["id"] == id);
    let check = check.unwrap_or_else(|| panic!("no check {id}"));
    let text = |key: &str| check[key].as_str().expect("a text").to_owned();
    (text("status"), text("detail"))
}

/// The outcomes of a run, by person.
fn outcomes(job: &Job, sequence: u64) -> Vec<(Value, Value)> {
    let leavers = job.records(sequence, "leavers.jsonl.gz").into_iter();
    leavers
        .map(|of| (of["person_id"].clone(), of["outcome"].clone()))
        .collect()
}

/// The kinds of the changes of a run.
fn changes(job: &Job, sequence: u64) -> Vec<String> {
    let text = job.text(sequence, "changes.csv");
    let lines = text.lines().skip(1);
    let kinds = lines.filter_map(|line| line.trim_start_matches('\u{feff}').split(',').next());
    kinds.map(str::to_owned).collect()
}

fn is_of_memberships(request: &RecordedRequest) -> bool {
    request.path.ends_with("/workspace_memberships")
}

fn assert_recomputed(job: &Job) {
    let verified = verify(&job.evidence(), &[]);
    assert_eq!(verified.code, 0, "{}", verified.stdout);
}

#[test]
fn a_narrow_run_passes_without_asking_for_memberships() {
    let job = narrow(scenario("narrow"), LEFT_AND_GONE);
    let ended = job.run();
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    let requests = job.simulator.requests();
    assert!(!requests.iter().any(is_of_memberships));
    assert!(requests.iter().all(|request| request.status == Some(200)));
    assert_eq!(requests.len(), 6);

    let manifest = job.json(1, "manifest.json");
    assert_eq!(manifest["policy"]["asana_permissions"], "narrow");
    assert_eq!(manifest["sources"]["truto"]["memberships"], "not_requested");
    let not_shown = manifest["sources"]["truto"]["not_shown"].to_string();
    for what in ["roles", "administrator", "view-only", "deactivated"] {
        assert!(not_shown.contains(what), "{not_shown}");
    }
    let controls = manifest["controls"].to_string();
    assert!(controls.contains("SOC 2 CC6.1"), "{controls}");
    assert!(
        !controls.contains("A.8.2") && !controls.contains("PCI"),
        "{controls}"
    );
    for account in job.records(1, "accounts.jsonl.gz") {
        assert_eq!(account["status"], "unknown");
        assert_eq!(account["role"], "unknown");
        assert_eq!(account["view_only"], Value::Null);
    }
    let (status, detail) = check(&job, 1, "rows_reconcile");
    assert_eq!(status, "pass", "{detail}");
    assert_eq!(check(&job, 1, "viewer").0, "pass");
    let report = job.text(1, "report.html");
    for what in [
        "Narrow permissions",
        "view-only licences",
        "narrow permissions cannot read",
    ] {
        assert!(report.contains(what), "{what}");
    }
    assert_recomputed(&job);
}

#[test]
fn a_leaver_in_a_narrow_list_still_has_access() {
    let job = narrow(scenario("narrow"), LEFT_AND_ACTIVE);
    assert_eq!(job.run().code, 3);
    assert_eq!(outcomes(&job, 1), [(json!("E1"), json!("still_active"))]);
    // Once the account is gone from both lists, the leaver has none.
    let gone = scenario("narrow").without_person("1200000000000002");
    job.simulator.set_world(gone);
    assert_eq!(job.run().code, 0);
    assert_eq!(outcomes(&job, 2), [(json!("E1"), json!("removed"))]);
    assert_recomputed(&job);
}

#[test]
fn a_mapping_that_invents_inactive_accounts_hides_no_leaver() {
    let invented = scenario("narrow").with(|world| {
        world.list_fields = ListFields::FULL;
        world.single_fields = ListFields::FULL;
    });
    let invented = invented.with_person("1200000000000002", Person::inactive);
    let job = narrow(invented, LEFT_AND_ACTIVE);
    assert_eq!(job.run().code, 3);
    assert_eq!(outcomes(&job, 1), [(json!("E1"), json!("still_active"))]);
    assert_recomputed(&job);
}

#[test]
fn each_doubt_about_a_narrow_list_has_its_check() {
    let nobody = |world: &mut World| world.viewer = truto_simulator::Viewer::Absent;
    let partial = |world: &mut World| world.partial_response = true;
    let malformed = Fault::once("/custom/users", Action::status(200, r#"{"data":7}"#));
    let cases: Vec<(World, &str, &str)> = vec![
        (
            scenario("narrow-guest"),
            "viewer",
            "has no address in INTERNAL_DOMAINS",
        ),
        (
            scenario("narrow").with(nobody),
            "viewer",
            "nothing shows that it sees every account",
        ),
        (
            scenario("narrow-single-list"),
            "list_complete",
            "missing scope users:read",
        ),
        (
            scenario("narrow-loop"),
            "list_complete",
            "was not read to its end",
        ),
        (
            scenario("narrow-disagreeing"),
            "rows_reconcile",
            "1200000000000002 first",
        ),
        (
            scenario("narrow").fault(malformed.for_ever()),
            "list_complete",
            "Asana's own list of users could not be read",
        ),
        (
            scenario("narrow").with_person("1200000000000003", Person::without_email),
            "fields_known",
            "has no address",
        ),
    ];
    for (world, id, words) in cases {
        let job = narrow(world, LEFT_AND_GONE);
        let ended = job.run();
        assert_eq!(ended.code, 4, "{id}: {}{}", ended.stdout, ended.stderr);
        let (status, detail) = check(&job, 1, id);
        assert_eq!(status, "fail", "{detail}");
        assert!(detail.contains(words), "{detail}");
        assert_recomputed(&job);
    }
    // A list that Truto marks as partial is complete if the second list agrees.
    let job = narrow(scenario("narrow").with(partial), LEFT_AND_GONE);
    assert_eq!(job.run().code, 0);
}

#[test]
fn narrow_permissions_need_the_domains_of_the_organization() {
    let job = Job::new(scenario("narrow"), LEFT_AND_GONE).env("ASANA_PERMISSIONS", "narrow");
    for arguments in [&[][..], &["check"]] {
        let ended = job.run_with(arguments);
        assert_eq!(ended.code, 78);
        let text = format!("{}{}", ended.stdout, ended.stderr);
        assert!(text.contains("INTERNAL_DOMAINS is not set"), "{text}");
    }
    assert!(job.simulator.requests().is_empty());
    let misspelt = narrow(scenario("narrow"), LEFT_AND_GONE).env("ASANA_PERMISSIONS", "minimal");
    assert_eq!(misspelt.run().code, 78);
}

/// Whether a text names both remedies for missing permissions.
fn names_both_remedies(text: &str) -> bool {
    text.contains("connect --reconnect 5f0c3a52-8d1e-4b7a-9c64-2e9b7d1f4a10")
        && text.contains("ASANA_PERMISSIONS=narrow")
        && text.contains("INTERNAL_DOMAINS")
}

#[test]
fn a_full_run_over_a_narrow_connection_is_inconclusive() {
    // A guest sees three people; the leaver is not one of them, and has access.
    for (name, rows) in [
        ("narrow", LEFT_AND_GONE),
        ("narrow-guest", LEFT_AND_GONE),
        (
            "narrow-guest",
            "E1,Person Seven,person7@example.com,Terminated,2026-01-10\n",
        ),
    ] {
        let job = Job::new(scenario(name), rows);
        let ended = job.run();
        assert_eq!(ended.code, 4, "{}{}", ended.stdout, ended.stderr);
        assert!(job.simulator.requests().iter().any(is_of_memberships));
        let facts = job.json(1, "inputs/facts.json");
        assert_eq!(facts["policy"]["asana_permissions"], "full");
        assert_eq!(job.json(1, "result.json")["complete"], false);
        for (_, outcome) in outcomes(&job, 1) {
            assert_eq!(outcome, "not_evaluable");
        }
        let (status, detail) = check(&job, 1, "list_complete");
        assert_eq!(status, "fail");
        assert!(names_both_remedies(&detail), "{detail}");
        let (status, detail) = check(&job, 1, "viewer");
        assert_eq!(status, "fail", "{detail}");
        assert_recomputed(&job);
    }
}

/// This world, in which Asana's own list of users has one page with the other people, with these changed addresses.
fn asana_lists(world: World, without: &str, addresses: &[(&str, &str)]) -> World {
    let people = world.people.iter();
    let people = people.filter(|person| person.listed && person.gid != without);
    let rows = people.map(|person| {
        let changed = addresses.iter().find(|(gid, _)| *gid == person.gid);
        let email = changed.map_or(person.email.as_deref(), |(_, email)| Some(*email));
        json!({"gid": person.gid, "name": person.name, "email": email})
    });
    let page = json!({"result": Vec::from_iter(rows), "next_cursor": null}).to_string();
    let answer = Fault::once("/custom/users", Action::status(200, &page));
    world.fault(answer.for_ever())
}

const LEAVER: &str = "1200000000000002";

#[test]
fn a_deactivated_account_that_only_truto_lists_has_no_access() {
    let deactivated = || {
        let world = scenario("narrow").with(|world| world.list_fields = ListFields::FULL);
        world.with_person(LEAVER, Person::inactive)
    };
    let job = narrow(asana_lists(deactivated(), LEAVER, &[]), LEFT_AND_ACTIVE);
    let ended = job.run();
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert_eq!(check(&job, 1, "rows_reconcile").0, "pass");
    assert_eq!(outcomes(&job, 1), [(json!("E1"), json!("removed"))]);
    assert_recomputed(&job);

    // Truto's word alone is not enough: the account must be missing from a complete list of Asana's.
    let refused = Permission::missing_scope("users:read");
    let cut = Fault::once(
        "/custom/users",
        Action::status(200, r#"{"result":[],"next_page":{}}"#),
    );
    for world in [
        deactivated().with(|world| world.custom_users = refused),
        deactivated().fault(cut.for_ever()),
    ] {
        let job = narrow(world, LEFT_AND_ACTIVE);
        assert_eq!(job.run().code, 3);
        assert_eq!(check(&job, 1, "list_complete").0, "fail");
        assert_eq!(outcomes(&job, 1), [(json!("E1"), json!("still_active"))]);
        assert_recomputed(&job);
    }
    // An account that Truto calls active is missing by mistake.
    let active = scenario("narrow").with(|world| world.list_fields = ListFields::FULL);
    let job = narrow(asana_lists(active, LEAVER, &[]), LEFT_AND_GONE);
    assert_eq!(job.run().code, 4);
    let (status, detail) = check(&job, 1, "rows_reconcile");
    assert_eq!(status, "fail");
    assert!(
        detail.contains("account 1200000000000002 first"),
        "{detail}"
    );
}

#[test]
fn an_address_that_only_asanas_own_list_has_finds_a_leaver() {
    let without = scenario("narrow").with(|world| world.list_fields = ListFields::ID_AND_NAME);
    let job = narrow(without, LEFT_AND_ACTIVE);
    assert_eq!(job.run().code, 3);
    assert_eq!(outcomes(&job, 1), [(json!("E1"), json!("still_active"))]);
    let gaps = &job.json(1, "inputs/facts.json")["population"]["gaps"];
    assert_eq!(
        (&gaps["emails_from_pass"], &gaps["gets"]),
        (&json!(11), &json!(0))
    );
    assert_recomputed(&job);

    // Both lists have an address, and HR knows the one of the second list.
    let other = asana_lists(scenario("narrow"), "", &[(LEAVER, "two.new@example.com")]);
    let rows = "E1,Someone Else,two.new@example.com,Terminated,2026-01-10\n";
    let job = narrow(other, rows);
    assert_eq!(job.run().code, 3);
    assert_eq!(outcomes(&job, 1), [(json!("E1"), json!("still_active"))]);
    assert_recomputed(&job);
}

#[test]
fn a_second_list_without_an_end_never_passes_and_says_what_to_do() {
    let malformed = Fault::once("/custom/users", Action::status(200, r#"{"data":7}"#)).nth(2);
    let refused = Action::RemoteError {
        status: 403,
        message: "Forbidden".to_owned(),
    };
    let refused = Fault::once("/custom/users", refused).nth(2);
    let ends: [fn(World, Fault) -> World; 2] = [
        |world, _| world.with(|world| world.custom_repeated_cursor = true),
        |world, fault| world.fault(fault.for_ever()),
    ];
    for (end, fault, is_loop) in [
        (ends[0], malformed.clone(), true),
        (ends[1], malformed, false),
        (ends[1], refused, false),
    ] {
        for is_narrow in [false, true] {
            // The first list lacks the leaver's account, which has access.
            let world = World::generated(250).narrow().with(|world| {
                world.list_fields = ListFields::ID_AND_NAME;
                world.single_fields = ListFields::FULL;
                world.omitted_rows = [LEAVER.to_owned()].into();
            });
            let job = Job::new(end(world, fault.clone()), LEFT_AND_ACTIVE);
            let job = match is_narrow {
                true => job.narrow(),
                false => job,
            };
            let ended = job.run();
            assert_eq!(ended.code, 4, "{}{}", ended.stdout, ended.stderr);
            assert_eq!(outcomes(&job, 1), [(json!("E1"), json!("not_evaluable"))]);
            let (status, detail) = check(&job, 1, "list_complete");
            assert_eq!(status, "fail");
            match is_narrow {
                true => assert!(detail.contains("run again"), "{detail}"),
                false => assert!(names_both_remedies(&detail), "{detail}"),
            }
            if is_loop {
                let (status, detail) = check(&job, 1, "rows_reconcile");
                assert_eq!(status, "fail");
                assert!(
                    detail.contains("account 1200000000000002 first"),
                    "{detail}"
                );
            }
            assert_recomputed(&job);
        }
    }
}

#[test]
fn no_alias_hides_a_leaver_whom_only_the_second_list_names() {
    let omitted =
        || scenario("narrow").with(|world| world.omitted_rows = [LEAVER.to_owned()].into());
    let full = || scenario("healthy").with(|world| world.omitted_rows = [LEAVER.to_owned()].into());
    let alias = "email,account_id,person_id,relation,owner,reason,approved_by,expires_on\n\
                 ,1200000000000002,,service,person3@example.com,mirrors builds into tasks,ciso@example.com,2999-12-31\n";
    for job in [
        narrow(omitted(), LEFT_AND_ACTIVE),
        Job::new(full(), LEFT_AND_ACTIVE),
    ] {
        let file = job.place().join("aliases.csv");
        fs::write(&file, alias).expect("a file");
        let job = job.env("ALIASES_URL", file.to_str().expect("UTF-8"));
        assert_eq!(job.run().code, 4);
        assert_eq!(outcomes(&job, 1), [(json!("E1"), json!("not_evaluable"))]);
        let (status, detail) = check(&job, 1, "rows_reconcile");
        assert_eq!(status, "fail");
        assert!(!detail.contains("ALIASES_URL"), "{detail}");
        assert_recomputed(&job);
    }
}

#[test]
fn check_and_run_name_a_domain_that_the_setting_lacks() {
    let rows = format!("{LEFT_AND_GONE}E5,Ben,ben@corp.io,Active,\n");
    let line = "INTERNAL_DOMAINS=example.com,corp.io";
    let job = narrow(scenario("narrow"), &rows);
    let ended = job.run_with(&["check", "--json"]);
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    let warned = lines(&ended)
        .into_iter()
        .find(|of| of["subject"] == "match");
    let warned = warned.unwrap_or_else(|| panic!("{}", ended.stdout));
    assert_eq!(warned["mark"], "warn");
    assert!(warned["text"].to_string().contains(line), "{warned}");
    assert_eq!(job.run().code, 0);
    let (status, detail) = check(&job, 1, "hr_matchable");
    assert_eq!(status, "warn");
    assert!(detail.contains(line), "{detail}");

    let job = job.env("INTERNAL_DOMAINS", "example.com,corp.io");
    assert_eq!(job.run().code, 0);
    assert_eq!(check(&job, 2, "hr_matchable").0, "pass");
}

/// Fifty accounts: five of them are inactive, and one in 20 is a guest.
fn fifty() -> World {
    World::generated(50)
}

#[test]
fn a_switch_of_permissions_changes_no_outcome_and_reports_no_flood() {
    let rows = format!("{LEFT_AND_ACTIVE}{LEFT_AND_GONE}");
    let roster = "E3,Person Three,person3@example.com,Active,\n";
    for begins_narrow in [false, true] {
        let mut job = Job::new(fifty(), &format!("{rows}{roster}")).env("HR_FEED_SCOPE", "roster");
        let mut findings = Vec::new();
        for (sequence, is_narrow) in (1..=4).zip([begins_narrow, !begins_narrow].repeat(2)) {
            job = match is_narrow {
                true => job.narrow(),
                false => job
                    .env("ASANA_PERMISSIONS", "full")
                    .env("INTERNAL_DOMAINS", ""),
            };
            job.simulator.set_world(match is_narrow {
                true => fifty().narrow(),
                false => fifty(),
            });
            let ended = job.run();
            assert_eq!(ended.code, 3, "{}{}", ended.stdout, ended.stderr);
            let result = job.json(sequence, "result.json");
            assert_eq!(result["complete"], true, "{}", ended.stdout);
            let outcomes = outcomes(&job, sequence);
            assert_eq!(outcomes[0], (json!("E1"), json!("still_active")));
            // The other leaver never had an account. Later runs have a short line of its own for it.
            let gone = [(json!("E9"), json!("no_access_found"))];
            assert!(
                outcomes[1..].is_empty() || outcomes[1..] == gone,
                "{outcomes:?}"
            );
            let ids = result["findings"].as_array().expect("findings").iter();
            let mut ids = Vec::from_iter(ids.map(|of| of["finding_id"].to_string()));
            // The severity, and so the order, depends on the role.
            ids.sort();
            assert!(
                ids.len() > 30 && !ids.contains(&"null".to_owned()),
                "{ids:?}"
            );
            findings.push(ids);
            if sequence > 1 {
                let changed = changes(&job, sequence);
                let rules = changed
                    .iter()
                    .filter(|kind| *kind == "policy_changed")
                    .count();
                assert_eq!(changed.len(), rules, "{changed:?}");
                let (status, detail) = check(&job, sequence, "policy_unchanged");
                assert_eq!(status, "warn", "{detail}");
                assert!(detail.contains("asana_permissions"), "{detail}");
                assert_eq!(check(&job, sequence, "population_drop").0, "pass");
            }
        }
        assert!(findings.iter().all(|ids| *ids == findings[0]));
        assert_recomputed(&job);
    }
}

#[test]
fn a_removal_stays_proven_after_a_switch() {
    let job = Job::new(scenario("healthy"), LEFT_AND_ACTIVE);
    assert_eq!(job.run().code, 3);
    let removed = scenario("healthy").with_person("1200000000000002", Person::inactive);
    job.simulator.set_world(removed.clone());
    assert_eq!(job.run().code, 0);
    let job = job.narrow();
    job.simulator.set_world(removed.clone().narrow());
    let ended = job.run();
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    assert_eq!(outcomes(&job, 3), [(json!("E1"), json!("removed"))]);
    let job = job.env("ASANA_PERMISSIONS", "full");
    job.simulator.set_world(removed);
    assert_eq!(job.run().code, 0);
    assert_eq!(outcomes(&job, 4), [(json!("E1"), json!("removed"))]);
    assert_recomputed(&job);
}

/// The lines of `check`.
fn lines(ended: &Ended) -> Vec<Value> {
    let reported: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    reported["lines"].as_array().expect("lines").clone()
}

#[test]
fn check_reports_what_a_narrow_run_reads() {
    let job = narrow(scenario("narrow"), LEFT_AND_GONE);
    let ended = job.run_with(&["check", "--json"]);
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    assert!(!job.simulator.requests().iter().any(is_of_memberships));
    let text = |subject: &str| {
        let lines = lines(&ended).into_iter();
        let texts = lines.filter(|line| line["subject"] == subject);
        texts
            .map(|line| line["text"].to_string())
            .collect::<String>()
    };
    assert!(text("memberships").contains("not requested (ASANA_PERMISSIONS=narrow)"));
    assert!(text("scopes").contains("narrow permissions: users:read"));
    assert!(text("fields").contains("status and role are not read"));
}

/// A refusal of the memberships: the world, the mark of `check`, and the exit code of a run.
fn refusals() -> Vec<(World, &'static str, i32)> {
    vec![
        (scenario("memberships-refused"), "fail", 4),
        (scenario("full-permissions-required"), "fail", 4),
        (scenario("memberships-unauthorized"), "fail", 77),
    ]
}

#[test]
fn each_refusal_of_memberships_offers_both_remedies() {
    let both = names_both_remedies;
    for (world, mark, code) in refusals() {
        let checked = Job::new(world.clone(), LEFT_AND_GONE).run_with(&["check", "--json"]);
        assert_eq!(checked.code, code, "{}", checked.stdout);
        let lines = lines(&checked);
        let refused = lines
            .iter()
            .find(|line| line["subject"] == "memberships" && line["mark"] == mark);
        let refused = refused.unwrap_or_else(|| panic!("{}", checked.stdout));
        assert!(both(&refused["hint"].to_string()), "{refused}");

        let job = Job::new(world, LEFT_AND_GONE);
        let ended = job.run();
        assert_eq!(ended.code, code, "{}{}", ended.stdout, ended.stderr);
        match code {
            4 => assert!(both(&check(&job, 1, "list_complete").1)),
            _ => assert!(both(&ended.stderr), "{}", ended.stderr),
        }
    }
    // The text of Asana names the scope, although Truto names none.
    let job = Job::new(scenario("full-permissions-required"), LEFT_AND_GONE);
    job.run();
    let unreadable = &job.json(1, "manifest.json")["sources"]["truto"]["memberships"]["unreadable"];
    assert_eq!(
        *unreadable,
        json!({"status": 403, "missing_scopes": ["default"]})
    );
    assert_recomputed(&job);
}

#[test]
fn a_401_counts_as_a_missing_permission_only_after_the_list_was_read() {
    let unauthorized =
        "the memberships were refused (status 401), although the list of users was read";
    let job = Job::new(scenario("memberships-unauthorized"), LEFT_AND_GONE);
    let ended = job.run();
    assert!(ended.stderr.contains(unauthorized), "{}", ended.stderr);
    // The connection has lost its login for everybody, so the next run cannot begin.
    let ended = job.run();
    assert_eq!(ended.code, 77);
    assert!(
        ended.stderr.contains("its status is `needs_reauth`"),
        "{}",
        ended.stderr
    );

    let dead = Action::RemoteError {
        status: 401,
        message: "Not Authorized".to_owned(),
    };
    let dead = Fault::once("user-directory/users$", dead).for_ever();
    let world = scenario("healthy").fault(dead.connection_becomes("needs_reauth"));
    let ended = Job::new(world, LEFT_AND_GONE).run();
    assert_eq!(ended.code, 77);
    assert!(
        ended.stderr.contains("has lost its login"),
        "{}",
        ended.stderr
    );
}

#[test]
fn check_shows_the_last_refusal_that_truto_reports() {
    let job = Job::new(scenario("refused-before"), LEFT_AND_GONE);
    let ended = job.run_with(&["check", "--json"]);
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    let lines = lines(&ended);
    let warned = lines
        .iter()
        .find(|line| line["subject"] == "scopes" && line["mark"] == "warn");
    let warned = warned.unwrap_or_else(|| panic!("{}", ended.stdout));
    let text = warned["text"].as_str().expect("a text");
    assert!(text.contains("missing scope tasks:read"), "{text}");
    assert!(
        warned["hint"]
            .as_str()
            .is_some_and(|hint| hint.contains("ASANA_PERMISSIONS=narrow"))
    );
}

#[test]
fn a_narrow_review_decides_access_and_no_roles() {
    let job = narrow(scenario("narrow"), LEFT_AND_GONE);
    assert_eq!(job.run().code, 0);
    let open = ["review", "open", "--name", "2026-Q4", "--due", "2999-12-31"];
    let admins = job.run_with(&[&open[..], &["--scope", "admins"]].concat());
    assert_eq!(admins.code, 78, "{}", admins.stderr);
    assert!(
        admins.stderr.contains("use --scope all"),
        "{}",
        admins.stderr
    );
    let opened = job.run_with(&open);
    assert_eq!(opened.code, 0, "{}", opened.stderr);
    let sheet = worksheet(&job);
    assert_eq!(sheet["permissions"], "narrow");
    assert_eq!(sheet["rows"].as_array().map(Vec::len), Some(11));
    for row in sheet["rows"].as_array().expect("rows") {
        assert_eq!(row["recommended"], Value::Null, "{row}");
    }
    let rows = fs::read_to_string(part(&job, "open").join("worksheet.csv")).expect("text");
    assert_eq!(rows.matches(",role not readable,").count(), 11);
    let page = fs::read_to_string(part(&job, "open").join("worksheet.html")).expect("text");
    assert!(
        page.contains("role not readable") && !page.contains(r#"<option value="change_role">"#)
    );
    assert_verifies(&job);

    let wrong = filled(&job, |number, row| {
        keep(number, row);
        if number == 2 {
            row[DECISION] = "change_role".to_owned();
            row[DECISION + 1] = "guest".to_owned();
            row[NOTE] = "works outside".to_owned();
        }
    });
    let wrong = saved(&job, "wrong.csv", &wrong, b',');
    let close = |file: &std::path::Path| {
        job.run_with(&[
            "review",
            "close",
            "--accept-reviewer",
            OUTSIDERS,
            "--decisions",
            file.to_str().expect("UTF-8"),
        ])
    };
    let refused = close(&wrong);
    assert_ne!(refused.code, 0);
    assert!(
        refused.stderr.contains("change_role is not possible"),
        "{}",
        refused.stderr
    );

    let file = saved(&job, "decisions.csv", &filled(&job, keep), b',');
    let closed = close(&file);
    assert_eq!(closed.code, 0, "{}", closed.stderr);
    let manifest = fs::read(part(&job, "close").join("manifest.json")).expect("a manifest");
    let manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
    let controls = manifest["controls"].to_string();
    assert!(controls.contains("SOC 2 CC6.2"), "{controls}");
    assert!(
        !controls.contains("CC6.3") && !controls.contains("PCI"),
        "{controls}"
    );
    let report = fs::read_to_string(part(&job, "close").join("report.html")).expect("text");
    assert!(report.contains("Roles were not readable"));
    assert_verifies(&job);
}

#[test]
fn narrow_evidence_that_was_changed_is_found() {
    // A role that no list can have shown.
    let job = narrow(scenario("narrow"), LEFT_AND_GONE).env("EVIDENCE_RAW", "full");
    assert_eq!(job.run().code, 0);
    assert_recomputed(&job);
    // The same world, of which the full program would read more, gives no memberships either.
    let job = narrow(
        scenario("healthy").with(|world| world.memberships = Permission::Granted),
        LEFT_AND_GONE,
    );
    assert_eq!(job.run().code, 0);
    assert!(!job.simulator.requests().iter().any(is_of_memberships));
    for account in job.records(1, "accounts.jsonl.gz") {
        assert_eq!(account["role"], "unknown");
    }
    assert_recomputed(&job);
}
