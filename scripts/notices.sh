#!/usr/bin/env bash
# Writes THIRD-PARTY-NOTICES.md: which packages of others are part of the program, under which licence.
#   scripts/notices.sh            writes the file
#   scripts/notices.sh --check    exit 1, with the difference, if the file is not what would be written
# The lock file of src/Proxy, the program, says which packages and versions. Licence, copyright and address stand in each package's nuspec in NuGet's cache, so restore first.
# Left out are packages that only the build uses (developmentDependency in the nuspec).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
file=THIRD-PARTY-NOTICES.md
cache=${NUGET_PACKAGES:-$HOME/.nuget/packages}

# locked FILE: "Name Version" of each package, once. An entry that has no "resolved" is a project of our own.
locked() {
    awk -F'"' '/^      "[^"]+": \{$/ { name = $2 } /^        "resolved": / { print name, $4 }' "$1" | LC_ALL=C sort -fu
}

# field NUSPEC NAME: the text of an element, with the signs that Markdown and XML treat as their own undone.
field() {
    sed -nE "s|.*<$2( [^>]*)?>([^<]*)</$2>.*|\2|p" "$1" | head -n 1 | sed -e 's/&lt;/</g; s/&gt;/>/g; s/&quot;/"/g; s/&apos;/'\''/g; s/&amp;/\&/g; s/|/\\|/g'
}

write() {
    local name version nuspec licence
    cat <<'END'
# Third-party notices

KeyEvt is licensed under the Apache License 2.0 ([LICENSE](LICENSE)). The program contains the packages of this table. `scripts/notices.sh` writes this file from the lock file of the program; a test fails when it is out of date.

| package | version | licence | copyright | home |
|---|---|---|---|---|
END
    while read -r name version; do
        nuspec=$cache/${name,,}/$version/${name,,}.nuspec
        [ -e "$nuspec" ] || { echo "$name $version is not in $cache: run dotnet restore src/Proxy" >&2; return 1; }
        [ "$(field "$nuspec" developmentDependency)" != true ] || continue
        # A licence that is a file in the package cannot be judged by a script.
        licence=$(sed -nE 's|.*<license type="expression">([^<]+)</license>.*|\1|p' "$nuspec")
        [ -n "$licence" ] || { echo "$name $version has no licence expression: look at it, and teach scripts/notices.sh" >&2; return 1; }
        case " $licence " in
            ' MIT ' | ' Apache-2.0 ' | ' Apache-2.0 OR MPL-2.0 ') ;;
            *) echo "$name $version has the licence $licence, whose text is not in $file: add it to scripts/notices.sh" >&2; return 1 ;;
        esac
        printf '| %s | %s | %s | %s | %s |\n' "$name" "$version" "$licence" "$(field "$nuspec" copyright)" "$(field "$nuspec" projectUrl)"
    done < <(locked src/Proxy/packages.lock.json)
    cat <<'END'

- Where a package offers a choice, KeyEvt uses it under the Apache License 2.0.
- The natively compiled program, which the image has, also contains the .NET runtime and ASP.NET Core: MIT, © .NET Foundation and Contributors. Their own third-party notices lie in the image, in `licenses/dotnet`.

## MIT

It holds for each package above that names it, with that package's copyright line.

> Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:
>
> The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.
>
> THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.

## Apache License 2.0

The text is that of [LICENSE](LICENSE).
END
}

written=$(mktemp)
trap 'rm -f "$written"' EXIT
case "${1-} $#" in
    ' 0') write >"$written" && cat "$written" >"$file" ;;
    '--check 1')
        write >"$written"
        diff -u "$file" "$written" >&2 || { echo "$file is out of date: run scripts/notices.sh" >&2; exit 1; }
        ;;
    *) echo "usage: scripts/notices.sh [--check]" >&2; exit 2 ;;
esac
