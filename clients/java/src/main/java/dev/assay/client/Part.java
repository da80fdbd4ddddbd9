package dev.assay.client;

import dev.assay.v1.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * One file of a pull, while it is not whole. A journal beside it has a byte for each piece that was written, so that
 * another process knows what is there. It is not synced: if the machine falls, the digest tells that the file is not what
 * the journal says, and the file is fetched anew.
 */
final class Part implements AutoCloseable {
    private static final Set<OpenOption> OPEN = Set.of(
            StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE, LinkOption.NOFOLLOW_LINKS);
    private static final byte DONE = 1;

    final File file;
    final Path path;
    private final FileChannel handle;
    private final FileChannel journal;
    private final byte[] done;
    private final long pieceBytes;

    /** Opens the file, and what an earlier pull left of it. */
    Part(Nursery nursery, int number, File file) {
        this.file = file;
        pieceBytes = nursery.pieceBytes;
        path = nursery.files().resolve(file.getPath());
        done = new byte[Math.toIntExact((file.getSizeBytes() + pieceBytes - 1) / pieceBytes)];
        try {
            Files.createDirectories(path.getParent());
            journal = FileChannel.open(nursery.journal(number), OPEN);
            handle = FileChannel.open(path, OPEN);
            if (handle.size() == file.getSizeBytes()) {
                journal.read(ByteBuffer.wrap(done), 0);
            } else {
                forget();
            }
        } catch (IOException error) {
            throw LocalFailures.of("open", path, error);
        }
    }

    /** Counts what an earlier pull left of a file. */
    static long presentBytes(Nursery nursery, int number, File file) {
        if (!Files.exists(nursery.journal(number), LinkOption.NOFOLLOW_LINKS)) {
            return 0;
        }
        try (Part part = new Part(nursery, number, file)) {
            return part.presentBytes();
        }
    }

    /** Starts the file anew. */
    void forget() {
        try {
            Arrays.fill(done, (byte) 0);
            journal.truncate(0);
            handle.truncate(0);
            if (file.getSizeBytes() > 0) {
                // Gives the file its size, so that pieces can be written in any order.
                handle.write(ByteBuffer.allocate(1), file.getSizeBytes() - 1);
            }
        } catch (IOException error) {
            throw LocalFailures.of("write", path, error);
        }
    }

    /** The pieces that are not there. */
    List<Integer> missing() {
        return IntStream.range(0, done.length)
                .filter(piece -> done[piece] != DONE)
                .boxed()
                .collect(Collectors.toList());
    }

    long start(int piece) {
        return piece * pieceBytes;
    }

    /** The byte behind a piece. */
    long end(int piece) {
        return Math.min(start(piece) + pieceBytes, file.getSizeBytes());
    }

    /** Counts what is there. */
    long presentBytes() {
        return IntStream.range(0, done.length)
                .filter(piece -> done[piece] == DONE)
                .mapToLong(piece -> end(piece) - start(piece))
                .sum();
    }

    void write(List<ByteBuffer> blocks, long offset) {
        try {
            long position = offset;
            for (ByteBuffer block : blocks) {
                while (block.hasRemaining()) {
                    position += handle.write(block, position);
                }
            }
        } catch (IOException error) {
            throw LocalFailures.of("write", path, error);
        }
    }

    void markDone(int piece) {
        try {
            journal.write(ByteBuffer.wrap(new byte[] {DONE}), piece);
        } catch (IOException error) {
            throw LocalFailures.of("write the journal of", path, error);
        }
    }

    /** A latch for each piece, open where it is there already. */
    List<CountDownLatch> latches() {
        return IntStream.range(0, done.length)
                .mapToObj(piece -> new CountDownLatch(done[piece] == DONE ? 0 : 1))
                .collect(Collectors.toList());
    }

    /**
     * Reads the pieces in order, each as soon as it is there, and says whether the whole has its digest. It runs beside the
     * transfer, so that the end need not wait for the whole file to be read again.
     */
    boolean isWhole(List<CountDownLatch> pieces) {
        MessageDigest digest = Digests.sha256();
        ByteBuffer block = ByteBuffer.allocate(Digests.BLOCK_BYTES);
        try {
            for (int piece = 0; piece < done.length; piece++) {
                Cancellation.await(pieces.get(piece));
                for (long offset = start(piece); offset < end(piece); ) {
                    block.clear().limit((int) Math.min(Digests.BLOCK_BYTES, end(piece) - offset));
                    int count = handle.read(block, offset);
                    if (count < 0) {
                        return false;
                    }
                    digest.update(block.flip());
                    offset += count;
                }
            }
            return Digests.named(digest).equals(file.getDigest());
        } catch (IOException error) {
            throw LocalFailures.of("read", path, error);
        }
    }

    /** Makes the content durable. */
    void finish() {
        try {
            handle.force(true);
        } catch (IOException error) {
            throw LocalFailures.of("write", path, error);
        }
    }

    @Override
    public void close() {
        try {
            handle.close();
            journal.close();
        } catch (IOException error) {
            throw LocalFailures.of("close", path, error);
        }
    }
}
