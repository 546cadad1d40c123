# Runs test projects and counts what passed: sourced by the scripts whose last line is "N passed, N failed" (", N skipped" may follow).
# A test that failed is run once more, alone. If it passes then, it counts as passed and is named in a line "FLAKY: <name>": a test to be mended.
# The outputs of both runs are kept under $kept, which begins empty; beside each first run its results as XML, with the seconds of each test.

against='' passed=0 failed=0 skipped=0 runs=0 flaky=()
kept=artifacts/test-runs

finish() {
    local name end
    for name in ${flaky[@]+"${flaky[@]}"}; do
        echo "FLAKY: $name"
    done
    [ "${#flaky[@]}" = 0 ] || echo "the outputs of both runs of each are in $kept"
    end="$passed passed, $failed failed"
    [ "$skipped" = 0 ] || end+=", $skipped skipped"
    echo "$end"
    [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
    exit
}

fail() { echo "FAILED: $1"; failed=$((failed + 1)); }
step() { printf '\n== %s (%d s)\n' "$1" "$SECONDS"; }

begin_runs() {
    rm -rf "$kept"
    mkdir -p "$kept"
}

# run PROJECT [ONLY THESE]. Tests marked as long are left out: they take a minute and more each.
run() {
    local project=$1 program output code total bad not_run
    shift
    program=$(ls "tests/$project/bin/Release/net10.0/"KeyEvt*."$project".dll 2>/dev/null)
    runs=$((runs + 1))
    output=$kept/$runs-$project.txt
    # More threads than cores: most tests wait most of their time.
    timeout --kill-after=20 "${RUN_SECONDS:-900}" dotnet exec "$program" -noColor -noLogo -maxThreads 1.5x -trait- Duration=long -result-xml "${output%.txt}.xml" "$@" </dev/null 2>&1 | tee "$output"
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
            flaky+=("$method${against:+ against $against}")
            echo "FLAKY: ${flaky[-1]}"
        else
            cat "$again"
        fi
    done <<<"$methods"
}

# run_against SERVER all|which-depend [ARGS]: the end-to-end tests on a server of scripts/servers.sh; "installed" is this system's own. The trait "Against" marks those that
# depend on the server: "every-redis" or "every-rabbitmq".
run_against() {
    local against=$1 only=() variable=REDIS_UNDER_TEST kind=redis
    [ "$against" != rabbit4 ] || variable=RABBITMQ_UNDER_TEST kind=rabbitmq
    [ "$2" = all ] || only=(-trait "Against=every-$kind")
    [ "$2" = all ] || [ "$against" != installed ] || only+=(-trait Against=every-rabbitmq)
    shift 2
    if [ "$against" = installed ]; then
        run EndToEnd.Tests ${only[@]+"${only[@]}"} "$@"
    elif scripts/servers.sh "$against"; then
        declare -x "$variable=$PWD/artifacts/servers/$against/bin"
        run EndToEnd.Tests ${only[@]+"${only[@]}"} "$@"
    else
        echo "left out: $against"
    fi
}
