package stormcell.localstorm;

import java.util.concurrent.TimeUnit;
import org.apache.storm.multilang.ShellMsg;
import org.apache.storm.task.TopologyContext;
import org.apache.storm.utils.ObjectReader;
import org.apache.storm.utils.ShellLogHandler;
import org.apache.storm.utils.ShellProcess;

/**
 * Turns a child's log messages into events. A topology's {@code localstorm.log.lines.per.second} caps each task's;
 * the next event then says how many were left out.
 */
public final class LogEvents implements ShellLogHandler {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    private TopologyContext here;
    private int limit;
    private int sent;
    private int dropped;
    private long windowStart = System.nanoTime();

    /** Storm calls this when the child has answered the handshake. */
    @Override
    public void setUpContext(Class<?> owner, ShellProcess process, TopologyContext context) {
        here = context;
        limit = ObjectReader.getInt(context.getConf().get("localstorm.log.lines.per.second"), Integer.MAX_VALUE);
        Events.from(here, "started", "pid", process.getPid());
    }

    @Override
    public void log(ShellMsg message) {
        if (overLimit()) {
            dropped++;
            return;
        }
        Events.from(here, "log", "level", message.getLogLevel(), "text", message.getMsg(), "dropped", dropped);
        dropped = 0;
    }

    private boolean overLimit() {
        long now = System.nanoTime();
        if (now - windowStart >= SECOND) {
            windowStart = now;
            sent = 0;
        }
        return sent++ >= limit;
    }
}
