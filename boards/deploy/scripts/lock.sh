# Hold the deployment lock while stdin gives a "." each minute: a lost connection, even a silent
# one, releases it. Variables: ROOT, WHO.
set -eu
mkdir -p "$ROOT"
chmod 755 "$ROOT"
exec 9>>"$ROOT/lock"
if ! flock -n 9; then
    cat "$ROOT/lock" >&2
    exit 75
fi
echo "$WHO" >"$ROOT/lock"
echo held
while [ "$(timeout 60 head -c 1)" = . ]; do :; done
: >"$ROOT/lock"
