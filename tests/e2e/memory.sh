#!/bin/sh
# What an idle process with one instance and one key takes above OpenSSL alone, in KiB:
#   resident   all pages that it has mapped, those of library files included, which all processes share
#   share      each page by the number of processes that have it now: falls with every further process
#   own        what no other process can share: heap, stacks, relocated tables
# The first and the last are held here, with room for kernels that map more of a file at once: medians of several runs, because a run in ten
# has a block of a library's pages more or less.
. "$(dirname "$0")/common.sh"
probe=$build/bin/memory_probe
OCTAVO_STATS_DIR=$work
export OCTAVO_STATS_DIR

measure() { for run in 1 2 3 4 5; do OPENSSL_CONF=$1 "$probe" || fail "the probe"; done; }
median() { awk -v field="$1:" '$1 == field { print $2 }' "$2" | sort -n | sed -n 3p; }
above() { echo $(($(median "$1" with) - $(median "$1" without))); }
measure "$plain_cnf" >without
measure "$octavo_cnf" >with
ls "$work"/*.stats >/dev/null 2>&1 && fail "the probe left a statistics file"
resident=$(above Rss) own=$(above Anonymous)
echo "an idle process with one instance, above OpenSSL alone: $resident KiB resident, $(above Pss) KiB its share, $own KiB its own"
[ "$own" -gt 0 ] || fail "no instance was made"
[ "$own" -le 512 ] || fail "over 512 KiB of its own"
[ "$resident" -le 1408 ] || fail "over 1408 KiB resident"
