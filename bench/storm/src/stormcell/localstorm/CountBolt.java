package stormcell.localstorm;

import java.util.HashMap;
import java.util.Map;
import org.apache.storm.task.OutputCollector;
import org.apache.storm.task.TopologyContext;
import org.apache.storm.topology.OutputFieldsDeclarer;
import org.apache.storm.topology.base.BaseRichBolt;
import org.apache.storm.tuple.Tuple;
import org.apache.storm.tuple.Values;

/** The word count in Java, without any child. */
public final class CountBolt extends BaseRichBolt {
    private static final long serialVersionUID = 1;
    private final Outputs outputs;
    private transient Map<String, Integer> counts;
    private transient OutputCollector collector;

    public CountBolt(Map<String, Object> args, Outputs outputs) {
        this.outputs = outputs;
    }

    @Override
    public void prepare(Map<String, Object> conf, TopologyContext context, OutputCollector output) {
        collector = output;
        counts = new HashMap<>();
    }

    @Override
    public void execute(Tuple tuple) {
        String word = tuple.getString(0);
        collector.emit(tuple, new Values(word, counts.merge(word, 1, Integer::sum)));
        collector.ack(tuple);
    }

    @Override
    public void declareOutputFields(OutputFieldsDeclarer declarer) {
        outputs.declare(declarer);
    }
}
