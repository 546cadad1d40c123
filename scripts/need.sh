# Installs what is missing: sourced by the other scripts. need PACKAGE:PROGRAM...

_as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# need redis-server:redis-server rabbitmq-server:/usr/lib/rabbitmq/bin/rabbitmq-server
# Installs each package whose program is not there. What is installed here is not started as a service: a policy-rc.d says no to that while apt runs.
need() {
    local missing=() pair
    for pair in "$@"; do
        command -v "${pair#*:}" >/dev/null || missing+=("${pair%%:*}")
    done
    [ "${#missing[@]}" = 0 ] && return 0
    if ! command -v apt-get >/dev/null; then
        echo "missing: ${missing[*]}; there is no apt-get to install them with" >&2
        return 1
    fi

    echo "installing ${missing[*]}"
    _install "${missing[@]}"
}

# need_package python3-redis: one without a program of its own.
need_package() {
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q ' installed$' || missing+=("$package:no-such-program")
    done
    [ "${#missing[@]}" = 0 ] || need "${missing[@]}"
}

# In a subshell, so that its trap takes the policy away however this ends.
_install() (
    policy=/usr/sbin/policy-rc.d log=$(mktemp) ours=''
    trap 'rm -f "$log"; [ -z "$ours" ] || _as_root rm -f "$policy"' EXIT
    trap 'exit 130' INT TERM
    if [ ! -e "$policy" ]; then
        ours=yes
        printf '#!/bin/sh\nexit 101\n' | _as_root tee "$policy" >/dev/null
        _as_root chmod 755 "$policy"
    fi
    { _as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q &&
        _as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"; } >"$log" 2>&1 </dev/null && exit 0
    tail -n 20 "$log" >&2
    echo "could not install $*" >&2
    exit 1
)

# The one thing that apt does not have everywhere.
need_dotnet() {
    command -v dotnet >/dev/null && dotnet --list-sdks 2>/dev/null | grep -q '^10\.' && return 0
    echo "the .NET SDK 10 is missing: https://dotnet.microsoft.com/download" >&2
    return 1
}

need_redis() { need redis-server:redis-server redis-tools:redis-cli; }
need_rabbitmq() { need rabbitmq-server:/usr/lib/rabbitmq/bin/rabbitmq-server; }
need_faketime() { need faketime:faketime; }
# promtool reads what /metrics says as Prometheus does. Its package would install a server: only this one program is taken out of it, to artifacts/promtool.
need_promtool() {
    command -v promtool >/dev/null || [ -x artifacts/promtool/promtool ] && return 0
    local folder
    folder=$(mktemp -d) && chmod 755 "$folder" || return 1
    (
        trap 'rm -rf "$folder"' EXIT
        cd "$folder" || exit 1
        { apt-get download prometheus || { _as_root apt-get update -q && apt-get download prometheus; }; } >log 2>&1 </dev/null && dpkg-deb -x prometheus_*.deb x 2>>log || { tail -n 5 log >&2; exit 1; }
        mkdir -p "$OLDPWD/artifacts/promtool" && cp x/usr/bin/promtool "$OLDPWD/artifacts/promtool/promtool"
    ) || { echo "could not get promtool" >&2; return 1; }
}

need_afl() { need afl++:afl-fuzz; }

# The clients of other makers that the proxy is tried with, and those of the consumers in docs/examples; called in the project's folder.
need_clients() {
    need gcc:gcc netcat-openbsd:nc && need_package libc6-dev libhiredis-dev python3-redis python3-pika && need_node || return 1
    _node_packages tests/Clients/node && _node_packages docs/examples/node
}

# _node_packages FOLDER: what its package-lock.json names, unless it is there already.
_node_packages() {
    [ "$1/node_modules/.package-lock.json" -nt "$1/package-lock.json" ] && return 0
    (cd "$1" && npm ci --no-progress >/dev/null && touch node_modules/.package-lock.json)
}

# Node 20 or later, with npm.
need_node() {
    need nodejs:node && { command -v npm >/dev/null || need npm:npm; } || return 1
    node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)' && return 0
    echo "the Node.js that is installed is older than 20: https://nodejs.org" >&2
    return 1
}
