#!/usr/bin/env bash
# Builds everything with warnings as errors, checks the formatting, and runs all tests against real servers that they start themselves.
# The last line is "N passed, N failed" (", N skipped" may follow); exit 1 if anything failed. A build or formatting that fails counts as one.
# A test that failed is run once more, alone. If it passes then, it counts as passed and is named in a line "FLAKY: <name>": a test to be mended.
# The outputs of both runs are kept under artifacts/test-runs.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
. scripts/need.sh

passed=0 failed=0 skipped=0
finish() {
    local end="$passed passed, $failed failed"
    [ "$skipped" = 0 ] || end+=", $skipped skipped"
    echo "$end"
    [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
    exit
}
fail() { echo "FAILED: $1"; failed=$((failed + 1)); }
step() { printf '\n== %s (%d s)\n' "$1" "$SECONDS"; }

export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 MSBUILDDISABLENODEREUSE=1

step "what is needed"
{ need_dotnet && need_redis && need_rabbitmq && need_faketime && need util-linux:setpriv iproute2:ip && need_clients; } || { fail "an installation"; finish; }

step "build"
dotnet build KeyEvt.slnx -c Release -v quiet -warnaserror -p:UseSharedCompilation=false -nodeReuse:false </dev/null || { fail "build"; finish; }

# The code style is the build's to check (EnforceCodeStyleInBuild).
step "formatting"
dotnet format whitespace KeyEvt.slnx --verify-no-changes --no-restore </dev/null || fail "formatting: run dotnet format"

# The end-to-end tests run the program as the image has it: natively compiled. It starts in a twentieth of the processor time that the JIT build takes, and they start it
# hundreds of times. Where that compiler cannot be had, they run the JIT build.
if [ -z "${PROGRAM_UNDER_TEST:-}" ]; then
    step "native build"
    if scripts/builds.sh --can native; then
        scripts/builds.sh native || { fail "native build"; finish; }
        export PROGRAM_UNDER_TEST=$PWD/artifacts/builds/native/keyevt
    else
        echo "its compiler is not to be had here: the tests run the JIT build"
    fi
fi

# Tests marked as long take a minute and more each: dotnet exec .../KeyEvt.EndToEnd.Tests.dll -trait Duration=long runs them.
# Those without servers first: they are quick and say most exactly what is wrong.
kept=artifacts/test-runs
rm -rf "$kept"
mkdir -p "$kept"
runs=0 flaky=()

# run PROJECT [ONLY THESE]
run() {
    local project=$1 program output code total bad not_run
    shift
    program=$(ls "tests/$project/bin/Release/net10.0/"KeyEvt*."$project".dll 2>/dev/null)
    runs=$((runs + 1))
    output=$kept/$runs-$project.txt
    # More threads than cores: most tests wait most of their time.
    timeout --kill-after=20 900 dotnet exec "$program" -noColor -noLogo -maxThreads 1.5x -trait- Duration=long "$@" </dev/null 2>&1 | tee "$output"
    code=${PIPESTATUS[0]}
    # ...  Total: 12, Errors: 0, Failed: 1, Skipped: 0, Not Run: 0, Time: 1.234s
    if [[ $(grep -a 'Total: ' "$output" | tail -n 1) =~ Total:\ ([0-9]+),\ Errors:\ ([0-9]+),\ Failed:\ ([0-9]+),\ Skipped:\ ([0-9]+),\ Not\ Run:\ ([0-9]+) ]]; then
        total=${BASH_REMATCH[1]} bad=$((BASH_REMATCH[2] + BASH_REMATCH[3])) not_run=$((BASH_REMATCH[4] + BASH_REMATCH[5]))
        passed=$((passed + total - BASH_REMATCH[3] - not_run)) failed=$((failed + bad)) skipped=$((skipped + not_run))
        [ "$total" -gt 0 ] || fail "$project ran no test"
        [ "$code" = 0 ] || [ "$bad" -gt 0 ] || fail "$project ended with $code"
        [ "$bad" = 0 ] || run_again "$program" "$output"
    else
        fail "$project ended with $code before its summary"
    fi
}

# run_again PROGRAM OUTPUT: what failed there, one method after the other, each in a process of its own. So many failures at once are no accident, and stand.
most_again=20
run_again() {
    local program=$1 output=$2 names methods method again cases
    #     KeyEvt.Resp.Tests.RespWriterTests.A_line_is_a_line(text: "x") [FAIL]
    names=$(grep -aE '^ +KeyEvt\..*\[FAIL\]$' "$output" | sed -E 's/^ +//; s/ \[FAIL\]$//')
    methods=$(sed -E 's/\(.*//' <<<"$names" | sort -u)
    [ -n "$methods" ] && [ "$(wc -l <<<"$methods")" -le "$most_again" ] || return 0
    while IFS= read -r method; do
        again=${output%.txt}-again-${method##*.}.txt
        echo "once more, alone: $method"
        timeout --kill-after=20 300 dotnet exec "$program" -noColor -noLogo -parallelMode none -method "$method" </dev/null >"$again" 2>&1
        if [ $? = 0 ] && grep -aqE 'Total: [1-9]' "$again"; then
            cases=$(awk -v m="$method" '$0 == m || index($0, m "(") == 1' <<<"$names" | wc -l)
            passed=$((passed + cases)) failed=$((failed - cases))
            flaky+=("$method")
            echo "FLAKY: $method"
        else
            cat "$again"
        fi
    done <<<"$methods"
}

for project in Resp.Tests Forwarder.Tests Proxy.Tests EndToEnd.Tests; do
    step "$project"
    run "$project"
done

step "EndToEnd.Tests of sessions, over the transport that is not the default"
KEYEVT_TRANSPORT=sockets run EndToEnd.Tests -namespace KeyEvt.EndToEnd.Tests.Sessions -namespace KeyEvt.EndToEnd.Tests.Intercept

# A second call: a class and a namespace together mean what is in both.
step "EndToEnd.Tests of faults that concern sessions, over the same transport"
faults=()
for class in P14CoveredFirstTests P4P10Tests P5Tests P6Tests P7P8Tests R1P9Tests RefusalTests ReplyInjectionTests SmugglingTests; do
    faults+=(-class "KeyEvt.EndToEnd.Tests.Faults.$class")
done
KEYEVT_TRANSPORT=sockets run EndToEnd.Tests "${faults[@]}"

step "all"
for name in ${flaky[@]+"${flaky[@]}"}; do
    echo "FLAKY: $name"
done
[ "${#flaky[@]}" = 0 ] || echo "the outputs of both runs of each are in $kept"
finish
