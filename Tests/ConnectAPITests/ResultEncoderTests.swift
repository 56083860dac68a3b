import CheckModel
@testable import ConnectAPI
import ErrorCatalogue
import Glibc
import NetworkTypes
import Testing

/// Results, byte for byte.
@Suite struct ResultEncoderTests {
    private static let started: Int64 = 1_767_225_600_123_456_789

    private func text(_ result: CheckResult, of request: CheckRequest, prober: String? = "prober-1") -> String {
        String(decoding: ResultEncoder(prober: prober).line(result, of: request), as: UTF8.self)
    }

    private func request(_ target: String) throws -> CheckRequest { CheckRequest(target: try Target(parsing: target)) }

    private func result(
        _ attempt: AttemptResult, resolution: Resolution? = nil, dialog: DialogReport? = nil
    ) -> CheckResult {
        var timings = Timings()
        timings[.queue] = 20_000
        timings[.resolve] = 700_400
        timings[.connect] = 300_000
        timings[.total] = 1_100_600
        return CheckResult(
            ok: attempt.outcome.isSuccess, outcome: attempt.outcome, phase: attempt.phase, error: attempt.error,
            attempts: [attempt], resolution: resolution,
            reports: dialog.map { [.dialog($0)] } ?? [], timings: timings,
            startedAtNanoseconds: Self.started)
    }

    private func tcpSuccess() -> CheckResult {
        let endpoint = IPEndpoint(address: "10.0.0.7".address, port: 5432)
        var attempt = AttemptResult(
            endpoint: .ip(endpoint), outcome: .connected, phase: .done, startNanoseconds: 800_000)
        attempt.local = IPEndpoint(address: "10.0.0.9".address, port: 41_022)
        attempt.peer = endpoint
        attempt.durationNanoseconds = 300_000
        attempt.tcpInformation = TCPInformation(
            synRetransmits: 0, rttMicroseconds: 210, rttVarianceMicroseconds: 105, retransmits: 0, sendMSS: 1448,
            pathMTU: 1500)
        let resolution = Resolution(
            name: "db.internal", addresses: ["10.0.0.7".address, "2001:db8::7".address], source: .dns,
            canonicalName: "db-1.internal")
        return result(attempt, resolution: resolution)
    }

    @Test func `a TCP success, with the echoed members of the request`() throws {
        var request = try request("tcp://db.internal:5432")
        request.id = "a\"b\n"
        request.labels = [Label(name: "team", value: "é"), Label(name: "a", value: "")]
        #expect(
            text(tcpSuccess(), of: request) == #"""
                {"schema":1,"id":"a\"b\n","labels":{"team":"é","a":""},"target":"tcp://db.internal:5432","ok":true,\#
                "outcome":"connected","phase":"done","attempts":[{"address":"10.0.0.7","port":5432,"family":"ipv4",\#
                "outcome":"connected","phase":"done","local":{"address":"10.0.0.9","port":41022},\#
                "peer":{"address":"10.0.0.7","port":5432},"start_ms":0.8,"duration_ms":0.3,\#
                "tcp_info":{"syn_retransmits":0,"rtt_us":210,"rttvar_us":105,"retransmits":0,"snd_mss":1448,"pmtu":1500}}],\#
                "resolution":{"name":"db.internal","addresses":["10.0.0.7","2001:db8::7"],"source":"dns",\#
                "canonical_name":"db-1.internal"},\#
                "timings_ms":{"queue":0.02,"resolve":0.7,"connect":0.3,"tls":0,"dialog":0,"total":1.101},\#
                "started_at":"2026-01-01T00:00:00.123Z","prober":"prober-1"}

                """#)
    }

    @Test func `the profile public hides the prober and the local address, and nothing else`() throws {
        let shown = text(tcpSuccess(), of: try request("tcp://db.internal:5432"))
        let hidden = text(tcpSuccess(), of: try request("tcp://db.internal:5432"), prober: nil)
        #expect(
            hidden
                == shown.replacing(#","prober":"prober-1""#, with: "")
                .replacing(#""local":{"address":"10.0.0.9","port":41022},"#, with: ""))
        #expect(!hidden.contains("10.0.0.9"))
        #expect(!hidden.contains("prober"))
    }

    @Test func `a failure with its ICMP message`() throws {
        let endpoint = IPEndpoint(address: "2001:db8::7".address, port: 443)
        let message = ICMPMessage(family: .ipv6, type: 1, code: 1, from: "2001:db8::1".address)
        var circumstances = Circumstances(phase: .connect, transport: .tcp)
        circumstances.destination = endpoint.address
        circumstances.icmp = message
        circumstances.icmpSender = .intermediate
        let error = Classifier.report(for: Errno(EACCES), in: circumstances)
        var attempt = AttemptResult(
            endpoint: .ip(endpoint), outcome: .failed(error.errorClass), phase: .connect, startNanoseconds: 0)
        attempt.error = error
        attempt.icmp = message
        let shown =
            #""error":{"errno":13,"name":"EACCES","class":"unreachable","fault":"network","source":"kernel","#
            + #""message":"Permission denied","hint":"\#(error.hint)","retryable":false}"#
        #expect(
            text(result(attempt), of: try request("tcp://[2001:db8::7]:443")) == #"""
                {"schema":1,"target":"tcp://[2001:db8::7]:443","ok":false,"outcome":"unreachable","phase":"connect",\#(shown),\#
                "attempts":[{"address":"2001:db8::7","port":443,"family":"ipv6","outcome":"unreachable","phase":"connect",\#
                \#(shown),"peer":null,"start_ms":0,"duration_ms":0,"icmp":{"type":1,"code":1,\#
                "meaning":"administratively prohibited","from":"2001:db8::1"}}],\#
                "timings_ms":{"queue":0.02,"resolve":0.7,"connect":0.3,"tls":0,"dialog":0,"total":1.101},\#
                "started_at":"2026-01-01T00:00:00.123Z","prober":"prober-1"}

                """#)
        #expect(!error.hint.contains("\""))
    }

    @Test func `a UNIX-domain socket has a path and peer credentials`() throws {
        var attempt = AttemptResult(
            endpoint: .unix(.path(Array("/run/app.sock".utf8))), outcome: .connected, phase: .done,
            startNanoseconds: 1500)
        attempt.peerCredentials = PeerCredentials(pid: 4711, uid: 4_294_967_294, gid: 0)
        #expect(
            text(result(attempt), of: try request("unix:/run/app.sock")) == #"""
                {"schema":1,"target":"unix:/run/app.sock","ok":true,"outcome":"connected","phase":"done",\#
                "attempts":[{"path":"/run/app.sock","family":"unix","outcome":"connected","phase":"done",\#
                "peer_credentials":{"pid":4711,"uid":4294967294,"gid":0},"start_ms":0.002,"duration_ms":0}],\#
                "timings_ms":{"queue":0.02,"resolve":0.7,"connect":0.3,"tls":0,"dialog":0,"total":1.101},\#
                "started_at":"2026-01-01T00:00:00.123Z","prober":"prober-1"}

                """#)
    }

    @Test func `a dialog with bytes that are not text`() throws {
        var attempt = AttemptResult(
            endpoint: .ip(IPEndpoint(address: "10.0.0.7".address, port: 25)), outcome: .connected, phase: .done,
            startNanoseconds: 0)
        attempt.peer = IPEndpoint(address: "10.0.0.7".address, port: 25)
        let dialog = DialogReport(
            steps: [
                DialogStepReport(
                    kind: .expect, ok: true, durationNanoseconds: 1_200_000, bytes: 5, received: Array("220 \u{1}".utf8)
                ),
                DialogStepReport(kind: .sendHex, ok: true, durationNanoseconds: 0, bytes: 2, received: nil),
            ],
            groups: [Label(name: "name", value: "mx")], failedStep: nil)
        let line = text(result(attempt, dialog: dialog), of: try request("tcp://10.0.0.7:25"))
        #expect(
            line.contains(
                #""dialog":{"steps":[{"step":0,"kind":"expect","ok":true,"duration_ms":1.2,"bytes":5,"received":"220 "#)
        )
        #expect(
            line.contains(
                #"{"step":1,"kind":"send_hex","ok":true,"duration_ms":0,"bytes":2}],"groups":{"name":"mx"},"failed_step":null}"#
            ))
    }

    @Test func `an array is one document, empty or not`() throws {
        let encoder = ResultEncoder(prober: "prober-1")
        #expect(String(decoding: encoder.array([], of: []), as: UTF8.self) == "[]\n")
        let request = try request("tcp://db.internal:5432")
        let one = text(tcpSuccess(), of: request).dropLast()
        #expect(
            String(decoding: encoder.array([tcpSuccess(), tcpSuccess()], of: [request, request]), as: UTF8.self)
                == "[\(one),\(one)]\n")
    }

    @Test func `a hold and rounds, after the attempts`() throws {
        var statistics = RoundStatistics()
        let times = [(1, 0), (2, 0), (1001, 1)]
        for (milliseconds, retransmits) in times {
            statistics.note(
                FinishedRound(
                    outcome: .connected, ok: true, durationNanoseconds: Int64(milliseconds) * 1_000_000,
                    synSent: 1 + retransmits, synRetransmits: retransmits, packetsSent: 1 + retransmits,
                    packetsLost: retransmits, rttMicroseconds: UInt32(100 * milliseconds), address: "10.0.0.7".address,
                    start: MonotonicTime(nanoseconds: 0), end: MonotonicTime(nanoseconds: 1)))
        }
        var timings = Timings()
        timings[.hold] = 20_000_000
        let result = CheckResult(
            ok: true, outcome: .connected, phase: .done, error: nil, attempts: [], resolution: nil,
            reports: [.hold(HoldReport(.open, nanoseconds: 20_000_000))], timings: timings, startedAtNanoseconds: 0
        ).withRounds(statistics)
        let text = text(result, of: try request("tcp://10.0.0.7:1"))
        #expect(
            text.contains(
                #"""
                "attempts":[],"after":{"event":"open","ms":20},"rounds":{"sent":3,"ok":3,"loss":0.25,\#
                "by_outcome":{"connected":3},"min_ms":1,"median_ms":1.5,"avg_ms":1.5,"p95_ms":2,"max_ms":2,"stddev_ms":0.5,\#
                "retransmitted":{"rounds":1,"min_ms":1001,"median_ms":1001,"max_ms":1001},"syn_sent":4,"syn_retransmits":1,\#
                "rtt_us":{"min":100,"median":150,"max":200},"longest_outage_ms":0,"addresses":["10.0.0.7"]},\#
                "timings_ms":{"queue":0,"resolve":0,"connect":0,"hold":20,"tls":0,"dialog":0,"total":0}
                """#))
    }

    @Test func `rounds without a success have null for each time`() throws {
        var statistics = RoundStatistics()
        statistics.note(
            FinishedRound(
                outcome: .failed(.proberExhausted), ok: false, durationNanoseconds: 0,
                start: MonotonicTime(nanoseconds: 0), end: MonotonicTime(nanoseconds: 0)))
        let text = text(tcpSuccess().withRounds(statistics), of: try request("tcp://10.0.0.7:1"))
        #expect(
            text.contains(
                #"""
                "rounds":{"sent":1,"ok":0,"loss":null,"by_outcome":{"prober_exhausted":1},"min_ms":null,"median_ms":null,\#
                "avg_ms":null,"p95_ms":null,"max_ms":null,"stddev_ms":null,"retransmitted":null,"syn_sent":0,\#
                "syn_retransmits":0,"rtt_us":{"min":null,"median":null,"max":null},"longest_outage_ms":0,"addresses":[]}
                """#))
    }

    @Test func `a failed connect shows its SYNs, and a half-open one its last ACK`() throws {
        let endpoint = IPEndpoint(address: "10.0.0.7".address, port: 1)
        var attempt = AttemptResult(
            endpoint: .ip(endpoint), outcome: .failed(.timeout), phase: .connect, startNanoseconds: 0)
        var information = TCPInformation(
            synRetransmits: 2, rttMicroseconds: 0, rttVarianceMicroseconds: 0, retransmits: 2, sendMSS: 524,
            pathMTU: 1500)
        attempt.tcpInformation = information
        let request = try request("tcp://10.0.0.7:1")
        #expect(text(result(attempt), of: request).contains(#""pmtu":1500,"syn_sent":3}"#))
        information.noteUnsent(.queued)
        attempt.tcpInformation = information
        #expect(text(result(attempt), of: request).contains(#""pmtu":1500,"syn_sent":0,"unsent":"queued"}"#))
        attempt.outcome = .connected
        attempt.phase = .done
        attempt.hasSentLastACK = false
        #expect(text(result(attempt), of: request).contains(#""pmtu":1500,"ack_sent":false}"#))
    }
}
