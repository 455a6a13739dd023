#!/bin/sh
# usage: sh verify.sh [--head SEQ:HASH]... [--public-key FILE]... FOLDER
#   FOLDER             a copy of the evidence: the folder that contains system=asana
#   --head SEQ:HASH    a ledger entry that was noted elsewhere, as every run prints it; repeatable
#   --public-key FILE  a public key (P-256 or Ed25519, PEM) that you trust; repeatable
#
# Checks the integrity of evidence and shares no code with the program that wrote it. For each connection:
#   1. The chain: entries are numbered without gaps, have the exact form, name the hash of the entry before, and are
#      dated in order. Every entry given with --head is there.
#   2. Signatures: after a signed entry, every entry is signed. With --public-key, only these keys count. Without it,
#      the keys stored next to the ledger are used: that detects accidents, but no forgery.
#   3. Folders of runs and access reviews: the entry has the hashes of SHA256SUMS and manifest.json. Every file has its
#      hash, none is missing, none is extra. The manifest agrees with the entry, with SHA256SUMS, with the earlier
#      entries that it builds on, and with the few lines of result.json, facts.json and review.json that repeat it.
#   4. Folders without an entry are listed. A complete one that is newer than the last entry causes a warning.
# It does not recompute accounts, decisions or access reviews, and it does not look for missing runs:
# `asana-access-review verify` does both. Only --head or --public-key can show that all of the evidence was rewritten.
# Needs a POSIX shell with the usual tools, mktemp and sha256sum; OpenSSL 3 for signatures. It uses no network, runs
# nothing that it reads, and writes only to a temporary folder, which it removes.
# exit 0: integrity holds; 5: it is broken, and each fault is a line `kind place: text`; 2: the command line is wrong,
# or the folder contains no evidence; 1: the check could not be finished

export LC_ALL=C
stop() { printf 'error: %s\n' "$2" >&2; exit "$1"; }
command -v sha256sum >/dev/null || stop 2 'this machine has no sha256sum'
has_openssl=$(openssl pkeyutl -help 2>&1 | grep -e -rawin)
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
case $tmp in /*) ;; *) tmp=$PWD/$tmp ;; esac
for list in heads keys signatures odd hashes sizes; do : >"$tmp/$list"; done

# --- The command line
usage='usage: sh verify.sh [--head SEQ:HASH]... [--public-key FILE]... FOLDER'
# Adds a noted entry, as 42:9f2c… or as a run prints it, to the list heads.
note_head() {
  head=$(printf '%s' "$1" | tr 'A-Z\n' 'a-z ' | sed -n 's/^[a-z ]*0*\([1-9][0-9]*:[0-9a-f]\{64\}\) *$/\1/p')
  [ -n "$head" ] || stop 2 "--head needs SEQ:HASH, as a run prints it, not: $1"
  printf '%s\n' "$head" >>"$tmp/heads"
}
# Stores a public key in a file whose name is its hash, by which entries refer to it.
read_key() {
  [ -n "$has_openssl" ] && openssl pkey -pubin -text -out "$tmp/pem" 2>"$tmp/ignored" <"$1" &&
    grep -q -e '^ED25519 Public-Key' -e '^ASN1 OID: prime256v1' "$tmp/pem" || return
  key=$(openssl pkey -pubin -in "$tmp/pem" -outform DER | sha256sum | cut -c1-64)
  mv "$tmp/pem" "$tmp/$key.pem"
}
while :; do
  case $1 in
  --head) note_head "$2" ;;
  --public-key)
    read_key "$2" || stop 2 "$2 is not a public key in PEM (P-256 or Ed25519), or this machine has no OpenSSL 3"
    printf '%s\n' "$key" >>"$tmp/keys"
    ;;
  --) shift && break ;;
  -*) stop 2 "unknown option $1; $usage" ;;
  *) break ;;
  esac
  shift 2
done
[ $# -eq 1 ] || stop 2 "$usage"
case $1 in /*) ;; *) set -- "./$1" ;; esac
cd "$1" 2>"$tmp/ignored" || stop 2 "the folder $1 does not exist"

# --- The hash and the size of every file
# Links, pipes and files with a control character or a backslash in their names are listed, but never read.
odd='*[[:cntrl:]\\]*'
list_files() {
  find system=asana ! -type d \( ! -type f -o -path "$odd" \) -exec awk 'BEGIN {
    for (i = 1; i < ARGC; i++) { gsub(/[^ -~]|\\/, "?", ARGV[i]); print ARGV[i] }
  }' {} + >"$tmp/odd" &&
    find system=asana -type f ! -path "$odd" -exec sha256sum {} + >"$tmp/unsorted" &&
    find system=asana -type f ! -path "$odd" -exec wc -c {} + >"$tmp/sizes" &&
    sort -k 2 "$tmp/unsorted" >"$tmp/hashes"
}
[ ! -d system=asana ] || list_files || stop 1 'not everything below system=asana could be read'
[ -s "$tmp/heads" ] || grep -q 'system=asana/connection=[^/]*/' "$tmp/hashes" "$tmp/odd" ||
  stop 2 "$1 contains no evidence: it has no folder system=asana/connection=..."

# --- Signatures, by openssl
# Writes a line for each signature: 0 if it is valid, and the hash of its entry. Without key or OpenSSL, no line.
[ -s "$tmp/keys" ] || grep '/keys/[0-9a-f]*\.pem$' "$tmp/hashes" | while read -r _ file; do read_key "$file"; done
[ -z "$has_openssl" ] || grep '/ledger/[0-9]*\.json$' "$tmp/hashes" | while read -r hash entry; do
  key=$(sed -n 's/^  "key_sha256": "\([0-9a-f]*\)"$/\1/p' "$entry")
  signature=${entry%/*}/$hash.sig
  [ -f "$signature" ] && [ ! -h "$signature" ] || continue
  [ -f "$tmp/$key.pem" ] || [ ${#key} -ne 64 ] || grep -q "/keys/$key\.pem$" "$tmp/hashes" || continue
  openssl pkeyutl -verify -pubin -inkey "$tmp/$key.pem" -rawin -in "$entry" -sigfile "$signature" >"$tmp/ignored" 2>&1
  printf '%s %s\n' $? "$hash"
done >"$tmp/signatures"

# --- Everything else, in awk
# The form of a ledger entry: one regular expression for each line.
text='"([^"\\[:cntrl:]]|\\(["\\bfnrt]|u00[01][0-9a-f]))*"'
day='((0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)'
date="([0-9][0-9][0-9][0-9]-$day|[0-9][0-9](0[48]|[2468][048]|[13579][26])-02-29)"
instant="${date}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]*[1-9])?Z"
cat >"$tmp/form" <<TEXT
[{]
  "schema": "asana-access-review/ledger-entry/v1",
  "sequence": (0|[1-9][0-9]*),
  "kind": "(run|failure|review_(open|close|acknowledge))",
  "connection": $text,
  "origin": $text,
  "run": $text,
  "manifest_sha256": $text,
  "sums_sha256": $text,
  "previous_sha256": $text,
  "verdict": $text,
  "complete": (true|false),
  "committed_at": "$instant",
  "retain_until": (null|"$instant"),
  "key_sha256": $text
[}]
TEXT

awk -v now="$(date -u +%Y-%m-%dT%H:%M:%SZ)" -v instant="^$instant\$" '
  BEGIN {
    CONVFMT = "%.0f" # large whole numbers stay whole when they become text
    always["failure"] = "report.html manifest.json"
    always["run"] = always["failure"] " result.json accounts.csv accounts.jsonl.gz leavers.csv leavers.jsonl.gz " \
      "concluded.jsonl.gz findings.csv changes.csv inputs/hr.jsonl.gz inputs/links.jsonl.gz inputs/aliases.csv " \
      "inputs/exceptions.csv inputs/facts.json"
    always["review_open"] = "worksheet.json worksheet.csv worksheet.xlsx worksheet.html manifest.json"
    always["review_close"] = "decisions.csv review.json report.html manifest.json"
    always["review_acknowledge"] = "acknowledgement.json manifest.json"
  }
  # File names and contents can be hostile: no control character is printed.
  function plain(text) { gsub(/[^ -~]/, "?", text); return text }
  function fault(kind, place, text) { faults++; print plain(kind " " place ": " text); return 0 }
  function note(what, text) { notes[connection] = notes[connection] "\n  " what " " plain(text); return 0 }
  function count(n, one, more) { return n + 0 " " (n == 1 ? one : more) }
  # Without the Z, instants sort like their texts: all are in UTC, and no fraction ends in 0.
  function is_before(a, b) { return substr(a, 1, length(a) - 1) "" < substr(b, 1, length(b) - 1) "" }
  # Reads a file into line[]. Returns the number of lines, or 0 if they are not all of its bytes.
  function read_lines(path,  text, n, bytes) {
    if (path in hash) while ((getline text < path) > 0) { line[++n] = text; bytes += length(text) + 1 }
    close(path)
    return bytes == size[path] ? n + 0 : 0
  }
  # Reads JSON with one value on each line, indented by two spaces, into values[], as run.as_of or files.1.name.
  function read_json(path, values,  i, n, level, prefix, items, name, value) {
    split("", values)
    n = read_lines(path)
    for (i = 2; i < n; i++) {
      level = match(line[i], /[^ ]/)
      gsub(/^ +|,$/, "", line[i])
      if (line[i] ~ /^[]}]$/) continue
      name = match(line[i], /^"([^"\\]|\\.)*": /) ? substr(line[i], 2, RLENGTH - 4) : ++items[prefix[level]]
      name = prefix[level] name
      value = substr(line[i], RLENGTH > 0 ? RLENGTH + 1 : 1)
      if (value !~ /^("([^"\\[:cntrl:]]|\\.)*"|[-+.0-9eE]+|true|false|null|[{][}]?|[[][]]?)$/) return 0
      if (name in values) return 0
      values[name] = unquoted(value)
      prefix[level + 2] = name "."
    }
    return n
  }
  function unquoted(value) { return value == "null" ? "" : value ~ /^"/ ? substr(value, 2, length(value) - 2) : value }

  # --- What each file is, by its name
  list == "form" { form[++form_lines] = "^" $0 "$"; next }
  list == "heads" || list == "keys" { is_in[list, $0] = 1; given[list]++; next }
  list == "signatures" { is_good[$2] = $1 == 0; next }
  list == "sizes" { if (match($0, /system=asana\//)) size[substr($0, RSTART)] = $1 + 0; next }
  list == "hashes" { path = substr($0, 67); hash[path] = substr($0, 1, 64) }
  list == "odd" { path = $0 }
  path !~ /^system=asana\/connection=[^\/]*\/./ { next }
  {
    below = substr(path, 14)
    connection = substr(below, 1, index(below, "/") - 1)
    below = substr(below, length(connection) + 2)
    if (!(connection in entries)) { entries[connection] = 0; connection_at[++connections] = connection }
    at = folder_in(below)
  }
  list == "odd" { fault("extra_file", path, "it is not a regular file, or its name has unusual characters"); next }
  below ~ /^ledger\/[0-9]+[.]json$/ && length(below) == 22 { entry[connection, ++entries[connection]] = path; next }
  below ~ /^ledger\/[0-9a-f]+[.]sig$/ && length(below) == 75 || below ~ /^keys\// { next }
  at == "" { fault("extra_file", path, "the job writes no file of this name here"); next }
  {
    below = substr(below, length(at) + 2)
    at = "system=asana/" connection "/" at
    if (!(at in files)) folder[connection, ++folders[connection]] = at
    files[at, ++files[at]] = below
  }
  # The folder of a run, or of a part of an access review, at the start of a name.
  function folder_in(name) {
    folder_name = "^(dt=[A-Za-z0-9-]+/run=|reviews/[A-Za-z0-9][A-Za-z0-9-]*/(open|close|acknowledge)-)[A-Za-z0-9-]+/."
    return match(name, folder_name) ? substr(name, 1, RLENGTH - 2) : ""
  }

  # --- 1. The chain
  function check_connection(  i) {
    total += entries[connection]
    number = before = is_signed = 0
    newest = before_at = ""
    before_hash = sprintf("%064d", 0)
    place = "system=asana/" connection
    if (!entries[connection]) fault("empty_ledger", place, "it has no ledger entry, so nothing in it is evidence")
    for (i = 1; i <= entries[connection]; i++) check_entry(entry[connection, i])
    if (given["keys"] && number && !is_signed)
      fault("missing_signature", place, "keys were given, but no entry is signed")
    if (number) note("ledger  ", number ":" hash[entry[connection, entries[connection]]])
    if (number > longest) longest = number
    list_folders_without_entry()
  }
  function check_entry(path,  wanted) {
    wanted = number + 1
    number = substr(path, length(path) - 14, 10)
    sub(/^0+/, "", number); number += 0 # some awks read a number that begins with 0 as octal
    place = "system=asana/" connection ", ledger entry " number
    if (!number) return fault("extra_file", place, "the first entry is 1: the job writes no entry of this number")
    if (number > wanted) fault("missing_entry", place, "entries from " wanted " on are missing: numbers have no gaps")
    is_met[number ":" hash[path]] = 1
    if (!read_entry(path)) return fault("broken_link", place, "it does not have the exact form of an entry")
    if (e["sequence"] != number) fault("moved", place, "its content is that of entry " e["sequence"])
    if (!is_of(e["connection"], connection)) fault("moved", place, "it belongs to another connection")
    check_link()
    before = number
    before_hash = hash[path]
    before_at = e["committed_at"]
    known[connection, e["sequence"]] = e["run"] "\t" e["manifest_sha256"]
    done[connection, e["sequence"]] = e["kind"] " " e["complete"]
    check_signature(path)
    check_folder()
  }
  # Reads an entry into e[], and returns whether its form is exactly right.
  function read_entry(path,  i) {
    if (size[path] >= 4096 || read_lines(path) != form_lines) return 0
    for (i = 1; i <= form_lines; i++) if (line[i] !~ form[i]) return 0
    return read_json(path, e)
  }
  # A folder is named after its connection. Characters but letters, digits, - and _ are encoded, and match anything.
  function is_of(id, folder) {
    if (folder ~ /[^A-Za-z0-9_=%-]/) return 0
    gsub(/%[0-9A-F][0-9A-F]/, ".+", folder)
    return "connection=" id ~ "^" folder "$"
  }
  function check_link() {
    if (e["sequence"] != before + 1) return # the gap was reported, and no link can cross it
    if (e["previous_sha256"] != before_hash)
      fault("broken_link", place, "its previous_sha256 is not the hash of the entry before it")
    if (is_before(e["committed_at"], before_at))
      fault("went_back", place, "it is dated before entry " before ": a clock was wrong, or entries were backdated")
  }

  # --- 2. Signatures
  function check_signature(path,  signature) {
    if (e["key_sha256"] == "none")
      return is_signed ? fault("missing_signature", place, "it is not signed, but an earlier entry is") : 1
    is_signed = 1
    signature = substr(path, 1, length(path) - 15) hash[path] ".sig"
    if (given["keys"] && !(("keys", e["key_sha256"]) in is_in)) fault("unknown_key", place, "no such key was given")
    else if (!(signature in hash)) fault("missing_signature", place, "it names a key, but its signature is missing")
    else if (!given["keys"] && !(hash[path] in is_good)) unchecked++
    else if (!is_good[hash[path]]) fault("bad_signature", place, "its signature does not match its bytes and its key")
  }

  # --- 3. The folder that an entry commits
  function check_folder(  at, part, is_review, as_of) {
    is_review = e["kind"] ~ /^review_/ && e["run"] ~ /^reviews/
    if (folder_in(e["run"] "/.") != e["run"] || !is_review && e["run"] ~ /^reviews/)
      return fault("disagreement", place, "its run `" e["run"] "` is not the name of a run folder")
    at = "system=asana/" connection "/" e["run"]
    if (at in committed) return fault("moved", place, "entry " committed[at] " commits the same folder, `" e["run"] "`")
    part = at
    sub(/-[0-9TZ]+-[^-]+$/, "", part)
    if (part in committed) fault("disagreement", place, "entry " committed[part] " commits the same part of the review")
    committed[at] = committed[part] = number
    as_of = instant_of(at)
    if (is_before(newest, is_review ? e["committed_at"] : as_of)) newest = is_review ? e["committed_at"] : as_of
    if (as_of == "" || !is_review && index(e["run"], "dt=" substr(as_of, 1, 10) "/") != 1)
      fault("disagreement", place, "its run is in the folder of another day")
    if (is_before(e["committed_at"], as_of)) fault("run_after_commit", place, "the run or the command began after the commit")
    if (check_sums(at) && check_files(at, is_review || e["kind"] == "run" ? e["kind"] : "failure"))
      check_manifest(at, at "/manifest.json", is_review)
  }
  # The instant in the name of a folder, such as run=20261123T224000Z-7f3a9c or close-20261221T091500Z-2b90d4.
  function instant_of(run) {
    sub(/^.*(run=|\/[a-z]+-)/, "", run)
    if (substr(run, 17, 1) != "-") return ""
    run = substr(run, 1, 4) "-" substr(run, 5, 2) "-" substr(run, 7, 5) ":" substr(run, 12, 2) ":" substr(run, 14, 3)
    return run ~ instant ? run : ""
  }
  # After the retention, a store deletes a folder file by file; the files that remain must be unchanged.
  function has_expired() { return e["retain_until"] != "" && !is_before(now, e["retain_until"]) }
  function check_sums(at,  path) {
    path = at "/SHA256SUMS"
    if (!(path in hash) && has_expired()) return note("expired ", at)
    if (!(at in files)) return fault("missing_folder", at, "the folder of a committed run or review is missing")
    if (!(path in hash))
      return fault("missing_file", path, "it is missing, so the files of the folder cannot be checked")
    if (hash[path] != e["sums_sha256"]) return fault("modified", path, "its hash is not the one in entry " number)
    if (!read_sums(path)) return fault("disagreement", path, "it does not have the exact form of SHA256SUMS")
    return ++right
  }
  # Reads SHA256SUMS into sum[] and listed[]: each line is a hash, two spaces and a name, sorted by name.
  function read_sums(path,  i) {
    split("", sum)
    listings = read_lines(path)
    for (i = 1; i <= listings; i++) {
      if (line[i] !~ /^[0-9a-f]+  [^\001-\037\177\\]+$/ || index(line[i], " ") != 65) return 0
      listed[i] = substr(line[i], 67)
      if (i > 1 && listed[i] "" <= listed[i - 1] "") return 0
      sum[listed[i]] = substr(line[i], 1, 64)
    }
    return listings
  }
  # Compares the files with SHA256SUMS, and returns whether none has expired.
  function check_files(at, kind,  i, name, path, other, extra, expired) {
    for (i = 1; i <= files[at]; i++) if (!(files[at, i] in sum)) extra[files[at, i]] = 1
    delete extra["SHA256SUMS"]
    for (i = 1; i <= listings; i++) {
      name = listed[i]
      path = at "/" name
      other = path in hash ? "" : renamed(at, sum[name], extra)
      if (path in hash && hash[path] == sum[name]) is_right[path] = ++right
      else if (path in hash) fault("modified", path, "its bytes differ from those that were hashed")
      else if (other != "") fault("moved", path, "it was renamed to `" other "`")
      else if (has_expired()) expired = 1
      else fault("missing_file", path, "it was there when the folder was committed, and is missing")
      delete extra[other]
    }
    for (name in extra) fault("extra_file", at "/" name, "it was not there when the folder was committed")
    for (i = split(always[kind], always_there, " "); i > 0; i--) if (!(always_there[i] in sum))
      fault("missing_file", at "/" always_there[i], "every such folder has this file, but SHA256SUMS does not list it")
    return expired ? note("expired ", at) : 1
  }
  function renamed(at, sha256, extra,  name) { for (name in extra) if (hash[at "/" name] == sha256) return name }
  function check_manifest(at, path, is_review) {
    if (!(path in is_right)) return
    if (hash[path] != e["manifest_sha256"]) return fault("modified", path, "its hash is not the one in entry " number)
    if (!read_json(path, m)) return fault("disagreement", path, "it does not have the form of a manifest")
    apart = ""
    compare("verdict", m["verdict"], e["verdict"])
    compare("completeness", m["complete"], e["complete"])
    compare("connection", m["connection.id"], e["connection"])
    compare("origin", marked(m[is_review ? "origin" : "sources.truto.origin"]), e["origin"])
    if (is_review) {
      compare("kind", "review_" m["review.part"] (m["opened"] == "{") (m["closed"] == "{"), \
        e["kind"] (e["kind"] != "review_open") (e["kind"] == "review_acknowledge"))
      compare("run", index(e["run"], "reviews/" m["review.id"] "/" m["review.part"] "-"), 1)
    } else {
      compare("kind", m["failure"] == "{" ? "failure" : "run", e["kind"])
      compare("run", "run=" m["run.id"], substr(e["run"], index(e["run"], "/") + 1))
    }
    compare("instant", substr(m[is_review ? "review.at" : "run.as_of"], 1, 19) "Z", instant_of(e["run"]))
    if (apart != "") fault("disagreement", path, "it and entry " number " disagree: " substr(apart, 3))
    if (!describes_its_files(at))
      fault("disagreement", path, "the files it describes are not those that SHA256SUMS lists")
    if (is_review) return check_review(at, path)
    if (m["previous"] != "{" || is_there("previous", path)) if (m["baseline"] == "{") is_there("baseline", path)
    check_repeated(at "/result.json", "as_of|verdict|complete", m["run.as_of"] "\n" e["verdict"] "\n" e["complete"])
    check_repeated(at "/inputs/facts.json", "as_of|run", m["run.as_of"] "\n" e["run"])
  }
  function compare(what, one, other) { if (one "" != other "") apart = apart ", " what }
  # An origin as entries have it: a mark shows evidence that is not from production.
  function marked(origin) {
    if (origin ~ /^[a-z]+:\/\/(localhost|127[.][0-9.]+|\[::1\])([:\/]|$)/) return "TEST DATA: " origin
    if (m["connection.is_sandbox"] == "true") return "SANDBOX: " origin
    return (origin == "https://api.truto.one" ? "" : "NOT FROM api.truto.one: ") origin
  }
  # A manifest must describe each file that SHA256SUMS lists, except itself.
  function describes_its_files(at,  i, name, described) {
    for (i = 1; ("files." i ".name") in m; i++) {
      name = m["files." i ".name"]
      if (name in described || !(name in sum) || sum[name] != m["files." i ".sha256"]) return 0
      if ((at "/" name) in is_right && size[at "/" name] != m["files." i ".bytes"]) return 0
      described[name] = 1
    }
    return i == listings
  }
  # Compares the values of these top-level fields, in the order of the file. Each field is one line.
  function check_repeated(path, fields, values,  text, found) {
    if (!(path in is_right)) return
    while ((getline text < path) > 0) if (substr(text, 1, 3) == "  \"" && text ~ "^  \"(" fields ")\": ") {
      sub(/,$/, "", text)
      found = found "\n" unquoted(substr(text, index(text, ": ") + 2))
    }
    close(path)
    if (found != "\n" values) fault("disagreement", path, "it does not belong to what entry " number " commits")
  }
  # Whether an entry that a manifest builds on comes earlier and has this run and hash. A missing one was reported.
  function is_there(part, path,  n) {
    n = m[part ".sequence"]
    if (n + 0 > 0 && n + 0 < e["sequence"] + 0 && (!((connection, n) in known) ||
      known[connection, n] == m[part ".run"] "\t" m[part ".manifest_sha256"])) return 1
    return fault("disagreement", path, "it names another entry " n " than the ledger contains")
  }
  # An access review must cover a complete run, and its close must match its open.
  function check_review(at, path,  review, was) {
    review = m["review.id"] " " m["review.sha256"] " " m["snapshot.sequence"]
    was = done[connection, m["snapshot.sequence"]]
    if (is_there("snapshot", path) && was != "" && was != "run true")
      fault("disagreement", path, "the entry that it reviews is not a complete run")
    if (e["kind"] == "review_open") {
      done[connection, e["sequence"]] = review
      if (sum["worksheet.json"] != m["review.sha256"])
        fault("disagreement", path, "its worksheet is not the one that it names")
      if (m["verdict"] " " m["complete"] != "inconclusive false")
        fault("disagreement", path, "it opens a review, but states a result")
    }
    was = done[connection, m["opened.sequence"]]
    if (m["opened"] == "{" && is_there("opened", path) && was != "" && was != review && was !~ /^review_open [a-z]+$/)
      fault("disagreement", path, "it does not close what the entry that it names opened")
    check_repeated(at "/review.json", "review|closed_at|review_sha256|verdict|complete", \
      m["review.id"] "\n" m["review.at"] "\n" m["review.sha256"] "\n" m["verdict"] "\n" m["complete"])
    if (m["closed"] == "{" && is_there("closed", path) && !index(m["closed.run"], "/" m["review.id"] "/close-"))
      fault("disagreement", path, "it does not acknowledge the review that it names")
    check_repeated(at "/acknowledgement.json", "review|verdict|complete|acknowledged_at", \
      m["review.id"] "\n" m["verdict"] "\n" m["complete"] "\n" m["review.at"])
  }

  # --- 4. Folders without an entry
  function list_folders_without_entry(  i, at, as_of, newer) {
    for (i = 1; i <= folders[connection]; i++) {
      at = folder[connection, i]
      if (at in committed) continue
      note("no entry", at)
      if ((at "/SHA256SUMS") in hash && is_before(newest, instant_of(at))) newer++
    }
    if (newer) note("WARNING ", count(newer, "complete folder is", "complete folders are") " newer than the last " \
      "entry: the end of the ledger may have been cut off, or a run was stopped just before its commit")
  }

  # --- The answer
  END {
    for (c = 1; c <= connections; c++) { connection = connection_at[c]; check_connection() }
    for (noted in is_in) if (sub("^heads" SUBSEP, "", noted) && !(noted in is_met)) {
      place = "ledger entry " (noted + 0)
      if (noted + 0 <= longest) fault("modified", place, "the entry is not the one of --head")
      else fault("truncated", place, "the entry of --head is missing: the end of the ledger was cut off")
    }
    if (faults) print ""
    for (c = 1; c <= connections; c++) print plain("system=asana/" connection_at[c]) notes[connection_at[c]]
    print ""
    if (!given["heads"]) print "The end of each ledger was not checked: give --head with an entry noted elsewhere."
    if (!given["keys"]) print "No signature was checked with a key that you trust: give --public-key."
    if (unchecked) print count(unchecked, "signature was", "signatures were") " not checked: no key, or no OpenSSL 3."
    if (given["keys"] && !faults) print "The last entry of each ledger is signed with a key that was given."
    print "Not checked here: whether results follow from their inputs, and missing runs (asana-access-review verify)."
    print "Integrity: " (faults ? "broken, " count(faults, "fault", "faults") : "holds") \
      ", " count(total, "entry", "entries") ", " count(right, "file", "files") " with the right hash"
    exit faults ? 5 : 0
  }
' list=form "$tmp/form" list=heads "$tmp/heads" list=keys "$tmp/keys" list=signatures "$tmp/signatures" \
  list=sizes "$tmp/sizes" list=hashes "$tmp/hashes" list=odd "$tmp/odd"
code=$?
[ $code -eq 0 ] || [ $code -eq 5 ] || stop 1 'the evidence could not be checked to the end'
exit $code
