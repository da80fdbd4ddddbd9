#!/bin/sh
# Brings the Go that tools/go/go.mod names into .codegen-go/toolchain, if there is none that is new
# enough. Needs any Go from 1.17 on to fetch it with: toolchains are modules, so it comes the way all
# dependencies come, checked against the checksum database. (Go before 1.21 cannot do that by itself.)
set -eu
cd "$(dirname "$0")/.."
wanted=$(sed -n 's/^toolchain //p' tools/go/go.mod)
least=go$(sed -n 's/^go //p' tools/go/go.mod)
PATH="$PWD/.codegen-go/toolchain/bin:$PATH"

if ! command -v go >/dev/null; then
    echo "Go is not here. Install one (Debian: apt-get install golang-go); any version will do to fetch $wanted with." >&2
    exit 1
fi
found=$(cd tools/go && go env GOVERSION 2>/dev/null || true)
if [ -n "$found" ] && [ "$(printf '%s\n%s\n' "$least" "$found" | sort -V | head -n 1)" = "$least" ]; then
    exit 0
fi

platform=$(cd / && go env GOHOSTOS)-$(cd / && go env GOHOSTARCH)
module=golang.org/toolchain@v0.0.1-$wanted.$platform
mkdir -p .codegen-go
cache=$(mktemp -d "$PWD/.codegen-go/fetching.XXXXXX")
trap 'rm -rf "$cache"' EXIT
echo "  fetching $wanted for $platform, because ${found:-this Go} is too old"
if ! (cd "$cache" && GOFLAGS=-modcacherw GOMODCACHE="$cache" go mod download "$module"); then
    echo "$module could not be fetched: see above. Install $least or newer by other means." >&2
    exit 1
fi
# What the go command does itself with toolchains that it fetched: archives of modules carry neither
# permissions nor files called go.mod.
toolchain=$cache/$module
chmod +x "$toolchain"/bin/* "$toolchain"/pkg/tool/*/*
find "$toolchain" -name _go.mod -exec sh -c 'mv "$1" "${1%_go.mod}go.mod"' _ {} \;
rm -rf .codegen-go/toolchain
mv "$toolchain" .codegen-go/toolchain
