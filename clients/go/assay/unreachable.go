package assay

import (
	"fmt"
	"strings"
	"time"
)

// cause pairs what gRPC and crypto/tls write with a sentence that leads to the cause. The tests make
// each of these failures happen, so that other words of a newer library are noticed.
type cause struct {
	sign     string
	sentence string
}

// causes are looked through in order; %[1]s is the target, %[2]s names the authority, %[3]s the
// client's certificate, %[4]s what the library wrote.
var causes = []cause{
	{"connection refused", "Nothing listens at %[1]s. Is the server running there?"},
	{"no such host", "The name in %[1]s cannot be resolved. Check its spelling."},
	{"name resolver error", "The name in %[1]s cannot be resolved. Check its spelling."},
	{"produced zero addresses", "The name in %[1]s cannot be resolved. Check its spelling."},
	{"first record does not look like a TLS handshake", "%[1]s does not speak TLS: it is a plaintext port. Use the " +
		"server's TLS port, or, on this machine only, assay.PlaintextLoopback."},
	{"signed by unknown authority", "The certificate of the server at %[1]s is not from the authority in %[2]s. Is this " +
		"the right server, and the right authority?"},
	{"certificate is valid for", "The certificate of the server at %[1]s is for another name. Give the name it has as " +
		"ServerName. (%[4]s)"},
	{"doesn't contain any IP SANs", "The certificate of the server at %[1]s is for another name. Give the name it has " +
		"as ServerName. (%[4]s)"},
	{"certificate is not valid for any names", "The certificate of the server at %[1]s is for another name. Give the " +
		"name it has as ServerName. (%[4]s)"},
	{"x509: certificate has expired or is not yet valid", "The certificate of the server at %[1]s has expired, or the " +
		"clock of this machine is wrong. (%[4]s)"},
	{"tls: expired certificate", "The server at %[1]s refuses the certificate %[3]s: it has expired. Get a new one."},
	{"tls: unknown certificate authority", "The server at %[1]s does not accept the certificate %[3]s: it was not " +
		"issued by the authority that this server trusts."},
	{"tls: certificate required", "The server at %[1]s demands a client certificate. Give Cert and Key."},
	{"tls: ", "The TLS handshake with %[1]s failed (%[4]s). Compare the certificates of both sides: authority %[2]s, " +
		"certificate %[3]s."},
	{"i/o timeout", "%[1]s does not answer. A firewall may drop the packets."},
	{"ping is not acked", "%[1]s fell silent: the connection was given up. Try again."},
	{"too_many_pings", "%[1]s ended the connection because of too many keepalive pings; a proxy in between may have a " +
		"limit of its own."},
}

// hungUp lists what is left of a connection that the other side closed.
var hungUp = []string{"error reading server preface", "connection reset", "broken pipe", "EOF"}

// whyUnreachable explains gRPC's text of a call that reached no server.
func (l *link) whyUnreachable(text string) string {
	if until := l.credentials.expireTime(); !until.IsZero() && until.Before(time.Now()) {
		return fmt.Sprintf("Your certificate %s expired at %s, and the server at %s refuses it. Get a new one.",
			l.credentials.certificateName(), until.UTC().Format("2006-01-02 15:04 MST"), l.target)
	}
	for _, known := range causes {
		if strings.Contains(text, known.sign) {
			return fmt.Sprintf(known.sentence, l.target, l.credentials.authorityName(), l.credentials.certificateName(),
				lastClause(text))
		}
	}
	for _, sign := range hungUp {
		if !l.hasAnswered.Load() && strings.Contains(text, sign) {
			return l.whyHungUp()
		}
	}
	return fmt.Sprintf("The connection to %s broke (%s). Try again.", l.target, text)
}

// whyHungUp explains a server that never answered, and closes the connection without a word.
func (l *link) whyHungUp() string {
	if l.credentials.isPlaintext() {
		return fmt.Sprintf("The server at %s closed the connection at once: it is probably a TLS port. Connect with "+
			"assay.TLSFiles.", l.target)
	}
	return fmt.Sprintf("The server at %s hung up during the handshake: it does not accept the certificate %s, or does "+
		"not speak gRPC.", l.target, l.credentials.certificateName())
}

// lastClause gives the innermost part of a chain of error texts.
func lastClause(text string) string {
	text = strings.Trim(text, "\" ")
	if at := strings.LastIndex(text, "x509: "); at >= 0 {
		return text[at:]
	}
	if at := strings.LastIndex(text, "tls: "); at >= 0 {
		return text[at:]
	}
	return text
}
