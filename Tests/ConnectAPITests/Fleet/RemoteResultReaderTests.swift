import CheckModel
@testable import ConnectAPI
import ErrorCatalogue
import NetworkTypes
import StrictJSON
import Testing

/// Reading results of other places back from their JSON.
@Suite struct RemoteResultReaderTests {
    private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(parsing: text)) }

    private func read(_ result: CheckResult) throws -> CheckResult? {
        let request = CheckRequest(target: try Target(parsing: "tcp://t.example:5"))
        let bytes = ResultEncoder(prober: "p").line(result, of: request)
        guard case .object(let object) = try JSONValue.parse(bytes) else { return nil }
        return RemoteResultReader.result(object)
    }

    @Test(arguments: [("10.0.0.7", ICMPSender.target), ("10.0.0.9", .prober), ("10.0.0.1", .intermediate)])
    func aFailureHasItsEvidence(router: String, sender: ICMPSender) throws {
        let endpoint = IPEndpoint(address: try address("10.0.0.7"), port: 5)
        let error = Classifier.report(for: Errno(113), in: Circumstances(phase: .connect, transport: .tcp))
        var attempt = AttemptResult(
            endpoint: .ip(endpoint), outcome: .failed(.unreachable), phase: .connect, startNanoseconds: 1_000_000)
        attempt.error = error
        attempt.local = IPEndpoint(address: try address("10.0.0.9"), port: 9)
        attempt.durationNanoseconds = 2_500_000
        attempt.icmp = ICMPMessage(family: .ipv4, type: 3, code: 1, from: try address(router))
        attempt.icmpSender = sender
        var timings = Timings()
        timings[.total] = 3_000_000
        var resolution = Resolution(
            name: "t.example", addresses: [endpoint.address, try address("2001:db8::7")], source: .hosts)
        resolution.isTruncated = true
        let result = CheckResult(
            ok: false, outcome: .failed(.unreachable), phase: .connect, error: error, attempts: [attempt],
            resolution: resolution, timings: timings, startedAtNanoseconds: 0)
        let read = try #require(try read(result))
        #expect(read.outcome == result.outcome && read.phase == .connect && !read.ok && read.error == error)
        #expect(read.resolution == resolution && read.timings[.total] == 3_000_000)
        let found = try #require(read.attempts.first)
        #expect(found.endpoint == attempt.endpoint && found.error == error && found.icmp == attempt.icmp)
        #expect(found.icmpSender == sender && found.durationNanoseconds == 2_500_000)
    }

    @Test func aSuccessAndAUNIXSocketAreRead() throws {
        let attempt = AttemptResult(
            endpoint: .unix(.path(Array("/run/a".utf8))), outcome: .connected, phase: .done, startNanoseconds: 0)
        let result = CheckResult(
            ok: true, outcome: .connected, phase: .done, error: nil, attempts: [attempt], resolution: nil,
            timings: Timings(), startedAtNanoseconds: 0)
        let read = try #require(try read(result))
        #expect(read.ok && read.error == nil && read.attempts.first?.endpoint == attempt.endpoint)
    }

    @Test(arguments: [
        "{}", #"{"ok":true,"outcome":"teleported","phase":"done"}"#, #"{"ok":1,"outcome":"connected","phase":"done"}"#,
        #"{"ok":false,"outcome":"refused","phase":"connect"}"#,
        #"{"ok":false,"outcome":"refused","phase":"connect","error":{"name":"X","class":"odd","fault":"target","source":"kernel"}}"#,
        #"{"ok":true,"outcome":"connected","phase":"done","attempts":[{}]}"#,
        #"{"ok":true,"outcome":"connected","phase":"done","attempts":[{"address":"a","port":70000}]}"#,
    ])
    func whatIsNotAResultIsNotRead(text: String) throws {
        guard case .object(let object) = try JSONValue.parse(Array(text.utf8)) else { return }
        #expect(RemoteResultReader.result(object) == nil)
    }

    @Test func theAddressesThatAPlaceConnectedToAreCounted() throws {
        let text = #"""
            {"attempts":[{"address":"10.0.0.7","port":5,"outcome":"refused"},{"path":"/run/a","outcome":"connected"},
             {"address":"10.0.0.8","port":5,"outcome":"denied"},{"address":"x","port":5},7]}
            """#
        guard case .object(let object) = try JSONValue.parse(Array(text.utf8)) else { return }
        #expect(RemoteResultReader.endpoints(object) == [IPEndpoint(address: try address("10.0.0.7"), port: 5)])
        #expect(RemoteResultReader.endpoints(JSONObject(members: [])).isEmpty)
    }

    @Test(arguments: ["1e300", "-5", "9223372036854775807", "true"])
    func anImpossibleTimeDoesNoHarm(time: String) throws {
        let text = #"{"ok":true,"outcome":"connected","phase":"done","timings_ms":{"total":\#(time)}}"#
        guard case .object(let object) = try JSONValue.parse(Array(text.utf8)) else { return }
        #expect(try #require(RemoteResultReader.result(object)).ok)
    }

    @Test func aPlaceThatDoesNotAnswerIsAFaultOfTheProber() async throws {
        let place = try #require(PlaceName("fra"))
        let request = CheckRequest(target: try Target(parsing: "tcp://t:1"))
        let result = await RemoteCheckResult.ask(FakeFleet(named: []), at: place, request, body: [])
        #expect(result.outcome == .failed(.proberExhausted) && result.error?.fault == .prober && !result.ok)
        let odd = FakeFleet(named: []) { _ in remoteAnswer("fra", "teleported") }
        let unread = await RemoteCheckResult.ask(odd, at: place, request, body: [])
        #expect(unread.error?.name == "PLACE_UNAVAILABLE")
    }
}
