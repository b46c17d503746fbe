#!/usr/bin/env bash
# Builds cutover_module.wasm from src/, and records in cutover_module.wasm.json how it was built. The same for
# cutover_module_planted.wasm, which has the feature `planted`: defects for tests of the gate.
#
#   build.sh [DIR]   builds the module in DIR (default: this folder). `spacetime/fixtures/NAME` has one for tests.
#
# This needs a Rust toolchain with the target wasm32-unknown-unknown (`rustup target add wasm32-unknown-unknown`).
# Without one, the script creates a Debian sid tree with debootstrap and uses its rustc. This needs root and a Debian
# mirror. The same sources and the same rustc give the same bytes, in any folder.
#
#   SID_ROOT     the folder of the Debian tree (default: ~/.cache/cutover/sid)
#   APT_OPTIONS  more options for apt-get in it
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
cd "${1:-$here}"
dir=$PWD

target=wasm32-unknown-unknown
library=$(sed -n 's/^name = "\(.*\)"$/\1/p' Cargo.toml | head -n 1 | tr - _)
built=release/$library.wasm
features=()
if grep -q '^planted = ' Cargo.toml; then features=(planted); fi
sid_root=${SID_ROOT:-$HOME/.cache/cutover/sid}
packages="rustc cargo libstd-rust-dev-wasm32 lld git ca-certificates"

# Both ways use this. The build script of spacetimedb-lib asks git for a commit, and must not find another one. The
# published module is built last.
build='
  export GIT_DIR=/nonexistent SOURCE_DATE_EPOCH=0 CARGO_INCREMENTAL=0
  export RUSTFLAGS="--remap-path-prefix=$PWD=/module --remap-path-prefix=$CARGO_HOME=/cargo"
  for feature in '"${features[*]}"'; do
    cargo build --quiet --release --locked --target '$target' --features "$feature"
    cp "$CARGO_TARGET_DIR/'$target/$built'" "$CARGO_TARGET_DIR/$feature.wasm"
  done
  cargo build --quiet --release --locked --target '$target'
'

has_target() {
  local libraries
  libraries=$(rustc --print target-libdir --target "$target" 2>/dev/null) && [ -d "$libraries" ]
}

take() {
  cp "$1/$target/$built" "$library.wasm"
  for feature in "${features[@]}"; do cp "$1/$feature.wasm" "${library}_$feature.wasm"; done
}

build_here() {
  rustc=$(rustc --version)
  export CARGO_HOME=${CARGO_HOME:-$HOME/.cargo} CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
  bash -euc "$build"
  take "$CARGO_TARGET_DIR"
}

make_sid() {
  [ "$(id -u)" = 0 ] || { echo "build.sh: no wasm target for rustc here, and making a Debian tree needs root;" \
    "run \`rustup target add $target\`, or this as root" >&2; exit 1; }
  [ -e "$sid_root/etc/debian_version" ] || debootstrap --variant=minbase sid "$sid_root"
  if ! chroot "$sid_root" sh -c "command -v rustc cargo wasm-ld git" >/dev/null; then
    update_sid
    # shellcheck disable=SC2086
    sid_apt install -y --no-install-recommends $packages
  fi
}

sid_apt() {
  # shellcheck disable=SC2086
  LC_ALL=C DEBIAN_FRONTEND=noninteractive chroot "$sid_root" apt-get ${APT_OPTIONS:-} "$@"
}

# A mirror that is frozen in time, or one that lags, has a Release file whose validity has ended, and apt refuses it.
update_sid() {
  local said status=0
  said=$(mktemp)
  sid_apt update 2>"$said" || status=$?
  cat "$said" >&2
  if [ "$status" != 0 ] && grep -q "is expired" "$said"; then
    echo "build.sh: the mirror's Release file is expired; trying again without a look at its date" \
      "(its signature is still checked)" >&2
    status=0
    sid_apt -o Acquire::Check-Valid-Until=false update || status=$?
  fi
  rm -f "$said"
  return "$status"
}

build_in_sid() {
  make_sid
  rustc="$(chroot "$sid_root" rustc --version)"
  # The module lies where this project's is, or beside it: a fixture may take files of it.
  local at=build/module
  rm -rf "$sid_root/build/module" "$sid_root/build/fixtures"
  mkdir -p "$sid_root/build/module"
  cp -r "$here/Cargo.toml" "$here/Cargo.lock" "$here/src" "$sid_root/build/module/"
  if [ "$dir" != "$here" ]; then
    at=build/fixtures/$(basename "$dir")
    mkdir -p "$sid_root/$at"
    cp -r Cargo.toml Cargo.lock src "$sid_root/$at/"
  fi
  # This machine's roots of trust, which may be more than Debian's.
  cp -L /etc/ssl/certs/ca-certificates.crt "$sid_root/build/ca.crt"
  chroot "$sid_root" env -i PATH=/usr/bin:/bin HOME=/root CARGO_HOME=/build/cargo CARGO_TARGET_DIR=/build/target \
    CARGO_HTTP_CAINFO=/build/ca.crt http_proxy="${http_proxy:-}" https_proxy="${https_proxy:-}" \
    CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld bash -euc "cd /$at; $build"
  take "$sid_root/build/target"
}

if has_target; then how="rustc with the $target target"; build_here; else how="Debian sid"; build_in_sid; fi

if grep -qa planted "$library.wasm"; then
  echo "build.sh: $library.wasm has the feature \`planted\`, and must not" >&2
  exit 1
fi

source_sha256=$(find Cargo.toml Cargo.lock src -type f | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -d' ' -f1)
digest_of="SHA-256 over a line 'HEX  PATH' for each of Cargo.toml, Cargo.lock and src/**"
describe() {
  cat > "$1.json" <<JSON
{
  "wasm_sha256": "$(sha256sum "$1" | cut -d' ' -f1)",
  "wasm_bytes": $(stat -c %s "$1"),
  "source_sha256": "$source_sha256",
  "source_digest": "$digest_of, in the order of the paths' bytes",
  "rustc": "$rustc",
  "built_with": "$how, opt-level s, lto, paths remapped, --locked$2; spacetime/module/build.sh"
}
JSON
  cat "$1.json"
}
describe "$library.wasm" ""
for feature in "${features[@]}"; do describe "${library}_$feature.wasm" ", --features $feature"; done
