package dev.assay.client;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.assay.v1.File;
import io.grpc.Status;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pulling: all of a version under its final name, or nothing. */
class PullTest {
    private static final int MIB = 1 << 20;
    private static final long PIECE_BYTES = 4 * MIB;
    private final FakeRegistry registry = new FakeRegistry();
    private Served served;
    private AssayClient client;
    private Path target;

    @TempDir
    Path directory;

    @BeforeEach
    void serve() {
        served = Served.withTls(registry.services());
        client = builder().build();
        target = directory.resolve("models/digits");
        registry.files.put("config.json", "{}".getBytes());
        registry.files.put("empty.txt", new byte[0]);
        registry.files.put("weights/model.safetensors", random(3 * MIB + 5));
        registry.publish();
    }

    @AfterEach
    void end() {
        client.close();
        served.close();
    }

    @Test
    void aVersionArrivesWhole() throws IOException {
        Pulled pulled = client.pull("vision/digits@champion", target);

        assertEquals(registry.files.keySet(), content().keySet());
        registry.files.forEach((path, bytes) -> assertArrayEquals(bytes, content().get(path)));
        assertEquals("vision/digits/1", pulled.reference());
        assertEquals(target, pulled.directory());
        assertEquals(List.of("old"), pulled.warnings());
        assertFalse(pulled.existed());
        assertEquals(List.of(target), entries(target.getParent()));
    }

    @Test
    void whatIsThereIsComparedAndNotFetched() throws IOException {
        client.pull("vision/digits/1", target);
        long before = registry.readBytes.get();

        assertTrue(client.pull("vision/digits/1", target).existed());
        assertEquals(before, registry.readBytes.get());

        Files.write(target.resolve("config.json"), "[]".getBytes());
        TargetExists changed = assertThrows(TargetExists.class, () -> client.pull("vision/digits/1", target));
        ConnectionTest.assertContains(changed, "config.json has another content. Choose another directory");
        assertEquals("[]", Files.readString(target.resolve("config.json")));
    }

    @Test
    void somethingElseIsNeverTouched() throws IOException {
        Files.createDirectories(target);
        Files.writeString(target.resolve("mine.txt"), "mine");
        Path file = Files.writeString(directory.resolve("file"), "mine");
        Path link = Files.createSymbolicLink(directory.resolve("link"), target);

        for (Path occupied : List.of(target, file, link)) {
            TargetExists failure = assertThrows(TargetExists.class, () -> client.pull("vision/digits/1", occupied));
            ConnectionTest.assertContains(failure, occupied + " exists and does not hold exactly vision/digits/1");
        }
        assertEquals("mine", Files.readString(target.resolve("mine.txt")));
        assertEquals(0, registry.readBytes.get());
    }

    @Test
    void anEmptyDirectoryIsReplaced() throws IOException {
        Files.createDirectories(target);

        client.pull("vision/digits/1", target);

        assertEquals(registry.files.keySet(), content().keySet());
    }

    @Test
    void aLargeFileComesInRangesAtOnce() {
        // Two pieces and a bit.
        byte[] weights = random((int) (2 * PIECE_BYTES + 17));
        registry.files.put("weights/model.safetensors", weights);
        registry.publish();
        List<Progress> told = new ArrayList<>();

        client.pull("vision/digits/1", target, PullOptions.create().onProgress(told::add));

        assertArrayEquals(weights, content().get("weights/model.safetensors"));
        assertEquals(4, served.callsOf("ReadArtifact").size());
        Progress last = told.get(told.size() - 1);
        assertEquals(last.totalSize(), last.totalBytes());
        assertEquals(weights.length + 2, last.totalSize());
    }

    @Test
    void aCutIsResumedFromWhatIsWritten() {
        registry.cutReadAfter.set(2 * MIB);

        client.pull("vision/digits/1", target);

        assertEquals(registry.files.keySet(), content().keySet());
        assertEquals(3 * MIB + 5 + 2, registry.readBytes.get());
    }

    @Test
    void anotherProcessGoesOnWhereOneEnded() throws IOException {
        byte[] weights = random((int) (2 * PIECE_BYTES));
        registry.files.put("weights/model.safetensors", weights);
        registry.publish();
        registry.cutReadAfter.set(PIECE_BYTES + MIB);
        try (AssayClient first = builder().patience(Duration.ZERO).build()) {
            TransferInterrupted failure = assertThrows(
                    TransferInterrupted.class,
                    () -> first.pull("vision/digits/1", target, PullOptions.create().rangesAtOnce(1)));
            ConnectionTest.assertContains(failure, "Pull again to go on from there.");
        }
        assertFalse(Files.exists(target));
        long before = registry.readBytes.get();

        client.pull("vision/digits/1", target);

        assertArrayEquals(weights, content().get("weights/model.safetensors"));
        assertEquals(PIECE_BYTES, registry.readBytes.get() - before);
        assertEquals(List.of(target), entries(target.getParent()));
    }

    @Test
    void whatAnEarlierPullLeftWrongIsFetchedAnew() throws IOException {
        Path nursery = nursery(registry.version.getManifestDigest().substring(7, 23));
        Files.createDirectories(nursery.resolve("pieces"));
        Files.setPosixFilePermissions(nursery, PosixFilePermissions.fromString("rwx------"));
        int number = 2; // The weights are the last in order of path.
        Path part = nursery.resolve("files/weights/model.safetensors");
        Files.createDirectories(part.getParent());
        Files.write(part, new byte[3 * MIB + 5]);
        Files.write(nursery.resolve("pieces/" + number), new byte[] {1});

        client.pull("vision/digits/1", target);

        assertArrayEquals(registry.files.get("weights/model.safetensors"), content().get("weights/model.safetensors"));
    }

    @Test
    void aStreamThatStandsStillIsOpenedAnew() {
        registry.isSilent = true;
        AssayClientBuilder builder = served.client();
        builder.silence = Duration.ofMillis(300);

        try (AssayClient impatient = builder.build()) {
            impatient.pull("vision/digits/1", target);
        }

        assertEquals(registry.files.keySet(), content().keySet());
        assertFalse(registry.isSilent);
    }

    @Test
    void aDamagedMessageIsAskedForAgain() {
        registry.damagedMessages.set(2);

        client.pull("vision/digits/1", target);

        assertEquals(registry.files.keySet(), content().keySet());
    }

    @Test
    void wrongBytesAreNotKept() throws IOException {
        byte[] other = registry.files.get("weights/model.safetensors").clone();
        other[MIB] ^= 1;
        registry.files.put("weights/model.safetensors", other);

        ContentMismatch failure = assertThrows(ContentMismatch.class, () -> client.pull("vision/digits/1", target));

        ConnectionTest.assertContains(failure, "weights/model.safetensors of vision/digits/1 arrived with another digest");
        assertEquals(List.of(), entries(target.getParent()));
    }

    @Test
    void aShorterFileIsNotKept() throws IOException {
        registry.files.put("weights/model.safetensors", random(MIB));

        assertThrows(ContentMismatch.class, () -> client.pull("vision/digits/1", target));
        assertEquals(List.of(), entries(target.getParent()));
    }

    @Test
    void aListThatIsNotTheOneOfTheDigestIsNotBelieved() throws IOException {
        registry.version = registry.version.toBuilder().setFiles(0, registry.version.getFiles(1)).build();
        assertThrows(ContentMismatch.class, () -> client.pull("vision/digits/1", target));

        for (String path : List.of("../../outside", "/etc/passwd", "a/../../b", "con")) {
            File file = FakeRegistry.file("x", new byte[0]).toBuilder().setPath(path).build();
            registry.version = registry.version.toBuilder()
                    .clearFiles()
                    .addFiles(file)
                    .setManifestDigest(Manifests.digest(List.of(file)))
                    .build();
            ContentMismatch failure = assertThrows(ContentMismatch.class, () -> client.pull("vision/digits/1", target));
            ConnectionTest.assertContains(failure, "\"" + path + "\", which is not allowed");
        }
        assertEquals(List.of(), entries(directory));
    }

    @Test
    void aFullDiskIsToldBeforeTheTransfer() throws IOException {
        File huge = FakeRegistry.file("huge.bin", new byte[0]).toBuilder().setSizeBytes(1L << 52).build();
        registry.version = registry.version.toBuilder()
                .clearFiles()
                .addFiles(huge)
                .setManifestDigest(Manifests.digest(List.of(huge)))
                .build();

        LocalDiskFull failure = assertThrows(LocalDiskFull.class, () -> client.pull("vision/digits/1", target));

        ConnectionTest.assertContains(failure, "No space is left for " + target + " (4503599627370496 bytes are missing");
        assertEquals(List.of(), entries(target.getParent()));
    }

    @Test
    void twoPullsToOnePlaceDoNotMix() throws Exception {
        registry.files.put("weights/model.safetensors", random(8 * MIB));
        registry.publish();
        CountDownLatch underWay = new CountDownLatch(1);
        CountDownLatch mayGoOn = new CountDownLatch(1);
        CompletableFuture<Pulled> first = client.pullAsync(
                "vision/digits/1", target, PullOptions.create().onProgress(progress -> {
                    underWay.countDown();
                    await(mayGoOn);
                }));
        await(underWay);

        TargetBusy failure = assertThrows(TargetBusy.class, () -> client.pull("vision/digits/1", target));
        mayGoOn.countDown();

        ConnectionTest.assertContains(failure, "Another pull of the same content");
        first.get(30, TimeUnit.SECONDS);
        assertEquals(registry.files.keySet(), content().keySet());
    }

    /** A lock is the process's: whoever closes the file a second time would give it away. */
    @Test
    void aRefusedPullDoesNotTakeTheLockOfTheOneThatGoesOn() throws Exception {
        registry.files.remove("config.json");
        registry.publish();
        CountDownLatch underWay = new CountDownLatch(1);
        CountDownLatch mayGoOn = new CountDownLatch(1);
        CompletableFuture<Pulled> first = client.pullAsync(
                "vision/digits/1", target, PullOptions.create().rangesAtOnce(1).onProgress(progress -> {
                    underWay.countDown(); // At the empty file, one at a time: nothing has come that would be kept.
                    await(mayGoOn);
                }));
        await(underWay);
        Path lock = nursery(registry.version.getManifestDigest().substring(7, 23)).resolve("lock");

        assertThrows(TargetBusy.class, () -> client.pull("vision/digits/1", target));
        registry.files.put("weights/model.safetensors", random(MIB));
        registry.publish();
        client.pull("vision/digits/1", target);

        assertTrue(isLockedForOtherProcesses(lock));
        mayGoOn.countDown();
        // What the server has is another content by now.
        ExecutionException failure = assertThrows(ExecutionException.class, () -> first.get(30, TimeUnit.SECONDS));
        assertInstanceOf(AssayException.class, failure.getCause());
        assertEquals(List.of(target), entries(target.getParent()));
    }

    private static boolean isLockedForOtherProcesses(Path lock) throws IOException {
        String inode = ":" + Files.getAttribute(lock, "unix:ino") + " ";
        return Files.readAllLines(Path.of("/proc/locks")).stream().anyMatch(line -> line.contains(inode));
    }

    private Path nursery(String content) {
        return target.resolveSibling("." + target.getFileName() + "." + content + ".part-java");
    }

    @Test
    void whatPullsOfOtherVersionsLeftIsRemoved() throws IOException {
        Path abandoned = nursery("a".repeat(16));
        Path halfRemoved = nursery("d".repeat(16)).resolveSibling(nursery("d".repeat(16)).getFileName() + ".gone-0123abcd");
        Path ofAnother = target.resolveSibling(".letters." + "c".repeat(16) + ".part-java");
        for (Path left : List.of(abandoned, halfRemoved, ofAnother)) {
            Files.createDirectories(left.resolve("files"));
            Files.setPosixFilePermissions(left, PosixFilePermissions.fromString("rwx------"));
            Files.writeString(left.resolve("files/weights.bin"), "half");
        }

        client.pull("vision/digits/1", target);

        assertEquals(Set.of(target, ofAnother), Set.copyOf(entries(target.getParent())));
    }

    @Test
    void aPullThatBroughtNothingLeavesNothing() throws IOException {
        registry.files.keySet().retainAll(Set.of("config.json"));
        registry.publish();
        served.failNext("ReadArtifact", Refusals.refusal(Status.Code.DATA_LOSS, "BLOB_CORRUPT", "It is damaged."));

        assertThrows(Corrupt.class, () -> client.pull("vision/digits/1", target));

        assertEquals(List.of(), entries(target.getParent()));
    }

    @Test
    void aHiddenDirectoryOfOthersIsNotTrusted() throws IOException {
        Path nursery = target.resolveSibling(
                "." + target.getFileName() + "." + registry.version.getManifestDigest().substring(7, 23) + ".part-java");
        Files.createDirectories(nursery);
        Files.setPosixFilePermissions(nursery, PosixFilePermissions.fromString("rwxrwxrwx"));

        TargetExists failure = assertThrows(TargetExists.class, () -> client.pull("vision/digits/1", target));

        ConnectionTest.assertContains(failure, "is open to others. Remove it");
        assertEquals(List.of(), entries(nursery));
    }

    @Test
    void theServerMayGoAwayInTheMiddle() throws Exception {
        byte[] weights = random(24 * MIB);
        registry.files.put("weights/model.safetensors", weights);
        registry.publish();
        CountDownLatch underWay = new CountDownLatch(1);
        CountDownLatch mayGoOn = new CountDownLatch(1);
        AssayClientBuilder builder = served.client();
        // In one piece, which is too large to be under way as a whole when the server ends.
        builder.pieceBytes = weights.length;
        AssayClient client = builder.build();
        CompletableFuture<Pulled> pull = client.pullAsync(
                "vision/digits/1", target, PullOptions.create().onProgress(progress -> {
                    if (progress.totalBytes() > 8 * MIB) {
                        underWay.countDown();
                        await(mayGoOn);
                    }
                }));
        await(underWay);

        served.restart();
        mayGoOn.countDown();

        pull.get(60, TimeUnit.SECONDS);
        assertArrayEquals(weights, content().get("weights/model.safetensors"));
        assertTrue(served.callsOf("ReadArtifact").size() > 2, "one for the other file, and two or more for this");
        client.close();
    }

    @Test
    void partOfAFileComesAlone() {
        byte[] weights = registry.files.get("weights/model.safetensors");

        byte[] part = client.readRange("vision/digits/1", "weights/model.safetensors", MIB - 3, 2 * MIB);
        byte[] rest = client.readRange("vision/digits/1", "weights/model.safetensors", 3 * MIB, 0);

        assertArrayEquals(Arrays.copyOfRange(weights, MIB - 3, 3 * MIB - 3), part);
        assertArrayEquals(Arrays.copyOfRange(weights, 3 * MIB, weights.length), rest);
        assertThrows(OutOfRange.class, () -> client.readRange("vision/digits/1", "config.json", 1, 5));
    }

    @Test
    void aRangeGoesOnAfterABreakFromWhatArrived() {
        byte[] weights = registry.files.get("weights/model.safetensors");
        registry.cutReadAfter.set(2 * MIB);

        byte[] part = client.readRange("vision/digits/1", "weights/model.safetensors", 3, 3 * MIB);

        assertArrayEquals(Arrays.copyOfRange(weights, 3, 3 + 3 * MIB), part);
        assertEquals(2, served.callsOf("ReadArtifact").size());
        assertEquals(3 * MIB, registry.readBytes.get());

        registry.cutReadAfter.set(2 * MIB);
        registry.damagedMessages.set(1);
        byte[] rest = client.readRange("vision/digits/1", "weights/model.safetensors", 3, 0);
        assertArrayEquals(Arrays.copyOfRange(weights, 3, weights.length), rest);
    }

    @Test
    void aRangeThatNeverMovesEndsWithPatience() {
        Collections.nCopies(100, Status.UNAVAILABLE).forEach(status -> served.failNext("ReadArtifact", status));

        try (AssayClient hurried = served.client().patience(Duration.ofMillis(500)).build()) {
            TransferInterrupted failure = assertThrows(
                    TransferInterrupted.class,
                    () -> hurried.readRange("vision/digits/1", "weights/model.safetensors", 0, 0));

            ConnectionTest.assertContains(failure, "weights/model.safetensors of vision/digits/1 stopped arriving");
        }
    }

    @Test
    void aRangeOfNobodyIsToldAtOnce() {
        served.stop();

        Unreachable failure = assertThrows(
                Unreachable.class, () -> client.readRange("vision/digits/1", "weights/model.safetensors", 0, 0));

        ConnectionTest.assertContains(failure, "Is the server running there?");
    }

    @Test
    void aRefusalOfTheServerEndsThePullAtOnce() {
        served.failNext("ReadArtifact", Refusals.refusal(Status.Code.DATA_LOSS, "BLOB_CORRUPT", "The disk lost it."));

        Corrupt failure = assertThrows(Corrupt.class, () -> client.pull("vision/digits/1", target));

        assertEquals("BLOB_CORRUPT", failure.reason());
        assertFalse(Files.exists(target));
    }

    @Test
    void anInterruptedThreadLeavesNothingUnderTheName() {
        Thread caller = Thread.currentThread();

        assertThrows(
                CallCancelled.class,
                () -> client.pull("vision/digits/1", target, PullOptions.create().onProgress(progress -> caller.interrupt())));

        assertTrue(Thread.interrupted());
        assertFalse(Files.exists(target));
    }

    @Test
    void aListenerThatThrowsEndsThePull() throws Exception {
        IllegalStateException problem = new IllegalStateException("The screen is gone.");
        CompletableFuture<Pulled> pull = client.pullAsync(
                "vision/digits/1", target, PullOptions.create().onProgress(progress -> {
                    throw problem;
                }));

        assertEquals(
                problem, assertThrows(ExecutionException.class, () -> pull.get(30, TimeUnit.SECONDS)).getCause());
        assertFalse(Files.exists(target));
    }

    private AssayClientBuilder builder() {
        AssayClientBuilder builder = served.client();
        builder.pieceBytes = PIECE_BYTES;
        return builder;
    }

    private java.util.Map<String, byte[]> content() {
        try (Stream<Path> all = Files.walk(target)) {
            return all.filter(Files::isRegularFile).collect(Collectors.toMap(
                    path -> target.relativize(path).toString(), PullTest::read));
        } catch (IOException error) {
            throw new java.io.UncheckedIOException(error);
        }
    }

    private static byte[] read(Path path) {
        try {
            return Files.readAllBytes(path);
        } catch (IOException error) {
            throw new java.io.UncheckedIOException(error);
        }
    }

    private static List<Path> entries(Path directory) throws IOException {
        if (!Files.exists(directory)) {
            return List.of();
        }
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.collect(Collectors.toList());
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            assertTrue(latch.await(30, TimeUnit.SECONDS));
        } catch (InterruptedException error) {
            throw new IllegalStateException(error);
        }
    }

    private static byte[] random(int size) {
        byte[] content = new byte[size];
        new Random(size).nextBytes(content);
        return content;
    }
}
