//! Dates as systems and people write them, placeholders for a missing date, and zones.

use super::usual;
use crate::situations::company::midnight;
use crate::situations::must::{Case, Must, case, ensure_each};

use Must::{Accuse, NotAccuse, Report};

/// Ben left, and his termination date has this text.
fn ended(text: &str, must: Must) -> Case {
    case(
        text,
        must,
        usual(&format!(
            "E10,Ben Ode,user10@acme.example,Terminated,2019-01-01,\"{text}\""
        )),
    )
}

#[test]
fn a_date_is_read_in_every_common_form() {
    ensure_each(
        [
            "{D-20}",
            "{D-20|%Y/%m/%d}",
            "{D-20|%Y.%m.%d}",
            "{D-20|%Y%m%d}",
            "{D-20|%d.%m.%Y}",
            "{D-20|%-d.%-m.%Y}",
            "{D-20|%d-%b-%Y}",
            "{D-20|%-d-%b-%y}",
            "{D-20|%d %b %Y}",
            "{D-20|%-d %B %Y}",
            "{D-20|%b %-d, %Y}",
            "{D-20|%B %-d, %Y}",
            "{D-20}T00:00:00",
            "{D-20}T00:00:00Z",
            "{D-20}T00:00:00.000Z",
            "{D-20}T00:00:00+00:00",
            "{D-20}T00:00:00.0000000",
            "{D-20}T17:30:00-07:00",
            "{D-20} 00:00:00",
            "{D-20} 00:00:00.000",
            "{D-20}-07:00",
            "{D-20}Z",
            "{D-20|%d.%m.%Y} 00:00:00",
            "{D-20|excel}",
            "/Date({D-20|seconds}000)/",
            "/Date({D-20|seconds}000+0000)/",
            "\u{a0}{D-20} ",
        ]
        .map(|text| ended(text, Accuse("user10"))),
    );
}

#[test]
fn a_date_in_an_uncommon_form_does_not_pass() {
    ensure_each(
        [
            "{D-20|%d/%m/%Y}",
            "{D-20|%m/%d/%Y}",
            "{D-20|%m-%d-%Y}",
            "{D-20|%d/%m/%y}",
            "{D-20|%A, %-d %B %Y}",
            "{D-20|%a %b %d %Y}",
            "{D-20|%Y年%-m月%-d日}",
            "令和8年11月3日",
            "3. November 2026",
            "3 novembre 2026",
            "3 de noviembre de 2026",
            "03-nov-2026",
            "Nov 3rd, 2026",
            "{D-20|seconds}",
            "{D-20|seconds}000",
            "{D-20|%G-W%V-%u}",
            "2026-11",
            "11/2026",
            "2026",
            "Q4 2026",
            "{D-20} to {D+20}",
            "{D-20}?",
            "approx. {D-20}",
            "end of October",
            "########",
            "#VALUE!",
            "2026-02-30",
            "2026-13-01",
            "20261301",
            "0226-11-03",
            "2062-11-03",
            "{D-20|%d.%m.%y}",
        ]
        .map(|text| ended(text, Report("user10"))),
    );
}

const NO_DATE: [&str; 26] = [
    "",
    "-",
    "--",
    "N/A",
    "n/a",
    "#N/A",
    "NULL",
    "null",
    "None",
    "NaT",
    "0",
    "0000-00-00",
    "0000-00-00 00:00:00",
    "00/00/0000",
    "00.00.0000",
    "/  /",
    "1900-01-01",
    "01/01/1900",
    "1.1.1900",
    "1899-12-30",
    "12/30/1899",
    "0001-01-01",
    "0001-01-01T00:00:00",
    "9999-12-31",
    "12/31/9999",
    "31.12.9999",
];

/// The status says employed, and the termination date is a placeholder.
#[test]
fn a_word_for_no_date_ends_no_work() {
    ensure_each(NO_DATE.map(|text| {
        let rows = usual(&format!(
            "E10,Ben Ode,user10@acme.example,Active,2019-01-01,{text}"
        ));
        case(text, NotAccuse, rows)
            .company(|company| {
                company.roster().env(
                    "HR_FEED_DATE_ORDER",
                    if text.contains("31.") { "dmy" } else { "mdy" },
                )
            })
            .also(
                |run| match run.hr.iter().find(|row| row["kind"] == "rejected") {
                    Some(row) => Err(format!("rejected: {}", row["reason"])),
                    None => Ok(()),
                },
            )
    }));
}

/// The status says left and the date is a placeholder, so the end of work is unknown.
#[test]
fn a_leaver_without_a_date_does_not_pass_in_the_first_run() {
    ensure_each(NO_DATE.map(|text| ended(text, Report("user10"))));
}

/// The day of the end, and the hour at which it closes in this zone.
fn zoned(zone: &'static str, hour_of_the_next_day: &'static str) -> Case {
    let text = format!(
        "Employee ID,Name,Work Email,Status,Termination Date,Time Zone\n\
         E10,Ben Ode,user10@acme.example,Terminated,{{D-20}},\"{zone}\"\n"
    );
    case(zone, Accuse("user10"), text).also(move |run| {
        // The zones east of Greenwich close the day before its end in UTC.
        let (day, hour) = match hour_of_the_next_day.strip_prefix('-') {
            Some(hour) => (-20, hour),
            None => (-19, hour_of_the_next_day),
        };
        let expected = midnight(day).replace("T00:00", &format!("T{hour}"));
        let end = run.leaver("E10")?["end_of_work"].clone();
        if end == expected {
            Ok(())
        } else {
            Err(format!("it ends at {end} instead of {expected}"))
        }
    })
}

#[test]
fn windows_zones_are_mapped() {
    ensure_each([
        zoned("Pacific Standard Time", "08:00"),
        zoned("Mountain Standard Time", "07:00"),
        zoned("US Mountain Standard Time", "07:00"),
        zoned("Central Standard Time", "06:00"),
        zoned("Eastern Standard Time", "05:00"),
        zoned("E. South America Standard Time", "03:00"),
        zoned("GMT Standard Time", "00:00"),
        zoned("Greenwich Standard Time", "00:00"),
        zoned("W. Europe Standard Time", "-23:00"),
        zoned("Romance Standard Time", "-23:00"),
        zoned("Central Europe Standard Time", "-23:00"),
        zoned("FLE Standard Time", "-22:00"),
        zoned("Israel Standard Time", "-22:00"),
        zoned("Arabian Standard Time", "-20:00"),
        zoned("India Standard Time", "-18:30"),
        zoned("Nepal Standard Time", "-18:15"),
        zoned("China Standard Time", "-16:00"),
        zoned("Singapore Standard Time", "-16:00"),
        zoned("Tokyo Standard Time", "-15:00"),
        zoned("AUS Eastern Standard Time", "-13:00"),
        zoned("New Zealand Standard Time", "-11:00"),
        zoned("UTC", "00:00"),
        zoned("America/New_York", "05:00"),
        zoned("US/Pacific", "08:00"),
        zoned("europe/berlin", "-23:00"),
    ]);
}

#[test]
fn an_unknown_zone_falls_back_and_rejects_no_row() {
    ensure_each(
        [
            "Mars/Phobos",
            "Headquarters",
            "Pacific Time (US & Canada)",
            "PST8",
            "local",
            "n/a",
            "(UTC+01:00) Berlin",
        ]
        .map(|zone| {
            let text = format!(
                "Employee ID,Name,Work Email,Status,Termination Date,Time Zone\n\
                 E10,Ben Ode,user10@acme.example,Terminated,{{D-20}},\"{zone}\"\n"
            );
            case(zone, Accuse("user10"), text)
        }),
    );
}

#[test]
fn midnight_of_any_offset_is_the_whole_day() {
    ensure_each(
        [
            "{D-1}",
            "{D-1}T00:00:00Z",
            "{D-1}T00:00:00.000Z",
            "{D-1}T00:00:00+00:00",
            "{D-1}T00:00:00",
            "{D-1} 00:00:00",
        ]
        .map(|text| ended(text, Must::Outcome("E10", "within_grace"))),
    );
}
