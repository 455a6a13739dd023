//! Text from outside in our sentences: answers of servers, cells and keys of files.
//!
//! It may name people or contain secrets. Such text enters a sentence only through [`quoted`]. [`for_a_log`] removes it
//! from every sentence that is neither for a person at a terminal nor for the evidence.

/// The most characters of a quoted text. A longer text is truncated.
const LONGEST: usize = 200;

/// The text in typographic quotes, which our own words never use.
pub fn quoted(text: &str) -> String {
    let text = text.trim();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => quoted_in_full(&format!("{}…", &text[..end])),
        None => quoted_in_full(text),
    }
}

/// The same without a limit, for a line that people copy, such as a setting.
pub fn quoted_in_full(text: &str) -> String {
    format!("“{}”", text.trim().replace(['“', '”'], "\""))
}

/// A sentence without quoted text and e-mail addresses.
pub fn for_a_log(sentence: &str) -> String {
    let mut kept = String::with_capacity(sentence.len());
    let mut rest = sentence;
    while let Some((before, quoted)) = rest.split_once('“') {
        kept.push_str(before);
        kept.push_str("“…”");
        // A quote without an end was truncated. None of it is kept.
        rest = quoted.split_once('”').map_or("", |(_, rest)| rest);
    }
    kept.push_str(rest);
    without_addresses(&kept)
}

fn without_addresses(sentence: &str) -> String {
    let is_of_one = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '%' | '+' | '-');
    let mut kept = String::with_capacity(sentence.len());
    let mut rest = sentence;
    while let Some((before, after)) = rest.split_once('@') {
        let local = before.trim_end_matches(is_of_one);
        let domain = after.trim_start_matches(is_of_one);
        if local.len() == before.len() || domain.len() == after.len() {
            kept.push_str(before);
            kept.push('@');
            rest = after;
        } else {
            kept.push_str(local);
            kept.push_str("[address]");
            rest = domain;
        }
    }
    kept + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_is_quoted_and_leaves_a_log() {
        let sentence = format!("the date {} at line 2", quoted(" Ada “x” "));
        assert_eq!(sentence, "the date “Ada \"x\"” at line 2");
        assert_eq!(for_a_log(&sentence), "the date “…” at line 2");
        assert_eq!(quoted(&"é".repeat(300)).chars().count(), LONGEST + 3);
        assert_eq!(for_a_log("cut “Ada Love"), "cut “…”");
    }

    #[test]
    fn addresses_leave_a_log_and_json_stays_json() {
        assert_eq!(
            for_a_log(r#"{"email":"ada.l+x@example.com","url":"https://…@host"}"#),
            r#"{"email":"[address]","url":"https://…@host"}"#
        );
        assert_eq!(for_a_log("a @ b, @home, ä@ö.de"), "a @ b, @home, [address]");
    }
}
