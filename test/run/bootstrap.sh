#!/bin/sh
# First step of `npm test` and `npm run demo`: brings in the npm packages (bun among them) when they are missing or
# older than the lock file, then hands over to the TypeScript under test/run/.
set -eu
cd "$(dirname "$0")/../.."
goal=$1
shift

if [ "$(uname -s)-$(uname -m)" != "Linux-x86_64" ]; then
  echo "virtfn: this needs Linux on x86_64, here is $(uname -s) on $(uname -m)." >&2
  exit 1
fi
stamp=node_modules/.virtfn-lock
if ! cmp -s package-lock.json "$stamp" 2>/dev/null; then
  echo "==> installing the npm packages of package-lock.json into node_modules (about 30 s)" >&2
  # Not `npm ci`: it refuses a lock file that lacks a package of another platform, as one made behind a mirror does.
  npm install --no-save --no-audit --no-fund --loglevel=error >&2
  cp package-lock.json "$stamp"
fi
exec node_modules/.bin/bun "test/run/$goal.ts" "$@"
