package assay_test

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/assay-registry/assay/clients/go/assay"
	assayv1 "github.com/assay-registry/assay/clients/go/assay/v1"
	"github.com/assay-registry/assay/clients/go/internal/memoryregistry"
)

func ofMethod(method string) func(memoryregistry.Call) bool {
	return func(call memoryregistry.Call) bool { return call.Method == method }
}

func TestEveryStatusAndEveryReasonIsAKind(t *testing.T) {
	server := serve(t)
	kinds := map[codes.Code]error{
		codes.InvalidArgument: assay.ErrInvalidInput, codes.NotFound: assay.ErrNotFound, codes.AlreadyExists: assay.ErrAlreadyExists,
		codes.Aborted: assay.ErrRaced, codes.FailedPrecondition: assay.ErrNotPossibleNow, codes.OutOfRange: assay.ErrOutOfRange,
		codes.DataLoss: assay.ErrCorrupt, codes.PermissionDenied: assay.ErrPermissionDenied,
		codes.Unauthenticated: assay.ErrUnauthenticated, codes.ResourceExhausted: assay.ErrExhausted,
		codes.Unimplemented: assay.ErrMethodUnknown, codes.Unavailable: assay.ErrUnavailable, codes.Internal: assay.ErrServerFault,
		codes.DeadlineExceeded: assay.ErrDeadlinePassed,
	}
	var answer error
	server.Fail(func(memoryregistry.Call) error { return answer })
	client := server.client()
	for code, kind := range kinds {
		answer = memoryregistry.Refuse(code, assayv1.ErrorReason_ERROR_REASON_FIELD_INVALID, "No.", map[string]string{"field": "x"})

		_, err := client.WhoAmI(context.Background())

		failure := requireKind(t, err, kind)
		if failure.Code != code || failure.Reason != "FIELD_INVALID" || failure.Message != "No." || failure.Metadata["field"] != "x" {
			t.Errorf("%v became %+v", code, failure)
		}
		if status.Code(err) != code {
			t.Errorf("the status %v became %v", code, status.Code(err))
		}
	}
}

func TestAReasonThatThisClientDoesNotKnowIsKept(t *testing.T) {
	server := serve(t)
	unknown, err := status.New(codes.FailedPrecondition, "The moon is wrong.").WithDetails(
		&errdetails.ErrorInfo{Reason: "MOON_WRONG", Domain: "assay.dev"})
	if err != nil {
		t.Fatal(err)
	}
	server.Fail(func(memoryregistry.Call) error { return unknown.Err() })

	_, err = server.client().WhoAmI(context.Background())

	if failure := requireKind(t, err, assay.ErrNotPossibleNow); failure.Reason != "MOON_WRONG" {
		t.Errorf("got %+v", failure)
	}
}

func TestAReasonOfAnotherDomainIsNotOurs(t *testing.T) {
	server := serve(t)
	foreign, err := status.New(codes.ResourceExhausted, "quota").WithDetails(
		&errdetails.ErrorInfo{Reason: "GATE_CLOSED", Domain: "googleapis.com"})
	if err != nil {
		t.Fatal(err)
	}
	server.Fail(func(memoryregistry.Call) error { return foreign.Err() })

	_, err = server.client().WhoAmI(context.Background())

	if failure := requireKind(t, err, assay.ErrExhausted); failure.Reason != "" {
		t.Errorf("got %+v", failure)
	}
}

func TestDetailsBesideTheReasonAreRead(t *testing.T) {
	server := serve(t)
	server.Fail(func(memoryregistry.Call) error {
		return memoryregistry.Refuse(codes.Internal, assayv1.ErrorReason_ERROR_REASON_INTERNAL, "A fault.", nil,
			&errdetails.RequestInfo{RequestId: "r-1"}, &errdetails.RetryInfo{RetryDelay: durationpb.New(3 * time.Second)},
			&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: "a", Description: "b"}}})
	})

	_, err := server.client().WhoAmI(context.Background())

	failure := requireKind(t, err, assay.ErrServerFault)
	if failure.RequestID != "r-1" || failure.RetryAfter != 3*time.Second || failure.Violations[0].Subject != "a" {
		t.Errorf("got %+v", failure)
	}
}

func TestAClosedGateNamesEveryUnmetRule(t *testing.T) {
	server := serve(t).withModel()
	client := server.client()
	version := push(t, client, writeFiles(t, digits), assay.PushOptions{}).Version.Name
	if _, err := client.Evaluate(context.Background(), version, accuracy(0.5)); err != nil {
		t.Fatal(err)
	}
	verdict, err := client.CheckGate(context.Background(), version, "publish")
	if err != nil || verdict.Open {
		t.Fatalf("the gate says %v, %v", verdict, err)
	}

	_, err = client.Publish(context.Background(), "vision/digits/1", assay.PublishOptions{})

	failure := requireKind(t, err, assay.ErrGateClosed)
	if !errors.Is(err, assay.ErrNotPossibleNow) || !assay.HasReason(err, assayv1.ErrorReason_ERROR_REASON_GATE_CLOSED) {
		t.Errorf("got %v", err)
	}
	want := assay.Violation{
		Subject: "namespaces/vision/gates/publish#accuracy", Description: "accuracy is 0.5, needs at least 0.9", Type: "GATE_RULE",
	}
	if len(failure.Violations) != 1 || failure.Violations[0] != want {
		t.Errorf("got %+v", failure.Violations)
	}

	if _, err := client.Evaluate(context.Background(), version, accuracy(0.97)); err != nil {
		t.Fatal(err)
	}
	published, err := client.Publish(context.Background(), version, assay.PublishOptions{})
	if err != nil || published.Version.Semver != "1.0.0" {
		t.Errorf("got %v, %v", published, err)
	}
}

func TestAnAliasMovesOnlyFromWhereItIsExpected(t *testing.T) {
	server := serve(t)
	server.withVersion(writeFiles(t, digits))
	client := server.client()
	if _, err := client.SetAlias(context.Background(), "vision/digits@champion", assay.Move{To: 1}); err != nil {
		t.Fatal(err)
	}

	_, err := client.SetAlias(context.Background(), "vision/digits@champion", assay.Move{To: 1, From: 3})

	failure := requireKind(t, err, assay.ErrAliasMoved)
	if !errors.Is(err, assay.ErrRaced) || failure.Int("current_version_number") != 1 {
		t.Errorf("got %+v", failure)
	}
}

func TestAnUnavailableServerIsAskedAgainForWhatMayBeRepeated(t *testing.T) {
	server := serve(t).withModel()
	client := server.client()
	server.Fail(once(ofMethod("WhoAmI"), unavailable))
	server.Fail(once(ofMethod("CreateDraft"), unavailable))

	if _, err := client.WhoAmI(context.Background()); err != nil {
		t.Fatal(err)
	}
	request := &assayv1.CreateDraftRequest{Parent: "namespaces/vision/models/digits", Draft: &assayv1.Draft{}}
	if _, err := client.Registry().CreateDraft(context.Background(), request); err != nil {
		t.Fatal(err)
	}

	calls := server.Calls("CreateDraft")
	if len(calls) != 2 || calls[0].RequestID != calls[1].RequestID {
		t.Errorf("the change was repeated as another: %v", calls)
	}
}

func TestEveryChangeHasItsOwnRequestIDAndMessagesStayAsTheyAre(t *testing.T) {
	server := serve(t).withModel()
	client := server.client()
	request := &assayv1.CreateDraftRequest{Parent: "namespaces/vision/models/digits", Draft: &assayv1.Draft{}}

	for range 2 {
		if _, err := client.Registry().CreateDraft(context.Background(), request); err != nil {
			t.Fatal(err)
		}
	}

	calls := server.Calls("CreateDraft")
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	if !uuid.MatchString(calls[0].RequestID) || calls[0].RequestID == calls[1].RequestID {
		t.Errorf("got %v", calls)
	}
	if request.RequestId != "" {
		t.Error("the message of the caller was changed")
	}
}

func TestALostRaceIsRunAgainAndOtherRefusalsAreNot(t *testing.T) {
	server := serve(t)
	conflict := memoryregistry.Refuse(codes.Aborted, assayv1.ErrorReason_ERROR_REASON_CONFLICT, "Again.", nil)
	server.Fail(once(ofMethod("WhoAmI"), conflict))
	client := server.client()

	if _, err := client.WhoAmI(context.Background()); err != nil {
		t.Fatal(err)
	}

	server.Fail(func(memoryregistry.Call) error {
		return memoryregistry.Refuse(codes.ResourceExhausted, assayv1.ErrorReason_ERROR_REASON_STORAGE_FULL, "Full.", nil)
	})
	before := len(server.Calls("WhoAmI"))
	_, err := client.WhoAmI(context.Background())
	requireKind(t, err, assay.ErrExhausted)
	if calls := len(server.Calls("WhoAmI")) - before; calls != 1 {
		t.Errorf("it was called %d times", calls)
	}
}

func TestAStreamOfBytesIsNeverRepeatedByGRPC(t *testing.T) {
	config := assay.ServiceConfigForTest()
	var parsed struct {
		MethodConfig []struct {
			Name []struct{ Service, Method string }
		}
	}
	if err := json.Unmarshal([]byte(config), &parsed); err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, name := range parsed.MethodConfig[0].Name {
		listed[name.Service+"/"+name.Method] = true
	}

	if listed["assay.v1.ArtifactService/WriteUpload"] {
		t.Error("WriteUpload is listed")
	}
	for _, method := range []string{"ArtifactService/ReadArtifact", "RegistryService/SealDraft", "AccessService/WhoAmI", "WatchService/Watch"} {
		if !listed["assay.v1."+method] {
			t.Errorf("%s is not listed", method)
		}
	}
	if strings.Count(config, "UNAVAILABLE") != 1 || strings.Contains(config, "timeout") {
		t.Errorf("got %s", config)
	}
}

func TestPagesOfOneAreOneList(t *testing.T) {
	server := serve(t).withModel()
	client := server.client()
	for _, content := range []string{"a", "b", "c"} {
		push(t, client, writeFiles(t, map[string]string{"model.bin": content}), assay.PushOptions{})
	}
	request := &assayv1.ListVersionsRequest{Parent: "namespaces/vision/models/digits", PageSize: 1}
	list := client.ListVersions(context.Background(), request)

	for range 2 { // It starts anew when it is ranged over again.
		var numbers []int64
		for version, err := range list {
			if err != nil {
				t.Fatal(err)
			}
			numbers = append(numbers, version.Number)
		}
		if len(numbers) != 3 || numbers[0] != 3 || numbers[2] != 1 {
			t.Errorf("got %v", numbers)
		}
	}
	before := len(server.Calls("ListVersions"))
	for range list {
		break
	}
	if calls := len(server.Calls("ListVersions")) - before; calls != 1 {
		t.Errorf("%d pages were fetched for one item", calls)
	}
}

func TestAListEndsWithItsError(t *testing.T) {
	server := serve(t)
	server.Fail(func(memoryregistry.Call) error {
		return memoryregistry.Refuse(codes.PermissionDenied, assayv1.ErrorReason_ERROR_REASON_PERMISSION_MISSING, "No.", nil)
	})
	var last error

	for _, err := range server.client().ListVersions(context.Background(), &assayv1.ListVersionsRequest{}) {
		last = err
	}

	requireKind(t, last, assay.ErrPermissionDenied)
}

func TestAListWithoutARequestAsksForWhatAnEmptyOneDoes(t *testing.T) {
	for _, err := range serve(t).client().ListNamespaces(context.Background(), nil) {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestAShareThatIsUsedUpIsWaitedForUntilTheDeadline(t *testing.T) {
	server := serve(t).withModel()
	refused := 0
	server.Fail(func(call memoryregistry.Call) error {
		if call.Method != "PublishVersion" || refused == 7 {
			return nil
		}
		refused++
		return memoryregistry.Refuse(codes.ResourceExhausted, assayv1.ErrorReason_ERROR_REASON_TOO_MANY_CALLS, "Too many calls.", nil)
	})

	_, err := server.client().Publish(context.Background(), "vision/digits/1", assay.PublishOptions{})

	requireKind(t, err, assay.ErrNotFound)
	if refused != 7 {
		t.Errorf("the server was asked %d times", refused)
	}

	refused = 0
	short, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, err = server.client().Publish(short, "vision/digits/1", assay.PublishOptions{})
	requireKind(t, err, assay.ErrExhausted)
}

func TestAChangeWhoseAnswerWasLostSaysSo(t *testing.T) {
	server := serve(t).withModel()
	client := server.client()
	if _, err := client.WhoAmI(context.Background()); err != nil {
		t.Fatal(err)
	}
	server.Fail(func(call memoryregistry.Call) error {
		if call.Method == "PublishVersion" {
			go server.kill()
			time.Sleep(200 * time.Millisecond)
		}
		return nil
	})

	_, change := client.Publish(context.Background(), "vision/digits/1", assay.PublishOptions{})
	_, read := client.Registry().GetVersion(context.Background(), &assayv1.GetVersionRequest{Name: "namespaces/vision/models/digits/versions/1"})

	requireSays(t, requireKind(t, change, assay.ErrUnavailable).Message, "may have happened")
	if strings.Contains(requireKind(t, read, assay.ErrUnavailable).Message, "may have happened") {
		t.Errorf("a read changed something: %v", read)
	}
}

func TestAClosedClientIsClosedAgainInSilenceAndSaysThatItIsClosed(t *testing.T) {
	client := serve(t).client()
	if err := errors.Join(client.Close(), client.Close()); err != nil {
		t.Error(err)
	}

	_, err := client.WhoAmI(context.Background())

	requireSays(t, requireKind(t, err, context.Canceled).Message, "was closed")
}
