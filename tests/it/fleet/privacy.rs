//! No byte of one tenant is found under another's prefix, notification or log line.

use std::fs;

use truto_simulator::{Person, World};

use super::Provider;
use crate::support::job::tree;
use crate::support::receiver::Receiver;

/// The words of a tenant, in every field that a tenant fills.
fn company(word: &str) -> (World, String) {
    let viewer = Person::member(
        "1200000000000000",
        format!("Vera {word}"),
        &format!("vera@{word}.example"),
    );
    let leaver = Person::member(
        "1200000000000001",
        format!("Leo {word}"),
        &format!("leo@{word}.example"),
    );
    let world = World::new()
        .with(|world| {
            world.people.clear();
            world.workspaces[0].name = format!("Company {word}");
            world.tenant_id = format!("tenant-{word}");
            world.scopes = vec![format!("scope-{word}")];
        })
        .people([viewer.admin(), leaver]);
    let rows = format!(
        "{word}-1,Leo {word},leo@{word}.example,Terminated,2020-01-31\n\
         {word}-2,Lea {word},lea@{word}.example,Terminated,2020-01-31\n"
    );
    (world, rows)
}

#[test]
fn no_byte_of_one_tenant_is_found_with_another() {
    let tenants = ["zaphod", "marvin", "trillian"];
    let receivers = tenants.map(|_| Receiver::spawn());
    let mut provider = Provider::new();
    for (word, receiver) in tenants.iter().zip(&receivers) {
        let (world, rows) = company(word);
        provider.file(
            &format!("{word}.hook"),
            &receiver.url(&format!("/slack/{word}")),
        );
        provider.file(
            &format!("aliases-{word}.csv"),
            &format!("account,relation,person,reason,approved_by\nlea@{word}.example,different,{word}-2,a reason of {word},boss@{word}.example\n"),
        );
        provider = provider
            .tenant(&format!("connection-{word}"), world, &rows)
            .with("NOTIFY_SLACK_WEBHOOK_URL_FILE", &format!("{word}.hook"))
            .with("INTERNAL_DOMAINS", &format!("{word}.example"))
            .with("CONTROL_IDS", &format!("AC-{word}: a control of {word}"));
    }
    let provider = provider.listed();
    let ended = provider.run(&[("RUST_LOG", "trace,hyper=info")]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    // The second run also reads and repeats what the first one stored.
    assert_eq!(provider.run(&[("JOB_NAME", "review-2")]).code, 0);

    for (place, word) in tenants.iter().enumerate() {
        let id = format!("connection-{word}");
        let others = || tenants.iter().filter(|other| *other != word);
        assert_eq!(provider.verdicts(&id), ["fail", "fail"]);
        let mut own = 0;
        for (name, bytes) in tree(&provider.connection(&id)) {
            let text = String::from_utf8_lossy(&bytes).to_lowercase();
            own += text.matches(word).count();
            for other in others() {
                assert!(!text.contains(other), "{other} in {name} of {word}");
                assert!(!name.contains(other), "{other} in {name} of {word}");
            }
        }
        assert!(
            own > 50,
            "{word} should be in its own evidence, {own} times"
        );

        let mail = receivers[place].take();
        assert!(!mail.is_empty(), "{word} should be notified");
        for mail in mail {
            let text = format!("{} {}", mail.path, String::from_utf8_lossy(&mail.body));
            assert!(text.contains(word), "{text}");
            for other in others() {
                assert!(!text.contains(other), "{other} in a notification of {word}");
            }
        }
    }
    let mut lines = 0;
    for line in ended.stderr.lines() {
        let named: Vec<&&str> = tenants
            .iter()
            .filter(|word| line.contains(**word))
            .collect();
        assert!(named.len() <= 1, "{line}");
        // A line that has a word of a tenant is a line of its connection.
        if let [word] = named[..] {
            assert!(
                line.contains(&format!("\"connection\":\"connection-{word}\"")),
                "{line}"
            );
            lines += 1;
        }
    }
    assert!(lines > 10, "{}", ended.stderr);

    // The index of the shard has ids, and no other word of a tenant.
    for name in crate::support::files_below(&provider.evidence().join("summary")) {
        let text = fs::read_to_string(provider.evidence().join("summary").join(name));
        let mut text = text.expect("a summary");
        for word in tenants {
            text = text.replace(&format!("connection-{word}"), "");
        }
        let left = tenants.iter().find(|word| text.contains(**word));
        assert_eq!(left, None, "{text}");
    }
}
