#!/usr/bin/env bash
# The server's own test suite, straight to the server and through the proxy: which of its tests come out differently?
#   scripts/redis-suite.sh [7.0|8.0|valkey]    default 7.0; ten minutes
# Prints the tests that differ. Exit 0 if there is none but those that docs/redis-suite.txt names with their reason.
# A test that differs is run again alone, both ways, and counts only if it differs there too, three times. The suite comes from Debian's source package; both outputs are kept in
# artifacts/suites/NAME. The program is the one that PROGRAM_UNDER_TEST names, or is built here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/need.sh
. scripts/apt-private.sh
root=$PWD
which=${1:-7.0}
case $which in
    7.0) server=redis7 suite=bookworm package=redis ;;
    8.0) server=redis8 suite=trixie package=redis ;;
    valkey) server=valkey8 suite=trixie package=valkey ;;
    *) echo "usage: scripts/redis-suite.sh [7.0|8.0|valkey]" >&2; exit 2 ;;
esac
work=$root/artifacts/suites/$which
mkdir -p "$work"
exec 9>"$work/lock"
flock -n 9 || { echo "$work is in use by another run" >&2; exit 1; }

need tcl:tclsh util-linux:setpriv
scripts/servers.sh "$server"
programs=$root/artifacts/servers/$server/bin

# The source as the server's makers released it: their tests, without Debian's changes.
fetch_suite() {
    [ ! -e "$work/source/tests" ] || return 0
    private_apt_can || { echo "the suite cannot be had here: $why" >&2; return 1; }
    local apt=$work/apt
    rm -rf "$apt" "$work/source"
    mkdir -p "$work/source" "$work/download"
    (private_apt "$apt" "$suite" deb-src && cd "$work/download" && apt-get -q source --download-only --tar-only "$package") >"$work/download.log" 2>&1 ||
        { echo "the suite cannot be had here: $(private_apt_reason "$work/download.log")" >&2; return 1; }
    tar -xf "$work/download/$package"_*.orig.tar.* -C "$work/source" --strip-components=1
    rm -rf "$apt" "$work/download"
    # Some of the tests run the server's own tools.
    for program in server cli benchmark; do
        printf '#!/bin/sh\nexec "%s" "$@"\n' "$programs/redis-$program" >"$work/source/src/$package-$program"
        chmod 755 "$work/source/src/$package-$program"
    done
}

need_program() {
    [ -n "${PROGRAM_UNDER_TEST:-}" ] && return 0
    need_dotnet
    DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 dotnet build src/Proxy -c Release -v quiet -warnaserror -p:UseSharedCompilation=false -nodeReuse:false </dev/null
    PROGRAM_UNDER_TEST=$root/src/Proxy/bin/Release/net10.0/keyevt
}

fetch_suite
need_program
servers=()
trap 'end_servers' EXIT
trap 'exit 130' INT TERM

end_servers() {
    [ "${#servers[@]}" = 0 ] || kill -9 "${servers[@]}" 2>/dev/null || true
    servers=()
}

# start PORT PROGRAM ARGUMENTS...: in its own folder; ends with this script; returns when it listens.
start() {
    local port=$1 folder=$work/server-$1
    shift
    rm -rf "$folder"
    mkdir -p "$folder"
    (cd "$folder" && exec setpriv --pdeathsig KILL "$@") >"$folder/log" 2>&1 </dev/null 9>&- &
    servers+=($!)
    disown $! # its end is ours to tell, not the shell's
    for _ in $(seq 300); do
        [ "$("$programs/redis-cli" -p "$port" ping 2>/dev/null)" = PONG ] && return 0
        sleep 0.1
    done
    echo "$1 does not listen on $port:" >&2
    tail -n 20 "$folder/log" >&2
    return 1
}

free_port() {
    local port
    while port=$((15000 + RANDOM % 17000)); (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
    echo "$port"
}

# play OUTPUT direct|proxied ARGUMENTS...: the suite on a fresh server, or through a fresh proxy before a fresh server. What the suite says of itself is no matter here.
play() {
    local output=$1 way=$2 port target
    shift 2
    port=$(free_port)
    # As the suite's makers start the server that it is run against.
    start "$port" "$programs/redis-server" --port "$port" --bind 127.0.0.1 --save '' --enable-debug-command yes --enable-protected-configs yes --enable-module-command yes
    target=$port
    if [ "$way" = proxied ]; then
        target=$(free_port)
        # Nothing is wanted of it, so the broker is never asked for: there is none.
        start "$target" "$PROGRAM_UNDER_TEST" --upstream "redis://127.0.0.1:$port" --listen "127.0.0.1:$target" --amqp amqp://127.0.0.1:1/ --admin off
        # Its own connections log in once; a test that looks on with MONITOR would see that.
        for _ in $(seq 100); do
            [ "$("$programs/redis-cli" -p "$port" client list | grep -c ' name=keyevt-')" -lt 2 ] || break
            sleep 0.1
        done
        sleep 1
    fi
    (cd "$work/source" && timeout --kill-after=20 "${SUITE_SECONDS:-1500}" tclsh tests/test_helper.tcl --host 127.0.0.1 --port "$target" --baseport "$(free_port)" --tags -slow --clients 1 --timeout 300 --durable "$@") \
        </dev/null 2>&1 9>&- | sed -uE 's/\x1b\[[0-9;]*m//g' >"$output" || true
    end_servers
}

# outcomes OUTPUT: a line "unit|test|ok or err" for each test. One name may be several tests of a unit: they are numbered.
outcomes() {
    awk '
        /^Testing (unit|integration)\// { unit = $2; next }
        match($0, /^\[(ok|err|exception)\]: /) {
            state = substr($0, 2, index($0, "]") - 2); name = substr($0, RLENGTH + 1)
            sub(/ \([0-9]+ ms\)$/, "", name)
            if (state != "ok") sub(/ in tests\/.*$/, "", name)
            print unit "|" name (seen[unit, name]++ ? " (" seen[unit, name] ")" : "") "|" state
        }' "$1" | sort
}

# differing ONE OTHER: "unit|test" of what came out otherwise, or in one of them only.
differing() { comm -3 <(outcomes "$1") <(outcomes "$2") | sed 's/^\t//; s/|[a-z]*$//' | sort -u; }
count() { outcomes "$1" | grep -c "|$2\$" || true; }

early=''
for way in direct proxied; do
    started=$SECONDS
    play "$work/$way.txt" "$way"
    grep -qE '^ +The End' "$work/$way.txt" || { early=yes; echo "$way: the suite ended early, at:"; tail -n 12 "$work/$way.txt"; }
    [ "$way" = direct ] || echo "$(count "$work/direct.txt" ok), $(count "$work/$way.txt" ok)" >"$work/figure" # for docs/servers.md
    echo "$which $way: $(count "$work/$way.txt" ok) ok, $(count "$work/$way.txt" err) failed, $((SECONDS - started)) s"
done

# reason_of TEST: of a line "WHICH | TEST | REASON".
reason_of() { awk -F ' [|] ' -v which="$which" -v test="$1" '$1 == which && $2 == test { print $3; exit }' docs/redis-suite.txt; }

unexplained=0 again=$work/again most_again=40
rm -rf "$again"
mkdir -p "$again"
# is_same_alone UNIT TEST: in one of three tries. Some tests are races: they count the connections to the server, and the proxy's own two, which they have just killed, come back.
is_same_alone() {
    for _ in 1 2 3; do
        for way in direct proxied; do
            SUITE_SECONDS=300 play "$again/$way.txt" "$way" --single "$1" --only "$2"
        done
        [ -n "$(outcomes "$again/direct.txt")" ] && [ -z "$(differing "$again/direct.txt" "$again/proxied.txt")" ] && return 0
    done
    return 1
}

differ=$(differing "$work/direct.txt" "$work/proxied.txt")
while IFS='|' read -r unit name; do
    [ -n "$unit$name" ] || continue
    # So many are no accident: the suite ended early, or the proxy does not work at all.
    if [ "$(wc -l <<<"$differ")" -gt "$most_again" ]; then
        unexplained=$((unexplained + 1))
        continue
    fi
    plain=$(sed -E 's/ \([0-9]+\)$//' <<<"$name")
    if is_same_alone "$unit" "$plain"; then
        echo "same when alone: $unit: $name"
    elif reason=$(reason_of "$plain") && [ -n "$reason" ]; then
        echo "differs, as documented: $unit: $name: $reason"
    else
        echo "DIFFERS: $unit: $name"
        grep -a -h -A 6 -F "$plain in " "$again/proxied.txt" "$work/proxied.txt" | head -n 12 | sed 's/^/    /' || true
        unexplained=$((unexplained + 1))
    fi
done <<<"$differ"

echo "$unexplained tests of $which differ without a documented reason"
[ "$unexplained" = 0 ] && [ -z "$early" ]
