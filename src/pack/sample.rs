//! The sample: drawn by a rule that `sha256sum` and `sort` repeat.

use super::table::{count, instant, text};
use super::{Column, ItemBar, Part, PopulationItem, RunState, SampleReason, Table};
use crate::evidence::sha256_hex;

/// What the auditor asks for.
#[derive(Clone, Debug)]
pub struct SampleRequest {
    /// None: no sample. The auditor first notes the hash of the population.
    pub seed: Option<String>,
    pub items: usize,
    pub runs: usize,
}

const SAMPLE: &[Column] = &[
    count("place"),
    text("rank_sha256"),
    text("item_id"),
    text("why"),
    text("folder"),
];

const SAMPLE_RUNS: &[Column] = &[
    count("place"),
    text("rank_sha256"),
    instant("due_at"),
    text("why"),
    text("run"),
    text("folder"),
];

/// `population-ids.txt`: one line an item, in the order of the population: id, part, and why the item is tested in any
/// case (`-` if the draw decides).
pub(super) fn population_ids(items: &[PopulationItem]) -> Vec<u8> {
    let line = |of: &PopulationItem| {
        let ItemBar { item_id, part, .. } = &of.bar;
        let always = of.always.map_or("-", SampleReason::as_str);
        format!("{item_id} {part} {always}\n")
    };
    items.iter().map(line).collect::<String>().into_bytes()
}

fn rank(seed: &str, id: &str) -> String {
    sha256_hex(format!("{seed}:{id}").as_bytes())
}

/// An item or a run of the sample.
struct Drawn<'a, T> {
    rank: String,
    why: SampleReason,
    what: &'a T,
}

/// The lowest ranks first, then everything that is tested in any case.
fn drawn<'a, T>(
    all: &'a [T],
    seed: &str,
    most: usize,
    id: impl Fn(&T) -> String,
    // None: not in the draw.
    why: impl Fn(&T) -> Option<SampleReason>,
) -> Vec<Drawn<'a, T>> {
    let mut drawn: Vec<Drawn<'a, T>> = all
        .iter()
        .filter_map(|what| {
            let why = why(what)?;
            let rank = rank(seed, &id(what));
            Some(Drawn { rank, why, what })
        })
        .collect();
    drawn.sort_by(|a, b| (a.why, &a.rank).cmp(&(b.why, &b.rank)));
    let mut random = 0;
    drawn.retain(|of| {
        random += usize::from(of.why == SampleReason::Random);
        of.why != SampleReason::Random || random <= most
    });
    drawn
}

/// The sampled items, in the order of the table `sample`: each with its folder.
pub(super) fn items<'a>(
    population: &'a [PopulationItem],
    request: &SampleRequest,
) -> (Table, Vec<(&'a PopulationItem, SampleReason, String)>) {
    let mut table = Table::new("sample", "Sample of leavers", SAMPLE);
    let mut sampled = Vec::new();
    let Some(seed) = &request.seed else {
        return (table, sampled);
    };
    let id = |of: &PopulationItem| of.bar.item_id.clone();
    let why = |of: &PopulationItem| match (of.always, of.bar.part) {
        (Some(always), _) => Some(always),
        (None, Part::InPeriod) => Some(SampleReason::Random),
        (None, Part::CarriedIn) => None,
    };
    for (place, of) in drawn(population, seed, request.items, id, why)
        .into_iter()
        .enumerate()
    {
        let place = place + 1;
        let folder = format!("leaver-{place:02}-{}", of.what.bar.item_id);
        table.push([
            place.to_string(),
            of.rank,
            of.what.bar.item_id.clone(),
            of.why.to_string(),
            folder.clone(),
        ]);
        sampled.push((of.what, of.why, folder));
    }
    (table, sampled)
}

/// A due run, for the draw.
#[derive(Clone, Debug)]
struct DueRun {
    due_at: String,
    state: String,
    run: String,
}

/// A run of the sample whose evidence a folder contains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampledRunFolder {
    /// `run-01-2026-11-23`, below `samples/`.
    pub folder: String,
    /// `dt=…/run=…`.
    pub run: String,
}

/// The sampled runs, drawn from the table `runs`.
pub(super) fn runs(runs: &Table, request: &SampleRequest) -> (Table, Vec<SampledRunFolder>) {
    let mut table = Table::new("sample_runs", "Sample of runs", SAMPLE_RUNS);
    let mut folders = Vec::new();
    let Some(seed) = &request.seed else {
        return (table, folders);
    };
    let cells = runs
        .cells("due_at")
        .zip(runs.cells("state"))
        .zip(runs.cells("run"));
    let due: Vec<DueRun> = cells
        .map(|((due_at, state), run)| DueRun {
            due_at: due_at.to_owned(),
            state: state.to_owned(),
            run: run.to_owned(),
        })
        .filter(|of| of.state != RunState::Extra.as_str())
        .collect();
    let deviating = [RunState::Missing, RunState::Failed, RunState::Inconclusive];
    let why = |of: &DueRun| {
        let is_deviating = deviating.iter().any(|state| state.as_str() == of.state);
        Some(match is_deviating {
            true => SampleReason::AllDeviations,
            false => SampleReason::Random,
        })
    };
    let id = |of: &DueRun| of.due_at.clone();
    for (place, of) in drawn(&due, seed, request.runs, id, why)
        .into_iter()
        .enumerate()
    {
        let place = place + 1;
        let day = of.what.due_at.split('T').next().unwrap_or_default();
        let folder = match of.what.run.is_empty() {
            true => String::new(),
            false => format!("run-{place:02}-{day}"),
        };
        table.push([
            place.to_string(),
            of.rank,
            of.what.due_at.clone(),
            of.why.to_string(),
            of.what.run.clone(),
            folder.clone(),
        ]);
        if !folder.is_empty() {
            let run = of.what.run.clone();
            folders.push(SampledRunFolder { folder, run });
        }
    }
    (table, folders)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rank_is_the_hash_of_seed_and_id() {
        // printf %s autumn:0123456789ab | sha256sum
        assert_eq!(
            rank("autumn", "0123456789ab"),
            "d20f5529b2bb4677619094f965a7bf22869b89d07339b204b50cd89423b63d42"
        );
    }

    #[test]
    fn the_lowest_ranks_are_drawn_and_the_rest_is_tested_whole() {
        let all = ["a", "b", "c", "d", "e", "always"];
        let why = |of: &&str| {
            Some(match *of {
                "always" => SampleReason::AllAdmins,
                _ => SampleReason::Random,
            })
        };
        let drawn = drawn(&all, "seed", 2, |of| (*of).to_owned(), why);
        let mut ranks: Vec<(String, &str)> =
            all[..5].iter().map(|of| (rank("seed", of), *of)).collect();
        ranks.sort();
        let expected = [ranks[0].1, ranks[1].1, "always"];
        let got: Vec<&str> = drawn.iter().map(|of| *of.what).collect();
        assert_eq!(got, expected);
    }

    #[test]
    fn a_sample_larger_than_the_population_has_all_of_it() {
        let all = ["a", "b"];
        let drawn = drawn(
            &all,
            "",
            25,
            |of| (*of).to_owned(),
            |_| Some(SampleReason::Random),
        );
        assert_eq!(drawn.len(), 2);
    }
}
