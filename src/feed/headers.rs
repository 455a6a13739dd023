//! Which column, or key of an object, holds what.

use std::collections::BTreeMap;

use super::Column;
use super::values::{listed, shortened};
use crate::people::trim;

/// A column as the file names it, and the forms its name is known by.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Header {
    /// As written; for a nested key its path with dots.
    pub(super) shown: String,
    /// The best known form first.
    forms: Vec<String>,
}

impl Header {
    /// The header cell of a table.
    pub(super) fn cell(text: &str) -> Self {
        Self {
            shown: trim(text).to_owned(),
            forms: vec![plain(text)],
        }
    }

    /// A key of an object inside an object: `work.email`, `attributes.last_name.value`.
    pub(super) fn path<'p>(segments: impl IntoIterator<Item = &'p str> + Clone) -> Self {
        let without = |drop: fn(&str) -> bool| {
            segments
                .clone()
                .into_iter()
                .filter(|segment| !drop(segment))
                .map(plain)
                .collect::<String>()
        };
        Self {
            shown: segments.clone().into_iter().collect::<Vec<_>>().join("."),
            forms: vec![
                without(is_value_key),
                without(|s| is_value_key(s) || is_wrapper(s)),
            ],
        }
    }
}

/// Letters and digits in lower case: `Employee #`, `employee_number` and `EmployeeNumber` are one.
fn plain(text: &str) -> String {
    text.replace('#', "number")
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// Some systems write `{"label": "Last name", "value": "Díaz"}` where others write the value.
fn is_value_key(segment: &str) -> bool {
    segment == "value"
}

/// Objects around the person's own fields. `manager` or `department` is none: what is inside is
/// about somebody or something else.
fn is_wrapper(segment: &str) -> bool {
    const WRAPPERS: [&str; 13] = [
        "attributes",
        "data",
        "details",
        "employee",
        "employment",
        "fields",
        "internal",
        "node",
        "person",
        "profile",
        "properties",
        "work",
        "worker",
    ];
    // SCIM keeps employeeNumber under the name of its enterprise schema.
    segment.starts_with("urn:") || WRAPPERS.contains(&segment.to_ascii_lowercase().as_str())
}

/// Names of columns by what they hold, in groups of plain forms, best group first: a later one is
/// read only where the earlier ones have none, and two names of one group are a tie that only a
/// person can break. Collected from exports of Workday, BambooHR, Rippling, Gusto, ADP, Personio,
/// HiBob and from SCIM.
const NAMES: [(Column, &[&str]); 10] = [
    (
        Column::PersonId,
        &[
            "employeeid workerid associateid personid personnelid staffid teammemberid \
             colleagueid eeid empid hrid",
            "employeenumber workernumber personnelnumber staffnumber associatenumber \
             payrollnumber empnumber employeeno personnelno staffno empno employeecode \
             empcode payrollid filenumber fileno displayemployeeid employeeidincompany \
             workemployeeidincompany",
            // SCIM: `id` is the directory's own, `externalId` the one HR gave.
            "externalid userid workdayid",
            "id",
        ],
    ),
    (
        Column::Name,
        &[
            "name",
            "fullname",
            "employeename",
            "workername",
            "associatename",
            "personname",
            "staffname",
            "displayname",
            "preferredname",
            "legalname",
            "fulllegalname",
            "nameformatted",
            "formattedname",
            "employee",
            "worker",
        ],
    ),
    (
        Column::Email,
        &[
            "workemail workemailaddress primaryworkemail primaryworkemailaddress \
             emailprimarywork emailwork workmail workcontactworkemail companyemail \
             companyemailaddress businessemail businessemailaddress corporateemail \
             corporateemailaddress officeemail officialemail",
            "email emailaddress emailid mail primaryemail primaryemailaddress emailprimary \
             employeeemail workeremail useremail",
            "emails emailaddresses workemails",
            // BambooHR's bestEmail is the home address of whoever has no work address.
            "userprincipalname upn bestemail",
        ],
    ),
    // Not one of these but all of them are read.
    (
        Column::OtherEmail,
        &[
            "homeemail homeemailaddress personalemail personalemailaddress privateemail \
             primarypersonalemail primaryhomeemail emailhome emailpersonal \
             personalcontactpersonalemail homemail secondaryemail secondaryemailaddress \
             secondemail alternateemail alternateemailaddress alternativeemail altemail \
             otheremail otheremails otheremailaddress additionalemail additionalemails \
             emailalias emailaliases aliases formeremail previousemail email2 nonworkemail",
        ],
    ),
    (
        Column::Start,
        &[
            "startdate",
            "employmentstartdate",
            "mostrecenthiredate",
            "latesthiredate",
            "hiredate",
            "dateofhire",
            "hiredon",
            "joiningdate",
            "dateofjoining",
            "joindate",
            "joinedon",
            "contractstartdate",
            "originalhiredate",
            "originalstartdate",
            "start",
        ],
    ),
    (
        Column::End,
        &[
            "terminationdate termdate dateoftermination terminationeffectivedate \
             effectiveterminationdate terminatedon terminatedat statusterminationdate \
             employmentterminationdate separationdate dateofseparation leavingdate leaverdate \
             dateofleaving dateleft exitdate dateofexit departuredate",
            "enddate dateend employmentenddate employmentend workenddate enddateofemployment \
             endofemployment endofwork offboardingdate left lefton end",
            "contractenddate contractend",
        ],
    ),
    (
        Column::LastDay,
        &[
            "lastdayofwork lastworkingday lastworkday lastdayworked lastdayatwork \
             lastdateworked lastworkingdate finaldayofwork finalworkingday \
             statusterminationlastdayofwork terminationlastdayofwork",
            "lastday lastdayofemployment",
        ],
    ),
    (
        Column::Status,
        &[
            "status employmentstatus workerstatus employeestatus personstatus associatestatus \
             positionstatus hrstatus employmentstate lifecyclestatus activestatus",
            ACTIVE_FLAGS,
        ],
    ),
    (
        Column::Location,
        &[
            "location",
            "worklocation",
            "locationname",
            "officelocation",
            "office",
            "officename",
            "worksite",
            "site",
            "workplace",
            "workcountry",
            "country",
            "city",
        ],
    ),
    (
        Column::Zone,
        &[
            "timezone",
            "worktimezone",
            "locationtimezone",
            "ianatimezone",
            "timezoneid",
            "timezonename",
            "tz",
            "zone",
        ],
    ),
];

/// Names of columns that answer "does this person work here?" with yes or no.
const ACTIVE_FLAGS: &str = "isactive active activeflag activeemployee isactiveemployee currentlyactive \
     isemployed currentlyemployed";

const GIVEN_NAMES: &str =
    "preferredfirstname firstname givenname namegivenname legalfirstname forename";
const FAMILY_NAMES: &str =
    "preferredlastname lastname surname familyname namefamilyname legallastname";

/// From this group on a column of addresses repeats another one and is not worth reading twice.
const REPEATING_GROUP: usize = 3;

fn groups(column: Column) -> &'static [&'static str] {
    NAMES
        .iter()
        .find(|(named, _)| *named == column)
        .map_or(&[], |(_, groups)| groups)
}

/// The group of `column` that a header belongs to, by its best known form.
fn group_of(column: Column, header: &Header) -> Option<usize> {
    header.forms.iter().find_map(|form| {
        groups(column)
            .iter()
            .position(|group| is_among(form, group))
    })
}

fn is_one_of(header: &Header, names: &str) -> bool {
    header.forms.iter().any(|form| is_among(form, names))
}

/// Whether a form is one of the names, which blanks part.
fn is_among(form: &str, names: &str) -> bool {
    names.split(' ').any(|name| name == form)
}

/// Whether a header is one we would read, by name or because somebody named it by hand.
fn is_known(header: &Header, by_hand: &BTreeMap<Column, String>) -> bool {
    Column::ALL
        .into_iter()
        .any(|column| group_of(column, header).is_some())
        || is_one_of(header, GIVEN_NAMES)
        || is_one_of(header, FAMILY_NAMES)
        || by_hand
            .values()
            .any(|name| *name == header.shown || header.forms.contains(&plain(name)))
}

/// How many of these headers we would read.
pub(super) fn count_known(headers: &[Header], by_hand: &BTreeMap<Column, String>) -> usize {
    headers
        .iter()
        .filter(|header| is_known(header, by_hand))
        .count()
}

/// Where in a row each thing is.
#[derive(Debug)]
pub(super) struct Layout {
    cells: BTreeMap<Column, Vec<usize>>,
    shown: BTreeMap<Column, String>,
    /// Whether the status column is a yes-or-no one.
    pub(super) status_is_flag: bool,
    /// What a person might want to know of the choice.
    pub(super) notes: Vec<String>,
}

impl Layout {
    /// The layout of records whose fields are known beforehand: for each column one cell, and the
    /// fields it is made of.
    pub(super) fn fixed(columns: &[(Column, usize, &str)]) -> Self {
        Self {
            cells: columns
                .iter()
                .map(|(column, at, _)| (*column, vec![*at]))
                .collect(),
            shown: columns
                .iter()
                .map(|(column, _, shown)| (*column, (*shown).to_owned()))
                .collect(),
            status_is_flag: false,
            notes: Vec::new(),
        }
    }

    /// The cells to read for a column: one, or none; several for parts of a name and for other
    /// addresses.
    pub(super) fn cells(&self, column: Column) -> &[usize] {
        self.cells.get(&column).map_or(&[], Vec::as_slice)
    }

    /// The header as a message names it.
    pub(super) fn shown(&self, column: Column) -> &str {
        self.shown.get(&column).map_or(column.key(), String::as_str)
    }

    /// Column keys with the headers they are read from.
    pub(super) fn columns(&self) -> BTreeMap<String, String> {
        self.shown
            .iter()
            .map(|(column, shown)| (column.key().to_owned(), shown.clone()))
            .collect()
    }

    /// Every cell that is read.
    pub(super) fn wanted(&self) -> impl Iterator<Item = usize> {
        self.cells.values().flatten().copied()
    }
}

/// Finds out which header holds what.
///
/// # Errors
/// Why the file cannot be used with these headers, and what to do.
pub(super) fn recognise(
    headers: &[Header],
    by_hand: &BTreeMap<Column, String>,
) -> Result<Layout, String> {
    let mut cells: BTreeMap<Column, Vec<usize>> = BTreeMap::new();
    let mut notes = Vec::new();
    for (column, name) in by_hand {
        cells.insert(*column, vec![named_by_hand(headers, *column, name)?]);
    }
    let taken: Vec<usize> = cells.values().flatten().copied().collect();
    let is_free = |at: &usize| !taken.contains(at);
    for column in Column::ALL {
        let known = |at: &usize| group_of(column, &headers[*at]);
        let candidates: Vec<usize> = (0..headers.len())
            .filter(is_free)
            .filter(|at| known(at).is_some())
            .collect();
        let repeats = |at: &usize| known(at).is_some_and(|group| group >= REPEATING_GROUP);
        if column == Column::OtherEmail {
            if !by_hand.contains_key(&column) {
                cells.entry(column).or_default().extend(candidates);
            }
            continue;
        }
        let losers: Vec<usize> = if by_hand.contains_key(&column) {
            candidates
        } else {
            let Some(best) = candidates.iter().filter_map(known).min() else {
                continue;
            };
            let (first, rest): (Vec<usize>, Vec<usize>) =
                candidates.iter().partition(|at| known(at) == Some(best));
            let [only] = first[..] else {
                return Err(tie(column, &first, headers));
            };
            cells.insert(column, vec![only]);
            rest
        };
        if column == Column::Email {
            // Another address of the person can only add a match.
            let others: Vec<usize> = losers.into_iter().filter(|at| !repeats(at)).collect();
            if !others.is_empty() && !by_hand.contains_key(&Column::OtherEmail) {
                cells.entry(Column::OtherEmail).or_default().extend(others);
            }
        } else if !losers.is_empty() {
            notes.push(format!(
                "Not read as `{}`, because a better column is: {}",
                column.key(),
                listed(losers.iter().map(|at| headers[*at].shown.as_str()), 10)
            ));
        }
    }
    if let std::collections::btree_map::Entry::Vacant(name) = cells.entry(Column::Name) {
        let part = |names: &str| {
            names.split(' ').find_map(|name| {
                (0..headers.len())
                    .filter(is_free)
                    .find(|at| is_one_of(&headers[*at], name))
            })
        };
        let parts: Vec<usize> = [part(GIVEN_NAMES), part(FAMILY_NAMES)]
            .into_iter()
            .flatten()
            .collect();
        if !parts.is_empty() {
            name.insert(parts);
        }
    }
    cells.retain(|_, cells| !cells.is_empty());
    ensure_usable(&cells, headers)?;
    if !cells.contains_key(&Column::End) && !cells.contains_key(&Column::LastDay) {
        notes
            .push("There is no column with an end date: only the status tells who left".to_owned());
    }
    let shown = cells
        .iter()
        .map(|(column, cells)| {
            let names = cells.iter().map(|at| shortened(&headers[*at].shown));
            (*column, names.collect::<Vec<_>>().join(" + "))
        })
        .collect();
    let status_is_flag = cells.get(&Column::Status).is_some_and(|cells| {
        cells
            .iter()
            .all(|at| is_one_of(&headers[*at], ACTIVE_FLAGS))
    });
    Ok(Layout {
        cells,
        shown,
        status_is_flag,
        notes,
    })
}

/// The header that `HR_FEED_COLUMNS` names: as written, else by its plain form.
fn named_by_hand(headers: &[Header], column: Column, name: &str) -> Result<usize, String> {
    let find = |is_it: &dyn Fn(&Header) -> bool| -> Vec<usize> {
        (0..headers.len())
            .filter(|at| is_it(&headers[*at]))
            .collect()
    };
    let mut found = find(&|header| header.shown == trim(name));
    if found.is_empty() {
        found = find(&|header| header.forms.first() == Some(&plain(name)));
    }
    match found[..] {
        [only] => Ok(only),
        [] => Err(format!(
            "HR_FEED_COLUMNS names `{}` as `{}`, and the file has no such column; {}",
            shortened(name),
            column.key(),
            seen(headers)
        )),
        _ => Err(format!(
            "HR_FEED_COLUMNS names `{}` as `{}`, and the file has {} such columns: rename them in the export",
            shortened(name),
            column.key(),
            found.len()
        )),
    }
}

fn tie(column: Column, candidates: &[usize], headers: &[Header]) -> String {
    let names = || candidates.iter().map(|at| headers[*at].shown.as_str());
    let example = names().next().map(shortened).unwrap_or_default();
    format!(
        "the columns {} may each be meant as `{}`: set HR_FEED_COLUMNS, for example `{}={example}`",
        listed(names(), 10),
        column.key(),
        column.key(),
    )
}

/// A feed must say who left and give something to find their account by.
fn ensure_usable(cells: &BTreeMap<Column, Vec<usize>>, headers: &[Header]) -> Result<(), String> {
    let has_any = |columns: &[Column]| columns.iter().any(|column| cells.contains_key(column));
    if !has_any(&[Column::End, Column::LastDay, Column::Status]) {
        return Err(format!(
            "no column tells who left (an end date, a last day of work or a status); {}; name one in HR_FEED_COLUMNS, for example `end=Left on`",
            seen(headers)
        ));
    }
    if !has_any(&[Column::PersonId, Column::Email, Column::OtherEmail]) {
        return Err(format!(
            "no column can be matched with an account (a person's id or an e-mail address); {}; name one in HR_FEED_COLUMNS, for example `email=Mail`",
            seen(headers)
        ));
    }
    Ok(())
}

/// The headers of a file, for a message.
fn seen(headers: &[Header]) -> String {
    if headers.is_empty() {
        return "it has none".to_owned();
    }
    format!(
        "seen were {}",
        listed(headers.iter().map(|header| header.shown.as_str()), 40)
    )
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn cells(names: &[&str]) -> Vec<Header> {
        names.iter().map(|name| Header::cell(name)).collect()
    }

    fn read(names: &[&str], by_hand: &[(Column, &str)]) -> String {
        let by_hand = by_hand
            .iter()
            .map(|(column, name)| (*column, (*name).to_owned()))
            .collect();
        match recognise(&cells(names), &by_hand) {
            Ok(layout) => layout
                .columns()
                .into_iter()
                .map(|(column, header)| format!("{column}={header}"))
                .chain(layout.notes)
                .collect::<Vec<_>>()
                .join("; "),
            Err(reason) => reason,
        }
    }

    #[test]
    fn the_page_for_who_makes_the_export_has_every_name() {
        let page = include_str!("../../docs/hr-feed.md");
        for (column, groups) in NAMES {
            let groups: Vec<String> = groups
                .iter()
                .map(|group| group.split(' ').collect::<Vec<_>>().join(", "))
                .collect();
            let row = format!("| `{}` | {} |\n", column.key(), groups.join(" \\| "));
            assert!(page.contains(&row), "not in docs/hr-feed.md: {row}");
        }
        for names in [GIVEN_NAMES, FAMILY_NAMES] {
            let names: Vec<String> = names.split(' ').map(|name| format!("`{name}`")).collect();
            assert!(page.contains(&names.join(", ")), "{names:?}");
        }
    }

    #[test]
    fn the_usual_header_is_recognised() {
        assert_snapshot!(read(&["Employee ID", "Name", "Work Email", "Status", "Termination Date", "Last Day of Work", "Location"], &[]), @"email=Work Email; end=Termination Date; last_day=Last Day of Work; location=Location; name=Name; person_id=Employee ID; status=Status");
    }

    #[test]
    fn no_name_stands_for_two_things() {
        let mut all: Vec<&str> = NAMES
            .iter()
            .flat_map(|(_, groups)| groups.iter().copied())
            .chain([GIVEN_NAMES, FAMILY_NAMES])
            .flat_map(|group| group.split(' '))
            .collect();
        assert!(all.iter().all(|name| plain(name) == **name));
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn case_separators_number_signs_and_marks_make_no_difference() {
        for id in [
            "Employee #",
            "employee_number",
            "employeeNumber",
            "\u{feff}EMPLOYEE-NUMBER",
            "\"Employee Number\"",
        ] {
            assert!(
                group_of(Column::PersonId, &Header::cell(id)).is_some(),
                "{id}"
            );
        }
        for end in [
            "Termination_Date",
            "terminationDate",
            "LeavingDate",
            "End Date",
            "term date",
        ] {
            assert!(group_of(Column::End, &Header::cell(end)).is_some(), "{end}");
        }
        assert!(
            group_of(
                Column::LastDay,
                &Header::cell("StatusTerminationLastDayOfWork")
            )
            .is_some()
        );
    }

    #[test]
    fn the_work_address_wins_and_the_others_are_read_beside_it() {
        assert_snapshot!(read(&["Home Email", "Email", "Work Email", "Status"], &[]), @"email=Work Email; other_email=Email + Home Email; status=Status; There is no column with an end date: only the status tells who left");
        assert_snapshot!(read(&["Home Email", "End Date"], &[]), @"end=End Date; other_email=Home Email");
    }

    #[test]
    fn a_true_tie_stops_and_says_how_to_break_it() {
        assert_snapshot!(read(&["Email", "Email", "Status"], &[]), @"the columns `Email`, `Email` may each be meant as `email`: set HR_FEED_COLUMNS, for example `email=Email`");
        assert_snapshot!(read(&["Employee ID", "Leaving Date", "Termination Date"], &[]), @"the columns `Leaving Date`, `Termination Date` may each be meant as `end`: set HR_FEED_COLUMNS, for example `end=Leaving Date`");
        assert_snapshot!(read(&["Employee ID", "Leaving Date", "Termination Date"], &[(Column::End, "termination date")]), @"end=Termination Date; person_id=Employee ID; Not read as `end`, because a better column is: `Leaving Date`");
    }

    #[test]
    fn a_lesser_column_is_left_out_and_that_is_noted() {
        assert_snapshot!(read(&["id", "Employee ID", "Termination Date", "Contract End Date"], &[]), @"end=Termination Date; person_id=Employee ID; Not read as `person_id`, because a better column is: `id`; Not read as `end`, because a better column is: `Contract End Date`");
    }

    #[test]
    fn a_feed_that_cannot_say_who_left_stops_and_lists_what_was_seen() {
        assert_snapshot!(read(&["Employee ID", "Name", "Work Email"], &[]), @"no column tells who left (an end date, a last day of work or a status); seen were `Employee ID`, `Name`, `Work Email`; name one in HR_FEED_COLUMNS, for example `end=Left on`");
        assert_snapshot!(read(&["Name", "Termination Date"], &[]), @"no column can be matched with an account (a person's id or an e-mail address); seen were `Name`, `Termination Date`; name one in HR_FEED_COLUMNS, for example `email=Mail`");
    }

    #[test]
    fn a_column_named_by_hand_wins_and_an_absent_one_stops() {
        assert_snapshot!(read(&["Emp No", "Status", "gone"], &[(Column::PersonId, "Emp No"), (Column::End, "Gone")]), @"end=gone; person_id=Emp No; status=Status");
        assert_snapshot!(read(&["Emp No", "Status"], &[(Column::End, "Left")]), @"HR_FEED_COLUMNS names `Left` as `end`, and the file has no such column; seen were `Emp No`, `Status`");
    }

    #[test]
    fn a_name_in_two_columns_is_put_together() {
        assert_snapshot!(read(&["Last name", "First name", "Email", "isActive"], &[]), @"email=Email; name=First name + Last name; status=isActive; There is no column with an end date: only the status tells who left");
    }

    #[test]
    fn nested_keys_are_known_by_what_is_around_them() {
        let column = |path: &[&str]| {
            let header = Header::path(path.iter().copied());
            Column::ALL
                .into_iter()
                .find(|column| group_of(*column, &header).is_some())
        };
        assert_eq!(column(&["work", "email"]), Some(Column::Email));
        assert_eq!(
            column(&["attributes", "termination_date", "value"]),
            Some(Column::End)
        );
        assert_eq!(column(&["internal", "status"]), Some(Column::Status));
        assert_eq!(
            column(&[
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
                "employeeNumber"
            ]),
            Some(Column::PersonId)
        );
        assert_eq!(column(&["manager", "email"]), None);
        assert_eq!(column(&["department", "id"]), None);
    }
}
