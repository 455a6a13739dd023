//! Text from outside never reaches a log: answers of servers, cells and keys of files, tokens in addresses.

use std::fs;

use crate::support::job::{Job, LEFT_AND_GONE};
use truto_simulator::{Action, Fault, World};

/// Words of people and secrets, which each case hides where a message might quote it.
const PRIVATE: [&str; 3] = ["Lovelace", "ada.l", "hunter2"];

const TEXT: &str = "Ada Lovelace <ada.l@example.com> hunter2";

/// Runs the program without a terminal, with all its log lines, and looks for the words.
fn ensure_nothing_leaks(case: &str, job: Job) {
    let job = job
        .env("RUST_LOG", "asana_access_review=trace")
        .env("RETRY_MAX_ATTEMPTS", "1");
    for command in ["run", "check"] {
        let ended = job.run_with(&[command]);
        for text in [&ended.stdout, &ended.stderr] {
            for word in PRIVATE {
                assert!(
                    !text.contains(word),
                    "{case}, {command}: `{word}` in\n{text}"
                );
            }
        }
        assert!(
            ended.stderr.len() > 20 || command == "check",
            "{case} logs nothing"
        );
    }
}

#[test]
fn no_answer_of_a_server_reaches_a_log() {
    let error = |status, from_asana: bool| {
        let message = TEXT.to_owned();
        match from_asana {
            true => Action::RemoteError { status, message },
            false => Action::TrutoError { status, message },
        }
    };
    for path in [
        "user-directory/users$",
        "/me",
        "workspace_memberships",
        "organizations",
    ] {
        for status in [400, 401, 403, 404, 500] {
            for from_asana in [false, true] {
                let fault = Fault::once(path, error(status, from_asana)).for_ever();
                let world = World::scenario("healthy").expect("a scenario").fault(fault);
                let case = format!("{status} from {path}");
                ensure_nothing_leaks(&case, Job::new(world, LEFT_AND_GONE));
            }
        }
        for body in [
            TEXT.to_owned(),
            format!("{{\"result\": {{\"{TEXT}\": 1}}}}"),
        ] {
            let answer = Action::status(200, &body);
            let world = World::scenario("healthy").expect("a scenario");
            let world = world.fault(Fault::once(path, answer).for_ever());
            ensure_nothing_leaks(&format!("200 from {path}"), Job::new(world, LEFT_AND_GONE));
        }
    }
}

#[test]
fn no_cell_or_key_of_an_hr_feed_reaches_a_log() {
    let head = "Employee ID,Name,Work Email,Status,Termination Date\n";
    let json = r#"{"employees": [{"Employee ID": "E1", "email": "ada.l@example.com", "status": "hunter2", "end": "Lovelace"}], "Lovelace": [{"hunter2": 1}]}"#;
    for (case, text) in [
        (
            "a date",
            format!("{head}E1,Ada Lovelace,ada.l@example.com,Terminated,hunter2\n"),
        ),
        (
            "a status",
            format!("{head}E1,Ada Lovelace,ada.l@example.com,hunter2,2020-01-31\n"),
        ),
        (
            "an address",
            format!("{head}E1,Ada Lovelace,ada.l hunter2,Terminated,2020-01-31\n"),
        ),
        (
            "no header",
            "E1,Ada Lovelace,ada.l@example.com,hunter2,2020-01-31\n".repeat(3),
        ),
        (
            "a long row",
            format!("{head}E1,Ada Lovelace,ada.l@example.com,a,b,c,d,hunter2\n"),
        ),
        (
            "a quote",
            format!("{head}E1,\"Ada Lovelace,ada.l@example.com,hunter2\n"),
        ),
        ("a JSON key", json.to_owned()),
        ("a JSON list", json.replace("employees", "hunter2")),
        ("JSON that is cut", json[..json.len() - 9].to_owned()),
        ("a text", format!("{TEXT}\n")),
    ] {
        let job = Job::scenario("healthy", "");
        job.hr_file(text.as_bytes());
        ensure_nothing_leaks(case, job);
    }
}

#[test]
fn no_manual_decision_reaches_a_log() {
    let aliases = "person_id,email,account_id,relation,reason,approved_by,expires_on\n\
                   hunter2,ada.l@example.com,Lovelace,hunter2,Ada Lovelace,ada.l@example.com,hunter2\n";
    let exceptions = "person_id,email,account_id,reason,approved_by,approved_on,expires_on\n\
                      hunter2,ada.l@example.com,Lovelace,Ada Lovelace,ada.l@example.com,hunter2,hunter2\n";
    for (case, aliases) in [("lines", aliases), ("no header", "Ada Lovelace,hunter2\n")] {
        let job = Job::scenario("healthy", LEFT_AND_GONE)
            .env("ALIASES_URL", "aliases.csv")
            .env("EXCEPTIONS_URL", "exceptions.csv");
        fs::write(job.folder.path().join("aliases.csv"), aliases).expect("a file");
        fs::write(job.folder.path().join("exceptions.csv"), exceptions).expect("a file");
        ensure_nothing_leaks(case, job);
    }
}

#[test]
fn no_token_in_an_address_reaches_a_log() {
    for (name, address) in [
        ("TRUTO_BASE_URL", "http://127.0.0.1:9/hunter2"),
        ("TRUTO_BASE_URL", "https://api.truto.invalid/hunter2"),
        ("TRUTO_BASE_URL", "hunter2"),
        ("HR_FEED_URL", "https://127.0.0.1:9/x?token=hunter2"),
        ("EXCEPTIONS_URL", "https://hunter2@127.0.0.1:9/x"),
        ("NOTIFY_WEBHOOK_URL", "https://127.0.0.1:9/hunter2"),
        (
            "NOTIFY_SLACK_WEBHOOK_URL",
            "https://127.0.0.1:9/services/hunter2",
        ),
    ] {
        let job = Job::scenario("healthy", LEFT_AND_GONE).env(name, address);
        ensure_nothing_leaks(&format!("{name}={address}"), job);
    }
}
