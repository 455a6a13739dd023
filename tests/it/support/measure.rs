//! Measures processes of the binary.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// How a process ended, and what it cost.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) code: Option<i32>,
    pub(crate) took: Duration,
    /// Peak memory in KiB, as Linux reports it; 0 elsewhere.
    pub(crate) peak_kib: u64,
}

/// Runs a command to its end. Both outputs go into a file.
pub(crate) fn measured(command: &mut Command, output: &Path) -> Measured {
    let file = fs::File::create(output).expect("a file");
    let errors = file.try_clone().expect("a file");
    let began = Instant::now();
    let mut child = command
        .stdout(file)
        .stderr(errors)
        .spawn()
        .expect("the binary");
    let mut peak_kib = 0;
    let ended = loop {
        if let Some(ended) = child.try_wait().expect("a process") {
            break ended;
        }
        peak_kib = peak_kib.max(peak_of(child.id()).unwrap_or_default());
        thread::sleep(Duration::from_millis(2));
    };
    Measured {
        code: ended.code(),
        took: began.elapsed(),
        peak_kib,
    }
}

/// Peak memory of a running process in KiB.
fn peak_of(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let mut lines = status.lines();
    let kib = lines.find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"))?;
    kib.trim().parse().ok()
}

/// The number of files below a folder, and their bytes.
pub(crate) fn size(folder: &Path) -> (u64, u64) {
    let entries = fs::read_dir(folder).expect("a folder");
    entries.fold((0, 0), |(files, bytes), entry| {
        let path = entry.expect("an entry").path();
        let (more, larger) = match path.is_dir() {
            true => size(&path),
            false => (1, fs::metadata(&path).expect("a file").len()),
        };
        (files + more, bytes + larger)
    })
}
