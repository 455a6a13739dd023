//! Time zones by the names that HR systems write: IANA names and Windows names.

use jiff::tz::TimeZone;

/// The zone of a name such as `Europe/Paris`, `Pacific Standard Time` or `(UTC-08:00) Pacific Time (US & Canada)`.
pub(super) fn zone(name: &str) -> Option<TimeZone> {
    let known = |name: &str| {
        TimeZone::get(name)
            .ok()
            .filter(|zone| zone.iana_name().is_some())
    };
    known(name).or_else(|| known(windows(name)?))
}

/// The IANA name for a Windows name: territory 001 of CLDR's windowsZones.
fn windows(name: &str) -> Option<&'static str> {
    let without_offset = match name.strip_prefix('(') {
        Some(rest) => rest.split_once(')')?.1,
        None => name,
    };
    // Windows shows `Pacific Standard Time` as `Pacific Time (US & Canada)`.
    let bare = without_offset.split('(').next().unwrap_or_default().trim();
    let standard = match bare.strip_suffix(" Time") {
        Some(place) if !bare.ends_with("Standard Time") => format!("{place} Standard Time"),
        _ => bare.to_owned(),
    };
    // Whole names first, because some contain brackets: `Central Standard Time (Mexico)`.
    let find = |name: &str| {
        let mut pairs = pairs();
        let is_it = |(known, _): &(&str, &str)| known.eq_ignore_ascii_case(name.trim());
        pairs.find(is_it).map(|(_, zone)| zone)
    };
    find(without_offset).or_else(|| find(&standard))
}

/// Windows names with their IANA names, in the order of CLDR.
const WINDOWS: &str = include_str!("windows-zones.txt");

fn pairs() -> impl Iterator<Item = (&'static str, &'static str)> {
    WINDOWS.lines().filter_map(|line| line.split_once('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Option<String> {
        Some(zone(text)?.iana_name()?.to_owned())
    }

    #[test]
    fn iana_and_windows_names_are_known() {
        for (text, expected) in [
            ("Europe/Paris", "Europe/Paris"),
            ("Pacific Standard Time", "America/Los_Angeles"),
            ("pacific standard time", "America/Los_Angeles"),
            (
                "(UTC-08:00) Pacific Time (US & Canada)",
                "America/Los_Angeles",
            ),
            ("(UTC-05:00) Eastern Time (US & Canada)", "America/New_York"),
            ("Central Standard Time (Mexico)", "America/Mexico_City"),
            ("Romance Standard Time", "Europe/Paris"),
            ("Tokyo Standard Time", "Asia/Tokyo"),
        ] {
            assert_eq!(name(text).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "Pacific",
            "Mars/Olympus",
            "UTC+11",
            "(UTC+01:00) Amsterdam, Berlin",
            "(",
            "",
        ] {
            assert_eq!(name(text), None, "{text}");
        }
    }

    #[test]
    fn every_windows_name_has_a_zone_and_occurs_once() {
        for (windows, iana) in pairs() {
            assert!(zone(iana).is_some(), "{windows}");
            let same = pairs().filter(|(other, _)| other.eq_ignore_ascii_case(windows));
            assert_eq!(same.count(), 1, "{windows}");
        }
    }
}
