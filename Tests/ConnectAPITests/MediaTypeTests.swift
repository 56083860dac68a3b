@testable import ConnectAPI
import Testing

/// Only application/json is JSON: a form of another site can send the others without asking.
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
    func `no other type is JSON`(value: String) {
        #expect(!MediaType.isJSON(value))
    }

    @Test(arguments: [
        "application/json; charset=utf-16", "application/json; charset=iso-8859-1", "application/json;charset=",
        "application/json; charset=utf-8; charset=latin1",
    ])
    func `another charset is refused, since JSON is UTF-8`(value: String) {
        #expect(!MediaType.isJSON(value))
    }
}
