#!/bin/sh
# Builds the code generators and the linter for clients/go into .codegen-go/bin, at the versions
# that tools/go/go.mod pins. Without a Go that is new enough it says so and leaves no stamp:
# whoever needs the tools then says what is missing.
set -eu
cd "$(dirname "$0")/.."
wanted=$(sed -n 's/^go //p' tools/go/go.mod)
PATH="$PWD/.codegen-go/toolchain/bin:$PATH"

new_enough() {
    command -v go >/dev/null || return 1
    (cd tools/go && go version >/dev/null 2>&1) || return 1
    found=$(cd tools/go && go env GOVERSION)
    [ "$(printf '%s\n%s\n' "go$wanted" "$found" | sort -V | head -n 1)" = "go$wanted" ]
}

if ! new_enough; then
    printf '  Go %s or newer is not here: clients/go is neither generated nor tested\n' "$wanted"
    exit 0
fi
printf '  making .codegen-go from tools/go/go.mod\n'
GOBIN="$PWD/.codegen-go/bin" go -C tools/go install tool
touch .codegen-go/.stamp
