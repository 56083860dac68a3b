internal import CheckModel
internal import HTTPServer
internal import StrictJSON

/// `/v1/errors`: the table by which results are classified.
enum CatalogueResource {
    private static let all = ResponseFactory.fixed { writer in
        writer.beginObject()
        writer.member("errors")
        writer.beginArray()
        for entry in ErrnoCatalogue.entries { ErrorEncoder.write(entry, to: &writer) }
        writer.endArray()
        writer.endObject()
    }

    static func list(_ head: RequestHead) throws(Problem) -> Response {
        try QueryRule.acceptNone(head)
        return ResponseFactory.json(sharing: all)
    }

    /// - Parameter name: a name in any case, or a number.
    static func entry(_ name: String, _ head: RequestHead) throws(Problem) -> Response {
        try QueryRule.acceptNone(head)
        guard let entry = find(name) else {
            throw Problem(.notFound, "the catalogue has no such error; GET /v1/errors lists them")
        }
        var writer = JSONWriter()
        ErrorEncoder.write(entry, to: &writer)
        return ResponseFactory.json(writer.finishLine())
    }

    private static func find(_ name: String) -> ErrorCatalogueEntry? {
        if name.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            return Int32(name).flatMap { ErrnoCatalogue.entry(for: Errno($0)) }
        }
        return ErrnoCatalogue.entry(named: name)
    }
}
