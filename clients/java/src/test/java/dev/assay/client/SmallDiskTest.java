package dev.assay.client;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A pull to a real disk that is really full: a small file system, mounted for one process. */
class SmallDiskTest {
    private static final int DISK_BYTES = 4 << 20;

    @TempDir
    Path disk;

    @BeforeEach
    void requireSmallDisks() throws Exception {
        if (!onSmallDisk("true").endsWith("ended with 0")) {
            String why = "This system lets nobody mount a small file system: allow user namespaces, or be root.";
            if ("1".equals(System.getenv("ASSAY_REQUIRE_ALL"))) {
                fail(why);
            }
            abort(why);
        }
    }

    @Test
    void aDiskThatFillsInMidPullLeavesNothingAndSaysSo() throws Exception {
        String said = pull("fills", DISK_BYTES / 2);

        assertContains(said, "full now");
        assertContains(said, "No space is left for " + disk);
        assertContains(said, "Make room, or choose another disk, and call again.");
        assertContains(said, "left: []");
    }

    @Test
    void aVersionThatCannotFitIsRefusedBeforeItsFirstByte() throws Exception {
        String said = pull("stays", DISK_BYTES + 1);

        assertContains(said, (DISK_BYTES + 1) + " bytes are missing, and the disk has");
        assertContains(said, "left: []");
    }

    private String pull(String how, int bytes) throws Exception {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        String classes = System.getProperty("java.class.path");
        return onSmallDisk(
                java, "-cp", classes, SmallDisk.class.getName(), how, String.valueOf(bytes), disk.toString());
    }

    /** What a command says for which the directory is a small disk of its own. */
    private String onSmallDisk(String... command) throws IOException, InterruptedException {
        String script = "mount -t tmpfs -o size=" + DISK_BYTES + " small \"$0\" && exec \"$@\"";
        List<String> all =
                new ArrayList<>(List.of("unshare", "--map-root-user", "--mount", "sh", "-c", script, disk.toString()));
        all.addAll(List.of(command));
        try {
            Process process = new ProcessBuilder(all).redirectErrorStream(true).start();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return said + "ended with " + process.waitFor();
        } catch (IOException absent) {
            return absent.getMessage(); // Only Linux has such a program.
        }
    }

    private static void assertContains(String text, String part) {
        assertTrue(text.contains(part), text);
    }
}
