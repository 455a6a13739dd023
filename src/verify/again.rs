//! The accounts derived again from the answers they came in, and the judgement made again from them.

use std::collections::BTreeMap;
use std::io::Read as _;

use super::folder::Kept;
use crate::evidence::{
    self, Entry, FileRecord, Manifest, Night, RunFile, StoredInputs, stored_inputs,
};
use crate::judgement::{self, Baseline, Previous, RunRef, judge};
use crate::source;

/// How judging a night again came out.
pub(super) enum Again {
    /// The same, byte for byte.
    Same,
    /// It cannot be done here; no fault.
    NotPossible(String),
    /// These files come out otherwise.
    Otherwise(Vec<String>),
}

/// A night's inputs as they are stored, or why they cannot be read.
pub(super) type Stored = Result<StoredInputs, String>;

/// Reads the inputs of a night.
pub(super) fn stored(kept: &Kept) -> Stored {
    let file = |file: RunFile| {
        let name = file.name();
        kept.get(&name).ok_or(format!("it has no {name}"))
    };
    let lines = unpacked(file(RunFile::InputHr)?, MOST_BYTES);
    let lines = lines.ok_or("its HR rows cannot be unpacked")?;
    let unreadable = |error| format!("its inputs cannot be read: {error}");
    stored_inputs(file(RunFile::InputFacts)?, &lines).map_err(unreadable)
}

/// A sound night, as a later one builds on it.
struct Earlier {
    at: RunRef,
    manifest: Manifest,
    facts: Vec<u8>,
    result: Vec<u8>,
}

/// A file that unpacks to more is none of ours: the HR feed alone may have 64 MiB.
const MOST_BYTES: u64 = 1 << 30;

/// So many nights are held for those that build on them: most build on the last, and one that follows
/// incomplete nights on an older one. What is older still is said not to be at hand.
const HELD: usize = 2;

/// The nights that later ones build on.
#[derive(Default)]
pub(super) struct Judges {
    /// The newest last; a complete night stays until the next one comes.
    held: Vec<Earlier>,
    /// The run of every entry before, by number.
    entries: BTreeMap<u64, RunRef>,
    /// Whether a night before says how its accounts were derived: then every one after it does.
    says_how: bool,
}

impl Judges {
    /// Remembers an entry for those that build on it.
    pub(super) fn remember(&mut self, entry: &Entry) {
        self.entries.insert(entry.sequence, entry.run_ref());
    }

    /// Whether the nights a manifest names are entries of the chain, as they are.
    pub(super) fn builds_on_what_is_there(
        &self,
        entry: &Entry,
        manifest: &Manifest,
    ) -> Result<(), String> {
        for at in manifest.previous.iter().chain(&manifest.baseline) {
            let there = self.entries.get(&at.sequence);
            // An entry that is gone has been told of.
            let is_it = there.is_none_or(|there| there == at);
            if !is_it || !(1..entry.sequence).contains(&at.sequence) {
                return Err(format!(
                    "it builds on another entry {} than the one there",
                    at.sequence
                ));
            }
        }
        Ok(())
    }

    /// Derives the accounts of a sound night again.
    pub(super) fn derive(&mut self, kept: &Kept, inputs: &Stored) -> source::Again {
        match inputs {
            Ok(stored) => {
                let population = &stored.inputs.population;
                self.says_how |= population.derivation.is_some();
                source::derive_again(population, kept, self.says_how)
            }
            Err(why) => source::Again::NotPossible(why.clone()),
        }
    }

    /// Judges a sound night again, and holds it for the next.
    pub(super) fn again(
        &mut self,
        entry: &Entry,
        manifest: &Manifest,
        kept: &Kept,
        inputs: Stored,
    ) -> Again {
        let again = self.judged(manifest, kept, inputs);
        let file = |file: RunFile| kept.get(&file.name()).cloned().unwrap_or_default();
        self.held.push(Earlier {
            at: entry.run_ref(),
            manifest: manifest.clone(),
            facts: file(RunFile::InputFacts),
            result: file(RunFile::Result),
        });
        self.let_go();
        again
    }

    /// Keeps the newest nights and the newest complete one.
    fn let_go(&mut self) {
        while self.held.len() > HELD {
            let newest_complete = self.held.iter().rposition(|held| held.manifest.complete);
            let oldest = if newest_complete == Some(0) { 1 } else { 0 };
            self.held.remove(oldest);
        }
    }

    fn find(&self, at: &RunRef) -> Result<&Earlier, String> {
        let found = self.held.iter().find(|earlier| earlier.at == *at);
        found.ok_or_else(|| {
            format!(
                "it builds on entry {}, which is not sound, expired or farther back",
                at.sequence
            )
        })
    }

    fn judged(&self, manifest: &Manifest, kept: &Kept, inputs: Stored) -> Again {
        let inputs = || -> Result<judgement::Inputs, String> {
            let StoredInputs {
                mut inputs,
                baseline,
                previous,
            } = inputs?;
            inputs.past.baseline = match baseline {
                Some(at) => Some(self.baseline(at)?),
                None => None,
            };
            inputs.past.previous = match previous {
                Some(at) => Some(self.previous(at)?),
                None => None,
            };
            Ok(inputs)
        };
        match kept.judged_by {
            Some(judgement::VERSION) => {}
            Some(version) => {
                return Again::NotPossible(format!(
                    "judged by version {version} of the rules; not recomputable by this version, \
                     which is {}",
                    judgement::VERSION
                ));
            }
            None => return Again::NotPossible("its result.json cannot be read".to_owned()),
        }
        let inputs = match inputs() {
            Ok(inputs) => inputs,
            Err(why) => return Again::NotPossible(why),
        };
        let judgement = judge(&inputs);
        let frame = manifest.frame();
        let night = Night {
            frame: &frame,
            inputs: &inputs,
            judgement: &judgement,
        };
        let mut otherwise = Vec::new();
        let mut files: Vec<FileRecord> = manifest.files.clone();
        for made in night.data_files() {
            let name = made.file.name();
            let is_same = kept.get(&name).is_some_and(|stored| {
                if !name.ends_with(".gz") {
                    return *stored == made.bytes;
                }
                let made = unpacked(&made.bytes, MOST_BYTES).unwrap_or_default();
                unpacked(stored, made.len() as u64) == Some(made)
            });
            if !is_same {
                otherwise.push(name);
            } else if let Some(file) = files.iter_mut().find(|file| file.name == name) {
                file.rows = made.rows;
            }
        }
        // What it says of the files has been held against them; all else follows from the inputs.
        let (made, _) = night.manifest(files).to_file();
        if kept.get(&made.file.name()) != Some(&made.bytes) {
            otherwise.push(made.file.name());
        }
        match otherwise.is_empty() {
            true => Again::Same,
            false => Again::Otherwise(otherwise),
        }
    }

    fn baseline(&self, at: RunRef) -> Result<Baseline, String> {
        let facts = &self.find(&at)?.facts;
        let sequence = at.sequence;
        evidence::baseline(at, facts)
            .map_err(|error| format!("the facts of entry {sequence} cannot be read: {error}"))
    }

    fn previous(&self, at: RunRef) -> Result<Previous, String> {
        let earlier = self.find(&at)?;
        let sequence = at.sequence;
        evidence::previous(at, &earlier.manifest, &earlier.result)
            .map_err(|error| format!("the result of entry {sequence} cannot be read: {error}"))?
            .ok_or(format!("entry {sequence} has no rules"))
    }
}

/// The content of a gzip to its very end, never more than a byte over `most`: a file of strangers may
/// unpack to anything, and carry more behind what a reader of one member sees.
fn unpacked(gzip: &[u8], most: u64) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    flate2::read::MultiGzDecoder::new(gzip)
        .take(most.saturating_add(1))
        .read_to_end(&mut content)
        .ok()?;
    Some(content)
}
