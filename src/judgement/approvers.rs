//! Who may approve a manual decision: an address or a person id, and never of the person or account that the line is
//! for, whatever they are or were called.

use std::collections::BTreeSet;

use super::domains::SameDomains;
use super::lookup::{Map, found};
use super::{DirectiveState, Inputs, Leaver, PersonLinks};
use crate::model::{
    Account, EmailAddress, HrRow, NameWords, RejectedRow, fold, is_zero_width, read_addresses,
};

/// Words that people write instead of an approver or a reason. A text of nothing else is a placeholder.
const PLACEHOLDERS: &[&str] = &[
    "above",
    "applicable",
    "approver",
    "as",
    "blank",
    "ditto",
    "empty",
    "exception",
    "herself",
    "himself",
    "me",
    "myself",
    "na",
    "nil",
    "no",
    "nobody",
    "none",
    "not",
    "null",
    "ok",
    "okay",
    "reason",
    "same",
    "see",
    "self",
    "tba",
    "tbc",
    "tbd",
    "test",
    "todo",
    "unknown",
    "xx",
    "xxx",
    "yes",
];

pub(super) const OWN_APPROVAL: &str = "it is approved by the person it is for";

/// Why a line is never used.
pub(super) type Fault = (DirectiveState, String);

pub(super) fn malformed(reason: impl Into<String>) -> Fault {
    (DirectiveState::Malformed, reason.into())
}

/// The text of a required cell.
pub(super) fn required<'t>(name: &str, text: Option<&'t str>) -> Result<&'t str, Fault> {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    text.ok_or_else(|| malformed(format!("it has no {name}")))
}

pub(super) fn ensure_reason(text: Option<&str>) -> Result<(), Fault> {
    let text = required("reason", text)?;
    match is_placeholder(text) || !has_words(text) {
        true => Err(malformed(
            "its reason is not usable: write a reason in words",
        )),
        false => Ok(()),
    }
}

/// The approver of a line.
pub(super) fn ensure_approver(text: Option<&str>) -> Result<&str, Fault> {
    let text = required("approved_by", text)?;
    match is_placeholder(text) || !names_an_approver(text) {
        true => Err(malformed(
            "its approved_by is not usable: write an e-mail address or a person id",
        )),
        false => Ok(text),
    }
}

/// Whether a text is a placeholder: no letter or digit, a blank of a template (`<who>`), or only words that stand for
/// nothing (`n/a`, `N.A.`, `see above`).
fn is_placeholder(text: &str) -> bool {
    let is_blank_of_a_template =
        text.starts_with('<') && text.ends_with('>') && !text.contains('@');
    let separates = |c: char| c.is_whitespace() || matches!(c, ',' | ';');
    is_blank_of_a_template
        || text.split(separates).all(|part| {
            let word: String = part.chars().filter(|c| c.is_alphanumeric()).collect();
            let word = word.to_lowercase();
            let is_letter = word.len() == 1 && word.chars().all(char::is_alphabetic);
            word.is_empty() || is_letter || PLACEHOLDERS.binary_search(&word.as_str()).is_ok()
        })
}

/// Whether a text has a word of two letters. A ticket number or a link is no word.
fn has_words(text: &str) -> bool {
    let is_code = |part: &str| part.is_ascii() && part.contains(|c: char| c.is_ascii_digit());
    let is_word = |part: &str| part.chars().filter(|c| c.is_alphabetic()).count() > 1;
    let mut parts = text.split_whitespace();
    parts.any(|part| !is_code(part) && is_word(part))
}

/// Whether a text is an address, or an id: one word with a digit or a sign in it.
fn names_an_approver(text: &str) -> bool {
    let is_of_an_id = |c: char| c.is_alphanumeric() || "-_./+:#|".contains(c);
    let is_id = text.contains(is_sign_of_an_id) && text.chars().all(is_of_an_id);
    let read = read_addresses(text);
    !read.found.is_empty() && !read.has_unreadable || is_id
}

/// A plain word may be a title or a first name.
fn is_sign_of_an_id(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '-' | '_' | '.')
}

/// Everything that a person and their accounts are or were called.
#[derive(Debug, Default)]
pub(super) struct Called<'k> {
    pub(super) ids: BTreeSet<&'k str>,
    pub(super) emails: BTreeSet<&'k EmailAddress>,
    pub(super) names: BTreeSet<&'k str>,
}

impl<'k> Called<'k> {
    pub(super) fn add(&mut self, who: Who<'k>) {
        match who {
            Who::Row(row) => {
                self.ids.extend(row.person_id.as_deref());
                self.emails.extend(row.emails());
                self.names.extend(row.name.as_deref());
            }
            Who::Rejected(row) => {
                self.ids.extend(row.person_id.as_deref());
                self.emails.extend(&row.other_emails);
                self.names.extend(row.name.as_deref());
            }
            Who::Leaver(leaver) => {
                self.ids.extend(leaver.ids().map(String::as_str));
                self.emails.extend(&leaver.emails);
                self.emails.extend(leaver.account_email.iter().flatten());
                self.names.extend(leaver.name.as_deref());
            }
            Who::Links(links) => {
                self.ids.extend(links.person_ids.iter().map(String::as_str));
                self.emails.extend(&links.emails);
                self.names.extend(links.name.as_deref());
            }
            Who::Account(account) | Who::Baseline(account) => {
                self.ids.insert(&account.id);
                self.emails.extend(&account.emails);
                self.names.extend(account.name.as_deref());
            }
            Who::Former(emails) => self.emails.extend(emails),
        }
    }

    /// Whether an approver's cell names them: by an address, also with a plus-tag, with look-alike letters or in
    /// another domain that counts as one, by what stands before its `@`, by an id, or by all words of a name.
    pub(super) fn are_written(&self, text: &str, same: &SameDomains) -> bool {
        let written = words(text);
        // A short number may mean anything in a text.
        let is_id = |id: &&str| {
            let id = words(id);
            let is_distinct = id.concat().len() > 1 && id.iter().all(|word| written.contains(word));
            !id.is_empty() && (id == written || is_distinct)
        };
        let (addresses, others): (Vec<&str>, Vec<&str>) =
            parts(text).partition(|part| part.contains('@'));
        let keys: Vec<String> = addresses
            .into_iter()
            .filter_map(|part| EmailAddress::parse(part.trim_matches(['.', '-', '_'])))
            .map(|address| same.key_without_tag(&address))
            .collect();
        let is_like_an_id = |part: &&str| part.contains(is_sign_of_an_id);
        let others = others.into_iter().filter(is_like_an_id);
        let locals: Vec<String> = others.map(local_words).collect();
        let is_address = |email: &&EmailAddress| {
            let key = same.key_without_tag(email);
            let local = local_words(email.local());
            keys.iter().any(|written| look_alike(written, &key))
                || local.len() > 1 && locals.contains(&local)
        };
        self.ids.iter().any(is_id)
            || self.emails.iter().any(is_address)
            || self.names.iter().any(|name| has_name(text, name))
    }
}

/// Whether a text holds all words of a name. Accents, titles and particles make no difference.
pub(super) fn has_name(text: &str, name: &str) -> bool {
    let holds = |words: &[String], written: &[String]| {
        !words.is_empty() && words.iter().all(|word| written.contains(word))
    };
    let without_titles = || NameWords::of(name).zip(NameWords::of(text));
    holds(&words(name), &words(text))
        || without_titles().is_some_and(|(name, text)| holds(name.words(), text.words()))
}

/// The words of a text as a reader sees them: no case, no marks, no characters without width, and look-alike letters
/// the same (Unicode Technical Standard #39, section 4).
fn words(text: &str) -> Vec<String> {
    let visible: String = text.chars().filter(|c| !is_zero_width(*c)).collect();
    let look: String = unicode_security::skeleton(&fold(&visible)).collect();
    look.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The words before the `@` of an address, without a plus-tag: `ada.diaz` and `Ada_Diaz+x` are one.
fn local_words(local: &str) -> String {
    let untagged = local.split_once('+').map_or(local, |(before, _)| before);
    words(untagged).concat()
}

/// Whether two addresses are one to a reader. Of two plain ones, a letter tells people apart (`anal`, `ana1`).
fn look_alike(one: &str, other: &str) -> bool {
    let skeleton = |key: &str| unicode_security::skeleton(key).collect::<String>();
    one == other || !(one.is_ascii() && other.is_ascii()) && skeleton(one) == skeleton(other)
}

/// The parts of a text that may be addresses, with any text around them: `Ana Díaz <ana@x.com>`, `mailto:ana@x.com`.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let in_an_address = |c: char| c.is_alphanumeric() || "@.+-_".contains(c) || is_zero_width(c);
    text.split(move |c: char| !in_an_address(c))
}

/// Where a name, an address or an id is known from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Who<'a> {
    Row(&'a HrRow),
    Rejected(&'a RejectedRow),
    /// A leaver of the previous run.
    Leaver(&'a Leaver),
    /// A person who worked here in the previous run.
    Links(&'a PersonLinks),
    Account(&'a Account),
    /// An account as the baseline had it.
    Baseline(&'a Account),
    /// Addresses that an account had before.
    Former(&'a [EmailAddress]),
}

impl Who<'_> {
    /// Whether this run or its followed leavers hold it, and not only the past.
    pub(super) fn is_of_this_run(&self) -> bool {
        match self {
            Self::Row(_) | Self::Rejected(_) | Self::Leaver(_) | Self::Account(_) => true,
            Self::Links(_) | Self::Baseline(_) | Self::Former(_) => false,
        }
    }

    fn is_earlier(&self) -> bool {
        match self {
            Self::Leaver(_) | Self::Links(_) | Self::Baseline(_) | Self::Former(_) => true,
            Self::Row(_) | Self::Rejected(_) | Self::Account(_) => false,
        }
    }

    fn account_ids(&self) -> Vec<&str> {
        match self {
            Self::Leaver(leaver) => leaver.account_id.iter().map(String::as_str).collect(),
            Self::Links(links) => links.accounts.iter().map(|of| &*of.account_id).collect(),
            Self::Account(account) | Self::Baseline(account) => vec![&account.id],
            Self::Row(_) | Self::Rejected(_) | Self::Former(_) => Vec::new(),
        }
    }
}

/// Everybody whom this run and the previous one know, by each key that a line may use.
pub(super) struct Register<'a> {
    by_id: Map<&'a str, Vec<Who<'a>>>,
    by_email: Map<&'a str, Vec<Who<'a>>>,
    by_account: Map<&'a str, Vec<Who<'a>>>,
    /// Rejected rows, with the address in the e-mail cell.
    rejected: Vec<(&'a RejectedRow, Option<EmailAddress>)>,
}

impl<'a> Register<'a> {
    /// Empty if there are no lines.
    pub(super) fn of(inputs: &'a Inputs) -> Self {
        let mut register = Self {
            by_id: Map::default(),
            by_email: Map::default(),
            by_account: Map::default(),
            rejected: Vec::new(),
        };
        let directives = &inputs.directives;
        if directives.aliases().is_empty() && directives.exceptions().is_empty() {
            return register;
        }
        for row in &inputs.hr.rows {
            register.add(Who::Row(row), row.person_id.as_deref(), row.emails());
        }
        for row in &inputs.hr.rejected {
            let email = row.email.as_deref().and_then(EmailAddress::parse);
            register.rejected.push((row, email));
        }
        for account in &inputs.population.accounts {
            let id = account.external_id.as_deref();
            register.add(Who::Account(account), id, &account.emails);
        }
        if let Some(baseline) = &inputs.past.baseline {
            for account in &baseline.accounts {
                let id = account.external_id.as_deref();
                register.add(Who::Baseline(account), id, &account.emails);
            }
            for (id, emails) in &baseline.former_emails {
                register
                    .by_account
                    .entry(id)
                    .or_default()
                    .push(Who::Former(emails));
            }
        }
        if let Some(previous) = &inputs.past.previous {
            for leaver in &previous.leavers {
                let ids = leaver.ids().map(String::as_str);
                register.add(Who::Leaver(leaver), ids, &leaver.emails);
            }
            for links in &previous.links {
                let ids = links.person_ids.iter().map(String::as_str);
                register.add(Who::Links(links), ids, &links.emails);
            }
        }
        register
    }

    fn add(
        &mut self,
        who: Who<'a>,
        ids: impl IntoIterator<Item = &'a str>,
        emails: impl IntoIterator<Item = &'a EmailAddress>,
    ) {
        for id in ids {
            self.by_id.entry(id).or_default().push(who);
        }
        for email in emails {
            self.by_email.entry(email.key()).or_default().push(who);
        }
        match who {
            Who::Leaver(leaver) => {
                for id in &leaver.account_id {
                    self.by_account.entry(id).or_default().push(who);
                }
            }
            Who::Links(links) => {
                for of in &links.accounts {
                    self.by_account.entry(&of.account_id).or_default().push(who);
                }
            }
            Who::Account(account) | Who::Baseline(account) => {
                self.by_account.entry(&account.id).or_default().push(who);
            }
            Who::Row(_) | Who::Rejected(_) | Who::Former(_) => {}
        }
    }

    pub(super) fn with_id(&self, id: &str) -> Vec<Who<'a>> {
        let rejected = self.rejected.iter();
        let rejected = rejected.filter(|(row, _)| row.person_id.as_deref() == Some(id));
        let rejected = rejected.map(|(row, _)| Who::Rejected(row));
        found(&self.by_id, id).chain(rejected).collect()
    }

    pub(super) fn with_email(&self, email: &EmailAddress) -> Vec<Who<'a>> {
        let rejected = self.rejected.iter();
        let rejected = rejected
            .filter(|(row, own)| own.as_ref() == Some(email) || row.other_emails.contains(email));
        let rejected = rejected.map(|(row, _)| Who::Rejected(row));
        found(&self.by_email, email.key()).chain(rejected).collect()
    }

    pub(super) fn with_account(&self, id: &str) -> Vec<Who<'a>> {
        found(&self.by_account, id).collect()
    }

    /// Everybody whom the keys of a line name.
    pub(super) fn named<'k>(
        &'k self,
        ids: impl IntoIterator<Item = &'k str>,
        emails: impl IntoIterator<Item = &'k EmailAddress>,
        accounts: impl IntoIterator<Item = &'k str>,
    ) -> Called<'k> {
        let mut called = Called::default();
        let mut found = Vec::new();
        for id in ids {
            called.ids.insert(id);
            found.extend(self.with_id(id));
        }
        for email in emails {
            called.emails.insert(email);
            found.extend(self.with_email(email));
        }
        for id in accounts {
            called.ids.insert(id);
            found.extend(self.with_account(id));
        }
        self.with_their_accounts(found, called)
    }

    /// What earlier runs knew of a person, by id or else by address, and of accounts.
    pub(super) fn earlier<'k>(
        &'k self,
        ids: &[&'k str],
        emails: &'k [EmailAddress],
        accounts: &[&'k Account],
    ) -> Called<'k> {
        let mut found: Vec<Who<'_>> = ids.iter().flat_map(|id| self.with_id(id)).collect();
        if ids.is_empty() {
            found.extend(emails.iter().flat_map(|email| self.with_email(email)));
        }
        // Today's rows of a person are grouped by better rules than one key.
        found.retain(|who| matches!(who, Who::Leaver(_) | Who::Links(_)));
        let of_accounts = accounts.iter().flat_map(|of| self.with_account(&of.id));
        found.extend(of_accounts.filter(Who::is_earlier));
        self.with_their_accounts(found, Called::default())
    }

    fn with_their_accounts<'k>(
        &'k self,
        found: Vec<Who<'a>>,
        mut called: Called<'k>,
    ) -> Called<'k> {
        for who in found {
            called.add(who);
            if let Who::Rejected(row) = who {
                let mut rejected = self.rejected.iter();
                let own = rejected.find(|(of, _)| std::ptr::eq(*of, row));
                called
                    .emails
                    .extend(own.and_then(|(_, email)| email.as_ref()));
            }
            for id in who.account_ids() {
                for of in self.with_account(id) {
                    match of {
                        Who::Account(_) | Who::Baseline(_) | Who::Former(_) => called.add(of),
                        Who::Row(_) | Who::Rejected(_) | Who::Leaver(_) | Who::Links(_) => {}
                    }
                }
            }
        }
        called
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_placeholders_are_sorted_for_the_search() {
        assert!(PLACEHOLDERS.is_sorted());
    }

    #[test]
    fn a_placeholder_is_no_approver_and_no_reason() {
        for text in [
            "",
            " ",
            "-",
            "--",
            "\u{2013}",
            "?",
            "...",
            "n/a",
            "N/A.",
            "n.a.",
            "N / A",
            "na",
            "none",
            "None.",
            "nobody",
            "self",
            "SELF ",
            "(self)",
            "me",
            "Me, myself",
            "tbd",
            "TBD!",
            "x",
            "xxx",
            "test",
            "see above",
            "same",
            "not applicable",
            "<who>",
            "<why>",
            "\"\"",
        ] {
            assert!(ensure_approver(Some(text)).is_err(), "{text}");
            assert!(ensure_reason(Some(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn an_approver_is_an_address_or_one_id() {
        for text in [
            "ciso@example.com",
            "Eva Jones <eva@example.com>",
            "mailto:eva@example.com",
            "E-4711",
            "4711",
            "DE01/4711",
            "a.smith",
            "eva@example.com; cfo@example.com",
        ] {
            assert_eq!(ensure_approver(Some(text)), Ok(text));
        }
        for text in [
            "the boss",
            "Legal",
            "ceo",
            "eva@",
            "eva.jones@",
            "@example.com",
            "eva@example,com",
            "eva[at]example.com",
            "eva (at) example.com",
            "eva@example.com or her deputy",
            "E-1 or E-2",
        ] {
            assert!(ensure_approver(Some(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn a_reason_has_words() {
        for text in [
            "handover",
            "hands over until 31.12.",
            "引継ぎ2名",
            "see SEC-118",
        ] {
            assert_eq!(ensure_reason(Some(text)), Ok(()), "{text}");
        }
        for text in [
            "SEC-118",
            "https://jira.example.com/SEC-118",
            "42",
            "a b",
            "2026-12-31",
        ] {
            assert!(ensure_reason(Some(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn people_are_recognised_in_any_spelling() {
        let emails = ["ada.diaz@example.com", "ana1@example.com"].map(EmailAddress::parse);
        let called = Called {
            ids: ["E-10", "7"].into(),
            emails: emails.iter().flatten().collect(),
            names: ["Dr. Ada de la Díaz"].into(),
        };
        let same = SameDomains::of_pairs(&["example.com=corp.io".to_owned()]);
        for text in [
            "E-10",
            " e-10",
            "e10 or E-10",
            "7",
            "ada.diaz@example.com",
            "ADA.DIAZ+x@corp.io",
            "ada.diaz",
            "Ada_Diaz",
            "ada-diaz+boss",
            "adadiaz-",
            "ada.diaz/ceo@example.com",
            "ad\u{430}.diaz@example.com",
            "\u{430}da.diaz",
            "ada.diaz@gmail.com",
            "Diaz, Ada",
            "ada.diaz@example.com/ceo@example.com",
        ] {
            assert!(called.are_written(text, &same), "{text}");
        }
        for text in [
            "anal@example.com",
            "E-1",
            "70",
            "ada@example.com",
            "diaz@example.com",
        ] {
            assert!(!called.are_written(text, &same), "{text}");
        }
    }
}
