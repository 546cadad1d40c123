#!/usr/bin/env bash
# Prints the version of KeyEvt. It is written in one place, Directory.Build.props; everything else asks there.
#   scripts/version.sh              the version alone, such as 1.2.3
#   scripts/version.sh --is TAG     exit 0 if that tag names this version, else 1 with the reason
#   scripts/version.sh --notes      what CHANGELOG.md says of this version
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
version=$(sed -nE 's|.*<Version>([^<]+)</Version>.*|\1|p' Directory.Build.props)
[ -n "$version" ] || { echo "Directory.Build.props has no <Version>" >&2; exit 1; }

case "${1-} $#" in
    ' 0') echo "$version" ;;
    '--is 2')
        [ "$2" = "v$version" ] || { echo "the tag $2 does not name the version of Directory.Build.props: expected v$version" >&2; exit 1; }
        ;;
    '--notes 1')
        # Two headings of the same level stand around the entry.
        notes=$(awk -v heading="## [$version]" 'index($0, "## ") == 1 { inside = index($0, heading) == 1; next } /^\[.*\]: / { inside = 0 } inside' CHANGELOG.md)
        [ -n "$notes" ] || { echo "CHANGELOG.md has no entry for $version" >&2; exit 1; }
        printf '%s\n' "$notes"
        ;;
    *) echo "usage: scripts/version.sh [--is TAG | --notes]" >&2; exit 2 ;;
esac
