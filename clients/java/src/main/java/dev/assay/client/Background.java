package dev.assay.client;

import io.grpc.CallOptions;
import io.grpc.Context;
import io.grpc.MethodDescriptor;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;

/** Verbs whose result is waited for elsewhere. Cancelling the future cancels the context that the verb runs in. */
final class Background {
    private Background() {}

    static <T> CompletableFuture<T> run(Executor executor, Supplier<T> verb) {
        Context.CancellableContext scope = Context.current().withCancellation();
        CompletableFuture<T> future = new CompletableFuture<>();
        future.whenComplete((result, failure) -> scope.cancel(failure));
        try {
            executor.execute(scope.wrap(() -> {
                try {
                    future.complete(verb.get());
                } catch (Throwable failure) {
                    future.completeExceptionally(failure);
                }
            }));
        } catch (RejectedExecutionException closed) {
            future.completeExceptionally(Cancellation.exception(closed));
        }
        return future;
    }

    static <Q, A> CompletableFuture<A> call(Connection connection, MethodDescriptor<Q, A> method, Q request) {
        Context.CancellableContext scope = Context.current().withCancellation();
        CompletableFuture<A> future = new CompletableFuture<>();
        future.whenComplete((result, failure) -> scope.cancel(failure));
        scope.run(() -> ClientCalls.asyncUnaryCall(
                connection.channel().newCall(method, CallOptions.DEFAULT), request, new StreamObserver<>() {
                    @Override
                    public void onNext(A answer) {
                        future.complete(answer);
                    }

                    @Override
                    public void onError(Throwable error) {
                        future.completeExceptionally(connection.explain(
                                (StatusRuntimeException) error, scope, Retries.isRead(method)));
                    }

                    @Override
                    public void onCompleted() {
                        // The answer came before.
                    }
                }));
        return future;
    }
}
