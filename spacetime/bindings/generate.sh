#!/usr/bin/env bash
# Writes the official Rust SDK's bindings for ../module/cutover_module.wasm into the engine's tests. These tests compare
# our lane with that SDK. Run this after a change of the module's tables or reducers, and after ../module/build.sh.
#
# The script starts a server, publishes the module, and gives the server's definition of the module to the generator.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")"

bindings=$PWD/../engine/tests/real_server/bindings
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || { kill "$server"; wait "$server" || true; }; rm -rf "$work"' EXIT

cargo build --quiet --release --manifest-path ../../Cargo.toml --package cutover
target=$(cargo metadata --format-version 1 --no-deps --manifest-path ../../Cargo.toml |
  sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
"$target/release/cutover" serve candidate --listen 127.0.0.1:0 --data-dir "$work/data" >"$work/said" &
server=$!
for _ in $(seq 300); do
  ! grep -q "listening on " "$work/said" || break
  kill -0 "$server" || exit 1
  sleep 0.1
done
url=http://$(sed -n 's/^listening on //p' "$work/said")

token=$(curl -sSf -X POST "$url/v1/identity" | sed 's/.*"token":"\([^"]*\)".*/\1/')
curl -sSf -X PUT "$url/v1/database/sync" -H "Authorization: Bearer $token" -H "Content-Type: application/wasm" \
  --data-binary @../module/cutover_module.wasm >/dev/null
curl -sSf "$url/v1/database/sync/schema?version=9" >"$work/definition.json"

rm -rf "$bindings"
mkdir -p "$bindings"
cargo run --quiet --release --locked -- "$bindings" <"$work/definition.json"
rustfmt --edition 2024 --config-path ../../rustfmt.toml "$bindings"/*.rs
echo "written: $bindings"
