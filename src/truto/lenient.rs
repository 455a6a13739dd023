//! Fields that may come in several forms.
//!
//! Customers can override how Truto maps the records of an integration. So a field may be absent, null or empty, or
//! have a number or an object instead of a text. A field that cannot be read counts as absent, and its page stays readable.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::de::{
    Deserialize, DeserializeOwned, Deserializer, Error as _, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// The largest whole number that a JSON number keeps everywhere.
const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;

/// The value of a field; null if it is nested too deeply.
///
/// # Errors
/// An object in it has a member twice: one of the two would go unseen.
pub(super) fn value<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    if raw.get().contains('{')
        && let Ok(HasUniqueMembers(false)) = serde_json::from_str(raw.get())
    {
        return Err(D::Error::custom("an object has a member twice"));
    }
    Ok(serde_json::from_str(raw.get()).unwrap_or_default())
}

/// Whether no object in a JSON value has a member twice.
struct HasUniqueMembers(bool);

impl<'de> Deserialize<'de> for HasUniqueMembers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueMembers)
    }
}

struct UniqueMembers;

impl<'de> Visitor<'de> for UniqueMembers {
    type Value = HasUniqueMembers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(HasUniqueMembers(true))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(HasUniqueMembers(true))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(HasUniqueMembers(true))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(HasUniqueMembers(true))
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(HasUniqueMembers(true))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(HasUniqueMembers(true))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut is_unique = true;
        while let Some(HasUniqueMembers(item)) = items.next_element()? {
            is_unique &= item;
        }
        Ok(HasUniqueMembers(is_unique))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let (mut names, mut is_unique) = (BTreeSet::<String>::new(), true);
        while let Some((name, HasUniqueMembers(member))) = members.next_entry()? {
            is_unique &= names.insert(name) && member;
        }
        Ok(HasUniqueMembers(is_unique))
    }
}

/// A text that is not blank; a whole number is read as its digits.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    value(deserializer).map(text_of)
}

fn text_of(value: Value) -> Option<String> {
    match value {
        Value::String(text) => (!text.trim().is_empty()).then_some(text),
        // A larger number has lost digits, and a missing id is better than a wrong one.
        Value::Number(number) if number.is_f64() => number
            .as_f64()
            .filter(|number| number.fract() == 0.0 && number.abs() <= MAX_SAFE_INTEGER)
            .map(|number| format!("{number:.0}")),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A boolean, also as a word or as 0 or 1.
pub(super) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    let value = value(deserializer)?;
    let word = value.as_str().map(|text| text.trim().to_ascii_lowercase());
    Ok(match (word.as_deref(), value.as_u64()) {
        (Some("true"), _) | (_, Some(1)) => Some(true),
        (Some("false"), _) | (_, Some(0)) => Some(false),
        _ => value.as_bool(),
    })
}

/// A text, or the first of `members` in an object.
pub(super) fn text_or_member(value: Value, members: &[&str]) -> Option<String> {
    match value {
        Value::Object(mut object) => members
            .iter()
            .find_map(|member| text_of(object.remove(*member)?)),
        value => text_of(value),
    }
}

/// An object that may also come as a text: `"ana@x.com"` instead of `{"email": "ana@x.com"}`.
pub(super) trait FromText: Default + DeserializeOwned {
    /// The member that a text fills; with none, a text gives an empty object.
    const MEMBER: Option<&str>;
}

/// One object, or its text; anything else gives an empty object.
pub(super) fn object<'de, D: Deserializer<'de>, T: FromText>(
    deserializer: D,
) -> Result<T, D::Error> {
    value(deserializer).map(object_of)
}

fn object_of<T: FromText>(value: Value) -> T {
    let object = match (value, T::MEMBER) {
        (object @ Value::Object(_), _) => object,
        (text, Some(member)) => json!({ member: text }),
        (_, None) => return T::default(),
    };
    T::deserialize(object).unwrap_or_default()
}

/// A list of objects or of their texts. A single one gives a list of one; anything else gives an empty list.
pub(super) fn list<'de, D: Deserializer<'de>, T: FromText>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    Ok(match value(deserializer)? {
        Value::Array(items) => items.into_iter().map(object_of).collect(),
        Value::String(text) if text.trim().is_empty() => Vec::new(),
        one @ (Value::Object(_) | Value::String(_)) => vec![object_of(one)],
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    })
}

/// RFC 3339, or `2024-09-01 10:00:00` in UTC.
pub fn instant(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(instant) = text.parse() {
        return Some(instant);
    }
    let civil: DateTime = text.parse().ok()?;
    TimeZone::UTC.to_timestamp(civil).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_that_an_object_has_twice_is_an_error() {
        let read = |text: &str| value(&mut serde_json::Deserializer::from_str(text));
        for text in [
            r#"{"is_active": true, "is_active": false}"#,
            r#"[1, {"a": [{"b": 1, "b": 2}]}]"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        let read = read(r#"{"a": {"a": [null, 1.5, -1, "a", "a"]}, "b": {"a": true}}"#);
        assert!(read.is_ok(), "{read:?}");
    }

    #[test]
    fn instants_are_read_in_both_of_trutos_forms() {
        let expected = "2024-09-01T10:00:00Z".parse().ok();
        for text in [
            "2024-09-01T10:00:00.000Z",
            "2024-09-01 10:00:00",
            "2024-09-01T12:00:00+02:00",
        ] {
            assert_eq!(instant(text), expected, "{text}");
        }
        for text in ["", "soon", "1725184800", "2024-13-01 10:00:00"] {
            assert_eq!(instant(text), None, "{text}");
        }
    }
}
