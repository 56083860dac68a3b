import CheckEngine
import CheckModel
import Configuration
@testable import ConnectAPI
import ErrorCatalogue
import NetworkTypes
import StrictJSON
import Testing

/// `preset` in requests, and `answer` in results.
@Suite struct PresetTests {
    private static let udp = #""target":"udp://10.0.0.7:53""#

    @Test(arguments: UDPPreset.allCases)
    func `a preset is read`(preset: UDPPreset) throws {
        let check = try decode("{\(Self.udp),\"preset\":\"\(preset.rawValue)\"}").get()
        #expect(check.request.preset == preset && check.dialog == nil && check.request.dialog.isEmpty)
    }

    @Test(arguments: [
        #"{"target":"quic://h:443"}"#, #"{"target":"QUIC://[::1]:https","id":"x"}"#,
        #"{"target":"quic://h:443","preset":"quic"}"#, #"{"target":"udp://h:443","preset":"quic"}"#,
        #"{"target":{"transport":"udp","host":"h","port":443},"preset":"quic","tls":false}"#,
    ])
    func `a quic target has the preset quic`(json: String) throws {
        #expect(try decode(json).get().request.preset == .quic)
    }

    @Test func `other targets have none`() throws {
        #expect(try decode("{\(Self.udp)}").get().request.preset == nil)
        #expect(try decodedRequest().preset == nil)
    }

    @Test(arguments: [
        (#""target":"udp://h:1","preset":"http""#, "/preset"), (#""target":"udp://h:1","preset":null"#, "/preset"),
        (#""target":"tcp://h:1","preset":"dns""#, "/preset"), (#""target":"tls://h:1","preset":"dns""#, "/preset"),
        (#""target":"unix+dgram:/s","preset":"dns""#, "/preset"), (#""target":"h:1","preset":"quic""#, "/preset"),
        (#""target":"quic://h:1","preset":"dns""#, "/preset"),
        (#""target":"udp://h:1","preset":"dns","dialog":[{"send":"x"}]"#, "/dialog"),
        (#""target":"quic://h:1","dialog":[{"send":"x"}]"#, "/dialog"),
        (#""target":"udp://h:1","preset":"dns","tls":true"#, "/tls"), (#""target":"quic://h:1","tls":{}"#, "/tls"),
        (#""target":"quic://h:1","socket":{"tcp_fast_open":true}"#, "/socket/tcp_fast_open"),
    ])
    func `what a preset excludes is refused`(members: String, pointer: String) throws {
        #expect(try pointers("{\(members)}") == [pointer])
    }

    @Test func `the policy allows presets where it allows configured dialogs`() throws {
        for (dialogs, isAllowed) in [(PolicySettings.Dialogs.any, true), (.configured, true), (.none, false)] {
            let permissions = RequestPermissions(dialogs: dialogs, options: [])
            let pointers = { (json: String) throws in
                permissions.refusals(of: try decode(json).get().request, md5Keys: []).map(\.pointer)
            }
            #expect(try pointers("{\(Self.udp),\"preset\":\"ntp\"}") == (isAllowed ? [] : ["/preset"]))
            #expect(try pointers(#"{"target":"quic://h:1"}"#) == (isAllowed ? [] : ["/target"]))
            #expect(try pointers("{\(Self.udp)}") == [])
        }
    }

    private func text(_ content: PresetAnswer.Content, prober: String? = "p") throws -> String {
        let answer = PresetAnswer(byteCount: 48, content: content)
        let result = CheckResult(
            ok: true, outcome: .answered, phase: .done, error: nil, attempts: [], resolution: nil,
            reports: [.answer(answer)], timings: Timings(), startedAtNanoseconds: 0)
        let request = CheckRequest(target: try Target(parsing: "udp://h:1"))
        let text = String(decoding: ResultEncoder(prober: prober).line(result, of: request), as: UTF8.self)
        let begin = try #require(text.firstRange(of: "\"answer\":"))
        let end = try #require(text.firstRange(of: ",\"timings_ms\""))
        return String(text[begin.upperBound..<end.lowerBound])
    }

    @Test func `an answer of DNS`() throws {
        let answer = DNSAnswer(
            responseCode: 5, isAuthoritative: false, isTruncated: true, isRecursionAvailable: false, answerCount: 3)
        #expect(
            try text(.dns(answer)) == #"""
                {"preset":"dns","bytes":48,"rcode":"REFUSED","aa":false,"tc":true,"ra":false,"answers":3}
                """#)
    }

    @Test func `an answer of NTP`() throws {
        var answer = NTPAnswer(
            version: 4, leap: 0, stratum: 2, precision: -23, rootDelayNanoseconds: 1_500_000,
            rootDispersionNanoseconds: 500_000, referenceID: "10.0.0.7", kissCode: nil,
            measurement: .init(offsetNanoseconds: -400_000, delayNanoseconds: 300_000))
        #expect(
            try text(.ntp(answer)) == #"""
                {"preset":"ntp","bytes":48,"version":4,"leap":0,"stratum":2,"reference_id":"10.0.0.7","kiss_code":null,\#
                "precision":-23,"root_delay_ms":1.5,"root_dispersion_ms":0.5,"offset_ms":-0.4,"delay_ms":0.3}
                """#)
        (answer.measurement, answer.kissCode, answer.referenceID) = (nil, "RATE", nil)
        #expect(try text(.ntp(answer)).contains(#""reference_id":null,"kiss_code":"RATE""#))
        #expect(try text(.ntp(answer)).hasSuffix(#""offset_ms":null,"delay_ms":null}"#))
    }

    @Test func `an answer of STUN hides the prober's address in the profile public`() throws {
        let endpoint = IPEndpoint(address: "192.0.2.1".address, port: 7)
        let answer = STUNAnswer(
            mappedAddress: endpoint, software: Array("a\"\u{1B}[1m".utf8) + [0xFF], errorCode: nil, reason: nil)
        #expect(
            try text(.stun(answer)) == #"""
                {"preset":"stun","bytes":48,"mapped_address":{"address":"192.0.2.1","port":7},\#
                "software":"a\"\\x1B[1m\\xFF","error_code":null,"reason":null}
                """#)
        #expect(!(try text(.stun(answer), prober: nil).contains("192.0.2.1")))
        let refusal = STUNAnswer(mappedAddress: nil, software: nil, errorCode: 420, reason: [])
        #expect(
            try text(.stun(refusal)).contains(#""mapped_address":null,"software":null,"error_code":420,"reason":"""#))
    }

    @Test func `answers of SNMP, IKE and QUIC`() throws {
        #expect(
            try text(.snmp(SNMPAnswer(engineID: [0x80, 0, 0x1F, 1, 2], engineBoots: 3, engineTimeSeconds: 9))) == #"""
                {"preset":"snmp","bytes":48,"engine_id":"80001f0102","engine_boots":3,"engine_time_seconds":9}
                """#)
        let ike = IKEAnswer(
            acceptsProposal: false, notifications: [.init(type: 17, group: 19), .init(type: 9999)],
            vendorIDs: [[0xAB], []])
        #expect(
            try text(.ike(ike)) == #"""
                {"preset":"ike","bytes":48,"proposal_accepted":false,"notify":[{"type":17,"name":"INVALID_KE_PAYLOAD",\#
                "group":19},{"type":9999,"name":null}],"vendor_ids":["ab",""]}
                """#)
        #expect(
            try text(.quic(QUICAnswer(versions: [1, 0x6B33_43CF]))) == #"""
                {"preset":"quic","bytes":48,"versions":["0x00000001","0x6b3343cf"]}
                """#)
    }
}
