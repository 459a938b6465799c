package stormcell.localstorm;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import org.apache.storm.spout.SpoutOutputCollector;
import org.apache.storm.task.TopologyContext;
import org.apache.storm.topology.IRichSpout;
import org.apache.storm.topology.OutputFieldsDeclarer;

/**
 * Emits the argument {@code tuples}, a list of lists of values, once each and in order, their positions as message
 * ids, and tells of every ack and fail. With {@code "replay": true} a failed tuple is emitted again.
 */
public final class FeedSpout implements IRichSpout {
    private static final long serialVersionUID = 1;
    private final ArrayList<List<Object>> tuples;
    private final boolean replay;
    private final Outputs outputs;
    private transient Queue<Integer> due;
    private transient TopologyContext here;
    private transient SpoutOutputCollector collector;

    @SuppressWarnings("unchecked")
    public FeedSpout(Map<String, Object> args, Outputs outputs) {
        tuples = new ArrayList<>((List<List<Object>>) args.get("tuples"));
        replay = Boolean.TRUE.equals(args.get("replay"));
        this.outputs = outputs;
    }

    @Override
    public void open(Map<String, Object> conf, TopologyContext context, SpoutOutputCollector output) {
        here = context;
        collector = output;
        due = new ArrayDeque<>();
        for (int id = 0; id < tuples.size(); id++) {
            due.add(id);
        }
    }

    @Override
    public void nextTuple() {
        Integer id = due.poll();
        if (id != null) {
            collector.emit(new ArrayList<>(tuples.get(id)), id);
        }
    }

    @Override
    public void ack(Object id) {
        Events.from(here, "acked", "id", id);
    }

    @Override
    public void fail(Object id) {
        Events.from(here, "failed", "id", id);
        if (replay) {
            due.add((Integer) id);
        }
    }

    @Override
    public void declareOutputFields(OutputFieldsDeclarer declarer) {
        outputs.declare(declarer);
    }

    @Override
    public void close() {
    }

    @Override
    public void activate() {
    }

    @Override
    public void deactivate() {
    }

    @Override
    public Map<String, Object> getComponentConfiguration() {
        return null;
    }
}
