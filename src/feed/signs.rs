//! Signs that a list of people in a document is not the complete list.
//!
//! Every API has its own words for its pages. If one is missed, a page looks like the complete list,
//! and a leaver on the next page is lost. Add a new spelling here, in plain form.

use crate::files::Answered;

/// What a key around the records may announce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// More follows if it holds something: a token, a link, an object.
    Next,
    /// More follows if it is true.
    HasMore,
    /// More follows if it is false.
    IsLast,
    /// More follows if it is above one.
    Pages,
    /// More follows if it is above the number of records.
    Total,
    /// The same, but many systems write the size of the page into it.
    Count,
    /// It is a later page if it holds something.
    Previous,
    /// It is a later page if it is true.
    HasPrevious,
    /// It is a later page if it is false.
    IsFirst,
    /// It is a later page if it is above zero.
    Offset,
    /// It is a later page if it is above one.
    Page,
    /// Something went wrong if it holds something.
    Error,
    /// Something went wrong if it is false.
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

/// The signs that a key in plain form may be. The type of its value decides which of them it is.
pub(super) fn of_key(key: &str) -> Vec<Sign> {
    let signs = SIGNS
        .iter()
        .filter(|(_, keys)| super::names::is_among(key, keys));
    signs.map(|(sign, _)| *sign).collect()
}

/// The signs of one object around the records.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Signs {
    /// The key that announces more, whatever the other keys of the object announce.
    pub(super) more: Option<u32>,
    /// The key that announces records before these.
    pub(super) later: Option<u32>,
    /// A token or a link.
    pub(super) next: Option<u32>,
    /// Whether a key announces the end.
    pub(super) is_end: bool,
    pub(super) total: Option<(u32, i128)>,
    pub(super) count: Option<(u32, i128)>,
}

/// A value, as far as signs need it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Telling<'v> {
    Flag(bool),
    Number(i128),
    Text(&'v str),
    /// An object or a list, and whether anything in it is set.
    Within(bool),
}

impl Signs {
    /// Takes in the value of `key`.
    pub(super) fn take(&mut self, signs: &[Sign], key: u32, value: Telling<'_>) {
        // Numbers and flags come as texts, too.
        let value = match value {
            Telling::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
                "true" => Telling::Flag(true),
                "false" => Telling::Flag(false),
                lower => match lower.parse() {
                    Ok(number) => Telling::Number(number),
                    Err(_) => Telling::Text(text),
                },
            },
            other => other,
        };
        let is_set = match value {
            Telling::Flag(flag) => flag,
            Telling::Number(number) => number != 0,
            Telling::Text(text) => !crate::model::is_blank_word(text.trim()),
            Telling::Within(is_set) => is_set,
        };
        for sign in signs {
            match (sign, value) {
                (Sign::Error, _) if is_set => self.more = self.more.or(Some(key)),
                (Sign::Next, _) if is_set => self.next = self.next.or(Some(key)),
                (Sign::Previous, _) if is_set => self.later = self.later.or(Some(key)),
                (Sign::HasMore, Telling::Flag(true))
                | (Sign::IsLast | Sign::Success, Telling::Flag(false)) => {
                    self.more = self.more.or(Some(key));
                }
                (Sign::HasMore, Telling::Number(number)) if number != 0 => {
                    self.more = self.more.or(Some(key));
                }
                (Sign::HasMore, Telling::Flag(false)) | (Sign::IsLast, Telling::Flag(true)) => {
                    self.is_end = true;
                }
                (Sign::HasPrevious, Telling::Flag(true))
                | (Sign::IsFirst, Telling::Flag(false)) => {
                    self.later = self.later.or(Some(key));
                }
                (Sign::Pages, Telling::Number(2..)) => self.more = self.more.or(Some(key)),
                (Sign::Offset, Telling::Number(1..)) | (Sign::Page, Telling::Number(2..)) => {
                    self.later = self.later.or(Some(key));
                }
                (Sign::Total, Telling::Number(number)) => larger(&mut self.total, (key, number)),
                (Sign::Count, Telling::Number(number)) => larger(&mut self.count, (key, number)),
                _ => {}
            }
        }
    }

    /// Decides what the object announces, once all of its keys were taken in. Whether it ends with the records that a total
    /// counts is decided later.
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

    /// Joins the signs of several objects at one place, as in a list of pages.
    pub(super) fn join(&mut self, other: Self) {
        self.more = self.more.or(other.more);
        self.later = self.later.or(other.later);
        self.next = self.next.or(other.next);
        if let Some(total) = other.total {
            larger(&mut self.total, total);
        }
        if let Some(count) = other.count {
            larger(&mut self.count, count);
        }
    }

    /// Which records are missing, if the whole document has so many.
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

/// Whether the HTTP status and headers allow the body to be the complete list: APIs announce a next page there, too.
///
/// # Errors
/// If they show that it is not.
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
                signs.take(&of_key(&key), 0, Telling::Text(value));
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

/// Records that are missing, and the key that announces them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Missing {
    More(u32),
    Earlier(u32),
    Of(u32, i128),
}

fn larger(largest: &mut Option<(u32, i128)>, other: (u32, i128)) {
    if largest.is_none_or(|(_, number)| number < other.1) {
        *largest = Some(other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::values::plain;

    fn said(entries: &[(&str, Telling<'_>)]) -> Option<Missing> {
        let mut signs = Signs::default();
        for (at, (key, value)) in (0..).zip(entries) {
            signs.take(&of_key(&plain(key)), at, *value);
        }
        signs.settle();
        signs.missing(3)
    }

    #[test]
    fn an_object_without_signs_says_nothing() {
        for entries in [
            &[("title", Telling::Text("Leavers"))][..],
            &[
                ("next", Telling::Text("")),
                ("cursor", Telling::Within(false)),
            ],
            &[
                ("total", Telling::Number(3)),
                ("page", Telling::Number(1)),
                ("offset", Telling::Number(0)),
            ],
            &[("last", Telling::Text("https://hr.example/?page=1"))],
        ] {
            assert_eq!(said(entries), None, "{entries:?}");
        }
    }

    #[test]
    fn a_failure_is_no_complete_list_and_a_success_ends_nothing() {
        let success = |flag| ("isSuccess", Telling::Flag(flag));
        assert_eq!(said(&[success(false)]), Some(Missing::More(0)));
        assert_eq!(said(&[success(true)]), None);
        let cursor = ("nextCursor", Telling::Text("abc"));
        assert_eq!(said(&[success(true), cursor]), Some(Missing::More(1)));
    }

    #[test]
    fn an_end_outranks_a_cursor_and_no_total_above_the_records() {
        let cursor = ("endCursor", Telling::Text("abc"));
        assert_eq!(said(&[cursor]), Some(Missing::More(0)));
        for end in [
            ("hasNextPage", Telling::Flag(false)),
            ("hasMore", Telling::Text("false")),
            ("last", Telling::Flag(true)),
            ("total", Telling::Text("3")),
        ] {
            assert_eq!(said(&[cursor, end]), None, "{end:?}");
            assert_eq!(
                said(&[cursor, end, ("totalCount", Telling::Number(4))]),
                Some(Missing::Of(2, 4)),
                "{end:?}"
            );
        }
        let size = [
            ("size", Telling::Number(20)),
            ("totalElements", Telling::Number(3)),
        ];
        assert_eq!(said(&size), None);
    }

    #[test]
    fn signs_are_written_in_plain_form() {
        let mut keys = SIGNS.iter().flat_map(|(_, keys)| keys.split_whitespace());
        assert!(keys.all(|key| plain(key) == key));
    }
}
