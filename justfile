# The daily commands. docs/CONTRIBUTING.md explains them, with the plain cargo commands.

# Everything but SpacetimeDB: builds in minutes.
crates := "-p cutover-core -p cutover-control -p cutover-live -p cutover-reference -p cutover-toxiproxy"
light := crates + " -p cutover-bridge -p cutover --no-default-features"

# List the commands
default:
    @just --list

# Compile the tool and its tests without SpacetimeDB
check:
    cargo check --locked --tests {{ light }}

# Run the tests without SpacetimeDB; for example: just test -E 'test(words)'
test *filter:
    cargo nextest run --locked {{ light }} {{ filter }}

# Run all tests, with SpacetimeDB
test-all *filter:
    cargo nextest run --release --locked {{ filter }}

# Run the tests and accept new snapshots; review them with git diff
accept *filter:
    INSTA_UPDATE=always cargo nextest run --locked {{ light }} {{ filter }}

# Check the rules of the code: imports, circles, lengths, words
tidy:
    cargo nextest run --locked {{ light }} -E 'package(cutover-core) & binary(tidy)'

# Format all code
fmt:
    cargo fmt --all
    cargo fmt --manifest-path spacetime/module/Cargo.toml
    cargo fmt --manifest-path spacetime/fixtures/append-only/Cargo.toml
    cargo fmt --manifest-path spacetime/fixtures/renamed/Cargo.toml
    cargo fmt --manifest-path harness/clients/spacetimedb-rust/Cargo.toml

# Run the gate with the built-in lanes; for example: just gate --scenario 'resume-*'
gate *args:
    cargo run --release --locked -- gate {{ args }}

# Run every command of README, docs and --help, and compare its output
pages:
    cargo nextest run --release --locked -p cutover --test pages

# Test the SpacetimeDB module, and build its wasm
module:
    cargo test --manifest-path spacetime/module/Cargo.toml --locked
    cargo test --manifest-path spacetime/module/Cargo.toml --locked --features planted
    spacetime/module/build.sh
    spacetime/module/build.sh spacetime/fixtures/append-only
    spacetime/module/build.sh spacetime/fixtures/renamed

# Run what CI runs
ci:
    .ci/run
