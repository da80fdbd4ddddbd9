package dev.assay.client;

import java.net.Socket;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedKeyManager;

/** Shows the certificate of the client, read again for every connection. */
final class RenewedKeyManager extends X509ExtendedKeyManager {
    private final Tls tls;
    /** The last pair that fitted: a renewal writes two files, one after the other. */
    private volatile Pair last;

    RenewedKeyManager(Tls tls) {
        this.tls = tls;
        last = tls.pair();
    }

    /** A certificate with its chain, and its key. */
    static final class Pair {
        final X509Certificate[] chain;
        final PrivateKey key;

        Pair(X509Certificate[] chain, PrivateKey key) {
            this.chain = chain;
            this.key = key;
        }

        /** Names the pair, so that chain and key of one handshake belong together. */
        String alias() {
            return chain[0].getSerialNumber().toString();
        }
    }

    /** Which certificate to show; the server decides whether it will do. */
    private String current() {
        try {
            last = tls.pair();
        } catch (CertificateUnusable halfRenewed) {
            return last.alias();
        }
        return last.alias();
    }

    private Pair pair(String alias) {
        Pair pair = last;
        // A renewal between the two questions of one handshake: that connection fails, and the next one is right.
        return pair.alias().equals(alias) ? pair : null;
    }

    @Override
    public String chooseEngineClientAlias(String[] keyTypes, Principal[] issuers, SSLEngine engine) {
        return current();
    }

    @Override
    public String chooseClientAlias(String[] keyTypes, Principal[] issuers, Socket socket) {
        return current();
    }

    @Override
    public X509Certificate[] getCertificateChain(String alias) {
        Pair pair = pair(alias);
        return pair == null ? null : pair.chain;
    }

    @Override
    public PrivateKey getPrivateKey(String alias) {
        Pair pair = pair(alias);
        return pair == null ? null : pair.key;
    }

    @Override
    public String[] getClientAliases(String keyType, Principal[] issuers) {
        return new String[] {last.alias()};
    }

    @Override
    public String[] getServerAliases(String keyType, Principal[] issuers) {
        return new String[0];
    }

    @Override
    public String chooseServerAlias(String keyType, Principal[] issuers, Socket socket) {
        return null;
    }
}
