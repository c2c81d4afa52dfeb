import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.StandardCopyOption;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.elasticsearch.Build;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginsLoader;

/**
 * One node of Elasticsearch 8 or 9. It takes the steps of the server's own start, but for the security manager or entitlements, the
 * filter of system calls and the bootstrap checks.
 *
 * <p>The system property {@code transport} names the folder with the jars of the module for HTTP, and {@code shim} that with the
 * classes of our own module.
 */
public final class Main {
    public static void main(String[] arguments) throws Exception {
        Lifetime lifetime = new Lifetime(arguments);
        prepare(lifetime.home);

        Settings.Builder builder = Settings.builder();
        for (Map.Entry<String, String> setting : lifetime.settings().entrySet()) {
            builder.put(setting.getKey(), setting.getValue());
        }
        Settings settings = builder.build();
        LogConfigurator.registerErrorListener();
        LogConfigurator.setNodeName("node");
        LogConfigurator.configure(new Environment(settings, lifetime.config()), true);

        Environment environment =
            InternalSettingsPreparer.prepareEnvironment(settings, Collections.emptyMap(), lifetime.config(), () -> "node");
        PluginsLoader modules = PluginsLoader.createPluginsLoader(
            PluginsLoader.loadModulesBundles(lifetime.home.resolve("modules")),
            PluginsLoader.loadPluginsBundles(lifetime.home.resolve("plugins")),
            Map.of(),
            // The server is on the class path here, and no module in the sense of Java.
            false);
        new Node(environment, modules).start();
        Thread.currentThread().join();
    }

    /** Lays out the folders that the server reads. */
    private static void prepare(Path home) throws IOException {
        Path log = path("log4j2.configurationFile");
        Files.copy(log, home.resolve("config/log4j2.properties"), StandardCopyOption.REPLACE_EXISTING);
        Files.write(home.resolve("config/elasticsearch.yml"), List.of());

        Path netty = module(home, "transport-netty4", "org.elasticsearch.transport.netty4.Netty4Plugin");
        try (DirectoryStream<Path> jars = Files.newDirectoryStream(path("transport"), "*.jar")) {
            for (Path jar : jars) Files.copy(jar, netty.resolve(jar.getFileName()));
        }
        Path shim = module(home, "rest-shim", "shim.ShimPlugin");
        pack(path("shim"), shim.resolve("rest-shim.jar"));

        // The server's own build of libzstd is not published; the system's does as well.
        Path libraries = Files.createDirectories(path("es.nativelibs.path"));
        Files.createSymbolicLink(libraries.resolve("libzstd.so"), zstd());
    }

    private static Path path(String property) {
        return Paths.get(System.getProperty(property));
    }

    private static Path module(Path home, String name, String plugin) throws IOException {
        String version = Build.current().version();
        Path folder = Files.createDirectories(home.resolve("modules").resolve(name));
        Files.write(folder.resolve("plugin-descriptor.properties"), List.of(
            "name=" + name,
            "description=" + name,
            "version=" + version,
            "elasticsearch.version=" + version,
            "java.version=17",
            "classname=" + plugin,
            "extended.plugins=",
            "has.native.controller=false"));
        return folder;
    }

    private static void pack(Path classes, Path jar) throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.walk(classes)) {
            files = all.filter(Files::isRegularFile).collect(Collectors.toList());
        }
        try (OutputStream out = Files.newOutputStream(jar); ZipOutputStream zip = new ZipOutputStream(out)) {
            for (Path file : files) {
                zip.putNextEntry(new ZipEntry(classes.relativize(file).toString()));
                Files.copy(file, zip);
                zip.closeEntry();
            }
        }
    }

    private static Path zstd() throws IOException {
        for (String folder : new String[] {"/usr/lib", "/usr/lib64", "/lib", "/usr/local/lib"}) {
            if (!Files.isDirectory(Paths.get(folder))) continue;
            // On Debian a folder further down, named after the processor.
            try (Stream<Path> files = Files.find(Paths.get(folder), 2, (file, about) -> file.endsWith("libzstd.so.1"))) {
                Path found = files.findFirst().orElse(null);
                if (found != null) return found;
            }
        }
        throw new IllegalStateException("libzstd.so.1 is not there; on Debian: apt-get install libzstd1");
    }
}
