package stormcell.localstorm;

import java.util.Map;
import org.apache.storm.task.OutputCollector;
import org.apache.storm.task.ShellBolt;
import org.apache.storm.task.TopologyContext;
import org.apache.storm.topology.IRichBolt;
import org.apache.storm.topology.OutputFieldsDeclarer;

/** Storm's ShellBolt, unchanged but for telling of the errors it reports and of its end. */
public final class ChildBolt extends ShellBolt implements IRichBolt {
    private static final long serialVersionUID = 1;
    private final Outputs outputs;
    private transient TopologyContext here;

    ChildBolt(String[] command, Map<String, String> env, Outputs outputs) {
        super(command);
        setEnv(env);
        changeChildCWD(false);   // Plan.command says why
        this.outputs = outputs;
    }

    @Override
    public void prepare(Map<String, Object> conf, TopologyContext context, OutputCollector collector) {
        here = context;
        super.prepare(conf, context, new OutputCollector(collector) {
            @Override
            public void reportError(Throwable error) {
                super.reportError(error);   // first, so that Storm knows it when the event comes
                Events.from(context, "error", "text", String.valueOf(error.getMessage()));
            }
        });
    }

    @Override
    public void cleanup() {
        super.cleanup();
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
