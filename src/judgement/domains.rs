//! Which mail domains are the organization's.

use std::collections::BTreeSet;

use super::Inputs;
use crate::people::Role;

/// Domains anybody can get an address in. An account there says nothing about who employs whom.
///
/// The large free providers of several countries; an organization that really uses one of them for
/// its staff is matched by address all the same.
const PUBLIC_PROVIDERS: &[&str] = &[
    "126.com",
    "163.com",
    "aol.com",
    "fastmail.com",
    "free.fr",
    "gmail.com",
    "gmx.at",
    "gmx.ch",
    "gmx.com",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hey.com",
    "hotmail.co.uk",
    "hotmail.com",
    "hotmail.fr",
    "icloud.com",
    "laposte.net",
    "libero.it",
    "live.com",
    "mac.com",
    "mail.com",
    "mail.ru",
    "me.com",
    "msn.com",
    "naver.com",
    "orange.fr",
    "outlook.com",
    "pm.me",
    "proton.me",
    "protonmail.com",
    "qq.com",
    "rediffmail.com",
    "t-online.de",
    "tutanota.com",
    "web.de",
    "yahoo.co.in",
    "yahoo.co.jp",
    "yahoo.co.uk",
    "yahoo.com",
    "yahoo.de",
    "yahoo.fr",
    "yandex.com",
    "yandex.ru",
    "zoho.com",
];

/// Whether anybody can get an address in a domain (ASCII, lower case).
pub fn is_public_mail_provider(domain: &str) -> bool {
    PUBLIC_PROVIDERS.binary_search(&domain).is_ok()
}

/// The domains named in the settings and those of accounts that are no guests, tonight or in the
/// baseline; never a public mail provider.
pub(super) fn of_the_organization(inputs: &Inputs) -> BTreeSet<String> {
    let earlier = inputs
        .past
        .baseline
        .iter()
        .flat_map(|baseline| &baseline.accounts);
    let mut domains: BTreeSet<&str> = BTreeSet::new();
    for account in inputs.population.accounts.iter().chain(earlier) {
        if account.role != Role::Guest {
            domains.extend(account.emails.iter().map(|email| email.domain()));
        }
    }
    let named = inputs.policy.internal_domains.iter().map(String::as_str);
    domains
        .into_iter()
        .filter(|domain| !is_public_mail_provider(domain))
        .chain(named)
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::PUBLIC_PROVIDERS;

    #[test]
    fn the_public_providers_are_sorted_for_the_search() {
        assert!(PUBLIC_PROVIDERS.is_sorted());
    }
}
