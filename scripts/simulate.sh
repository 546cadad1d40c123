#!/usr/bin/env bash
# The engine in simulated worlds, on one virtual clock, one seed after another, in as many processes as there are cores: scripts/simulate.sh MINUTES [SEED]
# Without SEED it begins at a random one. Prints each failing seed, and stops there; exit code 1. A seed replays exactly:
#   dotnet exec tests/Simulation/bin/Release/net10.0/KeyEvt.Simulation.dll --seed SEED --story FILE    writes what happened in it
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/scripts/need.sh"
minutes=${1:-} seed=${2:-$((RANDOM * 32768 + RANDOM))}
[[ $# -ge 1 && $# -le 2 && $minutes =~ ^[1-9][0-9]*$ && $seed =~ ^[1-9][0-9]{0,8}$ ]] || { echo "usage: scripts/simulate.sh MINUTES [SEED]" >&2; exit 2; }

need_dotnet
log=$(mktemp)
dotnet build "$root/tests/Simulation" -c Release -v quiet --nologo -p:UseSharedCompilation=false -nodeReuse:false >"$log" 2>&1 </dev/null || { cat "$log" >&2; rm -f "$log"; echo "the build failed" >&2; exit 1; }
rm -f "$log"

echo "from seed $seed on"
cores=$(nproc) runs=()
for ((i = 0; i < cores; i++)); do
    dotnet exec "$root/tests/Simulation/bin/Release/net10.0/KeyEvt.Simulation.dll" --seed $((seed + i)) --step "$cores" --minutes "$minutes" &
    runs+=($!)
done
code=0
for run in "${runs[@]}"; do wait "$run" || code=1; done
exit $code
