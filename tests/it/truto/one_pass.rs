//! The number of requests, and how many are on their way at once.

use std::time::{Duration, Instant};

use asana_access_review::clock::Clock;
use asana_access_review::model::Permissions;
use asana_access_review::source::{fetch_all, users_list};
use asana_access_review::truto::{Client, PageWalk, User};
use truto_simulator::{Action, Fault, ListFields, Simulator, WORKSPACE_ID, World};

use super::{as_of, settings, soon};

/// The requests of a run with these permissions.
async fn requests(world: World, permissions: Permissions) -> usize {
    let simulator = Simulator::spawn(world);
    let mut settings = settings(&simulator);
    settings.permissions = permissions;
    let fetched = fetch_all(&settings, &Clock::at(as_of()), soon()).await;
    let population = fetched.expect("accounts").population;
    assert!(population.accounts.len() >= 900, "{permissions}");
    let recorded: u64 = population.requests.iter().map(|of| of.answers).sum();
    let made = simulator.requests().len();
    assert_eq!(recorded, made as u64);
    made
}

fn thousand(change: impl FnOnce(&mut World)) -> World {
    World::generated(1000).with(change)
}

fn sparse(world: &mut World) {
    world.list_fields = ListFields::ID_AND_NAME;
}

#[tokio::test]
async fn a_thousand_accounts_take_24_requests_and_at_most_34() {
    let full = Permissions::Full;
    assert_eq!(requests(thousand(|_| {}), full).await, 24);
    // The memberships have what the list lacks.
    assert_eq!(requests(thousand(sparse), full).await, 24);
    let without_emails = |world: &mut World| {
        sparse(world);
        world.membership_emails = false;
    };
    assert_eq!(requests(thousand(without_emails), full).await, 34);
    // An account without an address in Asana's own list has none, so it is not read alone.
    let no_address = |world: &mut World| {
        without_emails(world);
        for person in world.people.iter_mut().skip(1).step_by(3) {
            person.email = None;
        }
    };
    assert_eq!(requests(thousand(no_address), full).await, 34);
    let narrow = World::generated(1000).narrow();
    assert_eq!(requests(narrow, Permissions::Narrow).await, 22);
}

/// The list of a request, or none.
fn list(path: &str) -> Option<&'static str> {
    match path {
        "/unified/user-directory/users" => Some("users"),
        "/custom/users" => Some("second"),
        path if path.ends_with("/workspace_memberships") => Some("second"),
        _ => None,
    }
}

#[tokio::test]
async fn both_lists_are_read_side_by_side() {
    // The answers are so late that this machine's own work, at any load, is small beside them.
    let delay = Duration::from_millis(400);
    let late = Fault::once("/", Action::Delay(delay)).for_ever();
    for (world, permissions) in [
        (World::generated(400), Permissions::Full),
        (World::generated(400).narrow(), Permissions::Narrow),
    ] {
        let simulator = Simulator::spawn(world.fault(late.clone()));
        let mut settings = settings(&simulator);
        settings.permissions = permissions;
        let started = Instant::now();
        let fetched = fetch_all(&settings, &Clock::at(as_of()), soon()).await;
        let elapsed = started.elapsed();
        fetched.expect("accounts");

        // Counted where the requests arrive, so the load of this machine does not matter.
        let requests = simulator.requests();
        let beside = |of: &'static str, other: &'static str| {
            let of = requests
                .iter()
                .filter(|request| list(&request.path) == Some(of));
            let is_beside = |path: &String| list(path) == Some(other);
            of.filter(|request| request.beside.iter().any(is_beside))
                .count()
        };
        let overlapping = beside("users", "second") + beside("second", "users");
        assert!(overlapping >= 3, "{permissions}: {overlapping}");
        // One list is never requested twice at once: its next cursor is in the last page.
        assert_eq!(beside("users", "users") + beside("second", "second"), 0);

        let in_sequence = delay * u32::try_from(requests.len()).expect("few");
        assert!(
            elapsed <= in_sequence.mul_f64(1.02),
            "{permissions}: {elapsed:?}"
        );
    }
}

#[tokio::test]
async fn the_next_page_is_requested_before_the_last_is_handed_out() {
    let simulator = Simulator::spawn(World::generated(300));
    let settings = settings(&simulator);
    let client = Client::new(&settings.truto, &Clock::at(as_of()), soon()).expect("a client");
    let list = users_list(&client, WORKSPACE_ID);
    let mut walk = PageWalk::<User>::new(&client, &list);
    for page in 1..=3 {
        let read = walk.next().await.expect("an answer").expect("a page");
        assert_eq!(read.record.page, page);
        // The page after it is on its way, or has arrived, although nobody asked for it yet.
        let expected = (page + 1).min(3) as usize;
        let begun = Instant::now();
        while simulator.requests().len() < expected && begun.elapsed() < Duration::from_secs(10) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(simulator.requests().len(), expected);
    }
    assert!(walk.next().await.expect("the end").is_none());
    assert_eq!(simulator.requests().len(), 3);
}
