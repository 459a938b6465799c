package stormcell.localstorm;

import java.util.Map;
import org.apache.storm.spout.SpoutOutputCollector;
import org.apache.storm.task.TopologyContext;
import org.apache.storm.topology.OutputFieldsDeclarer;
import org.apache.storm.topology.base.BaseRichSpout;
import org.apache.storm.tuple.Values;

/** Emits a value that Storm cannot write for a child. */
public final class BytesSpout extends BaseRichSpout {
    private static final long serialVersionUID = 1;
    private final Outputs outputs;
    private transient SpoutOutputCollector collector;
    private transient boolean done;

    public BytesSpout(Map<String, Object> args, Outputs outputs) {
        this.outputs = outputs;
    }

    @Override
    public void open(Map<String, Object> conf, TopologyContext context, SpoutOutputCollector output) {
        collector = output;
    }

    @Override
    public void nextTuple() {
        if (!done) {
            done = true;
            collector.emit(new Values(new byte[] {1, 2, 3}), 0);
        }
    }

    @Override
    public void declareOutputFields(OutputFieldsDeclarer declarer) {
        outputs.declare(declarer);
    }
}
