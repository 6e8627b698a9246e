# Run the self-test of a release as the user of the service. Variables: ROOT, RELEASE, OWNER (empty:
# me).
set -eu
release=$ROOT/releases/$RELEASE
cd "$ROOT/state"
export HOME="$ROOT/state" EDGE_CACHE="$ROOT/state/cache"
as=${OWNER:+"runuser -u $OWNER --"}
exec $as "$release/env/bin/edge" selftest "$release" --json
