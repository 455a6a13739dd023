//! The interval in which access ended, against the deadline: as a sentence and as a bar.

use jiff::Timestamp;

use super::words::Tone;
use crate::pack::ItemBar;
use crate::report::visible::duration;

/// The drawing shows this many seconds before and after the deadline: three days.
const SHOWN: i64 = 72 * 3600;

/// Half of the drawing, in its own units (224 × 22). The deadline is in the middle.
const HALF: i64 = 112;

/// The space for an arrow at each side.
const MARGIN: i64 = 8;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Interval {
    /// The sentence. It is the text alternative of the bar.
    pub(super) text: String,
    /// None without a run that saw access, or without a deadline.
    pub(super) bar: Option<Bar>,
    pub(super) tone: Tone,
}

/// Positions in the drawing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bar {
    pub(super) start: i64,
    /// 0 if the whole interval is outside of the drawing.
    pub(super) width: i64,
    /// The interval begins before, or ends after, what the drawing shows.
    pub(super) goes_on: (bool, bool),
    /// None if it is outside of the drawing.
    pub(super) end_of_work: Option<i64>,
}

impl Interval {
    pub(super) fn of(item: &ItemBar) -> Self {
        Self {
            text: text(item),
            bar: bar(item),
            tone: Tone::of_result(item.result),
        }
    }
}

fn text(item: &ItemBar) -> String {
    let Some(deadline) = item.deadline else {
        return "No deadline.".to_owned();
    };
    let (last, first) = (item.last_seen_with_access, item.first_seen_without_access);
    let distance = |at: Timestamp| duration(at.duration_since(deadline));
    let side = |at: Timestamp| match at > deadline {
        true => "after",
        false => "before",
    };
    match (last, first) {
        (Some(last), Some(first)) if side(last) == side(first) => format!(
            "Access ended between {} and {} {} the deadline.",
            distance(last),
            distance(first),
            side(last)
        ),
        (Some(last), Some(first)) => format!(
            "Access ended between {} before and {} after the deadline.",
            distance(last),
            distance(first)
        ),
        (Some(last), None) => format!(
            "Access was last seen {} {} the deadline. No complete run shows its end.",
            distance(last),
            side(last)
        ),
        (None, Some(first)) => format!(
            "No run saw access. The first complete run is {} {} the deadline.",
            distance(first),
            side(first)
        ),
        (None, None) => "No run saw access.".to_owned(),
    }
}

fn bar(item: &ItemBar) -> Option<Bar> {
    let (deadline, last) = (item.deadline?, item.last_seen_with_access?);
    let seconds = |at: Timestamp| at.duration_since(deadline).as_secs();
    let start = seconds(last);
    let end = item.first_seen_without_access.map_or(i64::MAX, seconds);
    let end_of_work = item.end_of_work.map(seconds);
    Some(Bar {
        start: place(start),
        // The bar is visible even if both runs are close together.
        width: match start > SHOWN || end < -SHOWN {
            true => 0,
            false => (place(end) - place(start)).max(3),
        },
        goes_on: (start < -SHOWN, end > SHOWN),
        end_of_work: end_of_work
            .filter(|at| (-SHOWN..=SHOWN).contains(at))
            .map(place),
    })
}

/// The position of an instant, given in seconds after the deadline. An instant outside of the drawing is at its edge.
fn place(seconds: i64) -> i64 {
    HALF + seconds.clamp(-SHOWN, SHOWN) * (HALF - MARGIN) / SHOWN
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::{ItemResult, Part};

    const DEADLINE: &str = "2026-11-10T00:00:00Z";

    fn item(last: Option<&str>, first: Option<&str>) -> ItemBar {
        let at = |text: &str| text.parse().expect("an instant");
        ItemBar {
            item_id: "0123456789ab".to_owned(),
            name: None,
            part: Part::InPeriod,
            result: ItemResult::InTime,
            end_of_work: Some(at("2026-11-09T00:00:00Z")),
            deadline: Some(at(DEADLINE)),
            last_seen_with_access: last.map(at),
            first_seen_without_access: first.map(at),
            flags: Vec::new(),
        }
    }

    fn sentence(last: Option<&str>, first: Option<&str>) -> String {
        text(&item(last, first))
    }

    #[test]
    fn a_sentence_gives_the_interval_against_the_deadline() {
        let before = Some("2026-11-09T00:30:00Z");
        let at = Some(DEADLINE);
        let after = Some("2026-11-10T22:40:00Z");
        let later = Some("2026-11-12T22:40:00Z");
        assert_eq!(
            sentence(before, at),
            "Access ended between 23 h 30 min and 0 s before the deadline."
        );
        assert_eq!(
            sentence(before, after),
            "Access ended between 23 h 30 min before and 22 h 40 min after the deadline."
        );
        assert_eq!(
            sentence(after, later),
            "Access ended between 22 h 40 min and 2 days 22 h after the deadline."
        );
        assert_eq!(
            sentence(after, None),
            "Access was last seen 22 h 40 min after the deadline. No complete run shows its end."
        );
        assert_eq!(sentence(None, None), "No run saw access.");
    }

    #[test]
    fn a_bar_spans_the_middle_only_if_its_interval_spans_the_deadline() {
        let bar = |last, first| bar(&item(Some(last), first)).expect("a bar");
        let before = bar("2026-11-08T12:00:00Z", Some("2026-11-09T12:00:00Z"));
        assert!(before.start + before.width < HALF, "{before:?}");
        let after = bar("2026-11-10T12:00:00Z", Some("2026-11-11T12:00:00Z"));
        assert!(after.start > HALF, "{after:?}");
        let spans = bar("2026-11-09T12:00:00Z", Some("2026-11-10T12:00:00Z"));
        assert!(spans.start < HALF && spans.start + spans.width > HALF);
        assert_eq!(spans.goes_on, (false, false));
    }

    #[test]
    fn a_bar_that_leaves_the_drawing_has_an_arrow() {
        let of = |last, first| bar(&item(Some(last), first)).expect("a bar");
        let open = of("2026-11-10T12:00:00Z", None);
        assert_eq!(open.goes_on, (false, true));
        let far = of("2026-01-01T00:00:00Z", Some("2027-01-01T00:00:00Z"));
        assert_eq!(far.goes_on, (true, true));
        assert_eq!(
            (far.start, far.start + far.width),
            (MARGIN, 2 * HALF - MARGIN)
        );
        let later = of("2026-11-20T00:00:00Z", Some("2026-11-21T00:00:00Z"));
        assert_eq!((later.width, later.goes_on), (0, (false, true)));
        assert_eq!(bar(&item(None, Some(DEADLINE))), None);
    }
}
