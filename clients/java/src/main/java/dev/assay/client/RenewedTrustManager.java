package dev.assay.client;

import java.io.IOException;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;

/** Judges the certificate of the server, by authorities that are read again for every connection. */
final class RenewedTrustManager extends X509ExtendedTrustManager {
    private final Tls tls;
    private volatile List<X509Certificate> last;

    RenewedTrustManager(Tls tls) {
        this.tls = tls;
        last = tls.authorities();
    }

    private X509ExtendedTrustManager current() throws CertificateException {
        try {
            last = tls.authorities();
        } catch (CertificateUnusable halfRenewed) {
            return judge(last);
        }
        return judge(last);
    }

    private static X509ExtendedTrustManager judge(List<X509Certificate> authorities) throws CertificateException {
        try {
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            for (int number = 0; number < authorities.size(); number++) {
                store.setCertificateEntry(Integer.toString(number), authorities.get(number));
            }
            TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init(store);
            for (TrustManager manager : factory.getTrustManagers()) {
                if (manager instanceof X509ExtendedTrustManager) {
                    return (X509ExtendedTrustManager) manager;
                }
            }
            throw new CertificateException("This Java has no trust manager for certificates.");
        } catch (GeneralSecurityException | IOException error) {
            throw new CertificateException("The authorities cannot be used.", error);
        }
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String kind, SSLEngine engine) throws CertificateException {
        current().checkServerTrusted(chain, kind, engine);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String kind, Socket socket) throws CertificateException {
        current().checkServerTrusted(chain, kind, socket);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String kind) throws CertificateException {
        current().checkServerTrusted(chain, kind);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String kind, SSLEngine engine) throws CertificateException {
        throw new CertificateException("This is a client.");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String kind, Socket socket) throws CertificateException {
        throw new CertificateException("This is a client.");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String kind) throws CertificateException {
        throw new CertificateException("This is a client.");
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return last.toArray(new X509Certificate[0]);
    }
}
