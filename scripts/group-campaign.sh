#!/usr/bin/env bash
# Long runs of a group of proxies on private servers, 5,000 events a second: takeovers of each kind, a rolling restart, all killed, and what it costs Redis.
#   scripts/group-campaign.sh [ROUNDS] [PART,PART...]    default 20 rounds of all parts: lone steady kill term feed broker stop rolling gone cost; an hour and a half
# ROUNDS is the number of faults of each kind, and of minutes of the rolling restart. Prints a line for each part; exit 1 if one of them broke a promise.
# The program is the one that PROGRAM_UNDER_TEST names, or is built here.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/scripts/need.sh"
rounds=${1:-20} parts=${2:-}
[[ $# -le 2 && $rounds =~ ^[1-9][0-9]*$ && $parts =~ ^[a-z,]*$ ]] || { echo "usage: scripts/group-campaign.sh [ROUNDS] [PART,PART...]" >&2; exit 2; }

need_dotnet
need_redis
need_rabbitmq
need util-linux:setpriv

log=$(mktemp)
trap 'rm -f "$log"' EXIT
dotnet build "$root/bench/Load" -c Release -v quiet --nologo -p:UseSharedCompilation=false -nodeReuse:false >"$log" 2>&1 </dev/null || { cat "$log" >&2; echo "the build failed" >&2; exit 1; }
dotnet exec "$root/bench/Load/bin/Release/net10.0/KeyEvt.Bench.Load.dll" group --rounds "$rounds" ${parts:+--ways "$parts"} | tee "$log"
! grep -q 'FAILED' "$log"
