//! Complete feeds as HR systems send them.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;

use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;
use crate::model::{AgeBasis, Employment, HrRow};

const HEADER: &str =
    "Employee ID,Name,Work Email,Status,Termination Date,Last Day of Work,Location";

fn settings() -> Settings {
    Settings {
        location: Location::Path(PathBuf::from("hr.csv")),
        format: None,
        columns: BTreeMap::new(),
        records: Vec::new(),
        dates: in_zone("Etc/UTC"),
        words: Words::default(),
        max_bytes: 1024 * 1024,
    }
}

fn in_zone(time_zone: &str) -> DateRules {
    DateRules {
        order: None,
        time_zone: time_zone.to_owned(),
        location_zones: BTreeMap::new(),
    }
}

fn soon() -> Deadline {
    Deadline::after(std::time::Duration::from_secs(60))
}

fn fetched() -> Fetched {
    Fetched {
        url: "hr.csv".to_owned(),
        ..Fetched::default()
    }
}

fn read_with(settings: &Settings, bytes: impl AsRef<[u8]>) -> HrFeed {
    understand(bytes.as_ref().to_vec(), fetched(), settings).expect("no more than the cap")
}

fn read(bytes: impl AsRef<[u8]>) -> HrFeed {
    read_with(&settings(), bytes)
}

/// Rows under the usual header.
fn rows(lines: &str) -> HrFeed {
    read(format!("{HEADER}\n{lines}"))
}

/// The only row, under the usual header.
fn row(line: &str) -> HrRow {
    let feed = rows(&format!("{line}\n"));
    assert_eq!(feed.rows.len(), 1, "{feed:?}");
    feed.rows.into_iter().next().expect("a row")
}

fn reason(feed: HrFeed) -> String {
    assert_eq!(feed.rows_in_file(), 0, "an unusable feed has no rows");
    feed.unusable.expect("an unusable feed")
}

/// A summary of a feed: one line per row, then the rejected rows, the counts and the notes.
fn shown(feed: &HrFeed) -> String {
    let mut lines = Vec::new();
    for row in &feed.rows {
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let emails: Vec<&str> = row.emails().map(|email| email.key()).collect();
        let end = row.end_of_work().map(|date| date.at.to_string());
        lines.push(format!(
            "{} {} | {} | {} | {:?} | {}",
            row.line,
            text(&row.person_id),
            text(&row.name),
            emails.join(" "),
            row.status,
            text(&end)
        ));
        lines.extend(row.notes.iter().map(|note| format!("  {note}")));
    }
    for row in &feed.rejected {
        lines.push(format!(
            "{} rejected ({:?}, {:?}): {}",
            row.line, row.person_id, row.email, row.reason
        ));
    }
    lines.push(format!(
        "{} blank, {} repeated",
        feed.blank_rows, feed.duplicate_rows
    ));
    lines.extend(feed.origin.notes.iter().cloned());
    lines.extend(feed.unusable.clone());
    lines.join("\n")
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(text).expect("room");
    packer.finish().expect("room")
}

// ---- The whole file ----

#[tokio::test]
#[should_panic(expected = "on purpose")]
async fn a_panic_while_reading_stays_a_panic() {
    let () = aside(|| panic!("on purpose")).await;
}

fn column_of<'o>(origin: &'o FeedOrigin, meaning: &str) -> &'o str {
    let found = origin
        .columns
        .iter()
        .find(|of| of.meaning.as_str() == meaning);
    found.map_or("", |of| &of.name)
}

#[test]
fn a_plain_feed_is_read_completely() {
    let bytes = include_bytes!("../../tests/feeds/leavers.csv");
    let feed = read(bytes);
    assert_snapshot!(shown(&feed), @r"
    2 E1 | Ana Díaz | ana@example.com | Ended | 2026-10-31T00:00:00Z
    3 E2 | Bob Stone | bob@example.com | Active | -
    0 blank, 0 repeated
    ");
    assert_eq!(feed.rows_in_file(), 2);
    let end = feed.rows[0].end.as_ref().expect("a termination date");
    assert_eq!((&*end.written, &*end.zone), ("2026-10-31", "Etc/UTC"));
    let origin = &feed.origin;
    assert_eq!(
        (origin.format.as_str(), origin.encoding.as_str()),
        ("csv", "UTF-8")
    );
    assert_eq!(origin.bytes, bytes.len() as u64);
    assert_eq!(origin.sha256, const_hex::encode(Sha256::digest(bytes)));
    assert_eq!(column_of(origin, "person_id"), "Employee ID");
    assert!(!origin.gzip);
}

#[test]
fn the_same_people_are_read_from_every_encoding_and_delimiter() {
    let plain = read(include_bytes!("../../tests/feeds/leavers.csv"));
    let marked = read(include_bytes!("../../tests/feeds/utf-8-with-mark.csv"));
    assert_eq!(marked.rows, plain.rows);
    let wide = read(include_bytes!("../../tests/feeds/utf-16le-tabs.txt"));
    assert_eq!(wide.rows, plain.rows);
    assert_eq!(wide.origin.encoding, "UTF-16LE");
    assert_snapshot!(wide.origin.notes.join("\n"), @"Cells are separated by tabs");
}

#[test]
fn a_file_in_windows_1252_has_correct_names_and_a_note() {
    let feed = read(include_bytes!(
        "../../tests/feeds/windows-1252-semicolons.csv"
    ));
    assert_eq!(feed.rows[2].name.as_deref(), Some("José Muñoz"));
    assert_eq!(feed.origin.encoding, "windows-1252");
    assert_snapshot!(feed.origin.notes.join("\n"), @r"
    The text is not UTF-8 and was read as windows-1252, as its letters suggest
    Cells are separated by semicolons
    ");
}

#[test]
fn a_letter_lost_before_the_export_never_reaches_the_evidence() {
    let feed = rows("E7,Jos\u{fffd},jos\u{fffd}@x.com,Terminated,2026-10-31,,\n");
    assert_snapshot!(shown(&feed), @r#"
    2 rejected (Some("E7"), None): column “Work Email”: a letter was lost to a wrong encoding before this run read the file; column “Name”: a letter was lost to a wrong encoding before this run read the file
    0 blank, 0 repeated
    "#);
}

#[test]
fn a_packed_feed_is_the_same_feed() {
    let text = include_bytes!("../../tests/feeds/leavers.csv");
    let packed = gzip(text);
    let feed = read(&packed);
    assert!(feed.origin.gzip);
    assert_eq!(
        feed.origin.sha256,
        const_hex::encode(Sha256::digest(&packed))
    );
    assert_eq!(feed.rows, read(text).rows);
    assert_snapshot!(reason(read(&packed[..packed.len() - 9])), @"the gzip data ends too early: the file looks truncated");
}

#[test]
fn a_word_of_leaving_in_an_unread_column_is_not_lost() {
    let feed = |column: &str, word: &str, end: &str| {
        read(format!(
            "ID,Email,End Date,{column}\nE-1,ada@corp.example,{end},{word}\n"
        ))
    };
    for (column, word) in [("State", "Terminated"), ("Zustand", "ausgeschieden")] {
        let feed = feed(column, word, "");
        let [rejected] = &feed.rejected[..] else {
            panic!("{column}: {feed:?}");
        };
        let remedy = format!("set HR_FEED_COLUMNS to “status={column}”");
        assert!(rejected.reason.contains(&remedy), "{}", rejected.reason);
    }
    for (column, word, end) in [
        ("State", "Texas", ""),
        ("State", "Terminated", "2026-07-01"),
        ("Marital Status", "Separated", ""),
        ("Manager State", "Terminated", ""),
    ] {
        let feed = feed(column, word, end);
        assert_eq!((feed.rows.len(), feed.rejected.len()), (1, 0), "{column}");
    }
}

#[test]
fn an_address_as_the_id_is_an_address_of_the_person() {
    let read = row("ada@corp.example,Ada,ada@home.example,Active,,,\n");
    let emails: Vec<&str> = read.emails().map(|email| email.key()).collect();
    assert_eq!(emails, ["ada@home.example", "ada@corp.example"]);
    assert_eq!(read.person_id.as_deref(), Some("ada@corp.example"));
}

#[test]
fn a_feed_over_the_size_limit_is_refused_with_the_limit() {
    let bomb = gzip(&vec![b'x'; 2 * 1024 * 1024]);
    let error = understand(bomb, fetched(), &settings()).expect_err("too large");
    assert_snapshot!(error, @"the HR feed at `hr.csv` is larger than the size cap of 1048576 bytes (1 MiB), which applies before and after unpacking: export only the columns and rows that the check needs");
}

#[tokio::test]
async fn a_gzip_bomb_and_an_unusable_file_are_distinguished() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("hr.csv.gz");
    let settings = Settings {
        location: Location::Path(path.clone()),
        ..settings()
    };
    std::fs::write(&path, gzip(&vec![b'x'; 2 * 1024 * 1024])).expect("a file");
    let error = read_file(&settings, soon()).await.expect_err("too large");
    assert!(matches!(error.fault, FetchFault::TooLarge(1_048_576)));

    std::fs::write(&path, b"").expect("a file");
    let feed = read_file(&settings, soon()).await.expect("a feed");
    assert_eq!(feed.origin.age_basis, AgeBasis::FileMtime);
    assert_eq!(reason(feed), "the file is empty");
}

#[test]
fn a_header_without_rows_is_an_empty_feed() {
    let feed = rows("");
    assert_eq!(feed.unusable, None);
    assert_eq!(feed.rows_in_file(), 0);
}

#[test]
fn an_unknown_zone_in_a_setting_makes_the_feed_unusable() {
    let settings = Settings {
        dates: in_zone("Mars/Olympus"),
        ..settings()
    };
    assert_snapshot!(reason(read_with(&settings, format!("{HEADER}\n"))), @"HR_TIME_ZONE contains `Mars/Olympus`, which is not a known time zone");
}

// ---- Lines ----

#[test]
fn a_line_that_names_the_delimiter_is_skipped_with_a_note() {
    let feed = read(format!(
        "sep=,\r\n{HEADER}\r\nE1,Ana,ana@x.com,Terminated,2026-10-31,,\r\n"
    ));
    assert_snapshot!(shown(&feed), @r"
    3 E1 | Ana | ana@x.com | Ended | 2026-11-01T00:00:00Z
    0 blank, 0 repeated
    Line 1 names the delimiter (commas) and was skipped
    ");
}

#[test]
fn the_header_shows_the_delimiter() {
    for delimiter in [";", "\t", "|"] {
        let text =
            format!("{HEADER}\nE1,Ana,ana@x.com,Terminated,31.10.2026,,\n").replace(',', delimiter);
        assert_eq!(read(text).rows.len(), 1, "{delimiter:?}");
    }
    // Commas inside quotes do not count.
    let feed = read(
        "\"Name, as in passport, in full, please\";Email;Status\n\"Díaz, Ana\";ana@x.com;Left\n",
    );
    assert_eq!(feed.rows.len(), 1);
}

#[test]
fn a_quoted_line_break_is_part_of_its_cell_and_counts_as_a_line() {
    let feed = rows(
        "E1,\"Díaz, Ana\",ana@x.com,Terminated,2026-10-31,,\"Calle 1\nMadrid\"\nE2,Bob,bob@x.com,Left,2026-02-30,,\n",
    );
    assert_snapshot!(shown(&feed), @r#"
    2 E1 | Díaz, Ana | ana@x.com | Ended | 2026-11-01T00:00:00Z
    4 rejected (Some("E2"), Some("bob@x.com")): column “Termination Date”: “2026-02-30” is not a date: February 2026 has no day 30
    0 blank, 0 repeated
    "#);
    assert_eq!(feed.rows[0].location.as_deref(), Some("Calle 1\nMadrid"));
}

#[test]
fn quotes_escaped_by_backslashes_are_read() {
    let feed = rows("E1,\"Ana \\\"Ani\\\" Diaz\",ana@x.com,Terminated,2026-10-31,,\n");
    assert_eq!(feed.rows[0].name.as_deref(), Some("Ana \"Ani\" Diaz"));
    assert_snapshot!(feed.origin.notes.join("\n"), @"Quotes inside cells are escaped by backslashes");
}

#[test]
fn doubled_quotes_are_quotes_and_a_backslash_before_a_closing_one_is_text() {
    assert_eq!(
        row("E1,\"Ana \"\"Ani\"\" Diaz\",ana@x.com,Left,2026-10-31,,")
            .name
            .as_deref(),
        Some("Ana \"Ani\" Diaz")
    );
    assert_eq!(
        row("E1,Ana,ana@x.com,Left,2026-10-31,,\"C:\\HR\\\"")
            .location
            .as_deref(),
        Some("C:\\HR\\")
    );
    assert_eq!(
        row("E1,5\" Ana,ana@x.com,Left,2026-10-31,,")
            .name
            .as_deref(),
        Some("5\" Ana")
    );
}

#[test]
fn a_quote_too_many_never_joins_two_people_into_one() {
    let feed = read(
        "Employee ID,Name,Work Email,Status\nE1,\"Bob,bob@x.com,Left\nE2,\"Ann\",ann@x.com,Left\nE3,Cy,cy@x.com,Left\n",
    );
    assert_snapshot!(shown(&feed), @r#"
    4 E3 | Cy | cy@x.com | Ended | -
    2 rejected (Some("E1"), Some("ann@x.com")): a quote closes before the end of its cell (the row runs to line 3)
    0 blank, 0 repeated
    No column has an end date: only the status shows who left
    "#);
    let blank = read("Employee ID,Name,Work Email,Status\nE1, \"Bob\", \"bob@x.com\",Left\n");
    assert_snapshot!(shown(&blank), @r#"
    2 rejected (Some("E1"), None): a blank precedes an opening quote
    0 blank, 0 repeated
    No column has an end date: only the status shows who left
    "#);
}

#[test]
fn every_kind_of_line_end_gives_the_same_rows() {
    let text = format!(
        "{HEADER}\nE1,Ana,ana@x.com,Left,2026-10-31,,\n\nE2,Bob,bob@x.com,Left,2026-10-31,,\n"
    );
    let expected = read(&text);
    assert_eq!(expected.rows[1].line, 4);
    assert_eq!(expected.blank_rows, 1);
    for line_end in ["\r\n", "\r"] {
        let feed = read(text.replace('\n', line_end));
        assert_eq!(feed.rows, expected.rows, "{line_end:?}");
        assert_eq!(feed.blank_rows, 1, "{line_end:?}");
    }
    assert_eq!(
        read(text.trim_end()).rows,
        expected.rows,
        "without a last line break"
    );
}

#[test]
fn titles_and_totals_are_noted_and_never_people() {
    let feed = read(include_bytes!("../../tests/feeds/report.csv"));
    assert_snapshot!(shown(&feed), @r"
    5 E1 | Ana Díaz | ana@example.com | Ended | 2026-10-31T00:00:00Z
    6 E2 | Bob Stone | bob@example.com | Active | -
    1 blank, 0 repeated
    The header is in line 4, below 3 lines that were skipped
    Line 7 is a total, not a person, and was skipped
    ");
    let short = |total| {
        rows(&format!(
            "E1,Ana,ana@x.com,Left,2026-10-31,,\nTotal,,{total}\n"
        ))
    };
    assert_eq!((short("1").rows.len(), short("1").blank_rows), (1, 1));
    let paid = read("ID,Email,Status,Salary\nE1,ana@x.com,Left,4000\nTotal,,,4000\n");
    assert_eq!((paid.rows.len(), paid.blank_rows), (1, 1));
    let counted = read("ID,Email,Status,Team\nE1,ana@x.com,Left,Sales\nTotal,,,250\n");
    assert!(counted.unusable.is_some(), "{counted:?}");
    assert_snapshot!(reason(short("12")), @"line 3 counts more rows than the file has: export the whole list, or remove the line");
    let footer = rows("E1,Ana,ana@x.com,Left,2026-10-31,,\nPrinted by Eve\n");
    assert_snapshot!(shown(&footer), @r#"
    2 E1 | Ana | ana@x.com | Ended | 2026-11-01T00:00:00Z
    1 blank, 0 repeated
    Line 3 is a footer, not a person, and was skipped
    "#);
}

#[test]
fn a_file_without_a_header_is_refused_and_no_data_is_shown() {
    assert_snapshot!(reason(read("Kennung,Kontakt,Austritt\n1,Ana,2026-10-31\n")), @"no header was found: none of the first 20 lines has two known column names; line 1 has “Kennung”, “Kontakt”, “Austritt”; set HR_FEED_COLUMNS");
    assert_snapshot!(reason(read("E1,Ana Díaz,ana@x.com\n")), @"no header was found: none of the first 20 lines has two known column names; line 1 looks like data and is not shown; set HR_FEED_COLUMNS");
}

#[test]
fn configured_columns_make_a_header_in_any_language() {
    let settings = Settings {
        columns: BTreeMap::from([
            (Meaning::PersonId, "Kennung".to_owned()),
            (Meaning::End, "Austritt".to_owned()),
        ]),
        ..settings()
    };
    let feed = read_with(&settings, "Kennung,Vorname,Austritt\n1,Ana,31.10.2026\n");
    assert_eq!(feed.rows.len(), 1, "{feed:?}");
    assert_eq!(column_of(&feed.origin, "end"), "Austritt");
}

#[test]
fn blank_rows_and_a_repeated_header_are_counted() {
    let feed = rows(&format!(
        "\nE1,Ana,ana@x.com,Left,2026-10-31,,\n,,,,,,\n   \n{HEADER}\nE2,Bob,bob@x.com,Left,2026-10-31,,\n\n"
    ));
    assert_snapshot!(shown(&feed), @r"
    3 E1 | Ana | ana@x.com | Ended | 2026-11-01T00:00:00Z
    7 E2 | Bob | bob@x.com | Ended | 2026-11-01T00:00:00Z
    5 blank, 0 repeated
    Line 6 repeats the header and was skipped
    ");
    assert_eq!(feed.rows_in_file(), 7);
}

#[test]
fn a_row_with_too_many_cells_is_rejected_and_missing_ones_are_blank() {
    let feed = rows(
        "E1,Díaz, Ana,ana@x.com,Left,2026-10-31,,\nE2,Bob,bob@x.com\nE3,Cy,cy@x.com,Left,,,\n",
    );
    assert_snapshot!(shown(&feed), @r#"
    3 E2 | Bob | bob@x.com | Blank | -
    4 E3 | Cy | cy@x.com | Ended | -
    2 rejected (Some("E1"), Some("ana@x.com")): the line has 8 cells, but the header has 7
    0 blank, 0 repeated
    "#);
}

#[test]
fn a_truncated_last_line_makes_the_file_unusable() {
    let cut = rows("E8,Ana,ana@x.com,Left,2026-10-31,,\nE9,Bob,bob@");
    assert_snapshot!(reason(cut), @"the file looks truncated at line 3, which has 3 of 7 cells and no line break after it");
    let quoted = rows("E8,Ana,ana@x.com,Left,2026-10-31,,\nE9,\"Bob,bob@x.com,Left,2026-10-31,,\n");
    assert_snapshot!(reason(quoted), @"the file looks truncated: the row that begins at line 3 has a quote that is never closed");
}

#[test]
fn a_header_that_may_contain_rows_makes_the_file_unusable() {
    let open = read("Employee ID,Status,\"Work Email\nE1,Left,ana@x.com\nE2,Left,bob@x.com\n");
    assert_snapshot!(reason(open), @"the header at line 1 cannot be read: a quote is never closed (the row runs to line 3)");
    let closed =
        read("Employee ID,Status,\"Work Email\nE1,Left,\"ana@x.com\"\nE2,Left,\"bob@x.com\"\n");
    assert_snapshot!(reason(closed), @"the header at line 1 cannot be read: a quote closes before the end of its cell (the row runs to line 2)");
    let one_line = read("Title\nEmployee ID,Status, \"Work Email\"\nE1,Left,ana@x.com\n");
    assert_snapshot!(reason(one_line), @"the header at line 2 cannot be read: a blank precedes an opening quote");
}

#[test]
fn a_header_may_have_several_lines() {
    let feed = read("Employee ID,Status,\"Work\nEmail\"\nE1,Left,ana@x.com\n");
    assert_snapshot!(shown(&feed), @r"
    3 E1 | - | ana@x.com | Ended | -
    0 blank, 0 repeated
    No column has an end date: only the status shows who left
    ");
}

// ---- Columns ----

#[test]
fn the_work_address_wins_and_a_tie_is_refused() {
    let feed =
        read("Home Email,Employee ID,Work Email,Status\nana@home.example,E1,ana@x.com,Left\n");
    let row = &feed.rows[0];
    assert_eq!(
        row.email.as_ref().map(|email| email.key()),
        Some("ana@x.com")
    );
    assert_eq!(row.other_emails[0].key(), "ana@home.example");
    assert_snapshot!(reason(read("Email,Email,Status\na@x.com,b@x.com,Left\n")), @"several columns could be `email`: “Email”, “Email”; closes with: “HR_FEED_COLUMNS=email=Email”");
}

#[test]
fn a_feed_without_end_date_and_status_is_refused_with_its_columns() {
    assert_snapshot!(reason(read("Employee ID,Work Email\nE1,ana@x.com\n")), @"no column shows who left (an end date, a last day of work or a status); the columns are “Employee ID”, “Work Email”; closes with: `HR_FEED_COLUMNS=end=<the column>`");
}

// ---- Values ----

#[test]
fn ids_are_text_and_trimming_is_noted() {
    let feed = rows("00123,,,Left,,,\n123,,,Left,,,\nE12 ,,,Left,,,\n1E5,,,Left,,,\n");
    assert_snapshot!(shown(&feed), @r"
    2 00123 | - |  | Ended | -
    3 123 | - |  | Ended | -
    4 E12 | - |  | Ended | -
      blanks or invisible characters were removed from the id
    5 1E5 | - |  | Ended | -
    0 blank, 0 repeated
    ");
}

#[test]
fn blanks_case_and_invisible_characters_do_not_hide_an_address() {
    let row = row("E1,Ana,\"\u{a0} Ana@X.COM \u{200b}\",Left,2026-10-31,,");
    assert_eq!(
        row.email.map(|email| email.key().to_owned()).as_deref(),
        Some("ana@x.com")
    );
}

#[test]
fn a_text_that_is_not_an_address_is_noted_and_marks_its_row() {
    let feed = rows("E1,Ana,ana at x.com,Left,2026-10-31,,\nE2,Bob,N/A,Left,2026-10-31,,\n");
    assert_snapshot!(shown(&feed), @r#"
    2 E1 | Ana |  | Ended | 2026-11-01T00:00:00Z
      column “Work Email”: part of the text is not an e-mail address
    3 E2 | Bob |  | Ended | 2026-11-01T00:00:00Z
    0 blank, 0 repeated
    "#);
    let marked: Vec<bool> = feed.rows.iter().map(|row| row.unreadable_address).collect();
    assert_eq!(marked, [true, false]);
}

#[test]
fn texts_that_are_not_further_addresses_are_noted_once() {
    let feed = read(
        "Employee ID,Work Email,Home Email,Aliases,Status\n\
         E1,a@x.com,b@x.com; see file; n/a,c@x.com, Left\n\
         E2,d@x.com,bob@,\"Dee <d@y.com>, d@z.com\",Left\n\
         E3,e@x.com,n/a; ;-,none,Left\n",
    );
    assert_snapshot!(shown(&feed), @r"
    2 E1 | - | a@x.com b@x.com c@x.com | Ended | -
      column “Home Email + Aliases”: part of the text is not an e-mail address
    3 E2 | - | d@x.com d@y.com d@z.com | Ended | -
      column “Home Email + Aliases”: part of the text is not an e-mail address
    4 E3 | - | e@x.com | Ended | -
    0 blank, 0 repeated
    No column has an end date: only the status shows who left
    ");
}

#[test]
fn a_name_is_kept_as_written_even_if_it_looks_like_a_formula() {
    for name in ["=HYPERLINK(0)", "+1", "@x", "Null"] {
        let row = row(&format!("E1,{name},ana@x.com,Left,2026-10-31,,"));
        assert_eq!(row.name.as_deref(), Some(name));
    }
}

#[test]
fn a_status_is_active_or_ended_or_stays_unclassified() {
    let status = |word: &str| row(&format!("E1,Ana,ana@x.com,{word},,,")).status;
    assert_eq!(status("Hired"), Employment::Active);
    assert_eq!(status("Inactive"), Employment::Ended);
    assert_eq!(status("Garden Leave"), Employment::Active);
    assert_eq!(status("On leave"), Employment::OnLeave);
    let suspended = Employment::Unclassified("Suspended".to_owned());
    assert_eq!(status("Suspended"), suspended);
    assert_eq!(status(""), Employment::Blank);
}

#[test]
fn terminated_without_a_date_and_active_with_one_are_both_kept() {
    let left = row("E1,Ana,ana@x.com,Terminated,,,");
    assert_eq!((left.status, left.end), (Employment::Ended, None));
    let leaving = row("E1,Ana,ana@x.com,Active,2026-12-31,,");
    assert_eq!(leaving.status, Employment::Active);
    assert!(leaving.end.is_some());
}

#[test]
fn the_last_day_of_work_ends_the_work_and_the_termination_date_is_kept() {
    let row = row("E1,Ana,ana@x.com,Left,2026-12-31,2026-10-31,");
    assert_eq!(
        row.end_of_work().map(|date| &*date.written),
        Some("2026-10-31")
    );
    assert_eq!(
        row.end.map(|date| date.written).as_deref(),
        Some("2026-12-31")
    );
}

#[test]
fn a_date_with_two_readings_rejects_its_row_with_the_setting() {
    let feed = rows("E1,Ana,ana@x.com,Left,03/04/2026,,\n");
    assert_snapshot!(feed.rejected[0].reason, @"column “Termination Date”: “03/04/2026” could be 3 April or March 4; closes with: `HR_FEED_DATE_ORDER=<dmy or mdy>`");
    let settings = Settings {
        dates: DateRules {
            order: Some(DateOrder::MonthFirst),
            ..in_zone("Etc/UTC")
        },
        ..settings()
    };
    let feed = read_with(
        &settings,
        format!("{HEADER}\nE1,Ana,ana@x.com,Left,03/04/2026,,\n"),
    );
    let end = feed.rows[0].end.as_ref().expect("a date");
    assert_eq!(end.at.to_string(), "2026-03-05T00:00:00Z");
}

#[test]
fn a_blank_date_and_a_date_after_2099_mean_no_end() {
    let feed = rows("E1,,,Active,0000-00-00,,\nE2,,,Active,/  /,N/A,\nE3,,,Active,12/31/2100,,\n");
    assert_snapshot!(shown(&feed), @r"
    2 E1 | - |  | Active | -
    3 E2 | - |  | Active | -
    4 E3 | - |  | Active | -
      column “Termination Date”: “12/31/2100” is so far in the future that it counts as blank
    0 blank, 0 repeated
    ");
}

#[test]
fn a_spreadsheet_day_number_is_read_and_noted_on_the_row() {
    let row = row("E1,Ana,ana@x.com,Left,46326,,");
    assert_eq!(
        row.end.map(|date| date.at.to_string()).as_deref(),
        Some("2026-11-01T00:00:00Z")
    );
    assert_snapshot!(row.notes.join("\n"), @"column “Termination Date”: the day number of a spreadsheet was read as a date");
}

#[test]
fn the_zone_of_a_row_wins_and_an_unknown_one_is_ignored() {
    let feed = read(
        "Employee ID,Last Day,Time Zone\nE1,2026-05-14,Australia/Melbourne\nE2,2026-05-14,America/Los_Angeles\nE3,2026-05-14,\nE4,2026-05-14,Pacific\n",
    );
    assert_snapshot!(shown(&feed), @r#"
    2 E1 | - |  | Blank | 2026-05-14T14:00:00Z
    3 E2 | - |  | Blank | 2026-05-15T07:00:00Z
    4 E3 | - |  | Blank | 2026-05-15T00:00:00Z
    5 E4 | - |  | Blank | 2026-05-15T00:00:00Z
      column “Time Zone”: it does not contain a time zone such as `Europe/Paris` and was ignored
    0 blank, 0 repeated
    "#);
    let zone = |at: usize| {
        feed.rows[at]
            .last_day
            .as_ref()
            .map(|date| date.zone.clone())
    };
    assert_eq!(zone(0).as_deref(), Some("Australia/Melbourne"));
    assert_eq!(zone(2).as_deref(), Some("Etc/UTC"));
}

#[test]
fn a_repeated_row_is_counted_and_the_same_id_with_another_date_is_flagged() {
    let feed = rows(
        "E1,Ana,ana@x.com,Left,2026-10-31,,\nE1,Ana,Ana@X.com,Left,2026-10-31,,\nE1,Ana,ana@x.com,Left,2026-11-30,,\n",
    );
    assert_snapshot!(shown(&feed), @r"
    2 E1 | Ana | ana@x.com | Ended | 2026-11-01T00:00:00Z
    4 E1 | Ana | ana@x.com | Ended | 2026-12-01T00:00:00Z
      line 2 has the same id but other values
    0 blank, 1 repeated
    ");
    assert_eq!(feed.rows_in_file(), 3);
}

#[test]
fn equal_rows_without_an_id_and_an_address_may_be_two_people() {
    let feed = rows(&",Anna Schmidt,,Left,2026-10-31,,\n".repeat(2));
    assert_eq!((feed.rows.len(), feed.duplicate_rows), (2, 0));
}

// ---- JSON ----

#[test]
fn the_list_in_an_envelope_is_found_and_ids_keep_their_zeros() {
    let feed = read(include_bytes!("../../tests/feeds/workday.json"));
    assert_snapshot!(shown(&feed), @r"
    1 00123 | Ana Díaz | ana@example.com | Ended | 2026-11-01T07:00:00Z
    2 00124 | Bob Stone | bob@example.com | Active | -
    0 blank, 0 repeated
    The rows are from the list “Report_Entry”
    ");
    assert_eq!(feed.origin.format, "json");
    assert_eq!(column_of(&feed.origin, "end"), "Termination_Date");
}

#[test]
fn nested_people_with_lists_of_addresses_are_read() {
    let feed = read(include_bytes!("../../tests/feeds/scim.json"));
    assert_snapshot!(shown(&feed), @r"
    1 701984 | Ana Díaz | ana@example.com ana@home.example | Ended | -
    0 blank, 0 repeated
    The rows are from the list “Resources”
    No column has an end date: only the status shows who left
    ");
}

#[test]
fn numbers_are_text_nulls_are_blank_and_lost_digits_reject_the_row() {
    let feed = read(
        r#"[{"id":123,"email":null,"status":"Left"},{"id":"1E5","status":"Left"},{"id":1E5,"status":"Left"},{"id":null,"status":null},7,
            {"id":1,"id":2,"status":"Left"},{"id":3,"status":["Left"]}]"#,
    );
    assert_snapshot!(shown(&feed), @r#"
    1 123 | - |  | Ended | -
    2 1E5 | - |  | Ended | -
    7 3 | - |  | Ended | -
    3 rejected (Some("100000"), None): column “id”: an id written as a number with a fraction, an exponent or too many digits loses digits: write it as text
    5 rejected (None, None): the element is not an object
    6 rejected (Some("1"), None): the key “id” appears twice
    1 blank, 0 repeated
    No column has an end date: only the status shows who left
    "#);
    assert_eq!(feed.rows_in_file(), 7);
}

#[test]
fn one_of_several_pages_is_not_the_list() {
    assert_snapshot!(reason(read(r#"{"data":[{"id":"1","status":"Left"}],"paging":{"next":"abc"}}"#)), @"the JSON is not the whole list (see “paging.next”): export the whole list");
    assert_snapshot!(reason(read(r#"{"Resources":[{"id":"1","active":false}],"totalResults":500}"#)), @"the JSON has 1 of 500 records (see “totalResults”): export the whole list");
    assert_eq!(
        read(r#"{"data":[{"id":"1","status":"Left"}],"next":null}"#)
            .rows
            .len(),
        1
    );
}

#[test]
fn two_lists_of_objects_are_refused_and_an_empty_list_is_read() {
    assert_snapshot!(reason(read(r#"{"employees":[{"id":"1"}],"workers":[{"id":"2"}]}"#)), @"the JSON has several lists that may be people: “employees”, “workers”; closes with: “HR_FEED_RECORDS=employees,workers”");
    assert_snapshot!(reason(read(r#"{"message":"no access"}"#)), @"the JSON has no list of people, only an object or a value");
    for text in ["[]", r#"{"employees":[]}"#] {
        let feed = read(text);
        assert_eq!((feed.unusable, feed.rows.len()), (None, 0), "{text}");
    }
}

#[test]
fn a_broken_document_is_refused_with_line_and_column() {
    assert_snapshot!(reason(read("[{\"id\":\"1\",\"status\":\"Left\"},\n{\"id\" \"2\"}]")), @"the file is not valid JSON: line 2, column 7: expected `:`");
    assert_snapshot!(reason(read("[{\"id\":\"1\",\"status\":\"Left\"},\n{\"id\":")), @"the JSON looks truncated at line 2, column 6");
}

#[test]
fn one_object_per_line_is_read_and_a_broken_line_is_rejected() {
    let feed = read(concat!(
        r#"{"employeeNumber":"00123","workEmail":"ana@x.com","isActive":false,"terminationDate":"2026-10-31"}"#,
        "\n\n",
        r#"{"employeeNumber":"00124","workEmail":"bob@x.com","isActive":true}"#,
        "\r\n{\"employeeNumber\":\n{\"employeeNumber\":\"7\"} and more\n",
    ));
    assert_snapshot!(shown(&feed), @r"
    1 00123 | - | ana@x.com | Ended | 2026-11-01T00:00:00Z
    3 00124 | - | bob@x.com | Active | -
    4 rejected (None, None): the line is not valid JSON: EOF while parsing a value
    5 rejected (None, None): the line is not valid JSON: trailing characters
    1 blank, 0 repeated
    ");
    assert_eq!(feed.origin.format, "jsonl");
    assert_eq!(feed.rows_in_file(), 5);
}

#[test]
fn a_line_nested_too_deeply_is_rejected_and_counted_once() {
    let deep = format!(
        r#"{{"id":"2","x":{}1{}}}"#,
        r#"{"a":"#.repeat(200),
        "}".repeat(200)
    );
    let feed = read(format!("{{\"id\":\"1\",\"status\":\"Left\"}}\n{deep}\n"));
    assert_eq!((feed.rows.len(), feed.rejected.len()), (1, 1));
    assert_snapshot!(feed.rejected[0].reason, @"the line is not valid JSON: it is nested more than 127 levels deep");
}

#[test]
fn a_single_object_is_one_line_and_a_truncated_last_line_is_refused() {
    assert_eq!(
        read(r#"{"id":"1","email":"ana@x.com","status":"Left"}"#)
            .rows
            .len(),
        1
    );
    assert_snapshot!(reason(read("{\"id\":\"1\",\"status\":\"Left\"}\n{\"id\":\"2\",\"sta")), @"the file looks truncated at line 2: its object is not closed and no line break follows");
}

#[test]
fn a_configured_format_overrides_detection() {
    let settings = Settings {
        format: Some(Format::Csv),
        ..settings()
    };
    assert!(reason(read_with(&settings, "[{\"id\":\"1\"}]")).starts_with("no header was found"));
}

// ---- Properties ----

#[test]
fn a_large_feed_is_read_completely() {
    let mut text = format!("{HEADER}\n");
    for number in 0..5_000 {
        text.push_str(&format!(
            "E{number},Person {number},p{number}@example.com,Terminated,2026-10-31,,Madrid\n"
        ));
    }
    assert_eq!(read(&text).rows.len(), 5_000);
}

fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[A-Za-z0-9 ]{1,8}",
        "[a-z]{1,5}@[a-z]{1,5}\\.com",
        Just("2026-10-31".to_owned()),
        Just("03/04/2026".to_owned()),
        "[ \",;\\\\\r\n=é]{0,4}",
    ]
}

fn quoted(cell: &str) -> String {
    format!("\"{}\"", cell.replace('"', "\"\""))
}

fn table(order: &[usize], rows: &[Vec<String>]) -> String {
    let header: Vec<String> = HEADER.split(',').map(str::to_owned).collect();
    let mut text = String::new();
    for row in std::iter::once(&header).chain(rows) {
        let cells: Vec<String> = order.iter().map(|at| quoted(&row[*at])).collect();
        text.push_str(&cells.join(","));
        text.push('\n');
    }
    text
}

fn any_rows() -> impl Strategy<Value = Vec<Vec<String>>> {
    prop::collection::vec(prop::collection::vec(cell(), 7), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_row_of_the_file_is_in_exactly_one_count(rows in any_rows()) {
        let feed = read(table(&[0, 1, 2, 3, 4, 5, 6], &rows));
        prop_assert_eq!(&feed.unusable, &None);
        prop_assert_eq!(feed.rows_in_file(), rows.len() as u64);
    }

    #[test]
    fn the_order_of_columns_makes_no_difference(
        rows in any_rows(),
        order in Just(vec![0, 1, 2, 3, 4, 5, 6]).prop_shuffle(),
    ) {
        let plain = read(table(&[0, 1, 2, 3, 4, 5, 6], &rows));
        let shuffled = read(table(&order, &rows));
        prop_assert_eq!(&plain.rows, &shuffled.rows);
        prop_assert_eq!(plain.rejected.len(), shuffled.rejected.len());
        prop_assert_eq!(plain.rows_in_file(), shuffled.rows_in_file());
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(bytes);
    }

    #[test]
    fn no_text_under_a_header_makes_it_panic(text in "[\",;|\\\\\r\na-c@0-9/. -]{0,200}") {
        let feed = rows(&text);
        prop_assert!(feed.unusable.is_none() || feed.rows_in_file() == 0);
    }

    #[test]
    fn no_json_like_text_makes_it_panic(text in "[{\\[][{}\\[\\]\",:a-c0-9.\n ]{0,100}") {
        let _ = read(text);
    }

    #[test]
    fn no_changed_byte_makes_it_panic(at in 0usize..200, byte in any::<u8>()) {
        for sample in [
            &include_bytes!("../../tests/feeds/leavers.csv")[..],
            &include_bytes!("../../tests/feeds/utf-16le-tabs.txt")[..],
            &include_bytes!("../../tests/feeds/workday.json")[..],
        ] {
            let mut bytes = sample.to_vec();
            let place = at % bytes.len();
            bytes[place] = byte;
            let _ = read(bytes);
        }
    }
}

// ---- Zones by work place ----

#[test]
fn a_work_place_has_a_zone_and_a_zone_column_wins() {
    let settings = Settings {
        dates: DateRules {
            location_zones: [
                ("melbourne".to_owned(), "Australia/Melbourne".to_owned()),
                (
                    "los angeles, ca".to_owned(),
                    "America/Los_Angeles".to_owned(),
                ),
            ]
            .into(),
            ..in_zone("Europe/Berlin")
        },
        ..settings()
    };
    let text = "Employee ID,Work Email,Termination Date,Location,Time Zone\n\
                E1,a@x.com,2026-05-14,Melbourne,\n\
                E2,b@x.com,2026-05-14,\" los  Angeles, CA\",\n\
                E3,c@x.com,2026-05-14,Melbourne,Asia/Tokyo\n\
                E4,d@x.com,2026-05-14,Lisbon,\n\
                E5,e@x.com,2026-05-14,,\n";
    let feed = read_with(&settings, text);
    let read_as: Vec<String> = feed
        .rows
        .iter()
        .map(|row| {
            let end = row.end.as_ref().expect("an end");
            format!("{} {} {}", end.at, end.zone, row.notes.join("; "))
        })
        .collect();
    assert_eq!(
        read_as,
        [
            "2026-05-14T14:00:00Z Australia/Melbourne ",
            "2026-05-15T07:00:00Z America/Los_Angeles ",
            "2026-05-14T15:00:00Z Asia/Tokyo ",
            "2026-05-14T22:00:00Z Europe/Berlin HR_LOCATION_ZONES lacks the work place: HR_TIME_ZONE was used",
            "2026-05-14T22:00:00Z Europe/Berlin the row has no work place: HR_TIME_ZONE was used",
        ]
    );
}

// ---- Columns that are not read ----

fn unread(feed: &HrFeed, row: usize) -> Vec<String> {
    let cells = feed.rows[row].unread.iter();
    let shown = cells.map(|cell| {
        let name = &feed.origin.columns[cell.column].name;
        let date = cell.date.map(|date| date.to_string()).unwrap_or_default();
        let emails: Vec<&str> = cell.emails.iter().map(|email| email.key()).collect();
        format!("{name}: {date}{}", emails.join(" "))
    });
    shown.collect()
}

#[test]
fn dates_and_addresses_in_unread_columns_are_found() {
    let feed = read(
        "Employee ID,Work Email,Email,Status,Termination Date,Contract End Date,Valid until,Date of Birth,Team,Locker\n\
         E1,a@x.com,b@x.com,Inactive,,2026-10-31,46326,1990-01-01,Sales,46326\n\
         E2,c@x.com,c@x.com,Inactive,2026-10-31,03/04/2026,,,2026 plan,\n",
    );
    assert_eq!(
        unread(&feed, 0),
        [
            "Email: b@x.com",
            "Contract End Date: 2026-11-01T00:00:00Z",
            "Valid until: 2026-11-01T00:00:00Z"
        ]
    );
    assert_eq!(
        unread(&feed, 1),
        ["Contract End Date: 2026-03-05T00:00:00Z"]
    );
}

#[test]
fn an_ignored_column_is_not_searched() {
    let columns = [(Meaning::Ignored, "Badge issued+Backup".to_owned())];
    let settings = Settings {
        columns: columns.into(),
        ..settings()
    };
    let text = "Employee ID,Status,Badge issued,Backup\nE1,Left,2026-10-31,b@x.com\n";
    let feed = read_with(&settings, text);
    assert_eq!(unread(&feed, 0), [""; 0]);
    assert_eq!(column_of(&feed.origin, "ignored"), "Badge issued");
}

#[test]
fn values_of_lists_inside_a_record_are_found() {
    let feed = read(
        r#"[{"employeeId": "E1", "workEmail": "a@x.com", "status": "Inactive",
             "employments": [{"id": 1, "end_date": "2026-10-31"}, {"end_date": "2020-06-30"}],
             "logins": [{"mail": "b@x.com"}, {"mail": "a@x.com"}]}]"#,
    );
    assert_eq!(
        unread(&feed, 0),
        [
            "employments.end_date: 2020-07-01T00:00:00Z",
            "logins.mail: b@x.com"
        ]
    );
}

// ---- Addresses, ids and statuses ----

#[test]
fn an_address_is_read_from_the_forms_that_systems_write() {
    let emails = |cell: &str| {
        let row = row(&format!("E1,Ana,\"{cell}\",Left,2026-10-31,,"));
        let emails: Vec<String> = row.emails().map(|email| email.key().to_owned()).collect();
        (emails.join(" "), row.unreadable_address)
    };
    for cell in [
        "SMTP:ana@x.com",
        "mailto:ana@x.com",
        "Ana Diaz <ana@x.com>",
        "[ana@x.com]",
    ] {
        assert_eq!(emails(cell), ("ana@x.com".to_owned(), false), "{cell}");
    }
    assert_eq!(
        emails("ana@x.com;smtp:b@x.com"),
        ("ana@x.com b@x.com".to_owned(), false)
    );
    assert_eq!(emails("(SEP)user10@x.com"), (String::new(), true));
    assert_eq!(emails("ana@x.com (left)"), ("ana@x.com".to_owned(), true));
}

#[test]
fn placeholders_and_words_for_none_are_not_addresses() {
    for cell in [
        "noemail@x.com",
        "no-email@x.com",
        "No.Reply@x.com",
        "noemail12@x.com",
        "tbd@x.com",
        "sinmail@x.com",
    ] {
        let row = row(&format!("E1,Ana,{cell},Left,2026-10-31,,"));
        assert_eq!((row.email, row.unreadable_address), (None, false), "{cell}");
        assert_eq!(
            row.notes,
            ["column “Work Email”: it has a placeholder instead of an address"]
        );
    }
    for cell in [
        "keine", "Aucun", "ninguno", "nessuno", "geen", "nenhum", "なし", "no email", "N/A",
    ] {
        let row = row(&format!("E1,Ana,{cell},Left,2026-10-31,,"));
        assert_eq!((row.email, row.unreadable_address), (None, false), "{cell}");
        assert_eq!(row.notes, [""; 0]);
    }
    for cell in ["test@x.com", "info@x.com", "nora@x.com", "nina@x.com"] {
        assert!(
            row(&format!("E1,Ana,{cell},Left,2026-10-31,,"))
                .email
                .is_some(),
            "{cell}"
        );
    }
}

#[test]
fn words_and_addresses_of_the_setting_mean_none() {
    let settings = Settings {
        words: Words {
            no_address: vec!["Kein Konto".to_owned(), "hr@x.com".to_owned()],
            ..Words::default()
        },
        ..settings()
    };
    let text = format!("{HEADER}\nE1,Ana,kein konto,Left,,,\nE2,Bob,HR@X.com,Left,,,\n");
    let feed = read_with(&settings, text);
    assert!(feed.rows.iter().all(|row| row.email.is_none()));
}

#[test]
fn placeholders_are_not_ids_and_composite_ids_need_every_part() {
    let feed = rows(
        "0,Ana,a@x.com,Left,,,\n2.00E+11,Bob,b@x.com,Left,,,\nTBD,Cy,c@x.com,Left,,,\n00123,Di,d@x.com,Left,,,\n",
    );
    let ids: Vec<_> = feed
        .rows
        .iter()
        .map(|row| row.person_id.as_deref())
        .collect();
    assert_eq!(ids, [None, None, None, Some("00123")]);
    assert_eq!(
        feed.rows[1].notes,
        ["column “Employee ID”: it has a placeholder instead of an id"]
    );

    let columns = [(Meaning::PersonId, "Company Code+File Number".to_owned())];
    let settings = Settings {
        columns: columns.into(),
        ..settings()
    };
    let text = "Company Code,File Number,Status\nABC,000123,Left\nXYZ,000123,Left\n000,1,Left\nABC,,Left\n";
    let feed = read_with(&settings, text);
    let ids: Vec<_> = feed
        .rows
        .iter()
        .map(|row| row.person_id.as_deref())
        .collect();
    assert_eq!(
        ids,
        [Some("ABC+000123"), Some("XYZ+000123"), Some("000+1"), None]
    );
    assert_eq!(
        feed.rows[3].notes,
        ["column “Company Code + File Number”: a part of the id is missing, so the row has no id"]
    );
}

#[test]
fn status_columns_that_agree_are_one_and_others_are_unclassified() {
    let feed = read(
        "ID,Email,Status,Lifecycle Status\n1,a@x.com,Inactive,Terminated\n2,b@x.com,,Active\n3,c@x.com,Active,Terminated\n",
    );
    let statuses: Vec<&Employment> = feed.rows.iter().map(|row| &row.status).collect();
    let both = Employment::Unclassified("Active / Terminated".to_owned());
    assert_eq!(statuses, [&Employment::Ended, &Employment::Active, &both]);
    let words: Vec<String> = feed
        .origin
        .status_words
        .iter()
        .map(|of| format!("{} {:?} {}", of.word, of.meaning, of.rows))
        .collect();
    assert_eq!(
        words,
        ["Active Active 2", "Terminated Ended 2", "Inactive Ended 1"]
    );
}

#[test]
fn midnight_in_a_file_is_the_whole_day_and_noted_once() {
    let feed = read(
        r#"[{"employeeId": "E1", "status": "Terminated", "terminationDate": "2026-10-31T00:00:00.000Z"},
            {"employeeId": "E2", "status": "Terminated", "terminationDate": "/Date(1793404800000)/"}]"#,
    );
    for row in &feed.rows {
        let end = row.end.as_ref().expect("an end");
        assert_eq!(end.at.to_string(), "2026-11-01T00:00:00Z");
    }
    assert_eq!(
        feed.origin.notes,
        ["2 dates with the time 00:00 were read as whole days"]
    );
}

#[test]
fn a_windows_zone_is_known() {
    let feed = read("Employee ID,Last Day,TimeZone\nE1,2026-05-14,Pacific Standard Time\n");
    let day = feed.rows[0].last_day.as_ref().expect("a day");
    assert_eq!(
        (day.at.to_string().as_str(), &*day.zone),
        ("2026-05-15T07:00:00Z", "America/Los_Angeles")
    );
}

// ---- Rows ----

#[test]
fn a_footer_is_noted_and_a_heading_between_people_is_rejected() {
    let feed = rows(
        "E1,Ana,ana@x.com,Left,,,\n\n\nConfidential: not for distribution\nGenerated by HR on 2026-11-23\n",
    );
    assert_eq!(
        (feed.rows.len(), feed.rejected.len(), feed.blank_rows),
        (1, 0, 4)
    );
    let feed = rows("Department: Sales\nE1,Ana,ana@x.com,Left,,,\n");
    assert_snapshot!(shown(&feed), @r#"
    3 E1 | Ana | ana@x.com | Ended | -
    2 rejected (Some("Department: Sales"), None): the line has only one text: a heading or a note between the rows
    0 blank, 0 repeated
    "#);
    let cut = read("Name,Work Email,Status\nAna Diaz,ana@x.com,Left\nBob Sto");
    assert!(reason(cut).starts_with("the file looks truncated at line 3"));
}

#[test]
fn missing_cells_at_the_end_are_blank_and_extra_blank_cells_are_dropped() {
    let feed = rows("E1,Ana,ana@x.com,Active\nE2,Bob,bob@x.com,Left,2026-10-31,,,,\n");
    assert_eq!((feed.rows.len(), feed.rejected.len()), (2, 0));
    assert_eq!(feed.rows[0].status, Employment::Active);
}

// ---- Documents ----

fn with_records(records: &[&str], text: &str) -> HrFeed {
    let settings = Settings {
        records: records.iter().map(|name| (*name).to_owned()).collect(),
        ..settings()
    };
    read_with(&settings, text)
}

const TWO_LISTS: &str = r#"{
    "employees": [{"id": "E1", "email": "a@x.com", "is_active": false, "end_date": "2026-10-31"}],
    "contractors": [{"id": "C1", "email": "b@x.com", "is_active": false, "end_date": "2026-10-31"}]}"#;

#[test]
fn two_lists_of_people_are_refused_until_the_setting_selects_them() {
    let ids = |feed: HrFeed| -> Vec<String> {
        assert_eq!(feed.unusable, None);
        feed.rows
            .into_iter()
            .filter_map(|row| row.person_id)
            .collect()
    };
    assert!(reason(read(TWO_LISTS)).contains("HR_FEED_RECORDS=employees,contractors"));
    assert_eq!(ids(with_records(&["employees"], TWO_LISTS)), ["E1"]);
    let both = with_records(&["employees", "contractors"], TWO_LISTS);
    let lines: Vec<u64> = both.rows.iter().map(|row| row.line).collect();
    assert_eq!(lines, [1, 2]);
    assert_eq!(ids(both), ["E1", "C1"]);
    assert_snapshot!(reason(with_records(&["leavers"], TWO_LISTS)), @"HR_FEED_RECORDS names “leavers”, but the JSON has no such list; its lists are “employees”, “contractors”");
    let deep = r#"{"data": {"employees": {"edges": [{"node": {"id": "E1", "email": "a@x.com", "status": "Left"}}]}, "users": []}}"#;
    for name in ["employees", "data.employees.edges", "edges"] {
        assert_eq!(ids(with_records(&[name], deep)), ["E1"], "{name}");
    }
}

#[test]
fn a_list_of_people_is_found_at_any_depth() {
    let person =
        r#"{"employeeId": "E1", "email": "a@x.com", "status": "Left", "tags": [{"id": 1}]}"#;
    for document in [
        "[@P]",
        r#"{"d": {"results": [@P]}}"#,
        r#"{"_data": [@P], "_meta": {"links": {}}}"#,
        r#"{"data": {"officeEmployeePage": {"items": [@P], "totalElements": 1}}}"#,
        r#"{"data": {"employees": {"edges": [{"cursor": "x", "node": @P}], "pageInfo": {"hasNextPage": false, "endCursor": "abc"}}}}"#,
        r#"{"fields": [{"id": "email", "type": "text", "name": "Work Email"}], "employees": [@P]}"#,
        r#"{"departments": [{"name": "A", "employees": [@P]}, {"name": "B", "employees": []}]}"#,
        r#"[{"data": [@P]}, {"data": []}]"#,
        r#"{"a": {"b": {"c": {"d": {"e": {"f": [[@P]]}}}}}}"#,
        r#"{"errors": [], "result": [@P], "count": 1}"#,
    ] {
        let text = document.replace("@P", person);
        let feed = read(&text);
        assert_eq!(feed.unusable, None, "{text}");
        assert_eq!(feed.rows.len(), 1, "{text}");
        assert_eq!(feed.rows[0].person_id.as_deref(), Some("E1"), "{text}");
    }
}

#[test]
fn attributes_of_personio_are_read() {
    let feed = read(
        r#"{"success": true, "metadata": {"total_elements": 1, "current_page": 0, "total_pages": 1}, "offset": 0, "limit": 50,
            "data": [{"type": "Employee", "attributes": {"id": {"label": "ID", "value": 900}, "email": {"label": "Email", "value": "x@x.com"},
            "status": {"label": "Status", "value": "inactive"}, "termination_date": {"label": "Termination date", "value": "2026-10-31"}}}]}"#,
    );
    assert_snapshot!(shown(&feed), @r"
    1 900 | - | x@x.com | Ended | 2026-11-01T00:00:00Z
    0 blank, 0 repeated
    The rows are from the list “data”
    ");
}

#[test]
fn every_form_of_page_is_refused_by_its_sign() {
    let person = r#"{"employeeId": "E900", "email": "x@x.com", "status": "Inactive", "endDate": "2026-10-31"}"#;
    for (document, marker) in [
        (
            r#"{"items": [@P], "count": 1, "hasMore": true, "limit": 25, "offset": 0}"#,
            "hasMore",
        ),
        (
            r#"{"d": {"results": [@P], "__next": "https://hr.example/u?$skiptoken=abc"}}"#,
            "d.__next",
        ),
        (
            r#"{"totalResults": 250, "startIndex": 1, "itemsPerPage": 1, "Resources": [@P]}"#,
            "totalResults",
        ),
        (
            r#"{"metadata": {"total_elements": 250, "current_page": 0, "total_pages": 5}, "data": [@P]}"#,
            "metadata.total_elements",
        ),
        (
            r#"{"metadata": {"total_pages": "5"}, "data": [@P]}"#,
            "metadata.total_pages",
        ),
        (r#"{"total": 250, "data": [@P]}"#, "total"),
        (
            r#"{"data": [@P], "page": {"cursor": "abc", "total_rows": 250}}"#,
            "page.total_rows",
        ),
        (
            r#"{"data": [@P], "page": {"cursor": "abc"}}"#,
            "page.cursor",
        ),
        (
            r#"{"data": {"employees": {"edges": [{"node": @P}], "pageInfo": {"hasNextPage": true, "endCursor": "abc"}}}}"#,
            "data.employees.pageInfo.hasNextPage",
        ),
        (
            r#"{"data": {"officeEmployeePage": {"items": [@P], "last": false}}}"#,
            "data.officeEmployeePage.last",
        ),
        (
            r#"{"_embedded": {"employees": [@P]}, "_links": {"next": {"href": "https://hr.example/2"}}}"#,
            "_links.next",
        ),
        (
            r#"{"employees": [@P], "links": [{"rel": "self", "href": "/1"}, {"rel": "next", "href": "/2"}]}"#,
            "links",
        ),
        (r#"{"employees": [@P], "offset": 100}"#, "offset"),
        (r#"{"employees": [@P], "page": "2"}"#, "page"),
        (r#"{"employees": [@P], "first": false}"#, "first"),
        (
            r#"[{"employees": [@P], "nextPageToken": "t"}]"#,
            "nextPageToken",
        ),
    ] {
        let text = document.replace("@P", person);
        let reason = reason(read(&text));
        assert!(
            reason.contains(&format!("(see “{marker}”)")),
            "{text}: {reason}"
        );
        assert!(reason.contains("export the whole list"), "{reason}");
    }
}

#[test]
fn lines_that_are_envelopes_are_refused_by_their_signs() {
    let page = r#"{"employees": [{"employeeId": "E1", "status": "Left"}], "hasMore": @M}"#;
    let both = |last: &str| {
        let lines = [
            page.replace("@M", "false"),
            page.replace("E1", "E2").replace("@M", last),
        ];
        read(lines.join("\n") + "\n")
    };
    assert_eq!(both("false").rows.len(), 2);
    assert!(reason(both("true")).contains("“hasMore”"));
}

#[test]
fn keys_of_a_person_are_not_signs() {
    let feed = read(
        r#"{"employees": [{"employeeId": "E1", "status": "Left", "total": 99, "next": "E2", "page": {"hasMore": true}, "links": [{"rel": "next", "href": "x"}]}]}"#,
    );
    assert_eq!((feed.unusable, feed.rows.len()), (None, 1));
}

#[test]
fn a_document_with_one_record_per_line_is_not_json_lines() {
    let feed = read("{\"employees\": [\n{\"employeeId\": \"E1\", \"status\": \"Left\"}\n]}\n");
    assert_eq!((feed.unusable, feed.rows.len()), (None, 1));
    let feed = read(
        "{\"employees\": [\n{\"employeeId\": \"E1\", \"status\": \"Left\"},\n{\"employeeId\": \"E2\", \"status\": \"Left\"}\n]}\n",
    );
    assert_eq!((feed.unusable, feed.rows.len()), (None, 2));
}

#[test]
fn ids_as_keys_and_deep_documents_are_refused() {
    let many: Vec<String> = (0..6000)
        .map(|id| format!(r#""E{id}": {{"status": "Left"}}"#))
        .collect();
    assert_snapshot!(reason(read(format!("{{{}}}", many.join(",")))), @"the JSON has more than 5000 different paths of keys: ids or dates seem to be used as keys");
    let deep = format!(
        r#"{{"employees": {}1{}}}"#,
        "[".repeat(200),
        "]".repeat(200)
    );
    assert!(reason(read(deep)).ends_with("it is nested more than 127 levels deep"));
}

#[test]
fn every_digit_of_an_integer_is_kept() {
    let feed = read(
        r#"[{"employeeId": 18446744073709551615, "status": "Left"}, {"employeeId": -1, "status": "Left"}]"#,
    );
    assert_eq!(
        feed.rows[0].person_id.as_deref(),
        Some("18446744073709551615")
    );
}

/// A key with a value that announces more records.
fn any_sign() -> impl Strategy<Value = String> {
    use signs::{SIGNS, Sign};
    let keys = SIGNS
        .iter()
        .flat_map(|(sign, keys)| keys.split_whitespace().map(|key| (*sign, key)));
    let markers: Vec<String> = keys
        .map(|(sign, key)| {
            let value = match sign {
                Sign::Next | Sign::Previous | Sign::Error => {
                    r#"{"href": "https://hr.example/?page=x"}"#
                }
                Sign::HasMore | Sign::HasPrevious => "true",
                Sign::IsLast | Sign::Success | Sign::IsFirst => "false",
                Sign::Pages | Sign::Page | Sign::Total | Sign::Count => "\"7\"",
                Sign::Offset => "7",
            };
            format!("\"{key}\": {value}")
        })
        .collect();
    prop::sample::select(markers)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_sign_at_any_depth_around_the_records_is_refused(
        marker in any_sign(),
        above in prop::collection::vec(prop::sample::select(&["data", "meta", "response", "paging"][..]), 0..6),
        beside in prop::collection::vec(prop::sample::select(&["links", "info", "a"][..]), 0..6),
        in_list in any::<bool>(),
    ) {
        let records = r#""employees": [{"employeeId": "E1", "status": "Left", "endDate": "2026-10-31"}]"#;
        let mut around = format!("{{{marker}}}");
        for name in &beside {
            around = if in_list { format!("{{\"{name}\": [{around}]}}") } else { format!("{{\"{name}\": {around}}}") };
        }
        let mut document = format!("{{{records}, \"around\": {around}}}");
        for name in &above {
            document = format!("{{\"{name}\": {document}}}");
        }
        prop_assert!(read(&document).unusable.is_some(), "{}", document);
    }

    #[test]
    fn a_date_in_a_column_of_any_other_name_is_found(name in "[B-DF-HJ-NP-TV-Z]{4,9}") {
        let feed = read(format!("Employee ID,Status,{name}\nE1,Left,2026-10-31\n"));
        let seen = feed.rows[0].unread.first().and_then(|cell| cell.date);
        let is_harmless = feed.origin.columns[2].meaning == Meaning::Harmless;
        prop_assert!(seen.is_some() || is_harmless || feed.rows[0].end.is_some(), "{:?}", feed);
        prop_assert!(!is_harmless || names::has_part(&name.to_lowercase(), names::HARMLESS));
    }

    #[test]
    fn no_document_makes_it_panic(text in "[{\\[](\"(id|email|next|data)\":|[{}\\[\\],]|1|\"a@x.com\"|null|true){0,40}") {
        let _ = read(&text);
        let _ = read(format!("{text}\n{text}\n"));
    }
}
