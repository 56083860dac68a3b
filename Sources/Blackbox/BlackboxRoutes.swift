internal import CheckEngine
internal import CheckModel
internal import Configuration
package import ConnectAPI
internal import HTTPServer
package import Metrics

/// The resources of blackbox_exporter as rows of the route table, with the modules of one configuration.
package struct BlackboxRoutes: ServiceExtension {
    private let blackbox: BlackboxService
    private let modules: BlackboxModules

    package init(_ blackbox: BlackboxService, modules: BlackboxModules) {
        self.blackbox = blackbox
        self.modules = modules
    }

    package func routes(of parts: ServiceParts, under settings: ServiceSettings) -> [Route] {
        [
            Route(
                .get, "/probe", scope: .probe,
                .work(BlackboxProbeResource(blackbox: blackbox, modules: modules, parts: parts, settings: settings))),
            Route(
                .get, "/", decodesPath: true, scope: .probe,
                .answer { [blackbox] _ in BlackboxIndex.page(of: blackbox.history) }),
            Route(
                .get, "/config", decodesPath: true, scope: .admin,
                .answer { [modules] _ in BlackboxResource.config(modules) }),
            Route(
                .get, "/logs", decodesPath: true, scope: .probe, .answer { [blackbox] head in blackbox.logs(head) }),
            Route(.get, "/-/healthy", decodesPath: true, .answer { _ in BlackboxResource.healthy }),
            Route(
                [.post, .put], "/-/reload", decodesPath: true, scope: .admin,
                .work(BlackboxReloadResource(blackbox: blackbox))),
        ]
    }

    package func writeMetrics(to writer: inout ExpositionWriter) {
        blackbox.counts.write(to: &writer)
    }
}

/// `POST /-/reload`, as blackbox_exporter has it.
final class BlackboxReloadResource: RequestResponder {
    private let blackbox: BlackboxService

    init(blackbox: BlackboxService) {
        self.blackbox = blackbox
    }

    func respond(to request: Request, on worker: Int) async -> Response {
        await blackbox.reload()
    }
}
