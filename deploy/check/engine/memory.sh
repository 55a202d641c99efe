# Sourced by `deploy/check/compose`: what containers take of their limits.

# charged PID: the most that its control group was charged, in bytes, in either version of these.
charged() {
    local group
    if group=$(sed -n 's/^[0-9]*:memory://p' "/proc/$1/cgroup" | grep .); then
        cat "/sys/fs/cgroup/memory$group/memory.max_usage_in_bytes"
    else
        group=$(sed -n 's/^0:://p' "/proc/$1/cgroup")
        cat "/sys/fs/cgroup$group/memory.peak"
    fi
}

# One line for CONTAINER: its name, the most that its processes held at once, the most that it was
# charged, the limit, in KiB. What is charged includes files that were read, which are given back
# before anything is refused; so the process is what has to be below the limit.
memory_of() {
    local pid service limit
    read -r pid service limit < <(docker inspect -f \
        '{{.State.Pid}} {{index .Config.Labels "com.docker.compose.service"}} {{.HostConfig.Memory}}' \
        "$1")
    printf '%s %s %s %s\n' "$service" "$(sed -n 's/^VmHWM:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$pid/status")" \
        "$(($(charged "$pid") / 1024))" "$((limit / 1024))"
}

# A table of all that run. Fails where one has no limit, is within a tenth of it, or was killed for it.
memory() {
    local container wrong=0 name resident charged limit
    printf '%-14s %12s %12s %12s\n' container 'peak, KiB' 'charged, KiB' 'limit, KiB'
    for container in $(containers --filter status=running); do
        memory_of "$container"
    done | sort >"$scratch/memory"
    while read -r name resident charged limit; do
        printf '%-14s %12s %12s %12s\n' "$name" "$resident" "$charged" "$limit"
        ((limit > 0 && resident * 10 < limit * 9)) || wrong=1
    done <"$scratch/memory"
    for container in $(containers --all); do
        [[ "$(docker inspect -f '{{.State.OOMKilled}}' "$container")" == false ]] || wrong=1
    done
    ((wrong == 0)) || fail 'a container has no limit, is within a tenth of it, or was killed for it'
}
