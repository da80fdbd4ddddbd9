package dev.assay.client;

import com.google.protobuf.Any;
import com.google.protobuf.Message;
import com.google.rpc.ErrorInfo;
import com.google.rpc.Status;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.Map;

/** Refusals as a server sends them. */
final class Refusals {
    private Refusals() {}

    static StatusRuntimeException refusal(Code code, String reason, String message, Message... details) {
        return refusal(code, reason, message, Map.of(), details);
    }

    static StatusRuntimeException refusal(
            Code code, String reason, String message, Map<String, String> metadata, Message... details) {
        Status.Builder status = Status.newBuilder().setCode(code.value()).setMessage(message);
        status.addDetails(Any.pack(ErrorInfo.newBuilder()
                .setReason(reason)
                .setDomain("assay.dev")
                .putAllMetadata(metadata)
                .build()));
        for (Message detail : details) {
            status.addDetails(Any.pack(detail));
        }
        return StatusProto.toStatusRuntimeException(status.build());
    }
}
