package dev.assay.client;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.UUID;

/** Ids that a client chooses. */
final class Ids {
    /** The name space of URLs, RFC 9562 §6.6. */
    private static final UUID URLS = UUID.fromString("6ba7b811-9dad-11d1-80b4-00c04fd430c8");

    private Ids() {}

    static String random() {
        return UUID.randomUUID().toString();
    }

    /** Always the same id for the same text (UUID version 5), also in the clients of other languages. */
    static String derived(String text) {
        MessageDigest sha1 = Digests.algorithm("SHA-1");
        sha1.update(ByteBuffer.allocate(16)
                .putLong(URLS.getMostSignificantBits())
                .putLong(URLS.getLeastSignificantBits())
                .flip());
        ByteBuffer hash = ByteBuffer.wrap(sha1.digest(text.getBytes(StandardCharsets.UTF_8)));
        long high = (hash.getLong() & ~0xF000L) | 0x5000L;
        long low = (hash.getLong() & 0x3FFF_FFFF_FFFF_FFFFL) | 0x8000_0000_0000_0000L;
        return new UUID(high, low).toString();
    }
}
