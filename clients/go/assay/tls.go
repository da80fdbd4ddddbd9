package assay

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// Credentials say who you are and whom you trust: [TLSFiles], [TLSBytes] or [PlaintextLoopback].
type Credentials interface {
	transport() (credentials.TransportCredentials, error)
	expireTime() time.Time
	authorityName() string
	certificateName() string
	isPlaintext() bool
	serverName() string
}

// TLSFiles are paths of PEM files. They are read again for every connection, and a connection ends
// when the certificate that it was made with expires: rotation needs no restart.
type TLSFiles struct {
	// CA holds the authority that signed the server's certificate.
	CA string
	// Cert holds your certificate, with its chain: it decides who you are.
	Cert string
	// Key holds its private key.
	Key string
	// ServerName is the name in the server's certificate, where it differs from the target's.
	ServerName string
}

// TLSBytes are the contents of PEM files; see [TLSFiles].
type TLSBytes struct {
	// CA holds the authority that signed the server's certificate.
	CA []byte
	// Cert holds your certificate, with its chain.
	Cert []byte
	// Key holds its private key.
	Key []byte
	// ServerName is the name in the server's certificate, where it differs from the target's.
	ServerName string
}

// PlaintextLoopback speaks without TLS, to a development server on this machine only.
type PlaintextLoopback struct{}

func (PlaintextLoopback) transport() (credentials.TransportCredentials, error) {
	return insecure.NewCredentials(), nil
}
func (PlaintextLoopback) expireTime() time.Time   { return time.Time{} }
func (PlaintextLoopback) authorityName() string   { return "" }
func (PlaintextLoopback) certificateName() string { return "" }
func (PlaintextLoopback) isPlaintext() bool       { return true }
func (PlaintextLoopback) serverName() string      { return "" }

func (f TLSFiles) transport() (credentials.TransportCredentials, error) {
	return newRotating(f.load)
}
func (f TLSFiles) expireTime() time.Time   { return expireTimeOf(f.load()) }
func (f TLSFiles) authorityName() string   { return f.CA }
func (f TLSFiles) certificateName() string { return f.Cert }
func (f TLSFiles) isPlaintext() bool       { return false }
func (f TLSFiles) serverName() string      { return f.ServerName }

func (f TLSFiles) load() (*identity, error) {
	var contents TLSBytes
	for _, file := range []struct {
		what, path string
		into       *[]byte
	}{
		{"authority's certificate", f.CA, &contents.CA},
		{"client certificate", f.Cert, &contents.Cert},
		{"private key", f.Key, &contents.Key},
	} {
		pem, err := os.ReadFile(file.path)
		if err != nil {
			return nil, unusable(fmt.Sprintf("The %s %q cannot be read. Check the path and who may read it.",
				file.what, file.path), err)
		}
		*file.into = pem
	}
	return contents.parse(f.CA, f.Cert, f.Key)
}

func (b TLSBytes) transport() (credentials.TransportCredentials, error) {
	return newRotating(b.load)
}
func (b TLSBytes) expireTime() time.Time   { return expireTimeOf(b.load()) }
func (b TLSBytes) authorityName() string   { return "the given CA bytes" }
func (b TLSBytes) certificateName() string { return "in the given bytes" }
func (b TLSBytes) isPlaintext() bool       { return false }
func (b TLSBytes) serverName() string      { return b.ServerName }

func (b TLSBytes) load() (*identity, error) {
	return b.parse("the given CA bytes", "the given Cert bytes", "the given Key bytes")
}

// identity is what one handshake uses.
type identity struct {
	roots       *x509.CertPool
	certificate tls.Certificate
}

func (b TLSBytes) parse(ca, cert, key string) (*identity, error) {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(b.CA) {
		return nil, unusable(fmt.Sprintf("%s holds no certificate in PEM form. Give the authority that signed the "+
			"server's certificate.", ca), nil)
	}
	pair, err := tls.X509KeyPair(b.Cert, b.Key)
	if err != nil {
		return nil, unusable(fmt.Sprintf("%s and %s are not a certificate and its private key in PEM form.", cert, key), err)
	}
	return &identity{roots, pair}, nil
}

func expireTimeOf(who *identity, err error) time.Time {
	if err != nil || who.certificate.Leaf == nil {
		return time.Time{}
	}
	return who.certificate.Leaf.NotAfter
}

func unusable(message string, cause error) *Error {
	if cause != nil {
		message = fmt.Sprintf("%s (%v)", message, cause)
	}
	return &Error{Message: message, kinds: []error{ErrCertificateUnusable}, cause: cause}
}

// rotating makes each handshake with the certificates of that moment. What cannot be read, because a
// rotation is half done, leaves the last good ones in use.
type rotating struct {
	load func() (*identity, error)
	last *lastGood
}

type lastGood struct {
	sync.Mutex
	identity *identity
}

func newRotating(load func() (*identity, error)) (*rotating, error) {
	first, err := load()
	if err != nil {
		return nil, err
	}
	return &rotating{load, &lastGood{identity: first}}, nil
}

func (r *rotating) current() *identity {
	r.last.Lock()
	defer r.last.Unlock()
	if fresh, err := r.load(); err == nil {
		r.last.identity = fresh
	}
	return r.last.identity
}

// ClientHandshake makes a connection that ends when its certificate does: the server refuses every
// call from then on, and the next connection may have a newer one.
func (r *rotating) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	who := r.current()
	config := &tls.Config{
		MinVersion:   tls.VersionTLS12,
		RootCAs:      who.roots,
		Certificates: []tls.Certificate{who.certificate},
	}
	conn, auth, err := credentials.NewTLS(config).ClientHandshake(ctx, authority, raw)
	if err != nil {
		return nil, nil, err
	}
	if left := time.Until(who.certificate.Leaf.NotAfter); left > 0 {
		conn = &expiring{conn, time.AfterFunc(left, func() { raw.Close() })}
	}
	return conn, auth, nil
}

// ServerHandshake is never called: these are a client's credentials.
func (r *rotating) ServerHandshake(net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return nil, nil, errors.New("these credentials are for clients")
}

// Info describes the protocol.
func (r *rotating) Info() credentials.ProtocolInfo {
	return credentials.ProtocolInfo{SecurityProtocol: "tls"}
}

// Clone makes a copy that shares the certificates.
func (r *rotating) Clone() credentials.TransportCredentials {
	twin := *r
	return &twin
}

// OverrideServerName is not for us: the authority of the connection is the name to look for.
func (r *rotating) OverrideServerName(string) error {
	return errors.New("set ServerName of the credentials instead")
}

// expiring is a connection with a last moment.
type expiring struct {
	net.Conn
	timer *time.Timer
}

// Close ends the connection and forgets its last moment.
func (e *expiring) Close() error {
	e.timer.Stop()
	return e.Conn.Close()
}
