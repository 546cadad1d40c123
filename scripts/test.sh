#!/usr/bin/env bash
# Builds everything with warnings as errors, checks the formatting, and runs all tests against real servers that they start themselves.
#   scripts/test.sh         everything; tens of minutes
#   scripts/test.sh unit    for daily work: builds what the tests without servers need, and runs these: a minute on two cores, and up to 100 s more for the first build
# The last line is "N passed, N failed" (", N skipped" may follow); exit 1 if anything failed. A build or formatting that fails counts as one.
# The tests that depend on the server run again against Redis 8, Valkey 8 and RabbitMQ 4, fetched by scripts/servers.sh, where those can be had.
# A test that failed is run once more, alone. If it passes then, it counts as passed and is named in a line "FLAKY: <name>": a test to be mended.
# The outputs of both runs are kept under artifacts/test-runs.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
. scripts/need.sh
. scripts/runs.sh

case "$*" in
    '' | unit) part=$* ;;
    *) echo "usage: scripts/test.sh [unit]" >&2; exit 2 ;;
esac

export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 MSBUILDDISABLENODEREUSE=1

# Tests without servers, and without those that compile the whole source (Needs=compiler). Those that start a server are marked with the trait Needs=servers, and left out. One that is not marked fails: it finds no server's program.
if [ "$part" = unit ]; then
    need_dotnet || { fail "an installation"; finish; }
    step "build"
    dotnet build KeyEvt.Unit.slnf -c Release -v quiet -warnaserror -p:UseSharedCompilation=false -nodeReuse:false </dev/null || { fail "build"; finish; }
    begin_runs
    for project in Resp.Tests Forwarder.Tests Proxy.Tests; do
        step "$project"
        REDIS_UNDER_TEST=/no-servers-for-unit-tests RABBITMQ_UNDER_TEST=/no-servers-for-unit-tests run "$project" -trait- Needs=servers -trait- Needs=compiler
    done
    step "all"
    finish
fi

step "what is needed"
{ need_dotnet && need_redis && need_rabbitmq && need_faketime && need util-linux:setpriv iproute2:ip && need_clients && need_promtool; } || { fail "an installation"; finish; }

step "build"
dotnet build KeyEvt.slnx -c Release -v quiet -warnaserror -p:UseSharedCompilation=false -nodeReuse:false </dev/null || { fail "build"; finish; }

# Style and analyzers are checked by the build (EnforceCodeStyleInBuild, warnings as errors). A full dotnet format --verify-no-changes would find
# the same once more, for about 250 s of processor time. So only what the build does not check is left to it: whitespace.
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
begin_runs
for project in Resp.Tests Forwarder.Tests Proxy.Tests EndToEnd.Tests; do
    step "$project"
    run "$project"
done

# Tests marked [Trait("Concerns", "sessions")] are those that a transport can make fail.
step "EndToEnd.Tests that concern sessions, over the transport that is not the default"
KEYEVT_TRANSPORT=sockets run EndToEnd.Tests -trait Concerns=sessions

# Redis' and RabbitMQ's next versions. One that cannot be had here is named, and left out.
for server in redis8 valkey8 rabbit4; do
    step "EndToEnd.Tests that depend on the server, against $server"
    run_against "$server" which-depend
done

step "all"
finish
