package tailwater.devstack;

import java.io.IOException;
import org.apache.solr.request.SolrQueryRequest;
import org.apache.solr.response.SolrQueryResponse;
import org.apache.solr.update.AddUpdateCommand;
import org.apache.solr.update.processor.UpdateRequestProcessor;
import org.apache.solr.update.processor.UpdateRequestProcessorFactory;

/** Fails at documents with the field poison_s as a defect of an analyser or a processor does: Solr answers with status 500. */
public final class FailingProcessorFactory extends UpdateRequestProcessorFactory {
    @Override
    public UpdateRequestProcessor getInstance(SolrQueryRequest request, SolrQueryResponse response, UpdateRequestProcessor next) {
        return new UpdateRequestProcessor(next) {
            @Override
            public void processAdd(AddUpdateCommand command) throws IOException {
                Object poison = command.getSolrInputDocument().getFieldValue("poison_s");
                if (poison != null) {
                    throw new IllegalStateException("defect at " + poison);
                }
                super.processAdd(command);
            }
        };
    }
}
