//! Manual decisions: their effects and their limits.

use super::world::*;
use crate::judgement::{
    CheckId, CheckStatus, FindingKind, Judgement, ManualKind, ManualState, MatchKind, Outcome,
    Verdict,
};
use crate::model::{Exception, Role, Status};

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";
const LEFT: jiff::civil::Date = jiff::civil::date(2026, 11, 2);

/// Ada has left and still has access.
fn still_in() -> World {
    world().account(ADA).leaver(ADA, LEFT)
}

/// Each line with its number, state and detail.
fn lines(judged: &Judgement) -> Vec<String> {
    let line = |of: &crate::judgement::ManualUse| {
        let text = format!("{} {} {}: {}", of.kind, of.line, of.state, of.detail);
        text.trim_end_matches([' ', ':']).to_owned()
    };
    judged.manual.iter().map(line).collect()
}

fn states(judged: &Judgement) -> Vec<ManualState> {
    judged.manual.iter().map(|line| line.state).collect()
}

/// The run with an exception by this approver.
fn approved(snapshot: &World, covers: fn(&mut Exception), approver: &str) -> Judgement {
    let snapshot = snapshot.clone().exception(|exception| {
        covers(exception);
        exception.approved_by = text(approver);
    });
    snapshot.judge()
}

/// Checks that an exception by each of these approvers is malformed.
fn ensure_refused(snapshot: &World, covers: fn(&mut Exception), approvers: &[&str]) {
    for approver in approvers {
        let judged = approved(snapshot, covers, approver);
        assert_eq!(judged.verdict, Verdict::Fail, "{approver}");
        let invalid = FindingKind::ExceptionInvalid;
        assert!(kinds(&judged).contains(&invalid), "{approver}");
        let exceptions = judged.manual.iter();
        let states: Vec<ManualState> = exceptions
            .filter(|line| line.kind == ManualKind::Exception)
            .map(|line| line.state)
            .collect();
        assert_eq!(states, [ManualState::Malformed], "{approver}");
    }
}

// ---- Aliases: same ----

#[test]
fn an_alias_ties_an_account_to_a_leaver_by_id_or_by_address() {
    let world = || {
        world()
            .account_as("77", "gh-ada@other.example")
            .leaver(ADA, LEFT)
    };
    let by_ids = world().alias(|alias| {
        alias.account_id = text("77");
        alias.person_id = text("E-ada");
    });
    let account_by_address = world().alias(|alias| {
        alias.email = text("GH-Ada@other.example");
        alias.person_id = text("E-ada");
    });
    let person_by_address = world().alias(|alias| {
        alias.email = text(ADA);
        alias.account_id = text("77");
        alias.relation = text("Same");
    });
    for snapshot in [by_ids, account_by_address, person_by_address] {
        let judged = snapshot.judge();
        let leaver = leaver(&judged, ADA);
        assert_eq!(leaver.outcome, Outcome::StillActive);
        assert_eq!(leaver.matched_by, [MatchKind::Alias]);
        assert_eq!(judged.verdict, Verdict::Fail);
        assert_eq!(
            lines(&judged),
            ["alias 2 used: ties account 77 to the person"]
        );
    }
}

#[test]
fn an_alias_to_an_account_that_no_run_saw_proves_nothing() {
    let snapshot = world().leaver("ada@unknown.example", LEFT).alias(|alias| {
        alias.account_id = text("77");
        alias.person_id = text("E-ada");
    });
    let judged = snapshot.judge();
    assert_eq!(
        outcome(&judged, "ada@unknown.example"),
        Outcome::NotEvaluable
    );
    assert_eq!(states(&judged), [ManualState::Unused]);

    let by_address = world().leaver("ada@unknown.example", LEFT).alias(|alias| {
        alias.email = text("ada.l@example.com");
        alias.person_id = text("E-ada");
    });
    let judged = by_address.judge();
    assert_eq!(
        outcome(&judged, "ada@unknown.example"),
        Outcome::NoAccessFound
    );
    assert_eq!(
        lines(&judged),
        ["alias 2 used: names an account that no run has seen"]
    );
}

#[test]
fn a_leaver_tied_by_an_alias_stays_tied_without_the_alias() {
    let snapshot = world()
        .account_as("77", "gh-ada@other.example")
        .leaver(ADA, LEFT)
        .alias(|alias| {
            alias.account_id = text("77");
            alias.person_id = text("E-ada");
        })
        .next()
        .change(|inputs| inputs.manual.aliases = None);
    let judged = snapshot.judge();
    assert_eq!(outcome(&judged, ADA), Outcome::StillActive);
    assert_eq!(
        changes(&judged)[0].split(':').next(),
        Some("policy_changed aliases")
    );

    // Only an alias `different` ends the tie.
    let undone = snapshot.alias(|alias| {
        alias.account_id = text("77");
        alias.person_id = text("E-ada");
        alias.relation = text("different");
    });
    assert_eq!(outcome(&undone.judge(), ADA), Outcome::NoAccessFound);
}

#[test]
fn different_ends_any_tie_and_accepts_a_risk() {
    let different = |approver: &'static str| {
        still_in().alias(move |alias| {
            alias.account_id = text("ada");
            alias.person_id = text("E-ada");
            alias.relation = text("different");
            alias.approved_by = text(approver);
        })
    };
    let judged = different("ciso@example.com").judge();
    assert_eq!(outcome(&judged, ADA), Outcome::NoAccessFound);
    assert_eq!(judged.verdict, Verdict::PassWithExceptions);
    assert_eq!(states(&judged), [ManualState::Used]);
    for approver in [ADA, "E-ada", "n/a", "-"] {
        assert_eq!(
            different(approver).judge().verdict,
            Verdict::Fail,
            "{approver}"
        );
    }
}

#[test]
fn a_service_alias_does_not_take_an_account_from_its_leaver() {
    let judged = still_in()
        .alias(|alias| {
            alias.account_id = text("ada");
            alias.relation = text("service");
            alias.owner = text("root@example.com");
            alias.reason = text("a bot");
            alias.expires_on = text("2027-11-30");
        })
        .judge();
    assert_eq!(judged.verdict, Verdict::Fail);
    assert_eq!(states(&judged), [ManualState::Unused]);
}

// ---- Aliases: different, service ----

#[test]
fn a_suspicion_is_open_until_an_alias_decides_it() {
    let suspected = || {
        world()
            .account("ada+asana@example.com")
            .leaver(ADA, LEFT)
            .set("ada+asana", |account| account.id = "8".to_owned())
    };
    assert_eq!(suspected().judge().verdict, Verdict::Inconclusive);

    let same = suspected().alias(|alias| {
        alias.account_id = text("8");
        alias.person_id = text("E-ada");
    });
    assert_eq!(same.judge().verdict, Verdict::Fail);

    let different = suspected().alias(|alias| {
        alias.email = text("ada+asana@example.com");
        alias.person_id = text("E-ada");
        alias.relation = text("different");
    });
    let judged = different.judge();
    assert_eq!(judged.verdict, Verdict::Pass);
    assert_eq!(outcome(&judged, ADA), Outcome::NoAccessFound);
    assert_eq!(
        lines(&judged),
        ["alias 2 used: account 8 does not belong to the person"]
    );

    let of_another_person = suspected().alias(|alias| {
        alias.account_id = text("8");
        alias.person_id = text("E-bob");
        alias.relation = text("different");
    });
    assert_eq!(of_another_person.judge().verdict, Verdict::Inconclusive);
}

fn bot(world: World, owner: &str) -> World {
    world
        .account("bot@example.com")
        .named("bot", "Ada Diaz")
        .alias(|alias| {
            alias.email = text("bot@example.com");
            alias.relation = text("service");
            alias.owner = text(owner);
            alias.reason = text("mirrors tickets");
            alias.expires_on = text("2027-06-30");
        })
}

#[test]
fn a_service_account_is_never_suspected() {
    let ada = row("E-ada").mail(ADA).name("Ada Diaz").ended().end(LEFT);
    let judged = bot(world(), "root@example.com").hr(ada).judge();
    assert_eq!(judged.verdict, Verdict::Pass);
    assert_eq!(
        lines(&judged),
        ["alias 2 used: account bot is a service account"]
    );
}

#[test]
fn a_service_account_whose_owner_left_makes_the_run_inconclusive() {
    for owner in ["E-ada", "Ada@example.com"] {
        let snapshot = bot(world().account(ADA), owner)
            .leaver(ADA, LEFT)
            .status("ada", Status::Inactive);
        let judged = snapshot.judge();
        assert_eq!(kinds(&judged), [FindingKind::PossibleOffboardedAccess]);
        let finding = &judged.findings[0];
        assert_eq!(finding.account_id.as_deref(), Some("bot"));
        assert_eq!(finding.person_id.as_deref(), Some("E-ada"));
        assert!(
            finding
                .note
                .contains("the owner of this service account has left"),
            "{}",
            finding.note
        );
        assert!(lines(&judged)[0].contains("the owner of account bot has left"));
        // The leaver's own access is still gone.
        assert_eq!(outcome(&judged, ADA), Outcome::Removed);
        assert_eq!(judged.verdict, Verdict::Inconclusive);
    }
}

#[test]
fn a_service_account_needs_owner_reason_and_last_day() {
    for take in ["owner", "reason", "expires_on"] {
        let judged = bot(world(), "root@example.com")
            .change(|inputs| {
                let file = inputs.manual.aliases.as_mut().expect("a file");
                let alias = &mut file.lines[0];
                match take {
                    "owner" => alias.owner = None,
                    "reason" => alias.reason = None,
                    _ => alias.expires_on = None,
                }
            })
            .judge();
        assert_eq!(states(&judged), [ManualState::Malformed]);
        assert_eq!(kinds(&judged), [FindingKind::AliasInvalid]);
        let note = &judged.findings[0].note;
        assert!(
            note.contains(take) && note.starts_with("line 2 of the aliases"),
            "{note}"
        );
    }
}

#[test]
fn a_manual_decision_identifies_an_account_without_address() {
    let nameless = || world().account_as("7", "none");
    let judged = nameless().judge();
    assert_eq!(status(&judged, CheckId::FieldsKnown), CheckStatus::Fail);

    let service = nameless().alias(|alias| {
        alias.account_id = text("7");
        alias.relation = text("service");
        alias.owner = text("root@example.com");
        alias.reason = text("the integration");
        alias.expires_on = text("2027-01-31");
    });
    let judged = service.judge();
    assert_eq!(status(&judged, CheckId::FieldsKnown), CheckStatus::Pass);
    assert!(judged.findings.is_empty());
    assert_eq!(judged.verdict, Verdict::Pass);

    let excepted = nameless().exception(|exception| exception.account_id = text("7"));
    let judged = excepted.judge();
    assert_eq!(status(&judged, CheckId::FieldsKnown), CheckStatus::Warn);
    assert!(judged.findings.is_empty());
    assert_eq!(judged.verdict, Verdict::PassWithExceptions);
}

// ---- Domain aliases ----

#[test]
fn equivalent_domains_match_as_domain_alias() {
    let snapshot = world()
        .account("ada@example.io")
        .leaver(ADA, LEFT)
        .policy(|policy| policy.email_domain_aliases = vec!["example.com=example.io".to_owned()]);
    let judged = snapshot.judge();
    assert_eq!(outcome(&judged, ADA), Outcome::StillActive);
    assert_eq!(leaver(&judged, ADA).matched_by, [MatchKind::DomainAlias]);
    assert!(
        judged
            .organization_domains
            .contains(&"example.io".to_owned())
    );

    // Without the setting, the same local part in another own domain is a suspicion.
    let without = world().account("ada@example.io").leaver(ADA, LEFT).judge();
    assert_eq!(outcome(&without, ADA), Outcome::NotEvaluable);
    assert_eq!(kinds(&without), [FindingKind::PossibleOffboardedAccess]);
}

#[test]
fn a_plus_tag_in_an_equivalent_domain_is_suspected() {
    let snapshot = world()
        .account("ada+x@example.io")
        .leaver(ADA, LEFT)
        .policy(|policy| policy.email_domain_aliases = vec!["example.io=example.com".to_owned()]);
    assert_eq!(
        kinds(&snapshot.judge()),
        [FindingKind::PossibleOffboardedAccess]
    );
}

#[test]
fn look_alike_letters_are_suspected_and_never_match() {
    let cyrillic = "\u{430}da@example.com";
    for (account, hr) in [(cyrillic, ADA), (ADA, cyrillic)] {
        let judged = world().account_as("9", account).leaver(hr, LEFT).judge();
        assert_eq!(judged.leavers[0].outcome, Outcome::NotEvaluable);
        assert!(judged.leavers[0].account_id.is_empty());
        assert_eq!(kinds(&judged), [FindingKind::PossibleOffboardedAccess]);
        assert!(judged.findings[0].note.contains("look-alike letters"));
    }
    // In two ASCII addresses, one letter distinguishes two people.
    let plain = world()
        .account("anal@example.com")
        .leaver("ana1@example.com", LEFT);
    assert!(plain.judge().findings.is_empty());
}

// ---- Exceptions ----

#[test]
fn an_exception_covers_access_after_the_deadline() {
    let judged = still_in()
        .exception(|exception| exception.person_id = text("E-ada"))
        .judge();
    let leaver = leaver(&judged, ADA);
    assert_eq!(leaver.outcome, Outcome::Excepted);
    assert_eq!(leaver.exception_expires.as_deref(), Some("2026-12-24"));
    assert!(
        leaver
            .note
            .contains("approved by “ciso@example.com” until 2026-12-24")
    );
    assert_eq!(judged.verdict, Verdict::PassWithExceptions);
    assert!(judged.findings.is_empty());
    assert_eq!(
        lines(&judged),
        ["exception 2 used: covers access by account ada"]
    );
}

#[test]
fn all_keys_of_an_exception_must_match() {
    type Change = fn(&mut Exception);
    let cases: [(Change, Outcome); 6] = [
        (|e| e.email = text(ADA), Outcome::Excepted),
        (|e| e.account_id = text("ada"), Outcome::Excepted),
        (
            |e| (e.person_id, e.account_id) = (text("E-ada"), text("ada")),
            Outcome::Excepted,
        ),
        (
            |e| (e.person_id, e.account_id) = (text("E-ada"), text("other")),
            Outcome::StillActive,
        ),
        (
            |e| (e.person_id, e.email) = (text("E-bob"), text(ADA)),
            Outcome::StillActive,
        ),
        (|e| e.person_id = text("e-ada"), Outcome::StillActive),
    ];
    for (number, (change, expected)) in cases.into_iter().enumerate() {
        let judged = still_in().exception(change).judge();
        assert_eq!(outcome(&judged, ADA), expected, "case {number}");
    }
}

#[test]
fn an_exception_for_one_account_does_not_cover_another() {
    let judged = still_in()
        .account_as("2", ADA)
        .exception(|exception| exception.account_id = text("2"))
        .judge();
    assert_eq!(outcome(&judged, ADA), Outcome::StillActive);
    let found: Vec<_> = judged
        .findings
        .iter()
        .map(|f| f.account_id.as_deref())
        .collect();
    assert_eq!(found, [Some("ada")]);
    assert_eq!(judged.verdict, Verdict::Fail);
}

#[test]
fn an_exception_that_was_not_needed_is_reported_as_unused() {
    for snapshot in [
        still_in().without("ada"),
        still_in().status("ada", Status::Inactive),
        // Access within the grace needs no exception.
        world().account(ADA).leaver(ADA, date(2026, 11, 22)),
    ] {
        let judged = snapshot
            .exception(|exception| exception.person_id = text("E-ada"))
            .judge();
        assert_eq!(judged.verdict, Verdict::Pass);
        assert_eq!(
            lines(&judged),
            ["exception 2 unused: its person_id matches, but the run did not need it"]
        );
    }
}

#[test]
fn an_expired_exception_is_a_finding_and_covers_nothing() {
    let until = |day: &'static str, snapshot: &'static str| {
        still_in()
            .at(snapshot)
            .policy(|policy| policy.hr_time_zone = "America/New_York".to_owned())
            .exception(|exception| {
                exception.person_id = text("E-ada");
                exception.expires_on = text(day);
            })
            .judge()
    };
    // In New York, the 23rd ends at 05:00 UTC.
    let last_moment = until("2026-11-23", "2026-11-24T04:59:59Z");
    assert_eq!(last_moment.verdict, Verdict::PassWithExceptions);
    let over = until("2026-11-23", "2026-11-24T05:00:00Z");
    assert_eq!(over.verdict, Verdict::Fail);
    assert_eq!(
        kinds(&over),
        [FindingKind::OffboardedAccess, FindingKind::ExceptionInvalid]
    );
    assert_eq!(
        lines(&over),
        ["exception 2 expired: it was in force through 2026-11-23"]
    );
    assert_eq!(over.findings[1].person_id.as_deref(), Some("E-ada"));
}

#[test]
fn a_malformed_exception_is_a_finding_and_covers_nothing() {
    type Change = fn(&mut Exception);
    let cases: [(Change, &str); 21] = [
        (|e| e.reason = None, "it has no reason"),
        (
            |e| e.reason = text("SEC-118"),
            "its reason is not usable: write a reason in words",
        ),
        (
            |e| e.reason = text("<why>"),
            "its reason is not usable: write a reason in words",
        ),
        (|e| e.approved_by = None, "it has no approved_by"),
        (
            |e| e.approved_by = text("<who>"),
            "its approved_by is not usable: write an e-mail address or a person id",
        ),
        (|e| e.approved_on = None, "it has no approved_on"),
        (
            |e| e.approved_on = text("<today>"),
            "its approved_on is not a date: write it as 2026-12-31",
        ),
        (
            |e| e.approved_on = text("20/11/2026"),
            "its approved_on is not a date: write it as 2026-12-31",
        ),
        (
            |e| e.approved_on = text("2026-11-24"),
            "its approved_on is after today",
        ),
        // A renewal that changes only the last day.
        (
            |e| e.approved_on = text("2026-08-01"),
            "it expires on 2026-12-24, more than 90 days after 2026-08-01",
        ),
        (
            |e| e.expires_on = text("-"),
            "its expires_on is not a date: write it as 2026-12-31",
        ),
        (|e| e.expires_on = None, "it has no expires_on"),
        (
            |e| e.expires_on = text("31.12.2026"),
            "its expires_on is not a date: write it as 2026-12-31",
        ),
        (
            |e| e.expires_on = text("2026-12-24T10:00"),
            "its expires_on is not a date: write it as 2026-12-31",
        ),
        (
            |e| e.expires_on = text("2027-02-19"),
            "it expires on 2027-02-19, more than 90 days after 2026-11-20",
        ),
        (
            |e| e.email = text("ada@"),
            "its email is not an e-mail address",
        ),
        (
            |e| e.check = text("hr_drop"),
            "it names both a check and a person or account: write two lines",
        ),
        (
            |e| (e.person_id, e.check) = (None, text("viewer")),
            "its check is not one of `population_drop`, `hr_drop`, `leavers_without_address`",
        ),
        (
            |e| e.person_id = None,
            "it covers nothing: give person_id, email, account_id or check",
        ),
        (
            |e| e.approved_by = text(" e-ADA "),
            "it is approved by the person it is for",
        ),
        (
            |e| e.fault = text("the line has 3 cells, but the header has 7"),
            "the line has 3 cells, but the header has 7",
        ),
    ];
    for (change, reason) in cases {
        let judged = still_in()
            .exception(|exception| {
                exception.person_id = text("E-ada");
                change(exception);
            })
            .judge();
        assert_eq!(judged.verdict, Verdict::Fail, "{reason}");
        assert_eq!(states(&judged), [ManualState::Malformed], "{reason}");
        let note = &judged.findings[1].note;
        assert_eq!(*note, format!("line 2 of the exceptions: {reason}"));
    }
    // Ninety days are allowed.
    let longest = still_in().exception(|exception| {
        exception.person_id = text("E-ada");
        exception.expires_on = text("2027-02-18");
    });
    assert_eq!(longest.judge().verdict, Verdict::PassWithExceptions);
}

#[test]
fn an_exception_approved_under_any_own_name_is_refused() {
    let ada = row("E-ada").mail(ADA).name("Ada Diaz").ended().end(LEFT);
    let snapshot = world().account(ADA).hr(ada);
    let her_account = |exception: &mut Exception| exception.account_id = text("ada");
    let her_names = [
        "E-ada",
        "ada@example.com",
        "Ada <ADA@example.com>",
        "diaz, ada",
    ];
    ensure_refused(&snapshot, her_account, &her_names);
}

#[test]
fn an_exception_accepts_a_rejected_row_by_id_or_address() {
    for (id, email) in [
        (Some("E-ada"), None),
        (None, Some(ADA)),
        (Some("E-ada"), Some(ADA)),
    ] {
        let covered = |exception: &mut Exception| {
            exception.person_id = id.and_then(text);
            exception.email = email.and_then(text);
        };
        let snapshot = world().rejected(id, email).exception(covered);
        let judged = snapshot.judge();
        let check = check(&judged, CheckId::HrRowsAccounted);
        assert_eq!(check.status, CheckStatus::Warn);
        assert!(
            check.detail.contains("the exception in line 2"),
            "{}",
            check.detail
        );
        assert_eq!(judged.verdict, Verdict::PassWithExceptions);

        let another = snapshot.rejected(Some("E-bob"), None).judge();
        assert_eq!(
            status(&another, CheckId::HrRowsAccounted),
            CheckStatus::Fail
        );
        assert_eq!(another.verdict, Verdict::Inconclusive);
    }
}

#[test]
fn an_exception_accepts_a_fall_of_the_population_and_names_its_line() {
    let snapshot = world().crowd(60).snapshots(1).change(|inputs| {
        inputs.population.accounts.truncate(20);
    });
    assert_eq!(snapshot.judge().verdict, Verdict::Inconclusive);
    let judged = snapshot
        .clone()
        .exception(|exception| exception.check = text("population_drop"))
        .judge();
    assert_eq!(status(&judged, CheckId::PopulationDrop), CheckStatus::Warn);
    assert!(judged.complete);
    assert_eq!(judged.verdict, Verdict::PassWithExceptions);
    let of_the_other = snapshot.exception(|exception| exception.check = text("hr_drop"));
    assert_eq!(of_the_other.judge().verdict, Verdict::Inconclusive);
}

#[test]
fn an_exception_accepts_a_doubt_only_in_a_complete_run() {
    let unknown = still_in()
        .status("ada", Status::Unknown(None))
        .exception(|exception| exception.person_id = text("E-ada"));
    let judged = unknown.judge();
    assert_eq!(outcome(&judged, ADA), Outcome::Excepted);
    assert_eq!(judged.verdict, Verdict::PassWithExceptions);
    let note = &leaver(&judged, ADA).note;
    assert!(
        note.starts_with("accepted, not judged: exception in line 2"),
        "{note}"
    );
    let cut = still_in()
        .cut()
        .exception(|exception| exception.person_id = text("E-ada"));
    assert_eq!(outcome(&cut.judge(), ADA), Outcome::NotEvaluable);
    assert_eq!(cut.judge().verdict, Verdict::Inconclusive);
}

#[test]
fn malformed_lines_without_keys_share_one_finding() {
    let judged = world()
        .exception(|exception| exception.reason = None)
        .exception(|exception| exception.expires_on = None)
        .judge();
    assert_eq!(kinds(&judged), [FindingKind::ExceptionInvalid]);
    let note = &judged.findings[0].note;
    assert!(
        note.contains("line 2 of") && note.contains("line 3 of"),
        "{note}"
    );
}

#[test]
fn another_file_of_decisions_is_a_changed_rule() {
    let snapshot = still_in()
        .exception(|exception| exception.person_id = text("E-ada"))
        .next()
        .exception(|exception| exception.person_id = text("E-bob"));
    let judged = snapshot.judge();
    assert!(
        check(&judged, CheckId::PolicyUnchanged)
            .detail
            .ends_with("exceptions")
    );
    assert!(changes(&judged)[0].starts_with("policy_changed exceptions: "));
}

// ---- A recycled address ----

#[test]
fn an_account_that_began_after_the_end_of_work_is_noted_only() {
    let snapshot = still_in().set("ada", |account| {
        account.joined_at = Some(at("2026-11-10T08:00:00Z"));
    });
    let judged = snapshot.judge();
    assert_eq!(outcome(&judged, ADA), Outcome::StillActive);
    let note = &leaver(&judged, ADA).note;
    assert!(
        note.contains("joined on 2026-11-10, after the end of work"),
        "{note}"
    );
    let before = still_in().set("ada", |account| {
        account.joined_at = Some(at("2026-11-01T08:00:00Z"));
    });
    assert!(!leaver(&before.judge(), ADA).note.contains("joined on"));
}

#[test]
fn an_admin_covered_by_an_exception_is_excepted() {
    let judged = still_in()
        .role("ada", Role::Admin)
        .exception(|exception| exception.email = text(ADA))
        .judge();
    assert_eq!(outcome(&judged, ADA), Outcome::Excepted);
}

// ---- Approval by the person concerned ----

#[test]
fn an_approval_under_another_spelling_of_the_own_name_is_refused() {
    let ada = row("E-ada").mail(ADA).name("Ada Smith").ended().end(LEFT);
    let snapshot = world()
        .account_as("77", "asana-ada@example.com")
        .named("77", "Ada Asana")
        .hr(ada)
        .policy(|policy| policy.email_domain_aliases = vec!["example.com=corp.io".to_owned()])
        .alias(|alias| {
            alias.account_id = text("77");
            alias.person_id = text("E-ada");
        });
    let her = |exception: &mut Exception| exception.person_id = text("E-ada");
    let spellings = [
        "ada@corp.io",
        "ada+boss@example.com",
        "asana-ada@example.com",
        "Ada Smith <ada+x@example.com>",
        "77",
        "Ada Asana",
        "Ada Smith (CISO)",
        "Dr. Ada Smith",
        "Ada.Smith",
        "Ada\u{200b} Smith",
        "Ad\u{430} Smith",
        "\"ada@example.com\"",
        "mailto:ada@example.com",
        "ada@example.com/ceo@example.com",
        "E-ADA, CISO",
        "-",
        "?",
    ];
    ensure_refused(&snapshot, her, &spellings);
    for approver in ["ciso@example.com", "Eva Jones <eva@example.com>", "E-4711"] {
        let judged = approved(&snapshot, her, approver);
        assert_eq!(judged.verdict, Verdict::PassWithExceptions, "{approver}");
    }
    for approver in ["Ada Jones", "Legal", "n/a", "none", "self"] {
        ensure_refused(&snapshot, her, &[approver]);
    }
}

#[test]
fn an_alias_to_an_unknown_person_identifies_no_account() {
    let judged = world()
        .account_as("7", "none")
        .alias(|alias| {
            alias.account_id = text("7");
            alias.person_id = text("UNKNOWN");
        })
        .judge();
    assert_eq!(status(&judged, CheckId::FieldsKnown), CheckStatus::Fail);
    assert_eq!(kinds(&judged), [FindingKind::AccountUnidentifiable]);
}

#[test]
fn the_owner_of_a_service_account_is_found_by_any_key() {
    let same = |world: World| {
        world.policy(|policy| policy.email_domain_aliases = vec!["example.com=corp.io".to_owned()])
    };
    for owner in ["ada@corp.io", "Ada Diaz", "E-ada"] {
        let ada = row("E-ada").mail(ADA).name("Ada Diaz").ended().end(LEFT);
        let snapshot = bot(same(world()), owner).named("bot", "Bot").hr(ada);
        let judged = snapshot.judge();
        assert_eq!(
            kinds(&judged),
            [FindingKind::PossibleOffboardedAccess],
            "{owner}"
        );
        let gone = snapshot.next().no_rows().snapshots(4).judge();
        assert_eq!(
            kinds(&gone),
            [FindingKind::PossibleOffboardedAccess],
            "{owner}"
        );
        assert_eq!(gone.verdict, Verdict::Inconclusive);
    }
}

#[test]
fn a_suspicion_survives_a_cut_list_a_deleted_line_and_a_new_name() {
    let suspected = || {
        let ada = row("E-ada")
            .mail("ada@home.example")
            .name("Ada Diaz")
            .ended()
            .end(LEFT);
        world()
            .account_as("8", "x@example.com")
            .named("8", "Ada Diaz")
            .hr(ada)
    };
    let hidden = suspected().next().cut().named("8", "Another Name").next();
    assert_eq!(
        kinds(&hidden.judge()),
        [FindingKind::PossibleOffboardedAccess]
    );

    let decided = suspected()
        .alias(|alias| {
            alias.account_id = text("8");
            alias.person_id = text("E-ada");
            alias.relation = text("different");
        })
        .next()
        .named("8", "Another Name");
    assert!(!kinds(&decided.judge()).contains(&FindingKind::PossibleOffboardedAccess));
    let undecided = decided.next().change(|inputs| inputs.manual.aliases = None);
    assert_eq!(
        kinds(&undecided.judge()),
        [FindingKind::PossibleOffboardedAccess]
    );
    // Two leavers without ids keep their own suspicions.
    let two = |world: World| {
        let ada = row("")
            .mail("ada@home.example")
            .name("Ada Diaz")
            .ended()
            .end(LEFT);
        let bob = row("")
            .mail("bob@home.example")
            .name("Bob Roe")
            .ended()
            .end(LEFT);
        world.hr(ada).hr(bob)
    };
    let snapshot = two(world())
        .account_as("8", "x@example.com")
        .named("8", "Ada Diaz")
        .account_as("9", "y@example.com")
        .named("9", "Bob Roe")
        .snapshots(2);
    let judged = snapshot.judge();
    let suspected = judged.leavers.iter();
    let suspected: Vec<&str> = suspected
        .map(|leaver| match &leaver.suspected_account_id[..] {
            [only] => only.as_str(),
            several => panic!("{several:?}"),
        })
        .collect();
    assert_eq!(suspected, ["8", "9"]);
}

#[test]
fn leavers_and_accounts_with_one_name_are_one_question() {
    let mut snapshot = world();
    for (id, mail) in [
        ("E1", "a@h.example"),
        ("E2", "b@h.example"),
        ("E3", "c@h.example"),
    ] {
        snapshot = snapshot.hr(row(id).mail(mail).name("Ana Diaz").ended().end(LEFT));
    }
    for id in ["8", "9"] {
        let mail = format!("x{id}@example.com");
        snapshot = snapshot.account_as(id, &mail).named(id, "Ana Diaz");
    }
    let asked = |snapshot: &World| {
        let judged = snapshot.judge();
        let possible = FindingKind::PossibleOffboardedAccess;
        let findings = judged.findings.into_iter();
        let pair = |finding: crate::judgement::Finding| {
            let account = finding.account_id.unwrap_or_default();
            format!("{account} {}", finding.person_id.unwrap_or_default())
        };
        let findings = findings.filter(|finding| finding.kind == possible);
        findings.map(pair).collect::<Vec<_>>()
    };
    assert_eq!(asked(&snapshot), ["8 E1"]);
    let answered = snapshot.alias(|alias| {
        alias.account_id = text("8");
        alias.person_id = text("E2");
    });
    assert_eq!(asked(&answered), ["9 E1"]);
}

#[test]
fn a_fall_is_measured_against_runs_with_a_readable_feed() {
    let rows = |count: usize| {
        move |mut snapshot: World| {
            for number in 0..count {
                snapshot = snapshot.hr(row(&format!("R{number}")).active());
            }
            snapshot
        }
    };
    let snapshot = rows(120)(world()).next().unusable().snapshots(8).no_rows();
    let judged = rows(3)(snapshot).judge();
    assert_eq!(status(&judged, CheckId::HrDrop), CheckStatus::Fail);
}

#[test]
fn a_service_account_whose_owner_left_stays_open_without_its_line() {
    let snapshot = bot(world().account(ADA), "E-ada")
        .leaver(ADA, LEFT)
        .status("ada", Status::Inactive);
    assert_eq!(snapshot.judge().verdict, Verdict::Inconclusive);
    let next = snapshot.next();
    let gone = next.clone().change(|inputs| inputs.manual.aliases = None);
    let expired = next.at("2027-07-01T00:00:00Z");
    for snapshot in [gone, expired] {
        let kinds = kinds(&snapshot.judge());
        assert!(
            kinds.contains(&FindingKind::PossibleOffboardedAccess),
            "{kinds:?}"
        );
    }
}

#[test]
fn a_self_approved_exception_is_reported_beside_a_valid_one() {
    for days in [["2026-12-24", "2026-12-31"], ["2026-12-31", "2026-12-24"]] {
        let judged = still_in()
            .exception(|exception| {
                exception.account_id = text("ada");
                exception.expires_on = text(days[0]);
            })
            .exception(|exception| {
                exception.account_id = text("ada");
                exception.expires_on = text(days[1]);
                exception.approved_by = text("E-ada");
            })
            .judge();
        assert_eq!(judged.verdict, Verdict::PassWithExceptions);
        let expected = [ManualState::Used, ManualState::Malformed];
        assert_eq!(states(&judged), expected, "{days:?}");
    }
}

#[test]
fn a_leaver_cannot_accept_a_suspicion_about_themselves() {
    let suspected = world()
        .account_as("1", "nick@example.com")
        .set("1", |account| account.name = text("Ada Diaz"))
        .hr(left("E1").mail(ADA).name("Ada Diaz"));
    for approver in ["E1", ADA] {
        let judged = suspected
            .clone()
            .exception(|of| {
                of.account_id = text("1");
                of.approved_by = text(approver);
            })
            .judge();
        assert_eq!(outcome(&judged, ADA), Outcome::NotEvaluable, "{approver}");
    }
}

#[test]
fn a_doubt_is_not_accepted_by_the_address_of_the_account() {
    let judged = world()
        .account_as("1", ADA)
        .set("1", |account| account.external_id = text("E1"))
        .status("1", Status::Unknown(None))
        .hr(left("E1").name("Ada Diaz"))
        .exception(|of| {
            of.person_id = text("E1");
            of.approved_by = text(ADA);
        })
        .judge();
    assert_eq!(outcome_of(&judged, "E1"), Outcome::NotEvaluable);
}

#[test]
fn a_leaver_cannot_approve_being_an_employed_person() {
    let judged = world()
        .account(ADA)
        .hr(left("E1").mail(ADA))
        .hr(row("E2").mail(BOB).active().start(date(2026, 11, 5)))
        .alias(|alias| {
            alias.person_id = text("E1=E2");
            alias.relation = text("same_person");
            alias.approved_by = text(ADA);
        })
        .judge();
    assert_eq!(outcome_of(&judged, "E1"), Outcome::StillActive);
    assert_eq!(judged.verdict, Verdict::Fail);
}

#[test]
fn an_account_address_cannot_approve_a_different_alias() {
    let judged = world()
        .account_as("1", "nick@example.com")
        .set("1", |account| account.name = text("Ada Diaz"))
        .hr(left("E1").mail(ADA).name("Ada Diaz"))
        .alias(|alias| {
            alias.account_id = text("1");
            alias.person_id = text("E1");
            alias.relation = text("different");
            alias.approved_by = text("nick@example.com");
        })
        .judge();
    assert_eq!(outcome(&judged, ADA), Outcome::NotEvaluable);
    assert_eq!(states(&judged), [ManualState::Malformed]);
}

#[test]
fn a_doubt_is_not_accepted_by_the_address_of_a_suspected_account() {
    let judged = world()
        .account_as("1", "nick@example.com")
        .set("1", |account| account.name = text("Ada Diaz"))
        .hr(left("E1").mail(ADA).name("Ada Diaz"))
        .exception(|of| {
            of.person_id = text("E1");
            of.approved_by = text("nick@example.com");
        })
        .judge();
    assert_eq!(outcome(&judged, ADA), Outcome::NotEvaluable);
}

#[test]
fn a_shared_address_cannot_approve_for_one_of_its_people() {
    let judged = world()
        .hr(left("E1").mail(ADA).name("Ada Diaz"))
        .hr(left("E2").mail(ADA).name("Bob Roe"))
        .hr(left("E3").mail(ADA).name("Eve"))
        .exception(|of| {
            of.check = text("leavers_without_address");
            of.approved_by = text(ADA);
        })
        .judge();
    assert_eq!(outcome_of(&judged, "E1"), Outcome::NotEvaluable);
}

#[test]
fn another_row_of_the_person_cannot_approve_a_same_person_alias() {
    let judged = world()
        .account(ADA)
        .hr(left("E1").mail(ADA))
        .hr(left("E1").name("Ada Diaz"))
        .hr(row("E2").mail(BOB).active().start(date(2026, 11, 5)))
        .alias(|alias| {
            alias.person_id = text("ada@example.com=E2");
            alias.relation = text("same_person");
            alias.approved_by = text("Ada Diaz <a@b.example>");
        })
        .judge();
    assert_eq!(outcome_of(&judged, "E1"), Outcome::StillActive);
    assert_eq!(states(&judged), [ManualState::Malformed]);
}
