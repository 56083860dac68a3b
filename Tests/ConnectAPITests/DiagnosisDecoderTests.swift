@testable import ConnectAPI
import CheckEngine
import CheckModel
import StrictJSON
import Testing

/// The body of `/v1/diagnoses`.
@Suite struct DiagnosisDecoderTests {
    private func decode(_ text: String, maximum: Int = 60_000) throws -> DiagnosisRequest {
        try DiagnosisDecoder.decode(try JSONValue.parse(Array(text.utf8)), maximumTimeoutMilliseconds: maximum)
    }

    private func pointers(_ text: String) throws -> [String] {
        let document = try JSONValue.parse(Array(text.utf8))
        do throws(JSONProblems) {
            _ = try DiagnosisDecoder.decode(document, maximumTimeoutMilliseconds: 60_000)
            return []
        } catch {
            return error.problems.map(\.pointer)
        }
    }

    @Test("a target alone has the default timeout, within the limit of the service")
    func defaults() throws {
        let request = try decode(#"{"target":"10.0.0.7:80"}"#)
        #expect(request.timeoutMilliseconds == 20_000)
        #expect(request.control == nil)
        #expect(try decode(#"{"target":"10.0.0.7:80"}"#, maximum: 3000).timeoutMilliseconds == 3000)
    }

    @Test("the members of a check and a control target")
    func members() throws {
        let request = try decode(
            #"""
            {"target":"10.0.0.7:80","timeout_ms":700,"control":"tls://10.0.0.1:443","resolve":{"family":"ipv4"},
             "bind":{"port":7},"socket":{"ttl":9},"tls":{"verify":false}}
            """#)
        #expect(request.timeoutMilliseconds == 700)
        #expect(request.check.request.resolve.family == .ipv4)
        #expect(request.check.request.bind.port == 7)
        #expect(request.check.request.socket.ttl == 9)
        #expect(request.check.request.tls?.verify == false)
        #expect(request.control?.request.tls != nil, "tls:// implies TLS for a control target too")
    }

    @Test("every problem is reported at once, with its pointer")
    func problems() throws {
        #expect(try pointers("{}") == ["/target"])
        #expect(
            try pointers(#"{"target":"x","timeout_ms":0,"control":5,"tls":{"a":1},"hold_ms":5}"#).sorted()
                == ["/control", "/hold_ms", "/target", "/timeout_ms", "/tls/a"])
        #expect(try pointers(#"{"target":"udp://10.0.0.7:80","tls":true}"#) == ["/tls"])
    }
}
