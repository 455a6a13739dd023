//! The pages of an audit pack: every number links to its rows, text from outside is text, and a browser shows them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::process::Command;

use crate::report;
use crate::support::chromium::{Page, axe, browser};
use asana_access_review::evidence::{OwnControl, Tool};
use asana_access_review::pack::{
    CalendarDay, CalendarRun, Column, Cover, DeviationType, Fact, FindingTotals, Flag, Gap, GapRun,
    HrTotals, ItemBar, ItemResult, ItemTotals, Kind, NO_CONCLUSION, Pack, Part, RedactionKey,
    Reliance, RunState, RunTotals, SampleReason, SampledException, SampledLeaver, SampledRun,
    ScheduleBasis, Table, Totals, index, sheet,
};
use calamine::{Data, Reader as _, Xlsx};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use serde_json::json;

const HOSTILE: &str = "</td><script>document.title='run'</script>\u{202e}=1+1";

/// A table; a column is `name` or `name:kind`, and a row gives the cells of some columns by name.
fn table(name: &'static str, columns: &str, rows: &[Vec<(&str, String)>]) -> Table {
    let columns = columns.split_whitespace().map(|column| {
        let (name, kind) = column.split_once(':').unwrap_or((column, ""));
        let kind = match kind {
            "count" => Kind::Count,
            "decimal" => Kind::Decimal,
            "day" => Kind::Day,
            "instant" => Kind::Instant,
            "flag" => Kind::Flag,
            _ => Kind::Text,
        };
        let name: &'static str = name.to_owned().leak();
        Column { name, kind }
    });
    let columns: &'static [Column] = columns.collect::<Vec<_>>().leak();
    let cells = |row: &Vec<(&str, String)>| {
        let cell = |column: &Column| {
            let cell = row.iter().find(|(name, _)| *name == column.name);
            cell.map_or(String::new(), |(_, cell)| cell.clone())
        };
        columns.iter().map(cell).collect()
    };
    let mut title = name.replace('_', " ");
    title[..1].make_ascii_uppercase();
    Table {
        name,
        title: title.leak(),
        columns,
        rows: rows.iter().map(cells).collect(),
    }
}

const TOO_OLD: &str = "The HR feed is older than the limit.";

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

struct Leaver {
    name: &'static str,
    result: ItemResult,
    deadline: &'static str,
    /// Hours after the deadline.
    last: Option<i64>,
    first: Option<i64>,
    flags: &'static [Flag],
}

const LEAVERS: &[Leaver] = &[
    Leaver {
        name: "Priya Raman",
        result: ItemResult::Late,
        deadline: "2026-11-09T23:00:00Z",
        last: Some(24),
        first: Some(47),
        flags: &[Flag::ExceptionAfterTheFact],
    },
    Leaver {
        name: HOSTILE,
        result: ItemResult::Open,
        deadline: "2026-12-28T23:00:00Z",
        last: Some(72),
        first: None,
        flags: &[],
    },
    Leaver {
        name: "Jonas Weber",
        result: ItemResult::NotDemonstrated,
        deadline: "2026-11-16T23:00:00Z",
        last: Some(-25),
        first: Some(23),
        flags: &[Flag::GapOverDeadline, Flag::LateNotice],
    },
    Leaver {
        name: "Chiara Moretti-Lindqvist van der Berg",
        result: ItemResult::InTime,
        deadline: "2026-10-10T22:00:00Z",
        last: Some(-24),
        first: Some(-1),
        flags: &[],
    },
    Leaver {
        name: "Bo",
        result: ItemResult::NoAccount,
        deadline: "2026-10-17T22:00:00Z",
        last: None,
        first: None,
        flags: &[Flag::NoDate],
    },
];

/// The fourth quarter of 2026 with two runs a day, one missing and one inconclusive, and so many leavers.
fn pack(leavers: &[&Leaver]) -> Pack {
    let from: Date = "2026-10-01".parse().expect("a day");
    let days = (0..92).map(|day| from.checked_add(day.days()).expect("a day"));
    let state = |day: Date, half: i8| match (day.month(), day.day(), half) {
        (11, 16, 1) => RunState::Missing,
        (11, 17, 0) => RunState::Inconclusive,
        (11, 10 | 11, _) => RunState::Fail,
        (12, 29.., _) => RunState::Fail,
        (12, 1, 0) => RunState::Failed,
        (12, 2, 0) => RunState::PassRiskAccepted,
        _ => RunState::Pass,
    };
    let days = days.map(|day| {
        let runs = [(0, "T00:10:00Z"), (1, "T22:40:00Z")];
        CalendarDay {
            day: day.to_string(),
            runs: runs
                .map(|(half, time)| CalendarRun {
                    at: at(&format!("{day}{time}")),
                    state: state(day, half),
                    run: None,
                })
                .to_vec(),
            deadlines: leavers
                .iter()
                .filter(|of| of.deadline.starts_with(&day.to_string()))
                .count() as u64,
        }
    });
    let days: Vec<CalendarDay> = days.collect();
    let items = (0..).zip(leavers).map(|(number, of)| {
        let deadline = at(of.deadline);
        let hours = |hours: i64| deadline.checked_add(hours.hours()).expect("an instant");
        ItemBar {
            item_id: format!("{number:012x}"),
            name: Some(of.name.to_owned()),
            part: Part::InPeriod,
            result: of.result,
            end_of_work: Some(hours(-24)),
            deadline: Some(deadline),
            last_seen_with_access: of.last.map(hours),
            first_seen_without_access: of.first.map(hours),
            flags: of.flags.to_vec(),
        }
    });
    let items: Vec<ItemBar> = items.collect();
    let text = |of: Option<Timestamp>| of.map_or(String::new(), |at| at.to_string());
    let population = items.iter().map(|item| {
        vec![
            ("item_id", item.item_id.clone()),
            ("person_id", "N-1005".to_owned()),
            ("name", item.name.clone().unwrap_or_default()),
            ("account_id", "1204556770001005".to_owned()),
            ("account_email", "priya.raman@northwind.example".to_owned()),
            ("role_at_end", "member".to_owned()),
            ("status_at_end", "active".to_owned()),
            ("match", "email".to_owned()),
            ("hr_end", String::new()),
            ("hr_last_day", "2026-11-08".to_owned()),
            (
                "end_of_work_local",
                "2026-11-09 00:00 Europe/Berlin".to_owned(),
            ),
            ("deadline", text(item.deadline)),
            ("grace_hours", "24".to_owned()),
            ("last_seen_entry", "81".to_owned()),
            ("first_seen_entry", "83".to_owned()),
            ("concluded_entry", "83".to_owned()),
            ("result", item.result.to_string()),
        ]
    });
    let population: Vec<_> = population.collect();
    let runs = days.iter().flat_map(|day| &day.runs);
    let rows = (1..).zip(runs.clone()).map(|(sequence, run)| {
        let went = !matches!(run.state, RunState::Missing | RunState::Failed);
        let mut row = vec![
            ("due_at", run.at.to_string()),
            ("due_local", run.at.strftime("%Y-%m-%d %H:%M").to_string()),
            ("state", run.state.to_string()),
            ("kind", "run".to_owned()),
            ("verified", "recomputed".to_owned()),
        ];
        if went {
            row.extend([
                (
                    "verdict",
                    match run.state {
                        RunState::Inconclusive => "inconclusive".to_owned(),
                        _ => String::new(),
                    },
                ),
                ("began_at", run.at.to_string()),
                ("committed_at", run.at.to_string()),
                ("sequence", format!("{sequence}")),
                (
                    "complete",
                    (run.state != RunState::Inconclusive).to_string(),
                ),
                ("accounts", "31".to_owned()),
            ]);
        }
        if run.state == RunState::Inconclusive {
            row.push(("reason", TOO_OLD.to_owned()));
        }
        row
    });
    let rows: Vec<_> = rows.collect();
    let gap = |before: &str, after: &str, runs: &[(&str, RunState, &str)]| Gap {
        run_before: Some(at(before)),
        run_after: Some(at(after)),
        runs: runs
            .iter()
            .map(|(began, state, reason)| GapRun {
                at: at(began),
                state: *state,
                reason: (*reason).to_owned(),
            })
            .collect(),
        items: (0..items.len())
            .filter(|place| {
                let deadline = items[*place].deadline.expect("a deadline");
                (at(before)..at(after)).contains(&deadline)
            })
            .collect(),
    };
    let gaps = vec![
        gap(
            "2026-11-16T00:10:00Z",
            "2026-11-17T22:40:00Z",
            &[
                ("2026-11-16T22:40:00Z", RunState::Missing, ""),
                ("2026-11-17T00:10:00Z", RunState::Inconclusive, TOO_OLD),
            ],
        ),
        gap(
            "2026-11-30T22:40:00Z",
            "2026-12-01T22:40:00Z",
            &[("2026-12-01T00:10:00Z", RunState::Failed, "")],
        ),
    ];
    let mut by_state: BTreeMap<RunState, u64> = RunState::ALL.iter().map(|of| (*of, 0)).collect();
    for run in runs {
        *by_state.entry(run.state).or_default() += 1;
    }
    let mut by_result: BTreeMap<ItemResult, u64> =
        ItemResult::ALL.iter().map(|of| (*of, 0)).collect();
    for item in &items {
        *by_result.entry(item.result).or_default() += 1;
    }
    let mut deviations: BTreeMap<DeviationType, u64> =
        DeviationType::ALL.iter().map(|of| (*of, 0)).collect();
    deviations.insert(DeviationType::RemovalLate, 1);
    deviations.insert(DeviationType::RunMissing, 1);
    let deviation = |kind: DeviationType, id: &str, item: &str, what: &str| {
        vec![
            ("deviation_id", id.to_owned()),
            ("type", kind.to_string()),
            ("severity", "high".to_owned()),
            ("item_id", item.to_owned()),
            (
                "criterion",
                "Access ends within 24 h after the end of work.".to_owned(),
            ),
            ("what", what.to_owned()),
            ("opened_at", "2026-11-10T22:40:00Z".to_owned()),
            ("closed_at", "2026-11-11T22:40:00Z".to_owned()),
            ("days", "1".to_owned()),
        ]
    };
    let finding = |id: &str, closed: &str| {
        vec![
            ("finding_id", id.to_owned()),
            ("kind", "offboarded_access".to_owned()),
            ("opened_entry", "81".to_owned()),
            ("closed_entry", closed.to_owned()),
            ("runs", "2".to_owned()),
        ]
    };
    let types = DeviationType::ALL.iter().map(|kind| {
        vec![
            ("type", kind.to_string()),
            ("severity", kind.severity().to_string()),
            ("rule", format!("the rule of {kind}")),
            ("count", deviations[kind].to_string()),
        ]
    });
    let types: Vec<_> = types.collect();
    let tables = vec![
        table(
            "population",
            "item_id person_id name emails hr_status hr_end hr_last_day end_of_work:instant end_of_work_local deadline:instant \
             grace_hours:decimal rule_entry:count account_id account_email role_at_end status_at_end match \
             last_seen_entry:count first_seen_entry:count result concluded_entry:count later_events exception \
             flags part",
            &population,
        ),
        table(
            "runs",
            "due_at:instant due_local state kind verdict run sequence:count began_at:instant committed_at:instant \
             complete:flag accounts:count hr_rows:count leavers:count deadlines_since_last_complete:count \
             failed_checks verified reason",
            &rows,
        ),
        table(
            "deviations",
            "deviation_id type severity item_id account_id run criterion what opened_entry:count \
             opened_at:instant closed_entry:count closed_at:instant days:count how_closed exception \
             management_response",
            &[
                deviation(DeviationType::RunMissing, "d-1", "", "No run started."),
                deviation(DeviationType::RemovalLate, "d-2", "000000000000", HOSTILE),
            ],
        ),
        table("deviation_types", "type severity rule count:count", &types),
        table(
            "findings",
            "finding_id kind severity account_id person_id opened_entry:count closed_entry:count runs:count \
             how_closed",
            &[finding("f-1", ""), finding("f-2", "83")],
        ),
        table(
            "hr_by_run",
            "sequence:count sha256 rows:count read:count rejected:count blank:count duplicates:count \
             persons:count further_rows:count leavers:count active:count on_leave:count \
             unclassified:count carried:count",
            &[],
        ),
        table("rules", "rule before after entry:count", &[]),
    ];
    Pack {
        cover: cover(),
        totals: Totals {
            runs: RunTotals {
                due: rows.len() as u64,
                by_state,
                extra_by_state: BTreeMap::new(),
            },
            items: ItemTotals {
                total: items.len() as u64,
                by_result,
                by_part: [(Part::InPeriod, items.len() as u64)].into(),
                still_with_access: 0,
                in_time_by_loosened_grace: 0,
            },
            hr: HrTotals::default(),
            findings: FindingTotals {
                opened_before: 1,
                opened: 1,
                closed: 1,
                open: 1,
            },
            deviations,
            hr_tieout: None,
        },
        tables,
        days,
        items,
        gaps,
        sample: Vec::new(),
        integrity: vec![Fact {
            name: "Head of the ledger",
            value: "184:9f2c".to_owned(),
        }],
        limits: vec!["Access between two runs.".to_owned()],
        ask_for: vec!["The tickets of the sampled leavers.".to_owned()],
    }
}

fn cover() -> Cover {
    Cover {
        entity: Some("Northwind Instruments".to_owned()),
        workspace_id: Some("1204556770000001".to_owned()),
        connection: "3f6c1e0a-58d2-4b7e-9a41-0c2d7e5b8f13".to_owned(),
        criticality: "high".to_owned(),
        own_controls: vec![OwnControl {
            id: "NW-IAM-07".to_owned(),
            text: Some("Leavers lose access within a day".to_owned()),
        }],
        mark: Some("TEST DATA".to_owned()),
        from: "2026-10-01".to_owned(),
        to: "2026-12-31".to_owned(),
        zone: "Europe/Berlin".to_owned(),
        from_instant: at("2026-09-30T22:00:00Z"),
        to_instant: at("2026-12-31T23:00:00Z"),
        population_sha256: "9f2c".repeat(16),
        seed: None,
        sample_size: 25,
        sample_runs: 25,
        schedule_basis: ScheduleBasis::Recorded,
        schedule: Some("10 0,22 * * * (Europe/Berlin)".to_owned()),
        complete_from_entry: None,
        first_run: Some(at("2026-10-01T00:10:00Z")),
        last_run: Some(at("2026-12-31T22:40:00Z")),
        tool: Tool {
            name: "asana-access-review".to_owned(),
            version: "0.1.0".to_owned(),
            commit: "unknown".to_owned(),
        },
        reliance: Reliance {
            public_keys: vec!["1c00".repeat(16)],
            head_given: Some(184),
            last_entry: 184,
            is_period_over: true,
            ..Reliance::default()
        },
        items_on_faults: 0,
        redacted: false,
        has_expected: false,
        statement: NO_CONCLUSION,
    }
}

fn all() -> Vec<&'static Leaver> {
    LEAVERS.iter().collect()
}

fn html(pack: &Pack) -> String {
    String::from_utf8(index(pack)).expect("text")
}

/// The values of an attribute.
fn values<'a>(html: &'a str, attribute: &str) -> Vec<&'a str> {
    let marker = format!(" {attribute}=\"");
    let after = html.split(&*marker).skip(1);
    after.filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn every_link_leads_to_a_row_of_the_page_and_ids_are_unique() {
    let html = html(&pack(&all()));
    let ids = values(&html, "id");
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), unique.len(), "{ids:?}");
    let links = values(&html, "href");
    let inside: Vec<&str> = links
        .iter()
        .filter_map(|link| link.strip_prefix('#'))
        .collect();
    assert!(inside.contains(&"population-late") && inside.contains(&"runs-missing"));
    assert!(
        inside.contains(&"item-000000000000"),
        "a deviation names its item"
    );
    let dead: Vec<&&str> = inside.iter().filter(|id| !unique.contains(**id)).collect();
    assert_eq!(dead, Vec::<&&str>::new());
    for described in values(&html, "aria-labelledby") {
        for id in described.split(' ') {
            assert!(unique.contains(id), "{id}");
        }
    }
}

#[test]
fn every_equation_on_the_page_adds_up() {
    let html = html(&pack(&all()));
    let equations: Vec<&str> = html.split("class=\"equation\"").skip(1).collect();
    assert_eq!(equations.len(), 6);
    for equation in equations {
        let equation = equation.split("</p>").next().expect("an end");
        let mut sum = 0;
        let mut total = 0;
        for (place, term) in equation.split("<span class=\"term").skip(1).enumerate() {
            let number = term.split("<b>").nth(1).expect("a number");
            let number: i64 = number
                .split('<')
                .next()
                .expect("a number")
                .parse()
                .expect("one");
            match place {
                0 => total = number,
                _ if term.contains('−') => sum -= number,
                _ => sum += number,
            }
        }
        assert_eq!(total, sum, "{equation}");
    }
}

#[test]
fn text_from_outside_stays_text() {
    let pack = pack(&all());
    let html = html(&pack);
    assert!(!html.contains("<script"));
    assert!(html.contains("&#60;script&#62;") || html.contains("&lt;script&gt;"));
    assert!(!html.contains('\u{202e}') && html.contains("[U+202E]"));
}

#[test]
fn the_page_never_concludes() {
    let html = html(&pack(&all())).to_lowercase();
    for word in [
        "compliant",
        "compliance",
        "is effective",
        "was effective",
        "operated effectively",
    ] {
        assert!(!html.contains(word), "{word}");
    }
    assert!(html.contains(&NO_CONCLUSION.to_lowercase()));
}

#[test]
fn a_long_table_ends_after_200_rows_and_the_most_severe_come_first() {
    let mut leavers = vec![&LEAVERS[3]; 300];
    leavers.push(&LEAVERS[0]);
    let html = html(&pack(&leavers));
    assert!(html.contains("The first 200 of 301 rows"));
    assert_eq!(html.matches("id=\"item-").count(), 200);
    let late = html.find("id=\"population-late\"").expect("the late ones");
    let in_time = html.find("id=\"population-in_time\"").expect("the others");
    assert!(late < in_time);
    assert!(html.contains("The first 199 are shown here"));
}

#[test]
fn a_gap_names_its_runs_and_the_items_that_were_due_in_it() {
    let html = html(&pack(&all()));
    let gaps = html.split("id=\"table-gaps\"").nth(1).expect("the table");
    let gaps = gaps.split("</table>").next().expect("its end");
    let rows: Vec<&str> = gaps.split("<tr>").skip(2).collect();
    assert_eq!(rows.len(), 2, "{gaps}");
    assert!(rows[0].contains("missing") && rows[0].contains("older than the limit"));
    assert!(rows[0].contains("Jonas Weber") && !rows[0].contains("Priya"));
    assert!(rows[1].contains("did not finish") && rows[1].contains("none"));
}

#[test]
fn a_redacted_page_has_no_reason_of_a_run() {
    let pack = pack(&all());
    assert!(html(&pack).contains(TOO_OLD));
    let key = RedactionKey::of(&[7; RedactionKey::BYTES]);
    assert!(!html(&pack.redact(&key)).contains(TOO_OLD));
}

#[test]
fn faults_redaction_and_an_unknown_schedule_are_on_the_first_page() {
    let mut pack = pack(&[]);
    pack.cover.items_on_faults = 3;
    pack.cover.reliance = Reliance {
        faults: 2,
        warnings: vec!["The end of the ledger may have been cut off.".to_owned()],
        head_given: Some(5),
        last_entry: 184,
        runs_without_entry: vec!["dt=2026-11-12/run=20261112T224000Z-7f3a9c".to_owned()],
        replaced_schedule: Some("30 23 * * * (Europe/Berlin)".to_owned()),
        ..Reliance::default()
    };
    pack.cover.redacted = true;
    pack.cover.schedule_basis = ScheduleBasis::Unknown;
    pack.cover.complete_from_entry = Some(17);
    pack.cover.entity = None;
    let html = html(&pack);
    let first = html.split("id=\"calendar\"").next().expect("a page");
    for text in [
        "2 faults of integrity",
        "--despite-faults",
        "3 items rest on a run with a fault",
        "The end of the ledger may have been cut off.",
        "not relied on: no public key was given",
        "entry 184; the head of entry 5 was given",
        "<code>dt=2026-11-12/run=20261112T224000Z-7f3a9c</code>",
        "The evidence records <code>30 23 * * * (Europe/Berlin)</code>",
        "The period is not over.",
        "pseudonymous, not anonymous",
        "missing runs are found only by the gaps between runs",
        "complete from ledger entry 17",
    ] {
        assert!(first.contains(text), "{text}");
    }
}

fn leaver(after_the_fact: bool) -> SampledLeaver {
    let run = |sequence, run: &str, as_of: &str| SampledRun {
        sequence,
        run: run.to_owned(),
        as_of: at(as_of),
        entry_sha256: "ab".repeat(32),
        files: vec!["0000000081.json".to_owned(), "manifest.json".to_owned()],
    };
    SampledLeaver {
        folder: "leaver-01-000000000000".to_owned(),
        item_id: "000000000000".to_owned(),
        why: SampleReason::AllDeviations,
        hr: table(
            "hr",
            "sequence:count status end",
            &[vec![("status", "Terminated".to_owned())]],
        ),
        access: table("access", "sequence:count as_of:instant status", &[]),
        before: Some(run(
            81,
            "dt=2026-11-10/run=20261110T224000Z-5a3c1e",
            "2026-11-10T22:40:00Z",
        )),
        after: Some(run(
            83,
            "dt=2026-11-11/run=20261111T224000Z-5a3c1e",
            "2026-11-11T22:40:00Z",
        )),
        rule: None,
        exception: Some(SampledException {
            line: 2,
            reason: Some(HOSTILE.to_owned()),
            approved_by: Some("ciso@northwind.example".to_owned()),
            approved_on: Some("2026-11-11".to_owned()),
            ticket: None,
            in_force_since: Some(at("2026-11-11T22:40:00Z")),
            after_the_fact,
        }),
        grace_seconds: Some(86_400),
        rule_run: Some("dt=2026-11-09/run=20261109T224000Z-5a3c1e".to_owned()),
    }
}

#[test]
fn a_sheet_fills_in_b_to_f_and_leaves_the_rest_to_the_auditor() {
    let pack = pack(&all());
    let html = sheet(&pack, &leaver(true)).expect("a sheet");
    let html = String::from_utf8(html).expect("text");
    assert!(!html.contains("<script"));
    assert!(html.contains("after the fact") && html.contains("<strong>Late</strong>"));
    let rows: Vec<&str> = html.split("<tr><th scope=\"row\">").skip(1).collect();
    for (letter, filled) in ["A.", "B.", "C.", "D.", "E.", "F.", "G.", "Conclusion"]
        .into_iter()
        .zip([false, true, true, true, true, true, false, false])
    {
        let row = rows
            .iter()
            .find(|row| row.starts_with(letter))
            .expect("a row");
        let evidence = row.split("</th>").nth(1).expect("cells");
        assert_eq!(
            !evidence
                .starts_with("<td class=\"blank\" data-label=\"What the evidence shows\"></td>"),
            filled,
            "{row}"
        );
        assert!(
            row.contains("<td class=\"blank\" data-label=\"Result of the test\"></td></tr>"),
            "the result is blank: {row}"
        );
    }
    let unknown = SampledLeaver {
        item_id: "ffffffffffff".to_owned(),
        ..leaver(false)
    };
    assert_eq!(sheet(&pack, &unknown), None);
}

/// Keeps the pages for people: `cargo test --test it pack_page:: -- --ignored`.
#[test]
#[ignore = "writes pages to target/pack-page for people"]
fn the_pages_are_written_to_look_at() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pack-page");
    fs::create_dir_all(&folder).expect("a folder");
    written(&folder);
}

/// Writes the pages of a pack to a folder, and returns their paths.
fn written(folder: &Path) -> [std::path::PathBuf; 2] {
    let pack = pack(&all());
    let paths = [folder.join("index.html"), folder.join("sheet.html")];
    fs::write(&paths[0], index(&pack)).expect("a file");
    fs::write(&paths[1], sheet(&pack, &leaver(false)).expect("a sheet")).expect("a file");
    paths
}

/// A cell of the spreadsheet in the form of a cell of the CSV file: an instant or a day.
fn as_csv(cell: &Data, like: &str) -> String {
    let day = |days: f64| {
        let first: Date = "1899-12-30".parse().expect("a day");
        let days = (days.floor() as i64).days();
        first.checked_add(days).expect("a day")
    };
    match cell {
        Data::Empty => String::new(),
        Data::String(text) => text.clone(),
        Data::Bool(flag) => flag.to_string(),
        Data::Float(number) => number.to_string(),
        Data::DateTime(at) if !like.contains('T') => day(at.as_f64()).to_string(),
        Data::DateTime(at) => {
            let at = at.as_f64();
            let seconds = (at.fract() * 86_400.0).round() as i64;
            let midnight = day(at).in_tz("UTC").expect("an instant");
            let at = midnight.checked_add(seconds.seconds()).expect("an instant");
            at.timestamp().to_string()
        }
        other => panic!("{other:?}"),
    }
}

/// A cell of a CSV file as the spreadsheet shows it: without the mark before a formula, and a number without zeros at
/// its end.
fn as_shown(cell: &str) -> String {
    let cell = cell.strip_prefix('\'').unwrap_or(cell);
    match cell.parse::<f64>() {
        Ok(number) if cell.len() < 16 && cell.contains('.') => number.to_string(),
        Ok(_) | Err(_) => cell.to_owned(),
    }
}

#[test]
fn the_spreadsheet_has_every_cell_of_the_csv_files() {
    let folder = report::pack_folder();
    let bytes = fs::read(folder.join("audit-pack.xlsx")).expect("a spreadsheet");
    let mut book = Xlsx::new(Cursor::new(bytes)).expect("a spreadsheet");
    let mut cells = 0;
    let cover = book.worksheet_range("cover").expect("the first tab");
    let cover: BTreeMap<String, String> = cover
        .rows()
        .map(|row| (as_csv(&row[0], ""), as_csv(&row[1], "")))
        .collect();
    let sums = fs::read_to_string(folder.join("pack.json")).expect("the totals");
    assert!(sums.contains(&cover["SHA-256 of the population"]));
    assert_eq!(cover["Statement"], NO_CONCLUSION);
    assert_eq!(cover["Period"], "2026-10-01 to 2026-10-20");
    assert_eq!(book.sheet_names()[0], "cover");
    for name in book.sheet_names().into_iter().skip(1) {
        let sheet = book.worksheet_range(&name).expect("a tab");
        let mut sheet = sheet.rows();
        let header = sheet.next().expect("a header").iter();
        let header: Vec<String> = header.map(|cell| as_csv(cell, "")).collect();
        let rows = report::rows(&name);
        for (row, in_sheet) in rows.iter().zip(sheet.by_ref()) {
            for (column, cell) in header.iter().zip(in_sheet) {
                let like = &row[column];
                assert_eq!(as_csv(cell, like), as_shown(like), "{name}: {column}");
                cells += 1;
            }
            assert_eq!(row.len(), header.len());
        }
        assert_eq!(sheet.count(), 0, "{name} has more rows than its file");
    }
    let files = fs::read_dir(folder.join("csv")).expect("a folder").count();
    assert_eq!(book.sheet_names().len(), files + 1);
    assert!(cells > 1000, "{cells}");
}

/// LibreOffice on this machine. Continuous integration must have it.
#[expect(
    clippy::disallowed_methods,
    reason = "a test looks for tools on this machine"
)]
#[expect(
    clippy::print_stdout,
    reason = "the output of the test should name what was skipped"
)]
fn office() -> Option<&'static str> {
    let found = Command::new("soffice").arg("--version").output().is_ok();
    assert!(
        found || std::env::var_os("CI").is_none(),
        "no LibreOffice, and this is continuous integration: install libreoffice-calc"
    );
    if !found {
        println!("skipped: no LibreOffice on this machine");
    }
    found.then_some("soffice")
}

#[test]
fn libreoffice_opens_the_spreadsheet_and_keeps_ids_and_dates() {
    let Some(office) = office() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    // Every tab as a CSV file, with cells as they are shown.
    let filter = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1";
    let converted = Command::new(office)
        .arg(format!(
            "-env:UserInstallation=file://{}/profile",
            folder.path().display()
        ))
        .args(["--headless", "--convert-to", filter, "--outdir"])
        .arg(folder.path())
        .arg(report::pack_folder().join("audit-pack.xlsx"))
        .output()
        .expect("LibreOffice");
    assert!(converted.status.success(), "{converted:?}");
    let file = folder.path().join("audit-pack-population.csv");
    let mut reader = csv::Reader::from_path(file).expect("the tab of the population");
    let header = reader.headers().expect("a header").clone();
    let rows = report::rows("population");
    let seen: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    assert_eq!(seen.len(), rows.len());
    for (seen, row) in seen.iter().zip(&rows) {
        for (column, cell) in header.iter().zip(seen) {
            match column {
                "item_id" | "person_id" | "account_id" | "result" => assert_eq!(cell, row[column]),
                "deadline" => {
                    let cell = cell.replace(' ', "T");
                    assert_eq!(format!("{cell}Z"), row[column]);
                }
                _ => {}
            }
        }
    }
}

#[test]
fn every_number_of_an_equation_counts_the_rows_that_it_links_to() {
    let html = fs::read_to_string(report::pack_folder().join("index.html")).expect("a page");
    let mut checked = BTreeSet::new();
    for term in html.split("<span class=\"term").skip(1) {
        let term = term.split("</p>").next().expect("a term");
        let Some(rows) = term.split("href=\"#").nth(1) else {
            continue;
        };
        let target = rows.split('"').next().expect("a link");
        let number = term.split("<b>").nth(1).expect("a number");
        let number: usize = number
            .split('<')
            .next()
            .expect("one")
            .parse()
            .expect("a number");
        let (table, word) = target.split_once('-').expect("a table");
        if table == "table" {
            assert_eq!(report::rows(word).len(), number, "{target}");
            continue;
        }
        let is_one = |row: &&BTreeMap<String, String>| match table {
            "population" => row["result"] == word,
            "runs" => row["state"] == word,
            "deviations" => row["type"] == word,
            "findings" => row["closed_entry"].is_empty() == (word == "open"),
            _ => panic!("{table}"),
        };
        assert_eq!(
            report::rows(table).iter().filter(is_one).count(),
            number,
            "{target}"
        );
        checked.insert(table.to_owned());
    }
    assert_eq!(checked.len(), 4, "{checked:?}");
}

#[test]
fn a_page_shows_words_and_not_codes() {
    let html = fs::read_to_string(report::pack_folder().join("index.html")).expect("a page");
    for code in ["who_and_when", "in_force", "first_seen", "true", "false"] {
        assert!(!html.contains(&format!(">{code}<")), "{code}");
    }
    assert!(html.contains(">who and when<") && html.contains(">in force<"));
}

#[test]
fn a_missing_run_has_a_reason_and_its_deviation_is_an_event() {
    let runs = report::rows("runs");
    let mut missing = runs.iter().filter(|run| run["state"] == "missing");
    assert_eq!(missing.next().expect("one")["reason"], "no run started");
    let deviations = report::rows("deviations");
    let mut events = deviations.iter().filter(|of| of["type"] == "run_missing");
    assert_eq!(events.next().expect("one")["how_closed"], "event");
}

#[test]
fn no_table_is_cut_at_1280_px_or_on_paper() {
    let Some(browser) = browser() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let [_, sheet] = written(folder.path());
    for file in [report::pack_folder().join("index.html"), sheet] {
        let mut page = Page::open(&browser, &file);
        // 965 px are the width of a letter in landscape between its margins. Chromium shrinks a page that is wider.
        for (media, width) in [("screen", 1280), ("print", 965)] {
            page.ask("Emulation.setEmulatedMedia", json!({ "media": media }));
            page.size(width, 900);
            let cut = page.value(
                "[...document.querySelectorAll('.scroll')].filter((of) => of.scrollWidth > \
                 of.clientWidth).map((of) => of.getAttribute('aria-labelledby'))",
            );
            assert_eq!(cut, json!([]), "{}, {media}", file.display());
        }
        let size = page.value(
            "Math.min(...[...document.querySelectorAll('td, th, td *, th *')].map((of) => \
             parseFloat(getComputedStyle(of).fontSize)))",
        );
        let points = size.as_f64().expect("pixels") * 0.75;
        assert!(points > 6.99, "a table has {points} pt on paper");
    }
}

#[test]
fn every_link_of_the_pages_leads_to_a_file_of_the_pack() {
    let folder = report::pack_folder();
    let mut pages = vec![folder.join("index.html")];
    for sample in fs::read_dir(folder.join("samples")).expect("samples") {
        let sheet = sample.expect("a folder").path().join("sheet.html");
        pages.extend(sheet.is_file().then_some(sheet));
    }
    assert!(pages.len() > 3, "{pages:?}");
    for page in pages {
        let html = fs::read_to_string(&page).expect("a page");
        let links = values(&html, "href").into_iter();
        for link in links.filter(|link| !link.starts_with('#')) {
            let file = link.split('#').next().expect("a file");
            let file = page.parent().expect("a folder").join(file);
            assert!(file.is_file(), "{}: {link}", page.display());
        }
    }
}

#[test]
fn axe_finds_no_accessibility_problem_in_the_pages_of_a_pack() {
    let (Some(browser), Some(axe)) = (browser(), axe()) else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    for file in written(folder.path()) {
        let mut page = Page::open(&browser, &file);
        page.value(&format!("{axe}; 0"));
        for scheme in ["light", "dark"] {
            for width in [360, 768, 1280] {
                let features =
                    json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
                page.ask("Emulation.setEmulatedMedia", features);
                page.size(width, 900);
                let found = page.value(
                    "axe.run().then((found) => found.violations.map((of) => \
                     of.id + ': ' + of.nodes.map((node) => node.html.slice(0, 200)).join(' | ')))",
                );
                assert_eq!(found, json!([]), "{}, {scheme}, {width}", file.display());
                let beyond = page.value(
                    "document.documentElement.scrollWidth - document.documentElement.clientWidth",
                );
                assert_eq!(beyond, 0, "{} is wider than {width} px", file.display());
            }
        }
        assert_eq!(page.complaints, Vec::<String>::new());
    }
}
