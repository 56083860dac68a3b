import CheckModel
import NetworkTypes
@testable import Presets
import Testing

/// What answers say, and what makes a datagram no answer.
@Suite("Answers to presets")
struct AnswerContentTests {
    private func content(of preset: UDPPreset, port: UInt16 = 1, _ make: ([UInt8]) -> [UInt8]) throws
        -> PresetAnswer.Content
    {
        let question = preset.question(port: port)
        return try question.content(of: make(question.bytes), .example)
    }

    private func flaw(of preset: UDPPreset, port: UInt16 = 1, _ make: ([UInt8]) -> [UInt8]) -> String? {
        do {
            _ = try content(of: preset, port: port, make)
            return nil
        } catch {
            return (error as? AnswerFlaw)?.detail
        }
    }

    @Test func `a name server says its code, flags and records`() throws {
        let expected = DNSAnswer(
            responseCode: 0, isAuthoritative: true, isTruncated: false, isRecursionAvailable: true, answerCount: 1)
        #expect(try content(of: .dns) { SampleAnswers.dns($0) } == .dns(expected))
        #expect(expected.responseCodeName == "NOERROR")
    }

    @Test func `a name server may refuse without the question`() throws {
        let refusal = try content(of: .dns) { $0.prefix(2) + [0x81, 0x05, 0, 0, 0, 0, 0, 0, 0, 0] }
        guard case .dns(let answer) = refusal else { return }
        #expect(answer.responseCodeName == "REFUSED" && answer.answerCount == 0)
        #expect(flaw(of: .dns) { $0.prefix(2) + [0x81, 0, 0, 0, 0, 0, 0, 0, 0, 0] } == "repeats another question")
    }

    @Test func `a truncated response has only its complete records`() throws {
        let cut = try content(of: .dns) { SampleAnswers.dns($0, flags: [0x82, 0x8B], count: 200) }
        guard case .dns(let answer) = cut else { return }
        #expect(answer.isTruncated && answer.answerCount == 1 && answer.responseCodeName == "RCODE11")
        #expect(flaw(of: .dns) { SampleAnswers.dns($0, count: 200) } == "ends too early")
    }

    @Test func `what is not a response to the query is not an answer`() {
        #expect(flaw(of: .dns) { [$0[0] ^ 1] + SampleAnswers.dns($0).dropFirst() } == "has another query ID")
        #expect(flaw(of: .dns) { SampleAnswers.dns($0, flags: [0x04, 0x80]) } == "is a query, not a response")
        #expect(flaw(of: .dns) { SampleAnswers.dns($0, flags: [0xA4, 0x80]) } == "has another opcode")
        #expect(flaw(of: .dns) { SampleAnswers.dns($0.dropLast() + [3]) } == "repeats another question")
    }

    @Test func `a time server says its time`() throws {
        guard case .ntp(let answer) = try content(of: .ntp, { SampleAnswers.ntp($0) }) else { return }
        #expect((answer.version, answer.leap, answer.stratum, answer.precision) == (4, 0, 2, -23))
        #expect(answer.referenceID == "10.0.0.7" && answer.kissCode == nil)
        #expect(answer.rootDelayNanoseconds == 1_000_000_000 && answer.rootDispersionNanoseconds == 500_000_000)
        let measurement = try #require(answer.measurement)
        // The server's clock is 1 s ahead, less half of the 2 ms and of the 1 ms that it took itself.
        #expect(abs(measurement.offsetNanoseconds - 999_500_000) < 1000)
        #expect(abs(measurement.delayNanoseconds - 1_000_000) < 1000)
    }

    @Test func `a clock that is not synchronized has no offset`() throws {
        for (first, stratum) in [(0xE4, 2), (0x24, 0), (0x24, 16), (0x24, 255)] as [(UInt8, UInt8)] {
            let found = try content(of: .ntp) { SampleAnswers.ntp($0, first: first, stratum: stratum) }
            guard case .ntp(let answer) = found else { return }
            #expect(answer.measurement == nil, "\(first) \(stratum)")
        }
    }

    @Test func `timestamps that contradict each other give no offset`() throws {
        for times: [UInt8] in [
            [UInt8](repeating: 0, count: 16), [UInt8](repeating: 0xFF, count: 8) + [UInt8](repeating: 0, count: 8),
            [0x80, 0, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: 0xFF, count: 8),
        ] {
            guard case .ntp(let answer) = try content(of: .ntp, { SampleAnswers.ntp($0).prefix(32) + times }) else {
                return
            }
            #expect(answer.measurement == nil)
        }
    }

    @Test func `a time server can refuse, and name its clock`() throws {
        let kiss = try content(of: .ntp) { SampleAnswers.ntp($0, stratum: 0, reference: Array("RATE".utf8)) }
        guard case .ntp(let refusal) = kiss else { return }
        #expect(refusal.kissCode == "RATE" && refusal.referenceID == nil)
        let clock = try content(of: .ntp) { SampleAnswers.ntp($0, stratum: 1, reference: Array("GPS".utf8) + [0]) }
        guard case .ntp(let primary) = clock else { return }
        #expect(primary.referenceID == "GPS")
        let control = try content(of: .ntp) { SampleAnswers.ntp($0, stratum: 1, reference: [27, 91, 0, 65]) }
        guard case .ntp(let odd) = control else { return }
        #expect(odd.referenceID == "27.91.0.65")
    }

    @Test func `other modes and versions are not answers`() {
        #expect(flaw(of: .ntp) { SampleAnswers.ntp($0, first: 0x23) } == "is not in the mode of a server")
        #expect(flaw(of: .ntp) { SampleAnswers.ntp($0, first: 0x3C) } == "has the unknown version 7")
        #expect(flaw(of: .ntp) { SampleAnswers.ntp($0.dropLast() + [$0[47] ^ 1]) } == "has another origin timestamp")
    }

    @Test func `a STUN server says our address`() throws {
        guard case .stun(let answer) = try content(of: .stun, { SampleAnswers.stun($0) }) else { return }
        #expect(answer.mappedAddress == IPEndpoint(address: .v4(IPv4Address(bits: 0xC000_0201)), port: 32853))
        #expect(answer.software == Array("tests".utf8) && answer.errorCode == nil)
    }

    @Test func `the encoded address is preferred to the plain one`() throws {
        let plain: [UInt8] = [0, 1, 0, 8, 0, 1, 0, 9, 127, 0, 0, 1]
        let answer = try content(of: .stun) { question in
            let usual = SampleAnswers.stun(question)
            return usual.prefix(3) + [usual[3] + UInt8(plain.count)] + usual[4..<20] + plain + usual[20...]
        }
        guard case .stun(let found) = answer else { return }
        #expect(found.mappedAddress?.port == 32853)
    }

    @Test func `an IPv6 address is encoded with the transaction`() throws {
        let answer = try content(of: .stun) { question in
            let address = [UInt8](repeating: 0, count: 15) + [1]
            let encoded = zip(address, question[4...]).map { $0 ^ $1 }
            return [1, 1, 0, 24] + question[4...] + [0, 0x20, 0, 20, 0, 2, 0x21, 0x12] + encoded
        }
        guard case .stun(let found) = answer else { return }
        #expect(found.mappedAddress == IPEndpoint(address: .v6(IPv6Address(bits: 1)), port: 0))
    }

    @Test func `an error of a STUN server is an answer`() throws {
        let reason = Array("Bad".utf8)
        let attribute: [UInt8] = [0, 9, 0, 7, 0, 0, 4, 0] + reason + [0]
        let answer = try content(of: .stun) { [1, 0x11, 0, 12] + $0[4...] + attribute }
        guard case .stun(let found) = answer else { return }
        #expect(found.errorCode == 400 && found.reason == reason && found.mappedAddress == nil)
        #expect(
            flaw(of: .stun) { [1, 0x01, 0, 12] + $0[4...] + attribute } == "has a type that contradicts its error code")
        #expect(flaw(of: .stun) { [1, 0x11, 0, 0] + $0[4...] } == "has a type that contradicts its error code")
        let outOfRange: [UInt8] = [0, 9, 0, 4, 0, 0, 4, 100]
        #expect(flaw(of: .stun) { [1, 0x11, 0, 8] + $0[4...] + outOfRange } == "has a malformed error code")
    }

    @Test func `a malformed STUN message is not an answer`() {
        #expect(
            flaw(of: .stun) { [1, 1, 0, 8] + $0[4...] + [0, 0x20, 0, 4, 0, 1, 0, 0] } == "has a malformed address")
        #expect(flaw(of: .stun) { [1, 1, 0, 4] + $0[4...] + [0x80, 0x22, 0xFF, 0xFF] } == "ends too early")
        #expect(flaw(of: .stun) { SampleAnswers.stun($0) + [0, 0, 0, 0] } == "has more bytes than its lengths say")
        #expect(flaw(of: .stun) { [0, 1] + SampleAnswers.stun($0)[2...] } == "is not a response to a Binding request")
    }

    @Test func `an agent says its engine`() throws {
        let expected = SNMPAnswer(engineID: [0x80, 0, 0x1F, 0x88, 4, 97], engineBoots: 7, engineTimeSeconds: 256)
        #expect(try content(of: .snmp) { SampleAnswers.snmp($0) } == .snmp(expected))
    }

    @Test func `only a report with an engine is an answer of an agent`() {
        #expect(flaw(of: .snmp) { SampleAnswers.snmp($0, report: 0xA2) } == "is not a report")
        #expect(flaw(of: .snmp) { SampleAnswers.snmp($0, engine: []) } == "has an engine ID of 0 bytes")
        let long = [UInt8](repeating: 1, count: 33)
        #expect(flaw(of: .snmp) { SampleAnswers.snmp($0, engine: long) } == "has an engine ID of 33 bytes")
        #expect(flaw(of: .snmp) { $0 } == "has an engine ID of 0 bytes")
        #expect(flaw(of: .snmp) { SampleAnswers.snmp($0) + [0] } == "has more bytes than its lengths say")
        #expect(flaw(of: .snmp) { _ in [0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF] } == "has a malformed length")
        #expect(flaw(of: .snmp) { _ in [0x30, 0x80, 0, 0] } == "has a malformed length")
        #expect(flaw(of: .snmp) { _ in [0x30, 0x83, 0xFF, 0xFF, 0xFF, 2] } == "ends too early")
    }

    @Test func `a refusal of IKE is an answer`() throws {
        let vendor: (UInt8, [UInt8]) = (43, [0xAB, 0xCD])
        let payloads: [(UInt8, [UInt8])] = [(41, [0, 0, 0, 17, 0, 19]), (41, [0, 0, 0x40, 6, 1, 2]), vendor]
        let answer = try content(of: .ike) { SampleAnswers.ike($0, payloads: payloads) }
        guard case .ike(let found) = answer else { return }
        #expect(found.notifications == [.init(type: 17, group: 19), .init(type: 16390)])
        #expect(found.notifications.map(\.name) == ["INVALID_KE_PAYLOAD", "COOKIE"])
        #expect(found.vendorIDs == [[0xAB, 0xCD]] && !found.acceptsProposal)
    }

    @Test func `a choice of IKE repeats the proposal`() throws {
        let proposal = Array(IKEProposal.payload.dropFirst(4))
        let payload: (UInt8, [UInt8]) = (33, Array(proposal))
        let answer = try content(of: .ike) { SampleAnswers.ike($0, payloads: [payload, (40, [1])]) }
        guard case .ike(let found) = answer else { return }
        #expect(found.acceptsProposal && found.notifications.isEmpty)
        for index in proposal.indices {
            var other = proposal
            other[index] ^= 1
            // The number after a transform and the reserved byte next to it say nothing.
            let refused = flaw(of: .ike) { SampleAnswers.ike($0, payloads: [(33, other)]) }
            #expect(refused != nil || [8, 9, 20, 21, 28, 29, 36, 37].contains(index), "\(index)")
        }
        #expect(
            flaw(of: .ike) { SampleAnswers.ike($0, payloads: [payload, payload]) }
                == "chooses something else than the proposal")
    }

    @Test func `a message of IKE that says nothing is not an answer`() {
        let nothing = "neither chooses nor refuses the proposal"
        #expect(flaw(of: .ike) { SampleAnswers.ike($0, payloads: []) } == nothing)
        #expect(flaw(of: .ike) { SampleAnswers.ike($0, payloads: [(40, [1, 2])]) } == nothing)
        #expect(flaw(of: .ike) { SampleAnswers.ike($0) + [0] } == "has more bytes than its lengths say")
        #expect(flaw(of: .ike) { SampleAnswers.ike($0, payloads: [(41, [0, 9, 0, 14])]) } == "ends too early")
        #expect(
            flaw(of: .ike) { question in
                var answer = SampleAnswers.ike(question)
                answer[31] = 3
                return answer
            } == "has a malformed payload")
        for (index, value) in [(17, 0x10), (18, 37), (19, 0x28), (19, 0), (23, 1)] as [(Int, UInt8)] {
            #expect(
                flaw(of: .ike) { question in
                    var answer = SampleAnswers.ike(question)
                    answer[index] = value
                    return answer
                } != nil, "\(index)")
        }
    }

    @Test func `on port 4500 a marker is in front of IKE`() throws {
        #expect(UDPPreset.ike.question(port: 4500).bytes.prefix(4) == [0, 0, 0, 0])
        let answer = try content(of: .ike, port: 4500) { [0, 0, 0, 0] + SampleAnswers.ike(Array($0.dropFirst(4))) }
        guard case .ike(let found) = answer else { return }
        #expect(found.notifications.map(\.name) == ["NO_PROPOSAL_CHOSEN"])
        let bare = flaw(of: .ike, port: 4500) { [1] + SampleAnswers.ike(Array($0.dropFirst(4))) }
        #expect(bare == "is not a message of IKE")
    }

    @Test func `long lists of payloads are limited`() throws {
        let many = Array(repeating: (UInt8(41), [0, 0, 0, 14] as [UInt8]), count: 100)
        let vendors = Array(repeating: (UInt8(43), [UInt8](repeating: 7, count: 300)), count: 50)
        let answer = try content(of: .ike) { SampleAnswers.ike($0, payloads: many + vendors) }
        guard case .ike(let found) = answer else { return }
        #expect(found.notifications.count == 32 && found.vendorIDs.count == 16)
        #expect(found.vendorIDs.allSatisfy { $0.count == 64 })
    }

    @Test func `a QUIC server offers versions`() throws {
        #expect(try content(of: .quic) { SampleAnswers.quic($0) } == .quic(QUICAnswer(versions: [1, 0x6B33_43CF])))
        let many = [UInt8](repeating: 9, count: 4000)
        guard case .quic(let found) = try content(of: .quic, { SampleAnswers.quic($0, versions: many) }) else { return }
        #expect(found.versions.count == 64)
    }

    @Test func `what a QUIC client must discard is not an answer`() {
        #expect(flaw(of: .quic) { SampleAnswers.quic($0, versions: []) } == "offers no version")
        #expect(flaw(of: .quic) { SampleAnswers.quic($0, versions: [1, 2]) } == "ends too early")
        #expect(
            flaw(of: .quic) { SampleAnswers.quic($0, versions: [0x1A, 0x2A, 0x3A, 0x4A]) }
                == "offers the version that it refuses")
        #expect(flaw(of: .quic) { [0x4A] + SampleAnswers.quic($0).dropFirst() } == "does not have a long header")
        #expect(flaw(of: .quic) { $0 } == "is not a Version Negotiation packet")
        #expect(
            flaw(of: .quic) { [0xC0, 0, 0, 0, 0] + $0[5..<23] + [0, 0, 0, 1] } == "has other connection IDs")
    }
}
