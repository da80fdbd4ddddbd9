package dev.assay.client;

import dev.assay.v1.File;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;

/** A regular file on this machine, and what it will be in the version. */
final class LocalFile {
    final Path source;
    final String path;
    /** Bytes that it had when it was found. */
    final long seenBytes;

    private String mediaType;
    private String role;
    private File described;

    private LocalFile(Path source, String path, long seenBytes) {
        this.source = source;
        this.path = path;
        this.seenBytes = seenBytes;
        mediaType = FileKinds.mediaType(path);
        role = FileKinds.role(path);
    }

    /** The file at {@code source}, if it may be pushed. */
    static LocalFile of(Path source, String path, BasicFileAttributes status) {
        if (status.isSymbolicLink()) {
            throw LocalFailures.unsafe(source, "it is a link; push what it points to");
        }
        if (!status.isRegularFile()) {
            throw LocalFailures.unsafe(source, "it is not a regular file");
        }
        String problem = FilePaths.problem(path);
        if (!problem.isEmpty()) {
            throw LocalFailures.unsafe(source, problem + ". Rename it, or leave it out with exclude");
        }
        return new LocalFile(source, path, status.size());
    }

    /** Says what it is; empty words keep what its name tells. */
    void describe(String otherMediaType, String otherRole) {
        mediaType = otherMediaType.isEmpty() ? mediaType : otherMediaType;
        role = otherRole.isEmpty() ? role : otherRole;
    }

    /** Opens it, which must still be a regular file and no link. */
    FileChannel open() {
        try {
            BasicFileAttributes status =
                    Files.readAttributes(source, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            if (!status.isRegularFile()) {
                throw LocalFailures.unsafe(source, "it is not a regular file any more");
            }
            return FileChannel.open(source, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
        } catch (IOException error) {
            throw LocalFailures.of("read", source, error);
        }
    }

    /** Reads it once, to know its digest and its size. */
    void hash(Meter meter) {
        long[] size = new long[1];
        try (FileChannel file = open()) {
            String digest = Digests.of(file, bytes -> {
                size[0] = bytes;
                meter.set(path, bytes, seenBytes);
            });
            described = File.newBuilder()
                    .setPath(path)
                    .setDigest(digest)
                    .setSizeBytes(size[0])
                    .setMediaType(mediaType)
                    .setRole(role)
                    .build();
        } catch (IOException error) {
            throw LocalFailures.of("read", source, error);
        }
    }

    /** As it will stand in the manifest; it must be hashed before. */
    File described() {
        return described;
    }
}
