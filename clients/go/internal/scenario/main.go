// Command scenario does the steps of tests/clients/scenario.md in Go. What it is told and says is described
// in tests/clients/scenario/running.py.
package main

import (
	"bufio"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/assay-registry/assay/clients/go/assay"
	"google.golang.org/grpc/codes"
)

// seen is what a step saw.
type seen struct{ status, reason, shows string }

// ok is a step that succeeded.
func ok(format string, values ...any) seen {
	return seen{status: "OK", shows: fmt.Sprintf(format, values...)}
}

var inWord = regexp.MustCompile("([a-z])([A-Z])")

// statusName writes a code as the table does, such as NOT_FOUND.
func statusName(code codes.Code) string {
	return strings.ToUpper(inWord.ReplaceAllString(code.String(), "${1}_${2}"))
}

var told = bufio.NewScanner(os.Stdin)

// meet says where this program is, and waits until it may go on.
func meet(where string) {
	fmt.Println("at", where)
	if !told.Scan() || told.Text() != "go" {
		os.Exit(1)
	}
}

// rowsOf lists the steps of the table in their order.
func rowsOf(path string) []string {
	text, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	var rows []string
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if strings.HasPrefix(line, "| ") && len(cells) > 2 && strings.TrimSpace(cells[1]) != "Step" {
			rows = append(rows, strings.TrimSpace(cells[1]))
		}
	}
	return rows
}

func dial(target, role string) *assay.Client {
	pki := os.Getenv("SCENARIO_PKI")
	client, err := assay.Dial(target, assay.TLSFiles{
		CA: filepath.Join(pki, "ca.pem"), Cert: filepath.Join(pki, role+".pem"), Key: filepath.Join(pki, role+".key"),
	})
	if err != nil {
		log.Fatal(err)
	}
	return client
}

func say(row string, saw seen) {
	if saw.reason == "" {
		saw.reason = "-"
	}
	fmt.Println("saw", row, saw.status, saw.reason, strings.Join(strings.Fields(saw.shows), " "))
}

func main() {
	run := newScenario()
	steps := run.steps()
	for _, row := range rowsOf(os.Args[1]) {
		meet(row)
		step, found := steps[row]
		if !found {
			say(row, seen{status: "failed", shows: "there is no such step"})
			continue
		}
		delete(steps, row)
		say(row, step())
	}
	for row := range steps {
		say(row, seen{status: "failed", shows: "there is no such row"})
	}
}
