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
    public func judge(path address: UnixAddress) -> Verdict {
        guard let address = address.withoutEmptySegments else { return .deny(.unixPath) }
        let isOwn = ownPaths.contains(address)
        for (index, rule) in rules.enumerated() where rule.covers(nil, .unix) {
            guard case .path(let pattern) = rule.matcher, pattern.matches(address) else { continue }
            switch rule.action {
            case .deny: return .deny(.rule(index: index))
            case .allow: if !isOwn || !pattern.hasWildcards { return .allow }
            }
        }
        return .deny(isOwn ? .ownListener : .unixPath)
    }
}

extension UnixAddress {
    /// The path without empty segments and `.`; nil if there is a `..`. Abstract names have no segments.
    fileprivate var withoutEmptySegments: UnixAddress? {
        guard case .path(let bytes) = self else { return self }
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
