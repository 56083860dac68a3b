@testable import ErrorCatalogue
import Glibc
import NetworkTypes
import Testing

/// What a timeout says about the SYNs that were sent.
@Suite struct SYNHintsTests {
    private func circumstances(
        sent: UInt32, unsent: UnsentSYN? = nil, _ change: (inout Circumstances) -> Void = { _ in }
    ) -> Circumstances {
        ClassifierTests.at(.connect) {
            $0.tcpInformation = TCPInformation(
                synRetransmits: 0, rttMicroseconds: 0, rttVarianceMicroseconds: 0, retransmits: 0, sendMSS: 0,
                pathMTU: 0, synSent: sent, unsent: unsent)
            change(&$0)
        }
    }

    @Test(arguments: [(UInt32(1), "(1 SYN sent)"), (3, "(3 SYNs sent)"), (64, "(64 SYNs sent)")])
    func `the number of SYNs is in the hint of both timeouts`(count: UInt32, text: String) {
        let deadline = Classifier.deadlineReport(in: circumstances(sent: count))
        #expect(deadline.hint.hasSuffix("nothing answered in time \(text)."))
        let timeout = Classifier.report(for: Errno(ETIMEDOUT), in: circumstances(sent: count))
        #expect(timeout.hint.hasSuffix("nothing answered \(text)."))
        #expect((deadline.fault, timeout.fault) == (.network, .network))
        #expect(timeout.message == String(cString: strerror(ETIMEDOUT)))
    }

    @Test(arguments: [UInt32(0), 65, .max])
    func `other numbers leave the usual hint`(count: UInt32) {
        #expect(
            Classifier.deadlineReport(in: circumstances(sent: count)).hint
                == ErrnoCatalogue.entry(for: .deadline).hint)
    }

    @Test(arguments: UnsentSYN.allCases)
    func `a SYN that did not leave is named, whatever else is known`(reason: UnsentSYN) {
        let report = Classifier.deadlineReport(
            in: circumstances(sent: 0, unsent: reason) {
                $0.signsWithMD5 = true
                $0.destination = ClassifierTests.loopback
            })
        #expect(report.hint == Hints.unsent(reason))
        #expect((report.errorClass, report.fault) == (.timeout, .network))
    }

    @Test func `an MD5 key and loopback keep their hints`() {
        #expect(
            Classifier.deadlineReport(in: circumstances(sent: 2) { $0.signsWithMD5 = true }).hint == Hints.silentWithMD5
        )
        #expect(
            Classifier.deadlineReport(in: circumstances(sent: 2) { $0.destination = ClassifierTests.loopback }).hint
                == Hints.silentOnLoopback)
    }

    @Test func `the deadline within a hold is not the silence of a firewall`() {
        let cut = Classifier.deadlineReport(in: ClassifierTests.at(.hold))
        #expect((cut.fault, cut.hint) == (.target, Hints.deadlineWhileHeld))
        let silent = Classifier.report(for: Errno(ETIMEDOUT), in: ClassifierTests.at(.hold))
        #expect((silent.fault, silent.hint) == (.target, Hints.silentWhileHeld))
    }

    @Test(arguments: [1, 2, 64])
    func `the command line names its own option and the timeout`(count: Int) throws {
        let hint = try #require(Hints.unanswered(synCount: count, isDeadline: true))
        let text = CommandLineHint(hint).text([.timeout: "700ms"])
        #expect(text.contains("--timeout") && text.contains("nothing answered within 700ms (\(Hints.sent(count)))"))
    }
}
