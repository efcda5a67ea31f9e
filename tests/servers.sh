#!/bin/sh
# Sees to it that tests find Redis, and PostgreSQL with its contributed extensions; the tests start and stop them
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
    postgresql_found && redis_found
}

all_found && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    packages=""
    postgresql_found || packages="postgresql postgresql-contrib"
    redis_found || packages="$packages redis-server"
    echo "Installing for the tests (once): $packages …"
    # shellcheck disable=SC2086  # several words are meant
    { apt-get update -qq && apt-get install -qq -y --no-install-recommends $packages; } >/dev/null 2>&1
    all_found && exit 0
fi
postgresql_found || echo "PostgreSQL with contrib is not installed and could not be: its extensions are not tried. " \
    "Debian: apt-get install postgresql postgresql-contrib" >&2
redis_found || echo "Redis is not installed and could not be: several processes are not tried. " \
    "Debian: apt-get install redis-server" >&2
[ "${CI:-}" != true ]
