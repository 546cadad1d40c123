#!/usr/bin/env bash
# Builds the container image, labelled with the version and the commit that it is made from.
#   scripts/image.sh [ARGUMENTS OF docker build...]    default: -t keyevt -t keyevt:VERSION
#   scripts/image.sh --arguments                       prints the build arguments, one a line, for other builders
# The variable DOCKER names another program that takes the same arguments, such as podman.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
version=$(scripts/version.sh)
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
if [ "${1-}" = --arguments ]; then
    printf '%s\n' "VERSION=$version" "REVISION=$revision"
    exit 0
fi
[ $# -gt 0 ] || set -- -t keyevt -t "keyevt:$version"
exec "${DOCKER:-docker}" build --build-arg "VERSION=$version" --build-arg "REVISION=$revision" "$@" .
