import CheckEngine
import CheckModel
@testable import ConnectAPI
import StrictJSON
import Testing

/// `trace` of a request.
@Suite struct TraceDecoderTests {
    private func decode(_ trace: String, target: String = "tcp://10.0.0.1:80", maximum: Int = 60_000) throws
        -> TraceOptions?
    {
        let document = try JSONValue.parse(Array(#"{"target":"\#(target)","trace":\#(trace)}"#.utf8))
        return try CheckDecoder.decode(document, maximumTimeoutMilliseconds: maximum).request.trace
    }

    private func problems(_ trace: String, target: String = "tcp://10.0.0.1:80") -> [String] {
        do {
            _ = try decode(trace, target: target)
            return []
        } catch {
            return ((error as? JSONProblems)?.problems ?? []).map { "\($0.pointer) \($0.detail)" }
        }
    }

    @Test func wordsHaveDefaultOptions() throws {
        #expect(try decode(#""never""#) == nil)
        let options = try #require(try decode(#""always""#))
        #expect(options.when == .always)
        #expect(options.maxTTL == 30)
        #expect(options.flow == .varied)
        #expect(options.timeoutMilliseconds == 3000)
        #expect(try decode(#""on_failure""#)?.when == .onFailure)
    }

    @Test func objectsHaveOptions() throws {
        let options = try #require(try decode(#"{"when":"always","max_ttl":255,"flow":"fixed","timeout_ms":1}"#))
        #expect(options.when == .always)
        #expect(options.maxTTL == 255)
        #expect(options.flow == .fixed)
        #expect(options.timeoutMilliseconds == 1)
        #expect(try decode("{}")?.when == .onFailure)
        #expect(try decode(#"{"when":"never"}"#) == nil)
    }

    @Test func configuredLimitAppliesToTraces() throws {
        #expect(try decode(#""always""#, maximum: 2000)?.timeoutMilliseconds == 2000)
        #expect(throws: JSONProblems.self) { try decode(#"{"timeout_ms":2001}"#, maximum: 2000) }
    }

    @Test(arguments: [
        ("true", "/trace must be \"never\", \"on_failure\", \"always\" or an object, got a boolean"),
        (#""sometimes""#, "/trace must be one of: never, on_failure, always"),
        (#"{"max_ttl":0}"#, "/trace/max_ttl must be"), (#"{"max_ttl":256}"#, "/trace/max_ttl must be"),
        (#"{"timeout_ms":0}"#, "/trace/timeout_ms must be"), (#"{"timeout_ms":60001}"#, "/trace/timeout_ms must be"),
        (#"{"flow":"both"}"#, "/trace/flow must be one of: varied, fixed"), (#"{"hops":3}"#, "/trace/hops"),
    ])
    func wrongValuesAreReported(trace: String, problem: String) {
        let found = problems(trace)
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix(problem) == true, "\(found)")
    }

    @Test func unixTargetsHaveNoPath() {
        #expect(
            problems(#""always""#, target: "unix:/run/x.sock")
                == ["/trace requires a TCP or UDP target: a UNIX-domain socket has no path through a network"])
        #expect(problems(#""never""#, target: "unix:/run/x.sock").isEmpty)
    }
}
