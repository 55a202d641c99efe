# Sourced by `deploy/check/compose`: a Docker engine of its own, where none runs.
#
# It gets namespaces of its own for processes, mounts and network, so that it can be started beside
# whatever else is here: its ports are nobody else's, its rules for packets are gone with it, and
# when the first process in there ends, however it does, the kernel ends all others. What it has
# built is in the cache and is there when it starts again.

ENGINE_CACHE="$CACHE/docker-engine"
# Below it are the control groups of everything that the engine starts.
CGROUP=bartizan-check

# Why no engine can be started here, if so.
why_no_engine() {
    local program missing=()
    for program in dockerd containerd runc iptables docker docker-compose unshare ip flock; do
        command -v "$program" >/dev/null || missing+=("$program")
    done
    if ((EUID)); then
        echo 'no Docker engine runs, and only root can start one'
    elif ((${#missing[@]})); then
        echo "no Docker engine runs, and what starts one is not here: ${missing[*]}"
    elif ! unshare --net --mount --pid --fork --kill-child --mount-proc ip link set lo up 2>&1; then
        echo 'no Docker engine runs, and this machine gives no namespaces to one'
    else
        return 1
    fi
}

# Runs COMMAND in new namespaces and leaves nothing of it.
in_namespaces() {
    mkdir -p "$ENGINE_CACHE"
    exec {lock}>"$ENGINE_CACHE.lock"
    flock --timeout 600 "$lock" || fail "another run holds $ENGINE_CACHE.lock"
    # The lock is not for what is started: a child that outlives a run would keep it.
    unshare --net --mount --pid --fork --kill-child --mount-proc "$@" {lock}>&- &
    inside=$!
    local status=0
    wait "$inside" || status=$?
    inside=
    remove_cgroups
    return "$status"
}

# Ends what `in_namespaces` has started, if it still runs.
end_namespaces() {
    [[ -n "${inside:-}" ]] || return 0
    kill -KILL "$inside" 2>/dev/null || true
    wait "$inside" 2>/dev/null || true
    remove_cgroups
}

# They can be removed once the kernel has ended whatever was in them.
remove_cgroups() {
    within 20 'the control groups of what was started are empty' no_cgroups
}

no_cgroups() {
    find /sys/fs/cgroup -depth -type d -path "*/$CGROUP*" -exec rmdir {} ';' 2>/dev/null
    [[ -z "$(find /sys/fs/cgroup -type d -name "$CGROUP" -print -quit)" ]]
}

# Starts the engine; `stop_engine` stops it. WORK is a directory for its sockets and its log.
start_engine() {
    local work=$1
    ip link set lo up
    # Its own client settings: none of the user's helpers and registries.
    export DOCKER_HOST="unix://$work/docker.sock" DOCKER_CONFIG="$work/config"
    mkdir -p "$DOCKER_CONFIG"
    dockerd --host "$DOCKER_HOST" --data-root "$ENGINE_CACHE" --exec-root "$work/run" \
        --pidfile "$work/docker.pid" --cgroup-parent "/$CGROUP" >"$work/dockerd.log" 2>&1 &
    engine=$!
    within 60 'a Docker engine that answers' docker info || {
        tail -n 5 "$work/dockerd.log" >&2
        # In the words of the engine, which knows better than any check before.
        unable "the Docker engine does not start: $(grep -v level=info "$work/dockerd.log" | tail -n 1)"
    }
    within 60 'containers of a run that was cut off are gone' no_containers
    docker volume ls --quiet | xargs --no-run-if-empty docker volume rm >/dev/null
    docker network prune --force >/dev/null
}

# The engine is starting them again meanwhile, and is told not to; some are in between, and refuse.
no_containers() {
    docker ps --all --quiet | xargs --no-run-if-empty docker update --restart no
    docker ps --all --quiet | xargs --no-run-if-empty docker rm --force --volumes
    [[ -z "$(docker ps --all --quiet)" ]]
}

stop_engine() {
    [[ -n "${engine:-}" ]] || return 0
    # What the next run cannot use: layers of code that has changed since.
    docker image prune --force >/dev/null 2>&1 || true
    kill "$engine" 2>/dev/null || true
    wait "$engine" || true
    engine=
}
