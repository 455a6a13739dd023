//! A healthy run never exceeds the rate limit, loses no time by that, and logs its waits.

use std::time::{Duration, Instant};

use asana_access_review::clock::Clock;
use asana_access_review::source::fetch_all;
use asana_access_review::truto::RateLimit;
use truto_simulator::{ListFields, Permission, Simulator, World};

use super::{as_of, settings, soon};
use crate::support::job::{Job, LEFT_AND_GONE};

/// Twenty accounts that are read one by one: 27 requests, the single reads in parallel.
fn one_by_one() -> World {
    World::generated(20).with(|world| {
        world.list_fields = ListFields::ID_AND_NAME;
        world.memberships = Permission::NotFound;
        world.custom_users = Permission::NotFound;
    })
}

/// How long reading takes, and the statuses of its requests.
async fn read(world: World, rate_limit: Option<RateLimit>) -> (Duration, Vec<Option<u16>>) {
    let simulator = Simulator::spawn(world);
    let mut settings = settings(&simulator);
    settings.truto.api.rate_limit = rate_limit;
    let started = Instant::now();
    let fetched = fetch_all(&settings, &Clock::at(as_of()), soon()).await;
    let elapsed = started.elapsed();
    assert_eq!(fetched.expect("accounts").population.gaps.gets, 20);
    let requests = simulator.requests();
    let statuses = requests.iter().map(|request| request.status).collect();
    (elapsed, statuses)
}

const LIMIT: RateLimit = RateLimit {
    requests: 5,
    window: Duration::from_secs(1),
};

#[tokio::test]
async fn parallel_requests_stay_under_the_limit_and_lose_no_time() {
    let (latency, statuses) = read(one_by_one(), None).await;
    let count = statuses.len();
    assert_eq!(count, 27);
    // The server allows exactly our limit, so a single request too many would fail.
    let strict = one_by_one().with(|world| world.rate_limit = Some((5, LIMIT.window)));
    let (elapsed, statuses) = read(strict, Some(LIMIT)).await;
    assert_eq!(statuses.len(), count);
    assert!(!statuses.contains(&Some(429)), "{statuses:?}");
    let windows = count.div_ceil(5) as u32 - 1;
    let least = LIMIT.window * windows;
    assert!(elapsed >= least, "{elapsed:?}");
    // The limit allows for the time of each request and for other programs on this machine.
    let most = least.mul_f64(1.05) + latency * 2 + Duration::from_millis(750);
    assert!(elapsed <= most, "{elapsed:?} of {most:?}");
}

#[tokio::test]
async fn rate_limit_headers_of_the_server_are_respected() {
    // The server's limit is stricter than ours, and only its headers show that.
    let world = one_by_one().with(|world| {
        world.rate_limit = Some((5, LIMIT.window));
        world.tells_rate_limit = true;
    });
    let loose = RateLimit {
        requests: 49,
        window: Duration::from_secs(10),
    };
    for ours in [None, Some(loose)] {
        let (_, statuses) = read(world.clone(), ours).await;
        assert_eq!(statuses.len(), 27);
        assert!(!statuses.contains(&Some(429)), "{ours:?}: {statuses:?}");
    }
}

#[test]
fn a_wait_for_the_rate_limit_is_reported_in_the_log() {
    let world = World::generated(12);
    let job = Job::new(world, LEFT_AND_GONE)
        .env("TRUTO_RATE_LIMIT", "3/2s")
        .env("RUST_LOG", "info");
    let ended = job.run();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("Waiting 2 s for the rate limit"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_wait_beyond_the_deadline_of_the_run_is_not_started() {
    let job = Job::new(World::generated(12), LEFT_AND_GONE)
        .env("TRUTO_RATE_LIMIT", "2/60s")
        .env("RUN_DEADLINE", "20s");
    let started = Instant::now();
    let ended = job.run();
    assert_eq!(ended.code, 75, "{}", ended.stderr);
    assert!(started.elapsed() < Duration::from_secs(15));
    let reported = "GET /unified/user-directory/me: the rate limit requires a wait of";
    assert!(ended.stderr.contains(reported), "{}", ended.stderr);
}
