#!/usr/bin/env bash
# Random sessions straight to a Redis and through the proxy to its twin, bytes compared, for some minutes, from a random seed.
#   scripts/differential.sh [MINUTES] [SEED]    default 10; a failure prints the seed to repeat it with
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/need.sh
minutes=${1:-10} seed=${2:-$RANDOM$RANDOM}
[[ $minutes =~ ^[1-9][0-9]*$ && $seed =~ ^[0-9]+$ ]] || { echo "usage: scripts/differential.sh [MINUTES] [SEED]" >&2; exit 2; }

need_dotnet
need_redis
need util-linux:setpriv
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 MSBUILDDISABLENODEREUSE=1
dotnet build tests/EndToEnd.Tests -c Release -v quiet -warnaserror -p:UseSharedCompilation=false -nodeReuse:false </dev/null
echo "from seed $seed"
DIFFERENTIAL_SECONDS=$((minutes * 60)) DIFFERENTIAL_SEED=$seed \
    dotnet exec tests/EndToEnd.Tests/bin/Release/net10.0/KeyEvt.EndToEnd.Tests.dll -noColor -noLogo -diagnostics \
    -class KeyEvt.EndToEnd.Tests.Fidelity.DifferentialTests </dev/null
