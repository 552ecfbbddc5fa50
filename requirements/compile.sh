#!/usr/bin/env bash
# Locks the dependencies again: versions and digests, no registry host. Needs `uv` on the PATH.
set -eu
cd "$(dirname "$0")/.."
lock() { uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command requirements/compile.sh "$@"; }
lock pyproject.toml requirements/build.in -o requirements/core.txt
lock pyproject.toml requirements/build.in --all-extras --group dev -c requirements/core.txt -o requirements/dev.txt
