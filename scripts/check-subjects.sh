#!/usr/bin/env bash
# Are the subjects of these commits short enough to be read in a list? Each must have text, and less than 72 characters. Merges are left out: their subjects are made by machines.
#   scripts/check-subjects.sh BASE..HEAD    exit 0, or 1 with each subject that is wrong
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export LC_ALL=C.UTF-8 # lengths are of characters, not of bytes
limit=72
usage() { echo "usage: scripts/check-subjects.sh BASE..HEAD${1:+ ($1)}" >&2; exit 2; }

[[ $# = 1 && $1 = ?*..?* && $1 != *...* ]] || usage
git rev-parse --verify --quiet "${1%%..*}^{commit}" >/dev/null || usage "there is no commit ${1%%..*}"
git rev-parse --verify --quiet "${1##*..}^{commit}" >/dev/null || usage "there is no commit ${1##*..}"

wrong=0 commits=0
while IFS=' ' read -r commit subject; do
    commits=$((commits + 1))
    if [ -z "$subject" ]; then
        echo "$commit has no subject" >&2
    elif [ "${#subject}" -ge "$limit" ]; then
        echo "$commit has ${#subject} characters, $((${#subject} - limit + 1)) too many: $subject" >&2
    else
        continue
    fi
    wrong=$((wrong + 1))
done < <(git log --no-merges --format='%h %s' "$1")

echo "$commits commits, $wrong with a wrong subject"
[ "$wrong" = 0 ]
