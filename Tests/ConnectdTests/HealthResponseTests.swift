import Testing
@testable import connectd

@Suite("The response to a health check")
struct HealthResponseTests {
    private func parsed(_ text: String) -> HealthResponse? { HealthResponse(parsing: Array(text.utf8)) }

    @Test("has a status, a reason phrase and a body")
    func reading() throws {
        let response = try #require(parsed("HTTP/1.1 503 Not Ready\r\nContent-LENGTH: 3\r\n\r\na\nb"))
        #expect(response.status == 503 && response.reason == "Not Ready")
        #expect(response.isComplete)
        #expect(response.bodyLine == "a b")
    }

    @Test(
        "is complete only after Content-Length bytes",
        arguments: ["Content-Length: 3\r\n\r\nab", "X: 1\r\n\r\nabc", "Content-Length: x\r\n\r\nabc"])
    func incomplete(rest: String) throws {
        #expect(try #require(parsed("HTTP/1.1 200 OK\r\n" + rest)).isComplete == false)
    }

    @Test(
        "is nil with an incomplete head, or if it is not HTTP",
        arguments: [
            "", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n", "SSH-2.0-x\r\n\r\n", "HTTP/2 200 OK\r\n\r\n",
            "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 099 OK\r\n\r\n", "HTTP/1.1 +20 OK\r\n\r\n",
            "\r\n\r\n",
        ])
    func nothing(text: String) {
        #expect(parsed(text) == nil)
    }

    @Test("shows a body in one short line without control characters")
    func bodyLine() throws {
        let body = "a\u{1B}[31mb\r\n\u{0}c " + String(repeating: "x", count: 1000)
        let line = try #require(parsed("HTTP/1.1 500 x\r\n\r\n" + body)).bodyLine
        #expect(line.hasPrefix("a [31mb c xxx"))
        #expect(line.count == 300)
    }

    @Test("shows a reason phrase without control characters")
    func reason() throws {
        let response = try #require(parsed("HTTP/1.1 503 \u{1B}]0;x\u{7} \u{9B}31m|\u{301}Down\r\n\r\n"))
        #expect(response.reason == "]0;x 31m| Down")
    }
}
