//! The state of every line of the manual decisions at the end of a judgement.
//!
//! A line in force without an effect is reported as unused, so that it can be deleted.

use super::approvers::{NameSource, OWN_APPROVAL, Register, malformed};
use super::lookup::{Map, found};
use super::manual::{InForce, Invalid, Line, Relation, WITHOUT_ADDRESS, lines};
use super::uses::{Place, Uses};
use super::{Basis, ManualState, ManualUse};
use crate::model::{EmailAddress, Exception};

/// The lines that are never used, in the order of the files.
pub(super) fn invalid<'a>(basis: &Basis<'a>, uses: &Uses) -> Vec<Invalid<'a>> {
    let own = lines(&basis.inputs.manual).filter(|line| uses.own_approvals.contains(&line.place()));
    let own = own.map(|line| Invalid {
        line,
        fault: malformed(OWN_APPROVAL),
    });
    let mut invalid = basis.manual.invalid.clone();
    invalid.extend(own);
    invalid.sort_by_key(|of| of.line.place());
    invalid
}

/// The state of every line, in the order of the files.
pub(super) fn of_every_line(basis: &Basis<'_>, uses: &Uses) -> Vec<ManualUse> {
    let invalid = invalid(basis, uses);
    let invalid = invalid.iter().rev();
    let invalid: Map<Place, &Invalid<'_>> = invalid.map(|of| (of.line.place(), of)).collect();
    let manual = &basis.manual;
    let in_force: Map<Place, &InForce<'_>> = manual.in_force_by_line().collect();
    let state_of = |line: Line<'_>| {
        let place = line.place();
        let effect = uses.effects.get(&place);
        let (state, detail) = match (effect, invalid.get(&place)) {
            (Some(effect), _) => {
                let what: Vec<&str> = effect.what.iter().map(String::as_str).collect();
                (ManualState::Used, what.join("; "))
            }
            (None, Some(invalid)) => invalid.fault.clone(),
            (None, None) => (ManualState::Unused, unused(line, &manual.register)),
        };
        let in_force = match state {
            ManualState::Used | ManualState::Unused => in_force.get(&place),
            ManualState::Expired | ManualState::Malformed => None,
        };
        let (kind, line) = place;
        ManualUse {
            kind,
            line,
            state,
            detail,
            exception_id: in_force.map(|of| of.id.clone()),
            in_force_since: in_force.map(|of| of.in_force_since),
            after_the_fact: effect.is_some_and(|effect| effect.after_the_fact),
        }
    };
    lines(&basis.inputs.manual).map(state_of).collect()
}

/// Why a line in force had no effect. The text contains no addresses, because `check` prints it.
fn unused(line: Line<'_>, register: &Register<'_>) -> String {
    match line {
        Line::Exception(Exception {
            check: Some(check), ..
        }) => {
            return match check.as_str() {
                WITHOUT_ADDRESS => "no leaver without a usable address needed it".to_owned(),
                check => format!("{check} did not fail"),
            };
        }
        Line::Alias(alias) if Relation::of(alias) == Some(Relation::SamePerson) => {
            return "no row of the HR feed has one of its two keys".to_owned();
        }
        Line::Exception(_) | Line::Alias(_) => {}
    }
    let [person_id, account_id, email] = line.keys();
    let is_known = |who: NameSource<'_>| who.is_of_this_run();
    let is_account = |who: NameSource<'_>| matches!(who, NameSource::Account(_));
    let has_email = |email: &str| {
        let email = EmailAddress::parse(email);
        email.is_some_and(|email| found(&register.by_email, email.key()).any(is_known))
    };
    let has_id = |id| found(&register.by_id, id).any(is_known);
    let has_account = |id| found(&register.by_account, id).any(is_account);
    let keys = [
        ("person_id", person_id.map(has_id)),
        ("account_id", account_id.map(has_account)),
        ("email", email.map(has_email)),
    ];
    let with = |wanted: bool| {
        let keys = keys.iter().filter(move |(_, found)| *found == Some(wanted));
        keys.map(|(name, _)| *name).collect::<Vec<_>>()
    };
    let (found, missing) = (with(true), with(false));
    if missing.is_empty() {
        format!(
            "its {} matches, but the run did not need it",
            found.join(" and ")
        )
    } else if found.is_empty() {
        "no account or person in this run matches it".to_owned()
    } else {
        let missing = missing.join(" or ");
        format!("no account or person in this run has its {missing}")
    }
}
