import CheckModel
import Testing

@testable import Diagnosis

/// What one observation alone leads to. Each row of the rule table has a row here.
struct RuleExpectation: Sendable, CustomTestStringConvertible {
    let sign: Sign
    let verdict: DiagnosisVerdict
    let confidence: Confidence
    let causes: [Cause]
    var rulesOut: [Cause] = []

    init(
        _ sign: Sign, _ verdict: DiagnosisVerdict, _ confidence: Confidence, _ causes: [Cause], rulesOut: [Cause] = []
    ) {
        self.sign = sign
        self.verdict = verdict
        self.confidence = confidence
        self.causes = causes
        self.rulesOut = rulesOut
    }

    /// An observation that points to nothing by itself.
    static func neutral(_ sign: Sign, rulesOut: [Cause] = []) -> RuleExpectation {
        RuleExpectation(sign, .unknown, .possible, [], rulesOut: rulesOut)
    }

    static func proof(_ sign: Sign, _ party: DiagnosisVerdict, _ cause: Cause, rulesOut: [Cause] = [])
        -> RuleExpectation
    {
        RuleExpectation(sign, party, .certain, [cause], rulesOut: rulesOut)
    }

    static func hint(_ sign: Sign, _ party: DiagnosisVerdict, _ cause: Cause, rulesOut: [Cause] = []) -> RuleExpectation
    {
        RuleExpectation(sign, party, .likely, [cause], rulesOut: rulesOut)
    }

    var testDescription: String { sign.rawValue }
}

struct RuleTableTests {
    static let silentCauses: [Cause] = [.targetDown, .packetsDropped, .portDropped, .backlogFull]

    static let expectations: [RuleExpectation] = [
        .neutral(.connected, rulesOut: [.serviceDown, .noRoute, .targetDown, .packetsDropped]),
        RuleExpectation(
            .connectionRefused, .target, .possible, [.serviceDown, .wrongPort],
            rulesOut: [.targetDown, .packetsDropped, .noRoute, .backlogFull]),
        .proof(.rejectedByTarget, .target, .targetFirewallReject, rulesOut: [.targetDown, .noRoute]),
        .proof(.rejectedOnPath, .network, .pathReject, rulesOut: [.noRoute]),
        .hint(.unreachableOnPath, .network, .pathNoRoute, rulesOut: [.noRoute]),
        .proof(.rejectedHere, .prober, .ownFirewallReject),
        .proof(.neighborSilent, .network, .neighborSilent, rulesOut: [.noRoute, .pathReject]),
        .neutral(.neighborAnswers, rulesOut: [.targetDown, .packetsDropped, .neighborSilent]),
        .proof(.noRoute, .prober, .noRoute),
        .proof(.familyMissing, .prober, .familyMissing),
        .proof(.notPermitted, .prober, .notPermitted),
        RuleExpectation(
            .noAnswer, .unknown, .possible, [.packetsDropped, .targetDown], rulesOut: [.serviceDown, .noRoute]),
        .hint(.resetInConnect, .network, .connectionReset, rulesOut: [.targetDown, .packetsDropped]),
        .neutral(
            .otherPortAnswers, rulesOut: [.targetDown, .packetsDropped, .proberOffline, .asymmetricReturn]),
        .neutral(.otherPortsSilent),
        .neutral(.controlConnected, rulesOut: [.proberOffline]),
        RuleExpectation(.controlFailed, .prober, .possible, [.proberOffline]),
        .proof(.familyBroken, .network, .familyBroken),
        .proof(.familyRefused, .target, .familyNotServed),
        .proof(.someAddressesFail, .target, .addressesBroken),
        .proof(.someAddressesUnreachable, .network, .addressesUnreachable),
        .neutral(
            .everyAddressConnects,
            rulesOut: [.addressesBroken, .addressesUnreachable, .familyBroken, .familyNotServed]),
        .hint(.absentAddressesAnswer, .network, .pathProxy),
        .neutral(.absentAddressesSilent, rulesOut: [.pathProxy]),
        .neutral(.pathReachesTarget, rulesOut: [.targetDown, .packetsDropped]),
        RuleExpectation(.pathEnds, .unknown, .possible, [.packetsDropped, .targetDown]),

        RuleExpectation(
            .closedAfterAccept, .target, .possible, [.noBackend, .clientRejected], rulesOut: [.serviceDown]),
        .neutral(.heldOpen, rulesOut: [.noBackend, .clientRejected]),
        .proof(.dialogFailed, .target, .targetError, rulesOut: [.serviceDown, .noRoute]),
        RuleExpectation(.udpUnverified, .unknown, .possible, [.udpUnverified]),
        RuleExpectation(.udpSilent, .unknown, .possible, [.packetsDropped, .otherProtocol], rulesOut: [.noRoute]),

        .neutral(.proberState),
        .neutral(.proberHasRoom, rulesOut: [.portsExhausted, .descriptorsExhausted]),
        .neutral(.conntrackHasRoom, rulesOut: [.conntrackFull]),
        .hint(.synNotSent, .prober, .ownFirewallDrop, rulesOut: silentCauses),
        .hint(.synQueued, .network, .neighborSilent, rulesOut: [.portDropped, .backlogFull]),
        .hint(.answersDroppedHere, .network, .asymmetricReturn, rulesOut: [.ownFirewallDrop]),
        .hint(.conntrackFull, .prober, .conntrackFull),
        .hint(.backlogOverflows, .target, .backlogFull),
        .hint(.socketRefused, .target, .serviceDown),
        .proof(.portsExhausted, .prober, .portsExhausted),
        .proof(.descriptorsExhausted, .prober, .descriptorsExhausted),
        .proof(.memoryExhausted, .prober, .memoryExhausted),
        .proof(.sourceRefused, .request, .sourceAddress),
        .hint(.otherSourceConnects, .request, .sourceAddress, rulesOut: silentCauses),
        RuleExpectation(.signedSilence, .request, .possible, [.md5Mismatch]),
        .hint(.answersWithoutSignature, .request, .md5Mismatch, rulesOut: silentCauses),

        .proof(.nameMissing, .resolver, .nameMissing),
        .proof(.nameServersFail, .resolver, .nameServersFail),
        .proof(.nameServersSilent, .resolver, .nameServersSilent),
        .neutral(.nameServerSilent),
        .neutral(.hostsFileUsed, rulesOut: [.nameServersSilent]),
        RuleExpectation(.hostsFileDiffers, .resolver, .possible, [.hostsFileWrong]),
        RuleExpectation(.nameServersDiffer, .resolver, .possible, [.nameServersDiffer]),
        .proof(.nameKnownElsewhere, .resolver, .nameServersDiffer),
        .proof(.otherAnswerConnects, .resolver, .nameServersDiffer),
        .proof(.hostsAnswerFails, .resolver, .hostsFileWrong),
        .neutral(.nameServersAgree, rulesOut: [.nameServersDiffer, .hostsFileWrong]),

        .proof(.certificateExpired, .target, .certificateExpired),
        .proof(.certificateNotYetValid, .target, .certificateNotYetValid),
        .proof(.certificateNameMismatch, .target, .certificateNameMismatch),
        .proof(.certificateSelfSigned, .target, .certificateSelfSigned),
        .proof(.certificateRejected, .target, .certificateRejected),
        RuleExpectation(.issuerUnknown, .target, .possible, [.untrustedAuthority, .missingIntermediate]),
        .proof(.rootUntrusted, .target, .untrustedAuthority, rulesOut: [.missingIntermediate]),
        .hint(.serverNameMissing, .request, .serverNameMissing),
        .hint(.serverNameRejected, .target, .serverNameUnknown),
        RuleExpectation(.otherServerNameWorks, .unknown, .possible, [.nameFiltered, .serverNameUnknown]),
        RuleExpectation(.handshakeWithoutName, .request, .possible, [.serverNameMissing]),
        RuleExpectation(.versionRejected, .target, .possible, [.tlsTooOld]),
        .proof(.oldVersionWorks, .target, .tlsTooOld),
        .proof(.notTLS, .target, .plaintextPort),
        .proof(.clientCertificateRequired, .request, .clientCertificateRequired),
        RuleExpectation(.handshakeRejected, .target, .possible, [.targetError]),
        RuleExpectation(
            .silentInHandshake, .unknown, .possible, [.serviceHangs, .waitsForPlaintext, .mtuBlackHole],
            rulesOut: [.serviceDown, .targetDown]),
        RuleExpectation(
            .resetInHandshake, .target, .possible, [.targetError], rulesOut: [.serviceDown, .targetDown]),
        .hint(.smallSegmentsWork, .network, .mtuBlackHole, rulesOut: [.serviceHangs, .waitsForPlaintext]),
        .neutral(.smallSegmentsFail, rulesOut: [.mtuBlackHole]),
        .hint(.smallHelloWorks, .network, .helloDropped, rulesOut: [.serviceHangs, .waitsForPlaintext]),
        .neutral(.smallHelloFails, rulesOut: [.helloDropped]),

        .proof(.targetError, .target, .targetError),
        .proof(.networkError, .network, .networkError),
        .proof(.proberError, .prober, .proberError),
        .proof(.resolverError, .resolver, .resolverError),
        .proof(.requestError, .request, .requestError),
    ]

    @Test("every sign has one rule and one expectation")
    func theTableIsComplete() {
        let signs = Sign.allCases.map(\.rawValue).sorted()
        #expect(RuleTable.rules.map(\.sign.rawValue).sorted() == signs)
        #expect(Self.expectations.map(\.sign.rawValue).sorted() == signs)
    }

    @Test("an observation alone supports and rules out what its rule says", arguments: expectations)
    func oneObservation(_ expected: RuleExpectation) throws {
        let report = Conclusion.conclude(
            [Observation(expected.sign, "Something was seen.")], about: try Sample.subject(), check: Sample.silent)
        #expect(report.verdict == expected.verdict)
        #expect(report.confidence == expected.confidence)
        #expect(report.causes == expected.causes)
        #expect(Set(report.ruledOut.map(\.cause)) == Set(expected.rulesOut))
        #expect(report.ruledOut.allSatisfy { $0.because == "Something was seen." })
        #expect(report.findings.map(\.sign) == [expected.sign])
    }

    @Test("every cause can be concluded, and has a clause and a next command", arguments: Cause.allCases)
    func everyCauseIsUsed(_ cause: Cause) throws {
        let rule = try #require(
            RuleTable.rules.first { rule in rule.supports.contains { $0.cause == cause } }, "no rule supports it")
        let seen = Observation(rule.sign, "Something was seen.", ["error": .text("ENAME (message)")])
        let weights = CauseWeights([seen])
        #expect(!cause.clause(weights.facts(of: cause)).isEmpty)
        #expect(!NextCommands.commands(for: [cause], weights: weights, about: try Sample.subject()).isEmpty)
    }
}
