import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.elasticsearch.cluster.service.ClusterService;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;

/** One node of Elasticsearch 7.17, with its modules from the class path. */
public final class Main {
    private static final String[] MODULES = {
        "org.elasticsearch.transport.netty4.Netty4Plugin|org.elasticsearch.transport.Netty4Plugin",
        "org.elasticsearch.reindex.ReindexPlugin|org.elasticsearch.index.reindex.ReindexPlugin",
        "org.elasticsearch.index.mapper.extras.MapperExtrasPlugin|org.elasticsearch.index.mapper.MapperExtrasPlugin",
        "org.elasticsearch.join.ParentJoinPlugin",
        "org.elasticsearch.percolator.PercolatorPlugin",
    };

    /** The constructor that takes modules is protected. */
    private static final class ModularNode extends Node {
        @SuppressWarnings({"unchecked", "rawtypes"})
        ModularNode(Environment environment, Collection modules) {
            super(environment, modules, true);
        }

        @Override
        protected void configureNodeAndClusterIdStateListener(ClusterService service) {
            // It would put the node's name into the pattern of the server's own log.
        }
    }

    public static void main(String[] arguments) throws Exception {
        Lifetime lifetime = new Lifetime(arguments);
        Settings.Builder settings = Settings.builder();
        for (Map.Entry<String, String> setting : lifetime.settings().entrySet()) {
            settings.put(setting.getKey(), setting.getValue());
        }
        Environment environment = InternalSettingsPreparer.prepareEnvironment(
            settings.build(), Collections.emptyMap(), lifetime.config(), () -> "node");
        List<Class<?>> modules = new ArrayList<>();
        for (String names : MODULES) modules.add(module(names));
        new ModularNode(environment, modules).start();
        Thread.currentThread().join();
    }

    private static Class<?> module(String names) {
        for (String name : names.split("\\|")) {
            try {
                return Class.forName(name);
            } catch (ClassNotFoundException next) {
                // It has the other name.
            }
        }
        throw new IllegalStateException("not on the class path: " + names);
    }
}
