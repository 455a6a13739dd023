#!/bin/sh
# Runs every SQL example in docs/evidence.md with DuckDB from PyPI. Fails if an example fails or returns no rows.
#
# usage: tests/duckdb.sh FOLDER, which contains the folder evidence
set -eu
page=$(cd "$(dirname "$0")/.." && pwd)/docs/evidence.md
cd "$1"
if ! python3 -c 'import duckdb' 2>/dev/null; then
  if [ -n "${CI:-}" ]; then
    echo 'no duckdb module for python3, and this is continuous integration: pip install duckdb' >&2
    exit 1
  fi
  echo 'skipped: no duckdb module for python3 on this machine'
  exit 0
fi
python3 - "$page" <<'PYTHON'
import re
import sys

import duckdb

with open(sys.argv[1], encoding="utf-8") as page:
    examples = re.findall(r"^```sql\n(.*?)^```$", page.read(), re.MULTILINE | re.DOTALL)
if len(examples) < 4:
    sys.exit("docs/evidence.md has fewer than four SQL examples")
database = duckdb.connect()
for example in examples:
    rows = database.execute(example).fetchall()
    if not rows:
        sys.exit(f"an example returned no rows:\n{example}")
    print(f"{len(rows)} row(s): {example.splitlines()[0]}")
PYTHON
