package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/crc32"
	"log"
	"os"
	"path/filepath"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/assay-registry/assay/clients/go/assay"
	assayv1 "github.com/assay-registry/assay/clients/go/assay/v1"
)

const (
	largeBytes = 6 << 20
	model      = "main/scenario-go"
	future     = "main/future"
)

var small = map[string]string{"model.bin": "first", "config.json": "{}"}

// scenario is one run through the steps.
type scenario struct {
	ctx           context.Context
	directory     string
	admin, future *assay.Client
	silence       chan seen
}

func newScenario() *scenario {
	s := &scenario{
		ctx: context.Background(), directory: os.Getenv("SCENARIO_DIRECTORY"),
		admin: dial(os.Getenv("SCENARIO_TARGET"), "admin"), future: dial(os.Getenv("SCENARIO_FUTURE_TARGET"), "admin"),
		silence: make(chan seen, 1),
	}
	go func() { s.silence <- s.watchSilence() }()
	return s
}

func (s *scenario) steps() map[string]func() seen {
	return map[string]func() seen{
		"connect": s.connect, "wrong-role": s.wrongRole, "push": s.push, "resume-cut": s.pushLarge,
		"resume-killed": s.pushLarge, "wrong-digest": s.wrongDigest, "unknown-reference": s.unknownReference,
		"alias-won": s.aliasWon, "alias-lost": s.aliasLost, "gate-closed": s.gateClosed, "pull": s.pull,
		"range": s.readRange, "range-past-end": s.rangePastEnd, "pages": s.pages, "watch-restart": s.watchRestart,
		"unknown-fields": s.unknownFields, "unknown-reason": s.unknownReason, "unknown-rpc": s.unknownRPC,
		"keepalive": func() seen { return <-s.silence },
	}
}

// refused is what a call that must fail failed with.
func refused(err error, show func(*assay.Error) string) seen {
	var failure *assay.Error
	if !errors.As(err, &failure) {
		return seen{status: "failed", shows: fmt.Sprint("not an assay.Error: ", err)}
	}
	saw := seen{status: statusName(failure.Code), reason: failure.Reason}
	if show != nil {
		saw.shows = show(failure)
	}
	return saw
}

// failed is what a call that must not fail failed with.
func failed(err error) seen {
	saw := refused(err, func(failure *assay.Error) string { return failure.Error() })
	return saw
}

// write puts files into a new directory.
func (s *scenario) write(name string, files map[string]string) string {
	directory := filepath.Join(s.directory, name)
	if err := os.MkdirAll(directory, 0o700); err != nil {
		log.Fatal(err)
	}
	for file, content := range files {
		if err := os.WriteFile(filepath.Join(directory, file), []byte(content), 0o600); err != nil {
			log.Fatal(err)
		}
	}
	return directory
}

func (s *scenario) connect() seen {
	who, err := s.admin.WhoAmI(s.ctx)
	if err != nil {
		return failed(err)
	}
	return ok("%s", who.GetPrincipal())
}

func (s *scenario) wrongRole() seen {
	consumer := dial(os.Getenv("SCENARIO_TARGET"), "consumer")
	defer consumer.Close()
	_, err := consumer.Push(s.ctx, "main/shared", s.write("small", small), assay.PushOptions{})
	return refused(err, func(failure *assay.Error) string {
		if failure.Metadata["roles"] == "" {
			return "no roles"
		}
		return "names the roles that would do"
	})
}

func (s *scenario) push() seen {
	pushed, err := s.admin.Push(s.ctx, model, s.write("small", small), assay.PushOptions{
		NewModel: &assayv1.Model{}, Publish: true, Bump: assayv1.Bump_BUMP_MAJOR,
	})
	if err != nil {
		return failed(err)
	}
	return ok("version %d, %d files, %s", pushed.Version.GetNumber(), pushed.Version.GetFileCount(), pushed.Version.GetSemver())
}

func (s *scenario) pushLarge() seen {
	content := make([]byte, largeBytes)
	if _, err := rand.Read(content); err != nil {
		log.Fatal(err)
	}
	source := filepath.Join(s.write("large", map[string]string{"large.bin": string(content)}), "large.bin")
	pushed, err := s.admin.Push(s.ctx, model, source, assay.PushOptions{})
	if err != nil {
		return failed(err)
	}
	stored, err := s.admin.Registry().GetVersion(s.ctx, &assayv1.GetVersionRequest{Name: pushed.Version.GetName()})
	if err != nil {
		return failed(err)
	}
	word := "broken"
	if stored.GetVersion().GetFiles()[0].GetDigest() == fmt.Sprintf("sha256:%x", sha256.Sum256(content)) {
		word = "whole"
	}
	return ok("version %d, %s", pushed.Version.GetNumber(), word)
}

// wrongDigest speaks below the verbs: they never send a digest of other bytes.
func (s *scenario) wrongDigest() seen {
	name, err := assay.ModelName(model)
	if err != nil {
		return failed(err)
	}
	draft, err := s.admin.Registry().CreateDraft(s.ctx, &assayv1.CreateDraftRequest{Parent: name})
	if err != nil {
		return failed(err)
	}
	upload := draft.GetDraft().GetName() + "/uploads/0192f0c1-0000-7000-8000-000000000001"
	begun, err := s.admin.Artifacts().BeginUpload(s.ctx, &assayv1.BeginUploadRequest{
		Upload: &assayv1.Upload{Name: upload, Path: "model.bin", SizeBytes: 5},
	})
	if err != nil {
		return failed(err)
	}
	stream, err := s.admin.Artifacts().WriteUpload(s.ctx)
	if err != nil {
		return failed(err)
	}
	data := []byte("other")
	if err := stream.Send(&assayv1.WriteUploadRequest{
		Upload: upload, Epoch: begun.GetUpload().GetEpoch(), Data: data,
		Crc32C: proto.Uint32(crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli))),
	}); err != nil {
		return failed(err)
	}
	if _, err := stream.CloseAndRecv(); err != nil {
		return failed(err)
	}
	_, err = s.admin.Artifacts().CommitUpload(s.ctx, &assayv1.CommitUploadRequest{
		Name: upload, Digest: fmt.Sprintf("sha256:%x", sha256.Sum256([]byte("these"))), SizeBytes: 5,
	})
	return refused(err, nil)
}

func (s *scenario) unknownReference() seen {
	_, err := s.admin.Resolve(s.ctx, model+"@nobody")
	return refused(err, nil)
}

func (s *scenario) aliasWon() seen {
	answer, err := s.admin.SetAlias(s.ctx, model+"@champion", assay.Move{To: 1})
	if err != nil {
		return failed(err)
	}
	return ok("version %d", answer.GetAlias().GetVersionNumber())
}

func (s *scenario) aliasLost() seen {
	_, err := s.admin.SetAlias(s.ctx, model+"@champion", assay.Move{To: 1, From: 7})
	return refused(err, func(failure *assay.Error) string {
		return fmt.Sprintf("version %d", failure.Int("current_version_number"))
	})
}

func (s *scenario) gateClosed() seen {
	name, err := assay.ModelName(model)
	if err != nil {
		return failed(err)
	}
	rule := &assayv1.Rule{RuleId: "accurate", Condition: &assayv1.Rule_Threshold{Threshold: &assayv1.Threshold{
		Metric: "accuracy", Comparison: assayv1.Comparison_COMPARISON_AT_LEAST, Bound: 0.9,
	}}}
	gate := &assayv1.Gate{Name: name + "/gates/publish", Rules: []*assayv1.Rule{rule}}
	if _, err := s.admin.Evaluations().SetGate(s.ctx, &assayv1.SetGateRequest{Gate: gate}); err != nil {
		return failed(err)
	}
	verdict, err := s.admin.CheckGate(s.ctx, model+"/2", "publish")
	if err != nil {
		return failed(err)
	}
	word := map[bool]string{true: "open", false: "closed"}[verdict.GetOpen()]
	_, err = s.admin.Publish(s.ctx, model+"/2", assay.PublishOptions{Bump: assayv1.Bump_BUMP_MAJOR})
	return refused(err, func(failure *assay.Error) string {
		if len(failure.Violations) == 0 {
			return "no rules"
		}
		_, id, _ := strings.Cut(failure.Violations[0].Subject, "#")
		return id + ", " + word
	})
}

func (s *scenario) pull() seen {
	pulled, err := s.admin.Pull(s.ctx, model+"@champion", filepath.Join(s.directory, "pulled"), assay.PullOptions{})
	if err != nil {
		return failed(err)
	}
	word := "the same"
	for name, content := range small {
		found, err := os.ReadFile(filepath.Join(pulled.Dir, name))
		if err != nil || !bytes.Equal(found, []byte(content)) {
			word = "other bytes"
		}
	}
	return ok("version %d, %d files, %s", pulled.Version.GetNumber(), len(pulled.Version.GetFiles()), word)
}

func (s *scenario) readRange() seen {
	part, err := s.admin.ReadRange(s.ctx, model+"/1", "model.bin", 1, 3)
	if err != nil {
		return failed(err)
	}
	return ok("%s", part)
}

func (s *scenario) rangePastEnd() seen {
	_, err := s.admin.ReadRange(s.ctx, model+"/1", "model.bin", 1, 5)
	return refused(err, nil)
}

func (s *scenario) pages() seen {
	name, err := assay.ModelName(model)
	if err != nil {
		return failed(err)
	}
	var numbers []string
	for version, err := range s.admin.ListVersions(s.ctx, &assayv1.ListVersionsRequest{Parent: name, PageSize: 1}) {
		if err != nil {
			return failed(err)
		}
		numbers = append(numbers, fmt.Sprint(version.GetNumber()))
	}
	return ok("%s", strings.Join(numbers, ", "))
}

func (s *scenario) watchRestart() seen {
	name, err := assay.ModelName(model)
	if err != nil {
		return failed(err)
	}
	first, err := s.admin.SetAlias(s.ctx, model+"@watched-1", assay.Move{To: 1})
	if err != nil {
		return failed(err)
	}
	var names []string
	for answer, err := range s.admin.Watch(s.ctx, assay.WatchOptions{NamePrefix: name, StartRevision: first.GetRevision()}) {
		if err != nil {
			return failed(err)
		}
		for _, event := range answer.GetEvents() {
			names = append(names, event.GetName()[strings.LastIndex(event.GetName(), "/")+1:])
		}
		if len(names) >= 2 {
			break
		}
		if len(answer.GetEvents()) == 0 {
			continue
		}
		meet("watching")
		if _, err := s.admin.SetAlias(s.ctx, model+"@watched-2", assay.Move{To: 1}); err != nil {
			return failed(err)
		}
	}
	return ok("%s", strings.Join(names, ", "))
}

func (s *scenario) unknownFields() seen {
	answer, err := s.future.Resolve(s.ctx, future+"@champion")
	if err != nil {
		return failed(err)
	}
	return ok("version %d, state %d", answer.GetVersion().GetNumber(), answer.GetVersion().GetState())
}

func (s *scenario) unknownReason() seen {
	_, err := s.future.Publish(s.ctx, future+"/7", assay.PublishOptions{})
	return refused(err, func(failure *assay.Error) string {
		if errors.Is(failure, assay.ErrNotPossibleNow) {
			return "not possible now"
		}
		return "another kind"
	})
}

func (s *scenario) unknownRPC() seen {
	const sentence = "older than this client"
	_, err := s.future.CheckGate(s.ctx, future+"/7", "publish")
	return refused(err, func(failure *assay.Error) string {
		if strings.Contains(failure.Message, sentence) {
			return sentence
		}
		return failure.Message
	})
}

func (s *scenario) watchSilence() seen {
	word := "not interrupted"
	options := assay.WatchOptions{NamePrefix: "namespaces/main", OnInterruption: func(err error) { word = err.Error() }}
	for answer, err := range s.future.Watch(s.ctx, options) {
		if err != nil {
			return failed(err)
		}
		return ok("revision %d, %s", answer.GetRevision(), word)
	}
	return seen{status: "failed", shows: "the watch ended"}
}
