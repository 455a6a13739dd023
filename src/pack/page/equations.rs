//! The equations of page one. Each number links to its rows.

use super::words::{RESULTS, STATES};
use crate::model::counted;
use crate::pack::{DeviationType, ItemResult, Pack, Part, RunState};
use crate::report::words::Title as _;

/// A number on one side of an equation.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Term {
    /// `=`, `+` or `−`; none for the first number of a side.
    pub(super) sign: &'static str,
    pub(super) number: u64,
    pub(super) label: &'static str,
    /// The word of the CSV file, if the number counts rows with it.
    pub(super) word: Option<&'static str>,
    /// The place on the page that shows exactly these rows. None if no place does, or for 0.
    pub(super) rows: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Equation {
    pub(super) name: &'static str,
    pub(super) terms: Vec<Term>,
    /// What else to know, as sentences.
    pub(super) note: String,
    /// The CSV file in which the numbers can be counted.
    pub(super) file: &'static str,
}

/// A term that counts the rows of a group.
fn of_group(table: &str, word: &'static str, label: &'static str, number: u64) -> Term {
    Term {
        sign: "+",
        number,
        label,
        word: Some(word),
        rows: (number > 0).then(|| group_id(table, word)),
    }
}

/// A term that counts no rows of one group.
fn term(sign: &'static str, label: &'static str, number: u64) -> Term {
    Term {
        sign,
        number,
        label,
        word: None,
        rows: None,
    }
}

/// A term that counts rows of a table. It links to the table if it counts all of them.
fn of_table(
    pack: &Pack,
    table: &str,
    sign: &'static str,
    label: &'static str,
    number: u64,
) -> Term {
    let rows = pack.table(table).map_or(0, |table| table.rows.len() as u64);
    Term {
        rows: (number > 0 && number == rows).then(|| table_id(table)),
        ..term(sign, label, number)
    }
}

/// An equation: the first number equals the sum of the others.
fn sum(name: &'static str, file: &'static str, mut terms: Vec<Term>, note: String) -> Equation {
    for (place, sign) in [(0, ""), (1, "=")] {
        if let Some(term) = terms.get_mut(place) {
            term.sign = sign;
        }
    }
    Equation {
        name,
        terms,
        note,
        file,
    }
}

pub(super) fn group_id(table: &str, word: &str) -> String {
    format!("{table}-{word}")
}

pub(super) fn table_id(table: &str) -> String {
    format!("table-{table}")
}

pub(super) fn equations(pack: &Pack) -> Vec<Equation> {
    let totals = &pack.totals;
    let mut equations = vec![runs(pack)];

    let result = |result: &ItemResult| {
        let number = totals.items.by_result.get(result).copied();
        of_group(
            "population",
            result.as_str(),
            result.title(),
            number.unwrap_or_default(),
        )
    };
    let total = of_table(pack, "population", "", "items", totals.items.total);
    let terms = [total].into_iter().chain(RESULTS.iter().map(result));
    equations.push(sum(
        "Leavers",
        "population",
        terms.collect(),
        leavers_note(pack),
    ));
    let part = |part: &Part| {
        let number = totals.items.by_part.get(part).copied();
        Term {
            word: Some(part.as_str()),
            ..of_table(
                pack,
                "population",
                "+",
                part.title(),
                number.unwrap_or_default(),
            )
        }
    };
    let total = of_table(pack, "population", "", "items", totals.items.total);
    let terms = [total].into_iter().chain(Part::ALL.iter().map(part));
    equations.push(sum(
        "Population",
        "population",
        terms.collect(),
        String::new(),
    ));

    let deviation = |kind: &DeviationType| {
        let number = totals.deviations.get(kind).copied().unwrap_or_default();
        (number > 0).then(|| of_group("deviations", kind.as_str(), kind.title(), number))
    };
    let total = of_table(
        pack,
        "deviations",
        "",
        "deviations",
        totals.deviations.values().sum(),
    );
    let terms = [total]
        .into_iter()
        .chain(DeviationType::ALL.iter().filter_map(deviation));
    let zero = totals
        .deviations
        .values()
        .filter(|number| **number == 0)
        .count();
    equations.push(sum(
        "Deviations",
        "deviations",
        terms.collect(),
        format!("{zero} further types were looked for, and none was found. Section 7 lists them."),
    ));

    let findings = &totals.findings;
    equations.push(sum(
        "Findings",
        "findings",
        vec![
            Term {
                word: None,
                ..of_group("findings", OPEN, "open at the end", findings.open)
            },
            of_table(
                pack,
                "findings",
                "",
                "open at the start",
                findings.opened_before,
            ),
            of_table(pack, "findings", "+", "opened", findings.opened),
            Term {
                sign: "−",
                word: None,
                ..of_group("findings", CLOSED, "closed", findings.closed)
            },
        ],
        String::new(),
    ));

    let hr = &totals.hr;
    equations.push(sum(
        "HR rows",
        "hr_by_run",
        vec![
            term("", "rows", hr.rows),
            term("", "rows of persons", hr.persons),
            term("+", "further rows of a person", hr.further_rows),
            term("+", "duplicates", hr.duplicates),
            term("+", "rejected", hr.rejected),
            term("+", "blank", hr.blank),
        ],
        format!("These are sums over the {} runs with a verdict.", hr.runs),
    ));

    if let Some(tieout) = &totals.hr_tieout {
        let total = tieout.compared() + tieout.only_in_evidence;
        equations.push(sum(
            "Your HR export",
            "hr_tieout",
            vec![
                of_table(pack, "hr_tieout", "", "ended tenures", total),
                of_table(pack, "hr_tieout", "", "in both", tieout.both),
                of_table(
                    pack,
                    "hr_tieout",
                    "+",
                    "only in the HR export",
                    tieout.only_in_hr,
                ),
                of_table(
                    pack,
                    "hr_tieout",
                    "+",
                    "only in the evidence",
                    tieout.only_in_evidence,
                ),
            ],
            format!(
                "Of those in both, {} have different dates.",
                tieout.dates_differ
            ),
        ));
        let of_file = |sign, label, number| Term {
            sign,
            number,
            label,
            word: None,
            rows: None,
        };
        equations.push(sum(
            "Rows of your HR export",
            "hr_tieout",
            vec![
                of_file("", "rows", tieout.rows),
                of_table(pack, "hr_tieout", "", "compared", tieout.compared()),
                of_file("+", "ended outside of the period", tieout.outside),
                of_file("+", "still employed", tieout.employed),
                of_file("+", "repeated", tieout.repeated),
                of_file("+", "blank, total or footer", tieout.blank),
            ],
            match tieout.compared() {
                0 => NONE_COMPARED.to_owned(),
                _ => String::new(),
            },
        ));
    }
    equations
}

/// What the results do not say.
fn leavers_note(pack: &Pack) -> String {
    let items = &pack.totals.items;
    let with_access = counted(items.still_with_access, "leaver", "leavers");
    let by_grace = counted(items.in_time_by_loosened_grace, "item is", "items are");
    let notes = [
        (
            items.still_with_access,
            format!("No run shows that the access of {with_access} ended."),
        ),
        (
            items.in_time_by_loosened_grace,
            format!("{by_grace} in time only because the grace was loosened."),
        ),
    ];
    let notes = notes.into_iter().filter(|(number, _)| *number > 0);
    notes.map(|(_, note)| note).collect::<Vec<_>>().join(" ")
}

fn runs(pack: &Pack) -> Equation {
    let runs = &pack.totals.runs;
    let number = |state: &RunState| runs.by_state.get(state).copied().unwrap_or_default();
    let state = |state: &RunState| of_group("runs", state.as_str(), state.title(), number(state));
    let due = STATES.iter().filter(|state| **state != RunState::Extra);
    let total = of_table(pack, "runs", "", "runs due", runs.due);
    let terms = [total].into_iter().chain(due.map(state));
    let extra = counted(number(&RunState::Extra), "extra run", "extra runs");
    let states = runs.extra_by_state.iter();
    let states: Vec<String> = states
        .map(|(state, count)| format!("{count} {}", state.title().to_lowercase()))
        .collect();
    let note = match states.is_empty() {
        true => String::new(),
        false => format!("{extra} started in addition: {}.", states.join(", ")),
    };
    sum("Runs", "runs", terms.collect(), note)
}

/// What an export without a row to compare proves.
const NONE_COMPARED: &str =
    "No row of the export ends in the period, so the export proves nothing about the population.";

/// The groups of the table of findings.
pub(super) const OPEN: &str = "open";
pub(super) const CLOSED: &str = "closed";
