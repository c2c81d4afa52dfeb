import java.lang.reflect.Constructor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.opensearch.Version;
import org.opensearch.cluster.service.ClusterService;
import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;

/** One node of OpenSearch 2.19 or 3, with its modules from the class path. */
public final class Main {
    /** Each module's class, as it is called in 3.x and in 2.x. */
    private static final String[][] MODULES = {
        {"org.opensearch.transport.Netty4ModulePlugin", "org.opensearch.transport.Netty4Plugin"},
        {"org.opensearch.painless.PainlessModulePlugin", "org.opensearch.painless.PainlessPlugin"},
        {"org.opensearch.index.reindex.ReindexModulePlugin", "org.opensearch.index.reindex.ReindexPlugin"},
        {"org.opensearch.index.mapper.MapperExtrasModulePlugin", "org.opensearch.index.mapper.MapperExtrasPlugin"},
        {"org.opensearch.join.ParentJoinModulePlugin", "org.opensearch.join.ParentJoinPlugin"},
        {"org.opensearch.percolator.PercolatorModulePlugin", "org.opensearch.percolator.PercolatorPlugin"},
        {"org.opensearch.analysis.common.CommonAnalysisModulePlugin", "org.opensearch.analysis.common.CommonAnalysisPlugin"},
        {"org.opensearch.ingest.common.IngestCommonModulePlugin", "org.opensearch.ingest.common.IngestCommonPlugin"},
        {"org.opensearch.script.mustache.MustacheModulePlugin", "org.opensearch.script.mustache.MustachePlugin"},
    };

    /** The constructor that takes modules is protected. Its list holds classes, and from 3.1 on descriptions of them. */
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
        for (String[] names : MODULES) modules.add(module(names));
        new ModularNode(environment, wantsDescriptions() ? descriptions(modules) : modules).start();
        Thread.currentThread().join();
    }

    private static Class<?> module(String[] names) {
        for (String name : names) {
            try {
                return Class.forName(name);
            } catch (ClassNotFoundException next) {
                // It has the other name.
            }
        }
        throw new IllegalStateException("not on the class path: " + Arrays.toString(names));
    }

    private static boolean wantsDescriptions() {
        for (Constructor<?> constructor : Node.class.getDeclaredConstructors()) {
            if (constructor.getParameterCount() == 3 && constructor.getParameterTypes()[1] == Collection.class) {
                return constructor.getGenericParameterTypes()[1].getTypeName().contains("PluginInfo");
            }
        }
        throw new IllegalStateException("no constructor of the node takes modules in " + Version.CURRENT);
    }

    private static List<Object> descriptions(List<Class<?>> modules) throws ReflectiveOperationException {
        // Name, description, version, server's version, Java, class, what it extends, whether it brings a program.
        Constructor<?> description = Class.forName("org.opensearch.plugins.PluginInfo").getConstructor(
            String.class, String.class, String.class, Version.class, String.class, String.class, List.class, boolean.class);
        String java = Integer.toString(Runtime.version().feature());
        List<Object> described = new ArrayList<>();
        for (Class<?> module : modules) {
            String name = module.getName();
            described.add(description.newInstance(name, name, "NA", Version.CURRENT, java, name, Collections.emptyList(), false));
        }
        return described;
    }
}
