internal import CSpecification
internal import HTTPServer

/// `/openapi.yaml` and `/openapi.json`: the bytes of the files that the build was made with.
enum SpecificationResource {
    // SAFETY of both: C arrays of that many bytes, for the life of the process.
    private static let yamlBody = SharedBody(
        Array(UnsafeBufferPointer(start: connectd_openapi_yaml_start(), count: connectd_openapi_yaml_size)))
    private static let jsonBody = SharedBody(
        Array(UnsafeBufferPointer(start: connectd_openapi_json_start(), count: connectd_openapi_json_size)))

    static func yaml(_ head: RequestHead) throws(Problem) -> Response {
        try QueryRule.acceptNone(head)
        return ResponseFactory.yaml(sharing: yamlBody)
    }

    static func json(_ head: RequestHead) throws(Problem) -> Response {
        try QueryRule.acceptNone(head)
        return ResponseFactory.json(sharing: jsonBody)
    }
}
