# Switch the service to another release, and back if it does not process a frame. Completes even if
# the connection is lost. Variables: ROOT, RELEASE (empty: the previous one), UNITS, UNIT (text of
# the unit; empty: unchanged), SYSTEMCTL, JOURNAL, LINGER.
trap '' HUP PIPE INT TERM
set -u
umask 022
exec 8>>"$ROOT/switching"
flock 8
name=edge-toolkit.service
file=$UNITS/$name
old=$(readlink "$ROOT/current" || true)
new=releases/$RELEASE
[ -n "$RELEASE" ] || new=$(readlink "$ROOT/previous" || true)
if [ ! -x "$ROOT/$new/run" ]; then
    echo 'no release to roll back to' >&2
    exit 66
fi

point() {
    ln -sfn "$1" "$ROOT/$2.new" && mv -T "$ROOT/$2.new" "$ROOT/$2"
}
start() {
    $SYSTEMCTL restart "$name" 8>&- && $SYSTEMCTL is-active "$name" >/dev/null 8>&-
}
describe() {
    if [ -z "$1" ]; then rm -f "$file"; else
        printf '%s\n' "$1" >"$file.new" && mv "$file.new" "$file" || return
    fi
    $SYSTEMCTL daemon-reload 8>&-
}
put() {
    [ -z "$UNIT" ] || [ "$UNIT" = "$text" ] || describe "$UNIT" || return
    point "$new" current
}
prune() {
    rm -rf "$ROOT"/releases/.*.part  # left by a power cut
    kept=" $(basename "$new") $(basename "$(readlink "$ROOT/previous" || true)") "
    for path in "$ROOT"/releases/*; do
        case $kept in *" $(basename "$path") "*) ;; *) rm -rf "$path" ;; esac
    done
    kept=" $(for link in "$ROOT"/releases/*/env; do basename "$(readlink "$link")"; done | tr '\n' ' ')"
    for path in "$ROOT"/envs/*; do
        case $kept in *" $(basename "$path") "*) ;; *) rm -rf "$path" ;; esac
    done
}

mkdir -p "$UNITS"
text=$(cat "$file" 2>/dev/null || true)
if ! put; then  # a full disk: the running release was not touched
    rm -f "$file.new" "$ROOT/current.new"
    [ "$text" = "$(cat "$file" 2>/dev/null || true)" ] || describe "$text"
    exit 74
fi
$LINGER 8>&- || echo "linger=$(id -un)"
$SYSTEMCTL enable --quiet "$name" 8>&-
if start; then
    [ -z "$old" ] || [ "$old" = "$new" ] || point "$old" previous
    sync
    prune
    echo "release=$(basename "$new")"
    exit 0
fi
$JOURNAL -n 20 >&2 2>&1
if [ -n "$old" ] && [ -x "$ROOT/$old/run" ]; then
    point "$old" current
    [ -z "$text" ] || [ "$UNIT" = "$text" ] || describe "$text"
    if start; then echo "restored=$(basename "$old")"; else echo "dead=$(basename "$old")"; fi
else
    $SYSTEMCTL stop "$name" 8>&-
    $SYSTEMCTL disable --quiet "$name" 8>&-
    rm -f "$ROOT/current"
    describe "$text"
    echo stopped=yes
fi
sync
exit 70
