internal import Configuration
package import ConnectAPI
package import Metrics

/// `POST /v1/surveys` as a row of the route table. It exists without a fleet, too: then a survey asks only this instance.
package struct SurveyRoutes: ServiceExtension {
    private let own: SurveyPlan.Instance

    /// - Parameter own: this instance as a place of the fleet.
    package init(own: SurveyPlan.Instance = SurveyPlan.Instance()) {
        self.own = own
    }

    package func routes(of parts: ServiceParts, under settings: ServiceSettings) -> [Route] {
        let pipeline = CheckPipeline(parts: parts, settings: settings)
        return [
            Route(
                .post, "/v1/surveys", scope: .checks, body: .json(limit: SurveyDecoder.bodyBytes),
                .work(SurveyResource(pipeline, own: own)))
        ]
    }

    package func writeMetrics(to writer: inout ExpositionWriter) {}
}
