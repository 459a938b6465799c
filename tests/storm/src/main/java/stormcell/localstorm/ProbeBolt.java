package stormcell.localstorm;

import java.util.HashMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.storm.task.OutputCollector;
import org.apache.storm.task.TopologyContext;
import org.apache.storm.topology.IRichBolt;
import org.apache.storm.topology.OutputFieldsDeclarer;
import org.apache.storm.tuple.Tuple;

/**
 * Tells of every tuple that it gets, then acks it. The argument {@code fail}, such as {@code {"dog": 2}}, names
 * tuples by their first value and says how many times each is failed before that.
 */
public final class ProbeBolt implements IRichBolt {
    private static final long serialVersionUID = 1;
    private final HashMap<String, Integer> failuresLeft = new HashMap<>();
    private final Outputs outputs;
    private transient TopologyContext here;
    private transient OutputCollector collector;

    @SuppressWarnings("unchecked")
    public ProbeBolt(Map<String, Object> args, Outputs outputs) {
        failuresLeft.putAll((Map<String, Integer>) args.getOrDefault("fail", Map.of()));
        this.outputs = outputs;
    }

    @Override
    public void prepare(Map<String, Object> conf, TopologyContext context, OutputCollector output) {
        here = context;
        collector = output;
    }

    @Override
    public void execute(Tuple tuple) {
        boolean fails = takesFailure(String.valueOf(tuple.getValue(0)));
        Events.from(here, "tuple",
                "source", tuple.getSourceComponent(),
                "source_task", tuple.getSourceTask(),
                "stream", tuple.getSourceStreamId(),
                "values", tuple.getValues(),
                "classes", tuple.getValues().stream().map(ProbeBolt::className).collect(Collectors.toList()),
                "failed", fails);
        if (fails) {
            collector.fail(tuple);
        } else {
            collector.ack(tuple);
        }
    }

    private boolean takesFailure(String key) {
        int left = failuresLeft.getOrDefault(key, 0);
        failuresLeft.replace(key, left - 1);
        return left > 0;
    }

    private static String className(Object value) {
        return value == null ? "null" : value.getClass().getName();
    }

    @Override
    public void cleanup() {
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
