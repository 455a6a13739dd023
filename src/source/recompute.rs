//! Recomputes the accounts from Truto's stored answers, with the code of a run.
//!
//! Facts that no page shows are taken from the record: the workspace, the connected account, refused requests, and with
//! [`RawPages::Minimal`] the ends of the lists.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::derivation::{Derivation, Derived, EmailsPass, VERSION};
use super::listing::Users;
use super::memberships::Members;
use crate::evidence::unpacked;
use crate::model::{
    Account, EmailAddress, GapFilling, Memberships, PageRecord, Population, RAW_FILE_BYTES,
    RawKind, RawPages, at_most, raw_file_of_each,
};
use crate::truto::{
    CustomUser, End, List, Membership, Page, StoredList, User, rows_of_minimal_page, stored_user,
};

/// Why the recomputed accounts differ, or why there are none.
#[derive(Debug, PartialEq, Eq)]
pub enum NotRecomputed {
    /// The run kept no answers. This is not a fault.
    NotKept,
    /// This program cannot recompute them. This is not a fault.
    NotPossible(String),
    /// The recorded accounts do not follow from the stored answers.
    Differs {
        /// The file that differs; none for the record as a whole.
        place: Option<RawKind>,
        /// A sentence for a person.
        text: String,
    },
}

/// The stored answers, packed.
pub trait KeptAnswers {
    fn get(&self, kind: RawKind) -> Option<&[u8]>;
    /// The number of files.
    fn count(&self) -> usize;
}

/// The lists whose pages are stored, in the order of their numbers.
const KEPT_LISTS: [&str; 3] = [List::USERS, List::MEMBERSHIPS, List::EMAILS];

/// The number of differences that are reported one by one.
const REPORTED: usize = 3;

/// The largest unpacked file of pages. A run reads no larger answers, so a larger file is not from a run.
const MOST_PAGES_BYTES: u64 = 2 * (RAW_FILE_BYTES + (32 << 20));

/// The largest unpacked file of users that were read alone.
const MOST_GETS_BYTES: u64 = 1 << 30;

/// Recorded fields in words, if the name is not clear enough.
const WORDS: [(&str, &str); 19] = [
    ("emails", "e-mail"),
    ("view_only", "licence"),
    ("external_id", "external id"),
    ("joined_at", "joining date"),
    ("last_login_at", "last login"),
    ("pages", "the pages"),
    ("rows", "the number of rows"),
    ("unique", "the number of accounts"),
    ("duplicates", "the number of repeated rows"),
    ("rejected", "the rejected rows"),
    ("last_page_reached", "whether the last page was reached"),
    ("stopped_because", "why the list stopped"),
    ("partial_response", "whether the list is partial"),
    ("memberships", "the second witness"),
    (
        "emails_missing_in_list",
        "the number of accounts without an e-mail",
    ),
    ("emails_unreadable", "the number of unusable e-mails"),
    (
        "emails_from_memberships",
        "the number of e-mails from memberships",
    ),
    ("emails_from_pass", "the number of e-mails read in one pass"),
    ("second_list", "Asana's own list of users"),
];

/// Recomputes the accounts and the facts about their list, and compares both with the record.
///
/// # Errors
/// If they differ, or cannot be recomputed.
pub fn recompute(population: &Population, kept: &impl KeptAnswers) -> Result<(), NotRecomputed> {
    let how = population.derivation;
    if how.version != VERSION {
        let text = format!(
            "its accounts were derived by version {} of the derivation, and this program has version {VERSION}",
            how.version
        );
        // An invented or future version must not prevent the comparison.
        return Err(match (1..VERSION).contains(&how.version) {
            true => NotRecomputed::NotPossible(text),
            false => differs(text),
        });
    }
    match (how.kept, kept.count()) {
        (RawPages::None, 0) => return Err(NotRecomputed::NotKept),
        (RawPages::None, _) => {
            let text = "it states that no raw pages are kept, and there are some";
            return Err(differs(text));
        }
        (RawPages::Minimal | RawPages::Full, _) => {}
    }
    let recorded = Recorded {
        population,
        kept,
        is_full: how.kept == RawPages::Full,
    };
    recorded.ensure_nothing_beside()?;
    let (users, members) = (recorded.users()?, recorded.members()?);
    let mut derivation = Derivation::of(&population.workspace, users, members);
    let emails = recorded.emails()?;
    if !emails.pages.is_empty() {
        if !derivation.lacks_emails() && !derivation.is_narrow() {
            return Err(differs("e-mails were read alone, and no account lacks one"));
        }
        derivation.take_emails(emails);
    }
    recorded.read_alone(&mut derivation)?;
    compare(derivation.finish(), population)
}

fn differs(text: impl Into<String>) -> NotRecomputed {
    NotRecomputed::Differs {
        place: None,
        text: text.into(),
    }
}

fn differs_at(place: RawKind, text: impl Into<String>) -> NotRecomputed {
    NotRecomputed::Differs {
        place: Some(place),
        text: text.into(),
    }
}

/// The record, and the stored answers.
struct Recorded<'a, K> {
    population: &'a Population,
    kept: &'a K,
    is_full: bool,
}

impl<K: KeptAnswers> Recorded<'_, K> {
    /// Checks that the stored pages are exactly those in the record, of known lists.
    fn ensure_nothing_beside(&self) -> Result<(), NotRecomputed> {
        let pages = &self.population.listing.pages;
        let is_unknown = |page: &&PageRecord| !KEPT_LISTS.contains(&page.list.as_str());
        if let Some(page) = pages.iter().find(is_unknown) {
            return Err(differs(format!(
                "it names a page of the list `{}`, which does not exist",
                page.list
            )));
        }
        let files = raw_file_of_each(pages).map(|(number, _)| number).last();
        let files = files.unwrap_or_default();
        let mut kinds = (1..=files).map(RawKind::Pages);
        if let Some(missing) = kinds.find(|kind| self.kept.get(*kind).is_none()) {
            let text = "it is listed and missing, and other pages are kept";
            return Err(differs_at(missing, text));
        }
        let gets = usize::from(self.kept.get(RawKind::Gets).is_some());
        if self.kept.count() != files as usize + gets {
            return Err(differs("more raw files are kept than its pages need"));
        }
        Ok(())
    }

    fn unpacked(&self, kind: RawKind, most_bytes: u64) -> Result<Vec<u8>, NotRecomputed> {
        let packed = self.kept.get(kind).unwrap_or_default();
        unpacked(packed, most_bytes).ok_or(differs_at(kind, "it cannot be unpacked"))
    }

    /// Reads the pages of a list, and how it ended, if its pages show that.
    fn list<T>(
        &self,
        name: &'static str,
        mut take: impl FnMut(Page<T>),
    ) -> Result<Option<End>, NotRecomputed>
    where
        T: Serialize + for<'de> Deserialize<'de>,
    {
        let mut list = StoredList::<T>::new(name);
        let mut pages = Vec::from_iter(raw_file_of_each(&self.population.listing.pages));
        pages.retain(|(_, page)| page.list == name);
        for file in pages.chunk_by(|(one, _), (next, _)| one == next) {
            let kind = RawKind::Pages(file[0].0);
            let content = self.unpacked(kind, MOST_PAGES_BYTES)?;
            let mut left = content.as_slice();
            for (_, recorded) in file.iter().copied() {
                let not_recorded = || {
                    let text = format!(
                        "page {} of the list `{}` is not the page that was recorded: its digest, size, rows or place in \
                         its list differs",
                        recorded.page, recorded.list
                    );
                    differs_at(kind, text)
                };
                let size = self.is_full.then_some(recorded.bytes);
                let (body, rest) = first_answer(left, size).ok_or_else(not_recorded)?;
                left = rest;
                let body = body.to_vec();
                let page = match self.is_full {
                    true => list
                        .page(body, recorded)
                        .ok_or(differs_at(kind, "it cannot be read as a page of its list"))?,
                    false => Page {
                        rows: rows_of_minimal_page(&body).ok_or(differs_at(
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
                let text = "it holds more than the pages that were recorded";
                return Err(differs_at(kind, text));
            }
        }
        Ok(list.end())
    }

    fn users(&self) -> Result<Users, NotRecomputed> {
        let mut users = Users::default();
        let workspace = &self.population.workspace;
        let end = self.list::<User>(List::USERS, |page| users.take(page, workspace))?;
        users.end(end);
        if !self.is_full {
            let (listing, recorded) = (&mut users.listing, &self.population.listing);
            listing.last_page_reached = recorded.last_page_reached;
            listing
                .stopped_because
                .clone_from(&recorded.stopped_because);
            listing.partial_response = recorded.partial_response;
        }
        Ok(users)
    }

    fn members(&self) -> Result<Members, NotRecomputed> {
        let mut members = Members::default();
        let end = self.list::<Membership>(List::MEMBERSHIPS, |page| {
            members.take(page.record, page.rows);
        })?;
        let (was_read, without_end) = match &self.population.memberships {
            Memberships::Read { .. } => (true, None),
            Memberships::Incomplete { reason } => (false, Some(reason.clone())),
            Memberships::Unreadable { .. } | Memberships::NotRequested => (false, None),
        };
        match (members.pages.is_empty(), end) {
            (true, _) if was_read => {
                let text = "memberships were read, and none of their pages is listed";
                return Err(differs(text));
            }
            (true, _) => return Ok(Members::without(self.population.memberships.clone())),
            (false, _) if self.population.memberships == Memberships::NotRequested => {
                let text = "memberships were not requested, and pages of them are listed";
                return Err(differs(text));
            }
            // Another page was named, and no answer was kept: it was refused.
            (false, None) if self.is_full && without_end.is_none() => {
                return Err(differs("the kept pages of memberships have no end"));
            }
            (false, None) => members.end(None, without_end),
            (false, Some(_)) => members.end(end, None),
        }
        Ok(members)
    }

    fn emails(&self) -> Result<EmailsPass, NotRecomputed> {
        let mut pass = EmailsPass::default();
        self.list::<CustomUser>(List::EMAILS, |page| pass.take(page.record, page.rows))?;
        Ok(pass)
    }

    /// The users that were read alone: a line for each answer, in the order of their ids.
    fn read_alone(&self, derivation: &mut Derivation<'_>) -> Result<(), NotRecomputed> {
        let gaps = &self.population.gaps;
        let (gets, gets_not_found) = (gaps.gets, gaps.gets_not_found);
        let content = match self.kept.get(RawKind::Gets) {
            Some(_) => self.unpacked(RawKind::Gets, MOST_GETS_BYTES)?,
            None => Vec::new(),
        };
        let ids = derivation.to_read_alone();
        let mut left = ids.as_slice();
        let lines = content.split(|byte| *byte == b'\n');
        for line in lines.filter(|line| !line.is_empty()) {
            let user = match self.is_full {
                true => stored_user(line),
                false => serde_json::from_slice(line).ok(),
            };
            let text = "a line of it cannot be read as a user";
            let user: User = user.ok_or(differs_at(RawKind::Gets, text))?;
            let place = match &user.id {
                Some(id) => left.iter().position(|left| left == id),
                // The record does not name ids without an answer. If there are none, this answer is for the next id.
                None if gets_not_found == 0 => Some(0),
                None => {
                    let text = "it holds a user without an id, and some accounts were not found";
                    return Err(differs_at(RawKind::Gets, text));
                }
            };
            let Some((id, rest)) = place.and_then(|place| left[place..].split_first()) else {
                let text =
                    "it holds a user that did not have to be read alone, or one in the wrong place";
                return Err(differs_at(RawKind::Gets, text));
            };
            derivation.take_alone(id, user);
            left = rest;
        }
        // Requests without a user are not stored: accounts that are gone, and the refusal that ended the requests.
        let answered = derivation.gaps.gets;
        let most = gets_not_found + u64::from(gaps.stopped_because.is_some());
        let in_vain = gets.checked_sub(answered);
        if !in_vain.is_some_and(|vain| (gets_not_found..=most).contains(&vain)) {
            return Err(differs(format!(
                "{gets} accounts were read alone, {gets_not_found} of them gone, and the answers \
                 of {answered} are kept"
            )));
        }
        Ok(())
    }
}

/// Compares every field that follows from the answers.
fn compare(derived: Derived, recorded: &Population) -> Result<(), NotRecomputed> {
    let mut differences = of_accounts(&derived.accounts, &recorded.accounts);
    // The answers do not show requests without a user.
    let gaps = GapFilling {
        gets: recorded.gaps.gets,
        gets_not_found: recorded.gaps.gets_not_found,
        stopped_because: recorded.gaps.stopped_because.clone(),
        missing_scopes: recorded.gaps.missing_scopes.clone(),
        second_list_unread: recorded.gaps.second_list_unread.clone(),
        ..derived.gaps
    };
    let memberships = [&derived.memberships, &recorded.memberships];
    let [one, other] = memberships.map(|of| json!({ "memberships": of }));
    let fields = [
        differing(&derived.listing, &recorded.listing),
        differing(&one, &other),
        differing(&gaps, &recorded.gaps),
    ];
    differences.extend(
        fields
            .iter()
            .flatten()
            .map(|what| format!("{what} differs")),
    );
    match differences.is_empty() {
        true => Ok(()),
        false => Err(differs(at_most(REPORTED, differences).join("; "))),
    }
}

/// The first answer of an unpacked file, and the rest after its line break. The size is known for an answer that was
/// kept in full, because such an answer may contain line breaks.
fn first_answer(content: &[u8], size: Option<u64>) -> Option<(&[u8], &[u8])> {
    let end = match size {
        Some(size) => usize::try_from(size).ok()?,
        None => content.iter().position(|byte| *byte == b'\n')?,
    };
    let (answer, rest) = content.split_at_checked(end)?;
    Some((answer, rest.strip_prefix(b"\n")?))
}

/// The accounts that differ or that one side lacks, by id. Both sides are sorted by id.
fn of_accounts(derived: &[Account], recorded: &[Account]) -> Vec<String> {
    // Equal addresses may differ in spelling; here the spelling counts too.
    let written = |of: &Account| Vec::from_iter(of.emails.iter().map(EmailAddress::to_string));
    let not_derived = |of: &Account| format!("account {} is in no raw page", of.id);
    let mut differences = Vec::new();
    let mut recorded = recorded.iter().peekable();
    for one in derived {
        while let Some(other) = recorded.next_if(|other| other.id < one.id) {
            differences.push(not_derived(other));
        }
        match recorded.next_if(|other| other.id == one.id) {
            None => differences.push(format!("account {} is missing", one.id)),
            Some(other) if one == other && written(one) == written(other) => {}
            Some(other) => {
                let fields = differing(one, other).join(", ");
                differences.push(format!("account {} differs in {fields}", one.id));
            }
        }
    }
    differences.extend(recorded.map(not_derived));
    differences
}

/// The fields in which two records differ, in words.
fn differing<T: Serialize>(one: &T, other: &T) -> Vec<String> {
    let [one, other] = [one, other].map(|of| match serde_json::to_value(of) {
        Ok(Value::Object(fields)) => fields,
        _ => unreachable!("records have text keys"),
    });
    BTreeSet::from_iter(one.keys().chain(other.keys()))
        .into_iter()
        .filter(|key| one.get(*key) != other.get(*key))
        .map(|key| {
            let words = WORDS.iter().find(|(of, _)| of == key);
            words.map_or(key.as_str(), |(_, words)| words).to_owned()
        })
        .collect()
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
