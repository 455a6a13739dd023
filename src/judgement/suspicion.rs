//! Accounts that may belong to a leaver: never a match, and never ignored.
//!
//! Names, plus-tags, look-alike letters and other domains raise a suspicion. It stays open until an alias
//! decides it, an owner is found, or access ends.

use std::collections::{BTreeMap, BTreeSet};

use super::Basis;
use super::lookup::{Map, Set, found};
use super::manual::{PersonKeys, UsableLines};
use super::matching::{Index, Matches, by_id, emails_of, grouped};
use super::people::Person;
use super::remedies::{Key, Remedy};
use super::uses::Uses;
use crate::model::{
    Access, Account, EmailAddress, Likeness, NameWords, compare_names, without_marks,
};

/// An account that may belong to a leaver: a suspicion, never a match.
#[derive(Clone, Debug)]
pub(super) struct Suspicion<'a> {
    pub(super) account: &'a Account,
    pub(super) reason: Reason,
    /// The name, address or id that the account and the person share. Suspicions with the same reason and key are one
    /// question.
    pub(super) key: String,
}

/// Why an account may belong to a leaver, strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    /// It was tied to the leaver, and now belongs to an employed person.
    Followed,
    Tag,
    LookAlike,
    Accent,
    OtherDomain,
    Name,
    /// It has an id that several people share.
    SharedId,
    /// Several people share its address.
    Shared,
    /// Its address is in an unread column.
    Unread,
    /// The offboarding was concluded, and HR no longer names the person.
    AfterConclusion,
    Before,
}

impl Reason {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Followed => {
                "an earlier run tied it to the leaver, and it now belongs to an employed person"
            }
            Self::Tag => "the same address apart from a plus-tag",
            Self::LookAlike => "the same address apart from look-alike letters",
            Self::Accent => "the same address apart from accents or the dot of an `i`",
            Self::OtherDomain => "the same address in another domain of the organization",
            Self::Name => "the same name",
            Self::SharedId => "an id that several people have",
            Self::Shared => "an address that several people have",
            Self::Unread => "its address is in an unread column",
            Self::AfterConclusion => {
                "it has access again after the offboarding was concluded, and HR no longer names the person"
            }
            Self::Before => "an earlier run tied it to the leaver or suspected it",
        }
    }

    /// The line that closes the suspicion for a person with this key. `None` if a setting closes it.
    pub(super) fn remedy(self, account: &Account, person: Key<'_>) -> Option<Remedy> {
        let id = account.id.clone();
        match self {
            Self::Unread => None,
            Self::Shared => Some(Remedy::Service(id)),
            _ if person == Key::None => Some(Remedy::Account(id)),
            Self::Followed
            | Self::Tag
            | Self::LookAlike
            | Self::Accent
            | Self::OtherDomain
            | Self::Name
            | Self::SharedId
            | Self::AfterConclusion
            | Self::Before => Some(Remedy::Different(id)),
        }
    }
}

/// The most open suspicions that are kept for a leaver. A name that thousands of accounts share would make millions
/// of pairs. Beyond this number only the fact that more accounts exist is kept, as a separate doubt.
pub(super) const MOST_SUSPECTED: usize = 50;

/// The accounts that may belong to one leaver.
#[derive(Debug)]
pub(super) struct Suspected<'a> {
    /// By account id, at most [`MOST_SUSPECTED`].
    pub(super) open: Vec<Suspicion<'a>>,
    /// Whether this run or an earlier one had more.
    pub(super) has_more: bool,
    /// Ids of accounts that later runs treat as suspected.
    pub(super) carried: Vec<String>,
    /// Whether an account without an owner may have the name of this person, who has no address.
    pub(super) may_be_namesake: bool,
}

/// Collects suspicions about one person, up to the limit.
struct Taking<'p, 'a> {
    manual: &'p UsableLines<'a>,
    uses: &'p mut Uses,
    keys: &'p PersonKeys<'p>,
    open: BTreeMap<&'a str, Suspicion<'a>>,
    /// Accounts that an alias separates from the person.
    separated: BTreeSet<&'a str>,
    has_more: bool,
}

impl<'a> Taking<'_, 'a> {
    /// Adds accounts with one reason and key.
    fn take(&mut self, reason: Reason, key: &str, accounts: impl Iterator<Item = &'a Account>) {
        self.take_each(key, accounts.map(|account| (reason, account)));
    }

    /// Adds accounts with one key. An account keeps its strongest reason.
    fn take_each(&mut self, key: &str, accounts: impl Iterator<Item = (Reason, &'a Account)>) {
        for (reason, account) in accounts.filter(|(_, account)| account.access() != Access::None) {
            let id = account.id.as_str();
            let is_known = self.open.get(id).map(|known| known.reason <= reason);
            if self.separated.contains(id) || is_known == Some(true) {
                continue;
            }
            if is_known.is_none() {
                let line = self.manual.difference(self.keys, account, self.uses);
                if line.is_some() {
                    self.separated.insert(id);
                    continue;
                }
                if self.open.len() == MOST_SUSPECTED {
                    self.has_more = true;
                    return;
                }
            }
            let key = key.to_owned();
            let suspicion = Suspicion {
                account,
                reason,
                key,
            };
            self.open.insert(id, suspicion);
        }
    }
}

/// Accounts that may have access and have no owner in the feed, by the keys that raise a suspicion.
pub(super) struct Suspects<'s, 'a> {
    basis: &'a Basis<'a>,
    index: &'s Index<'a>,
    complete: bool,
    /// Accounts with an owner in the feed.
    taken: Set<&'a str>,
    /// Accounts that have or may have access.
    accessible: Set<&'a str>,
    by_id: Map<&'a str, &'a Account>,
    /// By the address without a plus-tag and without accents.
    by_plain_email: Map<String, Vec<&'a Account>>,
    /// Only accounts with an address in a domain of the organization.
    by_local: Map<&'a str, Vec<&'a Account>>,
    /// Accounts by what their addresses look like, each with whether the address has letters beyond ASCII. ASCII
    /// addresses are included only if the address of a leaver has such letters, which is rare.
    by_look: Map<String, Vec<(bool, &'a Account)>>,
    by_name: NameIndex<'a>,
    /// Only accounts without an address in a domain of the organization.
    by_name_outside: NameIndex<'a>,
}

/// Accounts by the words of their names.
#[derive(Default)]
struct NameIndex<'a> {
    names: Map<&'a str, NameWords>,
    exact: Map<NameWords, Vec<&'a Account>>,
    /// By each pair of words, to find names that share two words.
    by_pair: Map<(String, String), Vec<&'a Account>>,
    /// By each word.
    by_word: Map<String, Vec<&'a Account>>,
    /// Accounts without a name, or with a name in another script or with an initial. The words do not find these.
    vague: Vec<&'a Account>,
}

impl<'a> NameIndex<'a> {
    /// Indexes accounts by the words that a name of a leaver has, too.
    fn of(accounts: &[&'a Account], wanted: &Set<String>) -> Self {
        let mut index = Self::default();
        for account in accounts {
            let Some(name) = account.name.as_deref().and_then(NameWords::of) else {
                index.vague.push(account);
                continue;
            };
            if !name.is_plain() {
                index.vague.push(account);
            }
            let mut words = name.words().to_vec();
            words.retain(|word| wanted.contains(word));
            for word in &words {
                index.by_word.entry(word.clone()).or_default().push(account);
            }
            for pair in pairs(&words) {
                index.by_pair.entry(pair).or_default().push(account);
            }
            if words == name.words() {
                index.exact.entry(name.clone()).or_default().push(account);
            }
            index.names.insert(&account.id, name);
        }
        index
    }

    /// Accounts with the same name: equal, or one name has all words of the other, at least two. An account may occur
    /// twice.
    fn same(&self, name: &NameWords) -> impl Iterator<Item = &'a Account> {
        let exact = self.exact.get(name).into_iter().flatten();
        let is_short = name.words().len() <= MOST_WORDS;
        let pairs = pairs(name.words()).filter(move |_| is_short);
        let by_pair = pairs.flat_map(|pair| self.by_pair.get(&pair).into_iter().flatten());
        let agreeing =
            by_pair.filter(|account| self.names[account.id.as_str()].agrees_in_one_script(name));
        exact.chain(agreeing).copied()
    }

    /// Whether an account may have one of these names. A person without a name may have any name.
    fn may_be_of(&self, names: &[NameWords]) -> bool {
        let is_empty = self.names.is_empty() && self.vague.is_empty();
        names.is_empty() && !is_empty || names.iter().any(|name| self.may_have(name))
    }

    fn may_have(&self, name: &NameWords) -> bool {
        if !name.is_plain() {
            let mut names = self.names.values();
            return !self.vague.is_empty() || names.any(|of| of.compare(name) == Likeness::Agree);
        }
        let words = name.words().iter();
        let by_word = words.filter_map(|word| self.by_word.get(word));
        by_word.flatten().chain(&self.vague).any(|account| {
            let known = self.names.get(account.id.as_str());
            compare_names(known, Some(name)) == Likeness::Agree
        })
    }
}

/// All pairs of the words.
fn pairs(words: &[String]) -> impl Iterator<Item = (String, String)> {
    words.iter().enumerate().flat_map(|(place, word)| {
        let others = words[..place].iter();
        others.map(|other| (other.clone(), word.clone()))
    })
}

/// Longer names are only compared for equality.
const MOST_WORDS: usize = 12;

/// The accounts that a leaver may be suspected to have, given the matches of all people.
pub(super) fn suspects<'s, 'a>(
    basis: &'a Basis<'a>,
    people: &'a [Person<'a>],
    index: &'s Index<'a>,
    matches: &[Matches<'a>],
    complete: bool,
    uses: &mut Uses,
) -> Suspects<'s, 'a> {
    let links = matches.iter().flat_map(|matches| &matches.links);
    let taken: Set<&str> = links.map(|link| link.account_id).collect();
    let population = basis.inputs.population.accounts.iter();
    let accessible = population.filter(|account| account.access() != Access::None);
    let is_free = |of: &&Account| !taken.contains(of.id.as_str());
    let mut accounts: Vec<&Account> = accessible.clone().filter(is_free).collect();
    accounts.retain(|account| !basis.manual.is_service(account, uses));
    let emails = || emails_of(accounts.iter().copied());
    let is_outside = |of: &&Account| !of.emails.iter().any(|email| basis.is_ours(email));
    let outside: Vec<&Account> = accounts.iter().copied().filter(is_outside).collect();
    let untagged = |email: &EmailAddress| basis.same_domains.key_without_tag(email);
    let plain_key = |email: &EmailAddress| plain(&untagged(email));
    // A company has far more accounts than addresses and names of leavers, and only these are looked up.
    let leavers = || people.iter().filter(|person| person.is_leaver());
    let of_leavers = || leavers().flat_map(|person| &person.emails);
    let plain_keys: Set<String> = of_leavers().map(plain_key).collect();
    let locals: Set<&str> = of_leavers().map(EmailAddress::local).collect();
    let names = leavers().flat_map(|person| person.names.iter());
    let names = names.filter_map(|name| NameWords::of(name));
    let words: Set<String> = names.flat_map(|name| name.words().to_vec()).collect();
    let is_any_odd = of_leavers().any(is_odd);
    let alike = emails().filter(|(email, _)| is_any_odd || is_odd(email));
    let alike = alike.map(|(email, account)| (look(email), (is_odd(email), account)));
    let ours = emails().filter(|(email, _)| basis.is_ours(email));
    let by_plain_email = emails().map(|(email, account)| (plain_key(email), account));
    let by_local = ours.map(|(email, account)| (email.local(), account));
    Suspects {
        complete,
        accessible: accessible.map(|account| account.id.as_str()).collect(),
        by_id: by_id(accounts.iter().copied()),
        by_plain_email: grouped(by_plain_email.filter(|(key, _)| plain_keys.contains(key))),
        by_local: grouped(by_local.filter(|(local, _)| locals.contains(local))),
        by_look: grouped(alike),
        by_name: NameIndex::of(&accounts, &words),
        by_name_outside: NameIndex::of(&outside, &words),
        taken,
        basis,
        index,
    }
}

impl<'a> Suspects<'_, 'a> {
    /// The suspicions about a leaver with these matches.
    pub(super) fn of_leaver(
        &self,
        person: &Person<'a>,
        matches: &Matches<'a>,
        uses: &mut Uses,
    ) -> Suspected<'a> {
        let basis = self.basis;
        let manual: &UsableLines<'_> = &basis.manual;
        let keys = person.keys();
        let owned = manual.services_owned_by(&keys, &basis.inputs.population);
        let owned = owned.iter().map(|(_, account_id, _)| *account_id);
        let names = person.names.iter().filter_map(|name| NameWords::of(name));
        let names: Vec<NameWords> = names.collect();
        let mut taking = Taking {
            manual,
            uses,
            keys: &keys,
            open: BTreeMap::new(),
            separated: BTreeSet::new(),
            has_more: person.previous.iter().any(|of| of.more_suspected),
        };
        for account in matches.followed.iter().copied() {
            taking.take(Reason::Followed, &account.id, std::iter::once(account));
        }
        // A changed name does not close a suspicion, because names change easily. Only an owner, an alias or the proven
        // end of access closes it. An alias `different` that ended a tie may be deleted.
        let previous = person.previous.iter();
        let suspected =
            previous.flat_map(|of| of.suspected_account_id.iter().chain(&of.account_id));
        let of_links = person.links.iter().flat_map(|links| &links.accounts);
        let remembered = suspected
            .chain(of_links.map(|account| &account.account_id))
            .filter_map(|id| self.by_id.get(id.as_str()).copied());
        let whose = match names.first() {
            Some(name) => name.words().join(" "),
            None => Key::of(person.person_id, &person.emails).to_string(),
        };
        taking.take(Reason::Before, &whose, remembered);
        self.by_address(person, &names, &mut taking);
        // If the person's own account was found, another account in the organization's domains belongs to a namesake.
        let links = &matches.links;
        let by_name = match links.is_empty() {
            true => &self.by_name,
            false => &self.by_name_outside,
        };
        for name in &names {
            taking.take(Reason::Name, &name.words().join(" "), by_name.same(name));
        }
        let is_linked = |account: &&Account| links.iter().any(|link| link.account_id == account.id);
        for id in &person.shared_ids {
            let accounts = self.index.listed_with_id(id);
            let accounts = accounts.filter(|account| !is_linked(account));
            taking.take(Reason::SharedId, id, accounts);
        }
        // A shared address does not identify a person, so its account is one question about all of them.
        for email in &person.shared_emails {
            let mut accounts: Vec<&Account> = found(&basis.by_email, email.key()).collect();
            accounts.retain(|account| !manual.is_service(account, taking.uses));
            taking.take(Reason::Shared, email.key(), accounts.into_iter());
        }
        let unread = person.rows.iter().flat_map(|row| &row.unread);
        for email in unread.flat_map(|cell| &cell.emails) {
            let accounts = found(&basis.by_email, email.key());
            let accounts = accounts.filter(|account| !is_linked(account));
            taking.take(Reason::Unread, email.key(), accounts);
        }
        let found = taking.open.keys().chain(&taking.separated).copied();
        let carried = self.carried(person, owned.chain(found));
        Suspected {
            open: taking.open.into_values().collect(),
            has_more: taking.has_more,
            carried,
            may_be_namesake: person.worked_without_address() && self.by_name.may_be_of(&names),
        }
    }

    /// Accounts with an address that resembles one of the person's.
    fn by_address(&self, person: &Person<'a>, names: &[NameWords], taking: &mut Taking<'_, 'a>) {
        let same_domains = &self.basis.same_domains;
        let agrees = |account: &&Account| {
            let name = account.name.as_deref().and_then(NameWords::of);
            let mut names = names.iter();
            name.is_none()
                || names.len() == 0
                || names.any(|of| compare_names(Some(of), name.as_ref()) == Likeness::Agree)
        };
        for email in &person.emails {
            let untagged = same_domains.key_without_tag(email);
            let reason = |account: &'a Account| {
                let mut others = account.emails.iter();
                match others.any(|of| same_domains.key_without_tag(of) == untagged) {
                    true => (Reason::Tag, account),
                    false => (Reason::Accent, account),
                }
            };
            let key = plain(&untagged);
            let accounts = self.by_plain_email.get(&key).into_iter().flatten();
            taking.take_each(&key, accounts.copied().map(reason));
            if !self.by_look.is_empty() {
                let (key, is_odd) = (look(email), is_odd(email));
                let found = self.by_look.get(&key).into_iter().flatten();
                // `l` and `1` distinguish two ASCII addresses. A letter of another script rarely distinguishes people.
                let alike = found.filter(|(is_other_odd, _)| is_odd || *is_other_odd);
                taking.take(Reason::LookAlike, &key, alike.map(|(_, account)| *account));
            }
            if self.basis.is_ours(email) {
                let accounts = self.by_local.get(email.local()).into_iter().flatten();
                let accounts = accounts.copied().filter(agrees);
                taking.take(Reason::OtherDomain, email.local(), accounts);
            }
        }
    }

    /// Accounts that the next run treats as suspected: those of `now`, and earlier ones without an owner. An account
    /// stays here after an alias decides the suspicion, because the line may be deleted. An account without access in a
    /// complete list is removed.
    fn carried<'i>(&self, person: &Person<'_>, now: impl Iterator<Item = &'i str>) -> Vec<String> {
        let before = person.previous.iter();
        let before = before.flat_map(|leaver| &leaver.suspected_account_id);
        let before = before.filter(|id| !self.taken.contains(id.as_str()));
        let may_be_used = |id: &String| !self.complete || self.accessible.contains(id.as_str());
        let mut carried: Vec<String> = now
            .map(str::to_owned)
            .chain(before.cloned())
            .filter(may_be_used)
            .collect();
        carried.sort();
        carried.dedup();
        carried
    }
}

/// What an address looks like: the skeleton of Unicode Technical Standard #39, section 4, with the domain in its
/// Unicode form.
fn look(email: &EmailAddress) -> String {
    let (domain, _) = idna::domain_to_unicode(email.domain());
    unicode_security::skeleton(&format!("{}@{domain}", email.local())).collect()
}

/// A key without accents, and with `ı` replaced by `i`: systems add or remove the dot when they change the case of a
/// letter by the rules of another language.
fn plain(key: &str) -> String {
    match key.is_ascii() {
        true => key.to_owned(),
        false => without_marks(key).replace('ı', "i"),
    }
}

/// Whether an address has letters beyond ASCII.
fn is_odd(email: &EmailAddress) -> bool {
    let mut labels = email.domain().split('.');
    !email.key().is_ascii() || labels.any(|label| label.starts_with("xn--"))
}
