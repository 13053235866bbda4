#!/bin/sh
# Get .venv ready, from the checkout's root. `setup.sh run` then becomes the server; `setup.sh test`
# adds the tools for tests, `setup.sh browser` a Chromium where that can be had, `setup.sh agents` the
# agent programs of tests/agents, where there is a Node.js, `setup.sh database` a PostgreSQL.
#
# The rules:
# - A mark (.venv/run.done, .venv/test.done) is written last and holds a checksum of the lists
#   that were installed. A mark that agrees means: nothing to do, no network, milliseconds.
# - No run mark means that an install was interrupted: .venv is made anew.
# - Every package comes as a wheel, with its hash checked; nothing is compiled.
# - One sentence on stderr for each thing that is missing; pip's own words go to a log.
set -u
export PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

LOG=.venv/install.log
LOCK=.venv.lock
SPACE_KB=1048576
RUN='requirements/run.txt requirements/starter.txt'
TEST=requirements/test.txt
AGENTS=tests/agents/package-lock.json

main() {
    case "$1" in
        run)
            is_ready || alone set_up_run
            exec .venv/bin/python app.py serve
            ;;
        test) { is_ready && is_done test "$TEST"; } || alone set_up_test ;;
        browser) set_up_browser ;;
        agents) set_up_agents ;;
        database) set_up_database ;;
    esac
}

is_ready() {
    # shellcheck disable=SC2086  # a list of files
    is_in_place && is_done run $RUN
}

is_in_place() {
    [ -x .venv/bin/python ] && [ "$(cat .venv/place 2>/dev/null)" = "$(pwd -P)" ]
}

is_done() { # MARK FILE...
    mark=.venv/$1.done
    shift
    [ "$(cat "$mark" 2>/dev/null)" = "$(cat "$@" | cksum)" ]
}

set_up_run() {
    is_ready && return
    check_space
    if is_in_place && [ -f .venv/run.done ]; then
        say "The list of packages has changed: updating .venv"
        rm -f .venv/*.done
    else
        make_venv
    fi
    # shellcheck disable=SC2086
    install_from $RUN
    link_checkout
    # shellcheck disable=SC2086
    cat $RUN | cksum >.venv/run.done
}

set_up_test() {
    set_up_run
    is_done test "$TEST" && return
    say "Installing the tools for tests"
    install_from "$TEST"
    cksum <"$TEST" >.venv/test.done
}

make_venv() {
    find_python
    say "Setting up LARouter in .venv with $("$python" -V) (once; about 320 MB with the starter model)"
    rm -rf .venv
    mkdir .venv || fail "LARouter cannot write to this folder; make $(pwd) writable first."
    logged "$python" -m venv .venv || fail_install
    pwd -P >.venv/place
}

# The checkout itself is not copied: .venv finds it by its path, and `larouter` starts app.py.
link_checkout() {
    site=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    pwd -P >"$site/larouter.pth"
    cat >.venv/bin/larouter <<'END'
#!/bin/sh
here=$(dirname "$0")
exec "$here/python" "$here/../../app.py" "$@"
END
    chmod +x .venv/bin/larouter
}

install_from() { # LIST...
    packages=
    for list in "$@"; do packages="$packages -r $list"; done
    # shellcheck disable=SC2086
    logged .venv/bin/python -m pip install --progress-bar off --no-deps --only-binary :all: \
        --require-hashes $packages || fail_install
    say "  done in $waited s"
}

# In the background, so that a signal is heard at once and a long wait is not a silent one.
logged() { # COMMAND...
    "$@" >"$LOG" 2>&1 &
    child=$!
    waited=0
    while kill -0 "$child" 2>/dev/null; do
        sleep 1
        waited=$((waited + 1))
        [ $((waited % 10)) -ne 0 ] || say "  $waited s: $(progress)"
    done
    wait "$child"
}

progress() {
    if grep -q '^Installing' "$LOG"; then
        echo "unpacking"
    elif grep -q '^Collecting' "$LOG"; then
        echo "$(grep -c '^Collecting' "$LOG") packages so far"
    else
        echo "starting"
    fi
}

# Sets $python to the first Python that is new enough and can make a virtual environment.
find_python() {
    too_old='' bare=''
    set -- python3.14 python3.13 python3.12 python3.11 python3 python
    [ -z "${PYTHON:-}" ] || set -- "$PYTHON"
    for python in "$@"; do
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
        case "$version" in
            '') ;;
            2.* | 3.[0-9] | 3.10) too_old=${too_old:-$version} ;;
            *)
                "$python" -c 'import ensurepip, venv' 2>/dev/null && return
                bare=${bare:-$version}
                ;;
        esac
    done
    [ -z "$bare" ] || fail "Python $bare is here without its venv module; install that" \
        "(Debian, Ubuntu: apt install python$bare-venv), then run make again."
    [ -z "$too_old" ] ||
        fail "LARouter needs Python 3.11 or newer and found Python $too_old; $how_python"
    fail "LARouter needs Python 3.11 or newer and found none; $how_python"
}
how_python="install one (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install \
python; or from python.org), or name it: make run PYTHON=/path/to/python3."

check_space() {
    # The column before the percentage: a device or a folder may have spaces in its name.
    free=$(df -Pk . 2>/dev/null | awk 'NR == 2 {
        for (i = 2; i <= NF; i++) if ($i ~ /^[0-9]+%$/) { print $(i - 1); exit } }')
    [ -z "$free" ] || [ "$free" -ge "$SPACE_KB" ] ||
        fail "The disk has $((free / 1024)) MB free and LARouter needs 1 GB to install;" \
            "free some space, then run make again."
}

# One at a time: a second `make run` waits for the first one's install instead of breaking it.
alone() { # COMMAND
    until mkdir "$LOCK" 2>/dev/null; do
        [ -d "$LOCK" ] || fail "LARouter cannot write to this folder; make $(pwd) writable first."
        sleep 1
        owner=$(cat "$LOCK/pid" 2>/dev/null)
        if [ -z "$owner" ] || ! kill -0 "$owner" 2>/dev/null; then
            rm -rf "$LOCK"
        elif [ "$owner" != "${told:-}" ]; then
            told=$owner
            say "Waiting for process $owner to finish installing (if it is no make, remove $LOCK)"
        fi
    done
    child=''
    trap 'rm -rf "$LOCK"' EXIT
    trap 'stop' INT TERM HUP
    echo $$ >"$LOCK/pid"
    "$1"
    rm -rf "$LOCK"
    trap - EXIT INT TERM HUP
}

# A shell starts its background children deaf to Ctrl-C, so they have to be told.
stop() {
    [ -z "$child" ] || kill "$child" 2>/dev/null
    say "Stopped; the next make starts the install again."
    exit 130
}

set_up_browser() {
    for name in chromium chromium-browser google-chrome; do
        command -v "$name" >/dev/null 2>&1 && return
    done
    if [ "$(id -u)" -ne 0 ] || [ ! -f /etc/debian_version ]; then
        say "No Chromium here: the browser tests are skipped (Debian, Ubuntu: apt install chromium)."
        return
    fi
    say "Installing Chromium for the browser tests"
    { apt-get update && DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends chromium fonts-dejavu-core; } \
        >.venv/chromium.log 2>&1 </dev/null ||
        say "Chromium could not be installed (.venv/chromium.log): the browser tests are skipped."
}

set_up_database() {
    # Debian keeps the server itself out of the PATH.
    for name in postgres pg_ctlcluster; do
        command -v "$name" >/dev/null 2>&1 && return
    done
    if [ "$(id -u)" -ne 0 ] || [ ! -f /etc/debian_version ]; then
        say "No PostgreSQL here: its tests are skipped (Debian, Ubuntu: apt install postgresql)."
        return
    fi
    say "Installing PostgreSQL for its tests"
    { apt-get update && DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends postgresql; } \
        >.venv/postgresql.log 2>&1 </dev/null ||
        say "PostgreSQL could not be installed (.venv/postgresql.log): its tests are skipped."
}

# As their list says, each with its hash; no script of theirs is run by the install.
set_up_agents() {
    [ "$(cat .agents/done 2>/dev/null)" = "$(cksum <"$AGENTS")" ] && return
    skipped="the tests of agent programs are skipped"
    major=$(node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/')
    if [ "${major:-0}" -lt 20 ] || ! command -v npm >/dev/null 2>&1; then
        say "No Node.js 20 with npm here: $skipped."
        return
    fi
    say "Installing the agent programs for tests (once; about 1 GB)"
    rm -rf .agents
    mkdir .agents || return 0
    cat tests/agents/package.json >.agents/package.json
    cat "$AGENTS" >.agents/package-lock.json
    if (cd .agents && npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier) \
        >.agents/install.log 2>&1 </dev/null; then
        cksum <"$AGENTS" >.agents/done
    else
        say "The agent programs could not be installed (.agents/install.log): $skipped."
    fi
}

fail_install() {
    if grep -q 'No space left' "$LOG"; then
        fail "The disk filled up while installing; free 1 GB, then run make again."
    elif grep -q 'DO NOT MATCH THE HASHES' "$LOG"; then
        fail "A downloaded package is not the one that LARouter was tested with, so nothing was" \
            "installed; the package is named in $LOG."
    elif grep -qE 'NewConnectionError|ConnectTimeout|NameResolution|ProxyError|SSLError|ReadTimeout|Connection (refused|reset|aborted)|Retrying \(' "$LOG"; then
        fail "The packages could not be fetched: the first start needs the network once;" \
            "what pip said is in $LOG."
    elif grep -q 'No matching distribution' "$LOG"; then
        fail "There is no ready-made package for $(.venv/bin/python -V) on $(uname -sm)" \
            "($(sed -n 's/.*No matching distribution found for \([^ ]*\).*/\1/p' "$LOG" | head -n 1));" \
            "try another Python: make run PYTHON=/path/to/python3."
    fi
    fail "The install failed; what pip said is in $LOG."
}

say() { printf '%s\n' "$*"; }

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

main "$1"
