package import HTTPServer
internal import StrictJSON

/// Creates responses with the header fields that all responses share.
package enum ResponseFactory {
    private static let common: [(name: String, value: String)] = [
        ("X-Content-Type-Options", "nosniff"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Cache-Control", "no-store"),
    ]
    private static let json = common + [("Content-Type", "application/json")]
    private static let problem = common + [("Content-Type", "application/problem+json")]
    private static let yaml = common + [("Content-Type", "application/yaml")]

    package static func json(
        status: Int = 200, _ body: [UInt8], headers: [(name: String, value: String)] = []
    ) -> Response {
        Response(status: status, headers: headers.isEmpty ? json : json + headers, body: body)
    }

    package static func json(
        sharing body: SharedBody, headers: [(name: String, value: String)] = []
    ) -> Response {
        Response(status: 200, headers: headers.isEmpty ? json : json + headers, sharing: body)
    }

    static func yaml(sharing body: SharedBody) -> Response {
        Response(status: 200, headers: yaml, sharing: body)
    }

    /// An HTML page.
    package static func page(sharing body: SharedBody, contentSecurityPolicy: String) -> Response {
        let headers = [
            ("Content-Type", "text/html; charset=utf-8"), ("Content-Security-Policy", contentSecurityPolicy),
            ("Referrer-Policy", "no-referrer"),
        ]
        return Response(status: 200, headers: common + headers, sharing: body)
    }

    /// Text in a format other than JSON.
    package static func text(status: Int = 200, _ body: [UInt8], as contentType: String) -> Response {
        Response(status: status, headers: common + [("Content-Type", contentType)], body: body)
    }

    package static func text(sharing body: SharedBody, as contentType: String) -> Response {
        Response(status: 200, headers: common + [("Content-Type", contentType)], sharing: body)
    }

    static func problem(_ problem: Problem) -> Response {
        let headers = problem.headers.isEmpty ? Self.problem : Self.problem + problem.headers
        return Response(status: problem.kind.status, headers: headers, body: problem.body)
    }

    /// A body that is written while it is sent.
    package static func stream(
        _ headers: [(name: String, value: String)], _ producer: @escaping StreamProducer
    ) -> Response {
        Response(status: 200, headers: common + headers, stream: producer)
    }

    /// A JSON document that never changes.
    static func fixed(_ write: (inout JSONWriter) -> Void) -> SharedBody {
        var writer = JSONWriter()
        write(&writer)
        return SharedBody(writer.finishLine())
    }
}
