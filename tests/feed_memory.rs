//! How much memory an HR file takes: at most six and a half times its size, the file included.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::time::Duration;

use asana_access_review::feed::{self, DateRules, Settings, Words};
use asana_access_review::files::Location;
use asana_access_review::net::Deadline;

/// Peak memory of this process in bytes. Only Linux reports it.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let mut lines = status.lines();
    let kib = lines.find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"))?;
    Some(kib.parse::<u64>().ok()? * 1024)
}

#[test]
fn a_file_takes_at_most_six_and_a_half_times_its_size() {
    const ROWS: usize = 100_000;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("hr.csv");
    let mut file = BufWriter::new(File::create(&path).expect("a file"));
    let header = "Employee ID,Full Name,Work Email,Personal Email,Status,Hire Date,Termination Date,Office,Department";
    writeln!(file, "{header}").expect("written");
    for row in 0..ROWS {
        let (status, end) = match row % 4 {
            0 => ("Terminated", "2026-10-31"),
            _ => ("Active", ""),
        };
        writeln!(
            file,
            "E{row},Given{row} Family{row},given{row}.family{row}@corp.example,g{row}@mail.example,{status},\
             2021-03-01,{end},Berlin,Research and Development"
        )
        .expect("written");
    }
    let size = file
        .into_inner()
        .expect("written")
        .metadata()
        .expect("a file")
        .len();

    let settings = Settings {
        location: Location::Path(path),
        format: None,
        columns: Default::default(),
        records: Vec::new(),
        dates: DateRules {
            order: None,
            time_zone: "Europe/Berlin".to_owned(),
            location_zones: Default::default(),
        },
        words: Words::default(),
        max_bytes: 64 * 1024 * 1024,
    };
    let Some(before) = peak() else {
        println!("skipped: this system does not report the peak of memory");
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let deadline = Deadline::after(Duration::from_secs(600));
    let read = runtime.block_on(feed::read_file(&settings, deadline));
    let feed = read.expect("a feed");
    let after = peak().expect("a peak");
    assert_eq!(feed.rows.len(), ROWS);
    let times = (after - before) as f64 / size as f64;
    println!(
        "{size} bytes, {} more at the peak: {times:.1} times",
        after - before
    );
    assert!(times <= 6.5, "{times:.1} times the file");
}
