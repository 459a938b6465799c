package stormcell.localstorm;

import java.util.Map;
import org.apache.storm.spout.ShellSpout;
import org.apache.storm.spout.SpoutOutputCollector;
import org.apache.storm.task.TopologyContext;
import org.apache.storm.topology.IRichSpout;
import org.apache.storm.topology.OutputFieldsDeclarer;

/**
 * Storm's ShellSpout, which also tells of the errors it reports and of its end. If its child dies it does nothing
 * any more, where Storm would end the worker: here that is this JVM.
 */
public final class ChildSpout extends ShellSpout implements IRichSpout {
    private static final long serialVersionUID = 1;
    private final Outputs outputs;
    private transient TopologyContext here;
    private transient boolean over;

    ChildSpout(String[] command, Map<String, String> env, Outputs outputs) {
        super(command);
        setEnv(env);
        changeChildCWD(false);   // Plan.command says why
        this.outputs = outputs;
    }

    @Override
    public void open(Map<String, Object> conf, TopologyContext context, SpoutOutputCollector collector) {
        here = context;
        whileItLives(() -> super.open(conf, context, new SpoutOutputCollector(collector) {
            @Override
            public void reportError(Throwable error) {
                super.reportError(error);   // first, so that Storm knows it when the event comes
                Events.from(context, "error", "text", String.valueOf(error.getMessage()));
            }
        }));
    }

    @Override
    public void nextTuple() {
        whileItLives(super::nextTuple);
    }

    @Override
    public void ack(Object id) {
        whileItLives(() -> super.ack(id));
    }

    @Override
    public void fail(Object id) {
        whileItLives(() -> super.fail(id));
    }

    @Override
    public void activate() {
        whileItLives(super::activate);
    }

    @Override
    public void deactivate() {
        whileItLives(super::deactivate);
    }

    private void whileItLives(Runnable step) {
        if (over) {
            return;
        }
        try {
            step.run();
        } catch (RuntimeException e) {
            over = true;
            Events.from(here, "died", "text", String.valueOf(e));
        }
    }

    @Override
    public void close() {
        over = true;
        super.close();
        Events.from(here, "closed");
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
