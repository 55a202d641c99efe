# Sourced by `deploy/check/compose`: images in place of those that no registry can be asked for here.
# Each has the program in the version that `docker-compose.yml` pins, and what its health check
# needs, and is started by the same command.

DEBIAN=bookworm
DEBIAN_PACKAGES=busybox-static,ca-certificates,gcc,libc6-dev,prometheus,redis-server
STAND_IN=bartizan-check

# What needs the network, and so comes before an engine of the check's own, which may have none; for
# one that runs already, with the first stand-in. Exported, for the part of the check that runs inside.
fetch_stand_ins() {
    local programs
    programs=$("$CHECK/install") ||
        unable 'the Collector and Jaeger, which stand-in images are made of, cannot be built here'
    OTELCOL=$(head -n 1 <<<"$programs") JAEGER_PROGRAM=$(tail -n 1 <<<"$programs")
    fetch_debian
    fetch_rust
    export OTELCOL JAEGER_PROGRAM DEBIAN_ROOT RUST_ROOT
}

# A root file system with a C compiler, Redis and Prometheus, out of the distribution's packages.
fetch_debian() {
    DEBIAN_ROOT="$CACHE/debian-$(hash_of <<<"$DEBIAN $DEBIAN_PACKAGES").tar.gz"
    [[ ! -f "$DEBIAN_ROOT" ]] || return 0
    command -v debootstrap >/dev/null || unable 'debootstrap, which makes stand-in images, is not here'
    local root="$scratch/debian"
    timeout 500 debootstrap --variant=minbase --include="$DEBIAN_PACKAGES" "$DEBIAN" "$root" \
        >"$scratch/debootstrap.log" || {
        tail -n 5 "$scratch/debootstrap.log" >&2
        unable 'debootstrap cannot make a stand-in image here'
    }
    tar -C "$root" --exclude='./usr/share/*' --exclude='./var/cache/*' \
        --exclude='./var/lib/apt/lists/*' -c . | gzip -1 >"$DEBIAN_ROOT.new"
    rm -rf "$root"
    mv "$DEBIAN_ROOT.new" "$DEBIAN_ROOT"
}

# The toolchain that is here, and the crates that the lock file names.
fetch_rust() {
    RUST_ROOT="$CACHE/docker-rust-$({ rustc -vV && cat "$ROOT/Cargo.lock"; } | hash_of)"
    [[ ! -d "$RUST_ROOT" ]] || return 0
    rm -rf "$CACHE"/docker-rust-*
    mkdir -p "$RUST_ROOT.new/cargo"
    tar -C "$(rustc --print sysroot)" -c bin/cargo bin/rustc lib | tar -C "$RUST_ROOT.new" -x
    CARGO_HOME="$RUST_ROOT.new/cargo" timeout 500 cargo fetch --quiet --locked \
        --target "$(rustc -vV | sed -n 's/^host: //p')" --manifest-path "$ROOT/Cargo.toml"
    # They are unpacked again where they are used.
    rm -rf "$RUST_ROOT.new/cargo/registry/src"
    mv "$RUST_ROOT.new" "$RUST_ROOT"
}

hash_of() {
    sha256sum | cut -c 1-16
}

# is_current IMAGE INPUTS: whether it is there and was made of the same.
is_current() {
    [[ "$(docker image inspect -f '{{.Config.Labels.inputs}}' "$1" 2>/dev/null)" == "$2" ]]
}

# from NAME INPUTS FILE...: an image of the Dockerfile on standard input and these files.
from() {
    local image="$STAND_IN/$1" inputs=$2 context="$scratch/context"
    if ! is_current "$image" "$inputs"; then
        rm -rf "$context"
        mkdir "$context"
        cp -r "${@:3}" "$context"
        logged docker build --label "inputs=$inputs" -t "$image" -f - "$context"
        rm -rf "$context"
    fi
    made=$image
}

# Debian itself, which other stand-ins begin with.
from_debian() {
    local inputs=${DEBIAN_ROOT##*/}
    made="$STAND_IN/debian"
    is_current "$made" "$inputs" ||
        gunzip -c "$DEBIAN_ROOT" |
        docker import --change "LABEL inputs=$inputs" - "$made" >/dev/null
}

# make_stand_in VARIABLE: makes what takes the place of its image, and leaves the name in `made`.
make_stand_in() {
    [[ -n "${OTELCOL:-}" ]] || fetch_stand_ins
    from_debian
    local debian=${DEBIAN_ROOT##*/}
    case $1 in
    # With nothing else in it, as the one that it stands for.
    COLLECTOR_IMAGE)
        from collector "$(hash_of <"$OTELCOL")" "$OTELCOL" <<'END'
FROM scratch
COPY otelcol /otelcol-contrib
ENTRYPOINT ["/otelcol-contrib"]
END
        ;;
    JAEGER_IMAGE)
        from jaeger "$debian-$(hash_of <"$JAEGER_PROGRAM")" "$JAEGER_PROGRAM" <<END
FROM scratch
COPY --from=$STAND_IN/debian /usr/bin/busybox /bin/wget
COPY jaeger /cmd/jaeger/jaeger-linux
ENV PATH=/bin
ENTRYPOINT ["/cmd/jaeger/jaeger-linux"]
END
        ;;
    REDIS_IMAGE)
        made="$STAND_IN/debian"
        ;;
    PROMETHEUS_IMAGE)
        from prometheus "$debian" /dev/null <<END
FROM $STAND_IN/debian
RUN ln -s busybox /usr/bin/wget
ENTRYPOINT ["/usr/bin/prometheus"]
END
        ;;
    # Whatever the build needs is in it, so that it needs no network.
    BUILD_IMAGE)
        from rust "$debian-${RUST_ROOT##*/}" "$RUST_ROOT" <<END
FROM $STAND_IN/debian
COPY ${RUST_ROOT##*/} /usr/local
ENV CARGO_HOME=/usr/local/cargo CARGO_NET_OFFLINE=true
END
        ;;
    *) fail "no stand-in is known for \`$1\`" ;;
    esac
}
