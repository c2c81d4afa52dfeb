import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Map;
import java.util.TreeMap;

/**
 * What all servers here have in common: their arguments, their folders, and an end that comes for sure.
 *
 * <p>A server lives as long as whoever started it: its standard input is a pipe, and when the other end of it is closed, be it by a
 * process that was killed, the server deletes its folder and ends. One byte on the pipe sets it free. Nothing is closed in order:
 * what the server holds is thrown away.
 */
final class Lifetime {
    /** The folder of this server alone; deleted at the end. */
    final Path home;

    private final Map<String, String> settings = new TreeMap<>();

    /** Reads {@code --home DIR} and any number of {@code --set KEY=VALUE}; from here on the end is being watched for. */
    Lifetime(String[] arguments) throws IOException {
        Path home = null;
        for (int at = 0; at + 1 < arguments.length; at += 2) {
            String value = arguments[at + 1];
            if (arguments[at].equals("--home")) {
                home = Paths.get(value).toAbsolutePath();
            } else if (arguments[at].equals("--set")) {
                int equals = value.indexOf('=');
                settings.put(value.substring(0, equals), value.substring(equals + 1));
            } else {
                throw new IllegalArgumentException(arguments[at]);
            }
        }
        if (home == null) throw new IllegalArgumentException("--home DIR is missing");
        this.home = home;
        Runtime.getRuntime().addShutdownHook(new Thread(this::end));
        Thread watch = new Thread(this::watch, "watch");
        watch.setDaemon(true);
        watch.start();
        for (String folder : new String[] {"config", "data", "logs", "modules", "plugins", "tmp"}) {
            Files.createDirectories(home.resolve(folder));
        }
    }

    /** The settings of the node: those that were given, and its folders. */
    Map<String, String> settings() {
        settings.put("path.home", home.toString());
        settings.put("path.data", home.resolve("data").toString());
        settings.put("path.logs", home.resolve("logs").toString());
        return settings;
    }

    Path config() {
        return home.resolve("config");
    }

    private void watch() {
        int first;
        try {
            first = System.in.read();
        } catch (IOException broken) {
            first = -1;
        }
        if (first == -1) end();
    }

    private void end() {
        // The node is at work still, and may write what was just deleted.
        for (int tries = 0; tries < 50 && Files.exists(home); tries++) {
            try {
                delete(home);
            } catch (IOException | UncheckedIOException again) {
                sleep(20);
            }
        }
        Runtime.getRuntime().halt(0);
    }

    private static void sleep(long milliseconds) {
        try {
            Thread.sleep(milliseconds);
        } catch (InterruptedException early) {
            // Then the next try comes early.
        }
    }

    private static void delete(Path folder) throws IOException {
        Files.walkFileTree(folder, new SimpleFileVisitor<Path>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.deleteIfExists(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException gone) {
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path folder, IOException ignored) throws IOException {
                Files.deleteIfExists(folder);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
