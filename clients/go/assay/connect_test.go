package assay_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/assay-registry/assay/clients/go/assay"
	assayv1 "github.com/assay-registry/assay/clients/go/assay/v1"
	"github.com/assay-registry/assay/clients/go/internal/memoryregistry"
)

func inAnHour() time.Time   { return time.Now().Add(time.Hour) }
func aMinuteAgo() time.Time { return time.Now().Add(-time.Minute) }

// failedCall makes one call that must find no server, and gives the sentence.
func failedCall(t *testing.T, target string, credentials assay.Credentials) string {
	t.Helper()
	client := dial(t, target, credentials)
	_, err := client.WhoAmI(context.Background())
	failure := requireKind(t, err, assay.ErrUnreachable)
	if !errors.Is(err, assay.ErrUnavailable) {
		t.Errorf("%v is not ErrUnavailable", err)
	}
	return failure.Message
}

func requireSays(t *testing.T, message string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(message, word) {
			t.Errorf("%q does not say %q", message, word)
		}
	}
}

func TestAClientWithCertificatesFromFilesIsLetIn(t *testing.T) {
	ca := newAuthority(t)
	server := serve(t, ca.serverOption("127.0.0.1", inAnHour()))

	answer, err := dial(t, server.address, ca.clientFiles(inAnHour())).WhoAmI(context.Background())

	if err != nil || answer.Principal == "" {
		t.Fatalf("got %v, %v", answer, err)
	}
}

func TestAClientWithCertificatesFromBytesIsLetIn(t *testing.T) {
	ca := newAuthority(t)
	server := serve(t, ca.serverOption("127.0.0.1", inAnHour()))
	certificate, key := ca.issue("client", inAnHour())

	_, err := dial(t, server.address, assay.TLSBytes{CA: ca.pem, Cert: certificate, Key: key}).WhoAmI(context.Background())

	if err != nil {
		t.Fatal(err)
	}
}

func TestServerNameMayDifferFromTheTarget(t *testing.T) {
	ca := newAuthority(t)
	server := serve(t, ca.serverOption("registry.example.com", inAnHour()))
	files := ca.clientFiles(inAnHour())

	requireSays(t, failedCall(t, server.address, files), "for another name", "ServerName")

	files.ServerName = "registry.example.com"
	if _, err := dial(t, server.address, files).WhoAmI(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func TestNobodyListening(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()

	message := failedCall(t, listener.Addr().String(), assay.PlaintextLoopback{})

	requireSays(t, message, "Nothing listens at "+listener.Addr().String())
}

func TestANameThatDoesNotExist(t *testing.T) {
	ca := newAuthority(t)

	message := failedCall(t, "registry.invalid:8443", ca.clientFiles(inAnHour()))

	requireSays(t, message, "registry.invalid:8443", "cannot be resolved")
}

func TestAServerOfAnotherAuthority(t *testing.T) {
	server := serve(t, newAuthority(t).serverOption("127.0.0.1", inAnHour()))
	files := newAuthority(t).clientFiles(inAnHour())

	requireSays(t, failedCall(t, server.address, files), "not from the authority in "+files.CA)
}

func TestAServerWhoseCertificateExpired(t *testing.T) {
	ca := newAuthority(t)
	server := serve(t, ca.serverOption("127.0.0.1", aMinuteAgo()))

	requireSays(t, failedCall(t, server.address, ca.clientFiles(inAnHour())), "has expired", server.address)
}

func TestAClientWhoseCertificateExpired(t *testing.T) {
	ca := newAuthority(t)
	server := serve(t, ca.serverOption("127.0.0.1", inAnHour()))
	files := ca.clientFiles(aMinuteAgo())

	requireSays(t, failedCall(t, server.address, files), "Your certificate "+files.Cert, "expired at", "Get a new one")
}

func TestAClientOfAnotherAuthority(t *testing.T) {
	ca := newAuthority(t)
	server := serve(t, ca.serverOption("127.0.0.1", inAnHour()))
	stranger := newAuthority(t)
	files := stranger.clientFiles(inAnHour())
	stranger.write(files.CA, ca.pem)

	message := failedCall(t, server.address, files)

	requireSays(t, message, "does not accept the certificate "+files.Cert)
}

func TestTLSToAPlaintextPort(t *testing.T) {
	server := serve(t)

	requireSays(t, failedCall(t, server.address, newAuthority(t).clientFiles(inAnHour())), "plaintext port")
}

func TestPlaintextToATLSPort(t *testing.T) {
	server := serve(t, newAuthority(t).serverOption("127.0.0.1", inAnHour()))

	requireSays(t, failedCall(t, server.address, assay.PlaintextLoopback{}), "TLS port")
}

func TestPlaintextBeyondThisMachineIsRefused(t *testing.T) {
	for _, target := range []string{"registry.example.com:80", "192.0.2.1:80", "dns:///registry.example.com:80"} {
		_, err := assay.Dial(target, assay.PlaintextLoopback{})

		requireKind(t, err, assay.ErrInsecureTarget)
	}
	for _, target := range []string{"localhost:80", "127.0.0.1:80", "[::1]:80", "unix:/run/assay.sock"} {
		if _, err := assay.Dial(target, assay.PlaintextLoopback{}); err != nil {
			t.Errorf("%s: %v", target, err)
		}
	}
}

func TestCertificateFilesThatAreMissingOrDoNotFit(t *testing.T) {
	ca := newAuthority(t)
	absent := ca.clientFiles(inAnHour())
	absent.Key = "/nowhere/client.key"
	unfit := ca.clientFiles(inAnHour())
	unfit.Key = ca.clientFiles(inAnHour()).Key
	garbage := ca.clientFiles(inAnHour())
	ca.write(garbage.CA, []byte("not a certificate"))

	for name, files := range map[string]assay.TLSFiles{absent.Key: absent, unfit.Cert: unfit, garbage.CA: garbage} {
		_, err := assay.Dial("registry.example.com:8443", files)

		requireSays(t, requireKind(t, err, assay.ErrCertificateUnusable).Message, name)
	}
}

func TestCertificatesRotateWithoutARestart(t *testing.T) {
	ca := newAuthority(t)
	seen := make(chan time.Time, 10)
	server := serve(t, ca.serverOption("127.0.0.1", inAnHour()), grpc.UnaryInterceptor(
		func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
			caller, _ := peer.FromContext(ctx)
			seen <- caller.AuthInfo.(credentials.TLSInfo).State.PeerCertificates[0].NotAfter
			return handle(ctx, request)
		}))
	firstUntil, secondUntil := time.Now().Add(3*time.Second), inAnHour()
	files := ca.clientFiles(firstUntil)
	client := dial(t, server.address, files)
	if _, err := client.WhoAmI(context.Background()); err != nil {
		t.Fatal(err)
	}

	ca.rotate(files, secondUntil)
	// The connection lives as long as its certificate; the one after that has the new certificate.
	time.Sleep(time.Until(firstUntil) + 50*time.Millisecond)
	_, err := client.WhoAmI(context.Background())

	if err != nil {
		t.Fatal(err)
	}
	if first := <-seen; !first.Equal(firstUntil.Truncate(time.Second)) {
		t.Errorf("the first call came with a certificate until %v", first)
	}
	if second := <-seen; !second.Equal(secondUntil.Truncate(time.Second)) {
		t.Errorf("the second call came with a certificate until %v", second)
	}
}

func TestAHalfDoneRotationLeavesTheLastGoodCertificateInUse(t *testing.T) {
	ca := newAuthority(t)
	server := serve(t, ca.serverOption("127.0.0.1", inAnHour()))
	files := ca.clientFiles(inAnHour())
	client := dial(t, server.address, files)
	ca.write(files.Key, []byte("half a key"))

	_, err := client.WhoAmI(context.Background())

	if err != nil {
		t.Fatal(err)
	}
}

func TestADeadlineThatPasses(t *testing.T) {
	server := serve(t)
	server.Fail(func(memoryregistry.Call) error { time.Sleep(300 * time.Millisecond); return nil })
	client := server.client(assay.WithDeadlines(50*time.Millisecond, 50*time.Millisecond))

	_, err := client.WhoAmI(context.Background())
	_, change := client.Registry().CreateModel(context.Background(), &assayv1.CreateModelRequest{ModelId: "digits"})

	failure := requireKind(t, err, assay.ErrDeadlinePassed)
	requireSays(t, failure.Message, "did not answer before the deadline", "Nothing was changed: ask again")
	requireSays(t, requireKind(t, change, assay.ErrDeadlinePassed).Message, "look before you repeat")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error("it is not a context.DeadlineExceeded")
	}
}

func TestACancelledContextIsCancelledAndNothingElse(t *testing.T) {
	client := serve(t).client()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()

	_, err := client.WhoAmI(ctx)

	if cancelled := requireKind(t, err, context.Canceled); cancelled.Code != codes.Canceled {
		t.Errorf("its status is %v", cancelled.Code)
	}
	if errors.Is(err, assay.ErrUnavailable) {
		t.Error("a cancelled call says that the server is unavailable")
	}
}

func TestAPortThatNeverAnswersSaysSoWhenTheDeadlinePasses(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()

	_, err = dial(t, listener.Addr().String(), assay.PlaintextLoopback{}).WhoAmI(ctx)

	failure := requireKind(t, err, assay.ErrDeadlinePassed)
	requireSays(t, failure.Message, listener.Addr().String())
}

func TestAServerThatIsOlderIsExplained(t *testing.T) {
	server := serve(t)

	_, err := server.client().Audit().ListEntries(context.Background(), &assayv1.ListEntriesRequest{})

	failure := requireKind(t, err, assay.ErrMethodUnknown)
	requireSays(t, failure.Message, "older than this client")
	if status.Code(err) != codes.Unimplemented {
		t.Errorf("the status is %v", status.Code(err))
	}
}
