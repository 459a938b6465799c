package stormcell.localstorm;

import java.util.HashMap;
import java.util.Map;
import org.apache.storm.task.OutputCollector;
import org.apache.storm.task.TopologyContext;
import org.apache.storm.topology.OutputFieldsDeclarer;
import org.apache.storm.topology.base.BaseRichBolt;
import org.apache.storm.tuple.Tuple;

/**
 * Counts the words that come, and holds the counts that come with them (if any do) against its own. Tells now and
 * then, as {@code tally}, how many {@code tuples} came, the {@code sum} of the words' hash codes, and how many counts
 * were {@code wrong}.
 */
public final class TallyBolt extends BaseRichBolt {
    private static final long serialVersionUID = 1;
    private transient Map<String, long[]> counts;
    private transient OutputCollector collector;
    private transient Clock clock;
    // Written by Storm's thread alone, read by the clock's.
    private transient volatile long tuples;
    private transient volatile long sum;
    private transient volatile long wrong;

    public TallyBolt(Map<String, Object> args, Outputs outputs) {
    }

    @Override
    public void prepare(Map<String, Object> conf, TopologyContext context, OutputCollector output) {
        collector = output;
        counts = new HashMap<>();
        clock = new Clock(() -> Events.from(context, "tally", "tuples", tuples, "sum", sum, "wrong", wrong));
    }

    @Override
    public void execute(Tuple tuple) {
        String word = tuple.getString(0);
        long count = ++counts.computeIfAbsent(word, none -> new long[1])[0];
        if (tuple.size() > 1 && ((Number) tuple.getValue(1)).longValue() != count) {
            wrong++;
        }
        sum += word.hashCode();
        tuples++;
        collector.ack(tuple);
    }

    @Override
    public void cleanup() {
        clock.stop();
    }

    @Override
    public void declareOutputFields(OutputFieldsDeclarer declarer) {
    }
}
