#!/bin/sh
# Sees to it that tests find Redis, the Phoenix client, and PostgreSQL with its extensions; the tests start and stop them
# themselves. What can be neither found nor installed is said in one line, and under CI it fails.
set -u

postgresql_found() {
    for initdb in /usr/lib/postgresql/*/bin/initdb /usr/local/bin/initdb /usr/pgsql-*/bin/initdb \
        /opt/homebrew/opt/postgresql*/bin/initdb "$(command -v initdb || true)"; do
        [ -x "$initdb" ] && return 0
    done
    return 1
}

redis_found() {
    command -v redis-server >/dev/null
}

all_found() {
    postgresql_found && redis_found && command -v npm >/dev/null
}

# The official Phoenix client speaks to our server in one test; its lock names versions and hashes and no host.
fetch_phoenix() {
    phoenix="$(dirname "$0")/phoenix"
    [ "$phoenix/node_modules/.package-lock.json" -nt "$phoenix/package-lock.json" ] && return 0
    command -v npm >/dev/null && npm ci --prefix "$phoenix" --no-audit --no-fund --silent >/dev/null 2>&1
}

done_for() {
    fetch_phoenix && exit 0
    echo "The Phoenix client could not be fetched: the official client is not tried. Debian: apt-get install npm" >&2
    [ "${CI:-}" != true ]
    exit
}

all_found && done_for
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    packages=""
    postgresql_found || packages="postgresql postgresql-contrib"
    redis_found || packages="$packages redis-server"
    command -v npm >/dev/null || packages="$packages nodejs npm"
    echo "Installing for the tests (once): $packages …"
    # shellcheck disable=SC2086  # several words are meant
    { apt-get update -qq && apt-get install -qq -y --no-install-recommends $packages; } >/dev/null 2>&1
    all_found && done_for
fi
postgresql_found || echo "PostgreSQL with contrib is not installed and could not be: its extensions are not tried. " \
    "Debian: apt-get install postgresql postgresql-contrib" >&2
redis_found || echo "Redis is not installed and could not be: several processes are not tried. " \
    "Debian: apt-get install redis-server" >&2
fetch_phoenix || echo "npm is not installed and could not be: the official Phoenix client is not tried." >&2
[ "${CI:-}" != true ]
