//! Signs that a list of people in a document is not the complete list.
//!
//! Each API has its own words for pages. If a word is missing here, a page looks like the complete list, and a leaver on
//! the next page is lost. Add new spellings in plain form.

use crate::files::Answered;

/// The meaning of a key around the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// More follows if the value is a token, a link or an object.
    Next,
    /// More follows if the value is true.
    HasMore,
    /// More follows if the value is false.
    IsLast,
    /// More follows if the value is above one.
    Pages,
    /// More follows if the value is above the number of records.
    Total,
    /// The same, but many systems write the size of the page.
    Count,
    /// A later page if the value is a token, a link or an object.
    Previous,
    /// A later page if the value is true.
    HasPrevious,
    /// A later page if the value is false.
    IsFirst,
    /// A later page if the value is above zero.
    Offset,
    /// A later page if the value is above one.
    Page,
    /// An error if the value is set.
    Error,
    /// An error if the value is false.
    Success,
}

pub(super) const SIGNS: [(Sign, &str); 13] = [
    (
        Sign::Error,
        "error errors errormessage errormessages failures failed failedrecords skippedrecords rejectedrecords",
    ),
    (
        Sign::Success,
        "success successful issuccess issuccessful succeeded ok isok",
    ),
    (
        Sign::Next,
        "next nextpage nextcursor nextpagetoken nextpagecursor nextpagelink nextpageurl nextlink nexturl nexthref \
         nexttoken nextoffset offsetnext nextstart nextrecordsurl nextresults nextpageid nextkey nextmarker nextbookmark nextbatch \
         nextpath nexturi nextset odatanextlink cursor endcursor aftercursor cursorafter after continuation \
         continuationtoken continuationkey continue skiptoken pagetoken paginationtoken scrollid scrolltoken \
         searchafter bookmark resumetoken resumptiontoken lastevaluatedkey more moreurl loadmore \
         suivant siguiente weiter nachsteseite",
    ),
    (
        Sign::HasMore,
        "hasmore hasnext hasnextpage hasmorepages hasmoreresults hasmoreitems hasmorerecords hasmoredata hasmorerows \
         hasmoreelements more moreresults moreavailable moreitems morerecords moredata moredataavailable \
         ismoreavailable ismoredataavailable morepages truncated istruncated partial ispartial ispartialresponse \
         incomplete isincomplete incompleteresults resultstruncated exceededtransferlimit remainingrecords \
         remainingitems remainingresults remainingrows remainingcount",
    ),
    (
        Sign::IsLast,
        "last islast lastpage islastpage done complete iscomplete finished isfinished endoflist endofresults endofrecords \
         isend eof final isfinal isfinalpage",
    ),
    (
        Sign::Pages,
        "totalpages pages pagecount pagecounts lastpage numpages numberofpages noofpages totalpagecount pagestotal \
         pagetotal maxpage maxpages totalnumberofpages",
    ),
    (
        Sign::Total,
        "total totalresults totalcount totalelements totalrows totalrecords totalitems totalentries totalhits totalsize \
         totalnumber totalnum totalemployees totalemployeecount totalworkercount totalusercount totalpersons totalworkers totalusers totalnumberofrecords totalnumberofitems \
         totalrecordcount totalitemcount totalresultcount totalfound recordstotal recordsfiltered resulttotal \
         resultstotal grandtotal numfound numberofrecords numberofresults overallcount fullcount odatacount \
         xtotalcount estimatedtotal",
    ),
    (
        Sign::Count,
        "count size recordcount resultcount rowcount itemcount employeecount entrycount numrecords numresults length",
    ),
    (
        Sign::Previous,
        "previous prev previouspage prevpage previouslink prevlink previousurl prevurl previouscursor prevcursor \
         previoustoken prevtoken previouspagetoken prevpagetoken previouspageurl prevpageurl odataprevlink \
         beforecursor",
    ),
    (
        Sign::HasPrevious,
        "hasprevious hasprev haspreviouspage hasprevpage hasbefore",
    ),
    (Sign::IsFirst, "first isfirst firstpage isfirstpage"),
    (
        Sign::Offset,
        "offset currentoffset pageoffset startoffset skip skipped skipcount recordoffset rowoffset",
    ),
    (
        Sign::Page,
        "page currentpage pagenumber pageno pagenum pageindex currentpagenumber startindex startrow startposition \
         startrecord firstrecord firstresult",
    ),
];

/// The possible signs of a key in plain form. The type of its value decides between them.
pub(super) fn of_key(key: &str) -> Vec<Sign> {
    let signs = SIGNS
        .iter()
        .filter(|(_, keys)| super::names::is_among(key, keys));
    signs.map(|(sign, _)| *sign).collect()
}

/// The signs of one object around the records.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Signs {
    /// A key that announces more records, whatever the other keys of the object announce.
    pub(super) more: Option<u32>,
    /// A key that announces earlier records.
    pub(super) later: Option<u32>,
    /// A key with a token or a link to more records.
    pub(super) next: Option<u32>,
    /// Whether a key announces the end of the list.
    pub(super) is_end: bool,
    pub(super) total: Option<(u32, i128)>,
    pub(super) count: Option<(u32, i128)>,
}

/// A value of a key around the records.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum SignValue<'v> {
    Flag(bool),
    Number(i128),
    Text(&'v str),
    /// An object or a list, and whether it contains a value that is set.
    Within(bool),
}

impl SignValue<'_> {
    /// Whether the value is set. `is_text_set` decides for a text.
    pub(super) fn is_set(self, is_text_set: impl FnOnce(&str) -> bool) -> bool {
        match self {
            Self::Flag(is_set) | Self::Within(is_set) => is_set,
            Self::Number(number) => number != 0,
            Self::Text(text) => is_text_set(text),
        }
    }
}

impl Signs {
    /// Adds the value of `key`.
    pub(super) fn take(&mut self, signs: &[Sign], key: u32, value: SignValue<'_>) {
        // Some systems write numbers and flags as text.
        let value = match value {
            SignValue::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
                "true" => SignValue::Flag(true),
                "false" => SignValue::Flag(false),
                lower => match lower.parse() {
                    Ok(number) => SignValue::Number(number),
                    Err(_) => SignValue::Text(text),
                },
            },
            other => other,
        };
        let is_set = value.is_set(|text| !crate::model::is_blank_word(text.trim()));
        for sign in signs {
            let found = match (sign, value) {
                (Sign::Error, _) if is_set => &mut self.more,
                (Sign::Next, _) if is_set => &mut self.next,
                (Sign::Previous, _) if is_set => &mut self.later,
                (Sign::HasMore, SignValue::Flag(true) | SignValue::Number(..=-1 | 1..))
                | (Sign::IsLast | Sign::Success, SignValue::Flag(false))
                | (Sign::Pages, SignValue::Number(2..)) => &mut self.more,
                (Sign::HasPrevious, SignValue::Flag(true))
                | (Sign::IsFirst, SignValue::Flag(false))
                | (Sign::Offset, SignValue::Number(1..))
                | (Sign::Page, SignValue::Number(2..)) => &mut self.later,
                (Sign::Total, SignValue::Number(number)) => {
                    self.total = larger(self.total, Some((key, number)));
                    continue;
                }
                (Sign::Count, SignValue::Number(number)) => {
                    self.count = larger(self.count, Some((key, number)));
                    continue;
                }
                (Sign::HasMore, SignValue::Flag(false)) | (Sign::IsLast, SignValue::Flag(true)) => {
                    self.is_end = true;
                    continue;
                }
                _ => continue,
            };
            found.get_or_insert(key);
        }
    }

    /// Decides what the object announces, after all its keys were added. [`missing`](Self::missing) compares the total
    /// with the number of records.
    pub(super) fn settle(&mut self) {
        if self.is_end {
            self.next = None;
        } else if self.total.is_none() {
            self.more = self.more.or(self.next.take());
        }
        if self.is_end || self.total.is_some() {
            self.count = None;
        }
    }

    /// Joins the signs of several objects at one place, such as a list of pages.
    pub(super) fn join(&mut self, other: Self) {
        self.more = self.more.or(other.more);
        self.later = self.later.or(other.later);
        self.next = self.next.or(other.next);
        self.total = larger(self.total, other.total);
        self.count = larger(self.count, other.count);
    }

    /// The missing records, if the whole document has this number of records.
    pub(super) fn missing(&self, records: i128) -> Option<Missing> {
        let is_whole = self.total.is_some_and(|(_, total)| total == records);
        let above = self
            .total
            .into_iter()
            .chain(self.count)
            .find(|(_, total)| *total > records);
        let more = self.more.or(self.next.filter(|_| !is_whole));
        above
            .map(|(key, total)| Missing::Of(key, total))
            .or(more.map(Missing::More))
            .or(self.later.map(Missing::Earlier))
    }
}

/// Ensures that the HTTP status and headers allow the body to be the complete list. Some APIs announce a next page there.
///
/// # Errors
/// If they show that it is not the complete list.
pub(super) fn ensure_whole(answer: &Answered, records: u64) -> Result<(), String> {
    if !matches!(answer.status, 200 | 203) {
        return Err(format!(
            "the server answered with status {}, not with a complete file: serve it with status 200",
            answer.status
        ));
    }
    for (name, value) in &answer.headers {
        let plain_value: String = value.chars().filter(|c| !matches!(c, '"' | ' ')).collect();
        let is_more = match name.as_str() {
            "link" => plain_value.to_ascii_lowercase().contains("rel=next"),
            // `employees 0-49/250`
            "content-range" => {
                let numbers: Vec<u64> = value
                    .split(|c: char| !c.is_ascii_digit())
                    .filter_map(|part| part.parse().ok())
                    .collect();
                matches!(numbers[..], [first, last, total] if first > 0 || last + 1 < total)
            }
            _ => {
                let Some(key) = name.strip_prefix("x-") else {
                    continue;
                };
                let mut signs = Signs::default();
                let key = super::values::plain(key);
                signs.take(&of_key(&key), 0, SignValue::Text(value));
                signs.settle();
                signs.missing(records.into()).is_some()
            }
        };
        if is_more {
            return Err(format!(
                "the answer is not the whole list (see its header `{name}`): serve the whole list"
            ));
        }
    }
    Ok(())
}

/// The missing records, and the key that announces them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Missing {
    More(u32),
    Earlier(u32),
    Of(u32, i128),
}

/// The larger number with its key, or the first one if both are equal.
fn larger(one: Option<(u32, i128)>, other: Option<(u32, i128)>) -> Option<(u32, i128)> {
    let is_larger = |other: &(u32, i128)| one.is_none_or(|one| one.1 < other.1);
    other.filter(is_larger).or(one)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::values::plain;

    fn missing(entries: &[(&str, SignValue<'_>)]) -> Option<Missing> {
        let mut signs = Signs::default();
        for (at, (key, value)) in (0..).zip(entries) {
            signs.take(&of_key(&plain(key)), at, *value);
        }
        signs.settle();
        signs.missing(3)
    }

    #[test]
    fn an_object_without_signs_announces_nothing() {
        for entries in [
            &[("title", SignValue::Text("Leavers"))][..],
            &[
                ("next", SignValue::Text("")),
                ("cursor", SignValue::Within(false)),
            ],
            &[
                ("total", SignValue::Number(3)),
                ("page", SignValue::Number(1)),
                ("offset", SignValue::Number(0)),
            ],
            &[("last", SignValue::Text("https://hr.example/?page=1"))],
        ] {
            assert_eq!(missing(entries), None, "{entries:?}");
        }
    }

    #[test]
    fn a_failure_is_incomplete_and_a_success_announces_no_end() {
        let success = |flag| ("isSuccess", SignValue::Flag(flag));
        assert_eq!(missing(&[success(false)]), Some(Missing::More(0)));
        assert_eq!(missing(&[success(true)]), None);
        let cursor = ("nextCursor", SignValue::Text("abc"));
        assert_eq!(missing(&[success(true), cursor]), Some(Missing::More(1)));
    }

    #[test]
    fn an_end_outranks_a_cursor_but_not_a_larger_total() {
        let cursor = ("endCursor", SignValue::Text("abc"));
        assert_eq!(missing(&[cursor]), Some(Missing::More(0)));
        for end in [
            ("hasNextPage", SignValue::Flag(false)),
            ("hasMore", SignValue::Text("false")),
            ("last", SignValue::Flag(true)),
            ("total", SignValue::Text("3")),
        ] {
            assert_eq!(missing(&[cursor, end]), None, "{end:?}");
            assert_eq!(
                missing(&[cursor, end, ("totalCount", SignValue::Number(4))]),
                Some(Missing::Of(2, 4)),
                "{end:?}"
            );
        }
        let size = [
            ("size", SignValue::Number(20)),
            ("totalElements", SignValue::Number(3)),
        ];
        assert_eq!(missing(&size), None);
    }

    #[test]
    fn every_sign_is_in_plain_form() {
        let mut keys = SIGNS.iter().flat_map(|(_, keys)| keys.split_whitespace());
        assert!(keys.all(|key| plain(key) == key));
    }
}
