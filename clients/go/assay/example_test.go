package assay_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"path/filepath"

	"google.golang.org/grpc"

	"github.com/assay-registry/assay/clients/go/assay"
	assayv1 "github.com/assay-registry/assay/clients/go/assay/v1"
	"github.com/assay-registry/assay/clients/go/internal/memoryregistry"
)

// startRegistry stands in for the address of your registry.
func startRegistry() (target string, stop func()) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer()
	memoryregistry.New(assay.ManifestDigest).Register(server)
	go server.Serve(listener)
	return listener.Addr().String(), server.Stop
}

// trainModel stands in for your training: it leaves a model in a directory.
func trainModel() (directory string) {
	directory, err := os.MkdirTemp("", "")
	if err == nil {
		err = os.WriteFile(filepath.Join(directory, "model.onnx"), []byte("weights"), 0o666)
	}
	if err != nil {
		log.Fatal(err)
	}
	return directory
}

// A version goes through its life: pushed, refused by its gate, measured, published, pulled.
func Example() {
	target, stop := startRegistry()
	defer stop()
	directory := trainModel()
	defer os.RemoveAll(directory)

	// With a registry on another machine: assay.TLSFiles{CA: …, Cert: …, Key: …}.
	client, err := assay.Dial(target, assay.PlaintextLoopback{})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ctx := context.Background()

	pushed, err := client.Push(ctx, "vision/digits", filepath.Join(directory, "model.onnx"), assay.PushOptions{
		NewModel: &assayv1.Model{Task: "image-classification"},
	})
	if err != nil {
		log.Fatal(err)
	}
	version := assay.ShortName(pushed.Version.Name)
	fmt.Println("pushed", version)

	_, err = client.Publish(ctx, version, assay.PublishOptions{})
	var failure *assay.Error
	if errors.Is(err, assay.ErrGateClosed) && errors.As(err, &failure) {
		for _, rule := range failure.Violations {
			fmt.Println("refused:", rule.Description)
		}
	}

	_, err = client.Evaluate(ctx, version, &assayv1.Evaluation{
		Dataset:     &assayv1.DatasetReference{Uri: "dvc://digits/test", Digest: "sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"},
		SampleCount: 360,
		Metrics:     []*assayv1.Metric{assay.HigherIsBetter("accuracy", 0.97, "ratio")},
	})
	if err != nil {
		log.Fatal(err)
	}
	published, err := client.Publish(ctx, version, assay.PublishOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("published", published.Version.Semver)

	pulled, err := client.Pull(ctx, "vision/digits@latest", filepath.Join(directory, "served"), assay.PullOptions{})
	if err != nil {
		log.Fatal(err)
	}
	for _, file := range pulled.Version.Files {
		fmt.Println("pulled", file.Path, file.SizeBytes, "bytes")
	}
	// Output:
	// pushed vision/digits/1
	// refused: accuracy was not measured, needs at least 0.9
	// published 1.0.0
	// pulled model.onnx 7 bytes
}

func ExampleClient_Watch() {
	target, stop := startRegistry()
	defer stop()
	client, err := assay.Dial(target, assay.PlaintextLoopback{})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ctx := context.Background()
	created, err := client.Registry().CreateModel(ctx, &assayv1.CreateModelRequest{Parent: "namespaces/vision", ModelId: "digits"})
	if err != nil {
		log.Fatal(err)
	}

	for answer, err := range client.Watch(ctx, assay.WatchOptions{NamePrefix: "namespaces/vision", StartRevision: created.Revision}) {
		if err != nil {
			log.Fatal(err)
		}
		for _, event := range answer.Events {
			fmt.Println(event.Action, assay.ShortName(event.Name))
		}
		break // Keep answer.Revision, to go on from there plus one another time.
	}
	// Output:
	// CreateModel vision/digits
}
