package dev.assay.client;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Why there is no connection, in words that lead to the cause. The tests make each of these failures happen, so that
 * other words of a newer library are noticed.
 */
final class Diagnosis {
    private static final String WRONG_NAME =
            "The certificate of the server at %1$s is for another name. Give the name it has: Tls.serverName(…). (%4$s)";
    private static final String UNRESOLVED = "The name in %1$s cannot be resolved. Check its spelling.";
    private static final String REFUSED =
            "The server at %1$s does not accept the certificate %3$s: it was not issued by the authority that this server "
                    + "trusts.";

    /**
     * What gRPC, Netty and the JDK write, looked through in order; %1$s is the target, %2$s names the authority, %3$s
     * the client's certificate, %4$s what was written.
     */
    private static final Map<String, String> CAUSES = new LinkedHashMap<>();

    static {
        CAUSES.put("Connection refused", "Nothing listens at %1$s. Is the server running there?");
        CAUSES.put("UnknownHostException", UNRESOLVED);
        CAUSES.put("Unable to resolve host", UNRESOLVED);
        CAUSES.put("NotSslRecordException", "%1$s does not speak TLS: it is a plaintext port. Use the server's TLS port, "
                + "or, on this machine only, plaintextLoopback().");
        CAUSES.put("CertificateExpiredException", "The certificate of the server at %1$s has expired; it must be renewed "
                + "there. (%4$s)");
        CAUSES.put("CertificateNotYetValidException", "The certificate of the server at %1$s is not valid yet: compare "
                + "the clocks of the two machines. (%4$s)");
        CAUSES.put("No subject alternative", WRONG_NAME);
        CAUSES.put("No name matching", WRONG_NAME);
        CAUSES.put("PKIX path", "The certificate of the server at %1$s is not from the authority in %2$s. Is this the "
                + "right server, and the right authority?");
        CAUSES.put("CERTIFICATE_EXPIRED", "The server at %1$s refuses the certificate %3$s: it has expired. Get a new one.");
        CAUSES.put("UNKNOWN_CA", REFUSED);
        CAUSES.put("CERTIFICATE_UNKNOWN", REFUSED);
        CAUSES.put("BAD_CERTIFICATE", REFUSED);
        CAUSES.put("DECRYPT_ERROR", REFUSED);
        // A client keeps back a certificate that is of none of the authorities that the server names.
        CAUSES.put("CERTIFICATE_REQUIRED", REFUSED);
        CAUSES.put("_ALERT_", "The server at %1$s ended the handshake (%4$s): probably it does not accept the certificate "
                + "%3$s. Was it issued by the authority that this server trusts?");
        CAUSES.put("SSLHandshakeException", "The TLS handshake with %1$s failed (%4$s). Compare the certificates of both "
                + "sides: authority %2$s, certificate %3$s.");
        CAUSES.put("connection timed out", "%1$s does not answer. A firewall may drop the packets.");
        CAUSES.put("Keepalive failed", "%1$s fell silent: the connection was given up. Try again.");
        CAUSES.put("too_many_pings", "%1$s ended the connection because of too many keepalive pings; a proxy in between "
                + "may have a limit of its own.");
    }

    private final String target;
    private final Tls tls;

    /** Without {@code tls} the connection is plaintext. */
    Diagnosis(String target, Tls tls) {
        this.target = target;
        this.tls = tls;
    }

    /** Whether there is a certificate that has not expired, perhaps since a moment ago. */
    boolean isCertificateValid() {
        try {
            return tls != null && tls.expireTime().isAfter(Instant.now());
        } catch (CertificateUnusable halfRenewed) {
            return false;
        }
    }

    /** A sentence that explains a call that reached no server. */
    String whyUnreachable(Throwable error) {
        Chain chain = new Chain(error);
        if (tls != null && !tls.expireTime().isAfter(Instant.now())) {
            return String.format("Your certificate %s expired at %s, and the server at %s refuses it. Get a new one.",
                    tls.certificateName(), tls.expireTime().truncatedTo(ChronoUnit.SECONDS), target);
        }
        for (Map.Entry<String, String> cause : CAUSES.entrySet()) {
            if (chain.text.contains(cause.getKey())) {
                return String.format(cause.getValue(), target, authority(), certificate(), chain.innermost);
            }
        }
        boolean wasNeverOpen = chain.text.contains("First received frame was not SETTINGS")
                || chain.text.contains("Network closed for unknown reason")
                || chain.text.contains("Connection closed while performing protocol negotiation")
                || chain.text.contains("Connection reset");
        return wasNeverOpen ? whyHungUp() : String.format("The connection to %s broke (%s). Try again.", target, chain.innermost);
    }

    /** A server that closes the connection without a word. */
    private String whyHungUp() {
        if (tls == null) {
            return "The server at " + target + " closed the connection at once: it is probably a TLS port. Connect with "
                    + "certificates: tls(Tls.fromFiles(…)).";
        }
        return String.format("The server at %s hung up: it went away, or it does not accept the certificate %s, or does not "
                + "speak gRPC. Try again, and compare certificate and authority.", target, certificate());
    }

    private String authority() {
        return tls == null ? "(none)" : tls.authorityName();
    }

    private String certificate() {
        return tls == null ? "(none)" : tls.certificateName();
    }

    /** All that a failure and its causes say. */
    private static final class Chain {
        final String text;
        final String innermost;

        Chain(Throwable error) {
            StringBuilder all = new StringBuilder();
            String last = "no cause given";
            for (Throwable link = error; link != null; link = link.getCause()) {
                all.append(link).append('\n');
                last = link.getMessage() == null ? last : link.getMessage();
            }
            text = all.toString();
            innermost = last.lines().findFirst().orElse("no cause given");
        }
    }
}
