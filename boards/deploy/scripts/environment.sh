# Make a virtual environment, whole or not at all, out of wheels in a tar: TAR, or stdin.
# Wants: ROOT, ENVIRONMENT, PYTHON, VENV, PIP, REQUIREMENTS (one a line).
set -eu
umask 022
environment=$ROOT/envs/$ENVIRONMENT
wheels=$ROOT/wheels
rm -rf "$environment" "$wheels"
mkdir -p "$ROOT/envs" "$wheels"
trap 'rm -rf "$wheels" ${TAR:+"$TAR"}; [ -e "$environment/ready" ] || rm -rf "$environment"' EXIT
trap 'exit 1' HUP INT TERM PIPE
tar -x -f "${TAR:--}" -C "$wheels"
cd "$wheels"
sha256sum --quiet --strict -c SHA256SUMS
"$PYTHON" -m venv $VENV "$environment"
printf '%s\n' "$REQUIREMENTS" >requirements.txt
"$environment/bin/python" -m pip install --quiet --no-input --no-cache-dir \
    --disable-pip-version-check $PIP -r requirements.txt
"$environment/bin/python" -c 'import cv2'
touch "$environment/ready"
