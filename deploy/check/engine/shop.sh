# Sourced by `deploy/check/compose`: what is done with the shop, and what has to come of it.

GATEWAY=http://127.0.0.1:8080
GATEWAY_2=http://127.0.0.1:8081
JAEGER=http://127.0.0.1:16686
PROMETHEUS=http://127.0.0.1:9090


# containers OPTION...: the project's, by these options of `docker ps`.
containers() {
    docker ps --quiet --filter "label=com.docker.compose.project=$PROJECT" "$@"
}

container() {
    containers --all --filter "label=com.docker.compose.service=$1"
}

is_healthy() {
    [[ "$(docker inspect -f '{{.State.Health.Status}}' "$(container "$1")")" == healthy ]]
}

all_healthy() {
    local service
    for service in gateway gateway-2 orders inventory payments jaeger redis; do
        is_healthy "$service" || return 1
    done
}

# As somebody types it, with more traffic than the demo has: 200 requests a second.
start_loaded() {
    RATE=200 RATE_LIMIT=5000 RATE_LIMIT_BURST=10000 logged compose up --detach --no-build
    within 120 'everything is healthy' all_healthy
    [[ "$(docker inspect -f '{{.State.ExitCode}}' "$(container collector-ready)")" == 0 ]]
    compose ps
}

# One order through GATEWAY, which has to be taken.
order() {
    [[ "$(curl --silent --max-time 10 --output /dev/null --write-out '%{http_code}' \
        --header "idempotency-key: \"$(date +%s%N)\"" --header 'content-type: application/json' \
        --data '{"product_id":1,"quantity":1}' \
        "$1/orders")" == 201 ]]
}

# A moment, as Jaeger is asked for it.
now() {
    date --utc +%Y-%m-%dT%H:%M:%S.%NZ
}

# complete_traces SINCE UNTIL: how many of Jaeger's that began in this time have all four services.
complete_traces() {
    curl --silent --fail --max-time 10 --get "$JAEGER/api/v3/traces" \
        --data-urlencode query.service_name=payments \
        --data-urlencode "query.start_time_min=$1" \
        --data-urlencode "query.start_time_max=$2" \
        --data-urlencode query.num_traces=50 | python3 -c '
import json, sys

services = {}
for line in filter(str.strip, sys.stdin):
    for resource in json.loads(line)["result"]["resourceSpans"]:
        attributes = resource["resource"]["attributes"]
        name = next(one["value"] for one in attributes if one["key"] == "service.name")
        for span in (span for scope in resource["scopeSpans"] for span in scope["spans"]):
            services.setdefault(span["traceId"], set()).add(name["stringValue"])
print(sum(names >= {"gateway", "orders", "inventory", "payments"} for names in services.values()))
'
}

has_complete_traces() {
    (($(complete_traces "$@") > 0))
}

traces() {
    local since
    since=$(now)
    order "$GATEWAY" || fail 'an order through the gateway is not taken'
    order "$GATEWAY_2" || fail 'an order through the second gateway is not taken'
    within 60 'Jaeger has complete traces' has_complete_traces "$since" "$(now)"
    # The page where somebody is sent to.
    curl --silent --fail --max-time 10 --output /dev/null "$JAEGER/"
}

# What an operator would ask.
doctor() {
    docker run --rm --network "${PROJECT}_default" \
        --env OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318 \
        --env OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf \
        "$BARTIZAN_IMAGE" /app/bartizan doctor --gateway http://gateway:8080/products \
        --admin http://gateway:8090 --admin http://gateway-2:8090 --admin http://orders:8091 \
        --admin http://inventory:8092 --admin http://payments:8093 --jaeger http://jaeger:16686
}

targets_up() {
    curl --silent --fail --max-time 10 \
        "$PROMETHEUS/api/v1/query?query=up" | python3 -c '
import json, sys

targets = {
    (one["metric"]["job"], one["metric"]["instance"]): one["value"][1]
    for one in json.load(sys.stdin)["data"]["result"]
}
print("\n".join(f"{job} {instance}: {up}" for (job, instance), up in sorted(targets.items())))
sys.exit(len(targets) < 8 or set(targets.values()) != {"1"})
'
}

prometheus_targets() {
    RATE=200 RATE_LIMIT=5000 RATE_LIMIT_BURST=10000 \
        logged compose --profile metrics up --detach --no-build prometheus
    within 60 'Prometheus reaches all that it scrapes' targets_up
    targets_up
}

# From outside, as the kernel would: `docker kill` tells the engine to leave it.
kill_service() {
    local container before
    container=$(container payments)
    before=$(docker inspect -f '{{.State.Pid}}' "$container")
    kill -KILL "$before"
    within 30 'payments run again' runs_again "$container" "$before"
    within 60 'payments are healthy again' is_healthy payments
    within 30 'orders are taken again' order "$GATEWAY"
    echo 'payments: killed, and started again by the engine'
}

runs_again() {
    local state
    state=$(docker inspect -f '{{.State.Running}} {{.State.Pid}}' "$1")
    [[ "$state" == true\ * && "$state" != 'true 0' && "$state" != "true $2" ]]
}

kill_collector() {
    local since until
    docker kill "$(container collector)" >/dev/null
    since=$(now)
    # Nobody waits for telemetry.
    order "$GATEWAY" || fail 'an order is not taken without the Collector'
    until=$(now)
    logged compose start collector
    within 60 'traces from while the Collector was away are in Jaeger' \
        has_complete_traces "$since" "$until"
    echo 'collector: killed and started again, and the traces of meanwhile are complete'
}

# With the shipped limits and the demo's own traffic, from here on.
start_shipped() {
    export JAEGER_STORAGE=badger
    logged compose up --detach --no-build
    within 120 'everything is healthy' all_healthy
}

# ask GATEWAY KEY TIMES: each answer's status, counted.
ask() {
    curl --silent --max-time 30 --output /dev/null --write-out '%{http_code}\n' \
        --header "x-api-key: $2" "$1/products?n=[1-$3]" | sort | uniq -c | tr -s ' \n' ' '
}

# admitted COUNTS: how many of these answers were no refusal.
admitted() {
    awk '{ for (i = 1; i < NF; i += 2) if ($(i + 1) == 200) n += $i } END { print n + 0 }' <<<"$1"
}

kill_jaeger() {
    local since until
    since=$(now)
    order "$GATEWAY" || fail 'an order is not taken'
    until=$(now)
    within 60 'Jaeger has a complete trace' has_complete_traces "$since" "$until"
    docker kill "$(container jaeger)" >/dev/null
    logged compose start jaeger
    within 60 'Jaeger has the trace that it had before' has_complete_traces "$since" "$until"
    echo 'jaeger: killed and started again, and it has its traces'
}

# Both are asked for more than the limit. Together they admit no more than it: 40 at once, 20 a second,
# and what each may have taken of Redis before. Each by itself would admit its 40.
shared_limit() {
    local key="shared-$RANDOM" began first second total most
    began=$(date +%s%N)
    first=$(ask "$GATEWAY" "$key" 100)
    second=$(ask "$GATEWAY_2" "$key" 100)
    total=$(($(admitted "$first") + $(admitted "$second")))
    most=$((40 + 20 * ($(date +%s%N) - began) / 1000000000 + 15))
    echo "gateway:$first; gateway-2:$second; together $total, at most $most"
    ((total >= 40)) || fail 'the gateways admit less than the limit' || return
    ((total <= most)) || fail 'the gateways admit more than the limit' || return
    second=$(ask "$GATEWAY_2" "$key-other" 20)
    (($(admitted "$second") == 20)) || fail 'another client is limited, too' || return
}

kill_redis() {
    local answers
    docker kill "$(container redis)" >/dev/null
    answers=$(ask "$GATEWAY" "alone-$RANDOM" 20)
    echo "gateway, without Redis:$answers"
    (($(admitted "$answers") == 20)) || fail 'the gateway does not go on without Redis'
    logged compose start redis
    within 60 'Redis is healthy again' is_healthy redis
    within 60 'both gateways share a limit again' shared_limit
    echo 'redis: killed and started again, and the limit is shared again'
}

# Whoever calls comes before whom it calls, and all end by themselves.
stop_all() {
    local container status wrong=0
    logged compose --profile metrics stop
    for container in $(containers --all); do
        status=$(docker inspect -f '{{.Name}} {{.State.ExitCode}}' "$container")
        echo "$status"
        [[ "$status" == *' 0' ]] || wrong=1
    done
    ((wrong == 0)) || fail 'a container did not end with 0'
}

take_down() {
    local what left
    logged compose --profile metrics down --volumes
    for what in container network volume; do
        left=$(docker "$what" ls --quiet --filter "label=com.docker.compose.project=$PROJECT" \
            $([[ "$what" == container ]] && echo --all))
        [[ -z "$left" ]] || fail "a $what is left: $left"
    done
}
