// Command mover pushes or pulls one file: push|pull TARGET PKI FROM TO. benchmarks/bench_transfer.py runs it.
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/assay-registry/assay/clients/go/assay"
	assayv1 "github.com/assay-registry/assay/clients/go/assay/v1"
)

// main moves it, says how many seconds that took, and waits: the memory is read before the end.
func main() {
	verb, target, pki, from, to := os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5]
	client, err := assay.Dial(target, assay.TLSFiles{
		CA: filepath.Join(pki, "ca.pem"), Cert: filepath.Join(pki, "admin.pem"), Key: filepath.Join(pki, "admin.key"),
	})
	if err != nil {
		log.Fatal(err)
	}
	begun := time.Now()
	if verb == "push" {
		_, err = client.Push(context.Background(), to, from, assay.PushOptions{
			Publish: true, Bump: assayv1.Bump_BUMP_PATCH, NewModel: &assayv1.Model{},
		})
	} else {
		_, err = client.Pull(context.Background(), from, to, assay.PullOptions{})
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("moved %.3f\n", time.Since(begun).Seconds())
	bufio.NewScanner(os.Stdin).Scan()
}
