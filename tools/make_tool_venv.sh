#!/bin/sh
# usage: make_tool_venv.sh DIRECTORY REQUIREMENTS
# A virtual environment for one tool whose versions must not meet the server's own.
set -eu
directory=$1
requirements=$2
printf '  making %s from %s\n' "$directory" "$requirements"
rm -rf "$directory"
"${PYTHON:-python3}" -m venv "$directory"
if [ ! -x .venv/bin/uv ] || ! .venv/bin/uv pip install --quiet --python "$directory/bin/python" -r "$requirements"; then
    "$directory/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements"
fi
touch "$directory/.stamp"
