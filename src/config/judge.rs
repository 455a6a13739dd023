//! Turns raw values into typed ones, and collects every problem.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::values::Wrong;
use super::variables::Raw;
use super::{Default, Environment, Judged, Problems, variable};

/// An unknown variable of these families is probably misspelt.
const FAMILIES: [&str; 8] = [
    "ASANA_",
    "CONNECTIONS_",
    "EVIDENCE_",
    "HR_",
    "METRICS_",
    "NOTIFY_",
    "REVIEW_",
    "TRUTO_",
];

/// Variables of other programs: systemd.
const STRANGERS: [&str; 1] = ["NOTIFY_SOCKET"];

/// Collects problems while values become settings.
#[derive(Default)]
pub(super) struct Judge {
    pub(super) problems: Problems,
}

impl Judge {
    /// The raw values with secrets read from their files, and warnings about unknown names.
    pub(super) fn raw(
        &mut self,
        environment: Environment,
        read_file: impl Fn(&Path) -> std::io::Result<String>,
    ) -> (Raw, Vec<String>) {
        let mut warnings = Vec::new();
        let mut ours = Vec::new();
        let mut files: BTreeMap<&str, PathBuf> = BTreeMap::new();
        for (name, value) in environment {
            let Ok(name) = name.into_string() else {
                continue;
            };
            let secret_of_file = name
                .strip_suffix("_FILE")
                .and_then(variable)
                .filter(|variable| variable.secret);
            if let Some(variable) = secret_of_file {
                if !value.is_empty() {
                    files.insert(variable.name, PathBuf::from(value));
                }
            } else if variable(&name).is_some() {
                match value.into_string() {
                    Ok(value) => ours.push((name, value)),
                    Err(_) => self.problems.add(format!("{name} is not UTF-8"), None),
                }
            } else if FAMILIES.iter().any(|family| name.starts_with(family))
                && !STRANGERS.contains(&name.as_str())
            {
                warnings.push(format!("{name} is set, and no variable has this name"));
            }
        }
        let mut raw: Raw = envy::from_iter(ours).unwrap_or_else(|error| {
            // Only optional text is asked for, which every value is.
            self.problems
                .add(format!("the environment cannot be read: {error}"), None);
            Raw::default()
        });
        for (name, value) in raw.each() {
            *value = value
                .take()
                .map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty());
            if let Some(path) = files.get(name) {
                self.secret_from_file(name, value, path, &read_file);
            }
        }
        warnings.sort();
        (raw, warnings)
    }

    pub(super) fn secret_from_file(
        &mut self,
        name: &str,
        value: &mut Option<String>,
        path: &Path,
        read_file: impl Fn(&Path) -> std::io::Result<String>,
    ) {
        if value.is_some() {
            let problem = format!("{name} and {name}_FILE are both set");
            self.problems
                .add(problem, Some("keep one of the two".to_owned()));
            return;
        }
        match read_file(path) {
            Ok(text) if text.trim().is_empty() => {
                self.problems
                    .add(format!("{name}_FILE=`{}` is empty", path.display()), None);
            }
            Ok(text) => *value = Some(text.trim().to_owned()),
            Err(error) => {
                let path = path.display();
                self.problems.add(
                    format!("{name}_FILE=`{path}` cannot be read: {error}"),
                    None,
                );
            }
        }
        // The problem of the file is reported; an unset variable would be a second one of the same cause.
        value.get_or_insert_with(String::new);
    }

    pub(super) fn wrong(&mut self, name: &str, value: &str, wrong: Wrong) {
        let is_secret = variable(name).is_some_and(|variable| variable.secret);
        let problem = if is_secret {
            format!("{name} {}", wrong.text)
        } else {
            format!("{name}=`{}` {}", without_secrets(name, value), wrong.text)
        };
        self.problems.add(problem, wrong.hint);
    }

    /// The typed value of a variable, or of its default.
    pub(super) fn get<T>(
        &mut self,
        name: &str,
        value: &Option<String>,
        parse: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        let default = variable(name).map(|variable| variable.default);
        let text = match (value, default) {
            (Some(value), _) => value.as_str(),
            (None, Some(Default::Value(default))) => default,
            (None, Some(Default::Required)) => {
                self.problems.add(format!("{name} is not set"), None);
                return None;
            }
            (None, _) => return None,
        };
        parse(text)
            .map_err(|wrong| self.wrong(name, text, wrong))
            .ok()
    }

    /// Settings, if nothing is wrong.
    pub(super) fn judged<T>(
        self,
        settings: Option<T>,
        warnings: Vec<String>,
    ) -> Result<Judged<T>, Problems> {
        match settings {
            Some(settings) if self.problems.problems.is_empty() => {
                Ok(Judged { settings, warnings })
            }
            _ => Err(self.problems),
        }
    }

    /// A secret that a header can carry.
    pub(super) fn secret(&mut self, name: &str, value: &Option<String>) -> Option<SecretString> {
        self.get(name, value, |text| {
            if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
                Ok(SecretString::from(text))
            } else {
                Err(Wrong::new("holds characters that no header can carry"))
            }
        })
    }
}

/// An address as a message may show it: without credentials, query and fragment, where tokens are.
fn without_secrets<'a>(name: &str, value: &'a str) -> std::borrow::Cow<'a, str> {
    if !name.ends_with("_URL") {
        return value.into();
    }
    let value = value.split(['?', '#']).next().unwrap_or_default();
    match value
        .split_once("://")
        .and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?)))
    {
        Some((scheme, (_, rest))) => format!("{scheme}://…@{rest}").into(),
        None => value.into(),
    }
}
