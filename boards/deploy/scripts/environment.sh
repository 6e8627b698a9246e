# Create a virtual environment, completely or not at all, from wheels in a tar: TAR, or stdin.
# Variables: ROOT, ENVIRONMENT, PYTHON, VENV, PIP, REQUIREMENTS (one per line).
set -eu
umask 022
mkdir -p "$ROOT"
exec 8>>"$ROOT/switching"  # a deploy whose connection was lost may still be running
flock -w 900 8 || {
    echo 'an earlier deploy is still running there' >&2
    exit 75
}
environment=$ROOT/envs/$ENVIRONMENT
wheels=$environment/wheels
if [ -e "$environment/ready" ]; then  # created in the meantime
    [ -n "${TAR:-}" ] || cat >/dev/null
    exit 0
fi
rm -rf "$environment" "$ROOT/wheels"
mkdir -p "$wheels"
trap 'rm -rf ${TAR:+"$TAR"}; [ -e "$environment/ready" ] || rm -rf "$environment"' EXIT
trap 'exit 1' HUP INT TERM PIPE
tar -x -f "${TAR:--}" -C "$wheels"
cd "$wheels"
sha256sum --quiet --strict -c SHA256SUMS
"$PYTHON" -m venv $VENV "$environment"
printf '%s\n' "$REQUIREMENTS" >requirements.txt
"$environment/bin/python" -m pip install --quiet --no-input --no-cache-dir \
    --disable-pip-version-check $PIP -r requirements.txt
"$environment/bin/python" -c 'import cv2'
# The toolkit's own wheel stays: pip records its path, and installs extras from there.
find "$wheels" -type f ! -name 'edge_vision_toolkit-*.whl' -exec rm {} +
sync
touch "$environment/ready"
