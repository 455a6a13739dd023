//! The owner of an account, suspicions and doubts: §5.2.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::ends::{ModelStanding, is_employed, is_or_will_be_employed, latest_date, standing};
use super::lines::{
    accepts_suspicion, is_service, same_but_for_a_tag, same_but_for_the_domain, says_different,
    says_same,
};
use super::people::{Alike, ModelPerson, alike, people};
use crate::judgement::{Inputs, Judgement, MatchKind};
use crate::model::{Access, Account, EmailAddress, HrRow, Likeness, NameWords, compare_names};

/// The people of a run, and the data that comes from the judgement.
pub(super) struct Model<'a> {
    pub(super) inputs: &'a Inputs,
    pub(super) people: Vec<ModelPerson<'a>>,
    pub(super) complete: bool,
    own_domains: Vec<String>,
    /// The first row of each person with an unread date.
    pub(super) unread: Vec<&'a HrRow>,
}

impl<'a> Model<'a> {
    pub(super) fn of(inputs: &'a Inputs, judged: &Judgement) -> Self {
        let is_usable = inputs.hr.unusable.is_none();
        Self {
            inputs,
            people: if is_usable {
                people(inputs)
            } else {
                Vec::new()
            },
            complete: judged.complete,
            own_domains: judged.organization_domains.clone(),
            unread: Vec::new(),
        }
    }

    pub(super) fn accounts(&self) -> &'a [Account] {
        &self.inputs.population.accounts
    }

    pub(super) fn standing(&self, person: &ModelPerson<'_>) -> (ModelStanding, Option<Timestamp>) {
        match self.is_unread(person) {
            true => (ModelStanding::Doubtful, None),
            false => standing(person, self.inputs),
        }
    }

    /// Whether an unread date makes it unclear whether they are employed.
    fn is_unread(&self, person: &ModelPerson<'_>) -> bool {
        let mut unread = self.unread.iter();
        unread.any(|row| std::ptr::eq(*row, person.rows[0]))
    }

    pub(super) fn is_employed(&self, person: &ModelPerson<'_>) -> bool {
        is_employed(person, self.inputs) && !self.is_unread(person)
    }

    pub(super) fn is_own_domain(&self, email: &EmailAddress) -> bool {
        self.own_domains
            .iter()
            .any(|domain| domain == email.domain())
    }

    fn others<'s>(&'s self, person: &ModelPerson<'_>) -> impl Iterator<Item = &'s ModelPerson<'a>> {
        let first = person.rows[0];
        let is_them = move |other: &&ModelPerson<'_>| std::ptr::eq(other.rows[0], first);
        self.people.iter().filter(move |other| !is_them(other))
    }

    /// Whether an id identifies the person.
    fn is_their_id(&self, id: &str, person: &ModelPerson<'_>) -> bool {
        let has_it = |person: &ModelPerson<'_>| person.ids().contains(id);
        let is_unlike =
            |other: &ModelPerson<'_>| alike(&person.names(), &other.names()) == Alike::Unlike;
        let others: Vec<&ModelPerson<'_>> =
            self.others(person).filter(|other| has_it(other)).collect();
        has_it(person) && (others.is_empty() || !others.iter().all(|other| is_unlike(other)))
    }

    /// Accounts with access whose address is in an unread column of the person's rows.
    pub(super) fn unread(&self, person: &ModelPerson<'_>) -> Vec<&'a Account> {
        let cells = person.rows.iter().flat_map(|row| &row.unread);
        let emails: BTreeSet<&EmailAddress> = cells.flat_map(|cell| &cell.emails).collect();
        let all = self.accounts().iter();
        all.filter(|account| account.access() != Access::None)
            .filter(|account| account.emails.iter().any(|email| emails.contains(email)))
            .filter(|account| self.tie(person, account).is_none())
            .filter(|account| !says_different(person, account, self.inputs))
            .filter(|account| !accepts_suspicion(person, account, self.inputs))
            .collect()
    }

    pub(super) fn identifying_ids(&self, person: &ModelPerson<'_>) -> BTreeSet<String> {
        let ids = person.ids().into_iter();
        ids.filter(|id| self.is_their_id(id, person)).collect()
    }

    /// Whether an account with this address is taken for the person's.
    fn address_is_theirs(
        &self,
        address: &EmailAddress,
        person: &ModelPerson<'_>,
        account: &Account,
    ) -> bool {
        if self.is_employed(person) {
            return true;
        }
        if person.shared.contains(address) {
            return false;
        }
        let (standing, ended) = self.standing(person);
        let mut others = self
            .others(person)
            .filter(|other| person.has_work_address(address) && other.has_work_address(address))
            .filter(|other| alike(&person.names(), &other.names()) == Alike::Unlike);
        !others.any(|other| {
            if standing == ModelStanding::Left && self.is_employed(other) {
                let joined = account.joined_at.zip(ended);
                return joined.is_some_and(|(joined, ended)| joined > ended);
            }
            let (rows, later) = (&person.rows, &other.rows);
            let works = |rows: &[&HrRow]| is_or_will_be_employed(rows, self.inputs);
            let dates = latest_date(later).zip(latest_date(rows));
            !works(rows) && !works(later) && dates.is_some_and(|(other, own)| other > own)
        })
    }

    /// How an account is tied to a person, unless an approved line separates them.
    pub(super) fn tie(&self, person: &ModelPerson<'_>, account: &Account) -> Option<MatchKind> {
        let tie = self.tie_but_for_lines(person, account)?;
        (!says_different(person, account, self.inputs)).then_some(tie)
    }

    pub(super) fn tie_but_for_lines(
        &self,
        person: &ModelPerson<'_>,
        account: &Account,
    ) -> Option<MatchKind> {
        let external = account.external_id.as_ref();
        if external.is_some_and(|id| self.is_their_id(id, person)) {
            return Some(MatchKind::PersonId);
        }
        if says_same(person, account, self.inputs) {
            return Some(MatchKind::Alias);
        }
        let fits = |fit: &dyn Fn(&EmailAddress, &EmailAddress) -> bool| {
            person.emails().iter().any(|one| {
                account.emails.iter().any(|other| fit(one, other))
                    && self.address_is_theirs(one, person, account)
            })
        };
        if fits(&|one, other| one == other) {
            return Some(MatchKind::Email);
        }
        fits(&|one, other| same_but_for_the_domain(one, other, self.inputs))
            .then_some(MatchKind::DomainAlias)
    }

    pub(super) fn tied(
        &self,
        person: &ModelPerson<'_>,
    ) -> BTreeMap<String, (&'a Account, MatchKind)> {
        let tied = self.accounts().iter().filter_map(|account| {
            Some((account.id.clone(), (account, self.tie(person, account)?)))
        });
        tied.collect()
    }

    /// Whether access by an account may be that of another person with a related name.
    pub(super) fn is_doubt(&self, person: &ModelPerson<'_>, account: &Account) -> bool {
        let mut related = self
            .others(person)
            .filter(|other| self.is_employed(other))
            .filter(|other| alike(&person.names(), &other.names()) != Alike::Unlike);
        related.any(|other| {
            let is_related = alike(&person.names(), &other.names()) == Alike::Related;
            let one_id = !person.ids().is_disjoint(&other.ids());
            let own = &person.work_emails() - &person.shared;
            let one_address = !own.is_disjoint(&other.work_emails());
            one_id || is_related && one_address && self.tie(other, account).is_some()
        })
    }

    // ---- Suspicions ----

    fn looks_alike(&self, one: &EmailAddress, other: &EmailAddress) -> bool {
        // The letters of other scripts and alphabets in these worlds.
        let latin = |email: &EmailAddress| {
            let key = email.key().replace('\u{430}', "a");
            key.replace('\u{131}', "i").replace("i\u{307}", "i")
        };
        let is_odd = !one.key().is_ascii() || !other.key().is_ascii();
        same_but_for_a_tag(one, other, self.inputs) || is_odd && latin(one) == latin(other)
    }

    fn may_be_theirs(&self, person: &ModelPerson<'_>, account: &Account) -> bool {
        let name = account.name.as_deref().and_then(NameWords::of);
        let names = person.names();
        let names_agree = names.is_empty()
            || names
                .iter()
                .any(|own| compare_names(Some(own), name.as_ref()) == Likeness::Agree);
        let by_address = person.own_emails().iter().any(|one| {
            account.emails.iter().any(|other| {
                let other_own_domain = one.local() == other.local()
                    && one.domain() != other.domain()
                    && self.is_own_domain(one)
                    && self.is_own_domain(other);
                self.looks_alike(one, other) || other_own_domain && names_agree
            })
        });
        let same_name = name.is_some_and(|name| names.iter().any(|own| is_same_name(own, &name)));
        let is_ours = account.emails.iter().any(|email| self.is_own_domain(email));
        let is_namesake = same_name && is_ours && !self.tied(person).is_empty();
        by_address || same_name && !is_namesake
    }

    /// Accounts with access that may belong to a leaver: neither owned by a person nor a service account.
    pub(super) fn suspected(&self, person: &ModelPerson<'_>) -> Vec<&'a Account> {
        let all = self.accounts().iter();
        all.filter(|account| account.access() != Access::None)
            .filter(|account| {
                !self
                    .people
                    .iter()
                    .any(|other| self.tie(other, account).is_some())
            })
            .filter(|account| !is_service(account, self.inputs))
            .filter(|account| self.may_be_theirs(person, account))
            .filter(|account| !says_different(person, account, self.inputs))
            .filter(|account| !accepts_suspicion(person, account, self.inputs))
            .collect()
    }

    /// Accounts with access that have an address, or carry an id, which a leaver shares with others.
    pub(super) fn shared(&self, person: &ModelPerson<'_>) -> BTreeMap<String, Vec<&'a Account>> {
        let with = |is_wanted: &dyn Fn(&Account) -> bool| {
            let all = self.accounts().iter();
            all.filter(|account| account.access() != Access::None)
                .filter(|account| is_wanted(account))
                .filter(|account| !says_different(person, account, self.inputs))
                .filter(|account| !accepts_suspicion(person, account, self.inputs))
                .collect::<Vec<_>>()
        };
        let by_address = person.shared.iter().map(|address| {
            let accounts = with(&|account| {
                account.emails.contains(address) && !is_service(account, self.inputs)
            });
            (address.key().to_owned(), accounts)
        });
        let ids = &person.ids() - &self.identifying_ids(person);
        let by_id = ids.into_iter().map(|id| {
            let accounts = with(&|account| {
                account.external_id.as_ref() == Some(&id) && self.tie(person, account).is_none()
            });
            (id, accounts)
        });
        by_address
            .chain(by_id)
            .filter(|(_, accounts)| !accounts.is_empty())
            .collect()
    }
}

/// Equal words, or all words of one in the other and at least two of them.
fn is_same_name(one: &NameWords, other: &NameWords) -> bool {
    let (one, other): (BTreeSet<_>, BTreeSet<_>) =
        (one.words().iter().collect(), other.words().iter().collect());
    one == other
        || (one.is_subset(&other) || other.is_subset(&one)) && one.intersection(&other).count() >= 2
}
