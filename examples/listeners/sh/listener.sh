#!/bin/sh
# Writes every event to standard error.

# Bytes, so that every shell and tool counts alike; read_payload knows what a character is. No wildcards in tokens.
LC_ALL=C
export LC_ALL
set -f

payload=$(mktemp) || exit 1
trap 'rm -f "$payload"' EXIT
trap 'exit 0' HUP INT TERM

# How many bytes of the payload are in a range of tr.
count() {
    echo $(($(tr -cd "$1" <"$payload" | wc -c)))
}

# Reads $1 characters of UTF-8 into the file. Each has at least one byte, so that many are read at first; those that begin a
# wider character, \300 and above, tell how many more are to come.
read_payload() {
    : >"$payload"
    have=0
    missing=$1
    while [ "$missing" -gt 0 ]; do
        dd bs=1 count="$missing" >>"$payload" 2>/dev/null
        before=$have
        have=$(count '\000-\377')
        [ "$have" -gt "$before" ] || return 1
        missing=$(($1 + $(count '\300-\377') + $(count '\340-\377') + $(count '\360-\377') - have))
    done
}

while printf 'READY\n' && read -r header; do
    for token in $header; do
        case $token in
            eventname:*) eventname=${token#*:} ;;
            len:*) len=${token#*:} ;;
        esac
    done
    read_payload "$len" || exit 0
    { printf '%s: ' "$eventname"; cat "$payload"; echo; } >&2
    printf 'RESULT 2\nOK'
done
