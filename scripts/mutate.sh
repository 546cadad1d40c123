#!/usr/bin/env bash
# Changes one operator, constant or condition of src at a time and looks whether a test that needs no servers fails: scripts/mutate.sh COUNT [SEED]
# Prints a line for each change, a table by folder, and "N killed, N survived". What the options are and what a survivor means: docs/contributing/mutation.md
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/need.sh
need_dotnet
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 MSBUILDDISABLENODEREUSE=1

# Named ones take the place of all.
tests=(--tests tests/Resp.Tests --tests tests/Forwarder.Tests --tests tests/Proxy.Tests)
[[ " $* " == *" --tests "* ]] && tests=()

log=$(mktemp)
dotnet build tests/Mutation -c Release -v quiet --nologo -p:UseSharedCompilation=false -nodeReuse:false >"$log" 2>&1 </dev/null || { cat "$log" >&2; rm -f "$log"; echo "the build failed" >&2; exit 1; }
rm -f "$log"
exec dotnet exec tests/Mutation/bin/Release/net10.0/KeyEvt.Mutation.dll "$@" "${tests[@]}"
