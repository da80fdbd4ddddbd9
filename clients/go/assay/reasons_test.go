package assay_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/assay-registry/assay/clients/go/assay"
	assayv1 "github.com/assay-registry/assay/clients/go/assay/v1"
	"github.com/assay-registry/assay/clients/go/internal/memoryregistry"
)

// leafKinds are the kinds that a reason can have, under the names that all clients share.
var leafKinds = map[string]error{
	"InvalidInput": assay.ErrInvalidInput, "NotFound": assay.ErrNotFound, "AlreadyExists": assay.ErrAlreadyExists,
	"Raced": assay.ErrRaced, "AliasMoved": assay.ErrAliasMoved, "EtagMismatch": assay.ErrEtagMismatch,
	"NotPossibleNow": assay.ErrNotPossibleNow, "GateClosed": assay.ErrGateClosed, "OutOfRange": assay.ErrOutOfRange,
	"RevisionCompacted": assay.ErrRevisionCompacted, "Corrupt": assay.ErrCorrupt,
	"PermissionDenied": assay.ErrPermissionDenied, "Unauthenticated": assay.ErrUnauthenticated,
	"CertificateExpired": assay.ErrCertificateExpired, "CertificateDenied": assay.ErrCertificateDenied,
	"Exhausted": assay.ErrExhausted, "MethodUnknown": assay.ErrMethodUnknown, "Unavailable": assay.ErrUnavailable,
	"DeadlinePassed": assay.ErrDeadlinePassed, "ServerFault": assay.ErrServerFault,
}

// families are the kinds that have others below them.
var families = map[string]string{
	"AliasMoved": "Raced", "EtagMismatch": "Raced", "GateClosed": "NotPossibleNow", "RevisionCompacted": "OutOfRange",
	"CertificateExpired": "Unauthenticated", "CertificateDenied": "Unauthenticated",
}

// codeNamed finds the code of a status such as NOT_FOUND.
func codeNamed(t *testing.T, name string) codes.Code {
	t.Helper()
	var code codes.Code
	if err := code.UnmarshalJSON([]byte(`"` + name + `"`)); err != nil {
		t.Fatal(err)
	}
	return code
}

func TestEveryReasonOfTheCatalogueHasItsKindAndNoOther(t *testing.T) {
	text, err := os.ReadFile("testdata/reasons.txt")
	if err != nil {
		t.Fatal(err)
	}
	without := map[string]bool{}
	for number, name := range assayv1.ErrorReason_name {
		without[name] = number != 0
	}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		reason, wanted := "ERROR_REASON_"+words[0], words[2]
		number, known := assayv1.ErrorReason_value[reason]
		if !known {
			t.Errorf("the catalogue has no %s", reason)
		}
		delete(without, reason)

		failure := assay.FailureForTest(context.Background(), memoryregistry.Refuse(
			codeNamed(t, words[1]), assayv1.ErrorReason(number), "A sentence.", nil))

		for name, kind := range leafKinds {
			if is := errors.Is(failure, kind); is != (name == wanted || name == families[wanted]) {
				t.Errorf("%s is of the kind %s: %t", reason, name, is)
			}
		}
		if failure.Error() != "A sentence. ["+words[0]+"]" {
			t.Errorf("%s says %q", reason, failure)
		}
	}
	for reason, isMissing := range without {
		if isMissing {
			t.Errorf("%s has no line in testdata/reasons.txt: give it a place in clients/common.toml, and run `make docs`", reason)
		}
	}
}
