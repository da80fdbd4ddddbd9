package dev.assay.client;

import com.google.protobuf.DescriptorProtos.MethodOptions.IdempotencyLevel;
import dev.assay.v1.AccessServiceGrpc;
import dev.assay.v1.ArtifactServiceGrpc;
import dev.assay.v1.AuditServiceGrpc;
import dev.assay.v1.EvaluationServiceGrpc;
import dev.assay.v1.RegistryServiceGrpc;
import dev.assay.v1.WatchServiceGrpc;
import io.grpc.MethodDescriptor;
import io.grpc.ServiceDescriptor;
import io.grpc.protobuf.ProtoMethodDescriptorSupplier;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What may be sent again, derived from the contract. */
final class Retries {
    /** gRPC takes at most five (gRFC A6). */
    static final int ATTEMPTS_MAX = 4;

    static final List<ServiceDescriptor> SERVICES = List.of(
            AccessServiceGrpc.getServiceDescriptor(),
            ArtifactServiceGrpc.getServiceDescriptor(),
            AuditServiceGrpc.getServiceDescriptor(),
            EvaluationServiceGrpc.getServiceDescriptor(),
            RegistryServiceGrpc.getServiceDescriptor(),
            WatchServiceGrpc.getServiceDescriptor());

    private Retries() {}

    static IdempotencyLevel levelOf(MethodDescriptor<?, ?> method) {
        if (method.getSchemaDescriptor() instanceof ProtoMethodDescriptorSupplier) {
            return ((ProtoMethodDescriptorSupplier) method.getSchemaDescriptor())
                    .getMethodDescriptor()
                    .getOptions()
                    .getIdempotencyLevel();
        }
        return IdempotencyLevel.IDEMPOTENCY_UNKNOWN;
    }

    /** Whether nothing changes. */
    static boolean isRead(MethodDescriptor<?, ?> method) {
        return levelOf(method) == IdempotencyLevel.NO_SIDE_EFFECTS;
    }

    /** Whether it fills an upload, which is looked at before it goes on. */
    static boolean isTransfer(MethodDescriptor<?, ?> method) {
        return ArtifactServiceGrpc.SERVICE_NAME.equals(method.getServiceName());
    }

    /** Never a stream of the client's: gRPC would replay what fits its buffer, and only that. */
    static boolean isRepeatable(MethodDescriptor<?, ?> method) {
        return method.getType().clientSendsOneMessage() && levelOf(method) != IdempotencyLevel.IDEMPOTENCY_UNKNOWN;
    }

    /**
     * Tells gRPC what to repeat by itself: only on UNAVAILABLE (AIP-194), and only what is repeatable. Repetitions stop
     * for a while when most of them fail.
     */
    static Map<String, Object> serviceConfig() {
        List<Object> names = new ArrayList<>();
        for (ServiceDescriptor service : SERVICES) {
            for (MethodDescriptor<?, ?> method : service.getMethods()) {
                if (isRepeatable(method)) {
                    names.add(Map.of("service", service.getName(), "method", method.getBareMethodName()));
                }
            }
        }
        // grpc-java wants numbers as JSON has them.
        Map<String, Object> policy = Map.of(
                "maxAttempts", (double) ATTEMPTS_MAX,
                "initialBackoff", "0.1s",
                "maxBackoff", "2s",
                "backoffMultiplier", 2.0,
                "retryableStatusCodes", List.of("UNAVAILABLE"));
        return Map.of(
                "methodConfig", List.of(Map.of("name", names, "retryPolicy", policy)),
                "retryThrottling", Map.of("maxTokens", 10.0, "tokenRatio", 0.1));
    }
}
