extension Policy {
    /// Whether any rule allows UNIX-domain sockets. Without one every path is denied, and none has to be looked up.
    public var allowsSomePaths: Bool {
        rules.contains { rule in
            guard case .path = rule.matcher else { return false }
            return rule.action == .allow
        }
    }

    /// Judges the name of a UNIX-domain socket: only a rule allows it, in every profile.
    ///
    /// Our own listener takes an `allow` rule without wildcards. Empty segments and `.` are passed over; a path with a
    /// `..` in it is denied, since it names no one place: callers give the path that the kernel found.
    /// - Parameter file: the file that the name leads to, where it was opened.
    public func judge(path address: UnixAddress, file: FileIdentity? = nil) -> Verdict {
        switch decide(on: address, file) {
        case .allowed: .allow
        case .denied(let reason): .deny(reason)
        }
    }

    /// The index of the rule that allows the name as it is written; nil where none does.
    public func ruleAllowing(path address: UnixAddress) -> Int? {
        switch decide(on: address, nil) {
        case .allowed(let rule): rule
        case .denied: nil
        }
    }

    private enum PathDecision {
        case allowed(rule: Int)
        case denied(DenialReason)
    }

    private func decide(on address: UnixAddress, _ file: FileIdentity?) -> PathDecision {
        guard let address = address.withoutEmptySegments else { return .denied(.unixPath) }
        let isOwn = ownPaths.contains(address) || file.map(ownFiles.contains) ?? false
        for (index, rule) in rules.enumerated() where rule.covers(nil, .unix) {
            guard case .path(let pattern) = rule.matcher, pattern.matches(address) else { continue }
            switch rule.action {
            case .deny: return .denied(.rule(index: index))
            case .allow: if !isOwn || !pattern.hasWildcards { return .allowed(rule: index) }
            }
        }
        return .denied(isOwn ? .ownListener : .unixPath)
    }
}

extension UnixAddress {
    /// The path without empty segments and `.`; nil if there is a `..`, or if it does not begin at the root: the kernel
    /// writes `(unreachable)` before a place that is outside of it. Abstract names have no segments.
    fileprivate var withoutEmptySegments: UnixAddress? {
        guard case .path(let bytes) = self else { return self }
        guard bytes.first == .slash else { return nil }
        var path: [UInt8] = []
        path.reserveCapacity(bytes.count)
        for segment in bytes.split(separator: .slash) where !segment.elementsEqual([.dot]) {
            if segment.elementsEqual([.dot, .dot]) { return nil }
            path.append(.slash)
            path += segment
        }
        return .path(path.isEmpty ? [.slash] : path)
    }
}
