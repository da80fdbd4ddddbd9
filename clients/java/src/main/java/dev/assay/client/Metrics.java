package dev.assay.client;

import dev.assay.v1.Direction;
import dev.assay.v1.Metric;

/** Measured values, as {@link AssayClient#evaluate} takes them. */
public final class Metrics {
    private Metrics() {}

    /**
     * Makes a metric such as accuracy.
     *
     * @param metric its name in snake_case
     * @param value its value, finite
     * @param unit such as {@code ratio}; may be empty
     * @return the metric
     */
    public static Metric higherIsBetter(String metric, double value, String unit) {
        return metric(metric, value, unit, Direction.DIRECTION_HIGHER_IS_BETTER);
    }

    /**
     * Makes a metric such as latency.
     *
     * @param metric its name in snake_case
     * @param value its value, finite
     * @param unit such as {@code ms}; may be empty
     * @return the metric
     */
    public static Metric lowerIsBetter(String metric, double value, String unit) {
        return metric(metric, value, unit, Direction.DIRECTION_LOWER_IS_BETTER);
    }

    private static Metric metric(String metric, double value, String unit, Direction direction) {
        return Metric.newBuilder()
                .setMetric(Required.of(metric, "metric"))
                .setValue(value)
                .setUnit(Required.of(unit, "unit"))
                .setDirection(direction)
                .build();
    }
}
