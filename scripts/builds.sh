#!/usr/bin/env bash
# Publishes the program as each build there is, to artifacts/builds/{jit,ready-to-run,native}: what bench/Load compares, and what tests can be pointed to.
#   scripts/builds.sh [jit|ready-to-run|native]...    default: all
#   scripts/builds.sh --can BUILD                     only gets what that build needs; exit 1 if it cannot be had
#   PROGRAM_UNDER_TEST=$PWD/artifacts/builds/jit/keyevt scripts/test.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/need.sh
need_dotnet
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 MSBUILDDISABLENODEREUSE=1

only_can=''
[ "${1-}" != --can ] || { only_can=yes; shift; }
[ $# -gt 0 ] || set -- jit ready-to-run native
for build in "$@"; do
    case $build in
        jit) how=() ;;
        ready-to-run) how=(--use-current-runtime --self-contained false -p:PublishReadyToRun=true) ;;
        native) need gcc:gcc && need_package libc6-dev zlib1g-dev && how=(--use-current-runtime -p:PublishAot=true) ;;
        *) echo "usage: scripts/builds.sh [--can] [jit|ready-to-run|native]..." >&2; exit 2 ;;
    esac
    if [ -n "$only_can" ]; then
        dotnet restore src/Proxy -v quiet "${how[@]}" --artifacts-path "artifacts/$build" -nodeReuse:false </dev/null
        continue
    fi
    rm -rf "artifacts/builds/$build"
    # Without analyzers: the build of the solution runs them. What trimming and native compilation cannot take is said by the publish itself.
    dotnet publish src/Proxy -c Release -v quiet -warnaserror "${how[@]}" --artifacts-path "artifacts/$build" -o "artifacts/builds/$build" \
        -p:RunAnalyzers=false -p:UseSharedCompilation=false -nodeReuse:false </dev/null
    echo "artifacts/builds/$build/keyevt: $(stat -c %s "artifacts/builds/$build/keyevt") bytes, the folder $(du -sb "artifacts/builds/$build" | cut -f1)"
done
