package assay_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"github.com/assay-registry/assay/clients/go/assay"
	assayv1 "github.com/assay-registry/assay/clients/go/assay/v1"
	"github.com/assay-registry/assay/clients/go/internal/memoryregistry"
)

// served is a registry on a real gRPC server, which can be killed and started again on its port.
type served struct {
	*memoryregistry.Registry
	t       *testing.T
	address string
	options []grpc.ServerOption
	server  *grpc.Server
}

func serve(t *testing.T, options ...grpc.ServerOption) *served {
	t.Helper()
	s := &served{Registry: memoryregistry.New(assay.ManifestDigest), t: t, address: "127.0.0.1:0", options: options}
	s.start()
	t.Cleanup(func() { s.server.Stop() })
	return s
}

func (s *served) start() {
	s.t.Helper()
	listener, err := net.Listen("tcp", s.address)
	if err != nil {
		s.t.Fatal(err)
	}
	s.address = listener.Addr().String()
	s.server = grpc.NewServer(s.options...)
	s.Register(s.server)
	go s.server.Serve(listener)
}

func (s *served) kill() { s.server.Stop() }

// client makes a client of the server without TLS.
func (s *served) client(options ...assay.Option) *assay.Client {
	s.t.Helper()
	return dial(s.t, s.address, assay.PlaintextLoopback{}, options...)
}

func dial(t *testing.T, target string, credentials assay.Credentials, options ...assay.Option) *assay.Client {
	t.Helper()
	client, err := assay.Dial(target, credentials, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// withModel makes the model that most tests push to.
func (s *served) withModel() *served {
	s.t.Helper()
	_, err := s.CreateModel(context.Background(), &assayv1.CreateModelRequest{Parent: "namespaces/vision", ModelId: "digits"})
	if err != nil {
		s.t.Fatal(err)
	}
	return s
}

// older makes it a server of before there was CreateVersion.
func (s *served) older() *served {
	s.Fail(func(call memoryregistry.Call) error {
		if call.Method == "CreateVersion" {
			return status.Error(codes.Unimplemented, "unknown method CreateVersion for service assay.v1.RegistryService")
		}
		return nil
	})
	return s
}

// once gives a fault that strikes the first call that fits, and only that.
func once(fits func(memoryregistry.Call) bool, err error) func(memoryregistry.Call) error {
	struck := make(chan struct{}, 1)
	return func(call memoryregistry.Call) error {
		if !fits(call) {
			return nil
		}
		select {
		case struck <- struct{}{}:
			return err
		default:
			return nil
		}
	}
}

var unavailable = status.Error(codes.Unavailable, "the server goes away")

// writeFiles makes a directory with these files.
func writeFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	directory := t.TempDir()
	for path, content := range files {
		whole := filepath.Join(directory, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(whole), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(whole, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return directory
}

// writeLarge makes a file of so many bytes that nothing compresses or repeats.
func writeLarge(t *testing.T, size int) string {
	t.Helper()
	content := make([]byte, size)
	rand.Read(content)
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if err := os.WriteFile(path, content, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// requireKind fails unless err is an *assay.Error of the kind.
func requireKind(t *testing.T, err, kind error) *assay.Error {
	t.Helper()
	var failure *assay.Error
	if !errors.As(err, &failure) || !errors.Is(err, kind) {
		t.Fatalf("got %v, want an *assay.Error that is %q", err, kind)
	}
	return failure
}

// authority signs certificates of servers and clients.
type authority struct {
	t           *testing.T
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pem         []byte
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.key = newKey(t)
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.certificate, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.pem = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// issue signs a certificate for a name, valid until then; it gives certificate and key as PEM.
func (a *authority) issue(name string, until time.Time) (certificate, key []byte) {
	a.t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		a.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: until,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if address := net.ParseIP(name); address != nil {
		template.DNSNames, template.IPAddresses = nil, []net.IP{address}
	}
	private := newKey(a.t)
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, private.Public(), a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		a.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})
}

// serverOption makes a server that has a certificate for a name and asks clients for theirs.
func (a *authority) serverOption(name string, until time.Time) grpc.ServerOption {
	a.t.Helper()
	certificate, key := a.issue(name, until)
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		a.t.Fatal(err)
	}
	clients := x509.NewCertPool()
	clients.AddCert(a.certificate)
	return grpc.Creds(credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{pair}, ClientCAs: clients, ClientAuth: tls.RequireAndVerifyClientCert,
	}))
}

// clientFiles writes a client's certificate files.
func (a *authority) clientFiles(until time.Time) assay.TLSFiles {
	a.t.Helper()
	directory := a.t.TempDir()
	files := assay.TLSFiles{
		CA: filepath.Join(directory, "ca.crt"), Cert: filepath.Join(directory, "client.crt"), Key: filepath.Join(directory, "client.key"),
	}
	a.write(files.CA, a.pem)
	a.rotate(files, until)
	return files
}

// rotate replaces a client's certificate and key.
func (a *authority) rotate(files assay.TLSFiles, until time.Time) {
	a.t.Helper()
	certificate, key := a.issue("client", until)
	a.write(files.Cert, certificate)
	a.write(files.Key, key)
}

func (a *authority) write(path string, content []byte) {
	a.t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		a.t.Fatal(err)
	}
}
