//! Turns raw values into typed ones and collects every problem.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::SecretString;

use super::values::Wrong;
use super::variables::{EnvyValues, Raw, RawValue};
use super::{Default, Environment, Judged, Problems, VARIABLES, variable};
use crate::net::Pacer;

/// An unknown variable with one of these prefixes is probably misspelt.
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

/// Variables of other programs (systemd) with one of these prefixes.
const OF_OTHERS: [&str; 1] = ["NOTIFY_SOCKET"];

/// Collects problems while values become settings.
#[derive(Default)]
pub(super) struct Judge {
    pub(super) problems: Problems,
    /// The most attempts per request, if a person waits.
    pub(super) few_attempts: Option<u32>,
    /// The limit of the API token, which several connections share.
    pub(super) token_pace: Option<Arc<Pacer>>,
}

/// The settings with their warnings, or all problems.
pub(super) fn judged<T>(
    environment: Environment,
    read_file: impl Fn(&Path) -> std::io::Result<String>,
    settings: impl FnOnce(&mut Judge, Raw) -> Option<T>,
) -> Result<Judged<T>, Problems> {
    let mut judge = Judge::default();
    let (raw, warnings) = judge.raw(environment, read_file);
    match settings(&mut judge, raw) {
        Some(settings) if judge.problems.problems.is_empty() => Ok(Judged { settings, warnings }),
        _ => {
            // A misspelt name is often why a variable is missing.
            judge.problems.hints.splice(0..0, warnings);
            Err(judge.problems)
        }
    }
}

impl Judge {
    /// The raw values, with secrets read from their files, and warnings about unknown names.
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
                    Err(_) => self.add(format!("{name} is not UTF-8"), None),
                }
            } else if !OF_OTHERS.contains(&name.as_str()) {
                let is_ours = FAMILIES.iter().any(|family| name.starts_with(family));
                match nearest(&name) {
                    Some(known) => warnings.push(format!(
                        "{name} is set, but no variable has this name: did you mean {known}?"
                    )),
                    None if is_ours => {
                        warnings.push(format!("{name} is set, but no variable has this name"));
                    }
                    None => {}
                }
            }
        }
        let read = envy::from_iter(ours).unwrap_or_else(|error| {
            // Every field is optional text, so any value fits.
            self.add(format!("the environment cannot be read: {error}"), None);
            EnvyValues::default()
        });
        let mut raw = Raw::from(read);
        for value in raw.each() {
            let text = value.text.take().map(|text| text.trim().to_owned());
            value.text = text.filter(|text| !text.is_empty());
            if let Some(path) = files.get(value.name) {
                self.secret_from_file(value, path, &read_file);
            }
        }
        warnings.sort();
        (raw, warnings)
    }

    fn secret_from_file(
        &mut self,
        value: &mut RawValue,
        path: &Path,
        read_file: impl Fn(&Path) -> std::io::Result<String>,
    ) {
        let name = value.name;
        if value.is_set() {
            let problem = format!("{name} and {name}_FILE are both set");
            return self.add(problem, Some("keep one of the two"));
        }
        let shown = path.display();
        match read_file(path) {
            Ok(text) if text.trim().is_empty() => {
                self.add(format!("{name}_FILE=`{shown}` is empty"), None);
            }
            Ok(text) => value.text = Some(text.trim().to_owned()),
            Err(error) => self.add(
                format!("{name}_FILE=`{shown}` cannot be read: {error}"),
                None,
            ),
        }
        // The file is reported already. An unset variable would be a second problem with the same cause.
        value.text.get_or_insert_with(String::new);
    }

    pub(super) fn add(&mut self, problem: impl Into<String>, hint: Option<&str>) {
        self.problems.add(problem.into(), hint.map(str::to_owned));
    }

    /// The typed value of a variable, or of its default.
    pub(super) fn get<T>(
        &mut self,
        value: &RawValue,
        parse: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        let name = value.name;
        let variable = variable(name)?;
        let text = match (&value.text, variable.default) {
            (Some(text), _) => text,
            (None, Default::Value(default)) => default,
            (None, Default::Required) => {
                self.add(format!("{name} is not set"), None);
                return None;
            }
            (None, Default::Unset | Default::Depends(_)) => return None,
        };
        let report = |Wrong { text: wrong, hint }| {
            // A text that is not an address may be a token in the wrong variable.
            let is_token = name == "TRUTO_BASE_URL" && !text.contains("://");
            let problem = match variable.secret || is_token {
                true => format!("{name} {wrong}"),
                false => format!("{name}=`{}` {wrong}", without_secrets(name, text)),
            };
            let hint = with_the_unit_of(variable.default, text).or(hint);
            self.problems.add(problem, hint);
        };
        parse(text).map_err(report).ok()
    }

    /// The typed value of a variable that may be unset.
    pub(super) fn optional<T>(
        &mut self,
        value: &RawValue,
        parse: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Option<Option<T>> {
        match value.text.as_deref() {
            None => Some(None),
            // Its file is reported already.
            Some("") => None,
            Some(_) => self.get(value, parse).map(Some),
        }
    }

    /// A secret that an HTTP header can carry.
    pub(super) fn secret(&mut self, value: &RawValue) -> Option<SecretString> {
        self.get(value, |text| {
            if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
                Ok(SecretString::from(text))
            } else {
                Err(Wrong::new(
                    "contains characters that an HTTP header cannot carry",
                ))
            }
        })
    }
}

/// The hint for a bare number: its value with the unit of the default.
fn with_the_unit_of(default: Default, number: &str) -> Option<String> {
    let is_digit = |c: char| c.is_ascii_digit();
    let Default::Value(default) = default else {
        return None;
    };
    let unit = default.trim_start_matches(is_digit);
    let has_unit = !unit.is_empty() && unit != default;
    (has_unit && number.chars().all(is_digit)).then(|| format!("write `{number}{unit}`"))
}

/// The variable whose name differs from `name` only by a typing error.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    let names = VARIABLES.iter().map(|variable| variable.name);
    let distances = names.map(|known| (strsim::osa_distance(known, name), known));
    let (distance, known) = distances.min()?;
    // Short names of other programs resemble ours: POD_IP is not POD_UID.
    (distance <= (known.len() / 6).max(1)).then_some(known)
}

/// An address as a message may show it: without credentials, path, query and fragment, where tokens are. Paths of files
/// and buckets stay.
fn without_secrets<'a>(name: &str, value: &'a str) -> Cow<'a, str> {
    let Some((scheme, rest)) = value.split_once("://").filter(|_| name.ends_with("_URL")) else {
        return value.into();
    };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = authority.rsplit('@').next().unwrap_or_default();
    let path = match (scheme, path) {
        (_, "") => String::new(),
        ("file" | "s3", path) => format!("/{path}"),
        _ => "/…".to_owned(),
    };
    format!("{scheme}://{host}{path}").into()
}
