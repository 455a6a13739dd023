#!/bin/sh
# Checks a downloaded copy of the evidence with nothing of ours: sh, awk, sed, find, sort, wc, sha256sum, and
# openssl where signatures are checked. No network; nothing is written but a temporary folder.
#
# It reads names, hashes and links, and trusts no file: no content is ever run, and a file is only looked up
# among those that are there, wherever a name in it points. It recomputes neither decisions nor accounts nor
# reviews, and does not compare raw/ with its digests in the manifest.

usage() {
  cat <<'TEXT'
usage: sh verify.sh [--head SEQ:HASH]... [--public-key FILE.pem]... FOLDER

  FOLDER             a copy of what EVIDENCE_URL names: the folder that holds system=asana
  --head SEQ:HASH    a ledger entry noted elsewhere, as every run prints it; repeatable
  --public-key FILE  a public key (P-256 or Ed25519, PEM) that is trusted; repeatable

exit 0: integrity holds; 5: it is broken, each fault on a line; 2: there is nothing to check, or the command
line is wrong; 1: the check could not be finished
TEXT
}

refuse() {
  printf 'error: %s\n' "$1" >&2
  exit 2
}

LC_ALL=C
export LC_ALL
unset CDPATH
umask 077
tab=$(printf '\t')

if command -v sha256sum >/dev/null; then
  sha256='sha256sum'
elif command -v shasum >/dev/null; then
  sha256='shasum -a 256'
else
  refuse 'there is no sha256sum on this machine'
fi

tmp=${TMPDIR:-/tmp}/verify-evidence.$$
case $tmp in /*) ;; *) tmp=$PWD/$tmp ;; esac
# mkdir makes it or fails: nobody can have put anything there before.
mkdir "$tmp" || refuse 'a temporary folder could not be made'
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
facts=$tmp/facts
: >"$facts"
keys=0

# A noted entry becomes a line of the facts: A, its number, its hash.
head_of() {
  printf '%s\n' "$1" | awk '
    { sub(/^[ \t]*(ledger)?[ \t]*/, ""); sub(/[ \t]*$/, ""); $0 = tolower($0) }
    NR > 1 || !/^[0-9]+:[0-9a-f]+$/ { exit 1 }
    { split($0, part, ":"); sub(/^0+/, "", part[1]) }
    part[1] == "" || length(part[2]) != 64 { exit 1 }
    { print "A" part[1] "\t" part[2] }' >>"$facts" ||
    refuse "--head needs SEQ:HASH, as a run prints it, not: $1"
}

# A key that is believed becomes a file of our own, named by its hash, and a line: P, its hash.
pin() {
  command -v openssl >/dev/null || refuse 'there is no openssl on this machine, and --public-key needs it'
  case $1 in /*) key=$1 ;; *) key=./$1 ;; esac
  openssl pkey -pubin -in "$key" -outform DER -out "$tmp/der" 2>"$tmp/said" ||
    refuse "--public-key: $1 is not a public key in PEM"
  pinned=$($sha256 <"$tmp/der" | awk '{ print substr($1, 1, 64) }')
  form=$(openssl pkey -pubin -in "$key" -noout -text | awk '
    /ED25519|Ed25519/ { print "ed25519"; exit }
    /prime256v1|P-256/ { print "p256"; exit }')
  [ -n "$form" ] || refuse "--public-key: $1 is neither P-256 nor Ed25519"
  if [ "$form" = ed25519 ]; then
    openssl pkeyutl -help 2>&1 | grep -q -e '-rawin' || refuse 'Ed25519 needs OpenSSL 3, and this one is older'
  fi
  openssl pkey -pubin -inform DER -in "$tmp/der" -out "$tmp/$pinned.$form" || exit 1
  printf 'P%s\n' "$pinned" >>"$facts"
  keys=$((keys + 1))
}

folder=
while [ $# -gt 0 ]; do
  case $1 in
  --head | --public-key)
    [ $# -gt 1 ] || refuse "$1 needs a value"
    if [ "$1" = --head ]; then head_of "$2"; else pin "$2"; fi
    shift
    ;;
  --head=*) head_of "${1#--head=}" ;;
  --public-key=*) pin "${1#--public-key=}" ;;
  -h | --help)
    usage
    exit 0
    ;;
  --)
    shift
    [ -z "$folder" ] && [ $# -eq 1 ] || refuse 'give one folder; see --help'
    folder=$1
    ;;
  -*) refuse "there is no option $1; see --help" ;;
  *)
    [ -z "$folder" ] || refuse 'give one folder; see --help'
    folder=$1
    ;;
  esac
  shift
done
[ -n "$folder" ] || refuse 'which folder? see --help'
location=$folder
case $folder in /*) ;; *) folder=./$folder ;; esac
[ -d "$folder" ] || refuse "there is no folder $location"
cd "$folder" || refuse "the folder $location cannot be entered"

date -u '+N%Y-%m-%dT%H:%M:%SZ' >>"$facts" || exit 1

# What is below the folder, each fact on a line that begins with a letter. All names begin with ./ so that
# none is an option or an assignment; those with a control character or a backslash are never read.
odd='*[[:cntrl:]\\]*'
runs='./connection=*/dt=*/run=*'
reviews='./connection=*/reviews/*'
if [ -d system=asana ]; then
  cd system=asana || exit 1
  # What cannot be listed would be taken for gone, and a connection that cannot for none.
  find . >/dev/null 2>"$tmp/said" || {
    printf 'error: not everything below %s can be read\n' "$location/system=asana" >&2
    exit 1
  }
  {
    # L a file, O what is no plain file or has no plain name, H a hash, Z a size.
    find . -type f ! -path "$odd" | sort | sed 's/^/L/'
    find . ! -type d \( ! -type f -o -path "$odd" \) -exec awk 'BEGIN {
      for (i = 1; i < ARGC; i++) { gsub(/[\001-\037\177\\]/, "?", ARGV[i]); print "O" ARGV[i] }
    }' {} +
    # shellcheck disable=SC2086 # the command may have arguments
    find . -type f ! -path "$odd" -exec $sha256 {} + | sed 's/^/H/'
    find . -type f ! -path "$odd" -exec wc -c {} + | sed 's/^/Z/'

    # E a ledger entry: whether it has the form of one, the size it then has, and its values.
    find . -path './connection=*/ledger/*.json' -type f ! -path "$odd" -size -4096c -exec awk '
      BEGIN {
        keys = "schema sequence kind connection origin run manifest_sha256 sums_sha256 " \
          "previous_sha256 verdict complete committed_at retain_until key_sha256"
        last = split(keys, key, " ")
      }
      function tell() {
        if (path == "") return
        print "E" path "\t" (good && lines == last + 2 ? "ok" : "bad") "\t" size values
      }
      function valid(name, value) {
        if (name == "sequence") return value ~ /^(0|[1-9][0-9]*)$/
        if (name == "complete") return value ~ /^(true|false)$/
        if (name == "retain_until" && value == "null") return 1
        if (value !~ /^"([^"\\\001-\037]|\\["\\bfnrt]|\\u00[01][0-9a-f])*"$/) return 0
        if (name == "schema") return value == "\"asana-access-review/ledger-entry/v1\""
        if (name == "kind") return value ~ /^"(run|failure|review_open|review_close)"$/
        return 1
      }
      FNR == 1 { tell(); path = FILENAME; lines = size = 0; values = ""; good = 1 }
      { lines++; size += length($0) + 1 }
      lines == 1 { if ($0 != "{") good = 0; next }
      lines == last + 2 { if ($0 != "}") good = 0; next }
      lines > last + 2 { next }
      {
        name = key[lines - 1]
        before = "  \"" name "\": "
        if (substr($0, 1, length(before)) != before) good = 0
        value = substr($0, length(before) + 1)
        if (lines <= last && !sub(/,$/, "", value)) good = 0
        if (!valid(name, value)) good = 0
        if (value == "null") value = ""
        gsub(/^"|"$/, "", value)
        gsub(/\t/, "?", value)
        values = values "\t" value
      }
      END { tell() }' {} +

    # S a line of a SHA256SUMS.
    find . \( -path "$runs/SHA256SUMS" -o -path "$reviews/SHA256SUMS" \) -type f ! -path "$odd" -exec awk '{ print "S" FILENAME "\t" $0 }' {} +

    # M a value of a manifest, as its indentation tells where it belongs; of a result and its facts, too.
    find . \( -path "$runs/manifest.json" -o -path "$reviews/manifest.json" \) -type f ! -path "$odd" -exec awk '
      function value() { v = $0; sub(/^ *"[a-z0-9_]*": /, "", v); sub(/,$/, "", v); return v }
      function text() { v = value(); gsub(/^"|"$/, "", v); return v }
      function tell(what, v) { print "M" FILENAME "\t" what "\t" v }
      FNR == 1 { part = within = "" }
      /^  "[a-z_]+": / { part = $1; within = "" }
      /^    "[a-z_]+": / { within = $1 }
      /^  "verdict": / { tell("verdict", text()) }
      /^  "complete": / { tell("complete", value()) }
      /^  "failure": [{]/ { tell("failure", "") }
      part == "\"connection\":" && /^    "id": / { tell("connection", text()) }
      part == "\"connection\":" && /^    "is_sandbox": / { tell("is_sandbox", value()) }
      part == "\"run\":" && /^    "id": / { tell("run", text()) }
      part == "\"run\":" && /^    "as_of": / { tell("instant", text()) }
      part == "\"review\":" && /^    "(id|part|at|sha256)": / {
        what = $1
        gsub(/[":]/, "", what)
        tell("review_" what, text())
      }
      /^  "origin": / { tell("origin", text()) }
      (part == "\"previous\":" || part == "\"baseline\":" || part == "\"snapshot\":" || part == "\"opened\":") && /^    "(sequence|run|manifest_sha256)": / {
        what = part $1
        gsub(/[":]/, "", what)
        tell(what, text())
      }
      part == "\"sources\":" && within == "\"truto\":" && /^      "origin": / { tell("origin", text()) }
      part != "\"files\":" { next }
      /^    [{]/ { name = sha256 = bytes = "" }
      /^      "name": / { name = text() }
      /^      "sha256": / { sha256 = text() }
      /^      "bytes": / { bytes = value() }
      /^    [}]/ { tell("file", sha256 "\t" bytes "\t" name) }' {} +
    find . \( -path "$runs/result.json" -o -path "$runs/inputs/facts.json" -o -path "$reviews/review.json" \) \
      -type f ! -path "$odd" -exec awk '
      /^  "(verdict|complete|as_of|run|review|review_sha256|closed_at)": / {
        what = $1
        gsub(/[":]/, "", what)
        v = substr($0, length(what) + 7)
        sub(/,$/, "", v)
        gsub(/^"|"$/, "", v)
        print "M" FILENAME "\t" what "\t" v
      }' {} +
  } >>"$facts"

  # G what openssl says of a signature: only of entries that name a key which is believed.
  if [ "$keys" -gt 0 ]; then
    awk '
      { tag = substr($0, 1, 1); rest = substr($0, 2) }
      tag == "P" { pinned[rest] = 1 }
      tag == "L" { there[rest] = 1 }
      tag == "H" { hash[substr(rest, 67)] = substr(rest, 1, 64) }
      tag == "E" { n = split(rest, field, "\t"); key[field[1]] = field[n] }
      END {
        for (entry in key) {
          sig = entry
          sub(/[^\/]*$/, hash[entry] ".sig", sig)
          if (key[entry] in pinned && sig in there) print hash[entry] "\t" key[entry] "\t" sig "\t" entry
        }
      }' "$facts" >"$tmp/signed" || exit 1
    while IFS=$tab read -r hash key sig entry; do
      said=bad
      if [ -f "$tmp/$key.p256" ]; then
        openssl dgst -sha256 -verify "$tmp/$key.p256" -signature "$sig" "$entry" >"$tmp/said" 2>&1 && said=good
      else
        openssl pkeyutl -verify -pubin -inkey "$tmp/$key.ed25519" -rawin -in "$entry" -sigfile "$sig" \
          >"$tmp/said" 2>&1 && said=good
      fi
      printf 'G%s\t%s\n' "$hash" "$said"
    done <"$tmp/signed" >>"$facts"
  fi
fi

awk '
  function fault(kind, place, text) {
    faults++
    # Names and contents may be a stranger'\''s: nothing that moves a cursor.
    gsub(/[^ -~]/, "?", place)
    gsub(/[^ -~]/, "?", text)
    print kind " " place ": " text
  }
  function note(what, text) {
    gsub(/[^ -~]/, "?", text)
    notes[connection] = notes[connection] "  " what " " text "\n"
  }

  # A number with zeros before it, which some awks take for octal.
  function number(text) { sub(/^0+/, "", text); return text + 0 }

  # Whether it is an instant as entries bear it: UTC, no fraction that ends in 0.
  function is_instant(text,  n, days) {
    if (text !~ /^[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9]([.][0-9]*[1-9])?Z$/)
      return 0
    if (length(text) > 30) return 0
    n = number(substr(text, 6, 2))
    if (n < 1 || n > 12 || number(substr(text, 12, 2)) > 23) return 0
    if (number(substr(text, 15, 2)) > 59 || number(substr(text, 18, 2)) > 59) return 0
    days = n == 2 ? 28 : (n == 4 || n == 6 || n == 9 || n == 11) ? 30 : 31
    n = number(substr(text, 1, 4))
    if (days == 28 && (n % 4 == 0 && n % 100 || n % 400 == 0)) days = 29
    n = number(substr(text, 9, 2))
    return n >= 1 && n <= days
  }
  # In an order that text has, too.
  function instant(text) {
    text = substr(text, 1, length(text) - 1)
    return substr(text, 1, 19) "." substr(substr(text, 21) "000000000", 1, 9)
  }
  function is_before(a, b) { return instant(a) "" < instant(b) "" }
  # The instant that a run bears in its name, or nothing.
  function instant_of(run) {
    sub(/^.*run=/, "", run)
    if (run !~ /^[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]T[0-9][0-9][0-9][0-9][0-9][0-9]Z-/) return ""
    run = substr(run, 1, 4) "-" substr(run, 5, 2) "-" substr(run, 7, 2) "T" \
      substr(run, 10, 2) ":" substr(run, 12, 2) ":" substr(run, 14, 2) "Z"
    return is_instant(run) ? run : ""
  }

  # The folder of a connection, from its name as JSON has it.
  function folder_of(json,  out, c, i, n) {
    n = length(json)
    out = "connection="
    for (i = 1; i <= n; i++) {
      c = substr(json, i, 1)
      if (c == "\\") {
        c = substr(json, ++i, 1)
        if (c == "u") {
          out = out "%" toupper(substr(json, i + 3, 2))
          i += 4
          continue
        }
        if (c in unescaped) c = unescaped[c]
      }
      out = out (c ~ /[A-Za-z0-9_-]/ ? c : sprintf("%%%02X", code[c]))
    }
    return out
  }

  function is_hash(text) { return length(text) == 64 && text !~ /[^0-9a-f]/ }

  # SHA256SUMS as it is written, taken apart into sum[] and listed[].
  function read_sums(path,  i, line, size_of_it) {
    split("", sum)
    split("", listed)
    listings = size_of_it = 0
    for (i = 1; i <= sums[path]; i++) {
      line = sums[path, i]
      size_of_it += length(line) + 1
      if (!is_hash(substr(line, 1, 64)) || substr(line, 65, 2) != "  " || length(line) < 67) return 0
      if (line ~ /[\001-\037\177\\]/ || substr(line, 67) in sum) return 0
      sum[substr(line, 67)] = substr(line, 1, 64)
      listed[++listings] = substr(line, 67)
    }
    return size_of_it == size[path]
  }

  # What must be kept no longer goes file by file.
  function may_be_gone() {
    return e["retain_until"] != "" && !is_before(now, e["retain_until"])
  }

  function check_files(at, place, sequence, needed,  i, j, file, extras, found, partly) {
    if (!(("SHA256SUMS") in present) && may_be_gone()) {
      note("expired ", place)
      return 0
    }
    if (!(("SHA256SUMS") in present)) {
      fault("missing_file", place "/SHA256SUMS", "it is gone, so the files of the folder cannot be checked")
      return 0
    }
    if (hash[at "/SHA256SUMS"] != e["sums_sha256"]) {
      fault("modified", place "/SHA256SUMS", "its hash is not the one in entry " sequence)
      return 0
    }
    if (!read_sums(at "/SHA256SUMS")) {
      fault("disagreement", place "/SHA256SUMS", "it does not have the form in which SHA256SUMS is written")
      return 0
    }
    right++
    split("", is_right)
    split("", extra)
    extras = 0
    for (i = 1; i <= files[at]; i++)
      if (files[at, i] != "SHA256SUMS" && !(files[at, i] in sum)) extra[++extras] = files[at, i]
    for (i = 1; i <= listings; i++) {
      file = listed[i]
      if (file in present) {
        if (hash[at "/" file] != sum[file])
          fault("modified", place "/" file, "its bytes differ from those that were hashed when the run was committed")
        else {
          right++
          is_right[file] = 1
        }
        continue
      }
      found = 0
      for (j = 1; j <= extras; j++)
        if (extra[j] != "" && hash[at "/" extra[j]] == sum[file]) found = j
      if (found) {
        fault("moved", place "/" file, "it lies under the name `" extra[found] "`")
        extra[found] = ""
      } else if (may_be_gone())
        partly = 1
      else
        fault("missing_file", place "/" file, "it belonged to the run when that was committed, and is gone")
    }
    for (j = 1; j <= extras; j++)
      if (extra[j] != "") fault("extra_file", place "/" extra[j], "it did not belong to the run when that was committed")
    extras = split(needed in always ? always[needed] : "report.html manifest.json", extra, " ")
    for (j = 1; j <= extras; j++)
      if (!(extra[j] in sum)) fault("missing_file", place "/" extra[j], "SHA256SUMS does not list it")
    if (partly) note("expired ", place)
    return !partly && ("manifest.json" in is_right)
  }

  # A manifest describes the files that SHA256SUMS lists, itself left out.
  function check_described(at, path, place,  i, part, name) {
    split("", described)
    for (i = 1; i <= told[path, "file"]; i++) {
      split(manifest[path, "file", i], part, "\t")
      name = part[3]
      described[name] = 1
      if (!(name in sum)) fault("disagreement", place, "it describes " name ", which SHA256SUMS does not list")
      else if (sum[name] != part[1] || name in is_right && size[at "/" name] != part[2])
        fault("disagreement", place, "it describes another " name " than the one stored")
    }
    for (i = 1; i <= listings; i++)
      if (!(listed[i] in described) && listed[i] != "manifest.json")
        fault("disagreement", place, "it does not describe " listed[i] ", which SHA256SUMS lists")
  }

  # The origin as an entry names it: after a mark, if the accounts are not a real workspace, read from Truto itself.
  function is_origin(entry, origin, is_sandbox) {
    if (origin == "https://api.truto.one") return entry == (is_sandbox == "true" ? "SANDBOX: " : "") origin
    return entry == "TEST DATA: " origin ||
      entry == (is_sandbox == "true" ? "SANDBOX: " : "NOT FROM api.truto.one: ") origin
  }

  function check_manifest(at, place, sequence,  path, apart, origin, i, part, name) {
    path = at "/manifest.json"
    place = place "/manifest.json"
    if (hash[path] != e["manifest_sha256"]) {
      fault("modified", place, "its hash is not the one in entry " sequence)
      return
    }
    # Each stands there once: what stands there twice can be read two ways.
    split("verdict complete connection run instant origin", part, " ")
    for (i in part) if (told[path, part[i]] != 1) {
      fault("disagreement", place, "it does not have the form in which manifests are written")
      return
    }
    origin = manifest[path, "origin"]
    apart = ""
    if (manifest[path, "verdict"] != e["verdict"]) apart = apart ", verdict"
    if (manifest[path, "complete"] != e["complete"]) apart = apart ", completeness"
    if (e["kind"] !~ /^(run|failure)$/ || (told[path, "failure"] == 1) != (e["kind"] == "failure"))
      apart = apart ", kind"
    if (manifest[path, "connection"] != e["connection"]) apart = apart ", connection"
    name = e["run"]
    sub(/^.*\/run=/, "", name)
    if (manifest[path, "run"] != name) apart = apart ", run"
    if (!is_instant(manifest[path, "instant"]) ||
        substr(manifest[path, "instant"], 1, 19) "Z" != instant_of(e["run"])) apart = apart ", instant"
    if (!is_origin(e["origin"], origin, manifest[path, "is_sandbox"])) apart = apart ", origin"
    if (apart != "") fault("disagreement", place, "it and entry " sequence " disagree: " substr(apart, 3))

    note_references(path, place, e["sequence"] + 0)

    check_described(at, path, place)
    if ("result.json" in is_right) {
      apart = differs(at "/result.json", "verdict", e["verdict"]) differs(at "/result.json", "complete", e["complete"])
      apart = apart differs(at "/result.json", "as_of", manifest[path, "instant"])
      if (apart != "") fault("disagreement", at_place(at) "/result.json", "it and entry " sequence " disagree: " substr(apart, 3))
    }
    if ("inputs/facts.json" in is_right) {
      apart = differs(at "/inputs/facts.json", "run", e["run"])
      apart = apart differs(at "/inputs/facts.json", "as_of", manifest[path, "instant"])
      if (apart != "") fault("disagreement", at_place(at) "/inputs/facts.json", "it and entry " sequence " disagree: " substr(apart, 3))
    }
  }
  function differs(path, what, value) {
    return told[path, what] == 1 && manifest[path, what] == value ? "" : ", " what
  }

  # The runs that a manifest builds on: looked up when all entries are known. A review builds on a
  # complete run, and its closing on the entry that opened it.
  function note_references(path, place, sequence,  i, part) {
    split("previous baseline snapshot opened", part, " ")
    for (i in part) if ((path, part[i] "sequence") in manifest) {
      references++
      referrer[references] = place
      referrer_sequence[references] = sequence
      referred_as[references] = part[i]
      # What is looked up is there from then on: only where it is anyhow.
      if (part[i] == "opened") {
        of_review[references] = manifest[path, "review_id"]
        review_hash[references] = manifest[path, "review_sha256"]
        review_night[references] = manifest[path, "snapshotsequence"] "\t" manifest[path, "snapshotrun"]
      }
      referred[references] = manifest[path, part[i] "sequence"] "\t" manifest[path, part[i] "run"] "\t" \
        manifest[path, part[i] "manifest_sha256"]
    }
  }
  function check_referred(i, sequence, run) {
    if (referred_as[i] == "snapshot") {
      if (kind_of[sequence] != "run")
        fault("disagreement", referrer[i], "entry " sequence ", which it reviews, is not a judged run")
      else if (complete_of[sequence] != "true")
        fault("disagreement", referrer[i], "the run of entry " sequence ", which it reviews, is not complete")
    } else if (referred_as[i] == "opened") {
      if (kind_of[sequence] != "review_open" || run != "reviews/" of_review[i] "/open")
        fault("disagreement", referrer[i], "entry " sequence " does not open the review that it closes")
      else if (sequence in review_of && review_of[sequence] != review_hash[i])
        fault("disagreement", referrer[i], "its decisions are about another worksheet than the one of the opening")
      else if (sequence in night_of && night_of[sequence] != review_night[i])
        fault("disagreement", referrer[i], "it names another run than the one that was reviewed")
    }
  }
  function check_references(  i, part, seen) {
    for (i = 1; i <= references; i++) {
      split(referred[i], part, "\t")
      if (part[1] + 0 > 0 && part[1] + 0 < referrer_sequence[i] &&
          (!(part[1] in run_of) || run_of[part[1]] == part[2] "\t" part[3])) {
        if (part[1] in run_of) check_referred(i, part[1], part[2])
        continue
      }
      if (!((referrer[i], part[1]) in seen))
        fault("disagreement", referrer[i], "it builds on an entry " part[1] " that is not the one in the ledger")
      seen[referrer[i], part[1]] = 1
    }
  }

  function at_place(at) { return "system=asana" substr(at, 2) }

  # A part of a periodic review: its manifest against entry, sums and the entries it builds on.
  function check_review(at, place, sequence,  path, apart, origin, i, part, name) {
    path = at "/manifest.json"
    place = place "/manifest.json"
    if (hash[path] != e["manifest_sha256"]) {
      fault("modified", place, "its hash is not the one in entry " sequence)
      return
    }
    split("verdict complete connection origin review_id review_part review_at review_sha256 snapshotsequence", part, " ")
    for (i in part) if (told[path, part[i]] != 1) {
      fault("disagreement", place, "it does not have the form in which manifests of reviews are written")
      return
    }
    origin = manifest[path, "origin"]
    name = substr(e["kind"], 8)
    apart = ""
    if (manifest[path, "verdict"] != e["verdict"]) apart = apart ", verdict"
    if (manifest[path, "complete"] != e["complete"]) apart = apart ", completeness"
    if (manifest[path, "review_part"] != name || (told[path, "openedsequence"] == 1) != (name == "close"))
      apart = apart ", kind"
    if (manifest[path, "connection"] != e["connection"]) apart = apart ", connection"
    if ("reviews/" manifest[path, "review_id"] "/" name != e["run"]) apart = apart ", run"
    if (!is_origin(e["origin"], origin, manifest[path, "is_sandbox"])) apart = apart ", origin"
    if (apart != "") fault("disagreement", place, "it and entry " sequence " disagree: " substr(apart, 3))
    note_references(path, place, e["sequence"] + 0)
    check_described(at, path, place)
    if (is_instant(manifest[path, "review_at"]) && is_before(e["committed_at"], manifest[path, "review_at"]))
      fault("run_after_commit", place, "it is dated " manifest[path, "review_at"] ", after the commit")
    apart = manifest[path, "review_sha256"]
    if (name == "open") {
      if (sum["worksheet.json"] != apart) fault("disagreement", place, "its worksheet is not the one that it names")
      if (manifest[path, "verdict"] != "inconclusive" || manifest[path, "complete"] != "false")
        fault("disagreement", place, "it opens a review, and states a result")
      review_of[e["sequence"] + 0] = apart
      night_of[e["sequence"] + 0] = manifest[path, "snapshotsequence"] "\t" manifest[path, "snapshotrun"]
      return
    }
    if (!("review.json" in is_right)) return
    path = at "/review.json"
    if (differs(path, "verdict", e["verdict"]) differs(path, "complete", e["complete"]) \
        differs(path, "review_sha256", apart) differs(path, "review", manifest[at "/manifest.json", "review_id"]) \
        differs(path, "closed_at", manifest[at "/manifest.json", "review_at"]) != "")
      fault("disagreement", at_place(at) "/review.json", "it and the manifest disagree")
  }

  function check_run(sequence, place,  at, i, as_of, is_review) {
    is_review = e["kind"] ~ /^review_/ && e["run"] ~ /^reviews\/[A-Za-z0-9][A-Za-z0-9-]*\/(open|close)$/
    if (!is_review && e["run"] !~ /^dt=[A-Za-z0-9-]+\/run=[A-Za-z0-9-]+$/) {
      fault("disagreement", place, "its run `" e["run"] "` is not the name of a run folder")
      return
    }
    at = "./" connection "/" e["run"]
    if (at in committed) {
      fault("moved", place, "entry " committed[at] " commits the same run, `" e["run"] "`")
      return
    }
    committed[at] = sequence
    as_of = is_review ? "" : instant_of(e["run"])
    if (is_review) note_newest(e["committed_at"])
    if (as_of != "") {
      note_newest(as_of)
      if (is_before(e["committed_at"], as_of))
        fault("run_after_commit", place, "its run began at " as_of ", after the commit")
      if (index(e["run"], "dt=" substr(as_of, 1, 10) "/") != 1)
        fault("disagreement", place, "its run lies in the folder of another day")
    }
    place = at_place(at)
    if (!(at in files)) {
      if (may_be_gone()) note("expired ", place)
      else fault("missing_folder", place, "the folder of a committed run is gone")
      return
    }
    split("", present)
    for (i = 1; i <= files[at]; i++) present[files[at, i]] = 1
    if (!check_files(at, place, sequence, is_review || e["kind"] == "run" ? e["kind"] : "")) return
    if (is_review) check_review(at, place, sequence)
    else check_manifest(at, place, sequence)
  }

  function check_signature(place, path,  key, sig) {
    key = e["key_sha256"]
    if (key == "none") {
      if (!was_signed) return
      doubted = path
      fault("missing_signature", place, "it is not signed, and an entry before it is")
      return
    }
    was_signed = 1
    signed++
    doubted = path
    sig = path
    sub(/[^\/]*$/, hash[path] ".sig", sig)
    if (!(sig in there)) fault("missing_signature", place, "it names a key, and the signature is gone")
    else if (pins && !(key in pinned)) fault("unknown_key", place, "it is signed with the key " key ", which was not given")
    else if (pins && signature[hash[path]] != "good")
      fault("bad_signature", place, "its signature does not match its bytes and the key that it names")
    else {
      doubted = ""
      if (pins) vouched = path
    }
  }

  function note_newest(at) { if (newest == "" || is_before(newest, at)) newest = at }

  # A complete folder without an entry that is newer than every entry: the end of the chain may be cut off.
  function check_newer(at,  i, is_complete, as_of) {
    for (i = 1; i <= files[at]; i++) if (files[at, i] == "SHA256SUMS") is_complete = 1
    as_of = told[at "/manifest.json", "review_at"] ? manifest[at "/manifest.json", "review_at"] : instant_of(at)
    if (!is_complete || !is_instant(as_of) || newest != "" && !is_before(newest, as_of)) return
    if (!newer[connection]++) newer_first[connection] = at
  }

  function check_connection(  i, n, path, place, sequence, wanted, before, field, many) {
    for (i = 1; i <= strangers[connection]; i++)
      fault("extra_file", "system=asana/" strangers[connection, i], strange[connection, i])
    references = 0
    split("", run_of)
    split("", review_of)
    split("", night_of)
    wanted = 1
    before = vouched = doubted = was_signed = newest = ""
    for (n = 1; n <= entries[connection]; n++) {
      path = entries[connection, n]
      sequence = path
      sub(/^.*\//, "", sequence)
      sub(/[.]json$/, "", sequence)
      sequence = number(sequence)
      place = "system=asana/" connection ", ledger entry " sequence
      if (sequence == 0) {
        fault("extra_file", place, "the first entry is 1: the job writes no entry of this number")
        continue
      }
      if (sequence > wanted) {
        many = sequence - wanted
        many = many == 1 ? "entry " wanted " is missing" : many " entries from " wanted " on are missing"
        fault("missing_entry", place, many ": numbers have no gaps, so this is a deletion")
      }
      wanted = sequence + 1
      head[connection] = sequence ":" hash[path]
      for (i = 1; i <= anchors; i++) if (anchor[i] == head[connection]) met[i] = 1
      if (form[path] != "ok" || written[path] != size[path]) {
        if (!(path in hash)) many = "it cannot be read"
        else if (size[path] >= 4096) many = "it is larger than any entry"
        else many = "it does not have the form in which entries are written"
        fault("broken_link", place, many)
        before = ""
        continue
      }
      split(values[path], field, "\t")
      for (i = 1; i <= last; i++) e[key[i]] = field[i]
      if (!is_instant(e["committed_at"]) || e["retain_until"] != "" && !is_instant(e["retain_until"])) {
        fault("broken_link", place, "its instants do not have the form of those in entries")
        before = ""
        continue
      }
      if (e["sequence"] == sequence) {
        run_of[sequence] = e["run"] "\t" e["manifest_sha256"]
        kind_of[sequence] = e["kind"]
        complete_of[sequence] = e["complete"]
      }
      else fault("moved", place, "its content is that of entry " e["sequence"])
      if (folder_of(e["connection"]) != connection) fault("moved", place, "it belongs to another connection")
      if (e["sequence"] == 1) {
        if (e["previous_sha256"] !~ /^0+$/ || length(e["previous_sha256"]) != 64)
          fault("broken_link", place, "it is the first entry and names a predecessor")
      } else if (before != "" && sequence_before + 1 == e["sequence"]) {
        if (e["previous_sha256"] != hash[before])
          fault("broken_link", place, "its previous_sha256 is not the hash of entry " sequence_before)
        if (is_before(e["committed_at"], committed_before))
          fault("went_back", place, "it was committed at " e["committed_at"] ", before entry " sequence_before)
      }
      before = path
      sequence_before = sequence
      committed_before = e["committed_at"]
      check_signature(place, path)
      check_run(sequence, place)
    }
    check_references()
    n = entries[connection]
    if (!n) fault("empty_ledger", "system=asana/" connection, "it has no ledger entry, so nothing in it is evidence")
    if (pins && n && vouched != entries[connection, n] && doubted != entries[connection, n])
      fault("missing_signature", place, "the last entry is not signed with a key that was given")
    for (i = 1; i <= runs[connection]; i++)
      if (!(runs[connection, i] in committed)) {
        note("no entry", at_place(runs[connection, i]))
        check_newer(runs[connection, i])
      }
    if (wanted > longest) longest = wanted
  }

  function count(n, one, more) { return n + 0 " " (n == 1 ? one : more) }

  BEGIN {
    # Large whole numbers stay whole when they become text.
    CONVFMT = "%.0f"
    last = split("schema sequence kind connection origin run manifest_sha256 sums_sha256 " \
      "previous_sha256 verdict complete committed_at retain_until key_sha256", key, " ")
    always["run"] = "accounts.csv accounts.jsonl.gz leavers.csv leavers.jsonl.gz findings.csv changes.csv " \
      "result.json inputs/hr.jsonl.gz inputs/aliases.csv inputs/exceptions.csv inputs/facts.json " \
      "report.html manifest.json"
    always["review_open"] = "worksheet.json worksheet.csv worksheet.xlsx worksheet.html manifest.json"
    always["review_close"] = "decisions.csv review.json report.html manifest.json"
    for (i = 1; i < 256; i++) code[sprintf("%c", i)] = i
    unescaped["b"] = "\b"; unescaped["f"] = "\f"; unescaped["n"] = "\n"
    unescaped["r"] = "\r"; unescaped["t"] = "\t"
  }

  { tag = substr($0, 1, 1); rest = substr($0, 2) }
  tag == "N" { now = rest; next }
  tag == "A" { split(rest, part, "\t"); anchor[++anchors] = part[1] ":" part[2]; next }
  tag == "P" { pinned[rest] = 1; pins++; next }
  tag == "G" { split(rest, part, "\t"); signature[part[1]] = part[2]; next }
  tag == "H" { hash[substr(rest, 67)] = substr(rest, 1, 64); next }
  tag == "Z" && match(rest, /[.]\//) { size[substr(rest, RSTART)] = substr(rest, 1, RSTART - 1) + 0; next }
  tag == "E" {
    split(rest, part, "\t")
    form[part[1]] = part[2]
    written[part[1]] = part[3]
    values[part[1]] = substr(rest, length(part[1] part[2] part[3]) + 4)
    next
  }
  tag == "S" || tag == "M" {
    tabbed = index(rest, "\t")
    path = substr(rest, 1, tabbed - 1)
    rest = substr(rest, tabbed + 1)
  }
  tag == "S" { sums[path, ++sums[path]] = rest; next }
  tag == "M" {
    tabbed = index(rest, "\t")
    what = substr(rest, 1, tabbed - 1)
    rest = substr(rest, tabbed + 1)
    told[path, what]++
    if (what == "file") manifest[path, what, told[path, what]] = rest
    else manifest[path, what] = rest
    next
  }
  tag != "L" && tag != "O" { next }
  rest !~ /^[.]\/connection=[^\/]*\/./ { next }
  {
    path = rest
    connection = substr(rest, 3)
    below = connection
    sub(/\/.*/, "", connection)
    below = substr(below, length(connection) + 2)
    if (!(connection in known)) { known[connection] = 1; connections[++n_connections] = connection }
  }
  tag == "O" {
    strangers[connection, ++strangers[connection]] = connection "/" below
    strange[connection, strangers[connection]] = "it is not a regular file, or its name has control characters, so it was not read"
    next
  }
  { there[path] = 1 }
  below ~ /^ledger\/[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][.]json$/ {
    entries[connection, ++entries[connection]] = path
    total++
    next
  }
  below ~ /^ledger\/[0-9a-f]+[.]sig$/ && length(below) == 75 || below ~ /^keys\// { next }
  match(below, /^reviews\/[A-Za-z0-9][A-Za-z0-9-]*\/(open|close)\//) && length(below) > RLENGTH {
    at = "./" connection "/" substr(below, 1, RLENGTH - 1)
    if (!(at in files)) runs[connection, ++runs[connection]] = at
    files[at, ++files[at]] = substr(below, RLENGTH + 1)
    next
  }
  match(below, /^dt=[A-Za-z0-9-]+\/run=[A-Za-z0-9-]+\//) && length(below) > RLENGTH {
    at = "./" connection "/" substr(below, 1, RLENGTH - 1)
    if (!(at in files)) runs[connection, ++runs[connection]] = at
    files[at, ++files[at]] = substr(below, RLENGTH + 1)
    next
  }
  {
    strangers[connection, ++strangers[connection]] = connection "/" below
    strange[connection, strangers[connection]] = "the job writes no file of this name here"
  }

  END {
    for (c = 1; c <= n_connections; c++) {
      connection = connections[c]
      check_connection()
    }
    if (!n_connections && !anchors) exit 3
    for (i = 1; i <= anchors; i++) if (!(i in met)) {
      split(anchor[i], part, ":")
      if (part[1] + 0 >= longest + 0)
        fault("truncated", "ledger entry " part[1], "the entry of --head is gone: the end of the ledger was cut off")
      else fault("modified", "ledger entry " part[1], "the entry is not the one of --head")
    }
    if (faults) print ""
    for (c = 1; c <= n_connections; c++) {
      connection = connections[c]
      shown = "system=asana/" connection
      gsub(/[^ -~]/, "?", shown)
      print shown
      print "  entries  " entries[connection] + 0
      if (head[connection] != "") print "  ledger   " head[connection]
      printf "%s", notes[connection]
    }
    for (c = 1; c <= n_connections; c++) if (n = newer[connections[c]]) {
      print "\nWARNING: the end of the ledger may have been cut off: " count(n, "complete folder is", "complete folders are")
      print "newer than the newest ledger entry, and have no entry; the first is"
      print at_place(newer_first[connections[c]]) "."
      print "A run that was stopped just before its commit, or is running now, looks the same."
    }
    print ""
    if (!anchors) print "The end of each ledger was not checked: give --head with an entry that was noted elsewhere."
    if (pins && !faults) print "The last entry of each ledger is signed with a key that was given."
    if (!pins && signed) print "Signatures were not checked: give --public-key."
    if (!pins && !anchors) print "Anyone who can write to the store could have written all of it anew."
    print "Decisions, accounts and reviews were not recomputed, and missing runs were not looked for:"
    print "`asana-access-review verify` does that."
    print "Integrity: " (faults ? "broken, " count(faults, "fault", "faults") : "holds") \
      ", " count(total, "entry", "entries") ", " count(right, "file", "files") " with the right hash"
    exit faults ? 5 : 0
  }' "$facts"
code=$?
case $code in
0 | 5) exit $code ;;
3) refuse "$location holds no evidence: it has no folder system=asana/connection=..." ;;
*)
  printf 'error: the evidence could not be checked to the end\n' >&2
  exit 1
  ;;
esac
