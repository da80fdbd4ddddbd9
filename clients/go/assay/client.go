package assay

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	assayv1 "github.com/assay-registry/assay/clients/go/assay/v1"
)

const (
	// keepaliveTime is what servers tolerate: they hang up on those who ping more often.
	keepaliveTime    = 60 * time.Second
	keepaliveTimeout = 20 * time.Second
	// connectionsMax spreads bytes over several TCP connections: one is bounded by window and distance.
	connectionsMax = 4

	readDeadlineDefault  = 10 * time.Second
	writeDeadlineDefault = 30 * time.Second
	patienceDefault      = 2 * time.Minute

	connectTimeout = 10 * time.Second
)

var reconnecting = backoff.Config{BaseDelay: 500 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 5 * time.Second}

// Client speaks to one server. Make one for the whole program, and close it at the end.
type Client struct {
	*link
	// conns all lead to the same server; the first one carries single calls, all of them bytes. Each
	// connects when it is first used.
	conns []*grpc.ClientConn
}

// link is what the calls of a client have in common.
type link struct {
	target                      string
	credentials                 Credentials
	methods                     map[string]method
	readDeadline, writeDeadline time.Duration
	patience                    time.Duration
	connections                 int
	dialOptions                 []grpc.DialOption
	// hasAnswered tells a server that was reached before from one that never was.
	hasAnswered atomic.Bool
}

// Option changes how a client works.
type Option func(*link)

// WithDeadlines sets how long a call may take whose context has no deadline, all its repetitions
// together: 10 s for reads and 30 s for changes unless set. Streams have none.
func WithDeadlines(read, write time.Duration) Option {
	return func(l *link) { l.readDeadline, l.writeDeadline = read, write }
}

// WithPatience sets how long Push and Pull go on trying while no byte moves, counted from the first failure since
// one did: 2 minutes unless set.
func WithPatience(limit time.Duration) Option {
	return func(l *link) { l.patience = limit }
}

// WithConnections sets over how many connections bytes are spread: 4 unless set. They are made as
// they are needed.
func WithConnections(count int) Option {
	return func(l *link) { l.connections = max(1, count) }
}

// WithGRPC passes options on to gRPC, for example interceptors; they come after the package's own.
func WithGRPC(options ...grpc.DialOption) Option {
	return func(l *link) { l.dialOptions = append(l.dialOptions, options...) }
}

// Dial makes a client of the server at target, such as "registry.example.com:8443". It reads the
// certificates but does not connect: the first call does. Call [Client.WhoAmI] to find out at once
// whether address and certificates are right.
func Dial(target string, credentials Credentials, options ...Option) (*Client, error) {
	shared := &link{
		target: target, credentials: credentials, methods: map[string]method{}, connections: connectionsMax,
		readDeadline: readDeadlineDefault, writeDeadline: writeDeadlineDefault, patience: patienceDefault,
	}
	for _, m := range methodsOfContract() {
		shared.methods[m.path()] = m
	}
	for _, option := range options {
		option(shared)
	}
	if credentials == nil || (credentials.isPlaintext() && !isLoopback(target)) {
		return nil, &Error{kinds: []error{ErrInsecureTarget}, Message: fmt.Sprintf("%s is not on this machine, and "+
			"without TLS everybody on the way could read and change what is sent. Give certificates: assay.TLSFiles.", target)}
	}
	client := &Client{link: shared}
	for range shared.connections {
		conn, err := shared.newConn()
		if err != nil {
			client.Close()
			return nil, err
		}
		client.conns = append(client.conns, conn)
	}
	return client, nil
}

func (l *link) newConn() (*grpc.ClientConn, error) {
	transport, err := l.credentials.transport()
	if err != nil {
		return nil, err
	}
	options := append([]grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		grpc.WithDefaultServiceConfig(serviceConfig(methodsOfContract())),
		// What may be repeated is ours to say: no look-up of a service config in DNS.
		grpc.WithDisableServiceConfig(),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: keepaliveTime, Timeout: keepaliveTimeout}),
		// gRPC would wait up to two minutes before it looks again for a server that was away.
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: reconnecting, MinConnectTimeout: connectTimeout}),
		grpc.WithUserAgent("assay-go"),
		grpc.WithChainUnaryInterceptor(l.unary),
		grpc.WithStatsHandler(sentNotes{}),
		grpc.WithChainStreamInterceptor(l.stream),
	}, l.dialOptions...)
	if name := l.credentials.serverName(); name != "" {
		options = append(options, grpc.WithAuthority(name))
	}
	conn, err := grpc.NewClient(l.target, options...)
	if err != nil {
		return nil, &Error{Code: codes.InvalidArgument, kinds: []error{ErrInvalidInput}, cause: err,
			Message: fmt.Sprintf("%q is not an address. Write it like registry.example.com:8443. (%v)", l.target, err)}
	}
	return conn, nil
}

// Close ends all connections; calls under way fail. Closing again does nothing.
func (c *Client) Close() error {
	var failures []error
	for _, conn := range c.conns {
		if err := conn.Close(); status.Code(err) != codes.Canceled {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}

// Target is the address that the client was made for.
func (c *Client) Target() string { return c.target }

// Conn is the connection below the stubs, for calls that no stub has.
func (c *Client) Conn() *grpc.ClientConn { return c.conns[0] }

// Registry gives the stub for models, drafts, versions and aliases.
func (c *Client) Registry() assayv1.RegistryServiceClient {
	return assayv1.NewRegistryServiceClient(c.Conn())
}

// Artifacts gives the stub for the bytes of files.
func (c *Client) Artifacts() assayv1.ArtifactServiceClient {
	return assayv1.NewArtifactServiceClient(c.Conn())
}

// Evaluations gives the stub for evaluations and gates.
func (c *Client) Evaluations() assayv1.EvaluationServiceClient {
	return assayv1.NewEvaluationServiceClient(c.Conn())
}

// Access gives the stub for namespaces and role bindings.
func (c *Client) Access() assayv1.AccessServiceClient {
	return assayv1.NewAccessServiceClient(c.Conn())
}

// Audit gives the stub for the audit trail.
func (c *Client) Audit() assayv1.AuditServiceClient {
	return assayv1.NewAuditServiceClient(c.Conn())
}

// Watcher gives the stub for events; see [Client.Watch].
func (c *Client) Watcher() assayv1.WatchServiceClient {
	return assayv1.NewWatchServiceClient(c.Conn())
}

// carrier gives the stub for bytes on one of the connections.
func (c *Client) carrier(number int) assayv1.ArtifactServiceClient {
	return assayv1.NewArtifactServiceClient(c.conns[number%len(c.conns)])
}

// isLoopback tells whether target can only be this machine.
func isLoopback(target string) bool {
	if strings.HasPrefix(target, "unix:") || strings.HasPrefix(target, "unix-abstract:") {
		return true
	}
	host, _, err := net.SplitHostPort(target)
	if err != nil {
		host = target
	}
	address := net.ParseIP(host)
	return host == "localhost" || (address != nil && address.IsLoopback())
}
