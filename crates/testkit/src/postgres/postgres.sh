# Runs one throw-away PostgreSQL and ends it when nobody uses it any more.
#
# Arguments: the run folder, the folder of PostgreSQL's programs, the file whose lock says "in use", and the
# seconds of idleness after which to stop. The caller has made and configured the data folder and runs this as its
# owner, with PGHOST, PGPORT, PGUSER and PGPASSWORD set.
#
# The server is a child of this script, so the process that is ended is always the one that was started. A file
# `ended` in the run folder says that the server is gone.

set -u
run=$1 programs=$2 users=$3 grace=$4

# Descriptors that a parent left open (a lock held around cargo, say) must not stay open for the server's life.
exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-

if ! command -v flock >/dev/null; then
    echo "the program flock is missing (Debian and Ubuntu: apt-get install util-linux)"
    : >"$run/ended"
    exit 1
fi

(
    cd "$run" || exit 1
    # Held as long as this script lives: it tells the test processes that somebody looks after the server.
    exec 8>watchdog.lock
    flock 8

    "$programs/postgres" -D "$run/data" 8>&- &
    server=$!

    # Tests hold this file's lock shared; who gets it exclusively knows that there are none.
    exec 7<"$users"
    idle=0
    asked=0
    trap 'asked=1' TERM
    while [ "$asked" = 0 ] && kill -0 "$server" 2>/dev/null; do
        sleep 1
        # Each test process keeps its own file locked and lists its databases in it: a free one is left over.
        for client in clients/*; do
            if [ -f "$client" ] && flock --nonblock "$client" true; then
                while read -r database; do
                    "$programs/dropdb" --if-exists --force "$database"
                done <"$client"
                rm -f "$client"
            fi
        done
        if flock --nonblock 7; then
            idle=$((idle + 1))
            # The lock stays ours while the server stops, so a newcomer waits and then starts another.
            [ "$idle" -gt "$grace" ] && break
            flock --unlock 7
        else
            idle=0
        fi
    done

    # Immediate shutdown: nothing here is worth a checkpoint.
    kill -QUIT "$server" 2>/dev/null
    wait "$server" 2>/dev/null
    rm -rf data clients
    : >ended
) &
