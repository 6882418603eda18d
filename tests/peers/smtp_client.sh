#!/usr/bin/env bash
# Does a client that nobody here wrote take the fake mail server for one?
#
#     tests/peers/smtp_client.sh TARGET/debug/examples/fake_smtp
#
# Needs swaks. Prints one line a check, and fails with the first that is wrong.
set -euo pipefail

fake=$1
work=$(mktemp -d)
mkfifo "$work/open"
"$fake" --ca "$work/ca.pem" --login ana:secret <"$work/open" >"$work/out" &
exec 9>"$work/open"
trap 'exec 9>&-; wait; rm -rf "$work"' EXIT
until grep -q listening "$work/out"; do sleep 0.1; done
address=$(sed -n 's/^listening on //p' "$work/out")

# check NAME CODE SWAKS-OPTIONS...
check() {
    local name=$1 wanted=$2 code=0
    shift 2
    swaks --server "$address" --from bot@example.org --to ana@example.net "$@" >"$work/talk" 2>&1 || code=$?
    if [ "$code" != "$wanted" ]; then
        cat "$work/talk"
        echo "FAILED: $name: swaks ended with $code, wanted $wanted"
        exit 1
    fi
    echo "ok: $name"
}

login=(--tls --auth-user ana --auth-password secret)
check "STARTTLS, AUTH PLAIN, a letter with dots" 0 "${login[@]}" --auth PLAIN --body $'a line\n.a dot\n..\nend'
check "AUTH LOGIN" 0 "${login[@]}" --auth LOGIN --body "a line"
check "an attachment" 0 "${login[@]}" --auth PLAIN --attach "@$fake.d" --body "a line"
check "two recipients" 0 "${login[@]}" --auth PLAIN --to ana@example.net,bo@example.net
check "a wrong password is refused" 28 --tls --auth PLAIN --auth-user ana --auth-password wrong
check "no letter without a login" 23 --tls
check "a line of more than 998 bytes is refused" 26 "${login[@]}" --auth PLAIN --body "$(printf 'x%.0s' {1..1200})"

exec 9>&-
wait
trap 'rm -rf "$work"' EXIT
if [ "$(grep '^fault' "$work/out")" = "fault: a line of more than 998 bytes" ] && [ "$(grep -c '^from bot@example.org to .* tls true, user Some("ana")$' "$work/out")" = 4 ]; then
    echo "ok: four letters were taken, each by TLS, and one fault was seen"
else
    cat "$work/out"
    echo "FAILED: what was taken"
    exit 1
fi
