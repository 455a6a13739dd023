//! The HR feed, aliases and exceptions, and the policy of the judgement.

use std::collections::BTreeMap;
use std::time::Duration;

use secrecy::SecretString;

use super::judge::Judge;
use super::values::{self, Place, Wrong};
use super::variables::Raw;
use crate::feed::{self, DateOrder, DateRules, Format};
use crate::judgement::{FeedScope, Policy};
use crate::model::{Employment, Meaning, Permissions};
use crate::{files, manual, net, truto};

/// The most bytes of an HR feed, before and after unpacking. 100,000 people take about 10 MB. The limit leaves room for
/// wide exports and keeps a wrong file from filling the memory.
const MAX_HR_FEED_BYTES: u64 = 64 << 20;

/// The rules for reading the feed. The policy records them.
pub(super) struct HrRules {
    columns: BTreeMap<Meaning, String>,
    records: Vec<String>,
    words: feed::Words,
    date_order: Option<DateOrder>,
    time_zone: String,
    location_zones: BTreeMap<String, String>,
    scope: FeedScope,
    allow_empty: bool,
}

impl Judge {
    pub(super) fn feed(
        &mut self,
        raw: &Raw,
        rules: Option<&HrRules>,
        truto: Option<&truto::Settings>,
        http: Option<net::Settings>,
        force_path_style: Option<bool>,
    ) -> Option<feed::Source> {
        let authorization = self.secret(&raw.hr_feed_authorization);
        let own = raw.truto_integrated_account_id.text.as_ref();
        let place = self.get(&raw.hr_feed_url, |text| match values::place(text)? {
            Place::TrutoHris(id) if own == Some(&id) => Err(Wrong::new(
                "is the connection in TRUTO_INTEGRATED_ACCOUNT_ID",
            )
            .hint("use a connection to an HR system")),
            place @ Place::TrutoHris(_) => Ok(place),
            place => values::one_file(place),
        });
        if authorization.is_some() && !matches!(place, None | Some(Place::Web(_))) {
            let problem =
                "HR_FEED_AUTHORIZATION is set, but HR_FEED_URL is not an https:// address";
            self.add(problem, None);
        }
        let words = [
            ("auto", None),
            ("csv", Some(Format::Csv)),
            ("json", Some(Format::Json)),
            ("jsonl", Some(Format::Jsonl)),
        ];
        let format = self.get(&raw.hr_feed_format, values::one_of(words));
        let place = place?;
        if matches!(place, Place::TrutoHris(_)) {
            self.only_for_files(raw);
        }
        let rules = rules?;
        let dates = DateRules {
            order: rules.date_order,
            time_zone: rules.time_zone.clone(),
            location_zones: rules.location_zones.clone(),
        };
        let location = match place {
            Place::TrutoHris(id) => {
                return Some(feed::Source::Hris(feed::HrisSettings {
                    truto: truto::Settings {
                        integrated_account_id: id,
                        ..truto?.clone()
                    },
                    dates,
                    words: rules.words.clone(),
                    may_lack_leavers: rules.allow_empty || rules.scope == FeedScope::Roster,
                }));
            }
            place => located(place, authorization, http.as_ref(), force_path_style)?,
        };
        Some(feed::Source::File(feed::Settings {
            location,
            format: format?,
            columns: rules.columns.clone(),
            records: rules.records.clone(),
            dates,
            words: rules.words.clone(),
            max_bytes: MAX_HR_FEED_BYTES,
        }))
    }

    /// Reports settings that describe a file if the feed is not a file. They would have no effect.
    pub(super) fn only_for_files(&mut self, raw: &Raw) {
        for value in [
            &raw.hr_feed_format,
            &raw.hr_feed_columns,
            &raw.hr_feed_records,
        ] {
            let name = value.name;
            // The default format may be set explicitly.
            if value.text.as_deref().is_some_and(|text| text != "auto") {
                let problem = format!("{name} is set, but HR_FEED_URL is not a file");
                let hint = format!("unset {name}: Truto names the fields");
                self.add(problem, Some(&hint));
            }
        }
    }

    pub(super) fn hr_rules(&mut self, raw: &Raw) -> Option<HrRules> {
        let columns = self.optional(&raw.hr_feed_columns, values::columns);
        let records = values::names("employees,contractors");
        let records = self.optional(&raw.hr_feed_records, records);
        let statuses = self.optional(&raw.hr_feed_statuses, values::statuses);
        let no_address = values::names("keine,noemail@corp.example");
        let no_address = self.optional(&raw.hr_feed_no_address, no_address);
        let orders = [("dmy", DateOrder::DayFirst), ("mdy", DateOrder::MonthFirst)];
        let date_order = self.optional(&raw.hr_feed_date_order, values::one_of(orders));
        let time_zone = self.get(&raw.hr_time_zone, values::zone);
        let location_zones = self.optional(&raw.hr_location_zones, values::location_zones);
        let scopes = [
            ("leavers", FeedScope::Leavers),
            ("recent-leavers", FeedScope::RecentLeavers),
            ("roster", FeedScope::Roster),
        ];
        let scope = self.get(&raw.hr_feed_scope, values::one_of(scopes));
        let allow_empty = self.get(&raw.hr_feed_allow_empty, values::boolean);
        Some(HrRules {
            columns: columns?.unwrap_or_default(),
            records: records?.unwrap_or_default(),
            words: feed::Words {
                statuses: statuses?.unwrap_or_default(),
                no_address: no_address?.unwrap_or_default(),
            },
            date_order: date_order?,
            time_zone: time_zone?,
            location_zones: location_zones?.unwrap_or_default(),
            scope: scope?,
            allow_empty: allow_empty?,
        })
    }

    pub(super) fn policy(
        &mut self,
        raw: &Raw,
        rules: Option<HrRules>,
        permissions: Option<Permissions>,
    ) -> Option<Policy> {
        let grace = self.get(&raw.offboarding_grace, values::duration);
        let max_age = self.get(&raw.hr_feed_max_age, values::duration_or_off);
        let max_drop = self.get(&raw.max_drop_percent, values::number(0, 100));
        let internal_domains = self.optional(&raw.internal_domains, values::domains);
        let email_domain_aliases = self.optional(&raw.email_domain_aliases, values::domain_pairs);
        if permissions == Some(Permissions::Narrow) && !raw.internal_domains.is_set() {
            let problem = "ASANA_PERMISSIONS is narrow, but INTERNAL_DOMAINS is not set: without roles, only the domain \
                           of an address shows who is a guest";
            let hint = "set INTERNAL_DOMAINS to the organization's mail domains, such as example.com,example.org";
            self.add(problem, Some(hint));
        }
        let HrRules {
            columns,
            records,
            words: feed::Words {
                statuses,
                no_address,
            },
            // The policy records the word of the setting.
            date_order: _,
            time_zone,
            location_zones,
            scope,
            allow_empty,
        } = rules?;
        let review_every = self.get(&raw.review_every, values::duration_or_off);
        let revocation_grace = self.get(&raw.revocation_grace, values::duration);
        let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        Some(Policy {
            asana_permissions: permissions?,
            offboarding_grace_seconds: seconds(grace?),
            hr_time_zone: time_zone,
            hr_location_zones: location_zones,
            hr_feed_scope: scope,
            hr_feed_max_age_seconds: max_age?.map(seconds),
            hr_feed_allow_empty: allow_empty,
            hr_feed_date_order: raw.hr_feed_date_order.text.clone(),
            hr_feed_columns: columns
                .into_iter()
                .map(|(column, header)| (column.setting().to_owned(), header))
                .collect(),
            hr_feed_records: records,
            hr_feed_statuses: statuses
                .into_iter()
                .map(|(word, means)| (word, status_key(&means).to_owned()))
                .collect(),
            hr_feed_no_address: no_address,
            internal_domains: {
                let mut domains = internal_domains?.unwrap_or_default();
                domains.sort();
                domains.dedup();
                domains
            },
            email_domain_aliases: email_domain_aliases?.unwrap_or_default(),
            max_drop_percent: max_drop?,
            review_every_seconds: review_every?.map(seconds),
            revocation_grace_seconds: Some(seconds(revocation_grace?)),
        })
    }

    pub(super) fn manual(
        &mut self,
        raw: &Raw,
        http: &Option<net::Settings>,
        force_path_style: Option<bool>,
    ) -> Option<manual::Settings> {
        let mut location = |value| {
            let Some(place) = self.optional(value, values::file)? else {
                return Some(None);
            };
            located(place, None, http.as_ref(), force_path_style).map(Some)
        };
        let aliases = location(&raw.aliases_url);
        let exceptions = location(&raw.exceptions_url);
        Some(manual::Settings {
            aliases: aliases?,
            exceptions: exceptions?,
        })
    }
}

/// The word for a meaning in `HR_FEED_STATUSES`.
fn status_key(meaning: &Employment) -> &'static str {
    let known = values::MEANINGS.into_iter().find(|(_, of)| of == meaning);
    known.map_or("unknown", |(word, _)| word)
}

/// The location of a file, with the settings to fetch it.
pub(super) fn located(
    place: Place,
    authorization: Option<SecretString>,
    http: Option<&net::Settings>,
    force_path_style: Option<bool>,
) -> Option<files::Location> {
    Some(match place {
        Place::Path(path) => files::Location::Path(path),
        Place::Web(url) => files::Location::Http {
            url,
            authorization,
            http: http?.clone(),
        },
        Place::S3 { bucket, key } => files::Location::S3 {
            bucket,
            key,
            force_path_style: force_path_style?,
        },
        Place::TrutoHris(_) => return None,
    })
}
