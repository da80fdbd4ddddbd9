package dev.assay.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** What the JDK names by a class is told in words. */
class LocalFailuresTest {
    private static final Path PLACE = Path.of("a/b");

    @Test
    void everyFailureOfAFileIsASentence() {
        told("there is no such file or directory. Check the path, and call again.", new NoSuchFileException("a/b"));
        told("this program may not. Check who may, and call again.", new AccessDeniedException("a/b"));
        told("something is there already. Put that right, and call again.", new FileAlreadyExistsException("a/b"));
        told("it is not a directory. Check the path, and call again.", new NotDirectoryException("a/b"));
        told("it is not empty. Put that right, and call again.", new DirectoryNotEmptyException("a/b"));
        told("Read-only file system. Put that right, and call again.", new FileSystemException("a/b", null, "Read-only file system"));
        told("Stale file handle. Put that right, and call again.", new IOException("Stale file handle"));
        told("IOException. Put that right, and call again.", new IOException());
    }

    @Test
    void aCertificateThatIsNotThereIsToldInTheSameWords() {
        Tls absent = Tls.fromFiles(PLACE, PLACE, PLACE);

        AssayException failure = assertThrows(
                CertificateUnusable.class,
                () -> AssayClient.builder("localhost:1").tls(absent).build());

        assertEquals(
                PLACE + ", given as the authority's certificate, cannot be read: there is no such file or directory. Check the "
                        + "path, and call again.",
                failure.getMessage());
    }

    private static void told(String words, IOException error) {
        assertEquals("Cannot read " + PLACE + ": " + words, LocalFailures.of("read", PLACE, error).getMessage());
    }
}
