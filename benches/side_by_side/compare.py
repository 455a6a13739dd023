"""Compares a run with a bare loop and a short script; see README.md."""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
RELEASE = HERE.parent.parent / "target" / "release"
# Read from tests/simulator/src/lib.rs.
CONSTANTS = {"TOKEN": None, "CONNECTION_ID": None, "WORKSPACE_ID": None}


def constants():
    source = (HERE.parent.parent / "tests/simulator/src/lib.rs").read_text()
    for name in CONSTANTS:
        line = next(line for line in source.splitlines() if line.startswith(f"pub const {name}: &str"))
        CONSTANTS[name] = line.split('"')[1]


def measured(command, environment, folder):
    """Wall seconds, CPU seconds and peak MiB of one process."""
    began = time.monotonic()
    with open(os.path.join(folder, "output"), "w") as output:
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
    took = time.monotonic() - began
    process.returncode = code = os.waitstatus_to_exitcode(status)
    if code not in (0, 3, 4):
        sys.exit(f"{command[0]} ended with {code}: " + open(os.path.join(folder, "output")).read()[-2000:])
    unit = 1 if sys.platform == "darwin" else 1024
    return took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit / 2**20


def hr_file(path, accounts):
    with open(path, "w") as file:
        file.write("Employee ID,Name,Work Email,Status,Termination Date\n")
        for number in range(1, accounts + 1):
            ended = number % 20 == 0
            status, end = ("Terminated", "2026-01-31") if ended else ("Active", "")
            file.write(f"E{number},Person {number},person{number}@example.com,{status},{end}\n")


def compare(accounts, times, port):
    address = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [RELEASE / "truto-simulator", "--port", str(port), "--accounts", str(accounts), "--rate-limit", "off"],
        stdout=subprocess.DEVNULL,
    )
    rows = {name: [] for name in ("first run", "next run", "bare", "Python")}
    folder = tempfile.mkdtemp()
    try:
        for _ in range(100):
            try:
                urllib.request.urlopen(address)
            except urllib.error.HTTPError:
                break
            except OSError:
                time.sleep(0.05)
        hr_file(os.path.join(folder, "hr.csv"), accounts)
        run = {
            "TRUTO_BASE_URL": address,
            "TRUTO_API_TOKEN": CONSTANTS["TOKEN"],
            "TRUTO_INTEGRATED_ACCOUNT_ID": CONSTANTS["CONNECTION_ID"],
            "TRUTO_RATE_LIMIT": "off",
            "HR_FEED_URL": "hr.csv",
            "HR_FEED_SCOPE": "roster",
            "EVIDENCE_URL": "evidence",
            "RUST_LOG": "off",
        }
        where = [address, CONSTANTS["TOKEN"], CONSTANTS["CONNECTION_ID"], CONSTANTS["WORKSPACE_ID"]]
        for _ in range(times):
            shutil.rmtree(os.path.join(folder, "evidence"), ignore_errors=True)
            for name in ("first run", "next run"):
                rows[name].append(measured([RELEASE / "asana-access-review"], run, folder))
            bare = [RELEASE / "examples" / "fetch_parse_drop", *where]
            rows["bare"].append(measured(bare, {}, folder))
            script = [sys.executable, HERE / "review.py", *where, "hr.csv"]
            rows["Python"].append(measured(script, dict(os.environ), folder))
    finally:
        server.terminate()
        shutil.rmtree(folder)
    print(f"\n{accounts:,} accounts, medians of {times}\n")
    print("| program | wall s | CPU s | CPU against bare | peak MiB |\n|---|---|---|---|---|")
    medians = {name: [statistics.median(values) for values in zip(*found)] for name, found in rows.items()}
    for name, (wall, cpu, peak) in medians.items():
        print(f"| {name} | {wall:.2f} | {cpu:.2f} | {cpu / medians['bare'][1]:.1f} × | {peak:.0f} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, nargs="+", default=[1000, 10000, 100000])
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--port", type=int, default=7719)
    given = parser.parse_args()
    constants()
    for count in given.accounts:
        compare(count, given.times, given.port)
