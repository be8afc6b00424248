# ./cmvc demo: receiver, slow link and sender on this machine, and nothing left of them afterwards. Read by the launcher.

declare -A demo_pid=()                                   # role -> process, in a group of its own with its children (ffmpeg)

port_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
free_port() { local port=$1; while port_taken "$port"; do port=$((port + 1)); done; echo "$port"; }

demo_start() { # ROLE ARGUMENT...: the kernel ends it should this shell be killed outright
    local role=$1
    shift
    : >"$demo_logs/$role.log"                            # now, not when the child runs: no ready line of an earlier demo is read
    setsid setpriv --pdeathsig TERM "$(program "$role")" "$@" >>"$demo_logs/$role.log" 2>&1 </dev/null &
    demo_pid[$role]=$!
}

demo_ready() { # ROLE: waits for its ready line
    local tries code=0
    for ((tries = 0; tries < 300; tries++)); do
        grep -q '^ready ' "$demo_logs/$1.log" && return 0
        if ! kill -0 "${demo_pid[$1]}" 2>/dev/null; then
            wait "${demo_pid[$1]}" || code=$?
            demo_died "$1" $code
        fi
        sleep 0.1
    done
    say "'$1' is not ready after 30 s; the end of its log:"
    tail -5 "$demo_logs/$1.log" >&2
    exit 1
}

demo_died() { # ROLE CODE
    say "'$1' ended by itself with exit code $2; the end of its log ($demo_logs/$1.log):"
    tail -10 "$demo_logs/$1.log" >&2
    exit 1
}

demo_stop() { # the sender first, so that it can take its leave; what does not stop within 5 s is killed, and so are children left behind
    trap '' INT TERM HUP
    local role tries
    for role in send throttle receive; do
        [ -n "${demo_pid[$role]-}" ] || continue
        kill -TERM "${demo_pid[$role]}" 2>/dev/null || true
        for ((tries = 0; tries < 50; tries++)); do kill -0 "${demo_pid[$role]}" 2>/dev/null || break; sleep 0.1; done
        kill -KILL -- "-${demo_pid[$role]}" 2>/dev/null || true
    done
}

demo() {
    local source=synthetic:street rate=8kbps delay=100ms view="" browser=yes limit=() loop=() role port link url share dead code
    while [ $# -gt 0 ]; do
        case $1 in
            --*=*) set -- "${1%%=*}" "${1#*=}" "${@:2}"; continue ;;
            --no-browser) browser=no; shift; continue ;;
            --help | -h) usage; exit 0 ;;
            --source | --rate | --delay | --for | --view) [ -n "${2-}" ] || misuse "$1 wants a value" ;;
            *) misuse "'$1' is no option of demo" ;;
        esac
        case $1 in
            --source) source=$2 ;;
            --rate) rate=$2 ;;
            --delay) delay=$2 ;;
            --for) limit=(--for "$2") ;;
            --view) view=$2 ;;
        esac
        shift 2
    done
    [[ ${rate,,} =~ ^[0-9]+(\.[0-9]+)?(bps|kbps|mbps)$ ]] || misuse "'$rate' is no rate; write for example 8kbps"
    [[ $view =~ ^(https?://[^/]+:[0-9]+/?)?$ ]] || misuse "'$view' is no address for the page; write for example http://127.0.0.1:8080"
    [[ $source != file:* ]] || loop=(--loop)
    setup programs
    [ -n "$view" ] || view=http://127.0.0.1:$(free_port 8080)
    view=${view%/}
    demo_logs=$root/artifacts/demo/${view##*:}
    mkdir -p "$demo_logs"

    trap demo_stop EXIT
    trap 'exit 0' INT TERM HUP
    port=$(free_port 50051)
    demo_start receive --listen "http://127.0.0.1:$port" --view "$view"
    demo_ready receive
    link=$(free_port 50151)
    demo_start throttle --listen "127.0.0.1:$link" --to "127.0.0.1:$port" --rate "$rate" --delay "$delay"
    demo_ready throttle
    demo_start send --source "$source" --to "http://127.0.0.1:$link" "${loop[@]}" "${limit[@]}"

    url=$(sed -n 's/^ready .*view=\([^ ]*\).*/\1/p' "$demo_logs/receive.log" | head -1)
    cat <<SUMMARY

  open    ${url:-$view}
  source  $source
  link    $rate and $delay each way; the sender finds out what it carries
  logs    $demo_logs

Ctrl-C ends it.
SUMMARY
    if [ $browser = yes ] && [ -n "${DISPLAY-}${WAYLAND_DISPLAY-}" ] && command -v xdg-open >/dev/null; then xdg-open "${url:-$view}" >/dev/null 2>&1 & fi

    dead="" code=0
    wait -n -p dead "${demo_pid[@]}" || code=$?
    for role in "${!demo_pid[@]}"; do [ "${demo_pid[$role]}" != "$dead" ] || break; done
    [ "$role $code" = "send 0" ] || demo_died "$role" $code
    say "the sender is done"
}
