package tailwater.devstack;

import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Map;
import javax.servlet.DispatcherType;
import javax.servlet.http.HttpServlet;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;
import org.apache.solr.servlet.CoreContainerProvider;
import org.apache.solr.servlet.SolrDispatchFilter;
import org.eclipse.jetty.http.HttpVersion;
import org.eclipse.jetty.http2.server.HTTP2CServerConnectionFactory;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.SslConnectionFactory;
import org.eclipse.jetty.servlet.FilterHolder;
import org.eclipse.jetty.servlet.ServletContextHandler;
import org.eclipse.jetty.servlet.ServletHolder;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/**
 * Serves Solr from the published jars, as the distribution's own Jetty does from its web.xml.
 *
 * <pre>java … tailwater.devstack.SolrServer PORT SOLR_HOME</pre>
 */
public final class SolrServer {
    private static final String HOST = "127.0.0.1";
    private static final String CONTEXT = "/solr";
    private static final int MAX_HEADER_BYTES = 64 * 1024; // queries come as GET, and may be long

    private SolrServer() {}

    public static void main(String[] args) throws Exception {
        int port = Integer.parseInt(args[0]);
        Path home = Path.of(args[1]).toAbsolutePath();
        // What bin/solr would pass on the command line.
        Map<String, String> properties = Map.of(
            "solr.solr.home", home.toString(),
            "solr.log.dir", home.resolve("logs").toString(),
            "host", HOST,
            "hostPort", args[0],
            "hostContext", CONTEXT,
            "jetty.port", args[0]
        );
        properties.forEach(System::setProperty);

        Server server = new Server(new QueuedThreadPool(200, 4));
        server.addConnector(connector(server, port));
        server.setHandler(solr());
        server.setStopAtShutdown(true);
        server.start();
        server.join();
    }

    // HTTP/1.1 for clients, and HTTP/2 without TLS, which Solr's nodes speak among themselves.
    private static ServerConnector connector(Server server, int port) {
        HttpConfiguration http = new HttpConfiguration();
        http.setRequestHeaderSize(MAX_HEADER_BYTES);
        String keyStore = System.getProperty("tailwater.keyStore");
        ServerConnector connector = keyStore == null
            ? new ServerConnector(server, 1, 1, new HttpConnectionFactory(http), new HTTP2CServerConnectionFactory(http))
            : new ServerConnector(server, 1, 1, tls(keyStore), new HttpConnectionFactory(http));
        connector.setHost(HOST);
        connector.setPort(port);
        return connector;
    }

    private static SslConnectionFactory tls(String keyStore) {
        SslContextFactory.Server tls = new SslContextFactory.Server();
        tls.setKeyStorePath(keyStore);
        tls.setKeyStorePassword(System.getProperty("tailwater.keyStorePassword"));
        return new SslConnectionFactory(tls, HttpVersion.HTTP_1_1.asString());
    }

    private static ServletContextHandler solr() {
        ServletContextHandler context = new ServletContextHandler(ServletContextHandler.NO_SESSIONS);
        context.setContextPath(CONTEXT);
        context.addEventListener(new CoreContainerProvider()); // loads the cores
        FilterHolder dispatcher = new FilterHolder(SolrDispatchFilter.class);
        dispatcher.setAsyncSupported(true);
        context.addFilter(dispatcher, "/*", EnumSet.of(DispatcherType.REQUEST, DispatcherType.ERROR));
        // A filter runs only in front of a servlet; this one gets what Solr left.
        context.addServlet(new ServletHolder(new NotFound()), "/*");
        return context;
    }

    private static final class NotFound extends HttpServlet {
        private static final long serialVersionUID = 1L;

        @Override
        protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
            response.sendError(HttpServletResponse.SC_NOT_FOUND);
        }
    }
}
