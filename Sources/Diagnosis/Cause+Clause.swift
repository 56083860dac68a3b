extension Cause {
    /// The cause as a clause of the sentence: "the service is not running".
    /// - Parameter facts: the evidence of the observation that supports the cause most.
    func clause(_ facts: Evidence) -> String {
        switch self {
        case .serviceDown: "the service is not running"
        case .wrongPort: "the port is wrong"
        case .backlogFull: "the service's backlog is full"
        case .targetDown: "the target is down"
        case .targetFirewallReject: "the firewall of \(facts.text("from") ?? "the target") rejects it"
        case .noBackend: "the peer is a load balancer without a backend"
        case .clientRejected: "the service itself ends the session"
        case .addressesBroken, .addressesUnreachable: "it fails at \(facts.text("failed") ?? "some addresses")"
        case .familyNotServed:
            "it accepts them over \(facts.text("works") ?? "one family") and refuses them over \(facts.text("fails") ?? "the other")"
        case .connectionReset: "a firewall resets connections in the target's name"
        case .certificateExpired, .certificateNotYetValid, .certificateNameMismatch, .certificateSelfSigned,
            .certificateRejected, .untrustedAuthority, .missingIntermediate, .serverNameMissing, .serverNameUnknown,
            .tlsTooOld, .plaintextPort, .clientCertificateRequired, .serviceHangs, .waitsForPlaintext, .helloDropped,
            .nameFiltered:
            tlsClause(facts)
        case .nameMissing, .nameServersSilent, .nameServersFail, .nameServersDiffer, .hostsFileWrong:
            nameClause(facts)
        case .pathReject, .pathNoRoute, .packetsDropped, .portDropped, .neighborSilent, .asymmetricReturn,
            .familyBroken, .pathProxy, .mtuBlackHole:
            pathClause(facts)
        case .noRoute, .familyMissing, .ownFirewallReject, .ownFirewallDrop, .notPermitted, .proberOffline,
            .conntrackFull, .portsExhausted, .descriptorsExhausted, .memoryExhausted, .sourceAddress, .md5Mismatch:
            proberClause(facts)
        case .otherProtocol: "the service does not answer this question"
        case .udpUnverified: "UDP has no handshake, and the peer has not answered"
        case .targetError, .networkError, .proberError, .resolverError, .requestError:
            "the error is \(facts.text("error") ?? "unknown")"
        }
    }

    private func pathClause(_ facts: Evidence) -> String {
        switch self {
        case .pathReject: "\(facts.text("from") ?? "a router") rejects it (\(facts.text("meaning") ?? "prohibited"))"
        case .pathNoRoute:
            "\(facts.text("from") ?? "a router") cannot forward to it (\(facts.text("meaning") ?? "unreachable"))"
        case .packetsDropped: "packets are lost on the path or at a firewall"
        case .portDropped: "a firewall drops packets to this port"
        case .neighborSilent: "\(facts.text("neighbor") ?? "the next hop") does not answer on the local network"
        case .asymmetricReturn: "the answers return through another interface and are dropped there"
        case .familyBroken:
            "it works over \(facts.text("works") ?? "one family") but not over \(facts.text("fails") ?? "the other")"
        case .pathProxy: "a device on the path answers for every address"
        default: "a router on the path drops large packets (an MTU black hole)"
        }
    }

    private func proberClause(_ facts: Evidence) -> String {
        switch self {
        case .noRoute: "its routing table has no route to \(facts.text("address") ?? "the target")"
        case .familyMissing: "it has no \(facts.text("family") ?? "suitable") address"
        case .ownFirewallReject: "its own firewall rejects the packets"
        case .ownFirewallDrop: "a firewall rule or a full queue of this machine drops the packets"
        case .notPermitted: "its security rules forbid the connect (\(facts.text("error") ?? "EPERM"))"
        case .proberOffline: "this machine reaches nothing on the network"
        case .conntrackFull: "the connection tracking table of this machine is full"
        case .portsExhausted: "all ephemeral ports for this destination are in use"
        case .descriptorsExhausted: "no file descriptor is free (\(facts.text("error") ?? "EMFILE"))"
        case .memoryExhausted: "the kernel has no memory left for sockets (\(facts.text("error") ?? "ENOBUFS"))"
        case .sourceAddress: "the source address \(facts.text("source") ?? "") does not work here"
        default: "the TCP MD5 keys of the two sides differ"
        }
    }

    private func tlsClause(_ facts: Evidence) -> String {
        switch self {
        case .certificateExpired: "the certificate expired on \(facts.text("not_after") ?? "an earlier date")"
        case .certificateNotYetValid: "the certificate is valid only from \(facts.text("not_before") ?? "a later date")"
        case .certificateNameMismatch:
            "the certificate is for \(facts.text("names") ?? "other names"), not for \(facts.text("wanted") ?? "it")"
        case .certificateSelfSigned: "the certificate is self-signed"
        case .untrustedAuthority: "this prober does not trust the CA \(facts.text("issuer") ?? "of the certificate")"
        case .missingIntermediate: "the server does not send its intermediate certificate"
        case .serverNameMissing: "the server needs a server name (SNI), and none was sent"
        case .serverNameUnknown: "the server does not know the name \(facts.text("server_name") ?? "that was sent")"
        case .tlsTooOld: "the server speaks only \(facts.text("version") ?? "versions that are too old")"
        case .plaintextPort: "the port does not speak TLS"
        case .clientCertificateRequired: "the server requires a client certificate"
        case .serviceHangs: "the service hangs"
        case .waitsForPlaintext: "the port does not speak TLS"
        case .helloDropped: "a device on the path drops large ClientHello messages"
        case .nameFiltered: "a device on the path blocks the server name"
        default: "the certificate is not acceptable (\(facts.text("error") ?? "CERT_INVALID"))"
        }
    }

    private func nameClause(_ facts: Evidence) -> String {
        switch self {
        case .nameMissing: "DNS has no address for it (\(facts.text("error") ?? "NXDOMAIN"))"
        case .nameServersSilent: "no name server answers"
        case .nameServersFail: "the name servers answer with the error \(facts.text("error") ?? "SERVFAIL")"
        case .hostsFileWrong:
            "/etc/hosts has \(facts.text("hosts") ?? "other addresses"), but DNS has \(facts.text("dns") ?? "others")"
        default:
            "the name servers disagree: \(facts.text("server") ?? "one") answers \(facts.text("addresses") ?? "otherwise")"
        }
    }
}
