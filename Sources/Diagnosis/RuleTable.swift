/// How strongly an observation supports a cause.
public enum Strength: Int, Comparable, Sendable {
    /// The cause fits, but better ones usually explain the observation.
    case fits
    /// The observation is what the cause produces; others produce it too.
    case allows
    /// The observation points to this cause and hardly to any other.
    case indicates
    /// The observation is the cause, or its direct report.
    case proves

    public static func < (left: Strength, right: Strength) -> Bool { left.rawValue < right.rawValue }
}

/// One row of the table: what follows from an observation.
public struct Rule: Sendable {
    public let sign: Sign
    public let supports: [(cause: Cause, strength: Strength)]
    public let rulesOut: [Cause]

    init(_ sign: Sign, _ supports: [(Cause, Strength)] = [], rulesOut: [Cause] = []) {
        self.sign = sign
        self.supports = supports.map { (cause: $0.0, strength: $0.1) }
        self.rulesOut = rulesOut
    }
}

/// The table of all rules: one for each sign.
public enum RuleTable {
    public static let rules = connect + afterConnect + prober + names + tls + others

    /// The rule of a sign; nil if the sign has none, which a test excludes.
    public static func rule(of sign: Sign) -> Rule? { bySign[sign] }

    private static let bySign = Dictionary(uniqueKeysWithValues: rules.map { ($0.sign, $0) })

    /// Causes that only silence has.
    private static let silentCauses: [Cause] = [.targetDown, .packetsDropped, .portDropped, .backlogFull]

    private static let connect = [
        Rule(.connected, rulesOut: [.serviceDown, .noRoute, .targetDown, .packetsDropped]),
        Rule(
            .connectionRefused, [(.serviceDown, .allows), (.wrongPort, .allows)],
            rulesOut: [.targetDown, .packetsDropped, .noRoute, .backlogFull]),
        Rule(.rejectedByTarget, [(.targetFirewallReject, .proves)], rulesOut: [.targetDown, .noRoute]),
        Rule(.rejectedOnPath, [(.pathReject, .proves)], rulesOut: [.noRoute]),
        Rule(.unreachableOnPath, [(.pathNoRoute, .indicates)], rulesOut: [.noRoute]),
        Rule(.rejectedHere, [(.ownFirewallReject, .proves)]),
        Rule(.neighborSilent, [(.neighborSilent, .proves)], rulesOut: [.noRoute, .pathReject]),
        Rule(.neighborAnswers, rulesOut: [.targetDown, .packetsDropped, .neighborSilent]),
        Rule(.noRoute, [(.noRoute, .proves)]),
        Rule(.familyMissing, [(.familyMissing, .proves)]),
        Rule(.notPermitted, [(.notPermitted, .proves)]),
        Rule(
            .noAnswer,
            [(.packetsDropped, .allows), (.targetDown, .allows), (.portDropped, .fits), (.backlogFull, .fits)],
            rulesOut: [.serviceDown, .noRoute]),
        Rule(.resetInConnect, [(.connectionReset, .indicates)], rulesOut: [.targetDown, .packetsDropped]),
        Rule(.otherPortAnswers, rulesOut: [.targetDown, .packetsDropped, .proberOffline, .asymmetricReturn]),
        Rule(.otherPortsSilent),
        Rule(.controlConnected, rulesOut: [.proberOffline]),
        Rule(.controlFailed, [(.proberOffline, .allows)]),
        Rule(.familyBroken, [(.familyBroken, .proves)]),
        Rule(.familyRefused, [(.familyNotServed, .proves)]),
        Rule(.someAddressesFail, [(.addressesBroken, .proves)]),
        Rule(.someAddressesUnreachable, [(.addressesUnreachable, .proves)]),
        Rule(
            .everyAddressConnects,
            rulesOut: [.addressesBroken, .addressesUnreachable, .familyBroken, .familyNotServed]),
        Rule(.absentAddressesAnswer, [(.pathProxy, .indicates)]),
        Rule(.absentAddressesSilent, rulesOut: [.pathProxy]),
        Rule(.pathReachesTarget, rulesOut: [.targetDown, .packetsDropped]),
        Rule(.pathEnds, [(.packetsDropped, .allows), (.targetDown, .allows)]),
    ]

    private static let afterConnect = [
        Rule(.closedAfterAccept, [(.noBackend, .allows), (.clientRejected, .allows)], rulesOut: [.serviceDown]),
        Rule(.heldOpen, rulesOut: [.noBackend, .clientRejected]),
        Rule(.dialogFailed, [(.targetError, .proves)], rulesOut: [.serviceDown, .noRoute]),
        Rule(.udpUnverified, [(.udpUnverified, .allows)]),
        Rule(.udpSilent, [(.packetsDropped, .allows), (.otherProtocol, .allows)], rulesOut: [.noRoute]),
    ]

    private static let prober = [
        Rule(.proberState),
        Rule(.proberHasRoom, rulesOut: [.portsExhausted, .descriptorsExhausted]),
        Rule(.conntrackHasRoom, rulesOut: [.conntrackFull]),
        Rule(.synNotSent, [(.ownFirewallDrop, .indicates)], rulesOut: silentCauses),
        Rule(.synQueued, [(.neighborSilent, .indicates)], rulesOut: [.portDropped, .backlogFull]),
        Rule(.answersDroppedHere, [(.asymmetricReturn, .indicates)], rulesOut: [.ownFirewallDrop]),
        Rule(.conntrackFull, [(.conntrackFull, .indicates)]),
        Rule(.backlogOverflows, [(.backlogFull, .indicates)]),
        Rule(.socketRefused, [(.serviceDown, .indicates)]),
        Rule(.portsExhausted, [(.portsExhausted, .proves)]),
        Rule(.descriptorsExhausted, [(.descriptorsExhausted, .proves)]),
        Rule(.memoryExhausted, [(.memoryExhausted, .proves)]),
        Rule(.sourceRefused, [(.sourceAddress, .proves)]),
        Rule(.otherSourceConnects, [(.sourceAddress, .indicates)], rulesOut: silentCauses),
        Rule(.signedSilence, [(.md5Mismatch, .fits)]),
        Rule(.answersWithoutSignature, [(.md5Mismatch, .indicates)], rulesOut: silentCauses),
    ]

    private static let names = [
        Rule(.nameMissing, [(.nameMissing, .proves)]),
        Rule(.nameServersFail, [(.nameServersFail, .proves)]),
        Rule(.nameServersSilent, [(.nameServersSilent, .proves)]),
        Rule(.nameServerSilent),
        Rule(.hostsFileUsed, rulesOut: [.nameServersSilent]),
        Rule(.hostsFileDiffers, [(.hostsFileWrong, .fits)]),
        Rule(.nameServersDiffer, [(.nameServersDiffer, .allows)]),
        Rule(.nameKnownElsewhere, [(.nameServersDiffer, .proves)]),
        Rule(.otherAnswerConnects, [(.nameServersDiffer, .proves)]),
        Rule(.hostsAnswerFails, [(.hostsFileWrong, .proves)]),
        Rule(.nameServersAgree, rulesOut: [.nameServersDiffer, .hostsFileWrong]),
    ]

    private static let tls = [
        Rule(.certificateExpired, [(.certificateExpired, .proves)]),
        Rule(.certificateNotYetValid, [(.certificateNotYetValid, .proves)]),
        Rule(.certificateNameMismatch, [(.certificateNameMismatch, .proves)]),
        Rule(.certificateSelfSigned, [(.certificateSelfSigned, .proves)]),
        Rule(.certificateRejected, [(.certificateRejected, .proves)]),
        Rule(.issuerUnknown, [(.untrustedAuthority, .allows), (.missingIntermediate, .allows)]),
        Rule(.rootUntrusted, [(.untrustedAuthority, .proves)], rulesOut: [.missingIntermediate]),
        Rule(.serverNameMissing, [(.serverNameMissing, .indicates)]),
        Rule(.serverNameRejected, [(.serverNameUnknown, .indicates)]),
        Rule(.otherServerNameWorks, [(.nameFiltered, .allows), (.serverNameUnknown, .allows)]),
        Rule(.handshakeWithoutName, [(.serverNameMissing, .allows)]),
        Rule(.versionRejected, [(.tlsTooOld, .allows)]),
        Rule(.oldVersionWorks, [(.tlsTooOld, .proves)]),
        Rule(.notTLS, [(.plaintextPort, .proves)]),
        Rule(.clientCertificateRequired, [(.clientCertificateRequired, .proves)]),
        Rule(.handshakeRejected, [(.targetError, .allows)]),
        Rule(
            .silentInHandshake,
            [
                (.serviceHangs, .allows), (.waitsForPlaintext, .allows), (.mtuBlackHole, .allows),
                (.helloDropped, .fits),
            ],
            rulesOut: [.serviceDown, .targetDown]),
        Rule(.resetInHandshake, [(.targetError, .allows)], rulesOut: [.serviceDown, .targetDown]),
        Rule(.smallSegmentsWork, [(.mtuBlackHole, .indicates)], rulesOut: [.serviceHangs, .waitsForPlaintext]),
        Rule(.smallSegmentsFail, rulesOut: [.mtuBlackHole]),
        Rule(.smallHelloWorks, [(.helloDropped, .indicates)], rulesOut: [.serviceHangs, .waitsForPlaintext]),
        Rule(.smallHelloFails, rulesOut: [.helloDropped]),
    ]

    private static let others = [
        Rule(.targetError, [(.targetError, .proves)]),
        Rule(.networkError, [(.networkError, .proves)]),
        Rule(.proberError, [(.proberError, .proves)]),
        Rule(.resolverError, [(.resolverError, .proves)]),
        Rule(.requestError, [(.requestError, .proves)]),
    ]
}
