@testable import ErrorCatalogue
import Testing

/// The class and hint of each failed handshake.
@Suite struct ClassifierTLSTests {
    private static func alert(_ name: String, from sender: TLSAlertReport.Sender = .peer) throws -> TLSAlertReport {
        TLSAlertReport(alert: try #require(TLSAlert(name: name)), sender: sender)
    }

    @Test(arguments: TLSFailure.allCases)
    func eachFailureHasACatalogueEntry(failure: TLSFailure) throws {
        let entry = try #require(ErrnoCatalogue.entry(named: failure.rawValue))
        #expect(ErrnoCatalogue.entry(for: failure) == entry)
        #expect(entry.errorClass == .tlsFailed && entry.source == .tls && entry.fault == .target)
        let report = Classifier.report(for: TLSHandshakeFailure(failure, sentCertificate: true))
        #expect(report.name == failure.rawValue && report.errno == nil && report.fault == .target)
        #expect(report.message == entry.message && report.source == .tls && report.errorClass == .tlsFailed)
        #expect(report.alert == nil && report.received == nil)
    }

    @Test func specialCasesHaveTheirOwnHint() {
        var staple = TLSHandshakeFailure(.certificateInvalid)
        staple.subject = .staple
        #expect(Classifier.report(for: staple).hint == Hints.stapleNotGood)
        #expect(Classifier.report(for: TLSHandshakeFailure(.certificateInvalid)).hint != Hints.stapleNotGood)
        let injection = TLSHandshakeFailure(.protocolViolation, received: [1])
        #expect(Classifier.report(for: injection).hint == Hints.plainTextAfterStartTLS)
        #expect(Classifier.report(for: TLSHandshakeFailure(.protocolViolation)).hint != Hints.plainTextAfterStartTLS)
        #expect(Classifier.report(for: TLSHandshakeFailure(.alert)).hint == Hints.expectedAlertMissing)
    }

    @Test func aFailedPreparationIsTheProbersFault() {
        var failure = TLSHandshakeFailure(.protocolViolation)
        failure.subject = .preparation
        let report = Classifier.report(for: failure)
        #expect(report.fault == .prober && !report.retryable && report.errorClass == .tlsFailed)
        #expect(report.hint == Hints.preparationFailed)
    }

    @Test func aShortageOfMemoryIsTheProbersFault() {
        var failure = TLSHandshakeFailure(.protocolViolation, message: "malloc failure")
        failure.subject = .shortage
        let report = Classifier.report(for: failure)
        #expect(report.fault == .prober && report.retryable && report.errorClass == .tlsFailed)
        #expect(report.hint == Hints.shortOfMemory)
    }

    @Test func silenceBeforeAndDuringTheHandshakeHaveDifferentHints() {
        var circumstances = Circumstances(phase: .tls, transport: .tcp)
        #expect(Classifier.deadlineReport(in: circumstances).hint == Hints.silentInTLS)
        circumstances.isBeforeTLS = true
        #expect(Classifier.deadlineReport(in: circumstances).hint == Hints.silentBeforeTLS)
    }

    @Test func onlyTemporaryFailuresAreRetryable() {
        let retryable = TLSFailure.allCases.filter { ErrnoCatalogue.entry(for: $0).retryable }
        #expect(retryable == [.certificateNotYetValid, .closed, .protocolViolation])
    }

    @Test func theReportKeepsMessageAlertAndReceivedBytes() throws {
        let alert = try Self.alert("handshake_failure")
        let report = Classifier.report(
            for: TLSHandshakeFailure(.alert, message: "sslv3 alert", alert: alert, received: [1, 2]))
        #expect(report.message == "sslv3 alert" && report.alert == alert && report.received == [1, 2])
    }

    @Test func aMissingClientCertificateIsTheRequestsFault() {
        let without = Classifier.report(for: TLSHandshakeFailure(.clientCertificateRequired))
        let with = Classifier.report(for: TLSHandshakeFailure(.clientCertificateRequired, sentCertificate: true))
        #expect(without.fault == .request && with.fault == .target)
        #expect(without.hint != with.hint)
    }

    @Test(arguments: [
        ("unrecognized_name", Hints.unrecognizedName), ("unknown_ca", Hints.clientCertificateUnknownAuthority),
        ("certificate_expired", Hints.clientCertificateExpired),
        ("certificate_revoked", Hints.clientCertificateRevoked), ("access_denied", Hints.accessDenied),
        ("bad_certificate", Hints.clientCertificateRefused), ("decrypt_error", Hints.clientCertificateRefused),
        ("handshake_failure", Hints.handshakeFailure), ("internal_error", Hints.internalError),
        ("inappropriate_fallback", Hints.inappropriateFallback),
    ])
    func anAlertFromThePeerHasItsOwnHint(name: String, hint: String) throws {
        let failure = TLSHandshakeFailure(.alert, alert: try Self.alert(name), sentCertificate: true)
        #expect(Classifier.report(for: failure).hint == hint)
        let ours = TLSHandshakeFailure(.alert, alert: try Self.alert(name, from: .prober), sentCertificate: true)
        #expect(Classifier.report(for: ours).hint == ErrnoCatalogue.entry(for: .alert).hint)
    }

    @Test(arguments: ["bad_certificate", "decrypt_error"])
    func withoutASentCertificateTheGeneralHintApplies(name: String) throws {
        let failure = TLSHandshakeFailure(.alert, alert: try Self.alert(name))
        #expect(Classifier.report(for: failure).hint == ErrnoCatalogue.entry(for: .alert).hint)
    }

    @Test func anInternalErrorOfThePeerIsRetryable() throws {
        let failed = TLSHandshakeFailure(.alert, alert: try Self.alert("internal_error"))
        let refused = TLSHandshakeFailure(.alert, alert: try Self.alert("handshake_failure"))
        #expect(Classifier.report(for: failed).retryable)
        #expect(!Classifier.report(for: refused).retryable)
    }

    @Test(arguments: [true, false]) func aRefusalOfStartTLSCanBeTemporary(isTemporary: Bool) {
        var failure = TLSHandshakeFailure(.startTLSRefused)
        failure.isTemporary = isTemporary
        #expect(Classifier.report(for: failure).retryable == isTemporary)
        #expect(Classifier.report(for: failure).hint == ErrnoCatalogue.entry(for: .startTLSRefused).hint)
        failure.subject = .service
        #expect(Classifier.report(for: failure).retryable == isTemporary)
        let hint = isTemporary ? Hints.serviceRefusedForNow : Hints.serviceRefused
        #expect(Classifier.report(for: failure).hint == hint)
    }

    @Test(arguments: [
        "handshake_failure", "unrecognized_name", "internal_error", "access_denied", "missing_extension",
    ])
    func anAlertWithoutAServerNameHintsAtTheMissingName(_ alert: String) throws {
        var failure = TLSHandshakeFailure(.alert, alert: try Self.alert(alert))
        #expect(Classifier.report(for: failure).hint != Hints.noServerName)
        failure.sentServerName = false
        #expect(Classifier.report(for: failure).hint == Hints.noServerName)
        #expect(Classifier.report(for: failure).retryable == (alert == "internal_error"))
    }

    @Test func noSharedCipherWithoutAServerNameHintsAtTheMissingName() throws {
        var failure = TLSHandshakeFailure(.noSharedCipher, alert: try Self.alert("handshake_failure"))
        #expect(Classifier.report(for: failure).hint == ErrnoCatalogue.entry(for: .noSharedCipher).hint)
        failure.sentServerName = false
        #expect(Classifier.report(for: failure).hint == Hints.noServerName)
        failure.alert = nil
        #expect(Classifier.report(for: failure).hint == ErrnoCatalogue.entry(for: .noSharedCipher).hint)
        var closed = TLSHandshakeFailure(.closed)
        closed.sentServerName = false
        #expect(Classifier.report(for: closed).hint == Hints.noServerName)
    }

    @Test func aNameMismatchHintsAtTheMissingName() {
        var failure = TLSHandshakeFailure(.certificateNameMismatch)
        #expect(Classifier.report(for: failure).hint == ErrnoCatalogue.entry(for: .certificateNameMismatch).hint)
        failure.sentServerName = false
        #expect(Classifier.report(for: failure).hint == Hints.defaultCertificate)
        failure.subject = .missingNames
        #expect(Classifier.report(for: failure).hint == Hints.certificateWithoutNames)
    }

    @Test(arguments: [
        (TLSHandshakeFailure.Subject.legacyRenegotiation, Hints.legacyRenegotiation),
        (.messageSize, Hints.messageTooLarge),
    ])
    func aPermanentViolationIsNotRetryable(_ subject: TLSHandshakeFailure.Subject, _ hint: String) {
        var failure = TLSHandshakeFailure(.protocolViolation)
        #expect(Classifier.report(for: failure).retryable)
        failure.subject = subject
        #expect(!Classifier.report(for: failure).retryable)
        #expect(Classifier.report(for: failure).hint == hint)
    }
}
