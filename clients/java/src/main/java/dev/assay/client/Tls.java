package dev.assay.client;

import io.grpc.ChannelCredentials;
import io.grpc.TlsChannelCredentials;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;

/**
 * Who you are and whom you trust: three PEM texts, the authority of the server, your certificate, and its private key.
 *
 * <p>The key must be PKCS#8 without a password, which begins with {@code BEGIN PRIVATE KEY}.
 */
public final class Tls {
    private static final String BYTES = "the given PEM bytes";
    private static final Pattern PRIVATE_KEY =
            Pattern.compile("-----BEGIN PRIVATE KEY-----([^-]+)-----END PRIVATE KEY-----");
    /** By the algorithm of a key; others, such as Ed25519, sign under their own name. */
    private static final Map<String, String> SIGNATURES = Map.of("RSA", "SHA256withRSA", "EC", "SHA256withECDSA");

    private final Pem authority;
    private final Pem certificate;
    private final Pem key;
    private final String serverName;

    private Tls(Pem authority, Pem certificate, Pem key, String serverName) {
        this.authority = authority;
        this.certificate = certificate;
        this.key = key;
        this.serverName = serverName;
    }

    /**
     * Takes certificates from PEM files. They are read when the client is built, and again when they have changed: calls
     * from then on show the new certificate on new connections, so that it can be renewed without a restart.
     *
     * @param authority the certificate of the authority that signed the server's
     * @param certificate your certificate, with its chain: it decides who you are
     * @param key its private key
     * @return what {@link AssayClientBuilder#tls} takes
     */
    public static Tls fromFiles(Path authority, Path certificate, Path key) {
        Required.of(authority, "authority");
        Required.of(certificate, "certificate");
        Required.of(key, "key");
        return new Tls(new Pem(authority, null), new Pem(certificate, null), new Pem(key, null), "");
    }

    /**
     * Takes certificates as PEM bytes, for example from a store of secrets.
     *
     * @param authority the certificate of the authority that signed the server's
     * @param certificate your certificate, with its chain: it decides who you are
     * @param key its private key
     * @return what {@link AssayClientBuilder#tls} takes
     */
    public static Tls fromBytes(byte[] authority, byte[] certificate, byte[] key) {
        Required.of(authority, "authority");
        Required.of(certificate, "certificate");
        Required.of(key, "key");
        return new Tls(
                new Pem(null, authority.clone()), new Pem(null, certificate.clone()), new Pem(null, key.clone()), "");
    }

    /**
     * Says which name the server's certificate has, where it differs from the name in the address.
     *
     * @param name the name, such as {@code registry.example.com}
     * @return a copy that says so
     */
    public Tls serverName(String name) {
        Required.of(name, "name");
        return new Tls(authority, certificate, key, name);
    }

    String serverName() {
        return serverName;
    }

    /** What gRPC takes, of what the files hold now; mistakes are told here, before a handshake fails of them. */
    ChannelCredentials credentials() {
        TrustManager[] judges = judges();
        X509Certificate[] chain = parse("the certificate", certificate).toArray(new X509Certificate[0]);
        PrivateKey secret = privateKeyOf(chain[0].getPublicKey());
        return TlsChannelCredentials.newBuilder()
                .keyManager(new ShownKeyManager(chain, secret))
                .trustManager(judges)
                .build();
    }

    /** Who judges the certificate of the server. */
    private TrustManager[] judges() {
        List<X509Certificate> authorities = parse("the authority's certificate", authority);
        try {
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            for (int number = 0; number < authorities.size(); number++) {
                store.setCertificateEntry(Integer.toString(number), authorities.get(number));
            }
            TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init(store);
            return factory.getTrustManagers();
        } catch (GeneralSecurityException | IOException error) {
            throw new CertificateUnusable(Failure.of("%s, given as the authority's certificate, cannot be used: %s.",
                    authority.name(), error.getMessage()).because(error));
        }
    }

    /** What the files look like from outside: another list means that they may have other content. */
    List<Object> state() {
        return Stream.of(authority, certificate, key).map(Pem::state).collect(Collectors.toList());
    }

    /** Signs and verifies something: gRPC itself notices a wrong key only in the handshake, and says little. */
    private PrivateKey privateKeyOf(PublicKey open) {
        Matcher pem = PRIVATE_KEY.matcher(new String(content("the private key", key), StandardCharsets.US_ASCII));
        if (!pem.find()) {
            throw new CertificateUnusable(Failure.of("%s is not a PKCS#8 private key without a password, which begins "
                            + "with BEGIN PRIVATE KEY. Make one of it: openssl pkcs8 -topk8 -nocrypt -in KEY -out NEW.",
                    key.name()));
        }
        try {
            byte[] der = Base64.getMimeDecoder().decode(pem.group(1));
            PrivateKey secret = KeyFactory.getInstance(open.getAlgorithm()).generatePrivate(new PKCS8EncodedKeySpec(der));
            Signature signature = Signature.getInstance(SIGNATURES.getOrDefault(open.getAlgorithm(), open.getAlgorithm()));
            signature.initSign(secret);
            byte[] signed = signature.sign();
            signature.initVerify(open);
            if (signature.verify(signed)) {
                return secret;
            }
            throw new CertificateUnusable(Failure.of("%s is the key of another certificate than %s.", key.name(),
                    certificate.name()));
        } catch (GeneralSecurityException | IllegalArgumentException error) {
            throw new CertificateUnusable(Failure.of("%s cannot be the key of %s: %s.", key.name(), certificate.name(),
                    error.getMessage()).because(error));
        }
    }

    /** When the certificate of the client expires. */
    Instant expireTime() {
        return parse("the certificate", certificate).get(0).getNotAfter().toInstant();
    }

    String authorityName() {
        return authority.name();
    }

    String certificateName() {
        return certificate.name();
    }

    private static List<X509Certificate> parse(String what, Pem pem) {
        byte[] content = content(what, pem);
        try {
            List<X509Certificate> all = CertificateFactory.getInstance("X.509")
                    .generateCertificates(new ByteArrayInputStream(content)).stream()
                    .map(X509Certificate.class::cast)
                    .collect(Collectors.toList());
            if (!all.isEmpty()) {
                return all;
            }
            throw new CertificateUnusable(Failure.of("%s, given as %s, holds no PEM certificate.", pem.name(), what));
        } catch (CertificateException error) {
            throw new CertificateUnusable(Failure.of("%s, given as %s, is not a PEM certificate: %s.",
                    pem.name(), what, error.getMessage()).because(error));
        }
    }

    private static byte[] content(String what, Pem pem) {
        try {
            return pem.path == null ? pem.bytes : Files.readAllBytes(pem.path);
        } catch (IOException error) {
            throw new CertificateUnusable(Failure.of("%s, given as %s, cannot be read: %s", pem.name(), what,
                    LocalFailures.why(error)).because(error));
        }
    }

    /** A file, or its content. */
    private static final class Pem {
        final Path path;
        final byte[] bytes;

        Pem(Path path, byte[] bytes) {
            this.path = path;
            this.bytes = bytes;
        }

        /** As a message may name it: the path, never the content. */
        String name() {
            return path == null ? BYTES : path.toString();
        }

        Object state() {
            try {
                BasicFileAttributes seen = path == null ? null : Files.readAttributes(path, BasicFileAttributes.class);
                return seen == null ? BYTES : Arrays.asList(seen.lastModifiedTime(), seen.size(), seen.fileKey());
            } catch (IOException unreadable) {
                return unreadable.getClass();
            }
        }
    }
}
