#!/bin/sh
# Resolves pyproject.toml afresh in a throw-away environment and writes down what came out.
set -eu
cd "$(dirname "$0")/.."
target=requirements/constraints.txt
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check uv
"$work/venv/bin/uv" pip install --quiet --python "$work/venv/bin/python" \
    -r requirements/build.txt uv -e clients/python -e '.[dev]'
{
    echo "# Every version that set-up may install. Made by \`make constraints\`."
    "$work/venv/bin/uv" pip freeze --quiet --python "$work/venv/bin/python" |
        grep -v -e '^-e' -e 'file:' -e '^pip==' -e '^setuptools=='
} >"$work/constraints.txt"
cp "$work/constraints.txt" "$target"
echo "wrote $target: $(grep -c == "$target") versions"
