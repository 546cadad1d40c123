#!/usr/bin/env bash
# Fetches newer servers than this system's into artifacts/servers/NAME, without installing anything; runs the end-to-end tests against them.
#   scripts/servers.sh NAME...         fetches these: redis7 redis8 valkey8 valkey9 rabbit4; exit 1, with the reason, if one cannot be had
#   scripts/servers.sh                 fetches redis8, valkey8 and rabbit4; valkey9, which is of Debian's testing, too if it can be had
#   scripts/servers.sh all [NAME...]   all end-to-end tests against each of these (default: the installed ones, then all), with the last line of test.sh
# Other test runs use the programs of the folder that REDIS_UNDER_TEST (redis-server, redis-cli, redis-check-rdb) or RABBITMQ_UNDER_TEST (rabbitmq-server, rabbitmqctl, epmd) names:
#   REDIS_UNDER_TEST=$PWD/artifacts/servers/valkey8/bin dotnet exec .../KeyEvt.EndToEnd.Tests.dll
# How: a private apt downloads packages of a later Debian, with all libraries, from this system's own mirror, checks them with Debian's keyring, and they are unpacked.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/apt-private.sh
. scripts/need.sh
. scripts/runs.sh
home=$PWD/artifacts/servers
usage() { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }

# about NAME: of which release, from which packages, which program tells the version, and what it says.
about() {
    tells=redis-server
    case $1 in
        redis7) suite=bookworm packages=(redis-server redis-tools) version=v=7.0 ;;
        redis8) suite=trixie packages=(redis-server redis-tools) version=v=8.0 ;;
        valkey8) suite=trixie packages=(valkey-server valkey-tools) version=v=8.1 ;;
        valkey9) suite=testing packages=(valkey-server valkey-tools) version=v=9. ;;
        # Its start scripts need a shell and its tools, which come along: the system's own cannot use the newer libraries.
        rabbit4) suite=trixie packages=(rabbitmq-server dash coreutils sed grep mawk hostname procps) tells=rabbitmqctl version=4. ;;
        *) usage ;;
    esac
}

cannot() { echo "$1 cannot be had here: $2" >&2; exit 1; }

# fetch NAME: once. Two runs wait for each other; the file "versions" appears when all is there, and tried.
fetch() (
    name=$1
    about "$name"
    made=$home/$name
    [ ! -e "$made/versions" ] || exit 0
    private_apt_can || cannot "$name" "$why"
    mkdir -p "$home"
    exec 9>"$home/lock"
    flock -w 1800 9 || cannot "$name" "another run has been fetching for half an hour"
    [ ! -e "$made/versions" ] || exit 0

    echo "fetching $name: ${packages[*]} of Debian $suite"
    log=$home/$name.log apt=$home/apt-$name
    rm -rf "$made" "$apt"
    mkdir -p "$made/bin"
    (private_apt "$apt" "$suite" deb && apt-get -q -y --download-only install "${packages[@]}") >"$log" 2>&1 </dev/null || cannot "$name" "$(private_apt_reason "$log")"
    unpack "$apt/cache/archives" "$made" >>"$log" 2>&1
    rm -rf "$apt"
    write_launchers "$made" "$name"
    said=$(HOME=$made "$made/bin/$tells" $([ "$tells" = rabbitmqctl ] && echo version || echo --version) 2>&1) || cannot "$name" "it does not start: $said"
    [[ $said = *"$version"* ]] || cannot "$name" "the mirror has another version: $said"
    mv "$made/packages" "$made/versions"
    grep -E '^(redis-server|valkey-server|rabbitmq-server|erlang-base) ' "$made/versions"
)

# unpack ARCHIVES FOLDER: into FOLDER/root, without running a package's scripts; FOLDER/packages names what is there.
unpack() {
    local package place
    mkdir -p "$2/root"
    for package in "$1"/*.deb; do
        dpkg -x "$package" "$2/root"
        dpkg-deb --showformat '${Package} ${Version}\n' -W "$package" >>"$2/packages"
    done
    # An older release has folders of its own beside those of /usr.
    for place in bin sbin lib lib64; do
        mkdir -p "$2/root/usr/$place"
        [ ! -d "$2/root/$place" ] || cp -a "$2/root/$place/." "$2/root/usr/$place/"
        rm -rf "${2:?}/root/$place"
        ln -s "usr/$place" "$2/root/$place"
    done
}

# write_launchers FOLDER NAME: programs in FOLDER/bin that become the server itself, so that a signal to them reaches it.
write_launchers() {
    local program loader kept
    if [ "$2" = rabbit4 ]; then
        # Erlang starts helpers of its own, also by a shell. So the whole /usr is exchanged, for this process and its children only; the kernel undoes it when
        # the last of them ends. Needs root. (The programs under /usr/sbin would change the user.)
        for program in /usr/lib/rabbitmq/bin/rabbitmq-server /usr/lib/rabbitmq/bin/rabbitmqctl /usr/bin/epmd; do
            launcher "$1/bin/${program##*/}" 'exec unshare --mount /bin/sh -c '\''mount --bind "$0" /usr && exec "$@"'\'' "$root/usr" '"$program"' "$@"'
        done
        return
    fi
    loader=$(cd "$1/root" && find usr/lib -name 'ld-linux-*.so.*' | head -n 1)
    for program in server cli benchmark check-rdb; do
        kept=${2%[0-9]}-$program
        launcher "$1/bin/redis-$program" 'exec "$root/'"$loader"'" --library-path "$root/'"${loader%/*}"'" --argv0 '"$kept"' "$root/usr/bin/'"$kept"'" "$@"'
    done
}

launcher() {
    printf '#!/bin/sh\nroot=${0%%/*}/../root\n%s\n' "$2" >"$1"
    chmod 755 "$1"
}

all() {
    need_dotnet && need_redis && need_rabbitmq && need_faketime && need util-linux:setpriv iproute2:ip && need_clients || exit 1
    export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 MSBUILDDISABLENODEREUSE=1
    dotnet build tests/EndToEnd.Tests -c Release -v quiet -warnaserror -p:UseSharedCompilation=false -nodeReuse:false </dev/null
    set +e
    begin_runs
    for name; do
        step "EndToEnd.Tests against $name"
        RUN_SECONDS=1800 run_against "$name" all
    done
    step "all"
    finish
}

case ${1-} in
    '')
        for name in redis8 valkey8 rabbit4; do
            fetch "$name"
        done
        (fetch valkey9) || true
        ;;
    all)
        shift
        [ $# -gt 0 ] || set -- installed redis8 valkey8 valkey9 rabbit4
        all "$@"
        ;;
    *)
        for name; do
            fetch "$name"
        done
        ;;
esac
