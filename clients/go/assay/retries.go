package assay

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	assayv1 "github.com/assay-registry/assay/clients/go/assay/v1"
)

const (
	attemptsMax = 4 // gRPC takes at most five (gRFC A6).
	pauseFirst  = 100 * time.Millisecond
	pauseMax    = 5 * time.Second
)

// method is what the contract says of one RPC.
type method struct {
	service, name string
	// isRead is true where nothing changes.
	isRead bool
	// isRepeatable is true where gRPC may send the call again by itself. It never is for a stream of
	// the client's: gRPC would replay what fits its buffer, and only that.
	isRepeatable bool
}

func (m method) path() string { return "/" + m.service + "/" + m.name }

var serviceFiles = []protoreflect.FileDescriptor{
	assayv1.File_assay_v1_access_service_proto,
	assayv1.File_assay_v1_artifact_service_proto,
	assayv1.File_assay_v1_audit_service_proto,
	assayv1.File_assay_v1_evaluation_service_proto,
	assayv1.File_assay_v1_registry_service_proto,
	assayv1.File_assay_v1_watch_service_proto,
}

// methodsOfContract lists every RPC with its idempotency level.
func methodsOfContract() []method {
	var methods []method
	for _, file := range serviceFiles {
		for s := range file.Services().Len() {
			service := file.Services().Get(s)
			for m := range service.Methods().Len() {
				rpc := service.Methods().Get(m)
				level := rpc.Options().(*descriptorpb.MethodOptions).GetIdempotencyLevel()
				methods = append(methods, method{
					service:      string(service.FullName()),
					name:         string(rpc.Name()),
					isRead:       level == descriptorpb.MethodOptions_NO_SIDE_EFFECTS,
					isRepeatable: level != descriptorpb.MethodOptions_IDEMPOTENCY_UNKNOWN && !rpc.IsStreamingClient(),
				})
			}
		}
	}
	return methods
}

// serviceConfig tells gRPC what to send again: only on UNAVAILABLE (AIP-194), and only what is
// repeatable. Repetitions stop for a while when most of them fail.
func serviceConfig(methods []method) string {
	type name struct {
		Service string `json:"service"`
		Method  string `json:"method"`
	}
	var names []name
	for _, m := range methods {
		if m.isRepeatable {
			names = append(names, name{m.service, m.name})
		}
	}
	config, err := json.Marshal(map[string]any{
		"methodConfig": []any{map[string]any{
			"name": names,
			"retryPolicy": map[string]any{
				"maxAttempts": attemptsMax, "initialBackoff": "0.1s", "maxBackoff": "2s", "backoffMultiplier": 2,
				"retryableStatusCodes": []string{"UNAVAILABLE"},
			},
		}},
		"retryThrottling": map[string]any{"maxTokens": 10, "tokenRatio": 0.1},
	})
	if err != nil {
		panic(err) // Only strings and numbers are in it.
	}
	return string(config)
}

// pauses counts the waits before each further try: doubling, and spread so that callers part.
type pauses struct{ longest time.Duration }

func (p *pauses) next() time.Duration {
	if p.longest == 0 {
		p.longest = pauseFirst
	}
	pause := p.longest/2 + rand.N(p.longest/2)
	p.longest = min(2*p.longest, pauseMax)
	return pause
}

// patience is how long to go on trying while nothing moves. It counts from the first failure since
// something moved: a stream that breaks after an hour has all of it left.
type patience struct {
	limit  time.Duration
	since  time.Time
	pauses pauses
}

func newPatience(limit time.Duration) *patience { return &patience{limit: limit} }

// renew starts the time anew, because something moved.
func (p *patience) renew() { p.since, p.pauses = time.Time{}, pauses{} }

// pause waits before the next try, as long as the server asked for; false when patience is gone.
func (p *patience) pause(ctx context.Context, asked time.Duration) bool {
	return p.wait(ctx, max(asked, p.pauses.next()))
}

// wait waits so long; false when patience is gone.
func (p *patience) wait(ctx context.Context, pause time.Duration) bool {
	if p.since.IsZero() {
		p.since = time.Now()
	}
	return time.Since(p.since)+pause <= p.limit && sleep(ctx, pause)
}

// sleep waits; false when the context ended first.
func sleep(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
