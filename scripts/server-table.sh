#!/usr/bin/env bash
# Writes the tables of docs/servers.md: runs the tests that depend on the server against each server, and asks each for its letters. Some ten minutes.
# The last line is that of test.sh; a cell "5 of 6" is a failure too. The suites' figures are those of the last run of scripts/redis-suite.sh.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
. scripts/need.sh
. scripts/runs.sh
redis_names=(installed redis8 valkey8 valkey9) rabbit_names=(installed rabbit4)

{ need_dotnet && need_redis && need_rabbitmq && need util-linux:setpriv && need_clients; } || exit 1
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 MSBUILDDISABLENODEREUSE=1
dotnet build tests/EndToEnd.Tests -c Release -v quiet -warnaserror -p:UseSharedCompilation=false -nodeReuse:false </dev/null || exit 1

begin_runs
for name in "${redis_names[@]}" rabbit4; do
    step "$name"
    run_against "$name" which-depend -result-xml "$kept/$name.xml"
done

program() { [ "$1" = installed ] && command -v "$2" || echo "artifacts/servers/$1/bin/$2"; }

# Redis 8.0.2
redis_version() { "$(program "$1" redis-server)" --version | sed -E 's/^(Redis|Valkey) server v=([0-9.]+) .*/\1 \2/'; }
rabbit_version() {
    [ "$1" = installed ] && { dpkg-query -W -f='RabbitMQ ${Version}' rabbitmq-server | sed 's/-.*//'; return; }
    sed -nE 's/^rabbitmq-server ([0-9.]+).*/RabbitMQ \1/p' "artifacts/servers/$1/versions"
}

# Which tests are which feature: a part of the test's type, and what a person calls it.
redis_features=(
    'Sessions|Commands and replies on the wire' 'Fidelity|Replication through the proxy' 'S04_|No command that only one side sees'
    'Intercept|Own commands, and who may use them' 'EventClassTests|Event classes' 'FeedTests|Flags, subscription, gaps' 'RoleTests|Only a master counts' 'MarkerTests|Markers'
    'Cluster.*(Door|Client)|Cluster: a door for each node' 'Cluster.Merge|Cluster: one stream for a subscriber' 'ClusterEventsTests|Cluster: every event once' '(Sentinel|R02)|Sentinel: a failover is followed'
    'Fallback|Fallback storage' 'CheckTests.Missing|`check` names missing rights'
)
rabbit_features=(
    'ConnectTests|Connect, disconnect, refusals' 'MessageTests|Messages and their properties' '(B07|B16)|Unroutable, missing queue' 'B10|Small frames' 'CheckTests.(Where|A_missing)|`check`'
)

# cell NAME TYPE: "12 of 12"
cell() {
    local tests
    [ -e "$kept/$1.xml" ] || { echo '-'; return; }
    tests=$(grep -oE '<test [^>]*>' "$kept/$1.xml" | grep -E "name=\"KeyEvt\.EndToEnd\.Tests\.[^\"]*($2)" || true)
    [ -n "$tests" ] || { echo '-'; return; }
    echo "$(grep -c 'result="Pass"' <<<"$tests") of $(wc -l <<<"$tests")"
}

row() { printf '|'; printf ' %s |' "$@"; printf '\n'; }
rule() { printf '|'; printf -- '---|%.0s' "$@"; printf '\n'; }

# table VERSION-FUNCTION FEATURES-NAME NAMES...
table() {
    local version=$1 name feature heads=() cells
    local -n features=$2
    shift 2
    for name; do heads+=("$($version "$name")"); done
    row '' "${heads[@]}"
    rule '' "${heads[@]}"
    for feature in "${features[@]}"; do
        cells=()
        for name; do cells+=("$(cell "$name" "${feature%|*}")"); done
        row "${feature##*|}" "${cells[@]}"
    done
}

# facts NAME: what the server says itself, as "letters|all|hexpired".
facts() {
    local server cli port letter letters='' class seen folder pid
    server=$(program "$1" redis-server) cli=$(program "$1" redis-cli) folder=$(mktemp -d)
    port=$((15000 + RANDOM % 17000))
    (cd "$folder" && exec setpriv --pdeathsig KILL "$(realpath "$OLDPWD/$server" 2>/dev/null || echo "$server")" --port "$port" --bind 127.0.0.1 --save '' --hz 100) >"$folder/log" 2>&1 </dev/null &
    pid=$!
    for _ in $(seq 100); do [ "$("$cli" -p "$port" ping 2>/dev/null)" = PONG ] && break; sleep 0.1; done
    for letter in A {a..z} {B..Z} '$'; do
        [ "$("$cli" -p "$port" config set notify-keyspace-events "$letter" 2>/dev/null)" != OK ] || letters+=$letter
    done
    "$cli" -p "$port" config set notify-keyspace-events KEA >/dev/null
    seen=''
    for class in h x; do
        "$cli" -p "$port" config set notify-keyspace-events "E$class" >/dev/null
        timeout 3 "$cli" -p "$port" --csv psubscribe '__keyevent@*__:hexpired' >"$folder/heard" 2>/dev/null </dev/null &
        sleep 0.5
        "$cli" -p "$port" eval "redis.call('HSET', KEYS[1], 'f', 'v') return redis.pcall('HPEXPIRE', KEYS[1], 100, 'FIELDS', 1, 'f')" 1 "hash-$class" >/dev/null 2>&1
        wait $!
        ! grep -q pmessage "$folder/heard" || seen+=$class
    done
    kill -9 "$pid" 2>/dev/null
    rm -rf "$folder"
    echo "$letters|${seen:--}"
}

suite_figure() { cat "artifacts/suites/$1/figure" 2>/dev/null || echo '-'; }

write_tables() {
    local letters=() hexpired=() name fact
    for name in "${redis_names[@]}"; do
        [ "$name" = installed ] || [ -e "artifacts/servers/$name/versions" ] || continue
        fact=$(facts "$name")
        letters+=("\`${fact%|*}\`") hexpired+=("\`${fact##*|}\`")
    done
    table redis_version redis_features "${redis_names[@]}"
    row "The server's own tests: direct, through KeyEvt" "$(suite_figure 7.0)" "$(suite_figure 8.0)" "$(suite_figure valkey)" '-'
    row 'Letters of `notify-keyspace-events`' "${letters[@]}"
    row 'Class of `hexpired` (a hash field expires)' "${hexpired[@]}"
    echo
    table rabbit_version rabbit_features "${rabbit_names[@]}"
}

tables=$(write_tables)
awk -v tables="$tables" '
    /<!-- tables: / { print; print tables; inside = 1; next }
    /<!-- end of tables -->/ { inside = 0 }
    !inside' docs/servers.md >"$kept/servers.md" && cp "$kept/servers.md" docs/servers.md
printf '%s\n' "$tables"
finish
