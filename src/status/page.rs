//! The overview as a page: one file without network and script.

use std::fmt::Write as _;
use std::path::Path;

use askama::Template;

use super::output::NOT_VERIFIED;
use super::{ConnectionStatus, Overview, State};
use crate::judgement::Mark;
use crate::report::visible::{self, Minute as _};
use crate::report::words::Title as _;

/// How the page refers to reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Links {
    /// By a link relative to the page. The prefix leads to the evidence: empty, or a path that ends with `/`.
    Relative(String),
    /// By the address as text. The prefix is the address of the evidence, with its last `/`.
    Text(String),
}

impl Links {
    /// For a page beside or inside of a folder with evidence, links. Else text.
    ///
    /// Both paths are absolute, without links and `..`.
    pub fn to_folder(evidence: &Path, page_folder: &Path) -> Self {
        match evidence.strip_prefix(page_folder) {
            Ok(below) => {
                let parts = below.iter().map(|part| part.to_string_lossy());
                let prefix =
                    parts.fold(String::new(), |prefix, part| prefix + &encoded(&part) + "/");
                Self::Relative(prefix)
            }
            Err(_) => Self::Text(format!("{}/", evidence.display())),
        }
    }

    /// The link to a report, if there is one.
    fn link(&self, report: &str) -> Option<String> {
        match self {
            Self::Relative(prefix) => Some(format!("{prefix}{}", encoded(report))),
            Self::Text(_) => None,
        }
    }

    fn address(&self, report: &str) -> String {
        match self {
            Self::Relative(_) => report.to_owned(),
            Self::Text(prefix) => format!("{prefix}{report}"),
        }
    }
}

/// A path in a link. The folder of a connection may contain `%`.
fn encoded(path: &str) -> String {
    let mut encoded = String::new();
    for byte in path.bytes() {
        match byte {
            b'/' | b'=' | b'-' | b'_' | b'.' | b'~' => encoded.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => encoded.push(char::from(byte)),
            _ => write!(encoded, "%{byte:02X}").expect("writing to memory does not fail"),
        }
    }
    encoded
}

#[derive(Template)]
#[template(path = "status.html", config = "src/report/askama.toml")]
struct StatusPage<'a> {
    overview: &'a Overview,
    links: &'a Links,
    /// The page has no mark of its own; rows have.
    mark: Option<Mark>,
}

/// The page.
pub fn page(overview: &Overview, links: &Links) -> Vec<u8> {
    crate::report::page(&StatusPage {
        overview,
        links,
        mark: None,
    })
}

impl StatusPage<'_> {
    fn not_verified(&self) -> &'static str {
        NOT_VERIFIED
    }

    /// The states that occur, worst first, each with its connections.
    fn groups(&self) -> impl Iterator<Item = (State, &[ConnectionStatus])> {
        let groups = self
            .overview
            .connections
            .chunk_by(|one, other| one.state == other.state);
        groups.map(|group| (group[0].state, group))
    }

    fn age(&self, connection: &ConnectionStatus) -> Option<String> {
        connection.age(self.overview.as_of).map(visible::duration)
    }

    fn oldest_age(&self, connection: &ConnectionStatus) -> Option<String> {
        connection.oldest_age(self.overview.as_of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_beside_or_inside_of_the_evidence_has_links() {
        let evidence = Path::new("/srv/a b/evidence");
        let links = |folder: &str| Links::to_folder(evidence, Path::new(folder));
        let report = "system=asana/connection=a%2Fb/dt=2026-11-23/run=x/report.html";
        let link = |folder| links(folder).link(report);
        let encoded = "system=asana/connection=a%252Fb/dt=2026-11-23/run=x/report.html";
        assert_eq!(link("/srv/a b/evidence"), Some(encoded.to_owned()));
        assert_eq!(link("/srv"), Some(format!("a%20b/evidence/{encoded}")));
        for elsewhere in ["/home", "/srv/a b/evidence/pages"] {
            assert_eq!(link(elsewhere), None);
            assert_eq!(
                links(elsewhere).address(report),
                format!("/srv/a b/evidence/{report}")
            );
        }
    }
}
