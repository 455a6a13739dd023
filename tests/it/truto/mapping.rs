//! The mapping of Asana's users in Truto is recorded, and a change of it is a warning.

use serde_json::Value;
use truto_simulator::{Action, Fault, Permission, World};

use super::scenario;
use crate::support::job::{Job, LEFT_AND_GONE, verify};

/// The `mapping_unchanged` check of a run.
fn check(job: &Job, sequence: u64) -> Value {
    let result = job.json(sequence, "result.json");
    let checks = result["checks"].as_array().expect("checks");
    let found = checks
        .iter()
        .find(|check| check["id"] == "mapping_unchanged");
    found.expect("the check").clone()
}

#[test]
fn a_changed_mapping_is_a_warning_with_both_digests() {
    let job = Job::scenario("healthy", LEFT_AND_GONE);
    assert_eq!(job.run().code, 0);
    assert_eq!(job.run().code, 0);
    assert_eq!(check(&job, 1)["status"], "pass");
    assert_eq!(check(&job, 2)["status"], "pass");

    let other = scenario("healthy").with(|world| world.response_mapping.push_str(" ~> $sort"));
    job.simulator.set_world(other);
    let ended = job.run();
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    let third = check(&job, 3);
    assert_eq!(third["status"], "warn");
    assert_eq!(
        third["numbers"]["before"],
        check(&job, 2)["numbers"]["sha256"]
    );
    assert_ne!(third["numbers"]["before"], third["numbers"]["sha256"]);
    let facts = job.json(3, "inputs/facts.json");
    assert_eq!(
        facts["population"]["mapping"]["reported"]["sha256"],
        third["numbers"]["sha256"]
    );

    // The next run is compared with this one, and every run can be recomputed.
    assert_eq!(job.run().code, 0);
    assert_eq!(check(&job, 4)["status"], "pass");
    let verified = verify(&job.evidence(), &[]);
    assert_eq!(verified.code, 0, "{}", verified.stdout);
}

#[test]
fn an_unreadable_mapping_is_only_a_warning() {
    let odd = |action| {
        let fault = Fault::once("/users/meta/list", action).for_ever();
        scenario("healthy").fault(fault)
    };
    let worlds: [(World, &str); 5] = [
        (
            scenario("healthy").with(|world| world.mapping = Permission::NotFound),
            "Truto answers 404",
        ),
        (
            scenario("healthy").with(|world| world.mapping = Permission::missing_scope("x")),
            "Truto answers 403",
        ),
        (odd(Action::status(200, "[]")), "the answer cannot be read"),
        (odd(Action::html(200)), "the answer cannot be read"),
        (odd(Action::html(502)), "Truto answers 502"),
    ];
    for (world, reason) in worlds {
        let job = Job::new(world, LEFT_AND_GONE);
        let ended = job.run();
        assert_eq!(ended.code, 0, "{reason}: {}", ended.stdout);
        let check = check(&job, 1);
        assert_eq!(check["status"], "warn", "{reason}");
        let detail = check["detail"].as_str().unwrap_or_default();
        assert!(detail.ends_with(reason), "{detail}");
    }
}
