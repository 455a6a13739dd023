//! Who may approve a manual decision: an address or a person id, and never of the person or account that the line is
//! for, whatever they are or were called.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::domains::SameDomains;
use super::lookup::{Map, found};
use super::{Inputs, Leaver, ManualState, PersonLinks};
use crate::model::{
    Account, EmailAddress, HrRow, NameWords, RejectedRow, fold, is_zero_width, read_addresses,
};

/// Words that people write instead of an approver or a reason. A text of nothing else is a placeholder.
const PLACEHOLDERS: &str = "above applicable approver as blank ditto empty exception herself himself me myself na nil \
                            no nobody none not null ok okay reason same see self tba tbc tbd test todo unknown xx xxx \
                            yes";

pub(super) const OWN_APPROVAL: &str = "it is approved by the person it is for";

/// Why a line is never used.
pub(super) type Fault = (ManualState, String);

pub(super) fn malformed(reason: impl Into<String>) -> Fault {
    (ManualState::Malformed, reason.into())
}

/// The text of a required cell.
pub(super) fn required<'t>(name: &str, text: Option<&'t str>) -> Result<&'t str, Fault> {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    text.ok_or_else(|| malformed(format!("it has no {name}")))
}

pub(super) fn ensure_reason(text: Option<&str>) -> Result<(), Fault> {
    let text = required("reason", text)?;
    if is_placeholder(text) || !has_words(text) {
        let reason = "its reason is not usable: write a reason in words";
        return Err(malformed(reason));
    }
    Ok(())
}

/// The approver of a line.
pub(super) fn ensure_approver(text: Option<&str>) -> Result<&str, Fault> {
    let text = required("approved_by", text)?;
    if is_placeholder(text) || !names_an_approver(text) {
        let reason = "its approved_by is not usable: write an e-mail address or a person id";
        return Err(malformed(reason));
    }
    Ok(text)
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
            word.is_empty() || is_letter || PLACEHOLDERS.split(' ').any(|known| known == word)
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

/// A person or an account as a line names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum LineKey<'a> {
    Id(&'a str),
    Email(EmailAddress),
}

impl<'a> LineKey<'a> {
    /// A person as a cell for ids and addresses names them.
    pub(super) fn of(text: &'a str) -> Self {
        EmailAddress::parse(text).map_or(Self::Id(text), Self::Email)
    }

    /// Whether it is one of these ids or addresses.
    pub(super) fn is_of(&self, ids: &[&str], emails: &[EmailAddress]) -> bool {
        match self {
            Self::Id(id) => ids.contains(id),
            Self::Email(email) => emails.contains(email),
        }
    }
}

/// Everything that a person and their accounts are or were called.
#[derive(Debug, Default)]
pub(super) struct Called<'k> {
    ids: BTreeSet<&'k str>,
    pub(super) emails: BTreeSet<Cow<'k, EmailAddress>>,
    pub(super) names: BTreeSet<&'k str>,
}

impl<'k> Called<'k> {
    pub(super) fn add(&mut self, who: Who<'k>) {
        match who {
            Who::Row(row) => self.extend(&row.person_id, row.emails(), row.name.as_deref()),
            Who::Rejected(row) => {
                self.extend(&row.person_id, &row.other_emails, row.name.as_deref());
                self.emails.extend(email_of(row).map(Cow::Owned));
            }
            Who::Leaver(leaver) => {
                let emails = leaver.emails.iter();
                let emails = emails.chain(leaver.account_email.iter().flatten());
                self.extend(leaver.ids(), emails, leaver.name.as_deref());
            }
            Who::Links(links) => {
                self.extend(&links.person_ids, &links.emails, links.name.as_deref());
            }
            Who::Account(account) | Who::Baseline(account) => {
                self.extend([&account.id], &account.emails, account.name.as_deref());
            }
            Who::Former(emails) => self.extend(None::<&str>, emails, None),
        }
    }

    pub(super) fn extend(
        &mut self,
        ids: impl IntoIterator<Item = &'k (impl AsRef<str> + ?Sized + 'k)>,
        emails: impl IntoIterator<Item = &'k EmailAddress>,
        names: impl IntoIterator<Item = &'k str>,
    ) {
        self.ids.extend(ids.into_iter().map(AsRef::as_ref));
        self.emails.extend(emails.into_iter().map(Cow::Borrowed));
        self.names.extend(names);
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
        let is_address = |email: &Cow<'_, EmailAddress>| {
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

/// The address in the e-mail cell of a rejected row, if it can be read.
pub(super) fn email_of(row: &RejectedRow) -> Option<EmailAddress> {
    row.email.as_deref().and_then(EmailAddress::parse)
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

impl<'a> Who<'a> {
    /// Whether this run or its followed leavers hold it, and not only the past.
    pub(super) fn is_of_this_run(&self) -> bool {
        match self {
            Self::Row(_) | Self::Rejected(_) | Self::Leaver(_) | Self::Account(_) => true,
            Self::Links(_) | Self::Baseline(_) | Self::Former(_) => false,
        }
    }

    fn is_earlier(&self) -> bool {
        matches!(self, Self::Leaver(_)) || !self.is_of_this_run()
    }

    fn is_account(&self) -> bool {
        matches!(self, Self::Account(_) | Self::Baseline(_) | Self::Former(_))
    }

    fn account_ids(&self) -> Vec<&'a str> {
        match self {
            Self::Leaver(leaver) => leaver.account_id.iter().map(String::as_str).collect(),
            Self::Links(links) => links.accounts.iter().map(|of| &*of.account_id).collect(),
            Self::Account(account) | Self::Baseline(account) => vec![&account.id],
            Self::Row(_) | Self::Rejected(_) | Self::Former(_) => Vec::new(),
        }
    }
}

/// Everybody whom this run and the previous one know, by each key that a line may use.
#[derive(Default)]
pub(super) struct Register<'a> {
    pub(super) people: Vec<Who<'a>>,
    pub(super) by_id: Map<&'a str, Vec<Who<'a>>>,
    pub(super) by_email: Map<Cow<'a, str>, Vec<Who<'a>>>,
    pub(super) by_account: Map<&'a str, Vec<Who<'a>>>,
}

impl<'a> Register<'a> {
    /// Empty if there are no lines.
    pub(super) fn of(inputs: &'a Inputs) -> Self {
        let mut register = Self::default();
        let manual = &inputs.manual;
        if manual.aliases().is_empty() && manual.exceptions().is_empty() {
            return register;
        }
        for row in &inputs.hr.rows {
            register.add(Who::Row(row), &row.person_id, row.emails());
        }
        for row in &inputs.hr.rejected {
            let who = Who::Rejected(row);
            register.add(who, &row.person_id, &row.other_emails);
            if let Some(email) = email_of(row) {
                let key = Cow::Owned(email.key().to_owned());
                register.by_email.entry(key).or_default().push(who);
            }
        }
        for account in &inputs.population.accounts {
            register.add(Who::Account(account), &account.external_id, &account.emails);
        }
        if let Some(baseline) = &inputs.past.baseline {
            for account in &baseline.accounts {
                register.add(
                    Who::Baseline(account),
                    &account.external_id,
                    &account.emails,
                );
            }
            for (id, emails) in &baseline.former_emails {
                let of_account = register.by_account.entry(id).or_default();
                of_account.push(Who::Former(emails));
            }
        }
        if let Some(previous) = &inputs.past.previous {
            for leaver in &previous.leavers {
                register.add(Who::Leaver(leaver), leaver.ids(), &leaver.emails);
            }
            for links in &previous.links {
                register.add(Who::Links(links), &links.person_ids, &links.emails);
            }
        }
        register
    }

    fn add(
        &mut self,
        who: Who<'a>,
        ids: impl IntoIterator<Item = &'a String>,
        emails: impl IntoIterator<Item = &'a EmailAddress>,
    ) {
        if !who.is_account() {
            self.people.push(who);
        }
        for id in ids {
            self.by_id.entry(id).or_default().push(who);
        }
        for email in emails {
            let key = Cow::Borrowed(email.key());
            self.by_email.entry(key).or_default().push(who);
        }
        for id in who.account_ids() {
            self.by_account.entry(id).or_default().push(who);
        }
    }

    pub(super) fn people_with(&self, key: &LineKey<'_>) -> Vec<Who<'a>> {
        let mut found: Vec<Who<'_>> = match key {
            LineKey::Id(id) => found(&self.by_id, id).collect(),
            LineKey::Email(email) => found(&self.by_email, email.key()).collect(),
        };
        found.retain(|who| !who.is_account());
        found
    }

    /// Everybody whom the keys of a line name.
    pub(super) fn named<'k>(
        &'k self,
        ids: impl IntoIterator<Item = &'k str> + Clone,
        emails: impl IntoIterator<Item = &'k EmailAddress> + Clone,
        account: Option<&'k str>,
    ) -> Called<'k> {
        let mut called = Called::default();
        called.extend(ids.clone(), emails.clone(), None);
        called.extend(account, None, None);
        let by_id = ids.into_iter().flat_map(|id| found(&self.by_id, id));
        let by_email = emails
            .into_iter()
            .flat_map(|of| found(&self.by_email, of.key()));
        let by_account = account
            .into_iter()
            .flat_map(|id| found(&self.by_account, id));
        self.add_with_accounts(by_id.chain(by_email).chain(by_account), &mut called);
        called
    }

    /// What earlier runs knew of a person, by id or else by address, and of accounts.
    pub(super) fn earlier<'k>(
        &'k self,
        ids: &[&'k str],
        emails: &'k [EmailAddress],
        accounts: &[&'k Account],
    ) -> Called<'k> {
        let mut called = Called::default();
        let by_id = ids.iter().flat_map(|id| found(&self.by_id, id));
        let emails = emails.iter().filter(|_| ids.is_empty());
        let by_email = emails.flat_map(|email| found(&self.by_email, email.key()));
        // Today's rows of a person are grouped by better rules than one key.
        let is_person = |who: &Who<'_>| matches!(who, Who::Leaver(_) | Who::Links(_));
        let people = by_id.chain(by_email).filter(is_person);
        let of_accounts = accounts
            .iter()
            .flat_map(|of| found(&self.by_account, &of.id));
        let all = people.chain(of_accounts.filter(Who::is_earlier));
        self.add_with_accounts(all, &mut called);
        called
    }

    fn add_with_accounts<'k>(
        &'k self,
        people: impl Iterator<Item = Who<'k>>,
        called: &mut Called<'k>,
    ) {
        for who in people {
            called.add(who);
            let ids = who.account_ids().into_iter();
            let accounts = ids.flat_map(|id| found(&self.by_account, id));
            accounts
                .filter(Who::is_account)
                .for_each(|of| called.add(of));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            emails: emails.iter().flatten().map(Cow::Borrowed).collect(),
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
