# Unpack a release from a tar: TAR, or stdin (empty if it is installed already), and link it to its
# environment. Variables: ROOT, RELEASE, ENVIRONMENT, OWNER (empty: me), UPLOAD (yes).
set -eu
umask 022
mkdir -p "$ROOT"
exec 8>>"$ROOT/switching"  # a deploy whose connection was lost may still be running
flock -w 900 8 || {
    echo 'an earlier deploy is still running there' >&2
    exit 75
}
mkdir -p "$ROOT/releases" "$ROOT/state"
new=$ROOT/releases/$RELEASE
part=$ROOT/releases/.$RELEASE.part
trap 'rm -rf "$part" ${TAR:+"$TAR"}' EXIT
trap 'exit 1' HUP INT TERM PIPE
if [ -n "$OWNER" ]; then
    id "$OWNER" >/dev/null 2>&1 ||
        useradd --system --no-create-home --home-dir "$ROOT/state" --shell /usr/sbin/nologin "$OWNER"
    for group in video render audio plugdev apex; do
        if getent group "$group" >/dev/null; then usermod -aG "$group" "$OWNER"; fi
    done
    chown "$OWNER:" "$ROOT/state"
fi
if [ "$UPLOAD" = yes ]; then
    rm -rf "$part"
    mkdir "$part"
    tar -x -f "${TAR:--}" --no-same-owner -C "$part"
    (
        cd "$part" && sha256sum --quiet --strict -c SHA256SUMS >&2 &&
            [ "$(sha256sum <SHA256SUMS | cut -c 1-12)" = "$RELEASE" ]
    ) || {
        echo 'the checksums do not match' >&2
        exit 65
    }
    # An existing folder is an incomplete release, so nothing runs from it.
    rm -rf "$new"
    mv -T "$part" "$new"
fi
ln -sfn "../../envs/$ENVIRONMENT" "$new/env"
sync
