package dev.assay.client;

import static dev.assay.client.Refusals.refusal;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.assay.v1.CreateModelRequest;
import dev.assay.v1.CreateModelResponse;
import dev.assay.v1.RegistryServiceGrpc;
import dev.assay.v1.SetAliasRequest;
import dev.assay.v1.SetAliasResponse;
import dev.assay.v1.WriteUploadResponse;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is sent again, and how long it may take. */
class RetriesTest {
    private static final String WARNING = "A change may have happened all the same: look before you repeat it.";
    private final FakeRegistry registry = new FakeRegistry();
    private final Changes changes = new Changes();
    private Served served;
    private AssayClient client;

    @BeforeEach
    void serve() {
        List<io.grpc.BindableService> services = new ArrayList<>(Arrays.asList(registry.services()));
        services.set(0, changes);
        served = Served.withTls(services.toArray(new io.grpc.BindableService[0]));
        client = served.client().build();
    }

    @AfterEach
    void end() {
        client.close();
        served.close();
    }

    @Test
    void onlyStreamsOfTheClientAreNeverRepeated() {
        List<String> never = Retries.SERVICES.stream()
                .flatMap(service -> service.getMethods().stream())
                .filter(method -> !Retries.isRepeatable(method))
                .map(MethodDescriptor::getBareMethodName)
                .collect(Collectors.toList());

        assertEquals(List.of("WriteUpload"), never);
    }

    @Test
    void aReadIsRepeatedWhenTheServerIsUnavailable() {
        served.failNext("WhoAmI", Status.UNAVAILABLE.asRuntimeException(), Status.UNAVAILABLE.asRuntimeException());

        assertEquals("trainer", client.whoAmI().getPrincipal());
        assertEquals(3, served.callsOf("WhoAmI").size());
    }

    @Test
    void aUsedUpShareIsWaitedForAsLongAsTheDeadlineAllows() {
        StatusRuntimeException tooMany = refusal(Status.Code.RESOURCE_EXHAUSTED, "TOO_MANY_CALLS", "Come back.");
        served.failNext("WhoAmI", tooMany, tooMany, tooMany, tooMany, tooMany, tooMany);
        served.failNext("SetAlias", tooMany, tooMany, tooMany, tooMany, tooMany);

        assertEquals("trainer", client.whoAmI().getPrincipal());
        assertEquals(7, served.callsOf("WhoAmI").size());
        client.setAlias("vision/digits@champion", 2, 1, "better");
        assertEquals(6, served.callsOf("SetAlias").size());
    }

    @Test
    void aShareThatDoesNotComeBackInTimeIsTold() {
        StatusRuntimeException tooMany = refusal(Status.Code.RESOURCE_EXHAUSTED, "TOO_MANY_CALLS", "Come back.");
        served.failNext("WhoAmI", Collections.nCopies(20, tooMany).toArray(new StatusRuntimeException[0]));

        try (AssayClient hurried = served.client().readDeadline(Duration.ofMillis(1500)).build()) {
            Exhausted failure = assertThrows(Exhausted.class, hurried::whoAmI);

            assertEquals("TOO_MANY_CALLS", failure.reason());
        }
        assertTrue(served.callsOf("WhoAmI").size() > 3);
    }

    @Test
    void aDeadlineMayBeLongerThanAnybodyWaits() {
        try (AssayClient patient = served.client().readDeadline(Duration.ofSeconds(Long.MAX_VALUE)).build()) {
            assertEquals("trainer", patient.whoAmI().getPrincipal());
        }
    }

    @Test
    void aBreakIsOneWhateverGrpcCallsIt() {
        served.failNext(
                "WhoAmI",
                Status.UNKNOWN.withDescription("channel closed").asRuntimeException(),
                Status.INTERNAL.withDescription("RST_STREAM closed stream").asRuntimeException());

        assertEquals("trainer", client.whoAmI().getPrincipal());
        assertEquals(3, served.callsOf("WhoAmI").size());
    }

    @Test
    void noOtherStatusIsRepeated() {
        served.failNext("WhoAmI", Status.INTERNAL.withDescription("Sorry."));

        assertThrows(ServerFault.class, client::whoAmI);
        assertEquals(1, served.callsOf("WhoAmI").size());
    }

    @Test
    void aChangeKeepsItsRequestIdWhenItIsRepeated() {
        served.failNext("SetAlias", refusal(Status.Code.ABORTED, "CONFLICT", "Try again."));

        client.setAlias("vision/digits@champion", 2, 1, "better");

        SetAliasRequest sent = (SetAliasRequest) served.callsOf("SetAlias").get(1).request;
        assertEquals(36, sent.getRequestId().length());
        assertEquals(2, served.callsOf("SetAlias").size());
        assertTrue(sent.hasExpectedVersionNumber());
    }

    @Test
    void aChangeWhoseAnswerWasLostMayHaveHappened() {
        changes.before = served::stop;

        Unreachable lost =
                assertThrows(Unreachable.class, () -> client.setAlias("vision/digits@champion", 2, 1, "better"));
        assertTrue(lost.getMessage().endsWith(" " + WARNING), lost::getMessage);

        Unreachable neverSent =
                assertThrows(Unreachable.class, () -> client.setAlias("vision/digits@champion", 2, 1, "better"));
        assertTrue(neverSent.getMessage().endsWith("Is the server running there?"), neverSent::getMessage);
        StatusRuntimeException ofAStub = assertThrows(
                StatusRuntimeException.class, () -> client.registry().setAlias(SetAliasRequest.getDefaultInstance()));
        assertFalse(client.explain(ofAStub).getMessage().contains(WARNING));
    }

    @Test
    void onlyAChangeIsWarnedOf() {
        Status[] down = {Status.UNAVAILABLE, Status.UNAVAILABLE, Status.UNAVAILABLE, Status.UNAVAILABLE};
        for (Status status : down) {
            served.failNext("WhoAmI", status);
            served.failNext("SetAlias", status);
        }

        StatusRuntimeException ofAStub = assertThrows(
                StatusRuntimeException.class, () -> client.registry().setAlias(SetAliasRequest.getDefaultInstance()));
        Unreachable read = assertThrows(Unreachable.class, client::whoAmI);

        ConnectionTest.assertContains(client.explain(ofAStub), WARNING);
        assertFalse(read.getMessage().contains(WARNING), read::getMessage);
    }

    @Test
    void twoChangesHaveTwoRequestIds() {
        client.setAlias("vision/digits@champion", 2, 1, "");
        client.setAlias("vision/digits@champion", 2, 1, "");

        List<Served.Call> calls = served.callsOf("SetAlias");
        assertNotEquals(
                ((SetAliasRequest) calls.get(0).request).getRequestId(),
                ((SetAliasRequest) calls.get(1).request).getRequestId());
    }

    @Test
    void stubsGetRequestIdsToo() throws Exception {
        CreateModelRequest request = CreateModelRequest.newBuilder().setModelId("digits").build();

        client.registry().createModel(request);
        client.stub(RegistryServiceGrpc::newFutureStub).createModel(request).get(10, TimeUnit.SECONDS);
        client.registry().createModel(request.toBuilder().setRequestId("mine").build());

        List<String> ids = served.callsOf("CreateModel").stream()
                .map(call -> ((CreateModelRequest) call.request).getRequestId())
                .collect(Collectors.toList());
        UUID.fromString(ids.get(0));
        assertNotEquals(ids.get(0), ids.get(1));
        assertEquals("mine", ids.get(2));
    }

    @Test
    void aLostRaceIsRepeatedOnlyIfItSaysSo() {
        served.failNext("SetAlias", refusal(Status.Code.ABORTED, "ALIAS_MOVED", "It points to 3."));

        assertThrows(AliasMoved.class, () -> client.setAlias("vision/digits@champion", 2, 1, ""));
        assertEquals(1, served.callsOf("SetAlias").size());
    }

    @Test
    void everyCallHasADeadlineAndStreamsHaveNone() {
        client.whoAmI();
        client.setAlias("vision/digits@champion", 2, 1, "");
        client.stub(dev.assay.v1.ArtifactServiceGrpc::newStub).writeUpload(new Ignoring());
        client.close();

        long readMs = served.callsOf("WhoAmI").get(0).deadline.timeRemaining(TimeUnit.MILLISECONDS);
        long writeMs = served.callsOf("SetAlias").get(0).deadline.timeRemaining(TimeUnit.MILLISECONDS);
        assertTrue(readMs > 5_000 && readMs <= 10_000, () -> readMs + " ms");
        assertTrue(writeMs > 25_000 && writeMs <= 30_000, () -> writeMs + " ms");
        served.callsOf("WriteUpload").forEach(call -> assertNull(call.deadline));
    }

    @Test
    void aStreamOfBytesIsResumedAndNotReplayed(@TempDir Path directory) throws Exception {
        Path file = Files.write(directory.resolve("weights.bin"), new byte[3 << 20]);
        // The verbs of the whole fake are needed here.
        try (Served whole = Served.withTls(registry.services());
                AssayClient pusher = whole.client().build()) {
            whole.failNext("WriteUpload", Status.UNAVAILABLE);

            pusher.push("vision/digits", file);

            assertEquals(2, whole.callsOf("WriteUpload").size());
            assertEquals(2, whole.callsOf("BeginUpload").size());
            assertEquals(3 << 20, registry.writtenBytes.get());
        }
    }

    @Test
    void aFutureFailsAsTheVerbDoes() {
        CompletableFuture<?> answered = client.resolveAsync("vision/digits/1");

        ExecutionException failure =
                assertThrows(ExecutionException.class, () -> answered.get(10, TimeUnit.SECONDS));

        assertInstanceOf(MethodUnknown.class, failure.getCause());
    }

    private static final class Ignoring implements StreamObserver<WriteUploadResponse> {
        @Override
        public void onNext(WriteUploadResponse answer) {}

        @Override
        public void onError(Throwable error) {}

        @Override
        public void onCompleted() {}
    }

    /** Says yes to changes; it resolves nothing. */
    private static final class Changes extends RegistryServiceGrpc.RegistryServiceImplBase {
        private volatile Runnable before = () -> {};

        @Override
        public void setAlias(SetAliasRequest request, StreamObserver<SetAliasResponse> observer) {
            before.run();
            observer.onNext(SetAliasResponse.getDefaultInstance());
            observer.onCompleted();
        }

        @Override
        public void createModel(CreateModelRequest request, StreamObserver<CreateModelResponse> observer) {
            observer.onNext(CreateModelResponse.getDefaultInstance());
            observer.onCompleted();
        }
    }
}
