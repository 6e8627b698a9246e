# Print the properties of a board and its deployments as lines key=value. Variables: RELEASE.
say() { printf '%s=%s\n' "$1" "$2"; }

if [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; then
    mode=system root=/opt/edge-toolkit units=/etc/systemd/system
    systemctl=systemctl
else
    mode=user root=$HOME/edge-toolkit units=${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user
    systemctl='systemctl --user'
    export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/run/user/$(id -u)}"
fi
say mode "$mode"
say uid "$(id -u)"
say root "$root"
say units "$units"
say machine "$(uname -m)"
say bits "$(getconf LONG_BIT 2>/dev/null)"
say libc "$(getconf GNU_LIBC_VERSION 2>/dev/null)"
say system "$(. /etc/os-release && echo "$PRETTY_NAME")"
say model "$(tr -d '\0' 2>/dev/null </proc/device-tree/model)"
command -v systemctl >/dev/null && say systemd yes

# The system's own Python comes first: picamera2 works with no other.
for name in python3 python3.13 python3.12 python3.11; do
    version=$("$name" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
    "$name" -c 'import ensurepip, venv' 2>/dev/null && venv=yes || venv=no
    say python "$(command -v "$name") $version $venv"
done

folder=$root
while [ ! -d "$folder" ]; do folder=$(dirname "$folder"); done
say free "$(df -Pk "$folder" | awk 'NR == 2 { print $4 }')"

unit=$units/edge-toolkit.service
say current "$(basename "$(readlink "$root/current")" 2>/dev/null)"
say environment "$(basename "$(readlink "$root/releases/$RELEASE/env")" 2>/dev/null)"
[ -f "$unit" ] && say unit "$(sha256sum <"$unit" | cut -d ' ' -f 1)"
say state "$($systemctl is-active edge-toolkit 2>/dev/null)"
for ready in "$root"/envs/*/ready; do
    [ -e "$ready" ] && say ready "$(basename "$(dirname "$ready")")"
done
cd "$root/releases/$RELEASE" 2>/dev/null && sha256sum --quiet --strict -c SHA256SUMS \
    >/dev/null 2>&1 && [ "$(ls -A | grep -cvx -e SHA256SUMS -e env)" = "$(wc -l <SHA256SUMS)" ] &&
    say complete_release "$(sha256sum <SHA256SUMS | cut -c 1-12)"
true
