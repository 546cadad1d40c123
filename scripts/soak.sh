#!/usr/bin/env bash
# Random faults of the catalogue on private servers while writers write: scripts/soak.sh MINUTES [standalone|sentinel|cluster] [PROGRAMSx] [SEED] [--only=TEXT]
# 3x: three programs as one group; without it one.
# Prints the classes every minute and at the end; exit 1 on anything lost outside a declared gap. The seed is printed, and gives the same faults again. --only=R3: only faults with that text in their names.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/scripts/need.sh"

need_dotnet
need_redis
need_rabbitmq
need util-linux:setpriv

log=$(mktemp)
dotnet build "$root/tests/Soak" -c Release -v quiet --nologo -p:UseSharedCompilation=false -nodeReuse:false >"$log" 2>&1 </dev/null || { cat "$log" >&2; rm -f "$log"; echo "the build failed" >&2; exit 1; }
rm -f "$log"
exec dotnet exec "$root/tests/Soak/bin/Release/net10.0/KeyEvt.Soak.dll" "$@"
