#!/usr/bin/env bash
# Compiles the guide's page on databases, and runs queries of sqlx and diesel on a real SQLite.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

CARGO_TARGET_DIR=$cache/databases cargo test --manifest-path "$here/databases/Cargo.toml" --locked
