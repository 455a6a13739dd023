//! The accounts derived again, from Truto's answers as they were kept, by the code that a run uses.
//!
//! What no page tells is taken as recorded: the workspace, whose eyes we had, what was refused, and in
//! [`RawPages::Minimal`] how the lists ended.

use super::derivation::{Derivation, Derived, EmailsPass, VERSION};
use super::listing::Users;
use super::memberships::Members;
use crate::evidence::unpacked;
use crate::model::{
    Account, EmailAddress, GapFilling, Listing, Memberships, PageRecord, Population,
    RAW_FILE_BYTES, RawKind, RawPages, RejectedRecord, raw_file_of_each,
};
use crate::truto::{
    CustomUser, End, KeptList, List, Membership, Page, User, kept_user, rows_of_minimal_page,
};

/// How deriving the accounts again came out.
#[derive(Debug, PartialEq, Eq)]
pub enum Recomputed {
    /// The same.
    Same,
    /// No answers were kept, so it cannot be done; no fault.
    NotKept,
    /// It cannot be done; no fault.
    NotPossible(String),
    /// They come out otherwise.
    Otherwise(Otherwise),
}

/// Where recorded accounts and kept answers part.
#[derive(Debug, PartialEq, Eq)]
pub struct Otherwise {
    /// The kept answer that is not what was recorded of it; none: what was recorded as a whole.
    pub place: Option<RawKind>,
    /// A sentence.
    pub text: String,
}

/// The answers that were kept, packed.
pub trait KeptAnswers {
    /// The file of this kind.
    fn get(&self, kind: RawKind) -> Option<&[u8]>;
    /// How many files there are.
    fn count(&self) -> usize;
}

/// The lists whose pages are kept, in the order in which these are numbered.
const KEPT_LISTS: [&str; 3] = [List::USERS, List::MEMBERSHIPS, List::EMAILS];

/// So many differences are told one by one.
const REPORTED: usize = 3;

/// A file of pages that unpacks to more is none of ours: no answer that is larger was ever read.
const MOST_PAGES_BYTES: u64 = 2 * (RAW_FILE_BYTES + (32 << 20));

/// The same for all users that were read alone.
const MOST_GETS_BYTES: u64 = 1 << 30;

/// Derives the accounts again from the kept answers, and holds all that follows from these against what
/// was recorded.
pub fn derive_again(population: &Population, kept: &impl KeptAnswers) -> Recomputed {
    let how = population.derivation;
    if how.version != VERSION {
        let text = format!(
            "its accounts were derived by version {} of the derivation, and this program has version {VERSION}",
            how.version
        );
        // A version that never was, or is yet to come, would let nobody look.
        return match (1..VERSION).contains(&how.version) {
            true => Recomputed::NotPossible(text),
            false => Recomputed::Otherwise(Otherwise { place: None, text }),
        };
    }
    match KeptAndRecorded::of(population, kept).and_then(|kept| kept.derive()) {
        Ok(()) => Recomputed::Same,
        Err(AnswersError::NotKept) => Recomputed::NotKept,
        Err(AnswersError::NotPossible(why)) => Recomputed::NotPossible(why),
        Err(AnswersError::Otherwise(otherwise)) => Recomputed::Otherwise(otherwise),
    }
}

/// Why the accounts are not derived again, or not the same.
enum AnswersError {
    NotKept,
    NotPossible(String),
    Otherwise(Otherwise),
}

fn otherwise(text: impl Into<String>) -> AnswersError {
    AnswersError::Otherwise(Otherwise {
        place: None,
        text: text.into(),
    })
}

fn at(place: RawKind, text: impl Into<String>) -> AnswersError {
    AnswersError::Otherwise(Otherwise {
        place: Some(place),
        text: text.into(),
    })
}

/// The kept answers beside what was recorded of them.
struct KeptAndRecorded<'a, K> {
    recorded: &'a Population,
    answers: &'a K,
    is_full: bool,
}

impl<'a, K: KeptAnswers> KeptAndRecorded<'a, K> {
    fn of(recorded: &'a Population, answers: &'a K) -> Result<Self, AnswersError> {
        let kept = recorded.derivation.kept;
        match kept {
            RawPages::None if answers.count() == 0 => Err(AnswersError::NotKept),
            RawPages::None => Err(otherwise(
                "it states that no raw pages are kept, and there are some",
            )),
            RawPages::Minimal | RawPages::Full => Ok(Self {
                recorded,
                answers,
                is_full: kept == RawPages::Full,
            }),
        }
    }

    fn derive(&self) -> Result<(), AnswersError> {
        self.ensure_nothing_beside()?;
        let (users, members) = (self.users()?, self.members()?);
        let mut derivation = Derivation::of(&self.recorded.workspace, users, members);
        let emails = self.emails()?;
        match emails.pages.is_empty() {
            true => {}
            false if derivation.lacks_emails() => derivation.take_emails(emails),
            false => {
                return Err(otherwise(
                    "e-mails were read alone, and no account lacks one",
                ));
            }
        }
        self.alone(&mut derivation)?;
        self.compare(derivation.finish())
    }

    /// Every page that is listed is kept, of lists that are known, and nothing else is.
    fn ensure_nothing_beside(&self) -> Result<(), AnswersError> {
        let pages = &self.recorded.listing.pages;
        let stranger = |page: &&PageRecord| !KEPT_LISTS.contains(&page.list.as_str());
        if let Some(page) = pages.iter().find(stranger) {
            return Err(otherwise(format!(
                "it names a page of the list `{}`, which does not exist",
                page.list
            )));
        }
        let gets = usize::from(self.answers.get(RawKind::Gets).is_some());
        let files = raw_file_of_each(pages).map(|(number, _)| number).last();
        let files = files.unwrap_or_default();
        for kind in (1..=files).map(RawKind::Pages) {
            if self.answers.get(kind).is_none() {
                return Err(at(
                    kind,
                    "it is listed and missing, and other pages are kept",
                ));
            }
        }
        if self.answers.count() != files as usize + gets {
            return Err(otherwise("more raw files are kept than its pages need"));
        }
        Ok(())
    }

    /// The pages of one list, with what was recorded of each: a file at a time.
    fn pages(&self, list: &'static str) -> Vec<(RawKind, Vec<&'a PageRecord>)> {
        let mut files: Vec<(RawKind, Vec<&PageRecord>)> = Vec::new();
        let pages = raw_file_of_each(&self.recorded.listing.pages);
        for (number, page) in pages.filter(|(_, page)| page.list == list) {
            let kind = RawKind::Pages(number);
            match files.last_mut().filter(|(last, _)| *last == kind) {
                Some((_, pages)) => pages.push(page),
                None => files.push((kind, vec![page])),
            }
        }
        files
    }

    /// Reads the pages of a list, and how it ended, where its pages tell that.
    fn list<T>(
        &self,
        name: &'static str,
        mut take: impl FnMut(Page<T>),
    ) -> Result<Option<End>, AnswersError>
    where
        T: serde::Serialize + for<'de> serde::Deserialize<'de>,
    {
        let mut list = KeptList::<T>::new(name);
        for (kind, pages) in self.pages(name) {
            let packed = self.answers.get(kind).unwrap_or_default();
            let content =
                unpacked(packed, MOST_PAGES_BYTES).ok_or(at(kind, "it cannot be unpacked"))?;
            let mut left = content.as_slice();
            for recorded in pages {
                let not_recorded = || {
                    let text = format!(
                        "page {} of the list `{}` is not the page that was recorded: its digest, size, rows or place in \
                         its list differs",
                        recorded.page, recorded.list
                    );
                    at(kind, text)
                };
                let size = self.is_full.then_some(recorded.bytes);
                let (body, rest) = first_answer(left, size).ok_or_else(not_recorded)?;
                left = rest;
                let body = body.to_vec();
                let page = match self.is_full {
                    true => list
                        .page(body, recorded)
                        .ok_or(at(kind, "it cannot be read as a page of its list"))?,
                    false => Page {
                        rows: rows_of_minimal_page(&body).ok_or(at(
                            kind,
                            "it does not have the form in which pages are kept",
                        ))?,
                        is_partial: false,
                        record: recorded.clone(),
                        body,
                        date: None,
                    },
                };
                if page.record != *recorded || page.rows.len() as u64 != recorded.rows {
                    return Err(not_recorded());
                }
                take(page);
            }
            if !left.is_empty() {
                return Err(at(kind, "it holds more than the pages that were recorded"));
            }
        }
        Ok(list.end())
    }

    fn users(&self) -> Result<Users, AnswersError> {
        let mut users = Users::default();
        let workspace = &self.recorded.workspace;
        let end = self.list::<User>(List::USERS, |page| users.take(page, workspace))?;
        users.end(end);
        if !self.is_full {
            let recorded = &self.recorded.listing;
            users.listing.last_page_reached = recorded.last_page_reached;
            users
                .listing
                .stopped_because
                .clone_from(&recorded.stopped_because);
            users.listing.partial_response = recorded.partial_response;
            as_recorded(&mut users.listing.rejected, &recorded.rejected);
        }
        Ok(users)
    }

    fn members(&self) -> Result<Members, AnswersError> {
        let recorded = &self.recorded.memberships;
        let without_end = match recorded {
            Memberships::Read { .. } => None,
            Memberships::Incomplete { reason } => Some(reason.clone()),
            Memberships::Unreadable { .. } => None,
        };
        let mut members = Members::default();
        let end = self.list::<Membership>(List::MEMBERSHIPS, |page| {
            members.take(page.record, page.rows);
        })?;
        if members.pages.is_empty() {
            return match recorded {
                Memberships::Read { .. } => Err(otherwise(
                    "memberships were read, and none of their pages is listed",
                )),
                Memberships::Incomplete { .. } | Memberships::Unreadable { .. } => {
                    Ok(Members::without(recorded.clone()))
                }
            };
        }
        match (self.is_full, end) {
            // Another page was named, and no answer was kept: it was refused.
            (true, None) if without_end.is_none() => {
                return Err(otherwise("the kept pages of memberships have no end"));
            }
            (true, None) | (false, _) => members.end(None, without_end),
            (true, Some(_)) => members.end(end, None),
        }
        Ok(members)
    }

    fn emails(&self) -> Result<EmailsPass, AnswersError> {
        let mut pass = EmailsPass::default();
        self.list::<CustomUser>(List::EMAILS, |page| pass.take(page.record, page.rows))?;
        Ok(pass)
    }

    /// The users that were read alone: a line for each that answered, in the order of their ids.
    fn alone(&self, derivation: &mut Derivation<'_>) -> Result<(), AnswersError> {
        let GapFilling {
            gets,
            gets_not_found,
            stopped_because,
            ..
        } = &self.recorded.gaps;
        let packed = self.answers.get(RawKind::Gets);
        let content = match packed {
            Some(packed) => unpacked(packed, MOST_GETS_BYTES)
                .ok_or(at(RawKind::Gets, "it cannot be unpacked"))?,
            None => Vec::new(),
        };
        let ids = derivation.to_read_alone();
        let mut left = ids.as_slice();
        let lines = content.split(|byte| *byte == b'\n');
        for line in lines.filter(|line| !line.is_empty()) {
            let user = match self.is_full {
                true => kept_user(line),
                false => serde_json::from_slice(line).ok(),
            };
            let user: User =
                user.ok_or(at(RawKind::Gets, "a line of it cannot be read as a user"))?;
            let place = match &user.id {
                Some(id) => left.iter().position(|left| left == id),
                // The ids that answer nothing are not told: only where there is none, the next is it.
                None if *gets_not_found == 0 => Some(0),
                None => {
                    return Err(AnswersError::NotPossible(
                        "a user that was read alone has no id".to_owned(),
                    ));
                }
            };
            let Some((id, rest)) = place.and_then(|place| left[place..].split_first()) else {
                let text =
                    "it holds a user that did not have to be read alone, or one in the wrong place";
                return Err(at(RawKind::Gets, text));
            };
            derivation.take_alone(id, user);
            left = rest;
        }
        // What was asked in vain is not kept: accounts that are gone, and one refusal that ended it.
        let answered = derivation.gaps.gets;
        let refused = u64::from(stopped_because.is_some());
        let in_vain = gets.checked_sub(answered);
        if !in_vain.is_some_and(|vain| (*gets_not_found..=gets_not_found + refused).contains(&vain))
        {
            return Err(otherwise(format!(
                "{gets} accounts were read alone, {gets_not_found} of them gone, and the answers \
                 of {answered} are kept"
            )));
        }
        Ok(())
    }

    /// All that follows from the answers, field by field.
    fn compare(&self, derived: Derived) -> Result<(), AnswersError> {
        let recorded = self.recorded;
        let mut differences = Vec::new();
        of_accounts(&derived.accounts, &recorded.accounts, &mut differences);

        let Listing {
            pages,
            rows,
            unique,
            duplicates,
            rejected,
            last_page_reached,
            stopped_because,
            partial_response,
        } = &derived.listing;
        let of = &recorded.listing;
        let GapFilling {
            emails_missing_in_list,
            emails_unreadable,
            emails_from_pass,
            second_list,
            gets: _,
            gets_not_found: _,
            stopped_because: _,
            missing_scopes: _,
        } = derived.gaps;
        let gaps = &recorded.gaps;
        for (what, is_same) in [
            ("the pages", *pages == of.pages),
            ("the number of rows", *rows == of.rows),
            ("the number of accounts", *unique == of.unique),
            ("the number of repeated rows", *duplicates == of.duplicates),
            ("the rejected rows", *rejected == of.rejected),
            (
                "whether the last page was reached",
                *last_page_reached == of.last_page_reached,
            ),
            (
                "why the list stopped",
                *stopped_because == of.stopped_because,
            ),
            (
                "whether the list is partial",
                *partial_response == of.partial_response,
            ),
            (
                "the second witness",
                derived.memberships == recorded.memberships,
            ),
            (
                "the number of accounts without an e-mail",
                emails_missing_in_list == gaps.emails_missing_in_list,
            ),
            (
                "the number of unusable e-mails",
                emails_unreadable == gaps.emails_unreadable,
            ),
            (
                "the number of e-mails read in one pass",
                emails_from_pass == gaps.emails_from_pass,
            ),
            ("Asana's own list of users", second_list == gaps.second_list),
        ] {
            if !is_same {
                differences.push(format!("{what} differs"));
            }
        }
        if differences.is_empty() {
            return Ok(());
        }
        let more = differences.len().saturating_sub(REPORTED);
        differences.truncate(REPORTED);
        let mut text = differences.join("; ");
        if more > 0 {
            text.push_str(&format!("; and {more} more"));
        }
        Err(otherwise(text))
    }
}

/// The first answer of an unpacked file, and what follows the line break behind it. An answer that was kept in full has
/// the size that was recorded, since it may contain line breaks itself.
fn first_answer(content: &[u8], size: Option<u64>) -> Option<(&[u8], &[u8])> {
    let end = match size {
        Some(size) => usize::try_from(size).ok()?,
        None => content.iter().position(|byte| *byte == b'\n')?,
    };
    let (answer, rest) = content.split_at_checked(end)?;
    Some((answer, rest.strip_prefix(b"\n")?))
}

/// A row that is no record is kept as null: what it was is taken as recorded.
fn as_recorded(derived: &mut [RejectedRecord], recorded: &[RejectedRecord]) {
    let is_no_record = |one: &RejectedRecord| one.reason.ends_with(", not a record");
    for (one, reported) in derived.iter_mut().zip(recorded) {
        if is_no_record(one) && is_no_record(reported) {
            one.reason.clone_from(&reported.reason);
        }
    }
}

/// Accounts that only one of both has, or that differ, by id. Both are sorted by it.
fn of_accounts(derived: &[Account], recorded: &[Account], differences: &mut Vec<String>) {
    let (mut derived, mut recorded) = (derived.iter().peekable(), recorded.iter().peekable());
    loop {
        let order = match (derived.peek(), recorded.peek()) {
            (None, None) => return,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(one), Some(other)) => one.id.cmp(&other.id),
        };
        let one = (order.is_le()).then(|| derived.next()).flatten();
        let other = (order.is_ge()).then(|| recorded.next()).flatten();
        match (one, other) {
            (Some(one), None) => {
                differences.push(format!("account {} is missing", one.id));
            }
            (None, Some(other)) => {
                differences.push(format!("account {} is in no raw page", other.id));
            }
            (Some(one), Some(other)) => {
                let apart = apart(one, other);
                if !apart.is_empty() {
                    differences.push(format!("account {} differs in {apart}", one.id));
                }
            }
            (None, None) => return,
        }
    }
}

/// The fields in which two records of one account differ.
fn apart(one: &Account, other: &Account) -> String {
    let Account {
        id: _,
        emails,
        name,
        status,
        role,
        view_only,
        external_id,
        joined_at,
        last_login_at,
    } = one;
    // Addresses are equal in every spelling; here they are to be the same.
    let written = |emails: &[EmailAddress]| -> Vec<String> {
        let emails = emails.iter();
        emails.map(|email| email.as_written().to_owned()).collect()
    };
    let fields = [
        ("e-mail", written(emails) == written(&other.emails)),
        ("name", *name == other.name),
        ("status", *status == other.status),
        ("role", *role == other.role),
        ("licence", *view_only == other.view_only),
        ("external id", *external_id == other.external_id),
        ("joining date", *joined_at == other.joined_at),
        ("last login", *last_login_at == other.last_login_at),
    ];
    let apart = fields.iter().filter(|(_, is_same)| !is_same);
    let apart: Vec<&str> = apart.map(|(what, _)| *what).collect();
    apart.join(", ")
}

#[cfg(test)]
mod tests {
    use super::first_answer;

    #[test]
    fn an_answer_ends_with_its_line_or_with_its_size() {
        let content = b"{\n}\n[]\n";
        assert_eq!(
            first_answer(content, Some(3)),
            Some((&b"{\n}"[..], &b"[]\n"[..]))
        );
        assert_eq!(
            first_answer(content, None),
            Some((&b"{"[..], &b"}\n[]\n"[..]))
        );
        for size in [0, 2, 4, 7, 8, u64::MAX] {
            assert_eq!(first_answer(content, Some(size)), None, "{size}");
        }
        assert_eq!(first_answer(b"{}", None), None);
    }
}
