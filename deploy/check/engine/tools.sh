# Sourced by `deploy/check/compose`: what all of its parts use.

# step TITLE COMMAND...: announces, runs, times. The first failure ends the run.
step() {
    current=$1
    shift
    local start=$SECONDS
    printf '\n== %s\n' "$current"
    "$@"
    printf -- '-- %s: %ss\n' "$current" "$((SECONDS - start))"
}

fail() {
    printf 'compose: %s\n' "$*" >&2
    return 1
}

# Nothing is wrong with what is to be checked: it cannot be checked here. The last line of the output.
unable() {
    printf 'compose: skipped, %s\n' "$*"
    exit 75
}

# within SECONDS WHAT COMMAND...: asks again until the command succeeds, and fails after the deadline.
within() {
    local deadline=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < deadline)) || {
            fail "not within its time: $what"
            "$@" || true
            return 1
        }
        # How often it asks; what it waits for is the condition.
        sleep 0.3
    done
}

# logged COMMAND...: shows what it says if it fails.
logged() {
    local status=0
    "$@" >"$scratch/log" 2>&1 || status=$?
    ((status == 0)) || {
        tail -n 40 "$scratch/log" >&2
        fail "ended with $status: $*" || return "$status"
    }
}
