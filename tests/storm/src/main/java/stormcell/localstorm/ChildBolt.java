package stormcell.localstorm;

import java.io.IOException;
import java.util.Map;
import org.apache.storm.task.OutputCollector;
import org.apache.storm.task.ShellBolt;
import org.apache.storm.task.TopologyContext;
import org.apache.storm.topology.IRichBolt;
import org.apache.storm.topology.OutputFieldsDeclarer;
import org.apache.storm.tuple.Tuple;

/**
 * Storm's ShellBolt, which also tells of the errors it reports and of its end.
 *
 * <p>When its child dies, a cluster's worker ends and is started anew. A LocalCluster has no worker process: its
 * ShellBolt would read from the dead child for ever, and end this JVM at the next tuple. This one stops, and fails
 * what still comes.
 */
public final class ChildBolt extends ShellBolt implements IRichBolt {
    private static final long serialVersionUID = 1;
    private final Outputs outputs;
    private transient TopologyContext here;
    private transient OutputCollector collector;
    private transient volatile boolean over;

    ChildBolt(String[] command, Map<String, String> env, Outputs outputs) {
        super(command);
        setEnv(env);
        changeChildCWD(false);   // Plan.command says why
        this.outputs = outputs;
    }

    @Override
    public void prepare(Map<String, Object> conf, TopologyContext context, OutputCollector output) {
        here = context;
        collector = output;
        try {
            super.prepare(conf, context, new Telling(output));
        } catch (RuntimeException e) {   // the child did not start
            died(e);
        }
    }

    @Override
    public void execute(Tuple tuple) {
        if (over) {
            collector.fail(tuple);
        } else {
            super.execute(tuple);
        }
    }

    @Override
    public void cleanup() {
        over = true;
        super.cleanup();
        Events.from(here, "closed");
    }

    private void died(Throwable why) {
        over = true;
        Events.from(here, "died", "text", String.valueOf(why));
    }

    /** Hears of errors in the child, and from ShellBolt itself of the child's death. */
    private final class Telling extends OutputCollector {
        Telling(OutputCollector output) {
            super(output);
        }

        @Override
        public void reportError(Throwable error) {
            if (over || error instanceof IOException) {
                return;   // let go; or it can't be written to, and the reader finds out too, after its last words
            }
            super.reportError(error);   // first, so that Storm knows it when the event comes
            String text = String.valueOf(error.getMessage());
            if (text.startsWith("Shell Process Exception:")) {
                Events.from(here, "error", "text", text);
            } else {
                died(error);
                ChildBolt.super.cleanup();
            }
        }
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
