internal import CheckModel
internal import ErrorCatalogue
internal import Glibc
internal import NetworkTypes

/// Reads observations about a TLS handshake that failed.
enum TLSObserver {
    static func failure(_ record: DiagnosisRecord, _ error: ErrorReport) -> [Observation] {
        guard let failure = TLSFailure(rawValue: error.name) else { return [Observer.reported(error)] }
        switch failure {
        case .certificateExpired, .certificateNotYetValid, .certificateNameMismatch, .certificateSelfSigned,
            .certificateUnknownAuthority:
            return [certificate(failure, record, error)]
        case .certificateRevoked, .certificateWeak, .certificateExpiresSoon, .certificateInvalid:
            return [
                Observation(
                    .certificateRejected, "The certificate is not acceptable (\(error.name)).",
                    ["error": .text(error.name), "message": .text(error.message)])
            ]
        case .notTLS:
            let received = error.received.map { VisibleText.of(String(decoding: $0.prefix(64), as: UTF8.self)) }
            return [
                Observation(
                    .notTLS, "The peer's first bytes are not TLS.", ["received": received.map(EvidenceValue.text)])
            ]
        case .clientCertificateRequired:
            return [
                Observation(
                    .clientCertificateRequired, "The server ends the handshake because the client has no certificate.",
                    Observer.facts(error))
            ]
        case .version, .noSharedCipher, .alert, .closed, .alpn, .protocolViolation, .startTLSRefused:
            return rejection(failure, record, error)
        }
    }

    private static func rejection(
        _ failure: TLSFailure, _ record: DiagnosisRecord, _ error: ErrorReport
    ) -> [Observation] {
        let name = record.check.tls?.serverName
        var facts: Evidence = ["error": .text(error.name), "alert": (error.alert?.alert.name).map(EvidenceValue.text)]
        if error.alert?.alert.name == "unrecognized_name" {
            guard let name else {
                return [
                    Observation(
                        .serverNameMissing, "The server answers the ClientHello with the alert unrecognized_name.",
                        facts)
                ]
            }
            facts = ["server_name": .text(name), "alert": .text("unrecognized_name")]
            return [Observation(.serverNameRejected, "The server does not recognize the name \(name).", facts)]
        }
        if failure == .version {
            return [Observation(.versionRejected, "The server accepts none of the offered TLS versions.", facts)]
        }
        facts = Observer.facts(error)
        var seen = [Observation(.handshakeRejected, "The server ends the handshake (\(error.name)).", facts)]
        if name == nil, [.alert, .closed, .noSharedCipher].contains(failure) { seen.append(withoutName) }
        return seen
    }

    private static var withoutName: Observation {
        Observation(.handshakeWithoutName, "The ClientHello has no server name, because the target has none.")
    }

    // MARK: Certificates

    private static func certificate(
        _ failure: TLSFailure, _ record: DiagnosisRecord, _ error: ErrorReport
    ) -> Observation {
        let chain = record.check.tls?.chain ?? []
        let leaf = chain.first
        let depth = record.check.tls?.verifyError?.depth ?? 0
        let bad = chain.indices.contains(depth) ? chain[depth] : leaf
        switch failure {
        case .certificateExpired:
            let end = bad?.notAfter.flatMap(CalendarDay.text)
            return Observation(
                .certificateExpired, "The certificate of \(bad?.subject ?? "the server") has expired.",
                ["not_after": end.map(EvidenceValue.text), "depth": .integer(depth)])
        case .certificateNotYetValid:
            let begin = bad?.notBefore.flatMap(CalendarDay.text)
            return Observation(
                .certificateNotYetValid, "The certificate of \(bad?.subject ?? "the server") is not valid yet.",
                ["not_before": begin.map(EvidenceValue.text), "depth": .integer(depth)])
        case .certificateNameMismatch: return mismatch(record, leaf)
        case .certificateSelfSigned:
            return Observation(
                .certificateSelfSigned, "The server's certificate is its own issuer.",
                ["subject": (leaf?.subject).map(EvidenceValue.text)])
        default: return unknownAuthority(chain)
        }
    }

    private static func mismatch(_ record: DiagnosisRecord, _ leaf: CertificateReport?) -> Observation {
        let wanted = record.request.tls?.serverName ?? record.subject.host ?? ""
        let names = leaf?.subjectAlternativeNames.prefix(3).map { name in
            String(name.drop { $0 != ":" }.dropFirst())
        }
        return Observation(
            .certificateNameMismatch, "The certificate does not contain the name \(wanted).",
            ["names": names.map { .texts(Array($0)) }, "wanted": .text(wanted)])
    }

    private static func unknownAuthority(_ chain: [CertificateReport]) -> Observation {
        let last = chain.last
        let facts: Evidence = [
            "issuer": (last?.issuer).map(EvidenceValue.text), "certificates": .integer(chain.count),
        ]
        if let last, last.subject == last.issuer {
            return Observation(
                .rootUntrusted, "The server sends its root certificate, and this prober does not trust it.", facts)
        }
        return Observation(
            .issuerUnknown,
            "The server sends \(chain.count) certificates; the issuer of the last one is not known here.",
            facts)
    }

    // MARK: Silence

    static func silence(_ record: DiagnosisRecord, isReset: Bool) -> [Observation] {
        let facts = Observer.facts(of: record.check.decisiveAttempt)
        guard isReset else {
            return [
                Observation(
                    .silentInHandshake, "The connect succeeds, but no answer to the ClientHello comes.", facts)
            ]
        }
        let reset = Observation(
            .resetInHandshake, "The connect succeeds, and the ClientHello is answered with a reset.",
            ["error": .text("ECONNRESET (Connection reset by peer)")])
        return record.check.tls?.serverName == nil ? [reset, withoutName] : [reset]
    }
}

extension Observer {
    /// Observations from the handshakes with other parameters.
    static func handshakes(_ record: DiagnosisRecord, _ name: String) -> [Observation] {
        var seen: [Observation] = []
        if let result = record.result(of: .smallSegments) {
            seen.append(
                result.answersHello
                    ? Observation(.smallSegmentsWork, "With segments of at most 536 bytes, the server answers.")
                    : Observation(
                        .smallSegmentsFail, "With segments of at most 536 bytes, the handshake fails as well."))
        }
        if let result = record.result(of: .smallHello) {
            seen.append(
                result.answersHello
                    ? Observation(.smallHelloWorks, "A small ClientHello gets an answer.")
                    : Observation(.smallHelloFails, "A small ClientHello gets no answer either."))
        }
        if let result = record.result(of: .withoutServerName), result.answersHello, !record.check.answersHello,
            let name = record.check.tls?.serverName
        {
            seen.append(
                Observation(
                    .otherServerNameWorks, "Without the server name \(name), the handshake succeeds.",
                    ["server_name": .text(name)]))
        }
        if let result = record.result(of: .oldVersions), let version = result.tls?.version, result.ok {
            seen.append(
                Observation(
                    .oldVersionWorks, "A handshake with \(version) succeeds, and with TLS 1.2 or later it fails.",
                    ["version": .text(version)]))
        }
        return seen
    }
}

extension CheckResult {
    /// Whether the server answered the ClientHello with its certificate or a complete handshake.
    fileprivate var answersHello: Bool {
        if ok { return true }
        return phase == .tls && !(tls?.chain.isEmpty ?? true)
    }
}

/// A day in the calendar, in UTC.
enum CalendarDay {
    /// `2026-01-31`; nil for a time that the C library cannot convert.
    static func text(secondsSince1970 seconds: Int64) -> String? {
        var time = time_t(seconds)
        var parts = tm()
        guard gmtime_r(&time, &parts) != nil else { return nil }
        let month = parts.tm_mon + 1
        return
            "\(parts.tm_year + 1900)-\(month < 10 ? "0" : "")\(month)-\(parts.tm_mday < 10 ? "0" : "")\(parts.tm_mday)"
    }
}
