internal import CheckModel
internal import HTTPServer

/// `/v1/errors`: the table by which results are classified.
enum CatalogueResource {
    private static let all = SharedBody(CatalogueDocument.list())

    static func list(_ head: RequestHead) throws(Problem) -> Response {
        try QueryRule.acceptNone(head)
        return ResponseFactory.json(sharing: all)
    }

    /// - Parameter name: a name in any case, or a number.
    static func entry(_ name: String, _ head: RequestHead) throws(Problem) -> Response {
        try QueryRule.acceptNone(head)
        guard let entry = CatalogueDocument.entry(name) else {
            throw Problem(.notFound, "the catalogue has no such error; GET /v1/errors lists them")
        }
        return ResponseFactory.json(CatalogueDocument.bytes(of: entry))
    }
}
