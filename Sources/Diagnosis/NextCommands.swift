internal import NetworkTypes

/// The commands that narrow each cause down, and where to run them.
enum NextCommands {
    private static let mostCommands = 4
    /// The presets of `connectd check` by the usual port.
    private static let presets: [UInt16: String] = [
        53: "dns", 123: "ntp", 161: "snmp", 443: "quic", 500: "ike", 3478: "stun", 4500: "ike",
    ]

    static func commands(
        for causes: [Cause], weights: CauseWeights, about subject: DiagnosisSubject
    ) -> [NextCommand] {
        var seen: Set<String> = []
        let all = causes.flatMap { cause in
            let facts = weights.facts(of: cause)
            return explanation(of: cause, facts) + commands(for: cause, facts, subject)
        }
        return Array(all.filter { seen.insert($0.command).inserted }.prefix(mostCommands))
    }

    private static func commands(
        for cause: Cause, _ facts: Evidence, _ subject: DiagnosisSubject
    ) -> [NextCommand] {
        switch cause.party {
        case .prober: commandsHere(for: cause, facts, subject)
        case .resolver: nameCommands(for: cause, facts, subject)
        case .network: pathCommands(for: cause, facts, subject)
        case .target, .request, .unknown, .ok:
            subject.host == nil
                ? unixCommands(subject)
                : targetCommands(for: cause, subject) + tlsCommands(for: cause, facts, subject)
        }
    }

    /// The catalog explains an error without a cause of its own.
    private static func explanation(of cause: Cause, _ facts: Evidence) -> [NextCommand] {
        switch cause {
        case .targetError, .networkError, .proberError, .resolverError, .requestError:
            guard let name = facts.text("error")?.split(separator: " ").first else { return [] }
            return [NextCommand("connectd errors \(ShellWord.quoted(String(name)))", on: .here, "explains the error")]
        default: return []
        }
    }

    private static func unixCommands(_ subject: DiagnosisSubject) -> [NextCommand] {
        let path = ShellWord.quoted(String(subject.name.drop { $0 != ":" }.dropFirst()))
        return [
            NextCommand("ls -l \(path)", on: .here, "shows whether the socket exists, and who may write to it"),
            NextCommand("ss -xl", on: .here, "shows the UNIX sockets that listen"),
        ]
    }

    private static func targetCommands(for cause: Cause, _ subject: DiagnosisSubject) -> [NextCommand] {
        let host = ShellWord.quoted(subject.host ?? "")
        let port = subject.port.map(String.init) ?? ""
        let list = "ss -\(subject.isUDP ? "u" : "t")ln 'sport = :\(port)'"
        switch cause {
        case .serviceDown, .wrongPort, .targetError:
            return [NextCommand(list, on: .target, "shows whether a service listens on port \(port)")]
        case .backlogFull:
            return [
                NextCommand(list, on: .target, "shows a full backlog as a Recv-Q above Send-Q"),
                NextCommand(
                    "nstat -az TcpExtListenOverflows", on: .target, "counts connects that the backlog had no room for"),
            ]
        case .targetDown: return [NextCommand("ping -c 3 \(host)", on: .here, "shows whether the host answers at all")]
        case .targetFirewallReject:
            return [NextCommand("nft list ruleset", on: .target, "shows the rule that rejects port \(port)")]
        case .noBackend, .clientRejected, .serviceHangs:
            return [NextCommand(list + " -p", on: .target, "shows the program whose log tells the reason")]
        case .addressesBroken, .familyNotServed:
            return [NextCommand("connectd check --all \(host):\(port)", on: .here, "checks each address")]
        case .sourceAddress: return [NextCommand("ip -br address", on: .here, "lists the addresses of this machine")]
        case .md5Mismatch:
            return [
                NextCommand(
                    "nstat -az 'TcpExtTCPMD5*'", on: .target, "counts segments with a missing or wrong signature")
            ]
        case .udpUnverified, .otherProtocol:
            let question = presets[subject.port ?? 0].map { "--preset \($0)" } ?? "--send TEXT --match PATTERN"
            return [
                NextCommand(list, on: .target, "shows whether a service listens on port \(port)"),
                NextCommand(
                    "connectd check \(question) \(ShellWord.quoted("udp://\(subject.name)"))", on: .here,
                    "asks something that the service answers"),
            ]
        default: return []
        }
    }

    private static func tlsCommands(
        for cause: Cause, _ facts: Evidence, _ subject: DiagnosisSubject
    ) -> [NextCommand] {
        let connect = "openssl s_client -connect \(ShellWord.quoted(subject.name))"
        switch cause {
        case .certificateExpired, .certificateNotYetValid, .certificateNameMismatch, .certificateSelfSigned,
            .certificateRejected, .untrustedAuthority, .missingIntermediate:
            return [
                NextCommand(
                    "\(connect) -showcerts </dev/null", on: .here, "shows the certificates that the server sends")
            ]
        case .serverNameMissing, .serverNameUnknown:
            return [NextCommand("\(connect) -servername NAME </dev/null", on: .here, "tries another server name")]
        case .tlsTooOld:
            return [
                NextCommand("\(connect) -tls1 -cipher DEFAULT@SECLEVEL=0 </dev/null", on: .here, "tries an old version")
            ]
        case .plaintextPort, .waitsForPlaintext:
            return [
                NextCommand(
                    "connectd check \(ShellWord.quoted(subject.name))", on: .here, "checks the port without TLS")
            ]
        case .clientCertificateRequired:
            return [
                NextCommand("\(connect) -cert FILE -key FILE </dev/null", on: .here, "tries a client certificate")
            ]
        default: return []
        }
    }

    private static func pathCommands(
        for cause: Cause, _ facts: Evidence, _ subject: DiagnosisSubject
    ) -> [NextCommand] {
        let name = ShellWord.quoted(subject.name)
        let host = ShellWord.quoted(subject.host ?? "")
        let port = subject.port.map(String.init) ?? ""
        switch cause {
        case .pathReject, .pathNoRoute:
            return [
                NextCommand("nft list ruleset; ip route", on: .path, "run it on \(facts.text("from") ?? "the router")")
            ]
        case .packetsDropped, .portDropped, .connectionReset, .networkError:
            return [
                NextCommand(
                    "tcpdump -ni any port \(port)", on: .target, "shows whether the packets arrive and are answered"),
                NextCommand("nft list ruleset", on: .target, "shows a rule that drops port \(port)"),
            ]
        case .neighborSilent:
            return [
                NextCommand("ip neighbor show", on: .here, "shows which neighbors answer"),
                NextCommand("ip -br link", on: .target, "shows whether its network interface is up"),
            ]
        case .asymmetricReturn:
            return [
                NextCommand(
                    "nstat -az TcpExtIPReversePathFilter", on: .here, "counts packets from an unexpected interface"),
                NextCommand("ip route get ADDRESS", on: .target, "shows the way back to this machine's address"),
            ]
        case .familyBroken:
            let flag = facts.text("fails") == "IPv6" ? "-6" : "-4"
            return [NextCommand("connectd check \(flag) \(name)", on: .here, "checks the family that fails")]
        case .addressesUnreachable:
            return [NextCommand("connectd check --all \(name)", on: .here, "checks each address")]
        case .pathProxy:
            return [NextCommand("ip route; env | grep -i proxy", on: .here, "shows what the packets pass through")]
        case .mtuBlackHole:
            let probe = "ping \(subject.host?.contains(":") == true ? "-6 " : "")-M do -s 1400 -c 3 \(host)"
            return [
                NextCommand(probe, on: .here, "shows whether large packets arrive"),
                NextCommand("ip link", on: .path, "shows the MTU of each interface of a router"),
            ]
        default:
            return [NextCommand("tcpdump -ni any port \(port)", on: .target, "shows whether the ClientHello arrives")]
        }
    }

    private static func commandsHere(
        for cause: Cause, _ facts: Evidence, _ subject: DiagnosisSubject
    ) -> [NextCommand] {
        let address = ShellWord.quoted(facts.text("address") ?? subject.host ?? "")
        let command: (String, String) =
            switch cause {
            case .noRoute, .familyMissing: ("ip route get \(address)", "shows the kernel's answer for this destination")
            case .ownFirewallReject, .ownFirewallDrop: ("nft list ruleset", "shows the rule of the output chain")
            case .notPermitted: ("id; systemctl show -p IPAddressDeny UNIT", "shows what limits this process")
            case .proberOffline: ("ip -br address; ip route", "shows the interfaces and the routes")
            case .conntrackFull:
                (
                    "sysctl net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max",
                    "shows how full the table is"
                )
            case .portsExhausted:
                ("ss -tan | sort -k5 | uniq -c -f4; sysctl net.ipv4.ip_local_port_range", "shows who uses the ports")
            case .descriptorsExhausted: ("prlimit --nofile; lsof -p PID | wc -l", "shows the limit and the use")
            default: ("cat /proc/net/sockstat; free -m", "shows the memory of sockets")
            }
        return [NextCommand(command.0, on: .here, command.1)]
    }

    private static func nameCommands(
        for cause: Cause, _ facts: Evidence, _ subject: DiagnosisSubject
    ) -> [NextCommand] {
        let host = ShellWord.quoted(subject.host ?? "")
        let server = facts.text("server").map { "@\($0) " } ?? ""
        let dig = NextCommand("dig \(server)\(host)", on: .here, "shows the answer of the name server")
        switch cause {
        case .hostsFileWrong: return [NextCommand("grep -w \(host) /etc/hosts", on: .here, "shows the entry"), dig]
        case .nameServersSilent:
            return [NextCommand("cat /etc/resolv.conf", on: .here, "shows the configured name servers"), dig]
        default: return [dig]
        }
    }
}

/// A word of a shell command.
enum ShellWord {
    /// Quotes the word if the shell would not take it as it is.
    static func quoted(_ word: String) -> String {
        let isPlain = word.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "._:-/@%+=,".utf8.contains(byte)
            }
        }
        if isPlain, !word.isEmpty, !word.hasPrefix("-") { return word }
        return "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
