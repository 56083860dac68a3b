import Metrics
import Testing

@Suite struct ExpositionFormatTests {
    @Test(arguments: [
        "application/openmetrics-text", "application/openmetrics-text;version=1.0.0;charset=utf-8",
        "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1",
        "text/plain;q=0.5 , application/openmetrics-text; q=0.5",
    ])
    func clientsThatAcceptOpenMetricsGetIt(_ accept: String) {
        #expect(ExpositionFormat(accept: accept) == .openMetrics)
    }

    @Test(arguments: [
        nil, "", "*/*", "text/plain", "application/json", "application/openmetrics-text;q=0",
        "application/openmetrics-text;q=0.3,text/plain;q=0.9", "application/openmetrics-text;version=0.0.1",
    ])
    func otherClientsGetPrometheusText(_ accept: String?) {
        #expect(ExpositionFormat(accept: accept) == .prometheus)
    }
}
