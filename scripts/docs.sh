#!/usr/bin/env bash
# Writes the pages of docs that the program's own tables decide, such as docs/options.md: it runs the tests that compare them, which write instead.
# A test class that owns such a page is named <Page>PageTests, and is in Proxy.Tests.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/need.sh
need_dotnet

project=tests/Proxy.Tests log=$(mktemp)
trap 'rm -f "$log"' EXIT
dotnet build "$project" -c Release -v quiet --nologo -p:UseSharedCompilation=false -nodeReuse:false >"$log" 2>&1 </dev/null || { cat "$log" >&2; echo "the build failed" >&2; exit 1; }
KEYEVT_WRITE_DOCS=1 dotnet exec "$project/bin/Release/net10.0/KeyEvt.Proxy.Tests.dll" -noColor -noLogo -class '*PageTests' >"$log" 2>&1 </dev/null || { cat "$log" >&2; exit 1; }
git status --short docs
