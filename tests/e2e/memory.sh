#!/bin/sh
# What an idle process with one instance and one key takes above OpenSSL alone, in KiB:
#   resident   all pages that it has mapped, those of library files included, which all processes share
#   share      each page by the number of processes that have it now: falls with every further process
#   own        what no other process can share: heap, stacks, relocated tables
# The first and the last are the same in every run, but for a few pages, and held here.
. "$(dirname "$0")/common.sh"
probe=$build/bin/memory_probe
OCTAVO_STATS_DIR=$work
export OCTAVO_STATS_DIR

kib() { awk -v field="$1:" '$1 == field { print $2 }' "$2"; }
above() { echo $(($(kib "$1" with) - $(kib "$1" without))); }
OPENSSL_CONF=$plain_cnf "$probe" >without
OPENSSL_CONF=$octavo_cnf "$probe" >with
ls "$work"/*.stats >/dev/null 2>&1 && fail "the probe left a statistics file"
resident=$(above Rss) own=$(above Anonymous)
echo "an idle process with one instance, above OpenSSL alone: $resident KiB resident, $(above Pss) KiB its share, $own KiB its own"
[ "$own" -gt 0 ] || fail "no instance was made"
[ "$own" -le 400 ] || fail "over 400 KiB of its own"
[ "$resident" -le 1024 ] || fail "over 1024 KiB resident"
