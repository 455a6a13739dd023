#!/bin/sh
# Runs the commands in docs/for-auditors.md that recompute rows of leavers.csv, on the evidence of the demo. Fails if a
# row in the evidence differs from the computed one.
#
# usage: tests/by_hand.sh FOLDER, which contains the folder evidence
set -eu
page=$(cd "$(dirname "$0")/.." && pwd)/docs/for-auditors.md
commands=$(awk '/^by_hand\(\) \{/, /^\}/' "$page")
cd "$1"/evidence/system=asana/connection=*
for person in N-1005:late N-1006:in_time N-1021:no_account; do
  printed=$(sh -eu -c "$commands
by_hand ${person%%:*}")
  echo "$printed"
  computed=$(echo "$printed" | sed -n 's/^computed //p')
  recorded=$(echo "$printed" | sed -n 's/^recorded //p')
  case $computed in
    *" ${person##*:}") ;;
    *) echo "${person%%:*} is not ${person##*:}" >&2; exit 1 ;;
  esac
  [ "$computed" = "$recorded" ] || { echo "${person%%:*} is recorded differently" >&2; exit 1; }
done
