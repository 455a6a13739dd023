//! The organization's mail domains, and mail domains that are equivalent.

use std::collections::{BTreeMap, BTreeSet};

use super::Inputs;
use crate::model::{EmailAddress, Permissions, Role, Status};

/// Domains in which anyone can get an address, so that an address there does not show an employer.
///
/// These are the large free providers of several countries. Accounts with such addresses still match by address.
const PUBLIC_PROVIDERS: &str = "
    126.com 163.com aol.com fastmail.com free.fr gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.net
    googlemail.com hey.com hotmail.co.uk hotmail.com hotmail.fr icloud.com laposte.net libero.it
    live.com mac.com mail.com mail.ru me.com msn.com naver.com orange.fr outlook.com pm.me
    proton.me protonmail.com qq.com rediffmail.com t-online.de tutanota.com web.de yahoo.co.in
    yahoo.co.jp yahoo.co.uk yahoo.com yahoo.de yahoo.fr yandex.com yandex.ru zoho.com
";

/// Whether anyone can get an address in a domain (ASCII, lower case).
pub fn is_public_mail_provider(domain: &str) -> bool {
    PUBLIC_PROVIDERS.split_whitespace().any(|of| of == domain)
}

/// Equivalent mail domains: each domain with the one that represents its group.
#[derive(Clone, Debug, Default)]
pub(crate) struct SameDomains(BTreeMap<String, String>);

impl SameDomains {
    /// The pairs of the policy. Pairs that share a domain form one group.
    pub(super) fn of(inputs: &Inputs) -> Self {
        Self::of_pairs(&inputs.policy.email_domain_aliases)
    }

    /// From pairs such as `corp.com=corp.io`.
    pub(crate) fn of_pairs(pairs: &[String]) -> Self {
        let mut same: BTreeMap<String, String> = BTreeMap::new();
        for pair in pairs {
            let Some((one, other)) = pair.split_once('=') else {
                continue;
            };
            let (one, other) = (folded(one), folded(other));
            let mut representative = |domain: String| {
                let known = same.entry(domain.clone()).or_insert(domain);
                known.clone()
            };
            let mut both = [representative(one), representative(other)];
            both.sort();
            let [first, second] = both;
            for domain in same.values_mut().filter(|domain| **domain == second) {
                domain.clone_from(&first);
            }
        }
        Self(same)
    }

    /// The domain that represents the group of this one.
    pub(super) fn canonical<'d>(&'d self, domain: &'d str) -> &'d str {
        self.0.get(domain).map_or(domain, String::as_str)
    }

    /// The key of an address that is the same in all equivalent domains. `None` if the domain of the address does not
    /// have an equivalent.
    pub(super) fn key(&self, email: &EmailAddress) -> Option<String> {
        let domain = self.0.get(email.domain())?;
        Some(format!("{}@{domain}", email.local()))
    }

    /// The key without a plus-tag, see [`EmailAddress::key_without_tag`].
    pub(crate) fn key_without_tag(&self, email: &EmailAddress) -> String {
        let untagged = email.key_without_tag();
        match (self.0.get(email.domain()), untagged.rsplit_once('@')) {
            (Some(domain), Some((local, _))) => format!("{local}@{domain}"),
            _ => untagged,
        }
    }

    /// Adds the equivalents of these domains.
    fn extend(&self, domains: &mut BTreeSet<String>) {
        let known: BTreeSet<&str> = domains.iter().map(|of| self.canonical(of)).collect();
        let one = self
            .0
            .iter()
            .filter(|(_, canonical)| known.contains(canonical.as_str()));
        let one: Vec<String> = one.map(|(domain, _)| domain.clone()).collect();
        domains.extend(one);
    }
}

/// The domains in the settings, and the domains of accounts in this run or the baseline, except guests. Public mail
/// providers are excluded. With narrow permissions any account may be a guest's, so only the settings count.
pub(super) fn of_the_organization(inputs: &Inputs, same: &SameDomains) -> BTreeSet<String> {
    let baseline = inputs.past.baseline.iter();
    let earlier = baseline.flat_map(|baseline| &baseline.accounts);
    let accounts = inputs.population.accounts.iter().chain(earlier);
    let is_read = inputs.policy.asana_permissions == Permissions::Full;
    let staff = accounts.filter(|account| {
        is_read && account.role != Role::Guest && account.status != Status::Listed
    });
    let of_staff: BTreeSet<&str> = staff
        .flat_map(|account| account.emails.iter().map(EmailAddress::domain))
        .collect();
    let named = inputs.policy.internal_domains.iter();
    let named = named.map(|name| folded(name));
    let mut domains: BTreeSet<String> = of_staff
        .into_iter()
        .map(str::to_owned)
        .chain(named)
        .collect();
    same.extend(&mut domains);
    domains.retain(|domain| !is_public_mail_provider(domain));
    domains
}

/// Domains that `INTERNAL_DOMAINS` lacks and that seem to be the organization's: of work addresses in HR; of staff in a
/// baseline that was read with full permissions; of accounts, if the name is that of a domain in the setting. Only with
/// narrow permissions, because otherwise roles show the domains of the organization.
pub(super) fn unnamed<'i>(inputs: &'i Inputs, ours: &BTreeSet<String>) -> BTreeSet<&'i str> {
    if inputs.policy.asana_permissions == Permissions::Full {
        return BTreeSet::new();
    }
    let baseline = inputs.past.baseline.iter();
    let earlier = baseline.flat_map(|baseline| &baseline.accounts);
    let staff = earlier.filter(|account| matches!(account.role, Role::Admin | Role::Member));
    let of_staff = staff.flat_map(|account| &account.emails);
    let of_hr = inputs.hr.rows.iter().filter_map(|row| row.email.as_ref());
    let listed = inputs.population.accounts.iter();
    let listed = listed.flat_map(|account| &account.emails);
    let alike = listed.filter(|email| ours.iter().any(|own| is_alike(email.domain(), own)));
    let all = of_hr.chain(of_staff).chain(alike).map(EmailAddress::domain);
    all.filter(|domain| !ours.contains(*domain) && !is_public_mail_provider(domain))
        .collect()
}

/// `example.de` and `eu.example.com` are like `example.com`.
fn is_alike(domain: &str, own: &str) -> bool {
    let is_below = |one: &str, other: &str| {
        let rest = one.strip_suffix(other);
        rest.is_some_and(|rest| rest.ends_with('.'))
    };
    let names = [domain, own].map(|domain| domain.rsplit_once('.').map(|(name, _)| name));
    is_below(domain, own) || is_below(own, domain) || (names[0].is_some() && names[0] == names[1])
}

/// The setting `INTERNAL_DOMAINS` with further domains.
pub(super) fn setting(inputs: &Inputs, further: &BTreeSet<&str>) -> String {
    let named = inputs.policy.internal_domains.iter().map(String::as_str);
    let all = Vec::from_iter(named.chain(further.iter().copied()));
    format!("INTERNAL_DOMAINS={}", all.join(","))
}

/// A domain in the form of addresses, so that `Example.COM` in the settings equals the domain of the accounts.
fn folded(name: &str) -> String {
    EmailAddress::parse(&format!("x@{}", name.trim()))
        .map_or_else(|| name.to_owned(), |email| email.domain().to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::SameDomains;

    #[test]
    fn pairs_that_share_a_domain_are_one() {
        let mut inputs = super::super::tests::world::world().inputs;
        let pairs = ["b.com=c.com", "d.com=e.com", "c.com=a.com"];
        inputs.policy.email_domain_aliases = pairs.map(str::to_owned).to_vec();
        let same = SameDomains::of(&inputs).0;
        let canonical: BTreeMap<&str, &str> = same.iter().map(|(a, b)| (&**a, &**b)).collect();
        let (abc, de) = (["a.com", "b.com", "c.com"], ["d.com", "e.com"]);
        assert!(abc.iter().all(|domain| canonical[domain] == "a.com"));
        assert!(de.iter().all(|domain| canonical[domain] == "d.com"));
    }
}
