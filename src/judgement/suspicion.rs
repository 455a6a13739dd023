//! Accounts that may be a leaver's: never a match, and never ignored.
//!
//! Names, plus-tags, look-alike letters and other domains raise a suspicion, which stays open until an
//! alias decides it, an owner is found, or access ends.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use super::Basis;
use super::directives::Directives;
use super::lookup::{Map, Set};
use super::matching::Link;
use super::people::Person;
use crate::people::{
    Access, Account, EmailAddress, Likeness, NameWords, compare_names, without_marks,
};

/// An account that may be a leaver's: a suspicion, never a match.
#[derive(Clone, Debug)]
pub(super) struct Suspicion<'a> {
    pub(super) account: &'a Account,
    pub(super) reason: Reason,
    /// What the account and the person have in common. Suspicions with one reason and key are one question.
    pub(super) key: String,
}

/// Why an account may be a leaver's, strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    /// It was tied to them, and belongs to a person who works here now.
    Followed,
    Tag,
    LookAlike,
    Accent,
    OtherDomain,
    Name,
    /// It carries an id that several people have.
    SharedId,
    /// Several people have its address.
    Shared,
    /// An address in a column that is not read.
    Unread,
    /// Their offboarding was concluded, and HR names them no more.
    AfterConclusion,
    Before,
}

impl Reason {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Followed => {
                "an earlier run tied it to them, and it now belongs to a person who works here"
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
            Self::Before => "suspected in an earlier run",
        }
    }
}

impl<'a> Suspicion<'a> {
    pub(super) fn new(account: &'a Account, reason: Reason, key: String) -> Self {
        Self {
            account,
            reason,
            key,
        }
    }
}

type ByKey<'a> = Map<String, Vec<&'a Account>>;

/// Accounts that may have access and have no owner in the feed, by the keys that raise a suspicion.
pub(super) struct Suspects<'a> {
    basis: &'a Basis<'a>,
    complete: bool,
    /// Accounts with an owner in the feed.
    taken: Set<&'a str>,
    /// Accounts that have or may have access.
    accessible: Set<&'a str>,
    accounts: Vec<&'a Account>,
    by_id: Map<&'a str, &'a Account>,
    /// By the address without a plus-tag and without accents.
    by_plain_email: ByKey<'a>,
    /// Only accounts with an address in a domain of the organization.
    by_local: Map<&'a str, Vec<&'a Account>>,
    /// Only accounts whose address has letters beyond ASCII; most often there is none.
    odd_by_look: ByKey<'a>,
    /// All of them, for the rare person whose address has such letters.
    all_by_look: OnceCell<ByKey<'a>>,
    by_name: NameIndex<'a>,
}

/// Accounts by the words of their names.
#[derive(Default)]
struct NameIndex<'a> {
    names: Map<&'a str, NameWords>,
    exact: Map<NameWords, Vec<&'a Account>>,
    /// By each pair of words: names of two words and more are compared by what they share.
    by_pair: Map<(String, String), Vec<&'a Account>>,
    /// By each word.
    by_word: Map<String, Vec<&'a Account>>,
    /// Without a name, in another script or with an initial: words do not find these.
    vague: Vec<&'a Account>,
}

impl<'a> NameIndex<'a> {
    fn of(accounts: &[&'a Account]) -> Self {
        let mut index = Self::default();
        for account in accounts {
            let Some(name) = account.name.as_deref().and_then(NameWords::of) else {
                index.vague.push(account);
                continue;
            };
            if !name.is_plain() {
                index.vague.push(account);
            }
            for (place, word) in name.words().iter().enumerate() {
                index.by_word.entry(word.clone()).or_default().push(account);
                for other in &name.words()[..place] {
                    let pair = (other.clone(), word.clone());
                    index.by_pair.entry(pair).or_default().push(account);
                }
            }
            index.exact.entry(name.clone()).or_default().push(account);
            index.names.insert(&account.id, name);
        }
        index
    }

    /// Accounts of the same name: equal, or one has all words of the other, two at least.
    fn same(&self, name: &NameWords) -> Vec<&'a Account> {
        let mut found: BTreeMap<&str, &Account> = BTreeMap::new();
        let exact = self.exact.get(name).into_iter().flatten();
        found.extend(exact.map(|account| (account.id.as_str(), *account)));
        if name.words().len() <= MOST_WORDS {
            for (place, word) in name.words().iter().enumerate() {
                for other in &name.words()[..place] {
                    let pair = (other.clone(), word.clone());
                    for account in self.by_pair.get(&pair).into_iter().flatten() {
                        if self.names[account.id.as_str()].agrees_in_one_script(name) {
                            found.insert(&account.id, account);
                        }
                    }
                }
            }
        }
        found.into_values().collect()
    }

    /// Whether a name may be that of any account.
    fn may_have(&self, name: Option<&NameWords>) -> bool {
        let Some(name) = name else {
            return !self.names.is_empty() || !self.vague.is_empty();
        };
        if !name.is_plain() {
            let mut names = self.names.values();
            return !self.vague.is_empty() || names.any(|of| of.compare(name) == Likeness::Agree);
        }
        let by_word = name
            .words()
            .iter()
            .filter_map(|word| self.by_word.get(word));
        by_word.flatten().chain(&self.vague).any(|account| {
            let known = self.names.get(account.id.as_str());
            compare_names(known, Some(name)) == Likeness::Agree
        })
    }
}

/// Longer names are only compared for equality.
const MOST_WORDS: usize = 12;

impl<'a> Suspects<'a> {
    pub(super) fn of(basis: &'a Basis<'a>, taken: Set<&'a str>, complete: bool) -> Self {
        let population = &basis.inputs.population.accounts;
        let has_access = |account: &&Account| account.access() != Access::None;
        let accounts: Vec<&Account> = population
            .iter()
            .filter(has_access)
            .filter(|account| !taken.contains(account.id.as_str()))
            .filter(|account| !basis.directives.is_service(account))
            .collect();
        let index = |key: &dyn Fn(&EmailAddress) -> Option<String>| {
            let mut by_key = ByKey::default();
            for account in &accounts {
                for email in &account.emails {
                    if let Some(key) = key(email) {
                        by_key.entry(key).or_default().push(account);
                    }
                }
            }
            by_key
        };
        Self {
            complete,
            taken,
            accessible: population
                .iter()
                .filter(has_access)
                .map(|account| account.id.as_str())
                .collect(),
            by_id: accounts
                .iter()
                .map(|account| (account.id.as_str(), *account))
                .collect(),
            by_plain_email: index(&|email| Some(plain(&basis.same_domains.key_without_tag(email)))),
            by_local: {
                let mut by_local: Map<&str, Vec<&Account>> = Map::default();
                for account in &accounts {
                    for email in &account.emails {
                        if basis.domains.contains(email.domain()) {
                            by_local.entry(email.local()).or_default().push(account);
                        }
                    }
                }
                by_local
            },
            odd_by_look: index(&|email| is_odd(email).then(|| look(email))),
            all_by_look: OnceCell::new(),
            by_name: NameIndex::of(&accounts),
            basis,
            accounts,
        }
    }

    /// Accounts with an address that looks like this one. Of two plain addresses `l` and `1` tell
    /// people apart; a letter of another script in one of them rarely does.
    fn alike(&self, email: &EmailAddress) -> Option<&Vec<&'a Account>> {
        if is_odd(email) {
            let all = || {
                let mut by_look = ByKey::default();
                for account in &self.accounts {
                    for email in &account.emails {
                        by_look.entry(look(email)).or_default().push(account);
                    }
                }
                by_look
            };
            return self.all_by_look.get_or_init(all).get(&look(email));
        }
        match self.odd_by_look.is_empty() {
            true => None,
            false => self.odd_by_look.get(&look(email)),
        }
    }

    /// Whether an account without an owner may have the name of a person without an address.
    pub(super) fn may_bear_name(&self, person: &Person<'_>) -> bool {
        let names: Vec<NameWords> = person
            .names
            .iter()
            .filter_map(|name| NameWords::of(name))
            .collect();
        match names.is_empty() {
            true => self.by_name.may_have(None),
            false => names.iter().any(|name| self.by_name.may_have(Some(name))),
        }
    }

    /// The open suspicions of a person with these accounts, and every account to be remembered as
    /// suspected. `followed` are accounts that were theirs.
    pub(super) fn of_person(
        &self,
        person: &Person<'a>,
        links: &[Link<'a>],
        followed: Vec<Suspicion<'a>>,
    ) -> (Vec<Suspicion<'a>>, Vec<String>) {
        let directives: &Directives<'_> = &self.basis.directives;
        let named = person.named();
        let population = &self.basis.inputs.population.accounts;
        let answered_for = directives.answered_for_by(&named, population);
        let answered_for = answered_for.iter().map(|(_, account)| account.id.as_str());
        let mut unread = person.rows.iter().flat_map(|row| &row.unread);
        let has_nothing_to_find = self.accounts.is_empty()
            && followed.is_empty()
            && person.shared_emails.is_empty()
            && unread.all(|cell| cell.emails.is_empty());
        if has_nothing_to_find {
            return (Vec::new(), self.carried(person, answered_for));
        }
        let mut open: BTreeMap<&'a str, Suspicion<'a>> = BTreeMap::new();
        let mut suspect = |suspicion: Suspicion<'a>| {
            let known = open
                .entry(&suspicion.account.id)
                .or_insert_with(|| suspicion.clone());
            if suspicion.reason < known.reason {
                *known = suspicion;
            }
        };
        for suspicion in followed {
            if suspicion.account.access() != Access::None {
                suspect(suspicion);
            }
        }
        let names: Vec<NameWords> = person
            .names
            .iter()
            .filter_map(|name| NameWords::of(name))
            .collect();
        let agrees = |account: &Account| {
            let name = account.name.as_deref().and_then(NameWords::of);
            let mut names = names.iter();
            name.is_none()
                || names.len() == 0
                || names.any(|of| compare_names(Some(of), name.as_ref()) == Likeness::Agree)
        };
        if !self.accounts.is_empty() {
            for email in &person.emails {
                let untagged = self.basis.same_domains.key_without_tag(email);
                let key = plain(&untagged);
                for account in self.by_plain_email.get(&key).into_iter().flatten() {
                    let mut others = account.emails.iter();
                    let reason = match others
                        .any(|of| self.basis.same_domains.key_without_tag(of) == untagged)
                    {
                        true => Reason::Tag,
                        false => Reason::Accent,
                    };
                    suspect(Suspicion::new(account, reason, key.clone()));
                }
                for account in self.alike(email).into_iter().flatten() {
                    suspect(Suspicion::new(account, Reason::LookAlike, look(email)));
                }
                if self.basis.domains.contains(email.domain()) {
                    for account in self.by_local.get(email.local()).into_iter().flatten() {
                        if agrees(account) {
                            let local = email.local().to_owned();
                            suspect(Suspicion::new(account, Reason::OtherDomain, local));
                        }
                    }
                }
            }
            for name in &names {
                for account in self.by_name.same(name) {
                    if !self.is_namesake(links, account) {
                        suspect(Suspicion::new(
                            account,
                            Reason::Name,
                            name.words().join(" "),
                        ));
                    }
                }
            }
            // Names change easily, so a changed name closes no suspicion. Only an owner, an alias or the proven end of
            // access does.
            for id in person
                .previous
                .iter()
                .flat_map(|leaver| &leaver.suspected_account_id)
            {
                if let Some(account) = self.by_id.get(id.as_str()) {
                    suspect(Suspicion::new(account, Reason::Before, id.clone()));
                }
            }
        }
        // A shared address identifies no person, so its account is one question for all of them.
        for email in &person.shared_emails {
            for account in self.basis.by_email.get(email.key()) {
                if account.access() != Access::None && !directives.is_service(account) {
                    suspect(Suspicion::new(
                        account,
                        Reason::Shared,
                        email.key().to_owned(),
                    ));
                }
            }
        }
        for email in person
            .rows
            .iter()
            .flat_map(|row| &row.unread)
            .flat_map(|cell| &cell.emails)
        {
            for account in self.basis.by_email.get(email.key()) {
                let is_linked = links.iter().any(|link| link.account_id == account.id);
                if account.access() != Access::None && !is_linked {
                    suspect(Suspicion::new(
                        account,
                        Reason::Unread,
                        email.key().to_owned(),
                    ));
                }
            }
        }
        let carried = self.carried(person, answered_for.chain(open.keys().copied()));
        open.retain(|_, suspicion| !directives.are_different(&named, suspicion.account));
        (open.into_values().collect(), carried)
    }

    /// Whether an account with the person's name is only a namesake's: the person's own account was found, and
    /// this one is in the organization's domains.
    fn is_namesake(&self, links: &[Link<'_>], account: &Account) -> bool {
        let mut emails = account.emails.iter();
        !links.is_empty() && emails.any(|email| self.basis.domains.contains(email.domain()))
    }

    /// Accounts to carry as suspected: those of `now`, and earlier ones without an owner. An alias that decides a
    /// suspicion does not end the carrying, because the line may be deleted. An account that a complete list
    /// proves to have no access is not carried.
    fn carried<'s>(&self, person: &Person<'_>, now: impl Iterator<Item = &'s str>) -> Vec<String> {
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

/// What an address looks like: the skeleton of Unicode Technical Standard #39, section 4. The domain
/// is taken as people see it, not in its ASCII form.
fn look(email: &EmailAddress) -> String {
    let (domain, _) = idna::domain_to_unicode(email.domain());
    unicode_security::skeleton(&format!("{}@{domain}", email.local())).collect()
}

/// A key without accents and with one letter i: capitals lose or gain a dot when a system changes their case
/// by the rules of another language.
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
