# Print the status of the service as lines key=value. Variables: ROOT, SYSTEMCTL.
say() { printf '%s=%s\n' "$1" "$2"; }

say release "$(basename "$(readlink "$ROOT/current")" 2>/dev/null)"
say previous "$(basename "$(readlink "$ROOT/previous")" 2>/dev/null)"
[ -e "$ROOT/current" ] && say since "$(stat -c %Y "$ROOT/current")"
$SYSTEMCTL show edge-toolkit --property=ActiveState,SubState,NRestarts,StatusText,Result 2>/dev/null
for zone in /sys/class/thermal/thermal_zone*/temp; do
    [ -r "$zone" ] && say temperature "$(cat "$zone")" && break
done
say free "$(df -Pk "$ROOT" 2>/dev/null | awk 'NR == 2 { print $4 }')"
sed -n 's/^exec //p' "$ROOT/current/run" 2>/dev/null | sed 's/^/run=/'
true
