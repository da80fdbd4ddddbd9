package dev.assay.client;

import dev.assay.v1.ArtifactServiceGrpc;
import dev.assay.v1.WriteUploadRequest;
import dev.assay.v1.WriteUploadResponse;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import java.time.Duration;

/** One stream of bytes to the server, which waits until there is room to send: so memory stays bounded. */
final class WriteStream extends ClientCall.Listener<WriteUploadResponse> implements AutoCloseable {
    private final Connection connection;
    private final String path;
    private final Alarm alarm;
    private final ClientCall<WriteUploadRequest, WriteUploadResponse> call;
    // Guarded by `this`, as the events of the call come on other threads.
    private WriteUploadResponse answer;
    private Status end;
    private Metadata trailers;

    WriteStream(Connection connection, Channel channel, String path) {
        this.connection = connection;
        this.path = path;
        alarm = new Alarm(connection.timer, connection.silence);
        call = alarm.guard(() -> channel.newCall(ArtifactServiceGrpc.getWriteUploadMethod(), CallOptions.DEFAULT));
        call.start(this, new Metadata());
        call.request(2); // As gRPC does for a single answer: a second one is noticed.
    }

    @Override
    public synchronized void onMessage(WriteUploadResponse message) {
        answer = message;
    }

    @Override
    public synchronized void onReady() {
        notifyAll();
    }

    @Override
    public synchronized void onClose(Status status, Metadata metadata) {
        end = status;
        trailers = metadata;
        notifyAll();
    }

    /** Waits until there is room to send; false when the server ended the stream. */
    synchronized boolean awaitReady() {
        while (end == null && !call.isReady()) {
            await();
        }
        return end == null;
    }

    void send(WriteUploadRequest message) {
        call.sendMessage(message);
        alarm.renew();
    }

    /** Waits for the answer; says how many bytes are durable then. */
    synchronized long finish(Duration extra) {
        alarm.renew(connection.silence.plus(extra));
        if (end == null) {
            call.halfClose();
        }
        while (end == null) {
            await();
        }
        if (alarm.hasRung()) {
            throw new Unreachable(Failure.of("%s took nothing of %s for %d s.", connection.target, path, connection.silence.toSeconds())
                    .code(Status.Code.UNAVAILABLE));
        }
        if (!end.isOk()) {
            throw connection.explain(end.asRuntimeException(trailers), alarm.scope(), false);
        }
        if (answer == null) {
            throw new Unreachable(Failure.of("%s ended the stream of %s without an answer.", connection.target, path)
                    .code(Status.Code.UNAVAILABLE));
        }
        return answer.getUpload().getDurableBytes();
    }

    private void await() {
        try {
            wait();
        } catch (InterruptedException cause) {
            throw Cancellation.interrupted(cause);
        }
    }

    @Override
    public void close() {
        alarm.close();
        call.cancel("the stream is not needed any more", null);
    }
}
