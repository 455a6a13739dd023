//! The pictures in the documentation: the program's own pages, of a company that does not exist.
//!
//! Take them again after a page has changed. This needs chromium:
//!
//! ```sh
//! cargo test --test it pictures:: -- --ignored
//! ```
//!
//! The test walks through two reviews of Northwind Instruments, fills in the worksheet by keyboard,
//! closes, lets a revocation pass its deadline, and writes pictures of the pages to
//! `docs/pictures/`. Look at each picture before you commit it, and check that its alternative text
//! still describes it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::support::chromium::{Page, browser};
use crate::support::job::Job;
use crate::support::review::{at as at_review, outsiders};
use asana_access_review::cli::arguments::{CloseArguments, DecisionArguments, OpenArguments};
use asana_access_review::commands::review as command;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};
use truto_simulator::{Person, World};

/// The maximum size of a picture in bytes.
const MAX_BYTES: usize = 120 * 1024;

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

/// The pictures that a text links, with their alternative texts.
fn linked(text: &str) -> Vec<(String, String)> {
    let link = |after: &str| {
        let (words, rest) = after.split_once("](")?;
        let (target, _) = rest.split_once(')')?;
        Some((words.to_owned(), target.to_owned()))
    };
    text.split("![").skip(1).filter_map(link).collect()
}

/// The README and the pages of the documentation.
fn pages() -> Vec<PathBuf> {
    let pages = fs::read_dir(docs()).expect("a folder");
    let pages = pages.map(|entry| entry.expect("an entry").path());
    let is_page = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "md");
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    pages.filter(is_page).chain([readme]).collect()
}

#[test]
fn every_picture_exists_is_small_has_alternative_text_and_is_used() {
    let mut seen = BTreeSet::new();
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a text");
        let folder = page.parent().expect("a folder");
        for (words, target) in linked(&text) {
            let at = format!("{}: {target}", page.display());
            let picture = folder.join(&target);
            assert!(
                words.chars().count() >= 40,
                "{at}: `{words}` says too little"
            );
            let bytes = fs::read(&picture).unwrap_or_else(|error| panic!("{at}: {error}"));
            assert!(bytes.starts_with(SIGNATURE), "{at} is not a PNG");
            assert!(bytes.len() <= MAX_BYTES, "{at} has {} bytes", bytes.len());
            let width = bytes[16..20].try_into().map(u32::from_be_bytes);
            assert!(width.is_ok_and(|width| width <= 1200), "{at}: {width:?}");
            seen.insert(picture);
        }
    }
    assert!(!seen.is_empty());
    let pictures = fs::read_dir(docs().join("pictures")).expect("a folder");
    let pictures: BTreeSet<PathBuf> = pictures
        .map(|entry| entry.expect("an entry").path())
        .collect();
    assert_eq!(pictures, seen);
}

const DANIEL: &str = "daniel.reyes@northwind.example";
const AMARA: &str = "amara.nwosu@northwind.example";

fn gid(number: u64) -> String {
    (1_204_556_770_001_000 + number).to_string()
}

fn opened(job: &Job, name: &str, due: &str, as_of: &str, reviewers: &Path) -> PathBuf {
    let asked = OpenArguments {
        name: name.to_owned(),
        due: due.parse().expect("a day"),
        reviewers: Some(reviewers.to_owned()),
        yes: true,
        ..OpenArguments::default()
    };
    at_review(job, as_of, async |settings, moment, clock| {
        command::open(settings, &asked, moment, clock).await
    });
    job.run_folder(job.entries() as u64)
}

fn closed(job: &Job, as_of: &str, decisions: Vec<PathBuf>) -> PathBuf {
    let asked = CloseArguments {
        of: DecisionArguments {
            decisions,
            accept_reviewer: outsiders(),
            ..DecisionArguments::default()
        },
        ..CloseArguments::default()
    };
    at_review(job, as_of, async |settings, moment, clock| {
        command::close(settings, &asked, moment, clock).await
    });
    job.run_folder(job.entries() as u64)
}

fn choose(page: &mut Page, reviewer: &str) -> u64 {
    let rows = page.value(&format!(
        "(() => {{ const select = document.getElementById('reviewer'); \
         select.value = [...select.options].find((of) => of.text === '{reviewer}').value; \
         select.dispatchEvent(new Event('change', {{ bubbles: true }})); \
         return document.querySelectorAll('#rows tr').length; }})()"
    ));
    rows.as_u64().expect("a count")
}

/// Moves the focus to the row of an account.
fn focus_row(page: &mut Page, name: &str) {
    page.value(&format!(
        "[...document.querySelectorAll('#rows tr')].find((row) => row.textContent.startsWith('{name}')).focus()"
    ));
}

fn show_all(page: &mut Page) {
    page.value(
        "(() => { const state = document.getElementById('state'); state.value = ''; \
         state.dispatchEvent(new Event('change', { bubbles: true })); })()",
    );
}

/// Keeps the account of the focused row, with a reason if the page asks for one.
fn keep_with_reason(page: &mut Page) {
    page.key("1");
    if page.value("document.activeElement.className === 'lacking'") == true {
        page.key("n");
        page.text("still needed");
        page.key("Escape");
    }
}

/// The reviewer keeps the rest and saves.
fn kept(page: &mut Page, job: &Job, reviewer: &str) -> PathBuf {
    for _ in 0..choose(page, reviewer) {
        page.key("u");
        if page.value("document.activeElement.className === ''") == true {
            keep_with_reason(page);
        }
    }
    let saved = page.saved_by("document.getElementById('save').click()");
    let path = job.place().join(saved.file_name().expect("a name"));
    fs::copy(saved, &path).expect("a copy");
    path
}

/// Pixels of three bytes, row by row.
struct Pixels {
    width: usize,
    rows: Vec<Vec<[u8; 3]>>,
}

/// Reads what the browser writes: eight bits a channel, not interlaced.
fn pixels(png: &[u8]) -> Pixels {
    let number =
        |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().expect("four bytes")) as usize;
    let (width, height, channels) = (number(16), number(20), if png[25] == 6 { 4 } else { 3 });
    assert_eq!((png[24], png[28]), (8, 0));
    let (mut data, mut at) = (Vec::new(), 8);
    while at < png.len() {
        if &png[at + 4..at + 8] == b"IDAT" {
            data.extend_from_slice(&png[at + 8..at + 8 + number(at)]);
        }
        at += 12 + number(at);
    }
    let mut bytes = Vec::new();
    ZlibDecoder::new(&*data)
        .read_to_end(&mut bytes)
        .expect("zlib");
    let mut above = vec![0u8; width * channels];
    let mut rows = Vec::with_capacity(height);
    for line in bytes.chunks(width * channels + 1) {
        let mut row = line[1..].to_vec();
        for x in 0..row.len() {
            let left = if x < channels { 0 } else { row[x - channels] };
            let corner = if x < channels { 0 } else { above[x - channels] };
            let guess = match line[0] {
                0 => 0,
                1 => left,
                2 => above[x],
                3 => u8::midpoint(left, above[x]),
                _ => paeth(left, above[x], corner),
            };
            row[x] = row[x].wrapping_add(guess);
        }
        let colour = |of: &[u8]| [of[0], of[1], of[2]];
        rows.push(row.chunks(channels).map(colour).collect());
        above = row;
    }
    Pixels { width, rows }
}

/// The neighbour that is nearest to left + above - corner.
fn paeth(left: u8, above: u8, corner: u8) -> u8 {
    let guess = i32::from(left) + i32::from(above) - i32::from(corner);
    let far = |of: u8| (guess - i32::from(of)).abs();
    [left, above, corner]
        .into_iter()
        .min_by_key(|of| far(*of))
        .expect("three")
}

/// The same picture with a palette of its 256 most frequent colours, in a third of the bytes.
fn indexed(png: &[u8]) -> Vec<u8> {
    let pixels = pixels(png);
    let mut counts: BTreeMap<[u8; 3], usize> = BTreeMap::new();
    for colour in pixels.rows.iter().flatten() {
        *counts.entry(*colour).or_default() += 1;
    }
    let mut palette: Vec<[u8; 3]> = counts.keys().copied().collect();
    palette.sort_by_key(|colour| Reverse(counts[colour]));
    palette.truncate(256);
    let far = |a: &[u8; 3], b: &[u8; 3]| -> i32 {
        let each = a.iter().zip(b);
        each.map(|(a, b)| (i32::from(*a) - i32::from(*b)).pow(2))
            .sum()
    };
    let nearest = |colour: &[u8; 3]| {
        let places = 0..palette.len();
        let place = places.min_by_key(|place| far(&palette[*place], colour));
        u8::try_from(place.expect("a colour")).expect("256 colours")
    };
    let places: BTreeMap<[u8; 3], u8> = counts.keys().map(|of| (*of, nearest(of))).collect();
    let mut data = ZlibEncoder::new(Vec::new(), Compression::best());
    for row in &pixels.rows {
        data.write_all(&[0]).expect("memory");
        let row: Vec<u8> = row.iter().map(|colour| places[colour]).collect();
        data.write_all(&row).expect("memory");
    }
    let side = |length: usize| u32::try_from(length).expect("a size").to_be_bytes();
    let head = [
        &side(pixels.width)[..],
        &side(pixels.rows.len()),
        &[8, 3, 0, 0, 0],
    ]
    .concat();
    let mut file = SIGNATURE.to_vec();
    for (kind, data) in [
        (b"IHDR", head),
        (b"PLTE", palette.concat()),
        (b"IDAT", data.finish().expect("memory")),
        (b"IEND", Vec::new()),
    ] {
        let named = [&kind[..], &data].concat();
        let mut sum = Crc::new();
        sum.update(&named);
        file.extend(side(data.len()));
        file.extend(named);
        file.extend(sum.sum().to_be_bytes());
    }
    file
}

#[test]
fn a_palette_keeps_the_colours_of_a_picture() {
    let colours: Vec<[u8; 3]> = (0..=255).map(|shade| [shade, 255 - shade, 7]).collect();
    let rows = [colours.clone(), colours.into_iter().rev().collect()];
    let mut data = ZlibEncoder::new(Vec::new(), Compression::fast());
    // The second line is encoded as the difference to the first.
    for (filter, row) in [(0u8, &rows[0]), (2, &rows[1])] {
        data.write_all(&[filter]).expect("memory");
        for (x, colour) in row.iter().enumerate() {
            let above = if filter == 2 { rows[0][x] } else { [0; 3] };
            let reported = [0, 1, 2].map(|channel| colour[channel].wrapping_sub(above[channel]));
            data.write_all(&reported).expect("memory");
        }
    }
    let data = data.finish().expect("memory");
    let mut png = SIGNATURE.to_vec();
    for (kind, data) in [
        (b"IHDR", vec![0, 0, 1, 0, 0, 0, 0, 2, 8, 2, 0, 0, 0]),
        (b"IDAT", data),
        (b"IEND", Vec::new()),
    ] {
        png.extend(u32::try_from(data.len()).expect("a size").to_be_bytes());
        png.extend([&kind[..], &data, &[0; 4]].concat());
    }
    assert_eq!(pixels(&png).rows, rows);
    let file = indexed(&png);
    let palette = &file[41..41 + 768];
    let at = 41 + 768 + 4;
    let length = u32::from_be_bytes(file[at..at + 4].try_into().expect("four bytes")) as usize;
    let mut places = Vec::new();
    let mut data = ZlibDecoder::new(&file[at + 8..at + 8 + length]);
    data.read_to_end(&mut places).expect("zlib");
    for (line, row) in places.chunks(257).zip(&rows) {
        for (place, colour) in line[1..].iter().zip(row) {
            let at = usize::from(*place) * 3;
            assert_eq!(palette[at..at + 3], *colour);
        }
    }
}

/// The first two runs of the demo.
fn demo() -> Job {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/demo");
    let job = Job::new(World::new(), "")
        .env("ALIASES_URL", "aliases.csv")
        .env("EXCEPTIONS_URL", "exceptions.csv")
        .env("HR_TIME_ZONE", "Europe/Berlin");
    for name in ["aliases.csv", "exceptions.csv"] {
        fs::copy(demo.join(name), job.place().join(name)).expect("a file");
    }
    for (as_of, world, hr) in [
        ("2026-11-22T22:40:00Z", World::story_first_run(), "hr-1.csv"),
        (
            "2026-11-23T22:40:00Z",
            World::story_second_run(),
            "hr-2.csv",
        ),
    ] {
        job.hr_file(&fs::read(demo.join(hr)).expect("a file"));
        assert_eq!(job.run_at(as_of, world), 3);
    }
    job
}

#[path = "../../examples/demo/quarter.rs"]
mod quarter;

#[test]
#[ignore = "takes the picture of the audit pack again"]
fn take_the_picture_of_the_pack() {
    let browser = browser().expect("a chromium");
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let made = runtime.block_on(quarter::quarter(folder.path()));
    let made = made.unwrap_or_else(|error| panic!("{error}"));
    let mut page = Page::open(&browser, &made.folder.join("index.html"));
    page.size(1100, 1900);
    let picture = page.picture("header", "[aria-labelledby=results]");
    fs::write(docs().join("pictures/pack.png"), indexed(&picture)).expect("a file");
    assert_eq!(page.complaints, Vec::<String>::new());
}

#[test]
#[ignore = "takes the pictures of the documentation again"]
fn take_the_pictures() {
    let browser = browser().expect("a chromium");
    let folder = docs().join("pictures");
    fs::create_dir_all(&folder).expect("a folder");
    let save =
        |name: &str, bytes: Vec<u8>| fs::write(folder.join(name), indexed(&bytes)).expect("a file");

    // HR has everyone except guests, a service account and a contractor.
    let hr = |ben: &str| {
        let people = World::story_second_run().person(Person::member(
            gid(6),
            "Ben Whitaker",
            "ben.whitaker@northwind.example",
        ));
        let people = people.people.into_iter().filter(|of| !of.guest);
        let number = |of: &Person| of.gid[of.gid.len() - 2..].to_owned();
        let employed = people.filter(|of| !["10", "16"].contains(&&*number(of)));
        let row = |of: Person| {
            let status = match &*number(&of) {
                "07" => "Terminated,2024-03-31",
                "06" => ben,
                _ => "Active,",
            };
            let email = of.email.as_deref().expect("an address");
            format!("E{},{},{email},{status}\n", number(&of), of.name)
        };
        employed.map(row).collect::<String>()
    };
    let summer = World::story_first_run()
        .without_person(&gid(5))
        .without_person(&gid(19));
    let job = Job::new(summer.clone(), &hr("Active,"))
        .env("HR_FEED_SCOPE", "roster")
        .env("ALIASES_URL", "aliases.csv");
    let service = format!(
        "account_id,email,person_id,relation,owner,reason,approved_by,expires_on\n\
         {},,,service,{AMARA},mirrors builds into tasks,{DANIEL},2027-03-31\n",
        gid(10)
    );
    fs::write(job.place().join("aliases.csv"), service).expect("a file");
    assert_eq!(job.run_at("2026-08-24T21:40:00Z", summer), 0);
    let reviewers = job.place().join("reviewers.csv");
    let text = format!(
        "rule,value,reviewer,note\nperson,{},{AMARA},a service account\nrole,admin,{AMARA},\n\
         default,,{DANIEL},\ndefault,,{AMARA},for what Daniel owns\nrole,admin,{DANIEL},\n",
        gid(10)
    );
    fs::write(&reviewers, text).expect("a file");
    let open = opened(
        &job,
        "2026-Q3",
        "2026-09-30",
        "2026-08-25T09:00:00Z",
        &reviewers,
    );
    let mut page = Page::open(&browser, &open.join("worksheet.html"));
    let files = [DANIEL, AMARA].map(|who| kept(&mut page, &job, who));
    closed(&job, "2026-08-28T15:00:00Z", files.to_vec());

    let autumn = World::story_second_run();
    job.hr_feed(&hr("Terminated,2026-11-20"));
    assert_eq!(job.run_at("2026-11-23T22:40:00Z", autumn.clone()), 0);
    let open = opened(
        &job,
        "2026-Q4",
        "2026-12-04",
        "2026-11-24T09:00:00Z",
        &reviewers,
    );
    let mut page = Page::open(&browser, &open.join("worksheet.html"));
    page.size(1200, 820);
    choose(&mut page, DANIEL);
    for _ in 0..8 {
        page.key("u");
        keep_with_reason(&mut page);
    }
    // A revocation without its reason is not saved.
    focus_row(&mut page, "Devon");
    page.key("2");
    page.key("Escape");
    page.value("document.getElementById('save').click()");
    save("worksheet-note.png", page.picture("#far", "#rows tr"));
    focus_row(&mut page, "Devon");
    page.key("n");
    page.text("The contract ended in October");
    page.key("Escape");
    show_all(&mut page);
    // Continue with the next row.
    focus_row(&mut page, "Maria");
    page.key("1");
    page.key("j");
    page.value("document.querySelector('#rows tr:nth-child(8)').scrollIntoView()");
    save(
        "worksheet.png",
        page.picture("#far", "#rows tr:nth-child(13)"),
    );
    let mut files = vec![kept(&mut page, &job, DANIEL)];
    choose(&mut page, AMARA);
    focus_row(&mut page, "Sofia");
    page.key("3");
    page.key("m");
    page.key("n");
    page.text("Covered for Amara in October");
    page.key("Escape");
    files.push(kept(&mut page, &job, AMARA));
    let close = closed(&job, "2026-11-27T15:00:00Z", files);
    let mut report = Page::open(&browser, &close.join("report.html"));
    report.size(1000, 2200);
    save(
        "review.png",
        report.picture("header", "main > :nth-child(3)"),
    );

    // One of the two decisions is carried out in time.
    let since = autumn.clone().with_person(&gid(11), |sofia| Person {
        admin: false,
        ..sofia
    });
    assert_eq!(job.run_at("2026-11-27T22:40:00Z", autumn), 0);
    assert_eq!(job.run_at("2026-11-30T22:40:00Z", since.clone()), 0);
    assert_eq!(job.run_at("2026-12-04T22:40:00Z", since), 3);
    let snapshot = job.run_folder(job.entries() as u64);
    let mut snapshot = Page::open(&browser, &snapshot.join("report.html"));
    snapshot.size(1200, 6000);
    let section = |of: &str| format!("[aria-labelledby={of}]");
    for (name, of) in [("finding.png", "findings"), ("followed.png", "reviews")] {
        save(name, snapshot.picture(&section(of), &section(of)));
    }

    let demo = demo();
    let mut first = Page::open(&browser, &demo.run_folder(2).join("report.html"));
    first.size(1000, 1300);
    save("report.png", first.picture("header", "section.verdict"));
    for page in [page, report, snapshot, first] {
        assert_eq!(page.complaints, Vec::<String>::new());
    }
}
