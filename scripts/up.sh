#!/usr/bin/env bash
# Runs KeyEvt and shows arriving events: on a private Redis and a private RabbitMQ, or on those named by KEYEVT_UPSTREAM and KEYEVT_AMQP.
#   scripts/up.sh           until Ctrl-C, which leaves nothing running
#   scripts/up.sh --once    1,000 changes, waits for their events; exit 0, or 1 with the reason
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/scripts/need.sh"

need_dotnet
need redis-tools:redis-cli util-linux:setpriv
[ -n "${KEYEVT_UPSTREAM:-}" ] || need_redis
[ -n "${KEYEVT_AMQP:-}" ] || need_rabbitmq

log=$(mktemp)
dotnet build "$root/tests/Demo" -c Release -v quiet --nologo -p:UseSharedCompilation=false -nodeReuse:false >"$log" 2>&1 </dev/null || { cat "$log" >&2; rm -f "$log"; echo "the build failed" >&2; exit 1; }
rm -f "$log"
exec dotnet exec "$root/tests/Demo/bin/Release/net10.0/KeyEvt.Demo.dll" "$@"
