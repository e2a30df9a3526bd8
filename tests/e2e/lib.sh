# Sourced by the end-to-end tests: build a receiver, start it, send it the shop's traces, stop it.

# Without it a failed build inside `$(…)` would go unnoticed.
shopt -s inherit_errexit

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${TEST_E2E_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/biztrace-e2e}
scratch=$(mktemp -d)
pids=()
trap clean_up EXIT

# The caller's own telemetry settings must not steer the shop or the receiver.
unset "${!OTEL_@}"

clean_up() {
    local status=$? pid
    if ((status != 0)) && [[ -s $scratch/receiver.log ]]; then
        echo "--- the receiver's last words" >&2
        tail -n 20 "$scratch/receiver.log" >&2
    fi
    for pid in "${pids[@]}"; do
        kill "$pid" 2>/dev/null && wait "$pid" || true
    done
    rm -rf "$scratch"
}

# need COMMAND WHAT: ends the test, as skipped, if COMMAND is not installed.
need() {
    command -v "$1" >/dev/null && return
    echo "SKIPPED: no $2 ($1 is not on the PATH)" >&2
    exit 0
}

# free_ports COUNT: prints as many loopback ports that nobody listens on.
free_ports() {
    python3 - "$1" <<'PYTHON'
import socket, sys

sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print(*(s.getsockname()[1] for s in sockets))
PYTHON
}

# go_binary NAME PACKAGE: prints the path of PACKAGE, built in the module NAME beside this file.
# It is built once for each state of that module. Go's own caches would take gigabytes, so they are
# private to the build and go with it.
go_binary() (
    cd "$here/$1"
    binary=$cache/$1-$(find . -name 'go.*' -o -name '*.go' | sort | xargs cat | cksum | cut -d' ' -f1)
    if [[ ! -x $binary ]]; then
        echo "building $1, once; this takes minutes" >&2
        mkdir -p "$cache"
        build=$(mktemp -d "$cache/build.XXXXXX")
        trap 'rm -rf "$build"' EXIT
        CGO_ENABLED=0 GOFLAGS='-modcacherw -buildvcs=false' GOCACHE=$build/cache GOMODCACHE=$build/mod \
            go build -trimpath -ldflags='-s -w' -o "$build/binary" "$2" 2>&1 |
            { grep -v '^go: downloading' || true; } >&2
        mv "$build/binary" "$binary"
    fi
    echo "$binary"
)

# python_environment NAME: prints the path of a virtual environment with what NAME/requirements.txt beside this file asks for.
# It is made once for each state of that file, and for each Python.
python_environment() (
    requirements=$here/$1/requirements.txt
    environment=$cache/$1-$(cat "$requirements" <(python3 --version) | cksum | cut -d' ' -f1)
    if [[ ! -d $environment ]]; then
        echo "installing $1, once" >&2
        mkdir -p "$cache"
        build=$(mktemp -d "$cache/build.XXXXXX")
        trap 'rm -rf "$build"' EXIT
        python3 -m venv "$build/environment" >&2
        "$build/environment/bin/python" -m pip install -q --disable-pip-version-check --no-cache-dir -r "$requirements" >&2
        mv "$build/environment" "$environment"
    fi
    echo "$environment"
)

# maven_jar ARTIFACT: prints the path of the jar that has these coordinates (`group:name:version:jar:classifier`).
# It is downloaded once. Maven's own repository would stay, so it is private to the download and goes with it.
maven_jar() (
    jar=$cache/${1//:/-}.jar
    if [[ ! -f $jar ]]; then
        echo "downloading $1, once" >&2
        mkdir -p "$cache"
        build=$(mktemp -d "$cache/build.XXXXXX")
        trap 'rm -rf "$build"' EXIT
        cd "$build"
        mvn -q -B -C org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
            -Dartifact="$1" -DoutputDirectory="$build/jar" -Dmaven.repo.local="$build/repository" >&2
        mv "$build"/jar/*.jar "$jar"
    fi
    echo "$jar"
)

# start COMMAND...: runs a receiver in the background until the test ends.
start() {
    "$@" >>"$scratch/receiver.log" 2>&1 &
    pids+=($!)
}

# poll SECONDS COMMAND...: repeats COMMAND until it succeeds; shows only what its last run said.
poll() {
    local deadline=$((SECONDS + $1)) said
    shift
    until said=$("$@" 2>&1); do
        if ((SECONDS >= deadline)); then
            echo "$said" >&2
            return 1
        fi
        sleep 0.1
    done
    if [[ -n $said ]]; then echo "$said"; fi
}

listening() {
    : 2>/dev/null <>"/dev/tcp/127.0.0.1/$1"
}

# start_zipkin PORT: gets Zipkin, and runs it until the test ends.
start_zipkin() {
    need java 'Java 17'
    need mvn Maven
    local jar
    jar=$(maven_jar io.zipkin:zipkin-server:3.5.1:jar:exec)
    # It would listen on every interface, if it were told a port only.
    start java -Xmx256m "-Darmeria.ports[0].ip=127.0.0.1" "-Darmeria.ports[0].port=$1" "-Darmeria.ports[0].protocols[0]=http" \
        -jar "$jar"
    poll 60 listening "$1"
}

# send_shop_traces VARIABLE=VALUE...: runs the shop's demo with these variables, which name the receiver.
# The limit is for a demo that hangs; it needs seconds once it is built.
send_shop_traces() (
    cd "$here/../.."
    cargo build -q -p shop
    env "$@" timeout 120 cargo run -q -p shop -- --demo >"$scratch/shop.log" 2>&1 || {
        echo "the shop's demo failed with $?:" >&2
        cat "$scratch/shop.log" >&2
        return 1
    }
)
