/// A possible cause of a failure. The raw value is its name in reports.
public enum Cause: String, CaseIterable, Sendable {
    case serviceDown = "service_down"
    case wrongPort = "wrong_port"
    case backlogFull = "backlog_full"
    case targetDown = "target_down"
    case targetFirewallReject = "target_firewall_reject"
    case noBackend = "no_backend"
    case clientRejected = "client_rejected"
    case addressesBroken = "addresses_broken"
    case familyNotServed = "family_not_served"

    case pathReject = "path_reject"
    case pathNoRoute = "path_no_route"
    /// Any packet to the target is lost.
    case packetsDropped = "packets_dropped"
    /// Packets to this port are lost; others arrive.
    case portDropped = "port_dropped"
    case connectionReset = "connection_reset"
    case neighborSilent = "neighbor_silent"
    case asymmetricReturn = "asymmetric_return"
    case familyBroken = "family_broken"
    case addressesUnreachable = "addresses_unreachable"
    case pathProxy = "path_proxy"
    case mtuBlackHole = "mtu_black_hole"
    case helloDropped = "hello_dropped"
    case nameFiltered = "name_filtered"

    case noRoute = "no_route"
    case familyMissing = "family_missing"
    case ownFirewallReject = "own_firewall_reject"
    case ownFirewallDrop = "own_firewall_drop"
    case notPermitted = "not_permitted"
    case proberOffline = "prober_offline"
    case conntrackFull = "conntrack_full"
    case portsExhausted = "ports_exhausted"
    case descriptorsExhausted = "descriptors_exhausted"
    case memoryExhausted = "memory_exhausted"

    case sourceAddress = "source_address"
    case md5Mismatch = "md5_mismatch"

    case nameMissing = "name_missing"
    case nameServersSilent = "name_servers_silent"
    case nameServersFail = "name_servers_fail"
    case nameServersDiffer = "name_servers_differ"
    case hostsFileWrong = "hosts_file_wrong"

    case certificateExpired = "certificate_expired"
    case certificateNotYetValid = "certificate_not_yet_valid"
    case certificateNameMismatch = "certificate_name_mismatch"
    case certificateSelfSigned = "certificate_self_signed"
    case certificateRejected = "certificate_rejected"
    case untrustedAuthority = "untrusted_authority"
    case missingIntermediate = "missing_intermediate"
    case serverNameMissing = "server_name_missing"
    case serverNameUnknown = "server_name_unknown"
    case tlsTooOld = "tls_too_old"
    case plaintextPort = "plaintext_port"
    case clientCertificateRequired = "client_certificate_required"
    case serviceHangs = "service_hangs"
    case waitsForPlaintext = "waits_for_plaintext"

    /// The service does not answer this question: it speaks another protocol, or ignores this client.
    case otherProtocol = "other_protocol"
    case udpUnverified = "udp_unverified"
    case targetError = "target_error"
    case networkError = "network_error"
    case proberError = "prober_error"
    case resolverError = "resolver_error"
    case requestError = "request_error"
}

extension Cause {
    /// The party that must act.
    public var party: DiagnosisVerdict {
        switch self {
        case .serviceDown, .wrongPort, .backlogFull, .targetDown, .targetFirewallReject, .noBackend, .clientRejected,
            .addressesBroken, .familyNotServed, .certificateExpired, .certificateNotYetValid, .certificateNameMismatch,
            .certificateSelfSigned, .certificateRejected, .untrustedAuthority, .missingIntermediate,
            .serverNameUnknown, .tlsTooOld, .plaintextPort, .serviceHangs, .waitsForPlaintext, .otherProtocol,
            .targetError:
            .target
        case .pathReject, .pathNoRoute, .packetsDropped, .portDropped, .connectionReset, .neighborSilent,
            .asymmetricReturn, .familyBroken, .addressesUnreachable, .pathProxy, .mtuBlackHole, .helloDropped,
            .nameFiltered, .networkError:
            .network
        case .noRoute, .familyMissing, .ownFirewallReject, .ownFirewallDrop, .notPermitted, .proberOffline,
            .conntrackFull, .portsExhausted, .descriptorsExhausted, .memoryExhausted, .proberError:
            .prober
        case .sourceAddress, .md5Mismatch, .serverNameMissing, .clientCertificateRequired, .requestError: .request
        case .nameMissing, .nameServersSilent, .nameServersFail, .nameServersDiffer, .hostsFileWrong, .resolverError:
            .resolver
        case .udpUnverified: .unknown
        }
    }
}
