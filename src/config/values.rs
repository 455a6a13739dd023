//! Single values: each text becomes a typed value, or an error with a hint.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;

use crate::evidence::OwnControl;
use crate::model::{Employment, Meaning};
use crate::net;
use crate::schedule::Pattern;
use crate::truto::{self, RateLimit};

/// An error in a value, and the hint for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// Follows the name and value of the variable: `has no unit`.
    pub(super) text: String,
    pub(super) hint: Option<String>,
}

impl Wrong {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            hint: None,
        }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// `30s`, `10m`, `24h`, `7d`.
pub(super) fn duration(text: &str) -> Result<Duration, Wrong> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = &text[digits.len()..];
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Wrong::new("is not a duration").hint("write `30s`, `10m`, `24h` or `7d`"));
    }
    let seconds_each = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86400,
        "" => return Err(Wrong::new("has no unit").hint("write `30s`, `10m`, `24h` or `7d`")),
        _ => {
            return Err(Wrong::new(format!("has the unknown unit `{unit}`"))
                .hint("write `30s`, `10m`, `24h` or `7d`"));
        }
    };
    // A century. A longer duration is a mistake, and sums of shorter ones cannot overflow.
    const LONGEST: u64 = 100 * 366 * 86400;
    digits
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(seconds_each))
        .filter(|seconds| *seconds <= LONGEST)
        .map(Duration::from_secs)
        .ok_or_else(|| Wrong::new("is longer than a century"))
}

/// A duration longer than zero.
pub(super) fn some_time(text: &str) -> Result<Duration, Wrong> {
    match duration(text)? {
        Duration::ZERO => Err(Wrong::new("must be longer than zero")),
        duration => Ok(duration),
    }
}

/// A duration, or `off`.
pub(super) fn duration_or_off(text: &str) -> Result<Option<Duration>, Wrong> {
    if text == "off" {
        return Ok(None);
    }
    duration(text).map(Some)
}

/// A whole number from `least` to `most`.
pub(super) fn number(least: u32, most: u32) -> impl Fn(&str) -> Result<u32, Wrong> {
    move |text| {
        text.parse()
            .ok()
            .filter(|number| (least..=most).contains(number))
            .ok_or_else(|| Wrong::new(format!("is not a whole number from {least} to {most}")))
    }
}

/// `true` or `false`.
pub(super) fn boolean(text: &str) -> Result<bool, Wrong> {
    one_of([("true", true), ("false", false)])(text)
}

/// One of these words.
pub(super) fn one_of<T: Copy, const N: usize>(
    words: [(&'static str, T); N],
) -> impl Fn(&str) -> Result<T, Wrong> {
    move |text| {
        let known = words.iter().find(|(word, _)| *word == text);
        known.map(|(_, value)| *value).ok_or_else(|| {
            let words = words.map(|(word, _)| format!("`{word}`"));
            Wrong::new(format!("is not one of {}", words.join(", ")))
        })
    }
}

/// `49/10s`, or `off`.
pub(super) fn rate_limit(text: &str) -> Result<Option<RateLimit>, Wrong> {
    if text == "off" {
        return Ok(None);
    }
    let wrong = || Wrong::new("is not a rate").hint("write `49/10s` or `off`");
    let (requests, window) = text.split_once('/').ok_or_else(wrong)?;
    let requests = number(1, 1_000_000)(requests).map_err(|_| wrong())?;
    let window = some_time(window).map_err(|_| wrong())?;
    Ok(Some(RateLimit { requests, window }))
}

/// An address of Truto: `https`, or `http` on this machine; no credentials, query or fragment.
pub(super) fn base_url(text: &str) -> Result<Url, Wrong> {
    let url = web_address(text)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Wrong::new("has a query or a fragment").hint("write only scheme and host"));
    }
    Ok(url)
}

/// An address to which a request exposes nothing on the network: `https`, or `http` on loopback.
pub(super) fn web_address(text: &str) -> Result<Url, Wrong> {
    let url = any_web_address(text)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Wrong::new("contains credentials").hint("put them in a secret variable"));
    }
    if url.scheme() == "http" && !net::is_loopback(&url) {
        return Err(
            Wrong::new("is plain http, which is allowed only for loopback").hint("use https"),
        );
    }
    Ok(url)
}

/// An `https` or `http` address.
pub(super) fn any_web_address(text: &str) -> Result<Url, Wrong> {
    let url =
        Url::parse(text).map_err(|error| Wrong::new(format!("is not an address: {error}")))?;
    match url.scheme() {
        "https" | "http" => Ok(url),
        scheme => Err(Wrong::new(format!("has the scheme `{scheme}`")).hint("use https")),
    }
}

/// The same for a secret address. The error quotes nothing of it.
pub(super) fn secret_address(text: &str) -> Result<Url, Wrong> {
    let scheme = text.split_once("://").map(|(scheme, _)| scheme);
    if !matches!(scheme, Some("https" | "http")) {
        return Err(Wrong::new("does not begin with `https://`").hint("write the whole address"));
    }
    web_address(text)
}

/// A place outside the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Path(PathBuf),
    Web(Url),
    S3 {
        bucket: String,
        key: String,
    },
    /// The HR system behind this Truto connection.
    TrutoHris(String),
}

/// A path, `file://`, `https://`, `s3://bucket/key` or `truto-hris://INTEGRATED_ACCOUNT_ID`.
pub(super) fn place(text: &str) -> Result<Place, Wrong> {
    let Some((scheme, rest)) = text.split_once("://") else {
        // Read as a path, such an address would put the evidence into a folder with an odd name.
        let known = ["file:", "http:", "https:", "s3:", "truto-hris:"];
        if let Some(scheme) = known.iter().find(|scheme| text.starts_with(**scheme)) {
            return Err(Wrong::new(format!("has no `//` after `{scheme}`"))
                .hint(format!("write `{scheme}//…`")));
        }
        if text == "~" || text.starts_with("~/") {
            return Err(Wrong::new("begins with `~`, which only a shell replaces")
                .hint("write the whole path"));
        }
        return Ok(Place::Path(PathBuf::from(text)));
    };
    match scheme {
        "file" => {
            let url = Url::parse(text)
                .ok()
                .and_then(|url| url.to_file_path().ok());
            url.map(Place::Path)
                .ok_or_else(|| Wrong::new("is not a file address").hint("write `file:///path`"))
        }
        "http" | "https" => web_address(text).map(Place::Web),
        "s3" => {
            let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
            if bucket.is_empty() || bucket.contains(['?', '#', '@', ':']) {
                return Err(Wrong::new("does not name a bucket").hint("write `s3://bucket/key`"));
            }
            Ok(Place::S3 {
                bucket: bucket.to_owned(),
                key: key.to_owned(),
            })
        }
        "truto-hris" => connection_id(rest).map(Place::TrutoHris).map_err(|_| {
            Wrong::new("does not name a Truto connection")
                .hint("write `truto-hris://INTEGRATED_ACCOUNT_ID`")
        }),
        _ => Err(Wrong::new(format!("has the unknown scheme `{scheme}`"))),
    }
}

/// The place of one file.
pub(super) fn file(text: &str) -> Result<Place, Wrong> {
    place(text).and_then(one_file)
}

/// The place, if it is one file.
pub(super) fn one_file(place: Place) -> Result<Place, Wrong> {
    match place {
        Place::S3 { key, .. } if key.is_empty() => {
            Err(Wrong::new("does not name an object").hint("write `s3://bucket/key`"))
        }
        Place::TrutoHris(_) => Err(Wrong::new("is not a file")),
        place => Ok(place),
    }
}

/// The id of a Truto connection.
pub(super) fn connection_id(text: &str) -> Result<String, Wrong> {
    if truto::is_connection_id(text) {
        Ok(text.to_owned())
    } else {
        Err(Wrong::new("is not an id").hint("copy the connection's id from Truto"))
    }
}

/// The id of an AWS account.
pub(super) fn aws_account(text: &str) -> Result<String, Wrong> {
    if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(text.to_owned())
    } else {
        Err(Wrong::new("is not an AWS account id").hint("write its 12 digits"))
    }
}

/// Whether a text can name a KMS key: by its id, its alias or its ARN.
pub(super) fn is_kms_key(text: &str) -> bool {
    let plain = |text: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/');
        !text.is_empty() && text.chars().all(plain)
    };
    if text.len() > 2048 {
        return false;
    }
    match text.split(':').collect::<Vec<_>>()[..] {
        ["arn", partition, "kms", region, account, key] => {
            let is_key = key.starts_with("key/") || key.starts_with("alias/");
            is_key && [partition, region, account, key].into_iter().all(plain)
        }
        [alias] if alias.starts_with("alias/") => alias.len() > "alias/".len() && plain(alias),
        [id] => plain(id) && !id.contains('/'),
        _ => false,
    }
}

/// Words separated by commas, without the blanks around them.
pub(super) fn list(text: &str) -> Vec<String> {
    let words = text.split(',').map(str::trim);
    words
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The company's own controls: `ID` or `ID: text`, separated by semicolons. A text may contain commas.
pub(super) fn own_controls(text: &str) -> Result<Vec<OwnControl>, Wrong> {
    let controls = text.split(';').map(str::trim);
    let mut ids = BTreeSet::new();
    controls
        .filter(|control| !control.is_empty())
        .map(|control| {
            let (id, text) = match control.split_once(':') {
                Some((id, text)) => (id.trim(), Some(text.trim().to_owned())),
                None => (control, None),
            };
            let is_plain = |text: &str| !text.chars().any(char::is_control);
            // An address has a colon, too.
            let is_address = text.as_ref().is_some_and(|text| text.starts_with("//"));
            let is_id = !id.is_empty() && !id.contains(',') && id.len() <= 60 && !is_address;
            if !is_id || !is_plain(control) || !ids.insert(id.to_owned()) {
                let wrong = Wrong::new(format!(
                    "contains `{}`: a control id has 1 to 60 bytes, has no comma and occurs once",
                    control.escape_debug()
                ));
                return Err(wrong.hint(
                    "write `ID: text`, several separated by semicolons: `IAM-07: Leavers lose access within a day; IAM-09`",
                ));
            }
            Ok(OwnControl {
                id: id.to_owned(),
                text: text.filter(|text| !text.is_empty()),
            })
        })
        .collect()
}

/// `key=value` pairs separated by commas.
fn pairs(text: &str) -> Result<Vec<(String, String)>, Wrong> {
    list(text)
        .into_iter()
        .map(|pair| match pair.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() && !value.trim().is_empty() => {
                Ok((key.trim().to_owned(), value.trim().to_owned()))
            }
            _ => Err(Wrong::new(format!(
                "contains `{pair}`, which is not `key=value`"
            ))),
        })
        .collect()
}

/// Columns by meaning: `person_id=Company Code+File Number,end=Left,ignore=Badge issued`.
pub(super) fn columns(text: &str) -> Result<BTreeMap<Meaning, String>, Wrong> {
    let fields = || {
        let is_field =
            |of: &&Meaning| !matches!(of, Meaning::Ignored | Meaning::Harmless | Meaning::Unread);
        Meaning::ALL.iter().filter(is_field)
    };
    let mut columns = BTreeMap::new();
    for (key, header) in pairs(text)? {
        let field = match key.as_str() {
            "ignore" => Some(Meaning::Ignored),
            key => fields().find(|of| of.as_str() == key).copied(),
        };
        let Some(field) = field else {
            let keys: Vec<&str> = fields().map(|of| of.as_str()).collect();
            return Err(Wrong::new(format!("contains the unknown key `{key}`"))
                .hint(format!("the keys are {}, ignore", keys.join(", "))));
        };
        if columns.insert(field, header).is_some() {
            return Err(
                Wrong::new(format!("contains the key `{key}` twice")).hint(format!(
                    "join several columns with `+`: `{key}=Col A+Col B`"
                )),
            );
        }
    }
    Ok(columns)
}

/// The words of `HR_FEED_STATUSES` for the meanings of status words.
pub(super) const MEANINGS: [(&str, Employment); 3] = [
    ("employed", Employment::Active),
    ("on_leave", Employment::OnLeave),
    ("left", Employment::Ended),
];

/// Status words with their meanings: `Sabbatical=on_leave,Alumni=left`.
pub(super) fn statuses(text: &str) -> Result<BTreeMap<String, Employment>, Wrong> {
    let hint = "write `Sabbatical=on_leave,Alumni=left`; the meanings are employed, on_leave, left";
    let mut statuses = BTreeMap::new();
    for (word, meaning) in pairs(text).map_err(|wrong| wrong.hint(hint))? {
        let Some((_, means)) = MEANINGS.into_iter().find(|(name, _)| *name == meaning) else {
            let wrong = format!("contains the unknown meaning `{meaning}`");
            return Err(Wrong::new(wrong).hint(hint));
        };
        if statuses.insert(word.clone(), means).is_some() {
            return Err(Wrong::new(format!("contains the word `{word}` twice")).hint(hint));
        }
    }
    Ok(statuses)
}

/// One or more names separated by commas, none of them blank.
pub(super) fn names(example: &str) -> impl Fn(&str) -> Result<Vec<String>, Wrong> {
    move |text| {
        let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
        match names.iter().any(String::is_empty) {
            true => Err(Wrong::new("has an empty part").hint(format!("write `{example}`"))),
            false => Ok(names),
        }
    }
}

/// Mail domains separated by commas.
pub(super) fn domains(text: &str) -> Result<Vec<String>, Wrong> {
    let names = names("corp.com,corp.io")(text)?;
    let domain = |name: &String| {
        domain(name).map_err(|wrong| match is_public(name) {
            true => wrong.hint(
                "name only domains that the organization owns; ASANA_PERMISSIONS=narrow needs one, so without one \
                 connect with full permissions",
            ),
            false => wrong.hint("write `corp.com,corp.io`"),
        })
    };
    names.iter().map(domain).collect()
}

/// Pairs of equivalent domains, such as `corp.com=corp.io`, sorted.
pub(super) fn domain_pairs(text: &str) -> Result<Vec<String>, Wrong> {
    const FORM: &str = "write `corp.com=corp.io,corp.com=corp.org`";
    let mut pairs = BTreeSet::new();
    for pair in names("corp.com=corp.io,corp.com=corp.org")(text)? {
        let Some((one, other)) = pair
            .split_once('=')
            .filter(|(_, other)| !other.contains('='))
        else {
            return Err(
                Wrong::new(format!("contains `{pair}`, which is not two domains")).hint(FORM),
            );
        };
        let domain = |text: &str| domain(text.trim()).map_err(|wrong| wrong.hint(FORM));
        let (one, other) = (domain(one)?, domain(other)?);
        if one == other {
            return Err(Wrong::new(format!("makes `{one}` an alias of itself")).hint(FORM));
        }
        pairs.insert(format!("{one}={other}"));
    }
    Ok(pairs.into_iter().collect())
}

/// The five fields of a cron schedule.
pub(super) fn cron(text: &str) -> Result<String, Wrong> {
    Pattern::parse(text)
        .map(|_| text.to_owned())
        .map_err(Wrong::new)
}

/// A time zone by its IANA name.
pub(super) fn zone(text: &str) -> Result<String, Wrong> {
    jiff::tz::TimeZone::get(text)
        .map(|_| text.to_owned())
        .map_err(|_| Wrong::new("is not a time zone").hint("write `Europe/Berlin`"))
}

/// Zones by work place: `Berlin=Europe/Berlin;San Francisco, CA=America/Los_Angeles`.
///
/// Semicolons separate the pairs, because names of places contain commas. A text without a semicolon may use commas.
pub(super) fn location_zones(text: &str) -> Result<BTreeMap<String, String>, Wrong> {
    let separator = if text.contains(';') { ';' } else { ',' };
    let hint = "write `Berlin=Europe/Berlin;New York, NY=America/New_York`";
    let mut zones = BTreeMap::new();
    for pair in text
        .split(separator)
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
    {
        let (place, name) = match pair.rsplit_once('=') {
            Some((place, name)) if !place.trim().is_empty() => (place.trim(), name.trim()),
            _ => {
                let wrong = format!("contains `{pair}`, which is not `place=zone`");
                return Err(Wrong::new(wrong).hint(hint));
            }
        };
        let name = zone(name).map_err(|_| {
            Wrong::new(format!("contains `{name}`, which is not a time zone")).hint(hint)
        })?;
        let key = crate::feed::place_key(place);
        if zones.insert(key, name).is_some() {
            return Err(Wrong::new(format!("contains the place `{place}` twice")));
        }
    }
    Ok(zones)
}

/// A mail domain, in ASCII and lower case.
pub(super) fn domain(text: &str) -> Result<String, Wrong> {
    let wrong = || {
        Wrong::new(format!("contains `{text}`, which is not a mail domain"))
            .hint("write `example.com`")
    };
    let ascii = idna::domain_to_ascii(text).map_err(|_| wrong())?;
    let is_label = |label: &str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let is_inside = !label.starts_with('-') && !label.ends_with('-');
        !label.is_empty() && is_inside && label.bytes().all(is_plain)
    };
    if !ascii.contains('.') || !ascii.split('.').all(is_label) {
        return Err(wrong());
    }
    if is_public(&ascii) {
        return Err(Wrong::new(format!(
            "contains `{ascii}`, a public mail provider"
        )));
    }
    Ok(ascii)
}

/// Whether a name is the domain of a public mail provider, in any case.
fn is_public(name: &str) -> bool {
    let ascii = idna::domain_to_ascii(name);
    ascii.is_ok_and(|ascii| crate::judgement::is_public_mail_provider(&ascii))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_needs_a_unit() {
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("24h"), Ok(Duration::from_secs(86400)));
        assert_eq!(duration("7d"), Ok(Duration::from_secs(7 * 86400)));
        assert_eq!(duration("0s"), Ok(Duration::ZERO));
        assert_eq!(
            duration("30"),
            Err(Wrong::new("has no unit").hint("write `30s`, `10m`, `24h` or `7d`"))
        );
        for text in [
            "",
            "s",
            "-1s",
            "1.5h",
            "30 s",
            "1w",
            "99999999999999999999h",
            "1000000d",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert!(some_time("0s").is_err());
    }

    #[test]
    fn plain_http_is_allowed_only_on_loopback() {
        for text in [
            "http://127.0.0.1:1",
            "http://localhost",
            "http://[::1]:1",
            "https://x.test",
        ] {
            assert!(base_url(text).is_ok(), "{text}");
        }
        for text in [
            "http://10.0.0.1",
            "http://localhost.evil.test",
            "http://127.0.0.1.evil.test",
            "https://user@x.test",
            "https://x.test?token=1",
            "ftp://x.test",
            "x.test",
        ] {
            assert!(base_url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_rate_is_a_number_of_requests_in_a_window() {
        let limit = rate_limit("49/10s").expect("a rate").expect("not off");
        assert_eq!(
            (limit.requests, limit.window),
            (49, Duration::from_secs(10))
        );
        assert_eq!(rate_limit("off"), Ok(None));
        for text in ["49", "0/10s", "49/10", "49/0s", "x/10s"] {
            assert!(rate_limit(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_public_mail_provider_is_not_an_internal_domain() {
        assert_eq!(
            domain("B\u{fc}cher.example"),
            Ok("xn--bcher-kva.example".to_owned())
        );
        for text in ["gmail.com", "GMAIL.com", "a@b", ""] {
            assert!(domain(text).is_err(), "{text}");
        }
    }

    #[test]
    fn malformed_domains_are_refused_with_an_example() {
        for text in [
            "a=b.com=c.com",
            "a.com=b.com;x.com=y.com",
            "a.com=*.b.com",
            "a.com = b com",
            "acme=acme.io",
            "a.com=",
            "a.com=b.com,,c.com=d.com",
            "a.com",
            "a.com=a.com",
        ] {
            let wrong = domain_pairs(text).expect_err(text);
            let hint = wrong.hint.expect("a hint");
            assert!(hint.contains("corp.com=corp.io"), "{text}: {hint}");
        }
        for text in [
            "acme",
            "a.com;b.com",
            "*.a.com",
            "a.com b.com",
            "a.com,,b.com",
            "@a.com",
            "a..com",
        ] {
            let hint = domains(text).expect_err(text).hint.expect("a hint");
            assert!(hint.contains("corp.com,corp.io"), "{text}: {hint}");
        }
        assert_eq!(
            domain_pairs("Corp.com = corp.io, corp.com=corp.org"),
            Ok(vec![
                "corp.com=corp.io".to_owned(),
                "corp.com=corp.org".to_owned()
            ])
        );
    }

    #[test]
    fn columns_may_be_joined_or_ignored_and_each_key_occurs_once() {
        let read =
            columns("person_id=Company Code+File Number, ignore=Col A+Col B").expect("columns");
        assert_eq!(read[&Meaning::PersonId], "Company Code+File Number");
        assert_eq!(read[&Meaning::Ignored], "Col A+Col B");
        for text in ["ignored=x", "unread=x", "id=x", "email=a,email=b", "email"] {
            assert!(columns(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_status_word_means_employed_on_leave_or_left() {
        let read = statuses("Sabbatical=on_leave, Alumni=left").expect("words");
        assert_eq!(read["Sabbatical"], Employment::OnLeave);
        assert_eq!(read["Alumni"], Employment::Ended);
        for text in ["Alumni=gone", "Alumni", "A=left,A=employed", "=left"] {
            assert!(statuses(text).is_err(), "{text}");
        }
    }

    #[test]
    fn places_are_distinguished_by_their_scheme() {
        assert_eq!(place("hr.csv"), Ok(Place::Path("hr.csv".into())));
        assert_eq!(
            place("file:///srv/hr.csv"),
            Ok(Place::Path("/srv/hr.csv".into()))
        );
        let s3 = Place::S3 {
            bucket: "b".into(),
            key: "a/hr.csv".into(),
        };
        assert_eq!(place("s3://b/a/hr.csv"), Ok(s3));
        assert_eq!(
            place("truto-hris://5f0c-3a52"),
            Ok(Place::TrutoHris("5f0c-3a52".into()))
        );
        assert!(matches!(
            place("https://hr.test/x.csv?y=1"),
            Ok(Place::Web(_))
        ));
        for text in [
            "s3:///x",
            "ftp://x/y",
            "gs://x/y",
            "truto-hris://",
            "truto-hris://a/b",
            "truto-hris://a?b=c",
            "truto-hris:abc",
            "http://hr.test/x",
            "s3:/b/x",
            "s3:b",
            "file:/srv/hr.csv",
            "~/evidence",
        ] {
            assert!(place(text).is_err(), "{text}");
        }
    }
}
