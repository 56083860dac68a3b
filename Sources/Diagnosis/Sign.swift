/// The kind of an observation. The raw value is the `id` of a finding.
public enum Sign: String, CaseIterable, Sendable {
    // The connect.
    case connected
    case connectionRefused = "connection_refused"
    case rejectedByTarget = "rejected_by_target"
    case rejectedOnPath = "rejected_on_path"
    case unreachableOnPath = "unreachable_on_path"
    case rejectedHere = "rejected_here"
    case neighborSilent = "neighbor_silent"
    case neighborAnswers = "neighbor_answers"
    case noRoute = "no_route"
    case familyMissing = "family_missing"
    case notPermitted = "not_permitted"
    case noAnswer = "no_answer"
    case resetInConnect = "reset_in_connect"
    case otherPortAnswers = "other_port_answers"
    case otherPortsSilent = "other_ports_silent"
    case controlConnected = "control_connected"
    case controlFailed = "control_failed"
    case familyBroken = "family_broken"
    case familyRefused = "family_refused"
    case someAddressesFail = "some_addresses_fail"
    case someAddressesUnreachable = "some_addresses_unreachable"
    case everyAddressConnects = "every_address_connects"
    case absentAddressesAnswer = "absent_addresses_answer"
    case absentAddressesSilent = "absent_addresses_silent"
    case pathReachesTarget = "path_reaches_target"
    case pathEnds = "path_ends"

    // After the connect.
    case closedAfterAccept = "closed_after_accept"
    case heldOpen = "held_open"
    case dialogFailed = "dialog_failed"
    case udpUnverified = "udp_unverified"
    case udpSilent = "udp_silent"

    // This machine.
    case proberState = "prober_state"
    case proberHasRoom = "prober_has_room"
    case conntrackHasRoom = "conntrack_has_room"
    case synNotSent = "syn_not_sent"
    case synQueued = "syn_queued"
    case answersDroppedHere = "answers_dropped_here"
    case conntrackFull = "conntrack_full"
    case backlogOverflows = "backlog_overflows"
    case socketRefused = "socket_refused"
    case portsExhausted = "ports_exhausted"
    case descriptorsExhausted = "descriptors_exhausted"
    case memoryExhausted = "memory_exhausted"
    case sourceRefused = "source_refused"
    case otherSourceConnects = "other_source_connects"
    case signedSilence = "signed_silence"
    case answersWithoutSignature = "answers_without_signature"

    // Names.
    case nameMissing = "name_missing"
    case nameServersFail = "name_servers_fail"
    case nameServersSilent = "name_servers_silent"
    case nameServerSilent = "name_server_silent"
    case hostsFileUsed = "hosts_file_used"
    case hostsFileDiffers = "hosts_file_differs"
    case nameServersDiffer = "name_servers_differ"
    case nameKnownElsewhere = "name_known_elsewhere"
    case otherAnswerConnects = "other_answer_connects"
    case hostsAnswerFails = "hosts_answer_fails"
    case nameServersAgree = "name_servers_agree"

    // TLS.
    case certificateExpired = "certificate_expired"
    case certificateNotYetValid = "certificate_not_yet_valid"
    case certificateNameMismatch = "certificate_name_mismatch"
    case certificateSelfSigned = "certificate_self_signed"
    case certificateRejected = "certificate_rejected"
    case issuerUnknown = "issuer_unknown"
    case rootUntrusted = "root_untrusted"
    case serverNameMissing = "server_name_missing"
    case serverNameRejected = "server_name_rejected"
    case otherServerNameWorks = "other_server_name_works"
    case handshakeWithoutName = "handshake_without_name"
    case versionRejected = "version_rejected"
    case oldVersionWorks = "old_version_works"
    case notTLS = "not_tls"
    case clientCertificateRequired = "client_certificate_required"
    case handshakeRejected = "handshake_rejected"
    case silentInHandshake = "silent_in_handshake"
    case resetInHandshake = "reset_in_handshake"
    case smallSegmentsWork = "small_segments_work"
    case smallSegmentsFail = "small_segments_fail"
    case smallHelloWorks = "small_hello_works"
    case smallHelloFails = "small_hello_fails"

    // An error that no other sign describes, by its fault.
    case targetError = "target_error"
    case networkError = "network_error"
    case proberError = "prober_error"
    case resolverError = "resolver_error"
    case requestError = "request_error"
}

extension Sign {
    /// Whether the observation is about the inside of the prober, which only trusted callers may see.
    public var isInternal: Bool {
        switch self {
        case .proberState, .proberHasRoom, .conntrackHasRoom, .pathEnds, .synNotSent, .synQueued, .answersDroppedHere,
            .conntrackFull, .backlogOverflows, .portsExhausted,
            .descriptorsExhausted, .memoryExhausted, .neighborSilent, .neighborAnswers, .noRoute, .rejectedHere,
            .hostsFileUsed, .hostsFileDiffers, .hostsAnswerFails, .nameServerSilent, .nameServersSilent,
            .nameServersDiffer, .nameKnownElsewhere, .otherAnswerConnects:
            true
        default: false
        }
    }
}
