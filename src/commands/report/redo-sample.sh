#!/bin/sh
# Draws the sample of a pack again, with sha256sum and sort.
#
#   sh tools/redo-sample.sh SEED [LEAVERS] [RUNS]       (in the folder of the pack)
#
# The rank of a leaver is the SHA-256 of SEED:item_id. Leavers whose third column in population-ids.txt is not `-` are
# tested in any case. Of the others whose work ended in the period, the lowest ranks are drawn. Runs are drawn the same
# way by the instant at which they were due; missing, failed and inconclusive runs are tested in any case.
set -eu
LC_ALL=C
export LC_ALL
seed=$1 leavers=${2:-25} runs=${3:-25}

ranked() {  # reads ids, prints rank and id
  while read -r id; do
    printf '%s %s\n' "$(printf '%s:%s' "$seed" "$id" | sha256sum | cut -c1-64)" "$id"
  done | sort
}

echo "population $(sha256sum < population-ids.txt | cut -c1-64)"
echo "leavers, drawn:"
awk '$2 == "in_period" && $3 == "-" { print $1 }' population-ids.txt | ranked | head -n "$leavers"
for why in all_admins all_deviations; do
  echo "leavers, $why:"
  awk -v why="$why" '$3 == why { print $1 }' population-ids.txt | ranked
done

# The first three columns of runs.csv contain no commas: due_at, due_local, state.
due() { sed 1d csv/runs.csv | awk -F, -v states=" $1 " 'index(states, " " $3 " ") { print $1 }'; }
echo "runs, drawn:"
due "pass pass_risk_accepted fail" | ranked | head -n "$runs"
echo "runs, all_deviations:"
due "missing failed inconclusive" | ranked
