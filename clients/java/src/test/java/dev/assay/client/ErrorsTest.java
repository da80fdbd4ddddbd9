package dev.assay.client;

import static dev.assay.client.Refusals.refusal;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.Duration;
import com.google.rpc.BadRequest;
import com.google.rpc.PreconditionFailure;
import com.google.rpc.RequestInfo;
import com.google.rpc.RetryInfo;
import dev.assay.v1.ErrorReason;
import dev.assay.v1.ModelVersion;
import dev.assay.v1.VersionState;
import dev.assay.v1.WhoAmIResponse;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What a refusal of the server becomes. */
class ErrorsTest {
    @Test
    void aClosedGateNamesEveryUnmetRule() {
        PreconditionFailure unmet = PreconditionFailure.newBuilder()
                .addViolations(PreconditionFailure.Violation.newBuilder()
                        .setType("GATE_RULE")
                        .setSubject("namespaces/vision/gates/publish#accuracy")
                        .setDescription("accuracy is 0.91, but must be at least 0.95."))
                .addViolations(PreconditionFailure.Violation.newBuilder()
                        .setType("GATE_RULE")
                        .setSubject("namespaces/vision/gates/publish#recall")
                        .setDescription("recall of class=8 is 0.7, but must be at least 0.9."))
                .build();

        AssayException failure =
                explained(refusal(Code.FAILED_PRECONDITION, "GATE_CLOSED", "The gate is closed.", unmet));

        GateClosed closed = assertInstanceOf(GateClosed.class, failure);
        assertEquals(2, closed.findings().size());
        assertEquals("namespaces/vision/gates/publish#recall", closed.findings().get(1).subject());
        assertEquals("GATE_RULE", closed.findings().get(1).type());
        assertTrue(closed.getMessage().startsWith("The gate is closed.\n  namespaces/vision/gates/publish#accuracy: accuracy is"));
        assertTrue(closed.hasReason(ErrorReason.ERROR_REASON_GATE_CLOSED));
        assertEquals("GATE_CLOSED", closed.reason());
        assertEquals(Code.FAILED_PRECONDITION, closed.statusCode());
    }

    @Test
    void aMovedAliasSaysWhereItPoints() {
        StatusRuntimeException refusal = refusal(
                Code.ABORTED, "ALIAS_MOVED", "It points to 7.", Map.of("resource", "x", "current_version_number", "7"));

        AliasMoved moved = assertInstanceOf(AliasMoved.class, explained(refusal));

        assertEquals(7, moved.currentVersionNumber());
        assertEquals("x", moved.metadata().get("resource"));
        assertInstanceOf(Raced.class, moved);
    }

    @Test
    void someReasonsHaveTheirOwnWords() {
        AssayException compacted = explained(
                refusal(Code.OUT_OF_RANGE, "REVISION_COMPACTED", "Gone.", Map.of("oldest_revision", "41")));
        AssayException denied = explained(
                refusal(Code.PERMISSION_DENIED, "PERMISSION_MISSING", "No.", Map.of("permission", "versions.publish")));
        AssayException changed = explained(refusal(Code.ABORTED, "ETAG_MISMATCH", "No.", Map.of("current_etag", "e2")));

        assertEquals(41, assertInstanceOf(RevisionCompacted.class, compacted).oldestRevision());
        assertEquals("versions.publish", assertInstanceOf(PermissionDenied.class, denied).permission());
        assertEquals("e2", assertInstanceOf(EtagMismatch.class, changed).currentEtag());
    }

    @Test
    void everyStatusHasAClass() {
        Set<Code> known = EnumSet.complementOf(EnumSet.of(Code.OK));

        assertEquals(known, Statuses.OF_CODE.keySet());
        for (Code code : known) {
            AssayException failure = explained(refusal(code, "SOMETHING_NEW", "A sentence."));
            assertEquals("SOMETHING_NEW", failure.reason());
            assertEquals("A sentence.", failure.getMessage());
            assertEquals(code, failure.statusCode());
        }
    }

    @Test
    void everyReasonWithAClassIsInTheCatalogue() {
        for (String reason : Statuses.OF_REASON.keySet()) {
            ErrorReason.valueOf("ERROR_REASON_" + reason);
        }
    }

    @Test
    void everyReasonOfTheCatalogueHasItsClass() throws IOException {
        Set<String> without = Arrays.stream(ErrorReason.values()).map(Enum::name).collect(Collectors.toSet());
        without.removeAll(Set.of("UNRECOGNIZED", "ERROR_REASON_UNSPECIFIED"));
        try (InputStream lines = ErrorsTest.class.getResourceAsStream("/reasons.txt")) {
            for (String line : new String(lines.readAllBytes(), StandardCharsets.UTF_8).split("\n")) {
                String[] words = line.split(" ");

                AssayException failure = explained(refusal(Code.valueOf(words[1]), words[0], "A sentence."));

                assertEquals(words[2], failure.getClass().getSimpleName(), words[0]);
                assertTrue(failure.hasReason(ErrorReason.valueOf("ERROR_REASON_" + words[0])));
                without.remove("ERROR_REASON_" + words[0]);
            }
        }
        assertEquals(Set.of(), without, "give them a place in clients/common.toml, and run `make docs`");
    }

    @Test
    void detailsAreRead() {
        AssayException full = explained(refusal(
                Code.RESOURCE_EXHAUSTED,
                "TOO_MANY_UPLOADS",
                "Later.",
                RetryInfo.newBuilder().setRetryDelay(Duration.newBuilder().setSeconds(2).setNanos(500_000_000)).build()));
        AssayException fault =
                explained(refusal(Code.INTERNAL, "INTERNAL", "Sorry.", RequestInfo.newBuilder().setRequestId("r-1").build()));
        AssayException invalid = explained(refusal(
                Code.INVALID_ARGUMENT,
                "FIELD_INVALID",
                "Wrong.",
                BadRequest.newBuilder()
                        .addFieldViolations(
                                BadRequest.FieldViolation.newBuilder().setField("tags").setDescription("Too many."))
                        .build()));

        assertEquals(java.time.Duration.ofMillis(2500), full.retryAfter());
        assertEquals("r-1", assertInstanceOf(ServerFault.class, fault).requestId());
        assertEquals("tags", assertInstanceOf(InvalidInput.class, invalid).violations().get(0).subject());
        assertEquals("Wrong.\n  tags: Too many.", invalid.getMessage());
    }

    @Test
    void detailsOfOthersAreNotBelieved() {
        com.google.rpc.Status foreign = com.google.rpc.Status.newBuilder()
                .setCode(Code.NOT_FOUND.value())
                .setMessage("Nothing here.")
                .addDetails(Any.pack(com.google.rpc.ErrorInfo.newBuilder()
                        .setDomain("proxy.example.com")
                        .setReason("ALIAS_MOVED")
                        .build()))
                .addDetails(Any.newBuilder()
                        .setTypeUrl("type.googleapis.com/google.rpc.RetryInfo")
                        .setValue(ByteString.copyFromUtf8("\u0007\u0007")))
                .addDetails(Any.newBuilder().setTypeUrl("type.googleapis.com/unheard.of"))
                .build();

        AssayException failure = explained(StatusProto.toStatusRuntimeException(foreign));

        assertSame(NotFound.class, failure.getClass());
        assertEquals("", failure.reason());
    }

    @Test
    void aStatusWithoutAWordGetsOne() {
        assertEquals(
                "The server answered NOT_FOUND without a word.",
                explained(Status.NOT_FOUND.asRuntimeException()).getMessage());
    }

    @Test
    void anOlderServerIsExplained() {
        AssayException failure = explained(Status.UNIMPLEMENTED.withDescription("Method not found").asRuntimeException());

        assertInstanceOf(MethodUnknown.class, failure);
        ConnectionTest.assertContains(failure, "does not know this method (Method not found): it is older than this client");
    }

    @Test
    void aCutStreamIsAnInterruptionOfTheConnection() {
        AssayException failure = explained(
                Status.INTERNAL.withDescription("Received RST_STREAM with code 2").asRuntimeException());

        assertInstanceOf(Unreachable.class, failure);
    }

    @Test
    void fieldsAndValuesOfANewerServerAreKept() throws Exception {
        byte[] newer = new byte[] {0x28, 99, (byte) 0xF8, 0x7F, 1}; // state = 99, and a field 2047

        ModelVersion version = ModelVersion.parseFrom(newer);

        assertEquals(VersionState.UNRECOGNIZED, version.getState());
        assertEquals(99, version.getStateValue());
        assertEquals(ByteString.copyFrom(newer), version.toByteString());
    }

    @Test
    void stubsAreExplainedByTheClient() {
        FakeRegistry registry = new FakeRegistry();

        try (Served served = Served.withTls(registry.services());
                AssayClient client = served.client().build()) {
            WhoAmIResponse answer = client.access().whoAmI(dev.assay.v1.WhoAmIRequest.getDefaultInstance());
            assertEquals("trainer", answer.getPrincipal());

            try {
                client.audit().listEntries(dev.assay.v1.ListEntriesRequest.getDefaultInstance());
            } catch (StatusRuntimeException error) {
                assertInstanceOf(MethodUnknown.class, client.explain(error));
                return;
            }
        }
        throw new AssertionError("The fake has no audit service.");
    }

    private static AssayException explained(StatusRuntimeException error) {
        try (AssayClient client =
                AssayClient.builder("localhost:1").plaintextLoopback().build()) {
            return client.explain(error);
        }
    }
}
