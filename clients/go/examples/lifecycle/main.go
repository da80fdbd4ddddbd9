// Lifecycle takes a directory through the life of a model version: push, evaluate, publish, alias, pull.
//
//	go run ./examples/lifecycle -target localhost:8443 -certificates .assay/dev/pki -user admin ./model main/digits
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/assay-registry/assay/clients/go/assay"
	assayv1 "github.com/assay-registry/assay/clients/go/assay/v1"
)

func main() {
	target := flag.String("target", "localhost:8443", "address of the registry")
	certificates := flag.String("certificates", ".assay/dev/pki", "directory with ca.pem, {user}.pem and {user}.key")
	user := flag.String("user", "admin", "whose certificate to use")
	into := flag.String("into", "served", "directory to pull to")
	flag.Parse()
	if flag.NArg() != 2 {
		fmt.Fprintln(os.Stderr, "usage: lifecycle [flags] DIRECTORY NAMESPACE/MODEL")
		os.Exit(2)
	}
	// Ctrl-C cancels the context, and with it whatever is under way.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	credentials := assay.TLSFiles{
		CA:   filepath.Join(*certificates, "ca.pem"),
		Cert: filepath.Join(*certificates, *user+".pem"),
		Key:  filepath.Join(*certificates, *user+".key"),
	}
	if err := run(ctx, *target, credentials, flag.Arg(0), flag.Arg(1), *into); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, target string, credentials assay.Credentials, directory, model, into string) error {
	client, err := assay.Dial(target, credentials)
	if err != nil {
		return err
	}
	defer client.Close()
	who, err := client.WhoAmI(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("%s at %s, server %s\n", who.Principal, target, who.ServerVersion)

	version, err := push(ctx, client, directory, model)
	if err != nil {
		return err
	}
	if err := publish(ctx, client, version); err != nil {
		return err
	}
	pulled, err := client.Pull(ctx, version, into, assay.PullOptions{})
	if err != nil {
		return err
	}
	fmt.Printf("pulled %d files, %d bytes, to %s\n", len(pulled.Version.Files), pulled.Version.SizeBytes, pulled.Dir)
	return nil
}

func push(ctx context.Context, client *assay.Client, directory, model string) (string, error) {
	pushed, err := client.Push(ctx, model, directory, assay.PushOptions{
		NewModel:    &assayv1.Model{Task: "image-classification"},
		Description: "pushed by the example",
		Progress: func(p assay.Progress) {
			if p.TotalBytes == p.TotalSize {
				fmt.Printf("%s: all of %d bytes\n", p.Step, p.TotalSize)
			}
		},
	})
	if err != nil {
		return "", err
	}
	version := assay.ShortName(pushed.Version.Name)
	fmt.Printf("pushed %s, %s, %d bytes sent\n", version, pushed.Version.ManifestDigest, pushed.SentBytes)
	return version, nil
}

// publish measures the version first where a gate asks for it. The numbers are made up here; yours come
// from your evaluation.
func publish(ctx context.Context, client *assay.Client, version string) error {
	// The zero value lets the server infer the semantic version; without a signature it cannot.
	options := assay.PublishOptions{Bump: assayv1.Bump_BUMP_PATCH}
	_, err := client.Publish(ctx, version, options)
	var closed *assay.Error
	if errors.Is(err, assay.ErrGateClosed) && errors.As(err, &closed) {
		for _, rule := range closed.Violations {
			fmt.Println("not yet:", rule.Description)
		}
		if _, err := client.Evaluate(ctx, version, measured()); err != nil {
			return err
		}
		_, err = client.Publish(ctx, version, options)
	}
	if assay.HasReason(err, assayv1.ErrorReason_ERROR_REASON_TRANSITION_ILLEGAL) {
		fmt.Println(version, "was published before")
		return nil
	}
	if err != nil {
		return err
	}
	fmt.Println("published", version)
	return nil
}

func measured() *assayv1.Evaluation {
	return &assayv1.Evaluation{
		Dataset:     &assayv1.DatasetReference{Uri: "dvc://digits/test", Digest: "sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"},
		SampleCount: 360,
		Metrics: []*assayv1.Metric{
			assay.HigherIsBetter("accuracy", 0.97, "ratio"),
			assay.LowerIsBetter("latency_p99", 4.2, "ms"),
		},
	}
}
