//! Many leavers and many accounts that share a name, an id or an address: one finding for each, and small evidence.

use super::world::*;
use crate::judgement::{FindingKind, Judgement, Outcome, Verdict};
use crate::model::{Account, EmailAddress, HrRow, Role, Status};

/// Enough people that one entry for each pair of leaver and account would exhaust the memory.
const MANY: usize = if cfg!(debug_assertions) {
    3_000
} else {
    10_000
};

fn account(id: String) -> Account {
    Account {
        emails: EmailAddress::parse(&format!("x{id}@gmail.com"))
            .into_iter()
            .collect(),
        id,
        name: text("Ana Diaz"),
        status: Status::Active,
        role: Role::Guest,
        view_only: None,
        external_id: None,
        joined_at: None,
        last_login_at: None,
    }
}

/// This number of leavers and of accounts without an owner, all named Ana Diaz.
fn namesakes(
    count: usize,
    change_account: impl Fn(usize, &mut Account),
    change_row: impl Fn(usize, &mut HrRow),
) -> World {
    world().change(|inputs| {
        for number in 0..count {
            let mut account = account(format!("{number:016}"));
            change_account(number, &mut account);
            inputs.population.accounts.push(account);
            let of = left(&format!("E{number}")).name("Ana Diaz");
            let mut of = of.mail(&format!("ana{number}@example.com")).0;
            of.line = number as u64 + 2;
            change_row(number, &mut of);
            inputs.hr.rows.push(of);
        }
    })
}

/// The size of the records about suspicions, in bytes.
fn size(judged: &Judgement) -> usize {
    let of_leavers = judged.leavers.iter().map(|leaver| {
        let ids = leaver.suspected_account_id.iter();
        leaver.note.len() + ids.map(|id| id.len() + 4).sum::<usize>()
    });
    let of_findings = judged.findings.iter().map(|finding| finding.note.len());
    of_leavers.chain(of_findings).sum()
}

fn possible(judged: &Judgement) -> usize {
    let findings = judged.findings.iter();
    let is_possible = |kind| kind == FindingKind::PossibleOffboardedAccess;
    findings.filter(|of| is_possible(of.kind)).count()
}

#[track_caller]
fn ensure_small(judged: &Judgement) {
    let size = size(judged);
    assert!(size < 20_000_000, "{size} bytes");
}

#[test]
fn many_leavers_and_accounts_with_one_name_are_one_finding() {
    let first = namesakes(MANY, |_, _| (), |_, _| ());
    let judged = first.judge();
    ensure_small(&judged);
    assert_eq!(possible(&judged), 1);
    let finding = &judged.findings[0];
    assert!(
        finding
            .note
            .contains("at least 50 accounts (0000000000000000, "),
        "{}",
        finding.note
    );
    let leavers = format!("; {MANY} leavers");
    assert!(finding.note.contains(&leavers), "{}", finding.note);
    for leaver in &judged.leavers {
        assert_eq!(leaver.outcome, Outcome::NotEvaluable);
        assert!(leaver.more_suspected);
    }

    // A changed name does not close a suspicion, and does not make the records larger.
    let renamed = first.next().change(|inputs| {
        for account in &mut inputs.population.accounts {
            account.name = text("Bob Roe");
        }
    });
    let judged = renamed.judge();
    ensure_small(&judged);
    assert_eq!(possible(&judged), 1);
    let mut leavers = judged.leavers.iter();
    assert!(leavers.all(|leaver| leaver.outcome == Outcome::NotEvaluable));
}

#[test]
fn many_leavers_and_accounts_with_one_id_or_address_are_one_finding() {
    let unlike = |number: usize, row: &mut HrRow| {
        row.name = Some(format!("Person{number} Unlike{number}"));
    };
    let one_id = namesakes(
        MANY,
        |_, account| {
            account.external_id = text("0815");
            account.name = None;
        },
        |number, row| {
            unlike(number, row);
            row.person_id = text("0815");
        },
    );
    let judged = one_id.judge();
    ensure_small(&judged);
    assert_eq!(possible(&judged), 1);

    let one_address = namesakes(
        MANY,
        |_, account| {
            account.emails = vec![mail("team@example.com")];
            account.name = None;
        },
        |number, row| {
            unlike(number, row);
            row.email = Some(mail("team@example.com"));
        },
    );
    let judged = one_address.judge();
    ensure_small(&judged);
    assert_eq!(possible(&judged), 1);
}

#[test]
fn many_tags_of_one_address_are_one_finding() {
    let tagged = |what: &str, number: usize| mail(&format!("team+{what}{number}@example.com"));
    let tags = namesakes(
        MANY,
        |number, account| account.emails = vec![tagged("a", number)],
        |number, row| row.email = Some(tagged("b", number)),
    );
    let judged = tags.judge();
    ensure_small(&judged);
    assert_eq!(possible(&judged), 1);
}

#[test]
fn leavers_whose_own_account_is_gone_have_no_suspected_namesake() {
    let first = namesakes(
        MANY,
        |number, account| {
            account.emails = vec![mail(&format!("namesake{number}@example.com"))];
        },
        |_, _| (),
    );
    let with_own = first.change(|inputs| {
        for number in 0..MANY {
            let mut own = account(format!("own{number}"));
            own.emails = vec![mail(&format!("ana{number}@example.com"))];
            own.status = Status::Inactive;
            inputs.population.accounts.push(own);
        }
    });
    let judged = with_own.judge();
    ensure_small(&judged);
    assert_eq!(judged.verdict, Verdict::Pass, "{:?}", judged.reasons);
}

/// One leaver and this number of namesakes.
fn one_leaver(accounts: usize) -> World {
    let leaver = left("E1").name("Ana Diaz").mail("ana@example.com");
    world().hr(leaver).change(|inputs| {
        let ids = (0..accounts).map(|number| account(format!("n{number:02}")));
        inputs.population.accounts.extend(ids);
    })
}

#[test]
fn a_note_has_the_number_of_accounts_the_first_ids_and_the_line() {
    let judged = one_leaver(1).judge();
    assert_eq!(
        judged.leavers[0].note,
        "account n00 may be theirs (the same name); closes with: \
         `ALIASES_URL: ,n00,E1,different,,<why>,<who>,`"
    );
    let judged = one_leaver(12).judge();
    assert_eq!(
        judged.leavers[0].note,
        "12 accounts (n00, n01, n02, n03, n04, n05, n06, n07, n08, n09, …) may be theirs (the same name); \
         each account needs its own line; closes with: `ALIASES_URL: ,n00,E1,different,,<why>,<who>,`"
    );
    assert_eq!(judged.leavers[0].suspected_account_id.len(), 12);
    assert_eq!(possible(&judged), 1);
}

fn different(world: World, id: &str) -> World {
    world.alias(|alias| {
        alias.account_id = text(id);
        alias.person_id = text("E1");
        alias.relation = text("different");
    })
}

#[test]
fn a_line_for_each_account_closes_up_to_fifty() {
    let ids = (0..50).map(|number| format!("n{number:02}"));
    let closed = ids.fold(one_leaver(50), |world, id| different(world, &id));
    let judged = closed.judge();
    assert_eq!(judged.leavers[0].outcome, Outcome::NoAccessFound);
    assert_eq!(judged.leavers[0].suspected_account_id.len(), 50);
    assert!(!judged.leavers[0].more_suspected);
}

#[test]
fn only_an_exception_for_the_person_closes_more_than_fifty() {
    let first = one_leaver(52);
    let judged = first.judge();
    assert!(judged.leavers[0].more_suspected);
    assert_eq!(judged.leavers[0].suspected_account_id.len(), 50);
    let line = "more than 50 accounts may be theirs, and the evidence does not list all of them; closes with: \
                `EXCEPTIONS_URL: ,E1,,,<why>,<who>,<today>,<date>`";
    assert!(
        judged.leavers[0].note.contains(line),
        "{}",
        judged.leavers[0].note
    );

    // The last account gets another name, and lines decide all others. It is still suspected.
    let ids = (0..51).map(|number| format!("n{number:02}"));
    let renamed = ids.fold(first.next(), |world, id| different(world, &id));
    let renamed = renamed.named("n51", "Bob Roe").snapshots(3);
    let judged = renamed.judge();
    assert_eq!(judged.leavers[0].outcome, Outcome::NotEvaluable);
    assert!(
        judged.leavers[0].note.contains(line),
        "{}",
        judged.leavers[0].note
    );

    let accepted = renamed.exception(|exception| exception.person_id = text("E1"));
    let judged = accepted.judge();
    assert_eq!(judged.leavers[0].outcome, Outcome::Excepted);
    assert_eq!(judged.verdict, Verdict::PassWithExceptions);
}

#[test]
fn exceptions_for_fifty_accounts_do_not_accept_the_others() {
    let ids = (0..50).map(|number| format!("n{number:02}"));
    let accepted = ids.fold(one_leaver(52), |world, id| {
        world.exception(|exception| exception.account_id = text(&id))
    });
    let judged = accepted.judge();
    assert_eq!(judged.leavers[0].outcome, Outcome::NotEvaluable);
}

#[test]
fn namesakes_at_a_shared_address_keep_their_offboardings() {
    let row = |name: &str, email: &str, line: u64| {
        let mut row = left("").name(name).mail(email).0;
        row.person_id = None;
        row.line = line;
        row
    };
    // Each address has two leavers, so it identifies neither. Only the contents of the rows distinguish the two Adas.
    let rows = [
        row("Ada Moss", "t2@example.com", 2),
        row("Eve Stone", "t2@example.com", 3),
        row("Ada Moss", "t1@example.com", 4),
        row("Bo Quist", "t1@example.com", 5),
    ];
    let mut runs = world()
        .account("t1@example.com")
        .account("t2@example.com")
        .change(|inputs| inputs.hr.rows.extend(rows));
    let lines = |judged: &Judgement| {
        let leavers = judged.leavers.iter();
        let mut lines: Vec<(String, Option<u64>)> = leavers
            .map(|leaver| (leaver.offboarding_id.to_string(), leaver.hr_line))
            .collect();
        lines.sort();
        lines
    };
    let first = lines(&runs.judge());
    assert_eq!(first.len(), 4);
    for _ in 0..3 {
        runs = runs.next();
        assert_eq!(lines(&runs.judge()), first);
    }
}
