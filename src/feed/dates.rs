//! Dates as HR systems write them, and their instants.
//!
//! The reader never guesses. It rejects a text with two readings, and the message names both.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;
use jiff::civil::{Date, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan as _};

use super::DateOrder;
use super::names::is_among;
use super::values::{plain, quoted_date};
use crate::model::is_blank_word;

/// The midnight that a day without a time means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edge {
    /// The midnight that opens the day: a start.
    Opens,
    /// The midnight that closes the day: an end. A person who works until the 31st works on the 31st.
    Closes,
}

/// The meaning of a date cell.
#[derive(Debug, PartialEq)]
pub(super) enum ReadDate {
    /// Blank, or a word or a date for "none".
    Nothing,
    /// A date after 2099, which means "no end".
    Never,
    At {
        at: Timestamp,
        /// The zone of the row, or `offset` if the text has an offset.
        zone: String,
        note: Option<Note>,
    },
}

/// An unusual way in which a date was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Note {
    /// The text was the day number of a spreadsheet.
    DayNumber,
    /// The text had the time 00:00, which systems add to days.
    WholeDay,
}

/// The years of a date of employment. An earlier year is a typing error. A later one means "for ever" (2100-12-31,
/// 9999-12-31).
const YEARS: std::ops::RangeInclusive<i16> = 1970..=2099;

/// Two-digit years from this one on belong to the last century. Start dates such as 1998 occur; dates after 2069 do
/// not.
const PIVOT: i16 = 70;

/// The day numbers that a spreadsheet may write instead of dates: 1982-02-18 to 2064-04-08. Any other number of five
/// digits is probably an id in the wrong column.
const SPREADSHEET_DAYS: std::ops::RangeInclusive<i64> = 30_000..=60_000;

/// Dates that systems write for "none".
const ZERO_DAYS: [Date; 4] = [
    Date::constant(1, 1, 1),
    Date::constant(1899, 12, 30),
    Date::constant(1899, 12, 31),
    Date::constant(1900, 1, 1),
];

/// Reads the text of a cell.
///
/// # Errors
/// The reason, as a sentence that begins with the quoted text.
pub(super) fn read(
    text: &str,
    edge: Edge,
    order: Option<DateOrder>,
    zone: &TimeZone,
) -> Result<ReadDate, String> {
    let written_text = text.trim();
    if is_nothing(written_text) {
        return Ok(ReadDate::Nothing);
    }
    let text = in_ascii_digits(written_text);
    written(&text, order)
        .and_then(|written| settle(written, edge, zone))
        .map_err(|fault| format!("{} {fault}", quoted_date(written_text)))
}

/// The end of the day in a cell of an unread column, if the cell looks like a date. If it has two readings, the earlier
/// day counts. A number of five digits is a date only if the header mentions dates.
pub(super) fn of_unread(text: &str, is_dated: bool, zone: &TimeZone) -> Option<Timestamp> {
    // No date is longer than one with a time and a zone. This skips most cells quickly.
    if text.len() > 64 || !text.contains(char::is_numeric) {
        return None;
    }
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number && text.len() != 8 && !(text.len() == 5 && is_dated) {
        return None;
    }
    let day = |order| match read(text, Edge::Closes, order, zone)? {
        ReadDate::At { at, .. } => Ok(Some(at)),
        ReadDate::Nothing | ReadDate::Never => Ok::<_, String>(None),
    };
    let either = |_| {
        let orders = [DateOrder::DayFirst, DateOrder::MonthFirst].into_iter();
        orders.filter_map(|order| day(Some(order)).ok()?).min()
    };
    day(None).unwrap_or_else(either)
}

/// Blank words, and templates or zero dates such as `/  /`, `0000-00-00`, `00.00.0000 00:00:00`.
fn is_nothing(text: &str) -> bool {
    let zero_date = |c: char| matches!(c, '0' | '-' | '/' | '.' | ':' | ' ' | 'T');
    is_blank_word(text) || (text.contains(['0', '-', '/', '.']) && text.chars().all(zero_date))
}

/// Full-width digits as plain ones, and `2026年10月31日` as `2026-10-31`.
fn in_ascii_digits(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let plain = ComposingNormalizerBorrowed::new_nfkc().normalize(text);
    let plain = plain.replace(['年', '月'], "-").replace('日', " ");
    Cow::Owned(plain.trim().to_owned())
}

/// A date before a zone is applied.
struct DateText {
    day: Day,
    time: Option<Time>,
    offset: Option<Offset>,
    note: Option<Note>,
}

impl DateText {
    fn day(day: Day) -> Self {
        Self {
            day,
            time: None,
            offset: None,
            note: None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Day {
    On(Date),
    Never,
    Nothing,
}

fn settle(written: DateText, edge: Edge, zone: &TimeZone) -> Result<ReadDate, String> {
    let DateText {
        day,
        mut time,
        mut offset,
        mut note,
    } = written;
    let date = match day {
        Day::On(date) => date,
        Day::Never => return Ok(ReadDate::Never),
        Day::Nothing => return Ok(ReadDate::Nothing),
    };
    // Exports and mappings write this for days. As an instant, it would end the work one day early.
    if time == Some(Time::MIN) {
        (time, offset, note) = (None, None, Some(Note::WholeDay));
    }
    let day = match edge {
        Edge::Closes if time.is_none() => date.tomorrow(),
        Edge::Opens | Edge::Closes => Ok(date),
    };
    let civil = day.map(|day| day.to_datetime(time.unwrap_or(Time::MIN)));
    let at = civil.and_then(|civil| match offset {
        Some(offset) => offset.to_timestamp(civil),
        // If the clocks skip midnight, this is the first instant after it.
        None => zone.to_timestamp(civil),
    });
    let zone = match offset {
        Some(_) => "offset",
        None => zone.iana_name().unwrap_or("UTC"),
    };
    Ok(ReadDate::At {
        at: at.map_err(|_| OUT_OF_RANGE.to_owned())?,
        zone: zone.to_owned(),
        note,
    })
}

const NOT_A_DATE: &str = "is not a date";
const OUT_OF_RANGE: &str = "is not a year of employment (1970 to 2099)";

fn written(text: &str, order: Option<DateOrder>) -> Result<DateText, String> {
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return all_digits(text);
    }
    if let Some(rest) = text.strip_prefix("/Date(") {
        let instant = rest.strip_suffix(")/").and_then(milliseconds);
        return instant.ok_or_else(|| NOT_A_DATE.to_owned());
    }
    // A day with an offset and no time, as XML Schema allows: 2026-10-31Z, 2026-10-31-07:00.
    if let Some((day, rest)) = text.split_at_checked(10)
        && is_iso_day(day)
        && let Some(offset) = offset(rest)
    {
        return Ok(DateText {
            offset: Some(offset),
            ..DateText::day(calendar_day(day, order)?)
        });
    }
    let Some(colon) = text.find(':') else {
        return Ok(DateText::day(calendar_day(text, order)?));
    };
    let split = text[..colon]
        .rfind(|c: char| c == 'T' || c.is_whitespace())
        .ok_or(NOT_A_DATE)?;
    let clock = text[split..].trim_start_matches(|c: char| c == 'T' || c.is_whitespace());
    let (time, offset) = clock_time(clock).ok_or("has a time that cannot be read")?;
    let day = text[..split].trim_end_matches([',', ' ']);
    Ok(DateText {
        time: Some(time),
        offset,
        ..DateText::day(calendar_day(day, order)?)
    })
}

/// `1762646400000` or `1762646400000+0100`, as .NET and SAP write instants.
fn milliseconds(text: &str) -> Option<DateText> {
    let sign = text.rfind(['+', '-']).filter(|at| *at > 0);
    let (number, rest) = text.split_at(sign.unwrap_or(text.len()));
    let offset = match rest {
        "" => Offset::UTC,
        rest => offset(rest)?,
    };
    let number: i64 = number.parse().ok()?;
    let Ok(instant) = Timestamp::from_millisecond(number) else {
        return (number > 0).then(|| DateText::day(Day::Never));
    };
    let civil = offset.to_datetime(instant);
    Some(DateText {
        time: Some(civil.time()),
        offset: Some(offset),
        ..DateText::day(day_of(civil.date()).ok()?)
    })
}

fn is_iso_day(text: &str) -> bool {
    text.bytes().enumerate().all(|(at, b)| match at {
        4 | 7 => b == b'-',
        _ => b.is_ascii_digit(),
    })
}

/// `20261031`, or the day number of a spreadsheet.
fn all_digits(text: &str) -> Result<DateText, String> {
    match text.len() {
        8 => {
            let day = on(&text[..4], &text[4..6], &text[6..]);
            let day = day.map_err(|fault| format!("read as year, month and day {fault}"))?;
            Ok(DateText::day(day))
        }
        5 => {
            let number: i64 = text.parse().map_err(|_| NOT_A_DATE)?;
            if !SPREADSHEET_DAYS.contains(&number) {
                return Err("is a number, not a date".to_owned());
            }
            // Day 0 of spreadsheets, which treat 1900 as a leap year.
            let date = Date::constant(1899, 12, 30)
                .checked_add(number.days())
                .map_err(|_| NOT_A_DATE)?;
            Ok(DateText {
                note: Some(Note::DayNumber),
                ..DateText::day(Day::On(date))
            })
        }
        _ => Err("is a number, not a date".to_owned()),
    }
}

/// A day without a time, in any form with separators.
fn calendar_day(text: &str, order: Option<DateOrder>) -> Result<Day, String> {
    if text.contains(char::is_alphabetic) {
        return day_with_month_name(text);
    }
    let separator = text
        .chars()
        .find(|c| matches!(c, '-' | '/' | '.'))
        .ok_or(NOT_A_DATE)?;
    let parts: Vec<&str> = text.split(separator).map(str::trim).collect();
    let [a, b, c] = parts[..] else {
        return Err(NOT_A_DATE.to_owned());
    };
    let is_number =
        |part: &str| matches!(part.len(), 1 | 2 | 4) && part.bytes().all(|b| b.is_ascii_digit());
    if ![a, b, c].into_iter().all(is_number) {
        return Err(NOT_A_DATE.to_owned());
    }
    match (a.len(), b.len(), c.len()) {
        (4, 1 | 2, 1 | 2) => on(a, b, c),
        (1 | 2, 1 | 2, 2 | 4) => match order {
            // People who write dots put the day first.
            _ if separator == '.' => on(c, b, a),
            Some(DateOrder::DayFirst) => {
                on(c, b, a).map_err(|fault| format!("read day first {fault}"))
            }
            Some(DateOrder::MonthFirst) => {
                on(c, a, b).map_err(|fault| format!("read month first {fault}"))
            }
            None => only_reading(a, b, c, separator),
        },
        _ => Err(NOT_A_DATE.to_owned()),
    }
}

/// The only day that three numbers can mean. No day and several days are errors.
fn only_reading(a: &str, b: &str, c: &str, separator: char) -> Result<Day, String> {
    let day_first = on(c, b, a);
    let mut days: Vec<Day> = day_first.iter().copied().chain(on(c, a, b)).collect();
    if separator == '-' && a.len() == 2 && c.len() == 2 {
        days.extend(on(a, b, c));
    }
    days.dedup();
    match days[..] {
        [day] => Ok(day),
        [] => day_first,
        [Day::On(first), Day::On(second)] if first.year() == second.year() => Err(format!(
            "could be {} {} or {} {}; closes with: `HR_FEED_DATE_ORDER=<dmy or mdy>`",
            first.day(),
            first.strftime("%B"),
            second.strftime("%B"),
            second.day()
        )),
        _ => Err(
            "could be several days; write years with four digits; closes with: `HR_FEED_DATE_ORDER=<dmy or mdy>`"
                .to_owned(),
        ),
    }
}

/// Names of the months in plain form, in English, German, French, Spanish, Italian, Dutch and Portuguese.
const MONTH_NAMES: [&str; 12] = [
    "january jan januar janvier janv enero ene gennaio gen januari janeiro",
    "february feb februar fevrier fevr fev febrero febbraio februari fevereiro",
    "march mar marz mars marzo maart mrt marco",
    "april apr avril avr abril abr aprile",
    "may mai mayo maggio mag mei maio",
    "june jun juni juin junio giugno giu junho",
    "july jul juli juillet juil julio luglio lug julho",
    "august aug aout agosto ago augustus",
    "september sept sep septembre septiembre settembre sett set setembro",
    "october oct oktober okt octobre octubre ottobre ott outubro out",
    "november nov novembre noviembre novembro",
    "december dec dezember dez decembre diciembre dic dicembre dezembro",
];

/// `31-Oct-2026`, `Oct 31, 2026`, `31. Oktober 2026`, `31 de octubre de 2026`, `2026-Oct-31`.
fn day_with_month_name(text: &str) -> Result<Day, String> {
    let is_part = |part: &&str| !matches!(*part, "" | "de" | "le" | "den" | "the" | "of");
    let parts = text.split(['-', '/', '.', ',', ' ']).filter(is_part);
    let parts: Vec<&str> = parts.collect();
    let [a, b, c] = parts[..] else {
        return Err(NOT_A_DATE.to_owned());
    };
    match (month_number(a), month_number(b)) {
        (Some(month), None) => on(c, &month, b),
        (None, Some(month)) if a.len() == 4 => on(a, &month, c),
        (None, Some(month)) => on(c, &month, a),
        _ => Err(NOT_A_DATE.to_owned()),
    }
}

fn month_number(text: &str) -> Option<String> {
    let name = plain(text);
    let mut names = MONTH_NAMES.iter();
    let index = names.position(|names| is_among(&name, names))?;
    Some((index + 1).to_string())
}

/// The day of a year, a month and a day, each as written.
fn on(year: &str, month: &str, day: &str) -> Result<Day, String> {
    let number = |text: &str| -> Result<i16, String> {
        let is_number = text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit());
        let number = text.parse().ok().filter(|_| is_number);
        number.ok_or_else(|| NOT_A_DATE.to_owned())
    };
    let year = match (year.len(), number(year)?) {
        (4, year) => year,
        (2, year) if year < PIVOT => 2000 + year,
        (2, year) => 1900 + year,
        _ => return Err(NOT_A_DATE.to_owned()),
    };
    let (month, day) = (number(month)?, number(day)?);
    let first = i8::try_from(month).ok();
    let first = first.and_then(|month| Date::new(year, month, 1).ok());
    let first = first.ok_or_else(|| format!("is not a date: month {month} does not exist"))?;
    let date = i8::try_from(day).ok();
    let date = date.and_then(|day| first.with().day(day).build().ok());
    day_of(date.ok_or_else(|| {
        let month = first.strftime("%B");
        format!("is not a date: {month} {year} has no day {day}")
    })?)
}

fn day_of(date: Date) -> Result<Day, String> {
    if ZERO_DAYS.contains(&date) {
        Ok(Day::Nothing)
    } else if date.year() > *YEARS.end() {
        Ok(Day::Never)
    } else if YEARS.contains(&date.year()) {
        Ok(Day::On(date))
    } else {
        Err(OUT_OF_RANGE.to_owned())
    }
}

/// `17:00`, `17:00:00.000-07:00`, `5:00 PM`, `17:00:00Z`, `17:00 UTC`.
fn clock_time(text: &str) -> Option<(Time, Option<Offset>)> {
    let split = text
        .find(|c: char| !matches!(c, '0'..='9' | ':' | '.'))
        .unwrap_or(text.len());
    let (clock, rest) = text.split_at(split);
    let mut rest = rest.trim();
    let mut parts = clock.split(':');
    let mut hour: i8 = number(parts.next()?)?;
    let minute: i8 = number(parts.next()?)?;
    let seconds = parts.next().unwrap_or("0");
    let (second, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let (second, nanosecond) = (number(second)?, nanoseconds(fraction)?);
    if parts.next().is_some() {
        return None;
    }
    if let Some((half, after)) = rest.split_at_checked(2) {
        let is_morning = half.eq_ignore_ascii_case("am");
        if is_morning || half.eq_ignore_ascii_case("pm") {
            if !(1..=12).contains(&hour) {
                return None;
            }
            hour = hour % 12 + if is_morning { 0 } else { 12 };
            rest = after.trim();
        }
    }
    let offset = match rest {
        "" => None,
        _ => Some(offset(rest)?),
    };
    let time = Time::new(hour, minute, second, nanosecond).ok()?;
    Some((time, offset))
}

fn number(text: &str) -> Option<i8> {
    (matches!(text.len(), 1 | 2) && text.bytes().all(|b| b.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

fn nanoseconds(fraction: &str) -> Option<i32> {
    if fraction.is_empty() || fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    format!("{fraction:0<9}").parse().ok()
}

/// `Z`, `UTC`, `GMT`, `+02:00`, `-0700`, `+02`.
fn offset(text: &str) -> Option<Offset> {
    let is_utc = |name: &&str| text.eq_ignore_ascii_case(name);
    if ["z", "utc", "gmt"].iter().any(is_utc) {
        return Some(Offset::UTC);
    }
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = match rest.split_once(':') {
        Some(parts) => parts,
        None if rest.len() == 4 => rest.split_at_checked(2)?,
        None => (rest, "00"),
    };
    if hours.len() != 2 || minutes.len() != 2 {
        return None;
    }
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    // The largest offset on Earth is 14 hours.
    if hours > 14 || minutes > 59 {
        return None;
    }
    Offset::from_seconds(sign * (i32::from(hours) * 3600 + i32::from(minutes) * 60)).ok()
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).expect("a zone")
    }

    fn shown(text: &str, order: Option<DateOrder>) -> String {
        match read(text, Edge::Opens, order, &TimeZone::UTC) {
            Ok(ReadDate::Nothing) => "nothing".to_owned(),
            Ok(ReadDate::Never) => "never".to_owned(),
            Ok(ReadDate::At { at, note: None, .. }) => at.to_string(),
            Ok(ReadDate::At {
                at,
                note: Some(note),
                ..
            }) => format!("{at} {note:?}"),
            Err(reason) => reason,
        }
    }

    fn end(text: &str, zone_name: &str) -> String {
        match read(text, Edge::Closes, None, &zone(zone_name)) {
            Ok(ReadDate::At { at, zone, .. }) => format!("{at} {zone}"),
            other => format!("{other:?}"),
        }
    }

    /// The cells of the page whose meaning begins with this text, each with the result of reading it.
    fn of_the_page(meaning: &str) -> Vec<(&'static str, String)> {
        let page = include_str!("../../docs/hr-feed.md");
        let row = page
            .lines()
            .filter_map(|line| line.strip_prefix("| ")?.split_once(" | "))
            .find(|(_, means)| means.starts_with(meaning));
        let (texts, _) = row.expect("a row of the page");
        let texts = texts.split('`').skip(1).step_by(2);
        let read = texts.map(|text| (text, shown(text, None)));
        read.collect()
    }

    #[test]
    fn every_date_of_the_page_is_read_as_described() {
        let day = "2026-10-31T00:00:00Z";
        let number = format!("{day} DayNumber");
        let whole = format!("{day} WholeDay");
        for (meaning, expected, count) in [
            ("that day |", day, 10),
            ("that day, because", day, 2),
            ("2026-10-31, the day number", number.as_str(), 1),
            ("the whole day, with a note", &whole, 4),
            ("no date", "nothing", 7),
            ("no end", "never", 2),
        ] {
            let read = of_the_page(meaning);
            assert_eq!(read.len(), count, "{meaning}");
            for (text, read) in read {
                assert_eq!(read, expected, "`{text}`");
            }
        }
        for meaning in [
            "nothing: the row is rejected,",
            "nothing: the row is rejected |",
        ] {
            for (text, read) in of_the_page(meaning) {
                let is_setting = ["HR_FEED_DATE_ORDER", "dmy", "mdy"].contains(&text);
                assert!(
                    is_setting || read.starts_with(&format!("“{text}” ")),
                    "{read}"
                );
            }
        }
        let instants: Vec<String> = of_the_page("that very instant")
            .into_iter()
            .map(|(_, read)| read)
            .collect();
        assert_eq!(instants, ["2026-11-01T00:00:00Z", day]);
    }

    #[test]
    fn a_day_starts_and_ends_with_its_own_midnights() {
        assert_eq!(end("2026-10-31", "Etc/UTC"), "2026-11-01T00:00:00Z Etc/UTC");
        assert_eq!(shown("2026-10-31", None), "2026-10-31T00:00:00Z");
        assert_eq!(
            end("2026-05-14", "Australia/Melbourne"),
            "2026-05-14T14:00:00Z Australia/Melbourne"
        );
        assert_eq!(
            end("2026-05-14", "America/Los_Angeles"),
            "2026-05-15T07:00:00Z America/Los_Angeles"
        );
    }

    #[test]
    fn days_of_23_and_25_hours_end_at_their_own_midnight() {
        assert_eq!(
            end("2026-10-25", "Europe/London"),
            "2026-10-26T00:00:00Z Europe/London"
        );
        assert_eq!(
            end("2026-10-24", "Europe/London"),
            "2026-10-24T23:00:00Z Europe/London"
        );
        assert_eq!(
            end("2026-03-29", "Europe/London"),
            "2026-03-29T23:00:00Z Europe/London"
        );
        // In Santiago clocks skip the midnight that would close 2026-09-05.
        assert_eq!(
            end("2026-09-05", "America/Santiago"),
            "2026-09-06T04:00:00Z America/Santiago"
        );
    }

    #[test]
    fn a_date_with_a_time_is_exact_in_its_offset_or_in_the_zone() {
        assert_eq!(
            end("2026-10-31T17:00:00-07:00", "Etc/UTC"),
            "2026-11-01T00:00:00Z offset"
        );
        assert_eq!(
            end("2026-10-31T17:00:00.500Z", "Europe/Paris"),
            "2026-10-31T17:00:00.5Z offset"
        );
        assert_eq!(
            end("2026-10-31 17:00:00 +0100", "Etc/UTC"),
            "2026-10-31T16:00:00Z offset"
        );
        assert_eq!(
            end("2026-10-31T17:00", "Europe/Paris"),
            "2026-10-31T16:00:00Z Europe/Paris"
        );
        assert_eq!(
            end("10/31/2026 5:00 PM", "Europe/Paris"),
            "2026-10-31T16:00:00Z Europe/Paris"
        );
        assert_eq!(
            end("2026-10-31-07:00", "Etc/UTC"),
            "2026-11-01T07:00:00Z offset"
        );
    }

    #[test]
    fn midnight_in_any_offset_is_the_whole_day_in_the_rows_zone() {
        for text in [
            "2026-10-31 00:00:00",
            "2026-10-31 00:00",
            "2026-10-31T00:00:00.000Z",
            "2026-10-31T00:00:00+02:00",
            "2026-10-31 00:00:00 UTC",
            "10/31/2026 12:00 AM",
        ] {
            assert_eq!(
                end(text, "Europe/Paris"),
                "2026-10-31T23:00:00Z Europe/Paris",
                "{text}"
            );
        }
        assert_eq!(
            shown("2026-10-31T00:00:00Z", None),
            "2026-10-31T00:00:00Z WholeDay"
        );
    }

    #[test]
    fn milliseconds_are_an_instant_and_at_midnight_a_whole_day() {
        for (text, expected) in [
            ("/Date(1762646400000)/", "2025-11-09T23:00:00Z Europe/Paris"),
            (
                "/Date(1762646400000+0000)/",
                "2025-11-09T23:00:00Z Europe/Paris",
            ),
            (
                "/Date(1762642800000+0100)/",
                "2025-11-09T23:00:00Z Europe/Paris",
            ),
            ("/Date(1762693200000)/", "2025-11-09T13:00:00Z offset"),
        ] {
            assert_eq!(end(text, "Europe/Paris"), expected, "{text}");
        }
        assert_eq!(shown("/Date(-62135596800000)/", None), "nothing");
        assert_eq!(shown("/Date(253402214400000)/", None), "never");
        assert_snapshot!(shown("/Date(soon)/", None), @"a text without any digit is not a date");
    }

    #[test]
    fn months_are_known_by_name_in_the_languages_of_hr() {
        for text in [
            "31. Oktober 2026",
            "31 octobre 2026",
            "31 de octubre de 2026",
            "31 ottobre 2026",
            "31 oktober 2026",
            "31 de outubro de 2026",
            "31-out-2026",
            "2026年10月31日",
            "２０２６年１０月３１日",
            "２０２６/１０/３１",
        ] {
            assert_eq!(shown(text, None), "2026-10-31T00:00:00Z", "{text}");
        }
        assert_eq!(shown("1. März 2026", None), "2026-03-01T00:00:00Z");
        assert_eq!(shown("15 août 2026", None), "2026-08-15T00:00:00Z");
        assert_eq!(
            shown("2026年10月31日 00:00", None),
            "2026-10-31T00:00:00Z WholeDay"
        );
    }

    #[test]
    fn a_date_in_an_unread_column_is_found_in_any_reading() {
        let seen = |text: &str, is_dated: bool| {
            let at = of_unread(text, is_dated, &TimeZone::UTC);
            at.map(|at| at.to_string())
        };
        let end = Some("2026-11-01T00:00:00Z".to_owned());
        for text in [
            "2026-10-31",
            "31.10.2026",
            "10/31/2026",
            "31-Oct-2026",
            "20261031",
            "2026-10-31T00:00:00Z",
        ] {
            assert_eq!(seen(text, false), end, "{text}");
        }
        assert_eq!(
            seen("03/04/2026", false).as_deref(),
            Some("2026-03-05T00:00:00Z")
        );
        assert_eq!(seen("46326", true), end);
        for text in [
            "46326",
            "12345678",
            "123456",
            "Room 12",
            "1-2-3",
            "9999-12-31",
            "1900-01-01",
            "",
            "Berlin",
            "1955-01-01",
        ] {
            assert_eq!(seen(text, false), None, "{text}");
        }
    }

    #[test]
    fn forms_with_one_meaning_do_not_depend_on_the_order() {
        for order in [None, Some(DateOrder::DayFirst), Some(DateOrder::MonthFirst)] {
            for text in [
                "2026-10-31",
                "20261031",
                "2026/10/31",
                "2026.10.31",
                "31.10.2026",
                "31.10.26",
                "31-Oct-2026",
                "31-OCT-26",
                "Oct 31, 2026",
                "October 31 2026",
                "31 October 2026",
                "2026-Oct-31",
                "31. Oktober 2026",
                "2026年10月31日",
            ] {
                assert_eq!(shown(text, order), "2026-10-31T00:00:00Z", "{text}");
            }
        }
        assert_eq!(shown("13.10.2022", None), "2022-10-13T00:00:00Z");
        assert_eq!(
            shown("04.03.2026", Some(DateOrder::MonthFirst)),
            "2026-03-04T00:00:00Z"
        );
    }

    #[test]
    fn a_date_with_slashes_is_read_in_the_order_that_is_set() {
        assert_eq!(
            shown("03/04/2026", Some(DateOrder::DayFirst)),
            "2026-04-03T00:00:00Z"
        );
        assert_eq!(
            shown("03/04/2026", Some(DateOrder::MonthFirst)),
            "2026-03-04T00:00:00Z"
        );
        assert_eq!(
            shown("10/31/26", Some(DateOrder::MonthFirst)),
            "2026-10-31T00:00:00Z"
        );
        assert_eq!(
            shown("3-4-98", Some(DateOrder::DayFirst)),
            "1998-04-03T00:00:00Z"
        );
        assert_snapshot!(shown("10/31/2026", Some(DateOrder::DayFirst)), @"“10/31/2026” read day first is not a date: month 31 does not exist");
    }

    #[test]
    fn without_an_order_only_a_date_with_one_reading_is_read() {
        for text in [
            "10/31/2026",
            "31/10/2026",
            "10/31/26",
            "31/10/26",
            "31-10-2026",
        ] {
            assert_eq!(shown(text, None), "2026-10-31T00:00:00Z", "{text}");
        }
        assert_eq!(shown("05/05/2026", None), "2026-05-05T00:00:00Z");
        assert_snapshot!(shown("03/04/2026", None), @"“03/04/2026” could be 3 April or March 4; closes with: `HR_FEED_DATE_ORDER=<dmy or mdy>`");
        assert_snapshot!(shown("26-10-31", None), @"“26-10-31” could be several days; write years with four digits; closes with: `HR_FEED_DATE_ORDER=<dmy or mdy>`");
    }

    #[test]
    fn a_spreadsheet_day_number_is_a_date_and_never_a_year() {
        assert_snapshot!(shown("46326", None), @"2026-10-31T00:00:00Z DayNumber");
        assert_snapshot!(shown("99999", None), @"“99999” is a number, not a date");
        assert_snapshot!(shown("46326.5", None), @"“46326.5” is not a date");
        assert_snapshot!(shown("1793404800", None), @"“1793404800” is a number, not a date");
    }

    #[test]
    fn words_and_dates_for_none_are_not_dates() {
        for text in [
            "",
            "  ",
            "0000-00-00",
            "/  /",
            "N/A",
            "null",
            "-",
            "00/00/0000",
            "0",
            "NaT",
            "1900-01-01",
            "1899-12-30",
            "0001-01-01",
            "0001-01-01T00:00:00Z",
            "01/01/1900",
        ] {
            assert_eq!(shown(text, None), "nothing", "{text:?}");
        }
    }

    #[test]
    fn a_date_after_2099_means_no_end() {
        for text in [
            "12/31/2100",
            "9999-12-31",
            "31.12.9999",
            "99991231",
            "2999-01-01T00:00:00Z",
        ] {
            assert_eq!(shown(text, None), "never", "{text}");
        }
    }

    #[test]
    fn a_day_that_does_not_exist_is_refused_with_its_reason() {
        assert_snapshot!(shown("2026-02-30", None), @"“2026-02-30” is not a date: February 2026 has no day 30");
        assert_snapshot!(shown("2026-13-01", None), @"“2026-13-01” is not a date: month 13 does not exist");
        assert_snapshot!(shown("31/31/2026", None), @"“31/31/2026” is not a date: month 31 does not exist");
        assert_snapshot!(shown("1950-01-01", None), @"“1950-01-01” is not a year of employment (1970 to 2099)");
        assert_snapshot!(shown("20261332", None), @"“20261332” read as year, month and day is not a date: month 13 does not exist");
        assert_snapshot!(shown("2026-10-31 25:00", None), @"“2026-10-31 25:00” has a time that cannot be read");
    }

    #[test]
    fn a_text_that_may_be_a_name_is_only_described() {
        assert_snapshot!(shown("next Friday", None), @"a text without any digit is not a date");
        assert_snapshot!(shown("T", None), @"a text without any digit is not a date");
        assert_snapshot!(shown("b2@x.com", None), @"a text of 8 characters is not a date");
    }

    fn any_day() -> impl Strategy<Value = Date> {
        (1970i16..=2069, 1i8..=12, 1i8..=28)
            .prop_map(|(year, month, day)| Date::constant(year, month, day))
    }

    proptest! {
        #[test]
        fn a_date_in_a_known_form_is_read_back(day in any_day()) {
            let (y, m, d) = (day.year(), day.month(), day.day());
            let month = day.strftime("%b");
            let expected = format!("{day}T00:00:00Z");
            for (text, order) in [
                (format!("{y}-{m:02}-{d:02}"), None),
                (format!("{y}{m:02}{d:02}"), None),
                (format!("{d}.{m}.{y}"), None),
                (format!("{d:02}.{m:02}.{:02}", y % 100), None),
                (format!("{d}-{month}-{y}"), None),
                (format!("{month} {d}, {y}"), None),
                (format!("{d:02}/{m:02}/{y}"), Some(DateOrder::DayFirst)),
                (format!("{m:02}/{d:02}/{y}"), Some(DateOrder::MonthFirst)),
                (format!("{m}-{d}-{:02}", y % 100), Some(DateOrder::MonthFirst)),
            ] {
                prop_assert_eq!(shown(&text, order), expected.as_str(), "{}", text);
            }
        }

        #[test]
        fn without_an_order_no_reading_contradicts_an_order(day in any_day()) {
            let text = format!("{:02}/{:02}/{}", day.day(), day.month(), day.year());
            if let Ok(ReadDate::At { at, .. }) = read(&text, Edge::Opens, None, &TimeZone::UTC) {
                prop_assert_eq!(at.to_string(), format!("{day}T00:00:00Z"));
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}") {
            let _ = read(&text, Edge::Closes, None, &TimeZone::UTC);
        }

        #[test]
        fn no_text_of_digits_and_separators_makes_it_panic(text in "[0-9TZ:./+ -]{0,30}") {
            let _ = read(&text, Edge::Closes, Some(DateOrder::DayFirst), &TimeZone::UTC);
        }
    }
}
