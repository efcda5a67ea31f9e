#!/bin/sh
# Sees to it that tests find PostgreSQL with its contributed extensions; the tests start and stop it themselves.
# Where it can be neither found nor installed it says so in one line, and under CI it fails.
set -u

found() {
    for initdb in /usr/lib/postgresql/*/bin/initdb /usr/local/bin/initdb /usr/pgsql-*/bin/initdb \
        /opt/homebrew/opt/postgresql*/bin/initdb "$(command -v initdb || true)"; do
        [ -x "$initdb" ] && return 0
    done
    return 1
}

found && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing PostgreSQL for the tests (once) …"
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -qq && apt-get install -qq -y --no-install-recommends postgresql postgresql-contrib; } >/dev/null 2>&1
    found && exit 0
fi
echo "PostgreSQL with contrib is not installed and could not be: its extensions are not tried. " \
    "Debian: apt-get install postgresql postgresql-contrib" >&2
[ "${CI:-}" != true ]
