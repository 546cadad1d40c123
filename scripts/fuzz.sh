#!/usr/bin/env bash
# Fuzzes the request framer against the slow reference with AFL++ for some minutes, from the corpus in tests/Corpus/framer.
#   scripts/fuzz.sh [MINUTES]    default 5
# The last line is "N executions, N crashes, N hangs, N new inputs"; exit 1 if there was a crash or a hang. Crashes stay in artifacts/fuzz/default/crashes:
# their exception is shown by   dotnet exec tests/Fuzz/bin/Release/net10.0/KeyEvt.Fuzz.dll replay FILE
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/need.sh
minutes=${1:-5}
[[ $minutes =~ ^[1-9][0-9]*$ ]] || { echo "usage: scripts/fuzz.sh [MINUTES]" >&2; exit 2; }

need_dotnet
need_afl
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 MSBUILDDISABLENODEREUSE=1
dotnet tool restore >/dev/null
# Instrumented is a copy: the build's own output stays as it is.
out=artifacts/fuzz program=artifacts/fuzz-program
rm -rf "$out" "$program"
mkdir -p "$out"
dotnet build tests/Fuzz -c Release -v quiet -warnaserror -p:UseSharedCompilation=false -nodeReuse:false -o "$program" </dev/null
dotnet sharpfuzz "$program/KeyEvt.Resp.dll"

# No core files are wanted, nor a fixed core or a certain clock: it shares the machine. A pipe in core_pattern only delays the notice of a crash by a second.
export AFL_SKIP_BIN_CHECK=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 AFL_NO_UI=1 AFL_FORKSRV_INIT_TMOUT=30000
export DOTNET_TieredPGO=0
afl-fuzz -V $((minutes * 60)) -i tests/Corpus/framer -o "$out" -t 5000 -m none -- dotnet exec "$program/KeyEvt.Fuzz.dll" >"$out/log" 2>&1 </dev/null ||
    { tail -n 30 "$out/log" >&2; exit 1; }

stat() { sed -n "s/^$1 *: *//p" "$out/default/fuzzer_stats"; }
crashes=$(stat saved_crashes) hangs=$(stat saved_hangs)
echo "$(stat execs_done) executions, $crashes crashes, $hangs hangs, $(stat corpus_found) new inputs"
[ "$crashes" = 0 ] && [ "$hangs" = 0 ]
