#!/usr/bin/env bash
# Builds the container image, labelled with the version and the commit that it is made from.
#   scripts/image.sh [ARGUMENTS OF docker build...]    default: -t keyevt -t keyevt:VERSION
# The variable DOCKER names another program that takes the same arguments, such as podman or "docker buildx".
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
version=$(scripts/version.sh)
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
[ $# -gt 0 ] || set -- -t keyevt -t "keyevt:$version"
read -ra builder <<<"${DOCKER:-docker}"
exec "${builder[@]}" build --build-arg "VERSION=$version" --build-arg "REVISION=$revision" "$@" .
