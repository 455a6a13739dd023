//! The sources of a run, as far as they should be the same in each run, and the words for what changed.

use std::collections::{BTreeMap, BTreeSet};

use super::table::cell;
use crate::evidence::Manifest;
use crate::model::{FeedColumn, Mapping, Meaning, quoted};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sources {
    workspace: String,
    /// SHA-256 of Truto's mapping. None if it was not reported.
    mapping: Option<String>,
    /// The place of the HR feed.
    pub(super) hr_feed: String,
    /// `csv`, `json`, `jsonl` or `truto-hris`.
    format: String,
    /// The columns of the HR feed that decide, by what they mean.
    columns: BTreeMap<Meaning, BTreeSet<String>>,
}

impl Sources {
    pub(super) fn of(manifest: &Manifest, mapping: &Mapping) -> Self {
        let hr = manifest.sources.hr_feed.as_ref();
        let workspace = manifest.connection.workspace.as_ref();
        Self {
            workspace: cell(workspace.map(|workspace| &workspace.id)),
            mapping: match mapping {
                Mapping::Reported { sha256 } => Some(sha256.clone()),
                Mapping::NotReported { .. } => None,
            },
            hr_feed: hr.map(|hr| place(&hr.url)).unwrap_or_default(),
            format: hr.map(|hr| hr.format.clone()).unwrap_or_default(),
            columns: hr.map(|hr| by_meaning(&hr.columns)).unwrap_or_default(),
        }
    }

    /// A source that a run could not read counts as unchanged.
    pub(super) fn or_before(mut self, before: &Self) -> Self {
        if self.mapping.is_none() {
            self.mapping.clone_from(&before.mapping);
        }
        if self.columns.is_empty() {
            self.format.clone_from(&before.format);
            self.columns.clone_from(&before.columns);
        }
        if self.may_omit_keys() && before.may_omit_keys() {
            for (field, columns) in &before.columns {
                let now = self.columns.entry(*field).or_default();
                if now.is_empty() || !now.is_disjoint(columns) {
                    now.extend(columns.iter().cloned());
                }
            }
        }
        self
    }

    /// Whether a key is missing if no person has a value for it.
    fn may_omit_keys(&self) -> bool {
        self.format.starts_with("json")
    }

    /// What changed, in words.
    pub(super) fn changes_since(&self, before: &Self) -> Vec<String> {
        let mut changes = Vec::new();
        let mut compare = |what: &str, before: &str, after: &str| {
            if before != after {
                changes.push(format!("{what} changed from {before} to {after}"));
            }
        };
        compare("the workspace", &before.workspace, &self.workspace);
        if let (Some(before), Some(after)) = (&before.mapping, &self.mapping) {
            compare("the hash of the mapping", before, after);
        }
        compare("the HR feed", &before.hr_feed, &self.hr_feed);
        if !before.columns.is_empty() {
            compare("the format of the HR feed", &before.format, &self.format);
            for field in Meaning::ALL {
                let (columns_before, columns) = (before.read_as(*field), self.read_as(*field));
                if self.may_omit_keys() && columns_before.is_subset(&columns) {
                    continue;
                }
                let what = format!("the column for `{field}` in the HR feed");
                compare(&what, &shown(&columns_before), &shown(&columns));
            }
        }
        changes
    }

    fn read_as(&self, field: Meaning) -> BTreeSet<&str> {
        let columns = self.columns.get(&field).into_iter().flatten();
        columns.map(String::as_str).collect()
    }

    /// The columns of the HR feed for a cell: `email=Work mail;end=Left`.
    pub(super) fn hr_columns(&self) -> String {
        let fields = self.columns.iter().map(|(field, columns)| {
            let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
            format!("{field}={}", columns.join("+"))
        });
        fields.collect::<Vec<_>>().join(";")
    }
}

fn shown(columns: &BTreeSet<&str>) -> String {
    let columns: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
    match columns[..] {
        [] => "none".to_owned(),
        _ => columns.join(" + "),
    }
}

/// The columns that decide.
fn by_meaning(columns: &[FeedColumn]) -> BTreeMap<Meaning, BTreeSet<String>> {
    let mut fields: BTreeMap<Meaning, BTreeSet<String>> = BTreeMap::new();
    for column in columns.iter().filter(|column| column.meaning.decides()) {
        let names = fields.entry(column.meaning).or_default();
        names.insert(column.name.clone());
    }
    fields
}

/// The address of a feed. If its path has a year, the name may be of a day, so each number is `*`. Numbers of the host,
/// and of a path such as `reports/123`, distinguish feeds.
fn place(url: &str) -> String {
    let path_at = match url.split_once("://") {
        Some((scheme, rest)) => scheme.len() + 3 + rest.find('/').unwrap_or(rest.len()),
        None => 0,
    };
    let (host, path) = url.split_at(path_at);
    let mut numbers = path.split(|c: char| !c.is_ascii_digit());
    if !numbers.any(|number| number.len() >= 4 && number.starts_with("20")) {
        return url.to_owned();
    }
    let mut place = host.to_owned();
    for c in path.chars() {
        if !c.is_ascii_digit() {
            place.push(c);
        } else if !place.ends_with('*') {
            place.push('*');
        }
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_in_the_path_makes_no_other_feed() {
        let cases = [
            (
                "s3://hr/leavers-2026-11-9.csv",
                "s3://hr/leavers-2026-11-10.csv",
                true,
            ),
            (
                "s3://hr/2026/11/leavers.csv",
                "s3://hr/2027/01/leavers.csv",
                true,
            ),
            (
                "/srv/leavers_20261123T223000Z.csv",
                "/srv/leavers_20261124T223001Z.csv",
                true,
            ),
            ("leavers-23.11.2026.csv", "leavers-24.11.2026.csv", true),
            (
                "s3://hr/leavers-2026-11-09.csv",
                "s3://hr/test-2026-11-10.csv",
                false,
            ),
            ("s3://hr/leavers.csv", "s3://hr/leavers-old.csv", false),
            ("s3://hr-2025/2026.csv", "s3://hr-2026/2026.csv", false),
            (
                "https://hr.example/reports/123",
                "https://hr.example/reports/124",
                false,
            ),
            ("truto-hris://2026-a1", "truto-hris://2026-a2", false),
        ];
        for (one, other, same) in cases {
            assert_eq!(place(one) == place(other), same, "{one} and {other}");
        }
        assert_eq!(
            place("s3://hr1/leavers-2026-11-09.csv"),
            "s3://hr1/leavers-*-*-*.csv"
        );
    }

    fn sources(format: &str, columns: &[(Meaning, &str)]) -> Sources {
        let mut fields: BTreeMap<Meaning, BTreeSet<String>> = BTreeMap::new();
        for (field, name) in columns {
            fields.entry(*field).or_default().insert((*name).to_owned());
        }
        Sources {
            workspace: "1331".to_owned(),
            mapping: Some("aa".to_owned()),
            hr_feed: "s3://hr/leavers.csv".to_owned(),
            format: format.to_owned(),
            columns: fields,
        }
    }

    /// The changes from each of these runs to the next.
    fn changes<const N: usize>(runs: [Sources; N]) -> Vec<String> {
        let mut runs = runs.into_iter();
        let mut before = runs.next().expect("a run");
        let mut changes = Vec::new();
        for run in runs {
            let run = run.or_before(&before);
            changes.extend(run.changes_since(&before));
            before = run;
        }
        changes
    }

    #[test]
    fn equal_sources_have_no_change() {
        let run = || sources("csv", &[(Meaning::End, "Left")]);
        assert_eq!(changes([run(), run()]), [""; 0]);
    }

    #[test]
    fn each_replaced_source_is_a_change() {
        let run = || {
            sources(
                "csv",
                &[(Meaning::End, "Left"), (Meaning::OtherEmail, "Alias")],
            )
        };
        let other = Sources {
            workspace: "1332".to_owned(),
            mapping: Some("bb".to_owned()),
            hr_feed: "s3://test/leavers.csv".to_owned(),
            ..sources(
                "json",
                &[(Meaning::End, "payroll"), (Meaning::Status, "state")],
            )
        };
        assert_eq!(
            changes([run(), other]),
            [
                "the workspace changed from 1331 to 1332",
                "the hash of the mapping changed from aa to bb",
                "the HR feed changed from s3://hr/leavers.csv to s3://test/leavers.csv",
                "the format of the HR feed changed from csv to json",
                "the column for `other_email` in the HR feed changed from “Alias” to none",
                "the column for `end` in the HR feed changed from “Left” to “payroll”",
            ]
        );
    }

    #[test]
    fn what_a_run_could_not_read_is_compared_with_the_next() {
        let unread = Sources {
            mapping: None,
            ..sources("json", &[])
        };
        let last = Sources {
            mapping: Some("bb".to_owned()),
            ..sources("csv", &[(Meaning::LastDay, "Left")])
        };
        let first = || sources("csv", &[(Meaning::LastDay, "Left")]);
        assert_eq!(
            changes([first(), unread, last]),
            ["the hash of the mapping changed from aa to bb"]
        );
    }

    #[test]
    fn a_key_that_json_omits_is_no_change_but_another_one_is() {
        let end = (Meaning::End, "end");
        let status = (Meaning::Status, "status");
        let run = |columns: &[(Meaning, &str)]| sources("jsonl", columns);
        assert_eq!(
            changes([
                run(&[status]),
                run(&[end, status]),
                run(&[status]),
                run(&[end])
            ]),
            [""; 0]
        );
        assert_eq!(
            changes([run(&[end, status]), run(&[status, (Meaning::End, "left")])]),
            ["the column for `end` in the HR feed changed from “end” to “left”"]
        );
        let csv = |columns: &[(Meaning, &str)]| sources("csv", columns);
        assert_eq!(
            changes([csv(&[end, status]), csv(&[status])]),
            ["the column for `end` in the HR feed changed from “end” to none"]
        );
    }
}
