package dev.assay.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Message;
import dev.assay.v1.Bump;
import dev.assay.v1.ErrorReason;
import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** Null is refused by name where it is given, before anything moves. */
class RequiredTest {
    private static final AssayException FAILURE = new InvalidInput(Failure.of("Something was wrong."));
    private static final Tls TLS = Tls.fromBytes(new byte[0], new byte[0], new byte[0]);
    private static final AssayClient CLIENT =
            AssayClient.builder("localhost:1").plaintextLoopback().build();

    /** Everything that users call; where there is no object, the methods are static. */
    private static final Map<Class<?>, Object> CALLED = Map.ofEntries(
            Map.entry(AssayClient.class, CLIENT),
            Map.entry(ListVerbs.class, CLIENT),
            Map.entry(AssayClientBuilder.class, AssayClient.builder("localhost:1")),
            Map.entry(AssayException.class, FAILURE),
            Map.entry(CreateVersionOptions.class, CreateVersionOptions.create()),
            Map.entry(PublishOptions.class, PublishOptions.create()),
            Map.entry(PullOptions.class, PullOptions.create()),
            Map.entry(PushOptions.class, PushOptions.create()),
            Map.entry(WatchOptions.class, WatchOptions.create()),
            Map.entry(Tls.class, TLS),
            Map.entry(Manifests.class, ""),
            Map.entry(Metrics.class, ""),
            Map.entry(Names.class, ""));

    private static final Map<Class<?>, Object> GIVEN = Map.ofEntries(
            Map.entry(String.class, "vision/digits"),
            Map.entry(String[].class, new String[] {"*.tmp"}),
            Map.entry(byte[].class, new byte[0]),
            Map.entry(int.class, 1),
            Map.entry(long.class, 1L),
            Map.entry(double.class, 1.0),
            Map.entry(Path.class, Path.of("nowhere")),
            Map.entry(Duration.class, Duration.ZERO),
            Map.entry(Bump.class, Bump.BUMP_MAJOR),
            Map.entry(ErrorReason.class, ErrorReason.ERROR_REASON_CONFLICT),
            Map.entry(StatusRuntimeException.class, Status.NOT_FOUND.asRuntimeException()),
            Map.entry(Map.class, Map.of()),
            Map.entry(Collection.class, List.of()),
            Map.entry(Consumer.class, (Consumer<Object>) any -> {}),
            Map.entry(Function.class, (Function<Channel, Object>) any -> any),
            Map.entry(UnaryOperator.class, UnaryOperator.identity()));

    @Test
    void everyArgumentThatIsNullIsRefusedByItsName() throws Exception {
        int count = 0;
        for (Class<?> type : CALLED.keySet()) {
            for (Method method : type.getDeclaredMethods()) {
                boolean isCalled = Modifier.isPublic(method.getModifiers()) && !method.isSynthetic();
                for (int number = 0; isCalled && number < method.getParameterCount(); number++) {
                    if (!method.getParameterTypes()[number].isPrimitive()) {
                        requireRefusal(method, number);
                        count++;
                    }
                }
            }
        }
        assertTrue(count > 90, "There are " + count);
    }

    @Test
    void whatIsNullWithinIsRefusedToo() {
        Map<String, String> tags = Collections.singletonMap("team", null);

        assertEquals("tags", subject(assertThrows(InvalidInput.class, () -> PushOptions.create().tags(tags))));
        assertEquals(
                "globs", subject(assertThrows(InvalidInput.class, () -> PushOptions.create().exclude("logs", null))));
    }

    private static void requireRefusal(Method method, int number) throws Exception {
        Object[] arguments = Arrays.stream(method.getParameterTypes()).map(RequiredTest::given).toArray();
        arguments[number] = null;
        String name = method.getParameters()[number].getName();

        InvalidInput refusal = assertInstanceOf(InvalidInput.class, thrown(method, arguments), method + ", " + name);

        assertEquals(Status.Code.INVALID_ARGUMENT, refusal.statusCode(), method + ", " + name);
        assertEquals(name, subject(refusal), method.toString());
        assertEquals(name + " is null, but must be given.", refusal.getMessage());
    }

    private static String subject(AssayException refusal) {
        return refusal.violations().get(0).subject();
    }

    private static Object given(Class<?> type) {
        if (GIVEN.containsKey(type)) {
            return GIVEN.get(type);
        }
        try {
            if (Message.class.isAssignableFrom(type)) {
                return type.getMethod("getDefaultInstance").invoke(null);
            }
            return type == Tls.class ? TLS : type.getMethod("create").invoke(null);
        } catch (ReflectiveOperationException error) {
            throw new IllegalStateException("This test has no " + type, error);
        }
    }

    /** What a call ends with, or its future. */
    private static Throwable thrown(Method method, Object... arguments) throws IllegalAccessException, InterruptedException {
        try {
            Object answer = method.invoke(CALLED.get(method.getDeclaringClass()), arguments);
            if (answer instanceof CompletableFuture) {
                ((CompletableFuture<?>) answer).get();
            }
            return null;
        } catch (InvocationTargetException | ExecutionException error) {
            return error.getCause();
        }
    }
}
