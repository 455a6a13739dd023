//! Text that a reader can see: hidden characters are replaced, and instants are written for people.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};

/// Replaces characters that reorder, hide or break text, for example by `[U+202E]`.
///
/// It works on the whole page after escaping, so no template can forget it. The templates use no such character.
pub(crate) fn without_hidden_characters(page: String) -> String {
    if !page.contains(is_hidden) {
        return page;
    }
    let mut shown = String::with_capacity(page.len() + 64);
    for c in page.chars() {
        if is_hidden(c) {
            write!(shown, "[U+{:04X}]", u32::from(c)).expect("writing to memory does not fail");
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Text from outside on one line of a terminal. It cannot move the cursor, set a colour or reverse the line.
pub fn on_one_line(text: &str) -> String {
    let hides = |c: char| is_hidden(c) || matches!(c, '\n' | '\t');
    text.chars()
        .map(|c| if hides(c) { '\u{FFFD}' } else { c })
        .collect()
}

/// Direction marks and overrides, characters without width, and control characters. The joiners U+200C and U+200D are
/// allowed, because Persian and Indic names and emoji need them.
fn is_hidden(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{AD}'
        | '\u{61C}'
        | '\u{180E}'
        | '\u{200B}'
        | '\u{200E}'
        | '\u{200F}'
        | '\u{2028}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}'
        | '\u{FEFF}'
        | '\u{FFF9}'..='\u{FFFB}'
        | '\u{E0000}'..='\u{E007F}' => true,
        _ => c.is_control(),
    }
}

/// The formats of an instant on the page.
pub(crate) trait Minute {
    /// `2026-11-23 22:40 UTC`.
    fn minute(&self) -> String;

    /// `2026-11-23`, in UTC.
    fn day(&self) -> String;

    /// To the minute in another zone, `2026-11-23 23:40 Europe/Berlin (+01:00)`; none for an unknown zone.
    fn minute_in(&self, zone: &str) -> Option<String>;
}

impl Minute for Timestamp {
    fn minute(&self) -> String {
        self.strftime("%Y-%m-%d %H:%M UTC").to_string()
    }

    fn day(&self) -> String {
        self.strftime("%Y-%m-%d").to_string()
    }

    fn minute_in(&self, zone: &str) -> Option<String> {
        let local = self.in_tz(zone).ok()?;
        Some(format!(
            "{} {zone} ({})",
            local.strftime("%Y-%m-%d %H:%M"),
            local.strftime("%:z")
        ))
    }
}

/// A duration in the two largest of days, hours, minutes and seconds: `26 h` is `1 day 2 h`.
pub(crate) fn duration(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().unsigned_abs();
    let (days, hours) = (seconds / 86_400, seconds / 3600 % 24);
    let (minutes, rest) = (seconds / 60 % 60, seconds % 60);
    let days_word = if days == 1 { "day" } else { "days" };
    let parts = [
        (days, days_word),
        (hours, "h"),
        (minutes, "min"),
        (rest, "s"),
    ];
    let Some(first) = parts.iter().position(|(count, _)| *count > 0) else {
        return "0 s".to_owned();
    };
    let reported: Vec<String> = parts[first..]
        .iter()
        .take(2)
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    reported.join(" ")
}

/// Bytes in a unit for people.
pub(super) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 3] = ["KiB", "MiB", "GiB"];
    if bytes < 1024 {
        return format!("{bytes} bytes");
    }
    let mut tenths = bytes * 10 / 1024;
    let mut unit = 0;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_of_any_language_does_not_change() {
        for text in ["Ana", "عمر", "می\u{200c}خواهم", "👩\u{200d}💻", "a\n\tb"] {
            assert_eq!(without_hidden_characters(text.to_owned()), text);
        }
    }

    #[test]
    fn characters_that_reorder_or_hide_are_named() {
        for c in ('\u{202A}'..='\u{202E}').chain('\u{2066}'..='\u{2069}') {
            let shown = without_hidden_characters(format!("a{c}b"));
            assert_eq!(shown, format!("a[U+{:04X}]b", u32::from(c)));
        }
        assert_eq!(
            without_hidden_characters("a\u{200b}\0\rb".to_owned()),
            "a[U+200B][U+0000][U+000D]b"
        );
    }

    #[test]
    fn instants_are_written_to_the_minute_and_with_their_zone() {
        let at: Timestamp = "2026-11-23T22:40:31Z".parse().expect("an instant");
        assert_eq!(at.minute(), "2026-11-23 22:40 UTC");
        assert_eq!(
            at.minute_in("Europe/Berlin").as_deref(),
            Some("2026-11-23 23:40 Europe/Berlin (+01:00)")
        );
        assert_eq!(at.minute_in("Mars/Olympus"), None);
    }

    #[test]
    fn durations_and_sizes_are_short() {
        let reported = |seconds| duration(SignedDuration::from_secs(seconds));
        assert_eq!(reported(0), "0 s");
        assert_eq!(reported(86_400), "1 day");
        assert_eq!(reported(26 * 3600 + 61), "1 day 2 h");
        assert_eq!(reported(90), "1 min 30 s");
        assert_eq!(reported(2 * 86_400 + 60), "2 days");
        assert_eq!(bytes(512), "512 bytes");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(3 << 20), "3.0 MiB");
    }
}
