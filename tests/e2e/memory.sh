#!/bin/sh
# What an idle process with one instance takes above OpenSSL alone. A figure to hold: at most 1 MiB of its own. Pages of library files are shared
# by all processes, and only printed.
. "$(dirname "$0")/common.sh"
probe=$build/bin/memory_probe
OCTAVO_STATS_DIR=$work
export OCTAVO_STATS_DIR

kib() { awk -v field="$1:" '$1 == field { print $2 }' "$2"; }
OPENSSL_CONF=$plain_cnf "$probe" > without
OPENSSL_CONF=$octavo_cnf "$probe" > with
ls "$work"/*.stats >/dev/null 2>&1 && fail "the probe left a statistics file"
own=$(($(kib Anonymous with) - $(kib Anonymous without)))
all=$(($(kib Rss with) - $(kib Rss without)))
echo "an idle process with one instance, above OpenSSL alone: $own KiB of its own, $all KiB resident with the pages of library files"
[ "$own" -gt 0 ] || fail "no instance was made"
[ "$own" -le 1024 ] || fail "over 1024 KiB"
