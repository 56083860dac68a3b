internal import CheckModel
internal import ErrorCatalogue
internal import NetworkTypes

/// Reads observations about the resolution of a name.
enum NameObserver {
    /// The answer of one name server.
    struct ServerAnswer {
        let server: String
        let result: CheckResult

        /// The addresses, in no particular order; nil if the server did not resolve the name.
        var addresses: [String]? { result.resolution?.addresses.map(\.text).sorted() }
        var failure: ErrorReport? { result.phase == .resolve ? result.error : nil }
        var isSilent: Bool {
            failure.map {
                [OwnError.resolverTimeout.rawValue, OwnError.resolverUnreachable.rawValue].contains($0.name)
            }
                ?? false
        }
    }

    static func answers(_ record: DiagnosisRecord) -> [ServerAnswer] {
        record.experiments.compactMap { entry in
            guard case .nameServer(let server) = entry.experiment else { return nil }
            return ServerAnswer(server: server.address.text, result: entry.result)
        }
    }

    /// The name did not resolve.
    static func failure(_ record: DiagnosisRecord, _ error: ErrorReport) -> [Observation] {
        let answers = answers(record)
        let name = record.subject.host ?? ""
        if let known = answers.first(where: { $0.addresses != nil }) {
            return [
                Observation(
                    .nameKnownElsewhere, "\(known.server) knows the name, and the resolution ended with \(error.name).",
                    facts(known))
            ]
        }
        let servers = answers.map(\.server)
        let facts: Evidence = [
            "error": .text(error.name), "servers": .texts(servers),
            "server": servers.count == 1 ? .text(servers[0]) : nil,
        ]
        switch error.name {
        case OwnError.nxdomain.rawValue, OwnError.noData.rawValue:
            return [Observation(.nameMissing, "The name servers answer that \(name) has no address.", facts)]
        case OwnError.resolverTimeout.rawValue, OwnError.resolverUnreachable.rawValue:
            return [Observation(.nameServersSilent, "No name server answers (\(error.name)).", facts)]
        default:
            return [Observation(.nameServersFail, "The name servers answer with \(error.name).", facts)]
        }
    }

    static func facts(_ answer: ServerAnswer) -> Evidence {
        ["server": .text(answer.server), "addresses": answer.addresses.map(EvidenceValue.texts)]
    }
}

extension Observer {
    static func names(_ record: DiagnosisRecord) -> [Observation] {
        let answers = NameObserver.answers(record)
        var seen = answers.filter(\.isSilent).map {
            Observation(
                .nameServerSilent, "The name server \($0.server) does not answer.", ["server": .text($0.server)])
        }
        guard let resolution = record.check.resolution, resolution.source != .literal else { return seen }
        let own = resolution.addresses.map(\.text).sorted()
        if resolution.source == .hosts {
            seen.append(
                Observation(
                    .hostsFileUsed, "/etc/hosts has the name, so no name server was asked.", ["hosts": .texts(own)]))
        }
        let others = answers.filter { $0.addresses.map { $0 != own } ?? false }
        guard let other = others.first(where: \.result.ok) ?? others.first, let addresses = other.addresses else {
            if answers.contains(where: { $0.addresses == own }) {
                seen.append(Observation(.nameServersAgree, "All name servers that answer give the same addresses."))
            }
            return seen
        }
        return seen + [difference(own, addresses, other, record, isHosts: resolution.source == .hosts)]
    }

    private static func difference(
        _ own: [String], _ addresses: [String], _ other: NameObserver.ServerAnswer, _ record: DiagnosisRecord,
        isHosts: Bool
    ) -> Observation {
        let decides = other.result.ok && !record.check.ok
        let facts: Evidence = [
            "hosts": isHosts ? .texts(own) : nil, "dns": isHosts ? .texts(addresses) : nil,
            "used": isHosts ? nil : .texts(own), "addresses": isHosts ? nil : .texts(addresses),
            "server": .text(other.server),
        ]
        let list = addresses.joined(separator: ", ")
        if isHosts {
            return decides
                ? Observation(.hostsAnswerFails, "DNS gives \(list) instead, and that address connects.", facts)
                : Observation(.hostsFileDiffers, "DNS gives \(list), which differs from /etc/hosts.", facts)
        }
        return decides
            ? Observation(.otherAnswerConnects, "\(other.server) gives \(list), and that address connects.", facts)
            : Observation(.nameServersDiffer, "\(other.server) gives other addresses: \(list).", facts)
    }
}
