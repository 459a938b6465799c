package stormcell.localstorm;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.storm.task.OutputCollector;
import org.apache.storm.task.TopologyContext;
import org.apache.storm.topology.IRichBolt;
import org.apache.storm.topology.OutputFieldsDeclarer;
import org.apache.storm.tuple.Tuple;

/**
 * Keeps the newest tuple for each first value and tells of those that changed, four times a second: a row is the
 * tuple's values and the task that emitted them. {@code tuples} is how many came in all, since a screen can't show
 * each of them.
 */
public final class TableBolt implements IRichBolt {
    private static final long serialVersionUID = 1;
    private static final long PERIOD_MS = 250;
    private final Outputs outputs;
    private transient Map<Object, List<Object>> changed;
    private transient long tuples;
    private transient TopologyContext here;
    private transient OutputCollector collector;
    private transient ScheduledExecutorService clock;

    public TableBolt(Map<String, Object> args, Outputs outputs) {
        this.outputs = outputs;
    }

    @Override
    public void prepare(Map<String, Object> conf, TopologyContext context, OutputCollector output) {
        here = context;
        collector = output;
        changed = new LinkedHashMap<>();
        clock = Executors.newSingleThreadScheduledExecutor();
        clock.scheduleAtFixedRate(this::tell, PERIOD_MS, PERIOD_MS, TimeUnit.MILLISECONDS);
    }

    @Override
    public void execute(Tuple tuple) {
        List<Object> row = new ArrayList<>(tuple.getValues());
        row.add(tuple.getSourceTask());
        synchronized (this) {
            changed.put(row.get(0), row);
            tuples++;
        }
        collector.ack(tuple);
    }

    private synchronized void tell() {
        if (!changed.isEmpty()) {
            Events.from(here, "table", "rows", new ArrayList<>(changed.values()), "tuples", tuples);
            changed.clear();
        }
    }

    @Override
    public void cleanup() {
        clock.shutdownNow();
        tell();
    }

    @Override
    public void declareOutputFields(OutputFieldsDeclarer declarer) {
        outputs.declare(declarer);
    }

    @Override
    public Map<String, Object> getComponentConfiguration() {
        return null;
    }
}
