import AccessPolicy
import CheckEngine
import CheckModel
import Configuration
@testable import ConnectAPI
import ErrorCatalogue
import NetworkTypes
import StrictJSON
import Testing

/// The body of a batch, and its checks with the defaults.
@Suite struct BatchDecoderTests {
    private func settings(batchChecks: Int = 10) -> ServiceSettings {
        ServiceSettings(
            checkContext: CheckContext(policy: nil), permissions: RequestPermissions(dialogs: .any, options: []),
            hosts: HostRule(names: []), tokens: TokenRule(tokens: []), maximumTimeoutMilliseconds: 60_000,
            bodyBytes: 1 << 20, batchChecks: batchChecks, prober: nil)
    }

    private func batch(_ text: String) throws -> BatchRequest {
        try BatchDecoder.batch(Array(text.utf8), under: settings(batchChecks: 3))
    }

    private func problem(_ text: String) -> Problem? {
        do throws(Problem) {
            _ = try BatchDecoder.batch(Array(text.utf8), under: settings(batchChecks: 3))
            return nil
        } catch {
            return error
        }
    }

    private func request(_ index: Int, of batch: BatchRequest) throws -> CheckRequest {
        try batch.items.check(index, maximumTimeoutMilliseconds: 60_000).request
    }

    private func refusal(_ text: String) throws -> BatchItems.Refusal? {
        let items = try batch(text).items
        do throws(BatchItems.Refusal) {
            _ = try items.check(0, maximumTimeoutMilliseconds: 60_000)
            return nil
        } catch {
            return error
        }
    }

    @Test func onlyChecksAreRequired() throws {
        let batch = try batch(#"{"checks":[]}"#)
        #expect(batch.items.count == 0 && batch.options == BatchOptions(concurrency: 512))
    }

    /// The second check of each batch has a space that only the full decoder skips.
    @Test(arguments: [
        "tcp://10.0.0.7:443", "10.0.0.7:443", "tls://a.example:443", "udp://[2001:db8::7]:domain", "unix:/run/a.sock",
        "a:b:c",
        "", " ", "tcp://10.0.0.7", "tcp://0177.0.0.1:1", "tcp://münchen.example:443",
        #"tcp:\/\/10.0.0.7:443"#, #"a\u0000b"#, "a\u{7F}",
    ])
    func aCheckWithOnlyATargetIsDecodedAsAnyOther(target: String) throws {
        for defaults in ["{}", #"{"timeout_ms":7}"#, #"{"id":"x"}"#] {
            let text = #"{"defaults":\#(defaults),"checks":[{"target":"\#(target)"},{ "target": "\#(target)"}]}"#
            let items = try batch(text).items
            let answers = (0..<2).map { index in
                do throws(BatchItems.Refusal) {
                    let request = try items.check(index, maximumTimeoutMilliseconds: 60_000).request
                    return "\(request)"
                } catch {
                    return error.problems.map(\.detail).joined()
                }
            }
            #expect(answers[0] == answers[1])
        }
    }

    @Test func thePaceIsRead() throws {
        let options = try batch(
            #"{"checks":[],"concurrency":1e9,"rate_per_second":0.5,"per_host":2,"retry_timeouts":3}"#
        ).options
        #expect(options.concurrency == 1_000_000_000 && options.ratePerSecond == 0.5)
        #expect(options.perHost == 2 && options.timeoutRetries == 3)
    }

    @Test(arguments: [
        (#"{}"#, "/checks"), (#"{"checks":{}}"#, "/checks"), (#"{"checks":null}"#, "/checks"),
        (#"{"checks":[1,2,3,4]}"#, "/checks"), (#"{"checks":[],"concurrency":0}"#, "/concurrency"),
        (#"{"checks":[],"concurrency":-1}"#, "/concurrency"), (#"{"checks":[],"concurrency":1.5}"#, "/concurrency"),
        (#"{"checks":[],"concurrency":"4"}"#, "/concurrency"),
        (#"{"checks":[],"rate_per_second":-1}"#, "/rate_per_second"),
        (#"{"checks":[],"rate_per_second":"1"}"#, "/rate_per_second"), (#"{"checks":[],"per_host":-1}"#, "/per_host"),
        (#"{"checks":[],"retry_timeouts":4}"#, "/retry_timeouts"), (#"{"checks":[],"from":"any"}"#, "/from"),
        (#"{"checks":[],"defaults":[]}"#, "/defaults"), (#"{"checks":[],"defaults":{"port":1}}"#, "/defaults/port"),
        (#"{"checks":[],"defaults":{"timeout_ms":0}}"#, "/defaults/timeout_ms"),
        (#"{"checks":[],"defaults":{"tls":{"ca":"x"}}}"#, "/defaults/tls/ca"),
        (#"{"checks":[],"defaults":{"dialog":[{"expect":"("}]}}"#, "/defaults/dialog/0/expect"),
        (#"{"checks":[],"defaults":{"target":"x"}}"#, "/defaults/target"), (#"[]"#, ""),
        (#"{"checks":[],"checks":[]}"#, "/checks"),
    ])
    func whatIsWrongWithTheBatchIsAProblem(_ text: String, _ pointer: String) throws {
        let problem = try #require(self.problem(text))
        #expect(problem.kind == .badRequest && problem.errors.map(\.pointer) == [pointer])
    }

    @Test func theLimitIsNamed() throws {
        let problem = try #require(self.problem(#"{"checks":[1,2,3,4]}"#))
        #expect(problem.errors[0].detail == "must have at most 3 checks (limits.batch), got 4")
    }

    @Test func defaultsFillWhatACheckDoesNotHave() throws {
        let batch = try batch(
            #"""
            {"defaults":{"target":"tcp://a:1","timeout_ms":9,"labels":{"x":"1","y":"2"},"socket":{"ttl":5,"dscp":1},
                         "tls":{"verify":false,"min_days_left":3},"resolve":{"family":"ipv4"},"expect":"refused"},
             "checks":[{},{"target":"tcp://b:2","timeout_ms":8,"labels":{"y":"3","z":"4"},"socket":{"ttl":6},
                           "tls":{"min_days_left":4},"expect":["timeout"]},
                       {"tls":true}]}
            """#)
        let first = try request(0, of: batch)
        #expect(first.target.text == "tcp://a:1" && first.timeoutMilliseconds == 9 && first.resolve.family == .ipv4)
        #expect(first.labels == [Label(name: "x", value: "1"), Label(name: "y", value: "2")])
        let second = try request(1, of: batch)
        #expect(second.target.text == "tcp://b:2" && second.timeoutMilliseconds == 8)
        #expect(second.socket.ttl == 6 && second.socket.dscp == 1)
        #expect(second.tls?.verify == false && second.tls?.minimumDaysLeft == 4)
        #expect(
            second.labels
                == [Label(name: "y", value: "3"), Label(name: "z", value: "4"), Label(name: "x", value: "1")])
        #expect(second.expectation == .oneOf([.failed(.timeout)]))
        #expect(try request(2, of: batch).tls == TLSOptions(), "true is not an object: it replaces the defaults")
    }

    @Test(arguments: [
        ("7", "/checks/0"), ("null", "/checks/0"), ("[]", "/checks/0"), ("{}", "/checks/0/target"),
        (#"{"target":"tcp://a:1","x":1}"#, "/checks/0/x"), (#"{"target":"a"}"#, "/checks/0/target"),
        (#"{"target":"tcp://a:1","target":"tcp://b:1"}"#, "/checks/0/target"),
        (#"{"target":"tcp://a:1","timeout_ms":1e999}"#, "/checks/0/timeout_ms"),
        (#"{"target":"tcp://a:1","labels":[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]}"#, ""),
        (#"{"target":"tcp://a:1","id":"\#(String(repeating: "x", count: 65_536))"}"#, "/checks/0"),
    ])
    func aBadCheckIsItsOwnProblem(_ text: String, _ pointer: String) throws {
        let refusal = try #require(try refusal(#"{"checks":[\#(text)]}"#))
        #expect(refusal.problems.first?.pointer.hasPrefix(pointer) == true)
        if !pointer.isEmpty { #expect(refusal.problems.map(\.pointer) == [pointer]) }
    }

    @Test func aBadCheckIsEchoedAsFarAsItCanBeRead() throws {
        let refusal = try #require(
            try refusal(#"{"checks":[{"id":"7","labels":{"a":"b"},"target":"oops","x":1}]}"#))
        let echo = BatchEcho(refusal.object)
        #expect(echo.id == "7" && echo.labels == [Label(name: "a", value: "b")] && echo.target == "oops")
        #expect(BatchEcho(JSONObject(members: [])).target == "")
    }

    @Test func hostsAreThoseOfTheTargets() throws {
        let items = try batch(#"{"checks":[{"target":"tcp://A.example.:1"},{"target":"10.0.0.1:2"},{"x":1}]}"#).items
        #expect((0..<3).map(items.hostKey) == ["a.example", "10.0.0.1", ""])
    }
}
