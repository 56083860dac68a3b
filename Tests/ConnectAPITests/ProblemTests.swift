@testable import ConnectAPI
import StrictJSON
import Testing

/// Problems in the format of RFC 9457, byte for byte.
@Suite struct ProblemTests {
    private func text(_ problem: Problem) -> String { String(decoding: problem.body, as: UTF8.self) }

    @Test func `a problem without invalid input`() {
        #expect(
            text(Problem(.notFound, "no such resource")) == #"""
                {"type":"urn:connectd:problem:not_found","title":"Not Found","status":404,"detail":"no such resource"}

                """#)
    }

    @Test func `invalid input, each with its pointer`() throws {
        guard case .failure(let problems) = try decode(#"{"timeout_ms":0,"a\"b":1}"#) else {
            Issue.record("was accepted")
            return
        }
        let body = text(Problem(problems))
        #expect(body.hasPrefix(#"{"type":"urn:connectd:problem:bad_request","title":"Bad Request","status":400,"#))
        #expect(body.contains(#""detail":"3 inputs are invalid: /target: is required""#))
        #expect(body.contains(#"{"pointer":"/target","detail":"is required"}"#))
        #expect(body.contains(#"{"pointer":"/timeout_ms","detail":"must be from 1 to 60000, got 0"}"#))
        #expect(body.contains(#"{"pointer":"/a\"b","detail":"unknown member; known here: target, id, "#))
        #expect(body.hasSuffix("]}\n"))
    }

    @Test func `a body that is not JSON, with the position`() throws {
        do throws(JSONSyntaxError) {
            _ = try JSONValue.parse(Array("{\"target\":\n\"h:1\",}".utf8))
            Issue.record("was accepted")
        } catch {
            let problem = Problem(error)
            #expect(problem.kind == .badRequest)
            #expect(problem.detail.hasPrefix("the body is not valid JSON: line 2, column "))
            #expect(problem.errors.count == 1)
        }
    }

    @Test(arguments: [
        (#"{"target":"h:1","target":"h:1"}"#, "the body has a duplicate member: line 1, column 17: "),
        (#"{"timeout_ms":1e999}"#, "the body exceeds a limit: line 1, column 15: "),
        (String(repeating: "[", count: 17), "the body exceeds a limit: line 1, column 17: "),
        (String(repeating: "[", count: 16), "the body is not valid JSON: line 1, column 17: "),
    ])
    func `a body is called invalid JSON only if it is`(text: String, beginning: String) throws {
        let error = #expect(throws: JSONSyntaxError.self) { try JSONValue.parse(Array(text.utf8)) }
        let problem = Problem(try #require(error))
        #expect(problem.detail.hasPrefix(beginning), "\(problem.detail)")
    }

    @Test func `each problem has its documented status`() {
        let statuses = Problem.Kind.allCases.map { ($0.rawValue, $0.status) }
        let expected = [
            ("bad_request", 400), ("unauthorized", 401), ("denied", 403), ("foreign_origin", 403),
            ("insufficient_scope", 403), ("not_found", 404),
            ("method_not_allowed", 405), ("request_timeout", 408), ("content_too_large", 413),
            ("uri_too_long", 414), ("unsupported_media_type", 415), ("misdirected_request", 421),
            ("too_many_requests", 429), ("header_fields_too_large", 431),
            ("overloaded", 503), ("draining", 503), ("http_version_not_supported", 505),
        ]
        #expect(statuses.elementsEqual(expected, by: ==))
    }

    @Test func `problems over the limit are counted, not listed`() throws {
        let members = (0..<100).map { "\"x\($0)\":1" }.joined(separator: ",")
        guard case .failure(let problems) = try decode(#"{"target":"h:1",\#(members)}"#) else {
            Issue.record("was accepted")
            return
        }
        #expect(Problem(problems).errors.count == JSONProblems.limit)
        #expect(Problem(problems).detail.hasPrefix("100 inputs are invalid: /x0: "))
    }
}
