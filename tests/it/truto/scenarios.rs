//! The verdict, exit code and text of a run in every scenario.

use std::fmt::Write as _;

use truto_simulator::World;

use crate::support::job::{Job, LEFT_AND_GONE, masked};

/// The lines of a run that state its result: the verdict with its reasons, or the error with its hint.
fn result(text: &str) -> Vec<&str> {
    let heads = [
        "PASS",
        "FAIL",
        "INCONCLUSIVE",
        "  because  ",
        "error: ",
        "caused by: ",
        "hint: ",
    ];
    let lines = text.lines();
    lines
        .filter(|line| heads.iter().any(|head| line.starts_with(head)))
        .collect()
}

/// A line without what depends on the load of this machine: seconds, and which of several accounts came first.
fn timeless(line: &str) -> String {
    let words = Vec::from_iter(line.split_whitespace());
    let shown = words.iter().enumerate().map(|(place, word)| {
        let next = words.get(place + 1).copied().unwrap_or_default();
        let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
        match word.strip_prefix("/unified/user-directory/users/") {
            Some(_) => "/unified/user-directory/users/{id}:",
            None if is_number && matches!(next.trim_end_matches([',', ';', ':']), "s") => "[n]",
            None => word,
        }
    });
    shown.collect::<Vec<_>>().join(" ")
}

#[test]
fn every_scenario_has_its_verdict_exit_code_and_text() {
    let mut reported = String::new();
    let mut last = "";
    for (topic, name, _) in truto_simulator::scenarios() {
        if topic != last {
            let _ = writeln!(reported, "{topic}");
            last = topic;
        }
        let world = World::scenario(name).expect("a scenario");
        let job = Job::new(world, LEFT_AND_GONE)
            .for_scenario(name)
            .env("RETRY_MAX_ATTEMPTS", "2")
            .env("RETRY_MAX_ELAPSED", "2s")
            .env("HTTP_TIMEOUT", "2s");
        let ended = job.run();
        let _ = writeln!(reported, "  {name}: {}", ended.code);
        let text = masked(&format!("{}\n{}", ended.stdout, ended.stderr), job.place());
        let lines = result(&text);
        assert!(!lines.is_empty(), "{name}: {text}");
        for line in lines {
            let _ = writeln!(reported, "    {}", timeless(line));
        }
    }
    insta::assert_snapshot!("scenarios", reported);
}
