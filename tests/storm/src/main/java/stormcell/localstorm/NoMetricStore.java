package stormcell.localstorm;

import java.util.Map;
import org.apache.storm.metric.StormMetricsRegistry;
import org.apache.storm.metricstore.FilterOptions;
import org.apache.storm.metricstore.Metric;
import org.apache.storm.metricstore.MetricStore;

/** Keeps nothing. Storm's own store needs RocksDB: half of the download, for numbers that nobody here asks for. */
public final class NoMetricStore implements MetricStore {
    @Override
    public void prepare(Map<String, Object> conf, StormMetricsRegistry registry) {
    }

    @Override
    public void insert(Metric metric) {
    }

    @Override
    public boolean populateValue(Metric metric) {
        return false;
    }

    @Override
    public void scan(FilterOptions filter, ScanCallback callback) {
    }

    @Override
    public void close() {
    }
}
