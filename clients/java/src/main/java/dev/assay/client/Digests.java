package dev.assay.client;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.function.LongConsumer;
import java.util.zip.CRC32C;

/** Digests and checksums of bytes. */
final class Digests {
    static final String PREFIX = "sha256:";

    /** How much is read, hashed or sent at once: every gRPC client takes messages of 4 MiB. */
    static final int BLOCK_BYTES = 1 << 20;

    private static final char[] HEX = "0123456789abcdef".toCharArray();

    private Digests() {}

    static MessageDigest sha256() {
        return algorithm("SHA-256");
    }

    static MessageDigest algorithm(String name) {
        try {
            return MessageDigest.getInstance(name);
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("Every Java has " + name, impossible);
        }
    }

    /** {@code sha256:} and the hex digits of a finished digest. */
    static String named(MessageDigest digest) {
        return PREFIX + hex(digest.digest());
    }

    static String hex(byte[] bytes) {
        StringBuilder text = new StringBuilder(2 * bytes.length);
        for (byte value : bytes) {
            text.append(HEX[(value >> 4) & 0xF]).append(HEX[value & 0xF]);
        }
        return text.toString();
    }

    /** The digest of a file that is open, read in blocks; {@code onBytes} hears how far it is. */
    static String of(FileChannel file, LongConsumer onBytes) throws IOException {
        MessageDigest digest = sha256();
        ByteBuffer block = ByteBuffer.allocate(BLOCK_BYTES);
        long offset = 0;
        for (int count = file.read(block, 0); count >= 0; count = file.read(block.clear(), offset)) {
            Cancellation.check();
            digest.update(block.flip());
            offset += count;
            onBytes.accept(offset);
        }
        return named(digest);
    }

    /** CRC32C (Castagnoli) of the bytes of a buffer, which is used up by that. */
    static int crc32c(ByteBuffer bytes) {
        CRC32C checksum = new CRC32C();
        checksum.update(bytes);
        return (int) checksum.getValue();
    }
}
