//! The check on how the store protects the evidence.

use serde_json::json;

use crate::judgement::{Check, CheckId, Inputs};
use crate::model::Protection;

/// The check on the store; `None` in a preflight that stores nothing.
pub(in crate::judgement) fn of_the_store(inputs: &Inputs) -> Option<Check> {
    inputs.store.as_ref().map(store_protection)
}

fn store_protection(store: &Protection) -> Check {
    let Protection {
        create_only,
        lock_asked,
        lock,
        versioned,
        encryption_asked,
        encryption,
        unread,
    } = store;
    let mut fails = Vec::new();
    let mut warns = Vec::new();
    let mut seen = Vec::new();
    match create_only {
        true => seen.push("a second create was refused".to_owned()),
        false => fails.push(
            "the store accepted a second create of the same name: it replaces existing objects"
                .to_owned(),
        ),
    }
    match (lock_asked, lock) {
        (Some(asked), Some(got)) if got.mode == asked.mode && got.days >= asked.days => {
            seen.push(format!("locked ({got})"));
        }
        (Some(asked), Some(got)) => {
            fails.push(format!("the setting asks for a lock ({asked}), and the object has {got}"));
        }
        (Some(asked), None) => {
            fails.push(format!("the setting asks for a lock ({asked}), and the object has none"));
        }
        (None, Some(got)) => seen.push(format!("locked by the bucket ({got})")),
        (None, None) if unread.is_some() => {}
        (None, None) => warns.push(
            "objects are not locked: an identity with permission to delete can remove evidence, and \
             only a head noted elsewhere shows that the newest entries are gone"
                .to_owned(),
        ),
    }
    match (encryption_asked, encryption) {
        (Some(asked), got) if got.as_ref() != Some(asked) => {
            let got = got.as_deref().unwrap_or("none");
            fails.push(format!(
                "the setting asks for encryption `{asked}`, and the object has `{got}`"
            ));
        }
        (_, Some(got)) => seen.push(format!("encrypted ({got})")),
        (_, None) => {}
    }
    if let Some(unread) = unread {
        warns.push(format!(
            "lock and encryption could not be read back: {unread}"
        ));
    }
    let id = CheckId::StoreProtection;
    let is_safe = (fails.is_empty(), warns.is_empty());
    let detail = [fails, warns, seen].concat().join("; ");
    let check = match is_safe {
        (false, _) => id.fail(detail),
        (true, false) => id.warn(detail),
        (true, true) => id.pass(detail),
    };
    let yes_or_no = |seen: bool| if seen { "yes" } else { "no" };
    check.with(json!({
        "create_only": yes_or_no(*create_only),
        "lock_mode": lock.map(|lock| lock.mode),
        "lock_days": lock.map(|lock| lock.days),
        "versioned": yes_or_no(*versioned),
        "encryption": encryption,
    }))
}
