// Package memoryregistry is a registry in memory for the tests and examples of this module: the parts of
// the contract that the client's own verbs use, on a real gRPC server, with failures on demand.
package memoryregistry

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"

	assayv1 "github.com/assay-registry/assay/clients/go/assay/v1"
)

// Registry holds everything; its zero value is not usable, see New.
type Registry struct {
	assayv1.UnimplementedAccessServiceServer
	assayv1.UnimplementedArtifactServiceServer
	assayv1.UnimplementedEvaluationServiceServer
	assayv1.UnimplementedRegistryServiceServer
	assayv1.UnimplementedWatchServiceServer

	// ManifestDigest computes the digest of a list of files; it is the client's own, so tests of that
	// function do not rest on this package.
	ManifestDigest func([]*assayv1.File) string

	mutex       sync.Mutex
	revision    int64
	models      map[string]*assayv1.Model
	drafts      map[string]*assayv1.Draft
	requests    map[string]string
	uploads     map[string]*stored
	blobs       map[string][]byte
	versions    map[string][]*assayv1.ModelVersion
	aliases     map[string]*assayv1.Alias
	evaluations map[string][]*assayv1.Evaluation
	events      []*assayv1.WatchResponse
	changed     chan struct{}
	faults      []func(Call) error
	calls       []Call
}

type stored struct {
	*assayv1.Upload
	content []byte
}

// Call is one message that a method received or is about to send.
type Call struct {
	// Method is the name of the RPC.
	Method string
	// Bytes is how many bytes of the stream went before; 0 for single calls.
	Bytes int
	// RequestID is that of the request, if it has one.
	RequestID string
}

// New makes an empty registry.
func New(manifestDigest func([]*assayv1.File) string) *Registry {
	return &Registry{
		ManifestDigest: manifestDigest, models: map[string]*assayv1.Model{}, drafts: map[string]*assayv1.Draft{},
		requests: map[string]string{}, uploads: map[string]*stored{}, blobs: map[string][]byte{},
		versions: map[string][]*assayv1.ModelVersion{}, aliases: map[string]*assayv1.Alias{},
		evaluations: map[string][]*assayv1.Evaluation{}, changed: make(chan struct{}),
	}
}

// Register adds the services to a server.
func (r *Registry) Register(server *grpc.Server) {
	assayv1.RegisterAccessServiceServer(server, r)
	assayv1.RegisterArtifactServiceServer(server, r)
	assayv1.RegisterEvaluationServiceServer(server, r)
	assayv1.RegisterRegistryServiceServer(server, r)
	assayv1.RegisterWatchServiceServer(server, r)
}

// Fail lets every call ask fault whether it shall fail.
func (r *Registry) Fail(fault func(Call) error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.faults = append(r.faults, fault)
}

// Calls lists what was received.
func (r *Registry) Calls(method string) []Call {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	var found []Call
	for _, call := range r.calls {
		if call.Method == method {
			found = append(found, call)
		}
	}
	return found
}

// Damage changes the stored bytes of a digest.
func (r *Registry) Damage(digest string, change func([]byte)) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	change(r.blobs[digest])
}

// note records a call and asks the faults. The registry must not be locked.
func (r *Registry) note(call Call) error {
	r.mutex.Lock()
	r.calls = append(r.calls, call)
	faults := r.faults
	r.mutex.Unlock()
	for _, fault := range faults {
		if err := fault(call); err != nil {
			return err
		}
	}
	return nil
}

// happened gives the next revision and tells those who watch. The registry must be locked.
func (r *Registry) happened(action, name string) int64 {
	r.revision++
	event := &assayv1.Event{Type: assayv1.EventType_EVENT_TYPE_UPDATED, Action: action, Name: name, Actor: "tester"}
	r.events = append(r.events, &assayv1.WatchResponse{Revision: r.revision, Events: []*assayv1.Event{event}})
	close(r.changed)
	r.changed = make(chan struct{})
	return r.revision
}

// Refuse makes a refusal as the server makes them.
func Refuse(code codes.Code, reason assayv1.ErrorReason, message string, metadata map[string]string, details ...protoadapt.MessageV1) error {
	info := &errdetails.ErrorInfo{
		Reason: strings.TrimPrefix(reason.String(), "ERROR_REASON_"), Domain: "assay.dev", Metadata: metadata,
	}
	refusal, err := status.New(code, message).WithDetails(append([]protoadapt.MessageV1{info}, details...)...)
	if err != nil {
		panic(err)
	}
	return refusal.Err()
}

func notFound(name string) error {
	return Refuse(codes.NotFound, assayv1.ErrorReason_ERROR_REASON_RESOURCE_NOT_FOUND,
		fmt.Sprintf("There is no %s, or you may not know of it.", name), map[string]string{"resource": name})
}

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}
