internal import HTTPServer

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
