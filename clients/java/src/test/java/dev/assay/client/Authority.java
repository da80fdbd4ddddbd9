package dev.assay.client;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.Base64;

/** Makes certificates for tests, in DER by hand (RFC 5280): the JDK reads certificates but cannot make any. */
final class Authority {
    private static final Duration DAY = Duration.ofDays(1);
    private static final byte[] ECDSA_WITH_SHA256 = sequence(oid(0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02));
    private static final int DNS_NAME = 0x82;
    private static final int URI = 0x86;
    private static final int IP_ADDRESS = 0x87;

    final byte[] certificate;
    private final String name;
    private final PrivateKey key;

    Authority(String name) {
        this.name = name;
        KeyPair pair = newPair();
        key = pair.getPrivate();
        byte[] constraints = extension(0x13, sequence(tlv(0x01, new byte[] {(byte) 0xFF})));
        byte[] usage = extension(0x0F, tlv(0x03, new byte[] {1, 0x06}));
        certificate = pem("CERTIFICATE", signed(name, pair, Instant.now().minus(DAY), Instant.now().plus(DAY), constraints, usage));
    }

    private Authority(String name, byte[] certificate, PrivateKey key) {
        this.name = name;
        this.certificate = certificate;
        this.key = key;
    }

    /** The authority of a development server, whose name is a common name alone. */
    static Authority of(Path certificate, Path key) throws IOException, GeneralSecurityException {
        byte[] pem = Files.readAllBytes(certificate);
        X509Certificate parsed = (X509Certificate)
                CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(pem));
        String secret = Files.readString(key).replaceAll("-----[A-Z ]+-----", "");
        return new Authority(
                parsed.getSubjectX500Principal().getName().substring("CN=".length()),
                pem,
                KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(Base64.getMimeDecoder().decode(secret))));
    }

    /** A certificate for both ends of TLS, valid now. */
    Leaf issueServer(String dnsName) {
        return issue(Instant.now().minus(DAY), Instant.now().plus(DAY), dnsName);
    }

    Leaf issueClient(String uri) {
        return issue(Instant.now().minus(DAY), Instant.now().plus(DAY), uri);
    }

    Leaf issueClient(String uri, Duration life) {
        return issue(Instant.now().minus(DAY), Instant.now().plus(life), uri);
    }

    Leaf issueExpired(String name) {
        return issue(Instant.now().minus(DAY.multipliedBy(2)), Instant.now().minus(DAY), name);
    }

    private Leaf issue(Instant begin, Instant end, String altName) {
        KeyPair pair = newPair();
        byte[] alternative = altName.contains("://")
                ? tlv(URI, ascii(altName))
                : concat(tlv(DNS_NAME, ascii(altName)), altName.equals("localhost") ? tlv(IP_ADDRESS, new byte[] {127, 0, 0, 1}) : new byte[0]);
        byte[] names = extension(0x11, sequence(alternative));
        byte[] leaf = pem("CERTIFICATE", signed("leaf", pair, begin, end, names));
        return new Leaf(leaf, pem("PRIVATE KEY", pair.getPrivate().getEncoded()));
    }

    private byte[] signed(String subject, KeyPair pair, Instant begin, Instant end, byte[]... extensions) {
        byte[] body = sequence(
                tlv(0xA0, integer(BigInteger.TWO)),
                integer(new BigInteger(63, new SecureRandom()).add(BigInteger.ONE)),
                ECDSA_WITH_SHA256,
                commonName(name),
                sequence(time(begin), time(end)),
                commonName(subject),
                pair.getPublic().getEncoded(),
                tlv(0xA3, sequence(extensions)));
        try {
            Signature signature = Signature.getInstance("SHA256withECDSA");
            signature.initSign(key);
            signature.update(body);
            return sequence(body, ECDSA_WITH_SHA256, tlv(0x03, concat(new byte[] {0}, signature.sign())));
        } catch (GeneralSecurityException error) {
            throw new IllegalStateException(error);
        }
    }

    private static KeyPair newPair() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            return generator.generateKeyPair();
        } catch (GeneralSecurityException error) {
            throw new IllegalStateException(error);
        }
    }

    private static byte[] commonName(String name) {
        return sequence(tlv(0x31, sequence(oid(0x55, 0x04, 0x03), tlv(0x0C, ascii(name)))));
    }

    /** A critical extension {@code 2.5.29.id}. */
    private static byte[] extension(int id, byte[] value) {
        return sequence(oid(0x55, 0x1D, id), tlv(0x01, new byte[] {(byte) 0xFF}), tlv(0x04, value));
    }

    private static byte[] time(Instant instant) {
        return tlv(0x17, ascii(DateTimeFormatter.ofPattern("yyMMddHHmmss'Z'").withZone(ZoneOffset.UTC).format(instant)));
    }

    private static byte[] integer(BigInteger value) {
        return tlv(0x02, value.toByteArray());
    }

    private static byte[] oid(int... bytes) {
        byte[] content = new byte[bytes.length];
        for (int index = 0; index < bytes.length; index++) {
            content[index] = (byte) bytes[index];
        }
        return tlv(0x06, content);
    }

    private static byte[] sequence(byte[]... parts) {
        return tlv(0x30, concat(parts));
    }

    private static byte[] tlv(int tag, byte[] content) {
        int length = content.length;
        byte[] head = length < 128
                ? new byte[] {(byte) tag, (byte) length}
                : length < 256
                        ? new byte[] {(byte) tag, (byte) 0x81, (byte) length}
                        : new byte[] {(byte) tag, (byte) 0x82, (byte) (length >> 8), (byte) length};
        return concat(head, content);
    }

    private static byte[] concat(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        Arrays.stream(parts).forEach(all::writeBytes);
        return all.toByteArray();
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static byte[] pem(String what, byte[] der) {
        String base64 = Base64.getMimeEncoder(64, ascii("\n")).encodeToString(der);
        return ascii("-----BEGIN " + what + "-----\n" + base64 + "\n-----END " + what + "-----\n");
    }

    /** A certificate and its key, both PEM. */
    static final class Leaf {
        final byte[] certificate;
        final byte[] key;

        Leaf(byte[] certificate, byte[] key) {
            this.certificate = certificate;
            this.key = key;
        }
    }
}
