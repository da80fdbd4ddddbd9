package dev.assay.client;

import java.util.Arrays;
import java.util.Map;

/** What must be given: null is refused where it is passed, and not deep within. */
final class Required {
    private Required() {}

    /** The value of an argument, which must not be null. */
    static <T> T of(T value, String argument) {
        if (value == null) {
            throw new InvalidInput(Failure.invalid("%s is null, but must be given.", argument).fault(argument, "must be given"));
        }
        return value;
    }

    /** Texts of which none is null. */
    static String[] all(String[] values, String argument) {
        Arrays.asList(of(values, argument)).forEach(value -> of(value, argument));
        return values;
    }

    /** Texts of which none is null, by keys of which none is. */
    static Map<String, String> all(Map<String, String> values, String argument) {
        of(values, argument).forEach((key, value) -> {
            of(key, argument);
            of(value, argument);
        });
        return values;
    }
}
