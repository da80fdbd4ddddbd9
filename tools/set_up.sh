#!/bin/sh
# Makes .venv: both distributions, editable, with every development tool, under the constraints.
# Run by `make setup`; safe to run again. uv is used for speed only: without it pip does the same.
set -eu
cd "$(dirname "$0")/.."
constraints=requirements/constraints.txt

say() { printf '  %s\n' "$*"; }

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    for candidate in "${PYTHON:-python3}" python3.14 python3.13 python3.12 python3.11; do
        if new_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    found=$("${PYTHON:-python3}" --version 2>&1 || true)
    echo "Assay needs Python 3.11 or newer, but found: ${found:-none}." >&2
    echo "Install one (Debian: apt-get install python3 python3-venv) or run: make setup PYTHON=/path/to/python3.11" >&2
    exit 1
}

make_environment() {
    if [ -x .venv/bin/python ] && new_enough .venv/bin/python &&
        .venv/bin/python -m pip --version >/dev/null 2>&1; then
        return
    fi
    python=$(find_python)
    say "making .venv with $("$python" --version)"
    rm -rf .venv
    if ! "$python" -m venv .venv; then
        rm -rf .venv
        echo "Could not make .venv (on Debian, install python3-venv and run make again)." >&2
        exit 1
    fi
}

pip_install() {
    .venv/bin/python -m pip install --quiet --disable-pip-version-check "$@"
}

install() {
    if [ -x .venv/bin/uv ] && .venv/bin/uv pip install --python .venv/bin/python --quiet \
        --constraint "$constraints" "$@"; then
        return
    fi
    say "uv is not usable here; installing with pip, which is slower"
    pip_install --constraint "$constraints" "$@"
}

make_environment
say "fetching the installer"
pip_install --constraint "$constraints" uv || true
say "installing the build tools"
install -r requirements/build.txt
say "installing assay-registry, assay-registry-server and their tools (about a minute)"
install --no-build-isolation -e clients/python -e '.[dev]'
touch .venv/.stamp
say "ready: .venv"
