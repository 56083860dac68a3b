internal import CSpecification
internal import HTTPServer

/// `/v1/errors`: the table that classifies results.
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
            throw Problem(.notFound, "no such error; GET /v1/errors lists all")
        }
        return ResponseFactory.json(CatalogueDocument.bytes(of: entry))
    }
}

/// `/openapi.yaml`, `/openapi.json` and `/docs`: the files that were embedded at build time.
enum SpecificationResource {
    // SAFETY for all: C arrays of these sizes that live as long as the process.
    private static let yamlBody = SharedBody(
        Array(UnsafeBufferPointer(start: connectd_openapi_yaml_start(), count: connectd_openapi_yaml_size)))
    private static let jsonBody = SharedBody(
        Array(UnsafeBufferPointer(start: connectd_openapi_json_start(), count: connectd_openapi_json_size)))
    private static let pageBody = SharedBody(
        Array(UnsafeBufferPointer(start: connectd_docs_html_start(), count: connectd_docs_html_size)))
    /// Allows the page's own style by its hash: W3C Content Security Policy Level 3.
    private static let pagePolicy = String(
        decoding: UnsafeBufferPointer(start: connectd_docs_csp_start(), count: connectd_docs_csp_size), as: UTF8.self)

    static func yaml(_ head: RequestHead) throws(Problem) -> Response {
        try QueryRule.acceptNone(head)
        return ResponseFactory.yaml(sharing: yamlBody)
    }

    static func json(_ head: RequestHead) throws(Problem) -> Response {
        try QueryRule.acceptNone(head)
        return ResponseFactory.json(sharing: jsonBody)
    }

    static func page(_ head: RequestHead) throws(Problem) -> Response {
        try QueryRule.acceptNone(head)
        return ResponseFactory.page(sharing: pageBody, contentSecurityPolicy: pagePolicy)
    }
}
