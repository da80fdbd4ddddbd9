package dev.assay.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.assay.v1.DraftState;
import dev.assay.v1.Upload;
import dev.assay.v1.UploadState;
import dev.assay.v1.VersionState;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Somebody else pushes the same content at the same time, or did before: both come to the same version. */
class PushTogetherTest {
    private static final int MIB = 1 << 20;
    private static final StatusRuntimeException FENCED =
            Refusals.refusal(Status.Code.ABORTED, "UPLOAD_FENCED", "It was begun again.");
    private final FakeRegistry registry = new FakeRegistry();
    private final byte[] content = new byte[MIB];
    private Served served;
    private AssayClient client;

    @TempDir
    Path directory;

    @BeforeEach
    void serve() throws IOException {
        served = Served.withTls(registry.services());
        client = served.client().build();
        Files.write(directory.resolve("a.bin"), content);
    }

    @AfterEach
    void end() {
        client.close();
        served.close();
    }

    @Test
    void whileTheOtherMovesItIsWaitedForHoweverLongItTakes() throws Exception {
        served.failNext("WriteUpload", FENCED);
        AssayClientBuilder patient = served.client().patience(Duration.ofSeconds(2));
        try (AssayClient second = patient.build()) {
            CompletableFuture<Pushed> push = second.pushAsync("vision/digits", directory, PushOptions.create());
            while (served.callsOf("GetUpload").isEmpty()) {
                TimeUnit.MILLISECONDS.sleep(5);
            }
            for (int moves = 1; moves <= 12; moves++) {
                int durable = moves * 1000;
                change(upload -> upload.toBuilder().setDurableBytes(durable).build());
                TimeUnit.MILLISECONDS.sleep(400);
            }
            registry.files.put("a.bin", content);
            change(upload -> upload.toBuilder().setState(UploadState.UPLOAD_STATE_COMPLETE).build());

            assertEquals("vision/digits/1", push.get(30, TimeUnit.SECONDS).reference());
        }
        assertEquals(1, served.callsOf("BeginUpload").size(), "It was never taken over.");
        assertEquals(1, served.callsOf("WriteUpload").size());
    }

    @Test
    void whoStandsStillIsTakenOverFrom() {
        served.failNext("WriteUpload", FENCED);

        client.push("vision/digits", directory);

        assertEquals(MIB, registry.writtenBytes.get());
        assertTrue(served.callsOf("GetUpload").size() > 1);
        assertEquals(2, served.callsOf("BeginUpload").size());
    }

    @Test
    void aCommitThatTheOtherWonIsLookedAt() {
        served.failNext("CommitUpload", FENCED);

        client.push("vision/digits", directory);

        assertEquals(1, served.callsOf("BeginUpload").size());
        assertEquals(2, served.callsOf("CommitUpload").size(), "All was durable: there is nothing to wait for.");
    }

    @Test
    void aDraftThatTheOtherSealedIsSuccess() {
        served.failNext(
                "BeginUpload", Refusals.refusal(Status.Code.FAILED_PRECONDITION, "DRAFT_NOT_OPEN", "It is sealed."));
        AssayClientBuilder builder = served.client().channels(channel -> channel.intercept(new Before("BeginUpload", () -> {
            registry.files.put("a.bin", content);
            registry.publish();
            registry.draft = registry.draft.toBuilder()
                    .setState(DraftState.DRAFT_STATE_SEALED)
                    .setVersion(registry.version.getName())
                    .build();
        })));

        try (AssayClient second = builder.build()) {
            Pushed pushed = second.push("vision/digits", directory);

            assertTrue(pushed.existed());
            assertEquals("vision/digits/1", pushed.reference());
        }
    }

    @Test
    void onlyWhatWasPublishedCountsAsPublished() {
        pushedBefore(VersionState.VERSION_STATE_READY);
        assertTrue(client.push("vision/digits", directory, PushOptions.create().publish()).existed());
        pushedBefore(VersionState.VERSION_STATE_DEPRECATED);
        assertTrue(client.push("vision/digits", directory, PushOptions.create().publish()).existed());
        assertEquals(0, served.callsOf("PublishVersion").size());

        for (VersionState state : List.of(
                VersionState.VERSION_STATE_CANDIDATE, VersionState.VERSION_STATE_YANKED, VersionState.VERSION_STATE_DELETED)) {
            pushedBefore(state);
            served.failNext(
                    "PublishVersion",
                    Refusals.refusal(Status.Code.FAILED_PRECONDITION, "TRANSITION_ILLEGAL", "It cannot be published."));

            NotPossibleNow refusal = assertThrows(
                    NotPossibleNow.class,
                    () -> client.push("vision/digits", directory, PushOptions.create().publish()));

            assertEquals("TRANSITION_ILLEGAL", refusal.reason());
        }
    }

    @Test
    void whatWasDeletedIsNotPushedAgain() {
        pushedBefore(VersionState.VERSION_STATE_DELETED);

        NotPossibleNow refusal = assertThrows(NotPossibleNow.class, () -> client.push("vision/digits", directory));

        assertEquals("TRANSITION_ILLEGAL", refusal.reason());
        ConnectionTest.assertContains(refusal, "vision/digits/1 has this content, and was deleted. Undelete it");
    }

    /** The next push finds a draft that was sealed to a version in this state. */
    private void pushedBefore(VersionState state) {
        if (registry.draft.getName().isEmpty()) {
            client.push("vision/digits", directory);
        }
        registry.version = registry.version.toBuilder().setState(state).build();
        served.failNext("CreateVersion", Status.UNIMPLEMENTED); // so that it is the draft that tells
    }

    private void change(UnaryOperator<Upload> change) {
        registry.uploads.replaceAll((name, upload) -> change.apply(upload));
    }

    /** Does something before each call of a method. */
    private static final class Before implements ClientInterceptor {
        private final String method;
        private final Runnable work;

        Before(String method, Runnable work) {
            this.method = method;
            this.work = work;
        }

        @Override
        public <Q, A> ClientCall<Q, A> interceptCall(MethodDescriptor<Q, A> called, CallOptions options, Channel next) {
            if (called.getBareMethodName().equals(method)) {
                work.run();
            }
            return next.newCall(called, options);
        }
    }
}
