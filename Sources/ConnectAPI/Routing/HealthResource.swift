internal import HTTPServer
internal import StrictJSON

/// `/livez` and `/readyz`.
enum HealthResource {
    private static let liveBody = ResponseFactory.fixed { status("live", to: &$0) }
    private static let readyBody = ResponseFactory.fixed { status("ready", to: &$0) }

    static func live(_ head: RequestHead) throws(Problem) -> Response {
        try QueryRule.acceptNone(head)
        return ResponseFactory.json(sharing: liveBody)
    }

    static func ready(_ head: RequestHead, isDraining: Bool) throws(Problem) -> Response {
        try QueryRule.acceptNone(head)
        guard isDraining else { return ResponseFactory.json(sharing: readyBody) }
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("status")
        writer.string("draining")
        writer.member("detail")
        writer.string("The service is stopping; send new work elsewhere.")
        writer.endObject()
        return ResponseFactory.json(status: 503, writer.finishLine())
    }

    private static func status(_ word: String, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("status")
        writer.string(word)
        writer.endObject()
    }
}
