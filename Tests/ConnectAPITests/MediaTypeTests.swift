@testable import ConnectAPI
import Testing

/// Only application/json is accepted. A form on another site can send other types without a preflight request.
@Suite struct MediaTypeTests {
    @Test(arguments: [
        "application/json", "Application/JSON", "application/json;charset=utf-8", "application/json; charset=UTF-8",
        "application/json ; charset=\"utf-8\"", "application/json;", "application/json; profile=x",
        " application/json ",
        "application/json;\tcharset=utf-8",
    ])
    func `JSON in UTF-8 is JSON`(value: String) {
        #expect(MediaType.isJSON(value))
    }

    @Test(arguments: [
        "", "text/plain", "text/json", "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=application/json",
        "application/jsonx", "application/json5", "application/problem+json", "application/x-ndjson", "json",
        "application/ json", "text/plain; application/json", "text/plain, application/json", "*/*",
    ])
    func `other media types are refused`(value: String) {
        #expect(!MediaType.isJSON(value))
    }

    @Test(arguments: [
        "application/json; charset=utf-16", "application/json; charset=iso-8859-1", "application/json;charset=",
        "application/json; charset=utf-8; charset=latin1",
    ])
    func `a charset other than UTF-8 is refused`(value: String) {
        #expect(!MediaType.isJSON(value))
    }
}
