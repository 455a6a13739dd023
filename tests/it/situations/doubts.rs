//! Every open case names the one line that closes it: an alias, an exception or a setting.
//!
//! A note or the detail of a check ends with ``closes with: `…` ``. The test reads that line, fills
//! in its blanks (`<why>`, `<who>`, `<date>`), applies it and runs again.

use std::collections::BTreeSet;

use crate::situations::company::{ALIAS_COLUMNS, Company, EXCEPTION_COLUMNS, Run};
use crate::situations::must::Failures;

const COLUMNS: &str = "Employee ID,Name,Work Email,Status,Hire Date,Termination Date";

/// The administrator, who works here, owns service accounts and approves.
const BOSS: &str = "R0,User 0,user0@acme.example,Active,2010-01-01,";
const GONE: &str = "E900,Gil Hay,x@acme.example,Terminated,2018-01-01,{D-200}";

fn feed(rows: &[&str]) -> String {
    [COLUMNS, BOSS, GONE]
        .iter()
        .chain(rows)
        .map(|row| format!("{row}\n"))
        .collect()
}

/// An open case: a company and the feeds of consecutive days. The case is open on the last day.
struct OpenCase {
    name: &'static str,
    feeds: Vec<String>,
    company: fn(Company) -> Company,
    aliases: Vec<String>,
    /// The number of lines that close it one after another, because one line may open another case.
    rounds: usize,
}

fn open_case(name: &'static str, feed: String) -> OpenCase {
    OpenCase {
        name,
        feeds: vec![feed],
        company: |company| company,
        aliases: Vec::new(),
        rounds: 1,
    }
}

impl OpenCase {
    fn company(mut self, change: fn(Company) -> Company) -> Self {
        self.company = change;
        self
    }

    fn after(mut self, feed: String) -> Self {
        self.feeds.insert(0, feed);
        self
    }

    fn alias(mut self, line: &str) -> Self {
        self.aliases.push(line.to_owned());
        self
    }

    fn rounds(mut self, rounds: usize) -> Self {
        self.rounds = rounds;
        self
    }

    /// The run of the last day, with these lines in addition.
    fn run(&self, lines: &[Line]) -> Run {
        let mut aliases = self.aliases.clone();
        let mut exceptions = Vec::new();
        let mut company = (self.company)(Company::new());
        for line in lines {
            match line {
                Line::Alias(line) => {
                    // A line about the same account and relation replaces the previous one.
                    let key = |line: &str| {
                        let cells: Vec<&str> = line.split(',').collect();
                        (
                            cells[1].to_owned(),
                            cells[2].to_owned(),
                            cells[3].to_owned(),
                        )
                    };
                    aliases.retain(|known| key(known) != key(line));
                    aliases.push(line.clone());
                }
                Line::Exception(line) => exceptions.push(line.clone()),
                Line::Setting(name, value) => company = company.env(name, value),
            }
        }
        if !aliases.is_empty() {
            company = company.aliases(&aliases);
        }
        if !exceptions.is_empty() {
            company = company.exceptions(&exceptions);
        }
        let runs = self.feeds.iter().zip(0..);
        let last = runs.map(|(feed, day)| company.run_on(day, feed)).last();
        last.expect("a feed")
    }

    fn result(&self) -> Result<(), String> {
        let before = self.run(&[]);
        if before.verdict().starts_with("pass") {
            return Err(format!("the run passes\n    {}", before.summary()));
        }
        let mut applied = Vec::new();
        let mut run = self.run(&[]);
        let mut left_open = String::new();
        for _ in 0..self.rounds {
            let lines = lines(&run);
            let mut of_run = lines.iter();
            let (Some(line), None) = (of_run.next(), of_run.next()) else {
                let count = lines.len();
                return Err(format!(
                    "the notes name {count} lines: {lines:?}\n    {}",
                    run.summary()
                ));
            };
            applied.push(Line::parse(line)?);
            run = self.run(&applied);
            match still_open(&before, &run) {
                None => return Ok(()),
                Some(claim) => left_open = format!("`{line}`: {claim}\n    {}", run.summary()),
            }
        }
        Err(left_open)
    }
}

/// What is still open after the lines were applied.
fn still_open(before: &Run, run: &Run) -> Option<&'static str> {
    let is_invalid = run.findings().iter().any(|finding| {
        let kind = finding["kind"].as_str();
        kind.is_some_and(|kind| kind.ends_with("_invalid"))
    });
    let is_still_accused = before
        .accused()
        .intersection(&run.accused())
        .next()
        .is_some();
    let claims = [
        (is_invalid, "the line is invalid"),
        (run.failure.is_some(), "the run reaches no verdict"),
        (
            run.has_not_evaluable(),
            "a leaver could still not be judged",
        ),
        (!run.suspected().is_empty(), "an account is still suspected"),
        (is_still_accused, "an account is still accused"),
        (
            run.verdict() == "inconclusive",
            "the run is still inconclusive",
        ),
    ];
    let open = claims.into_iter().find(|(is_open, _)| *is_open);
    open.map(|(_, claim)| claim)
}

/// A line as a person would copy it.
#[derive(Debug)]
enum Line {
    Alias(String),
    Exception(String),
    Setting(String, String),
}

fn lines(run: &Run) -> BTreeSet<String> {
    let notes = run.notes().into_iter();
    let named = notes.flat_map(|note| note.split("closes with: ").skip(1));
    // A line with text from outside is in typographic quotes.
    let line = |rest: &str| rest.split(['`', '“', '”']).nth(1).map(str::to_owned);
    named.filter_map(line).collect()
}

impl Line {
    fn parse(line: &str) -> Result<Self, String> {
        if let Some(line) = line.strip_prefix("ALIASES_URL: ") {
            return Ok(Self::Alias(filled_in(line, ALIAS_COLUMNS)?));
        }
        if let Some(line) = line.strip_prefix("EXCEPTIONS_URL: ") {
            return Ok(Self::Exception(filled_in(line, EXCEPTION_COLUMNS)?));
        }
        let (name, value) = line
            .split_once('=')
            .ok_or_else(|| format!("`{line}` is not a setting"))?;
        let is_name = name
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte == b'_');
        let value = match value.starts_with("person_id=") && value.contains('<') {
            // Only a person can decide which columns identify people.
            true => "person_id=Company Code+File Number".to_owned(),
            false => chosen(value),
        };
        match is_name {
            true => Ok(Self::Setting(name.to_owned(), value)),
            false => Err(format!(
                "`{line}` is neither an alias, an exception nor a setting"
            )),
        }
    }
}

/// A CSV line with its blanks filled in, by their columns.
fn filled_in(line: &str, columns: &str) -> Result<String, String> {
    let columns: Vec<&str> = columns.split(',').collect();
    // Blanks may contain commas, such as `<an address, or an id>`.
    let mut cells = vec![String::new()];
    let (mut is_blank, mut is_quoted) = (false, false);
    for c in line.chars() {
        match c {
            '"' => is_quoted = !is_quoted,
            '<' if !is_quoted => is_blank = true,
            '>' if !is_quoted => is_blank = false,
            _ => {}
        }
        match cells.last_mut() {
            Some(_) if c == ',' && !is_blank && !is_quoted => cells.push(String::new()),
            Some(cell) => cell.push(c),
            None => {}
        }
    }
    if cells.len() != columns.len() {
        return Err(format!(
            "`{line}` has {} cells of {}",
            cells.len(),
            columns.len()
        ));
    }
    for (cell, column) in cells.iter_mut().zip(columns) {
        if !cell.contains('<') {
            continue;
        }
        *cell = match column {
            "reason" => "checked with HR and the team lead",
            "owner" => "user0@acme.example",
            "approved_by" => "ciso@acme.example",
            "approved_on" => "{D}",
            "expires_on" => "{D+60}",
            "relation" => "different",
            other => return Err(format!("`{line}` leaves `{other}` blank")),
        }
        .to_owned();
    }
    Ok(cells.join(","))
}

/// A setting with the first choice of each blank: `<dmy or mdy>` gives `dmy`.
fn chosen(value: &str) -> String {
    let mut text = String::new();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('<') {
        let (blank, behind) = after.split_once('>').unwrap_or((after, ""));
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let word: String = blank.chars().take_while(|c| is_word(*c)).collect();
        text.push_str(before);
        text.push_str(&word);
        rest = behind;
    }
    text + rest
}

fn ensure_closed(cases: impl IntoIterator<Item = OpenCase>) {
    let mut failures = Failures::default();
    for case in cases {
        failures.add(case.name, case.result());
    }
    failures.ensure_none();
}

// ---- The feed ----

#[test]
fn an_open_case_about_a_column_names_its_setting() {
    let rare = |column: &str| {
        let mut text = format!("Employee ID,Name,Work Email,Status,Termination Date,{column}\n");
        for number in 0..40 {
            let date = if number == 10 { "{D-20}" } else { "" };
            text.push_str(&format!(
                "R{number},User {number},user{number}@acme.example,Active,,{date}\n"
            ));
        }
        text + "E900,Gil Hay,x@acme.example,Terminated,{D-200},\n"
    };
    ensure_closed([
        open_case(
            "an unread date of a leaver",
            "Employee ID,Name,Work Email,Status,Qx\n\
             E10,Ben Ode,user10@acme.example,Terminated,{D-20}\nE900,Gil Hay,x@acme.example,Terminated,{D-200}\n"
                .to_owned(),
        ),
        open_case("an unread date of someone employed", rare("Qx"))
            .company(Company::roster)
            // The date that is now read contradicts the status.
            .rounds(2),
        open_case("an unread address of a leaver", "Employee ID,Name,Work Email,Qx,Status,Termination Date\n\
             E10,Ben Ode,ben.ode@acme.example,user10@acme.example,Terminated,{D-20}\n".to_owned()),
        open_case("two statuses that contradict each other", "Employee ID,Name,Work Email,Employment Status,Worker Status,Termination Date\n\
             E10,Ben Ode,user10@acme.example,Active,Terminated,\nE900,Gil Hay,x@acme.example,Terminated,Terminated,{D-20}\n".to_owned()),
        open_case("two addresses of one kind", "Employee ID,Name,Email,E-Mail,Status,Termination Date\n\
             E900,Gil Hay,x@acme.example,y@acme.example,Terminated,{D-20}\n".to_owned()),
    ]);
}

#[test]
fn an_open_case_about_a_word_names_its_setting() {
    ensure_closed([
        open_case(
            "an unknown status",
            feed(&["E10,Ben Ode,user10@acme.example,Dormant,2019-01-01,"]),
        ),
        open_case(
            "an unreadable address",
            feed(&["E10,Ben Ode,ask the desk,Terminated,2019-01-01,{D-20}"]),
        ),
        open_case(
            "a day of two readings",
            feed(&["E10,Ben Ode,ben.ode@acme.example,Terminated,2019-01-01,03/11/2026"]),
        ),
    ]);
}

#[test]
fn an_open_case_about_two_lists_names_the_setting() {
    let person = |id: &str, email: &str| {
        format!(
            r#"{{"id": "{id}", "email": "{email}", "status": "Terminated", "endDate": "{{D-20}}"}}"#
        )
    };
    ensure_closed([open_case(
        "two lists of people",
        format!(
            r#"{{"employees": [{}], "contractors": [{}]}}"#,
            person("E900", "x@acme.example"),
            person("C10", "y@acme.example")
        ),
    )]);
}

#[test]
fn an_open_case_about_an_empty_feed_names_the_setting() {
    ensure_closed([open_case("no leavers", format!("{COLUMNS}\n{BOSS}\n"))]);
}

#[test]
fn an_open_case_about_a_row_names_its_line() {
    ensure_closed([
        open_case("an impossible date", feed(&["E10,Ben Ode,user10@acme.example,Terminated,2019-01-01,2026-02-30"])),
        open_case("a collapsed feed", feed(&[])).after({
            let rows: Vec<String> = (100..140)
                .map(|number| format!("E{number},Zed {number}x,z{number}@acme.example,Terminated,2019-01-01,{{D-90}}"))
                .collect();
            feed(&rows.iter().map(String::as_str).collect::<Vec<_>>())
        }),
    ]);
}

#[test]
fn leavers_without_an_address_name_one_exception() {
    let open_case_with = |name, address: &str| {
        let rows: Vec<String> = ["Amy Ball", "Bob Cole", "Cat Dunn"]
            .iter()
            .zip(1..)
            .map(|(name, number)| {
                format!("W{number},{name},{address},Terminated,2019-01-01,{{D-20}}")
            })
            .collect();
        open_case(
            name,
            feed(&rows.iter().map(String::as_str).collect::<Vec<_>>()),
        )
    };
    ensure_closed([
        open_case_with("blank", ""),
        open_case_with("a word for none", "none"),
        open_case_with("a placeholder", "noemail@acme.example"),
        open_case_with(
            "a shared address without an account",
            "store-12@acme.example",
        ),
    ]);
}

// ---- People ----

#[test]
fn an_open_case_about_an_address_names_its_alias() {
    ensure_closed([
        open_case(
            "an address of a namesake",
            feed(&[
                "E1,Ana Diaz,user10@acme.example,Terminated,2019-01-01,{D-20}",
                "E9,Ana Lopez,user10@acme.example,Active,{D-5},",
            ]),
        ),
        open_case(
            "an address of an unrelated person",
            feed(&[
                "E1,Ben Ode,user10@acme.example,Terminated,2019-01-01,{D-20}",
                "E9,Cia Fox,user10@acme.example,Active,{D-5},",
            ]),
        ),
        open_case(
            "an address of three people",
            feed(&[
                "E1,Ben Ode,user10@acme.example,Terminated,2019-01-01,{D-20}",
                "E2,Cia Fox,user10@acme.example,Active,2019-01-01,",
                "E3,Dan Poe,user10@acme.example,Active,2019-01-01,",
            ]),
        )
        // A person with only a shared mailbox has no own address, which is the next open case.
        .rounds(2),
    ]);
}

#[test]
fn an_open_case_about_an_id_names_its_line() {
    ensure_closed([
        open_case(
            "an id of two Smiths",
            feed(&[
                "E1,John Smith,john.smith@acme.example,Terminated,2015-01-01,{D-20}",
                "E1,Anna Smith,anna.smith@acme.example,Active,{D-10},",
            ]),
        )
        .company(|company| company.account(10, "John Smith", "john.smith@acme.example")),
        open_case("ids of two companies", {
            let mut text = "Company Code,File Number,Payroll Name,Work Email,Position Status,Hire Date,Termination Date\n".to_owned();
            for number in 0..8 {
                text.push_str(&format!(
                    "ABC,{number:06},Abel {number}a,a{number}@acme.example,Terminated,2019-01-01,{{D-90}}\n\
                     XYZ,{number:06},Zoe {number}z,z{number}@acme.example,Active,2019-01-01,\n"
                ));
            }
            text
        }),
    ]);
}

/// Account 10 has this name and address. A leaver has another address, and the same name or none.
fn suspicion(name: &'static str, hr_name: &str, hr_email: &str) -> OpenCase {
    open_case(
        name,
        feed(&[&format!(
            "E1,{hr_name},{hr_email},Terminated,2019-01-01,{{D-20}}"
        )]),
    )
}

#[test]
fn a_suspicion_names_its_alias() {
    ensure_closed([
        suspicion("a plus tag", "", "ben.ode@acme.example")
            .company(|company| company.account(10, "B O", "ben.ode+asana@acme.example")),
        suspicion(
            "a letter that looks alike",
            "",
            "b\u{435}n.ode@acme.example",
        )
        .company(|company| company.account(10, "B O", "ben.ode@acme.example")),
        suspicion("Turkish capitals", "", "MELİKE.OZ@ACME.EXAMPLE")
            .company(|company| company.account(10, "B O", "melike.oz@acme.example")),
        suspicion("the same name", "Ben Ode", "bode@acme.example")
            .company(|company| company.account(10, "Ben Ode", "ben.ode@acme.example")),
        suspicion("the same local part", "Ben Ode", "ben.ode@acme.example").company(|company| {
            let company = company.env("INTERNAL_DOMAINS", "acme.example,newco.example");
            company.account(10, "B. Ode", "ben.ode@newco.example")
        }),
    ]);
}

#[test]
fn a_service_account_whose_owner_left_names_a_new_owner() {
    let rows = ["R5,User 5,user5@acme.example,Terminated,2015-01-01,{D-20}"];
    ensure_closed([open_case("the owner left", feed(&rows))
        .company(|mut company| {
            company.change(5, truto_simulator::Person::inactive);
            company.account(10, "Build", "build@acme.example").roster()
        })
        .alias("build@acme.example,1200000000000010,,service,user5@acme.example,builds the product,user0@acme.example,{D+60}")]);
}

#[test]
fn someone_missing_from_the_roster_names_a_line() {
    let row = "R10,User 10,user10@acme.example,Active,2019-01-01,";
    let other = "R11,User 11,user11@acme.example,Active,2019-01-01,";
    ensure_closed([open_case("a missing row", feed(&[other]))
        .after(feed(&[row, other]))
        .company(Company::roster)]);
}

// ---- Ends of work ----

#[test]
fn a_contradiction_names_a_line() {
    let announced = feed(&["E10,Ben Ode,user10@acme.example,Active,2019-01-01,{D}"]);
    let row = |name, cells: &str| {
        open_case(
            name,
            feed(&[&format!("E10,Ben Ode,user10@acme.example,{cells}")]),
        )
    };
    ensure_closed([
        row(
            "employed, with an end 20 days ago",
            "Active,2019-01-01,{D-20}",
        ),
        row(
            "gone, with an end in 2099",
            "Terminated,2019-01-01,2099-12-31",
        ),
        row(
            "gone, without a date in the first run",
            "Terminated,2019-01-01,",
        ),
        row(
            "on leave, with a past termination",
            "On leave,2019-01-01,{D-20}",
        ),
        open_case(
            "employed and gone at once",
            feed(&[
                "E10,Ben Ode,user10@acme.example,Active,,",
                "E10,Ben Ode,user10@acme.example,Terminated,,{D-20}",
            ]),
        ),
        open_case("employed after an announced end", announced.clone())
            .after(announced.clone())
            .after(announced),
    ]);
}
