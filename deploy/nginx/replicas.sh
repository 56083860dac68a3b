#!/bin/sh
# usage: replicas.sh FILE COMMAND…
# Requests /readyz of each replica in FILE every second. Marks those that are not ready as "down", and runs COMMAND
# (nginx -s reload) after a change. If none is ready, none is marked: nginx then tries all.
set -eu
[ $# -ge 2 ] || { sed -n '2,4s/^# //p' "$0" >&2; exit 2; }
file=$1
shift
health_port=${HEALTH_PORT:-8081}
must_run=
trap 'exit 0' INT TERM

is_ready() {
    status=$(curl -s -o /dev/null -w '%{http_code}' --max-time 1 "http://${1%:*}:$health_port/readyz") || return 1
    [ "$status" = 200 ]
}

while :; do
    changed=$(mktemp "$file.XXXXXX")
    trap 'rm -f "$changed"' EXIT
    ready=0
    while read -r line; do
        line=${line%;}
        line=${line% down}
        case $line in
            "server "*)
                replica=${line#server }
                if is_ready "${replica%% *}"; then
                    ready=$((ready + 1))
                else
                    line="$line down"
                fi
                line="$line;"
                ;;
        esac
        printf '%s\n' "$line"
    done <"$file" >"$changed"
    [ "$ready" -gt 0 ] || sed -i 's/ down;$/;/' "$changed"
    if cmp -s "$file" "$changed"; then
        rm -f "$changed"
    else
        chmod 644 "$changed"
        mv "$changed" "$file"
        must_run=yes
    fi
    # A command that failed runs again in the next round.
    if [ -n "$must_run" ]; then
        if "$@"; then must_run=; else echo "replicas.sh: $* failed" >&2; fi
    fi
    sleep "${INTERVAL:-1}"
done
