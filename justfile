# The front door. `.ci/run` is what a change must pass.

# List the recipes.
default:
    @just --list

# Run the demo; Ctrl-C stops it.
demo:
    scripts/demo

# All tests, unit and end to end.
test:
    cargo test --workspace

# The end-to-end suites against the original: tells a wrong expectation from a wrong daemon.
test-original:
    CALLBOARD_FLAVOUR=original cargo test -p callboard-tests

# Record events of every type anew, from the original.
golden:
    UPDATE_GOLDEN=1 cargo test -p callboard-tests --test events golden

# Measure whole processes against the original and bare programs; see docs/performance.md.
bench *OPTIONS:
    cargo run --release -p callboard-bench -- compare {{OPTIONS}}

# Draw what 10 to 10,000 programs cost.
curves *OPTIONS:
    cargo run --release -p callboard-bench -- curves {{OPTIONS}}

# A daemon with 200 programs under trouble for half an hour, and everything counted at the end; see docs/soak.md.
soak *OPTIONS:
    cargo run --release -p callboard-tests --bin soak -- {{OPTIONS}}

# Licences, duplicates and sources of the dependencies, and known vulnerabilities; needs cargo-deny.
deny *WHAT:
    cargo deny check {{WHAT}}

# Format, lints, tests.
ci:
    .ci/run

# Format in place.
fmt:
    cargo fmt --all

# See whether the fuzz targets still compile: they are a workspace of their own.
fuzz-check:
    cargo check --manifest-path fuzz/Cargo.toml

# Lints, as strict as CI.
lint:
    cargo clippy --workspace --all-targets -- -D warnings
