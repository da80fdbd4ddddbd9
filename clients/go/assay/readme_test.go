package assay_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/assay-registry/assay/clients/go/assay"
)

var codeBlock = regexp.MustCompile("(?ms)^```go\n(.*?)^```")

// readme gives the one complete program of the README, and its fragments.
func readme(t *testing.T) (program string, fragments []string) {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range codeBlock.FindAllStringSubmatch(string(text), -1) {
		if strings.HasPrefix(found[1], "package main") {
			program = found[1]
		} else {
			fragments = append(fragments, found[1])
		}
	}
	if program == "" || len(fragments) < 7 {
		t.Fatalf("the README has %d fragments", len(fragments))
	}
	return program, fragments
}

// assembled puts the fragments into one program that runs them in their order.
func assembled(fragments []string, target string, files assay.TLSFiles) string {
	var body, calls strings.Builder
	for number, fragment := range fragments {
		fmt.Fprintf(&body, "func fragment%d(ctx context.Context, client *assay.Client) error {\n%s\nreturn nil\n}\n\n", number, fragment)
		fmt.Fprintf(&calls, "fragment%d, ", number)
	}
	return fmt.Sprintf(`package main

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/assay-registry/assay/clients/go/assay"
	assayv1 "github.com/assay-registry/assay/clients/go/assay/v1"
)

func main() {
	client, err := assay.Dial(%q, assay.TLSFiles{CA: %q, Cert: %q, Key: %q})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	for number, fragment := range []func(context.Context, *assay.Client) error{%s} {
		if err := fragment(context.Background(), client); err != nil {
			log.Fatalf("fragment %%d: %%v", number, err)
		}
	}
}

%s`, target, files.CA, files.Cert, files.Key, calls.String(), body.String())
}

// runProgram builds a program as if it lay in this module, and runs it in a directory.
func runProgram(t *testing.T, source, directory string) string {
	t.Helper()
	module, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	real := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(real, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(module, "readme/main.go"): real}})
	if err != nil {
		t.Fatal(err)
	}
	overlayPath := filepath.Join(t.TempDir(), "overlay.json")
	if err := os.WriteFile(overlayPath, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(t.TempDir(), "readme")
	build := exec.Command("go", "build", "-buildvcs=false", "-overlay", overlayPath, "-o", binary, "./readme")
	build.Dir = module
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("the README does not compile: %v\n%s\n%s", err, output, source)
	}
	run := exec.CommandContext(context.Background(), binary)
	run.Dir = directory
	output, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("the README does not run: %v\n%s", err, output)
	}
	return string(output)
}

// runReadme runs everything in the README against a server.
func runReadme(t *testing.T, target string, files assay.TLSFiles) {
	t.Helper()
	program, fragments := readme(t)
	directory := writeFiles(t, map[string]string{"model/model.onnx": "weights", "model/config.json": "{}"})
	program = strings.ReplaceAll(program, "localhost:8443", target)
	for name, path := range map[string]string{"ca.pem": files.CA, "admin.pem": files.Cert, "admin.key": files.Key} {
		program = strings.ReplaceAll(program, ".assay/dev/pki/"+name, path)
	}

	if output := runProgram(t, program, directory); !strings.Contains(output, "I am spiffe://") {
		t.Errorf("it said %s", output)
	}
	output := runProgram(t, assembled(fragments, target, files), directory)

	requireSays(t, output, "pushed main/digits/1", "published 1.0.0", "2 files in", "4 bytes", "champion is 1")
}

func TestTheCodeInTheReadmeCompilesAndRuns(t *testing.T) {
	ca := newAuthority(t)
	server := serve(t, ca.serverOption("127.0.0.1", inAnHour()))

	runReadme(t, server.address, ca.clientFiles(inAnHour()))
}
