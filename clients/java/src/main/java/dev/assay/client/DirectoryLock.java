package dev.assay.client;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** A directory that one pull has to itself, among all threads and processes of Java; it ends with the process at the latest. */
final class DirectoryLock implements AutoCloseable {
    /**
     * What this program has. A lock of its own is never opened a second time: on most systems, closing any handle of a file
     * ends every lock that the process has on it.
     */
    private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

    private final Path directory;
    private final FileChannel channel;

    private DirectoryLock(Path directory, FileChannel channel) {
        this.directory = directory;
        this.channel = channel;
    }

    /**
     * Takes a directory, whose path has no links; null where another pull has it, or has just ended and took it along.
     */
    static DirectoryLock tryOn(Path directory) throws IOException {
        if (!HELD.add(directory)) {
            return null;
        }
        DirectoryLock taken = null;
        try {
            taken = opened(directory);
            return taken;
        } finally {
            if (taken == null) {
                HELD.remove(directory);
            }
        }
    }

    private static DirectoryLock opened(Path directory) throws IOException {
        Path file = directory.resolve("lock");
        FileChannel channel =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
        try {
            if (channel.tryLock() != null && Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
                return new DirectoryLock(directory, channel);
            }
        } catch (IOException | RuntimeException failure) {
            channel.close();
            throw failure;
        }
        channel.close();
        return null;
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException error) {
            throw LocalFailures.of("unlock", directory, error);
        } finally {
            HELD.remove(directory);
        }
    }
}
