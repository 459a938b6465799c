package stormcell.localstorm;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.storm.spout.SpoutOutputCollector;
import org.apache.storm.task.TopologyContext;
import org.apache.storm.topology.IRichSpout;
import org.apache.storm.topology.OutputFieldsDeclarer;
import org.apache.storm.tuple.Values;

/**
 * Emits the argument {@code words} over and over, with message ids, for {@code seconds} from its first ack on, and
 * then waits for the acks. Tells what it has {@code emitted} and what was {@code acked} and {@code failed} with the
 * time in {@code ns}: as {@code count} now and then, as {@code drained} when nothing is pending any more.
 * {@code sum} is that of all emitted words' hash codes.
 */
public final class WordSpout implements IRichSpout {
    private static final long serialVersionUID = 1;
    private final String[] words;
    private final long emitting;
    private final Outputs outputs;
    private transient TopologyContext here;
    private transient SpoutOutputCollector collector;
    private transient Clock clock;
    private transient long end;
    private transient long sum;
    // Written by Storm's thread alone, read by the clock's.
    private transient volatile long emitted;
    private transient volatile long acked;
    private transient volatile long failed;
    private transient volatile boolean over;

    @SuppressWarnings("unchecked")
    public WordSpout(Map<String, Object> args, Outputs outputs) {
        words = new ArrayList<>((List<String>) args.get("words")).toArray(String[]::new);
        emitting = (long) (((Number) args.get("seconds")).doubleValue() * TimeUnit.SECONDS.toNanos(1));
        this.outputs = outputs;
    }

    @Override
    public void open(Map<String, Object> conf, TopologyContext context, SpoutOutputCollector output) {
        here = context;
        collector = output;
        clock = new Clock(this::tell);
    }

    @Override
    public void nextTuple() {
        if (over || acked > 0 && System.nanoTime() - end > 0) {
            over = true;
            return;
        }
        String word = words[(int) (emitted % words.length)];
        sum += word.hashCode();
        long id = emitted++;
        collector.emit(new Values(word), id);
    }

    @Override
    public void ack(Object id) {
        if (acked == 0) {
            end = System.nanoTime() + emitting;
        }
        acked++;
    }

    @Override
    public void fail(Object id) {
        failed++;
    }

    private void tell() {
        boolean drained = over && acked + failed == emitted;
        Events.from(here, drained ? "drained" : "count", "ns", System.nanoTime(),
                "emitted", emitted, "acked", acked, "failed", failed, "sum", sum);
        if (drained) {
            clock.stop();
        }
    }

    @Override
    public void close() {
        clock.stop();
    }

    @Override
    public void declareOutputFields(OutputFieldsDeclarer declarer) {
        outputs.declare(declarer);
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
