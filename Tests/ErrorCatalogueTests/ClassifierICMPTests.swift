@testable import ErrorCatalogue
import Glibc
@testable import NetworkTypes
import Testing

@Suite struct ClassifierICMPTests {
    static func judge(
        _ number: Int32, _ type: UInt8, _ code: UInt8, _ family: AddressFamily = .ipv4, sender: ICMPSender,
        transport: Circumstances.Transport = .tcp, phase: Phase = .connect
    ) -> ErrorReport {
        let circumstances = ClassifierTests.at(phase, transport) {
            $0.icmp = ICMPMessage(family: family, type: type, code: code, from: ClassifierTests.host)
            $0.icmpSender = sender
        }
        return Classifier.report(for: Errno(number), in: circumstances)
    }

    static let faults: [(ICMPSender, Fault)] = [
        (.target, .target), (.prober, .prober), (.intermediate, .network),
    ]

    @Test(arguments: [9, 10, 13] as [UInt8], faults)
    func aProhibitionOverIPv4IsUnreachable(code: UInt8, sender: (ICMPSender, Fault)) {
        let report = Self.judge(EHOSTUNREACH, 3, code, sender: sender.0)
        #expect(report.name == "EHOSTUNREACH" && report.errno == Errno(EHOSTUNREACH))
        #expect(report.errorClass == .unreachable && report.fault == sender.1 && !report.retryable)
    }

    @Test(arguments: [1, 5, 6] as [UInt8], faults)
    func aProhibitionOverIPv6IsUnreachableAlthoughTheNumberIsEACCES(code: UInt8, sender: (ICMPSender, Fault)) {
        let report = Self.judge(EACCES, 1, code, .ipv6, sender: sender.0)
        #expect(report.name == "EACCES" && report.errno == Errno(EACCES))
        #expect(report.errorClass == .unreachable && report.fault == sender.1)
    }

    @Test(arguments: 1...Int32(133))
    func aProhibitionMakesAnyNumberUnreachable(number: Int32) {
        let report = Self.judge(number, 3, 13, sender: .intermediate)
        #expect(report.errorClass == .unreachable && report.fault == .network && report.errno == Errno(number))
    }

    @Test(arguments: faults)
    func theSenderOfARefusalIsAtFault(sender: (ICMPSender, Fault)) {
        for transport in [Circumstances.Transport.tcp, .udp] {
            let report = Self.judge(ECONNREFUSED, 3, 3, sender: sender.0, transport: transport)
            #expect(report.errorClass == .refused && report.fault == sender.1)
        }
        let dialog = Self.judge(ECONNREFUSED, 1, 4, .ipv6, sender: sender.0, transport: .udp, phase: .dialog)
        #expect(dialog.errorClass == .refused && dialog.fault == sender.1)
    }

    @Test func aTCPResetIsTheTargetsRefusal() {
        let report = Classifier.report(for: Errno(ECONNREFUSED), in: ClassifierTests.at())
        #expect(report.errorClass == .refused && report.fault == .target)
    }

    @Test func aDeadNeighbourIsTheNetworksAlthoughWeSayItOurselves() {
        let overIPv4 = Self.judge(EHOSTUNREACH, 3, 1, sender: .prober)
        let overIPv6 = Self.judge(EHOSTUNREACH, 1, 3, .ipv6, sender: .prober)
        for report in [overIPv4, overIPv6] {
            #expect(report.errorClass == .unreachable && report.fault == .network && report.retryable)
            #expect(report.hint == Hints.deadNeighbor)
        }
    }

    @Test func aHostUnreachableFromTheTargetIsTheTargets() {
        #expect(Self.judge(EHOSTUNREACH, 3, 1, sender: .target).fault == .target)
        #expect(Self.judge(EHOSTUNREACH, 3, 1, sender: .intermediate).fault == .network)
    }

    @Test func anExceededHopLimitSpeaksOfTheHopLimit() {
        #expect(Self.judge(EHOSTUNREACH, 11, 0, sender: .intermediate).hint == Hints.timeExceeded)
        #expect(Self.judge(EHOSTUNREACH, 3, 0, .ipv6, sender: .intermediate).hint == Hints.timeExceeded)
    }

    @Test(arguments: faults)
    func evidenceMovesTheFaultOfADeadlineToo(sender: (ICMPSender, Fault)) {
        let circumstances = ClassifierTests.at {
            $0.icmp = ICMPMessage(family: .ipv4, type: 3, code: 0, from: ClassifierTests.host)
            $0.icmpSender = sender.0
        }
        let report = Classifier.deadlineReport(in: circumstances)
        #expect(report.name == "DEADLINE" && report.errorClass == .timeout && report.fault == sender.1)
    }
}
