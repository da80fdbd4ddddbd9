package dev.assay.client;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.assay.v1.File;
import dev.assay.v1.UploadState;
import io.grpc.Status;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pushing: everything arrives, once, or nothing is claimed. */
class PushTest {
    private static final int MIB = 1 << 20;
    private final FakeRegistry registry = new FakeRegistry();
    private Served served;
    private AssayClient client;

    @TempDir
    Path directory;

    @BeforeEach
    void serve() {
        served = Served.withTls(registry.services());
        client = served.client().build();
    }

    @AfterEach
    void end() {
        client.close();
        served.close();
    }

    @Test
    void aDirectoryArrivesWhole() throws IOException {
        byte[] weights = random("weights/model.safetensors", 5 * MIB + 7);
        random("config.json", 100);
        random("empty.txt", 0);

        Pushed pushed = client.push("vision/digits", directory, PushOptions.create().tag("team", "ocr"));

        assertArrayEquals(weights, registry.files.get("weights/model.safetensors"));
        assertEquals(Set.of("weights/model.safetensors", "config.json", "empty.txt"), registry.files.keySet());
        assertEquals("vision/digits/1", pushed.reference());
        assertEquals(5 * MIB + 7 + 100, pushed.sentBytes());
        assertEquals("ocr", registry.draft.getTagsMap().get("team"));
        File file = registry.version.getFilesList().stream()
                .filter(each -> each.getPath().startsWith("weights"))
                .findFirst()
                .orElseThrow();
        assertEquals("weights", file.getRole());
    }

    @Test
    void aSingleFileHasItsName() throws IOException {
        random("model.onnx", 10);

        client.push("vision/digits", directory.resolve("model.onnx"));

        assertEquals(Set.of("model.onnx"), registry.files.keySet());
    }

    @Test
    void progressTellsEveryStepToItsEnd() throws IOException {
        random("a.bin", 2 * MIB);
        random("b.bin", MIB);
        List<Progress> told = new ArrayList<>();

        client.push("vision/digits", directory, PushOptions.create().onProgress(told::add));

        for (Step step : List.of(Step.HASHING, Step.SENDING)) {
            Progress last = told.stream().filter(each -> each.step() == step).reduce((a, b) -> b).orElseThrow();
            assertEquals(3 * MIB, last.totalBytes());
            assertEquals(3 * MIB, last.totalSize());
        }
    }

    @Test
    void aCutIsResumedFromWhatIsDurable() throws IOException {
        byte[] weights = random("a.bin", 8 * MIB + 3);
        registry.cutUploadAfter.set(5 * MIB + 11);

        client.push("vision/digits", directory);

        assertArrayEquals(weights, registry.files.get("a.bin"));
        assertEquals(2, served.callsOf("WriteUpload").size());
        assertEquals(8 * MIB + 3, registry.writtenBytes.get());
    }

    @Test
    void anotherProcessGoesOnWhereOneEnded() throws IOException {
        byte[] weights = random("a.bin", 8 * MIB);
        registry.cutUploadAfter.set(5 * MIB);
        try (AssayClient first = served.client().patience(Duration.ZERO).build()) {
            TransferInterrupted failure =
                    assertThrows(TransferInterrupted.class, () -> first.push("vision/digits", directory));
            ConnectionTest.assertContains(failure, "Nothing is lost: push again to go on from there.");
            assertEquals(registry.draft.getName(), failure.draft());
        }

        Pushed pushed = client.push("vision/digits", directory);

        assertArrayEquals(weights, registry.files.get("a.bin"));
        assertEquals(3 * MIB, pushed.sentBytes());
        assertEquals(1, registry.draftOfRequest.size());
    }

    @Test
    void whatTheDraftHasIsNotSentAgain() throws IOException {
        byte[] weights = random("a.bin", MIB);
        client.push("vision/digits", directory);
        registry.draft = registry.draft.toBuilder()
                .setState(dev.assay.v1.DraftState.DRAFT_STATE_OPEN)
                .addFiles(FakeRegistry.file("a.bin", weights))
                .build();

        Pushed pushed = client.push("vision/digits", directory, PushOptions.create().draft(registry.draft.getName()));

        assertEquals(0, pushed.sentBytes());
    }

    @Test
    void pushingAgainFindsTheVersionThatWasSealed() throws IOException {
        random("a.bin", MIB);
        client.push("vision/digits", directory);
        served.failNext("CreateVersion", Status.UNIMPLEMENTED); // so that it is the draft that tells

        Pushed again = client.push("vision/digits", directory);

        assertTrue(again.existed());
        assertEquals("vision/digits/1", again.reference());
        assertEquals(1, served.callsOf("WriteUpload").size());
    }

    @Test
    void anExpiredCertificateThatHasASuccessorIsABreakLikeAnother() throws IOException {
        random("a.bin", MIB);
        served.failNext("WriteUpload", Refusals.refusal(Status.Code.UNAUTHENTICATED, "CERTIFICATE_EXPIRED", "It expired."));

        client.push("vision/digits", directory);

        assertEquals(2, served.callsOf("WriteUpload").size());
    }

    @Test
    void anUploadThatWasGivenUpIsBegunUnderAnotherName() throws IOException {
        random("a.bin", MIB);
        served.failNext(
                "BeginUpload", Refusals.refusal(Status.Code.FAILED_PRECONDITION, "UPLOAD_NOT_OPEN", "It was aborted."));

        client.push("vision/digits", directory);

        assertEquals(2, served.callsOf("BeginUpload").size());
        assertEquals(Set.of("a.bin"), registry.files.keySet());
    }

    @Test
    void theServerMayGoAwayInTheMiddle() throws Exception {
        byte[] weights = random("a.bin", 16 * MIB);
        CountDownLatch underWay = new CountDownLatch(1);
        CountDownLatch mayGoOn = new CountDownLatch(1);
        CompletableFuture<Pushed> push = client.pushAsync("vision/digits", directory, PushOptions.create()
                .onProgress(progress -> {
                    if (progress.step() == Step.SENDING && progress.totalBytes() >= 8 * MIB) {
                        underWay.countDown();
                        await(mayGoOn);
                    }
                }));
        await(underWay);

        served.restart();
        mayGoOn.countDown();

        push.get(60, TimeUnit.SECONDS);
        assertArrayEquals(weights, registry.files.get("a.bin"));
        assertEquals(2, served.callsOf("WriteUpload").size());
    }

    @Test
    void aStreamThatStandsStillIsOpenedAnew() throws IOException {
        byte[] weights = random("a.bin", 3 * MIB);
        registry.isSilent = true;
        AssayClientBuilder builder = served.client();
        builder.silence = Duration.ofMillis(300);

        try (AssayClient impatient = builder.build()) {
            impatient.push("vision/digits", directory);
        }

        assertArrayEquals(weights, registry.files.get("a.bin"));
        assertFalse(registry.isSilent);
    }

    @Test
    void aFileThatChangesMeanwhileIsNoticed() throws IOException {
        Path file = directory.resolve("a.bin");
        random("a.bin", MIB);

        ContentMismatch failure = assertThrows(
                ContentMismatch.class,
                () -> client.push("vision/digits", directory, PushOptions.create()
                        .onProgress(progress -> rewrite(progress, file, MIB))));

        ConnectionTest.assertContains(failure, file + " has changed while it was being pushed");
        assertTrue(registry.uploads.isEmpty());
    }

    @Test
    void aFileThatShrinksMeanwhileIsNoticed() throws IOException {
        Path file = directory.resolve("a.bin");
        random("a.bin", 2 * MIB);

        ContentMismatch failure = assertThrows(
                ContentMismatch.class,
                () -> client.push("vision/digits", directory, PushOptions.create()
                        .onProgress(progress -> rewrite(progress, file, MIB / 2))));

        ConnectionTest.assertContains(failure, "became shorter");
    }

    @Test
    void linksDevicesAndStrangeNamesAreRefusedBeforeAnythingMoves() throws IOException {
        random("good.bin", 10);
        refused(Files.createSymbolicLink(directory.resolve("link"), Path.of("good.bin")), "it is a link");
        refused(Files.createSymbolicLink(directory.resolve("folder"), Path.of("/")), "it is a link");
        refused(Files.writeString(directory.resolve("a b"), ""), "is not made of letters");
        refused(Files.writeString(directory.resolve(".hidden"), ""), "is hidden");
        Path socket = directory.resolve("socket");
        try (java.nio.channels.Channel open = bound(socket)) {
            refused(socket, "it is not a regular file");
        }

        assertTrue(served.calls.isEmpty());
    }

    @Test
    void anEmptyDirectoryAndAMissingOneAreRefused() throws IOException {
        Path empty = Files.createDirectory(directory.resolve("empty"));

        ConnectionTest.assertContains(
                assertThrows(UnsafeFile.class, () -> client.push("vision/digits", empty)), "it holds no files");
        LocalFileFailure missing =
                assertThrows(LocalFileFailure.class, () -> client.push("vision/digits", empty.resolve("absent")));
        assertEquals(
                "Cannot read " + empty.resolve("absent") + ": there is no such file or directory. Check the path, and call again.",
                missing.getMessage());
    }

    @Test
    void whatIsExcludedStaysHere() throws IOException {
        random("a.bin", 10);
        random("logs/1.log", 10);
        random("notes.tmp", 10);
        Files.createSymbolicLink(directory.resolve("logs/link"), Path.of("1.log"));

        client.push("vision/digits", directory, PushOptions.create().exclude("logs", "*.tmp"));

        assertEquals(Set.of("a.bin"), registry.files.keySet());
    }

    @Test
    void aPatternThatCannotBeReadIsRefusedByName() throws IOException {
        random("a.bin", 10);

        for (Path source : List.of(directory, directory.resolve("a.bin"))) {
            InvalidInput refusal = assertThrows(
                    InvalidInput.class,
                    () -> client.push("vision/digits", source, PushOptions.create().exclude("*.log", "[a")));
            ConnectionTest.assertContains(refusal, "\"[a\", given to exclude, is not a pattern: ");
            assertEquals(Status.Code.INVALID_ARGUMENT, refusal.statusCode());
        }
        assertTrue(served.calls.isEmpty());
    }

    @Test
    void anEmptyPathIsNotTheWorkingDirectory() {
        InvalidInput refusal = assertThrows(InvalidInput.class, () -> client.push("vision/digits", Path.of("")));

        ConnectionTest.assertContains(refusal, "The path of what is to be pushed is empty.");
        assertTrue(served.calls.isEmpty());
    }

    @Test
    void aCancelledFutureEndsTheTransfer() throws Exception {
        random("a.bin", 64 * MIB);
        CountDownLatch underWay = new CountDownLatch(1);
        CompletableFuture<Pushed> push = client.pushAsync(
                "vision/digits",
                directory,
                PushOptions.create().onProgress(progress -> {
                    if (progress.step() == Step.SENDING) {
                        underWay.countDown();
                    }
                }));
        await(underWay);

        push.cancel(true);

        assertThrows(CancellationException.class, () -> push.get(10, TimeUnit.SECONDS));
        client.close();
        assertFalse(registry.uploads.values().stream()
                .anyMatch(upload -> upload.getState() == UploadState.UPLOAD_STATE_COMPLETE));
        assertTrue(registry.files.isEmpty());
    }

    @Test
    void closingTheClientEndsThePush() throws Exception {
        random("a.bin", 64 * MIB);
        CompletableFuture<Pushed> push = client.pushAsync("vision/digits", directory, PushOptions.create()
                .onProgress(progress -> {
                    if (progress.step() == Step.SENDING) {
                        new Thread(client::close).start();
                    }
                }));

        Throwable cause = assertThrows(
                        java.util.concurrent.ExecutionException.class, () -> push.get(60, TimeUnit.SECONDS))
                .getCause();

        assertInstanceOf(CallCancelled.class, cause);
    }

    @Test
    void aRefusalOfTheServerEndsThePushAtOnce() throws IOException {
        for (String name : List.of("a.bin", "b.bin", "c.bin")) {
            random(name, MIB);
        }
        served.failNext("BeginUpload", Refusals.refusal(Status.Code.RESOURCE_EXHAUSTED, "STORAGE_FULL", "It is full."));

        Exhausted failure = assertThrows(Exhausted.class, () -> client.push("vision/digits", directory));

        assertEquals("STORAGE_FULL", failure.reason());
        assertTrue(served.calls.stream().map(Object::toString).collect(Collectors.toList()).contains("BeginUpload"));
        assertTrue(served.callsOf("SealDraft").isEmpty());
    }

    private void refused(Path unsafe, String why) throws IOException {
        UnsafeFile failure = assertThrows(UnsafeFile.class, () -> client.push("vision/digits", directory));
        ConnectionTest.assertContains(failure, unsafe + " cannot be pushed: ");
        ConnectionTest.assertContains(failure, why);
        Files.deleteIfExists(unsafe);
    }

    /** A socket: the one special file that any user can make. Java can bind one from 16 on; the tests need a JDK of 17. */
    private static java.nio.channels.Channel bound(Path socket) throws IOException {
        try {
            java.nio.channels.ServerSocketChannel channel = (java.nio.channels.ServerSocketChannel)
                    java.nio.channels.ServerSocketChannel.class
                            .getMethod("open", java.net.ProtocolFamily.class)
                            .invoke(null, Enum.valueOf(StandardProtocolFamily.class, "UNIX"));
            Class<?> addresses = Class.forName("java.net.UnixDomainSocketAddress");
            channel.bind((java.net.SocketAddress) addresses.getMethod("of", Path.class).invoke(null, socket));
            return channel;
        } catch (ReflectiveOperationException error) {
            throw new IllegalStateException(error);
        }
    }

    private static void rewrite(Progress progress, Path file, int size) {
        if (progress.step() == Step.HASHING && progress.fileBytes() == progress.fileSize()) {
            try {
                Files.write(file, new byte[size]);
            } catch (IOException error) {
                throw new java.io.UncheckedIOException(error);
            }
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            assertTrue(latch.await(60, TimeUnit.SECONDS));
        } catch (InterruptedException error) {
            throw new IllegalStateException(error);
        }
    }

    private byte[] random(String path, int size) throws IOException {
        byte[] content = new byte[size];
        new Random(size).nextBytes(content);
        Path file = directory.resolve(path);
        Files.createDirectories(file.getParent());
        Files.write(file, content);
        return content;
    }
}
