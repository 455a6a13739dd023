//! A walk over a JSON document without building a tree, which would take ten times the size of the document.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// The events of a walk.
pub(super) enum WalkStep<'t> {
    /// An object or a list begins.
    Opens {
        is_list: bool,
    },
    Closes,
    /// The value of a key follows.
    Key(Cow<'t, str>),
    /// The value of a key has ended.
    KeyEnds,
    Scalar(Scalar<'t>),
}

/// A value that is neither list nor object.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar<'t> {
    Null,
    Bool(bool),
    Integer(i128),
    /// A number that lost digits: `1E5`, or too long.
    Float(f64),
    Text(Cow<'t, str>),
}

/// Walks over a text that is one JSON value.
///
/// # Errors
/// If the text is not one JSON value, or is nested more than 127 levels deep.
pub(super) fn walk<'t>(
    text: &'t str,
    take: &mut impl FnMut(WalkStep<'t>),
) -> Result<(), serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    ValueWalk(take).deserialize(&mut json)?;
    json.end()
}

/// The message of the parser without line and column, which the caller adds.
pub(super) fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ").map_or(&*text, |of| of.0) {
        "recursion limit exceeded" => "it is nested more than 127 levels deep".to_owned(),
        message => message.to_owned(),
    }
}

struct ValueWalk<'f, F>(&'f mut F);

impl<'t, F: FnMut(WalkStep<'t>)> DeserializeSeed<'t> for ValueWalk<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'t>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'t, F: FnMut(WalkStep<'t>)> ValueWalk<'_, F> {
    fn scalar<E>(self, scalar: Scalar<'t>) -> Result<(), E> {
        (self.0)(WalkStep::Scalar(scalar));
        Ok(())
    }
}

impl<'t, F: FnMut(WalkStep<'t>)> Visitor<'t> for ValueWalk<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.scalar(Scalar::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.scalar(Scalar::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.scalar(Scalar::Integer(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.scalar(Scalar::Integer(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.scalar(Scalar::Float(value))
    }

    fn visit_borrowed_str<E>(self, value: &'t str) -> Result<(), E> {
        self.scalar(Scalar::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.scalar(Scalar::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<(), A::Error> {
        (self.0)(WalkStep::Opens { is_list: false });
        while let Some(ShortText(key)) = map.next_key()? {
            (self.0)(WalkStep::Key(key));
            map.next_value_seed(ValueWalk(self.0))?;
            (self.0)(WalkStep::KeyEnds);
        }
        (self.0)(WalkStep::Closes);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut seq: A) -> Result<(), A::Error> {
        (self.0)(WalkStep::Opens { is_list: true });
        while seq.next_element_seed(ValueWalk(self.0))?.is_some() {}
        (self.0)(WalkStep::Closes);
        Ok(())
    }
}

/// A key, borrowed if it has no escapes.
#[derive(Deserialize)]
struct ShortText<'t>(#[serde(borrow)] Cow<'t, str>);
