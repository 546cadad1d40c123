# An apt of its own in a folder, for packages of another Debian release: nothing is installed, and the system's lists stay as they are. Sourced by the other scripts.

_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# Sets $why when it cannot.
private_apt_can() {
    why=''
    if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
        why="there is no apt"
    elif [ ! -e "$_keyring" ]; then
        why="Debian's keyring is missing (package debian-archive-keyring)"
    elif [ -z "$(_mirror)" ]; then
        why="no Debian archive in the system's source list"
    fi
    [ -z "$why" ]
}

# The first Debian archive that this system installs from, whichever format its source list has.
_mirror() {
    (. /etc/os-release && [ "$ID" = debian ]) || return 0
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 2>/dev/null |
        awk '!found && $3 == "main" && $2 !~ /(security|updates|backports)/ { print $1; found = 1 }'
}

# private_apt FOLDER SUITE deb|deb-src: fetches the lists, and lets every apt-get of this shell use them. The system's proxies and logins hold; its preferences and what
# it has installed do not, so that every library comes along.
private_apt() {
    local folder=$1
    mkdir -p "$folder"/lists/partial "$folder"/cache/archives/partial "$folder/none"
    : >"$folder/status"
    echo "$3 [signed-by=$_keyring] $(_mirror) $2 main" >"$folder/sources.list"
    cat >"$folder/apt.conf" <<END
Dir::Etc::sourcelist "$folder/sources.list";
Dir::Etc::sourceparts "$folder/none";
Dir::Etc::preferences "$folder/none";
Dir::Etc::preferencesparts "$folder/none";
Dir::State "$folder";
Dir::State::lists "$folder/lists";
Dir::State::status "$folder/status";
Dir::Cache "$folder/cache";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::http::Timeout "30";
Acquire::Retries "2";
END
    # A mirror that stands still has a list of "testing" that is past its time; signed it is all the same.
    [ "$2" != testing ] || echo 'Acquire::Check-Valid-Until "false";' >>"$folder/apt.conf"
    export APT_CONFIG=$folder/apt.conf
    apt-get -q update
}

# private_apt_reason LOG: what apt complained of first.
private_apt_reason() {
    echo "$(grep -E '^(W|E): ' "$1" | head -n 1) (all of it in $1)"
}
