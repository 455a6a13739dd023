//! The JSON form of evidence: keys in a fixed order, indented by two spaces down to a given depth, and below it one
//! record a line, so that a person can read and compare a large list line by line.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::Formatter;

/// The value, with a final newline.
pub(crate) fn document(value: &impl Serialize, indented_depth: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let formatter = LineFormatter {
        indented_depth,
        depth: 0,
        empty: true,
    };
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    value
        .serialize(&mut serializer)
        .expect("our records have only text keys");
    bytes.push(b'\n');
    bytes
}

/// One value a line, without line breaks inside.
pub(crate) fn line(out: &mut impl Write, value: &impl Serialize) {
    serde_json::to_writer(&mut *out, value).expect("our records have only text keys");
    out.write_all(b"\n")
        .expect("writing to memory does not fail");
}

struct LineFormatter {
    indented_depth: usize,
    depth: usize,
    empty: bool,
}

impl LineFormatter {
    fn open<W: ?Sized + Write>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.empty = true;
        out.write_all(bracket)
    }

    fn close<W: ?Sized + Write>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth -= 1;
        if !self.empty && self.depth < self.indented_depth {
            self.new_line(out)?;
        }
        self.empty = false;
        out.write_all(bracket)
    }

    fn item<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.empty = false;
        if !first {
            out.write_all(b",")?;
        }
        if self.depth <= self.indented_depth {
            self.new_line(out)?;
        }
        Ok(())
    }

    fn new_line<W: ?Sized + Write>(&self, out: &mut W) -> io::Result<()> {
        out.write_all(b"\n")?;
        (0..self.depth).try_for_each(|_| out.write_all(b"  "))
    }
}

impl Formatter for LineFormatter {
    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.item(out, first)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.item(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(if self.depth <= self.indented_depth {
            b": "
        } else {
            b":"
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn a_document_is_indented_to_its_depth_and_compact_below() {
        let value = json!({ "a": [{ "x": 1, "y": [] }, { "x": 2, "y": [3] }], "b": {}, "c": [] });
        let text = String::from_utf8(super::document(&value, 2)).expect("text");
        assert_eq!(
            text,
            "{\n  \"a\": [\n    {\"x\":1,\"y\":[]},\n    {\"x\":2,\"y\":[3]}\n  ],\n  \"b\": {},\n  \
             \"c\": []\n}\n"
        );
    }

    #[test]
    fn a_fully_indented_document_is_usual_pretty_json() {
        let value = json!({ "a": [{ "x": 1, "y": [] }, 2], "b": {} });
        let mut usual = serde_json::to_vec_pretty(&value).expect("json");
        usual.push(b'\n');
        assert_eq!(super::document(&value, usize::MAX), usual);
    }
}
