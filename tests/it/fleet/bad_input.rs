//! Bad input is refused before any request, all problems at once.

use asana_access_review::config::{self, Environment};
use insta::assert_snapshot;

use super::Provider;

fn environment(more: &[(&str, &str)]) -> Environment {
    let mut all = vec![
        ("TRUTO_API_TOKEN", "s3cret-token"),
        ("CONNECTIONS_URL", "connections.jsonl"),
    ];
    all.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
    all.extend(more);
    all.into_iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}

/// The problems of the process, or of the lines of a list.
fn reported(more: &[(&str, &str)], list: &str) -> String {
    let no_file = |_: &std::path::Path| Err(std::io::ErrorKind::NotFound.into());
    let fleet = match config::load_fleet(environment(more), no_file) {
        Ok(judged) => judged.settings,
        Err(problems) => return problems.to_string(),
    };
    match fleet.connections(list.as_bytes(), no_file) {
        Ok((connections, warnings)) => {
            let ids = connections.iter().map(|of| of.id.as_str());
            let ids: Vec<&str> = ids.collect();
            format!("{}\n{}", ids.join(" "), warnings.join("\n"))
        }
        Err(problems) => problems.to_string(),
    }
}

const GOOD: &str = r#"{"TRUTO_INTEGRATED_ACCOUNT_ID": "c1", "HR_FEED_URL": "hr.csv"}"#;

#[test]
fn every_problem_of_the_list_is_reported_with_its_lines() {
    let list = [
        GOOD,
        r#"{"TRUTO_INTEGRATED_ACCOUNT_ID": "C1", "HR_FEED_URL": "other.csv"}"#,
        "",
        r#"{"TRUTO_INTEGRATED_ACCOUNT_ID": "c2""#,
        r#"["c3"]"#,
        r#""s3cret""#,
        r#"{"TRUTO_INTEGRATED_ACCOUNT_ID": "c4", "HR_FEED_URL": "hr4.csv", "HR_FEED_SCOPES": "roster"}"#,
        r#"{"TRUTO_INTEGRATED_ACCOUNT_ID": "c5", "HR_FEED_URL": "hr5.csv", "AWS_REGION": "eu-central-1"}"#,
        r#"{"TRUTO_INTEGRATED_ACCOUNT_ID": "c6", "HR_FEED_URL": "hr6.csv", "NOTIFY_SLACK_WEBHOOK_URL": "https://hooks.slack.com/s3cret"}"#,
        r#"{"TRUTO_INTEGRATED_ACCOUNT_ID": "c7", "HR_FEED_URL": "hr7.csv", "LOG_FORMAT": "text", "FAIL_ON": "never"}"#,
        r#"{"TRUTO_INTEGRATED_ACCOUNT_ID": "c8"}"#,
        r#"{"TRUTO_INTEGRATED_ACCOUNT_ID": "c9"}"#,
        r#"{"HR_FEED_URL": "hr9.csv"}"#,
        r#"{"TRUTO_INTEGRATED_ACCOUNT_ID": "c10", "HR_FEED_URL": "hr10.csv", "MAX_DROP_PERCENT": 10}"#,
        r#"{"TRUTO_INTEGRATED_ACCOUNT_ID": "c11", "HR_FEED_URL": "hr11.csv", "HR_FEED_URL": "hr12.csv"}"#,
        r#"{"TRUTO_INTEGRATED_ACCOUNT_ID": "c12", "HR_FEED_URL": "hr\u0000.csv"}"#,
        r#"{"TRUTO_INTEGRATED_ACCOUNT_ID": "c13", "HR_FEED_URL": "https://hr.example/x", "HR_FEED_AUTHORIZATION_FILE": "/missing"}"#,
        r#"{"TRUTO_INTEGRATED_ACCOUNT_ID": "c14", "HR_FEED_URL": "hr14.csv", "OFFBOARDING_GRACE": "24"}"#,
    ];
    let text = reported(&[], &list.join("\r\n"));
    assert!(!text.contains("s3cret"), "{text}");
    assert_snapshot!(text, @r#"
    the configuration has 15 problems
      line 2: the connection `C1` is on line 1 already
      line 4: not JSON, from column 36 on
      lines 5 and 6: not a JSON object
      line 7: `HR_FEED_SCOPES` is not a variable of a run: did you mean HR_FEED_SCOPE?
      line 8: `AWS_REGION` is not a variable of a run
      line 9: NOTIFY_SLACK_WEBHOOK_URL is a secret, which the list must not contain
      line 10: LOG_FORMAT applies to the whole process: set it in the environment
      line 10: FAIL_ON applies to the whole process: set it in the environment
      lines 11 and 12: HR_FEED_URL is not set
      line 13: TRUTO_INTEGRATED_ACCOUNT_ID is not set
      line 14: MAX_DROP_PERCENT is not text: write the value in quotes
      line 15: HR_FEED_URL is set twice
      line 16: HR_FEED_URL contains a control character
      line 17: HR_FEED_AUTHORIZATION_FILE=`/missing` cannot be read: entity not found
      line 18: OFFBOARDING_GRACE=`24` has no unit
    hint: write each connection as one JSON object on one line; put each secret into a file, and write its path to the variable with _FILE; replace the secrets that were in the list; write `24h`; docs/configuration.md describes all variables
    "#);
}

#[test]
fn a_problem_of_the_environment_names_its_lines_once() {
    let lines = (1..=200).map(|n| {
        format!("{{\"TRUTO_INTEGRATED_ACCOUNT_ID\": \"c{n}\", \"HR_FEED_URL\": \"{n}.csv\"}}\n")
    });
    let list: String = lines.collect();
    let text = reported(&[("TRUTO_API_TOKEN", ""), ("MAX_DROP_PERCENT", "x")], &list);
    assert_snapshot!(text, @r#"
    the configuration has 2 problems
      lines 1, 2, 3 and 197 more: TRUTO_API_TOKEN is not set
      lines 1, 2, 3 and 197 more: MAX_DROP_PERCENT=`x` is not a whole number from 0 to 100
    hint: docs/configuration.md describes all variables
    "#);
}

#[test]
fn an_empty_list_is_refused() {
    for list in ["", "\n\n", "\u{feff}", " \t\r\n"] {
        assert!(
            reported(&[], list).contains("the list of CONNECTIONS_URL is empty"),
            "{list:?}"
        );
    }
}

#[test]
fn what_describes_one_company_is_not_inherited_by_all() {
    let of_one = [
        ("HR_FEED_URL", "hr.csv"),
        ("HR_FEED_AUTHORIZATION", "s3cret"),
        ("ALIASES_URL", "aliases.csv"),
        ("EXCEPTIONS_URL", "exceptions.csv"),
        ("INTERNAL_DOMAINS", "example.com"),
        ("TRUTO_INTEGRATED_ACCOUNT_ID", "c0"),
    ];
    assert_snapshot!(reported(&of_one, GOOD), @r#"
    the configuration has 6 problems
      TRUTO_INTEGRATED_ACCOUNT_ID and CONNECTIONS_URL are both set
      HR_FEED_URL and CONNECTIONS_URL are both set
      HR_FEED_AUTHORIZATION and CONNECTIONS_URL are both set
      ALIASES_URL and CONNECTIONS_URL are both set
      EXCEPTIONS_URL and CONNECTIONS_URL are both set
      INTERNAL_DOMAINS and CONNECTIONS_URL are both set
    hint: set what describes one company on its line of CONNECTIONS_URL; docs/configuration.md describes all variables
    "#);
}

#[test]
fn a_shard_that_contradicts_its_number_is_refused() {
    let texts = [
        reported(&[("SHARD_COUNT", "4")], GOOD),
        reported(&[("SHARD_COUNT", "4"), ("JOB_COMPLETION_INDEX", "4")], GOOD),
        reported(&[("JOB_COMPLETION_INDEX", "1")], GOOD),
        reported(&[("SHARD_COUNT", "0")], GOOD),
        reported(
            &[("SHARD_COUNT", "500"), ("JOB_COMPLETION_INDEX", "4")],
            GOOD,
        ),
        reported(
            &[("CONNECTIONS_CONCURRENCY", "0"), ("SHARD_DEADLINE", "60")],
            GOOD,
        ),
        reported(&[("RUN_SCHEDULE", "30 0,23 * * *")], GOOD),
    ];
    assert_snapshot!(texts.join("\n\n"), @r#"
    the configuration has 1 problem
      SHARD_COUNT=4 is set, but JOB_COMPLETION_INDEX is not
    hint: set JOB_COMPLETION_INDEX to the number of this shard, from 0; docs/configuration.md describes all variables

    the configuration has 1 problem
      JOB_COMPLETION_INDEX=4 is not below SHARD_COUNT=4
    hint: set SHARD_COUNT to the completions of the Job; docs/configuration.md describes all variables

    the configuration has 1 problem
      JOB_COMPLETION_INDEX=1 is not below SHARD_COUNT=1
    hint: set SHARD_COUNT to the completions of the Job; docs/configuration.md describes all variables

    the configuration has 1 problem
      SHARD_COUNT=`0` is not a whole number from 1 to 100000
    hint: docs/configuration.md describes all variables

    the configuration has 1 problem
      TRUTO_TOKEN_RATE_LIMIT leaves less than one request for each shard
    hint: lower SHARD_COUNT; docs/configuration.md describes all variables

    the configuration has 2 problems
      CONNECTIONS_CONCURRENCY=`0` is not a whole number from 1 to 64
      SHARD_DEADLINE=`60` has no unit
    hint: write `60h`; docs/configuration.md describes all variables

    the configuration has 1 problem
      RUN_SCHEDULE is set, but RUN_SCHEDULE_ZONE is not
    hint: set RUN_SCHEDULE_ZONE to the zone of the schedule; docs/configuration.md describes all variables
    "#);
}

#[test]
fn settings_of_shards_without_a_list_are_refused() {
    let more = [
        ("CONNECTIONS_URL", ""),
        ("TRUTO_INTEGRATED_ACCOUNT_ID", "c1"),
        ("HR_FEED_URL", "hr.csv"),
        ("SHARD_COUNT", "16"),
        ("CONNECTIONS_CONCURRENCY", "4"),
    ];
    let no_file = |_: &std::path::Path| Err(std::io::ErrorKind::NotFound.into());
    let problems = config::load(environment(&more), no_file).expect_err("a problem");
    assert_snapshot!(problems.to_string(), @r#"
    the configuration has 1 problem
      SHARD_COUNT is set, but CONNECTIONS_URL is not
    hint: set CONNECTIONS_URL, or unset SHARD_COUNT; docs/configuration.md describes all variables
    "#);
}

#[test]
fn a_line_overrides_the_environment_in_either_form_of_a_secret() {
    let secret = |_: &std::path::Path| Ok("s3cret".to_owned());
    let more = [
        ("NOTIFY_WEBHOOK_SECRET", "wrong"),
        ("OFFBOARDING_GRACE", "1h"),
    ];
    let fleet = config::load_fleet(environment(&more), secret)
        .expect("settings")
        .settings;
    let list = r#"{"TRUTO_INTEGRATED_ACCOUNT_ID": "c1", "HR_FEED_URL": "hr.csv", "NOTIFY_WEBHOOK_SECRET": "", "OFFBOARDING_GRACE": ""}"#;
    // A secret is refused in any form but the path of its file.
    assert!(fleet.connections(list.as_bytes(), secret).is_err());
    let list = r#"{"TRUTO_INTEGRATED_ACCOUNT_ID": "c1", "HR_FEED_URL": "hr.csv", "NOTIFY_WEBHOOK_SECRET_FILE": "", "TRUTO_API_TOKEN_FILE": "token", "OFFBOARDING_GRACE": ""}"#;
    let (connections, _) = fleet
        .connections(list.as_bytes(), secret)
        .expect("a connection");
    // Empty means unset, so the default applies.
    let settings = &connections[0].settings;
    assert_eq!(settings.policy.offboarding_grace_seconds, 24 * 3600);
}

#[test]
fn a_bad_list_ends_with_78_before_any_request() {
    let provider = Provider::new().healthy("c1").healthy("c2").listed();
    let lines =
        "{\"TRUTO_INTEGRATED_ACCOUNT_ID\": \"c1\", \"HR_FEED_URL\": \"hr-c1.csv\"}\nno JSON\n{}\n";
    provider.file("connections.jsonl", lines);
    for command in ["run", "check"] {
        let mut started = provider.command(&[]);
        let ended = crate::support::job::ended(started.arg(command).output().expect("the binary"));
        assert_eq!(ended.code, 78, "{}", ended.stderr);
        assert!(
            ended.stderr.contains("line 2: not JSON"),
            "{}",
            ended.stderr
        );
        assert!(
            ended.stderr.contains("line 3: HR_FEED_URL is not set"),
            "{}",
            ended.stderr
        );
    }
    provider.file("connections.jsonl", "");
    assert_eq!(provider.run(&[]).code, 78);
    let ended = provider.run(&[("CONNECTIONS_URL", "missing.jsonl")]);
    assert_eq!(ended.code, 78, "{}", ended.stderr);
    assert_eq!(provider.run(&[("SHARD_COUNT", "2")]).code, 78);
    assert_eq!(provider.simulator.requests().len(), 0);
    assert!(!provider.evidence().exists());

    // A correct list passes `check`, which contacts nothing either.
    let provider = provider.listed();
    let ended = crate::support::job::ended(
        provider
            .command(&[])
            .arg("check")
            .output()
            .expect("the binary"),
    );
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(
        ended.stdout.contains("shard 0 of 1 has 2 connections"),
        "{}",
        ended.stdout
    );
    assert_eq!(provider.simulator.requests().len(), 0);
}
