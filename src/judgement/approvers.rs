//! The approver of a manual decision: an address or a person id, and never one of the person or account that the line
//! concerns, under any present or former name.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::domains::SameDomains;
use super::lookup::{Map, found};
use super::{Inputs, Leaver, ManualState, PersonLinks};
use crate::model::{
    Account, EmailAddress, HrRow, NameWords, RejectedRow, fold, is_zero_width, read_addresses,
};

/// Words that people write instead of an approver or a reason. A text with only these words is a placeholder.
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

/// Whether a text is a placeholder: without a letter or digit, a blank of a template (`<who>`), or only empty words
/// (`n/a`, `N.A.`, `see above`).
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

/// Whether a text has a word of at least two letters. Ticket numbers and links are not words.
fn has_words(text: &str) -> bool {
    let is_code = |part: &str| part.is_ascii() && part.contains(|c: char| c.is_ascii_digit());
    let is_word = |part: &str| part.chars().filter(|c| c.is_alphabetic()).count() > 1;
    let mut parts = text.split_whitespace();
    parts.any(|part| !is_code(part) && is_word(part))
}

/// Whether a text is an address, or an id: one word with a digit, `-`, `_` or `.`. A plain word may be a title or a
/// first name.
fn names_an_approver(text: &str) -> bool {
    let is_of_an_id = |c: char| c.is_alphanumeric() || "-_./+:#|".contains(c);
    let is_id = text.contains(is_sign_of_an_id) && text.chars().all(is_of_an_id);
    let read = read_addresses(text);
    !read.found.is_empty() && !read.has_unreadable || is_id
}

fn is_sign_of_an_id(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '-' | '_' | '.')
}

/// A person or an account in a line.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum LineKey<'a> {
    Id(&'a str),
    Email(EmailAddress),
}

impl<'a> LineKey<'a> {
    /// The key in a cell for ids and addresses.
    pub(super) fn of(text: &'a str) -> Self {
        EmailAddress::parse(text).map_or(Self::Id(text), Self::Email)
    }

    /// Whether the key is one of these ids or addresses.
    pub(super) fn is_of(&self, ids: &[&str], emails: &[EmailAddress]) -> bool {
        match self {
            Self::Id(id) => ids.contains(id),
            Self::Email(email) => emails.contains(email),
        }
    }
}

/// All present and former ids, addresses and names of a person and their accounts.
#[derive(Debug, Default)]
pub(super) struct KnownNames<'k> {
    ids: BTreeSet<&'k str>,
    pub(super) emails: BTreeSet<Cow<'k, EmailAddress>>,
    pub(super) names: BTreeSet<&'k str>,
}

impl<'k> KnownNames<'k> {
    pub(super) fn add(&mut self, who: NameSource<'k>) {
        match who {
            NameSource::Row(row) => self.extend(&row.person_id, row.emails(), row.name.as_deref()),
            NameSource::Rejected(row) => {
                self.extend(&row.person_id, &row.other_emails, row.name.as_deref());
                self.emails.extend(email_of(row).map(Cow::Owned));
            }
            NameSource::Leaver(leaver) => {
                let emails = leaver.emails.iter();
                let emails = emails.chain(leaver.account_email.iter().flatten());
                self.extend(leaver.ids(), emails, leaver.name.as_deref());
            }
            NameSource::Links(links) => {
                self.extend(&links.person_ids, &links.emails, links.name.as_deref());
            }
            NameSource::Account(account) | NameSource::Baseline(account) => {
                self.extend([&account.id], &account.emails, account.name.as_deref());
            }
            NameSource::Former(emails) => self.extend(None::<&str>, emails, None),
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
    /// an equivalent domain, by the part before its `@`, by an id, or by all words of a name.
    pub(super) fn occur_in(&self, text: &str, same: &SameDomains) -> bool {
        let written = words(text);
        // Within a longer text, an id of one character may mean anything.
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

/// Whether a text has all words of a name. Accents, titles and particles are ignored.
pub(crate) fn has_name(text: &str, name: &str) -> bool {
    let has_all = |words: &[String], written: &[String]| {
        !words.is_empty() && words.iter().all(|word| written.contains(word))
    };
    let without_titles = || NameWords::of(name).zip(NameWords::of(text));
    has_all(&words(name), &words(text))
        || without_titles().is_some_and(|(name, text)| has_all(name.words(), text.words()))
}

/// The words of a text as a reader sees them: without case, marks and zero-width characters, and with look-alike
/// letters unified (Unicode Technical Standard #39, section 4).
fn words(text: &str) -> Vec<String> {
    let visible: String = text.chars().filter(|c| !is_zero_width(*c)).collect();
    let look: String = unicode_security::skeleton(&fold(&visible)).collect();
    look.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The words before the `@` of an address, without a plus-tag: the same for `ada.diaz` and `Ada_Diaz+x`.
fn local_words(local: &str) -> String {
    let untagged = local.split_once('+').map_or(local, |(before, _)| before);
    words(untagged).concat()
}

/// Whether two addresses look the same to a reader. In two ASCII addresses, each letter distinguishes (`anal`, `ana1`).
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

/// The source of a name, an address or an id.
#[derive(Clone, Copy, Debug)]
pub(super) enum NameSource<'a> {
    Row(&'a HrRow),
    Rejected(&'a RejectedRow),
    /// A leaver of the previous run.
    Leaver(&'a Leaver),
    /// A person who was employed in the previous run.
    Links(&'a PersonLinks),
    Account(&'a Account),
    /// An account of the baseline.
    Baseline(&'a Account),
    /// Former addresses of an account.
    Former(&'a [EmailAddress]),
}

impl<'a> NameSource<'a> {
    /// Whether this run or a leaver that it follows has the name, and not only the past.
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

/// All people and accounts of this run and the previous one, by each key that a line may use.
#[derive(Default)]
pub(super) struct Register<'a> {
    pub(super) people: Vec<NameSource<'a>>,
    pub(super) by_id: Map<&'a str, Vec<NameSource<'a>>>,
    pub(super) by_email: Map<Cow<'a, str>, Vec<NameSource<'a>>>,
    pub(super) by_account: Map<&'a str, Vec<NameSource<'a>>>,
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
            register.add(NameSource::Row(row), &row.person_id, row.emails());
        }
        for row in &inputs.hr.rejected {
            let who = NameSource::Rejected(row);
            register.add(who, &row.person_id, &row.other_emails);
            if let Some(email) = email_of(row) {
                let key = Cow::Owned(email.key().to_owned());
                register.by_email.entry(key).or_default().push(who);
            }
        }
        for account in &inputs.population.accounts {
            register.add(
                NameSource::Account(account),
                &account.external_id,
                &account.emails,
            );
        }
        if let Some(baseline) = &inputs.past.baseline {
            for account in &baseline.accounts {
                register.add(
                    NameSource::Baseline(account),
                    &account.external_id,
                    &account.emails,
                );
            }
            for (id, emails) in &baseline.former_emails {
                let of_account = register.by_account.entry(id).or_default();
                of_account.push(NameSource::Former(emails));
            }
        }
        if let Some(previous) = &inputs.past.previous {
            for leaver in &previous.leavers {
                register.add(NameSource::Leaver(leaver), leaver.ids(), &leaver.emails);
            }
            for links in &previous.links {
                register.add(NameSource::Links(links), &links.person_ids, &links.emails);
            }
        }
        register
    }

    fn add(
        &mut self,
        who: NameSource<'a>,
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

    pub(super) fn people_with(&self, key: &LineKey<'_>) -> Vec<NameSource<'a>> {
        let mut found: Vec<NameSource<'_>> = match key {
            LineKey::Id(id) => found(&self.by_id, id).collect(),
            LineKey::Email(email) => found(&self.by_email, email.key()).collect(),
        };
        found.retain(|who| !who.is_account());
        found
    }

    /// All people and accounts that the keys of a line name.
    pub(super) fn names_of<'k>(
        &'k self,
        ids: impl IntoIterator<Item = &'k str> + Clone,
        emails: impl IntoIterator<Item = &'k EmailAddress> + Clone,
        account: Option<&'k str>,
    ) -> KnownNames<'k> {
        let mut known = KnownNames::default();
        known.extend(ids.clone(), emails.clone(), None);
        known.extend(account, None, None);
        let by_id = ids.into_iter().flat_map(|id| found(&self.by_id, id));
        let by_email = emails
            .into_iter()
            .flat_map(|of| found(&self.by_email, of.key()));
        let by_account = account
            .into_iter()
            .flat_map(|id| found(&self.by_account, id));
        self.add_with_accounts(by_id.chain(by_email).chain(by_account), &mut known);
        known
    }

    /// The names in earlier runs of a person, by id or else by address, and of accounts.
    pub(super) fn earlier<'k>(
        &'k self,
        ids: &[&'k str],
        emails: &'k [EmailAddress],
        accounts: &[&'k Account],
    ) -> KnownNames<'k> {
        let mut known = KnownNames::default();
        let by_id = ids.iter().flat_map(|id| found(&self.by_id, id));
        let emails = emails.iter().filter(|_| ids.is_empty());
        let by_email = emails.flat_map(|email| found(&self.by_email, email.key()));
        // Today's rows are excluded, because `identity` groups them by better rules than one key.
        let is_person =
            |who: &NameSource<'_>| matches!(who, NameSource::Leaver(_) | NameSource::Links(_));
        let people = by_id.chain(by_email).filter(is_person);
        let of_accounts = accounts
            .iter()
            .flat_map(|of| found(&self.by_account, &of.id));
        let all = people.chain(of_accounts.filter(NameSource::is_earlier));
        self.add_with_accounts(all, &mut known);
        known
    }

    fn add_with_accounts<'k>(
        &'k self,
        people: impl Iterator<Item = NameSource<'k>>,
        known: &mut KnownNames<'k>,
    ) {
        for who in people {
            known.add(who);
            let ids = who.account_ids().into_iter();
            let accounts = ids.flat_map(|id| found(&self.by_account, id));
            accounts
                .filter(NameSource::is_account)
                .for_each(|of| known.add(of));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_is_neither_approver_nor_reason() {
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
        let known = KnownNames {
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
            assert!(known.occur_in(text, &same), "{text}");
        }
        for text in [
            "anal@example.com",
            "E-1",
            "70",
            "ada@example.com",
            "diaz@example.com",
        ] {
            assert!(!known.occur_in(text, &same), "{text}");
        }
    }
}
