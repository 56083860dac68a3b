/// Ports of a policy's rule, the first and the last included.
public struct PortRange: Hashable, Sendable {
    /// 1 … 65535.
    public let first: UInt16
    /// Not below `first`.
    public let last: UInt16

    /// - Throws: If a port is not within 1 … 65535, or the last lies below the first.
    public init(first: Int, last: Int) throws(PolicyRuleError) {
        guard let lower = UInt16(exactly: first), let upper = UInt16(exactly: last), lower > 0, upper > 0 else {
            throw PolicyRuleError("A port is not within 1…65535.", member: .ports)
        }
        guard lower <= upper else {
            throw PolicyRuleError("The range \(first)-\(last) ends before it begins.", member: .ports)
        }
        self.first = lower
        self.last = upper
    }

    /// - Throws: If the port is not within 1 … 65535.
    public init(_ port: Int) throws(PolicyRuleError) {
        try self.init(first: port, last: port)
    }

    /// Reads `8000-8999` or `5432`.
    ///
    /// - Throws: If it is neither, or out of range.
    public init(parsing text: some StringProtocol) throws(PolicyRuleError) {
        let numbers = text.split(separator: "-", omittingEmptySubsequences: false).map { part -> Int? in
            part.utf8.count <= 5 && part.utf8.allSatisfy { $0.decimalDigit != nil } ? Int(part) : nil
        }
        switch (numbers.count, numbers.first ?? nil, numbers.last ?? nil) {
        case (1, let port?, _): try self.init(port)
        case (2, let first?, let last?): try self.init(first: first, last: last)
        case (_, _, _):
            throw PolicyRuleError("\"\(text)\" is neither a port nor a range like 8000-8999.", member: .ports)
        }
    }

    public func contains(_ port: UInt16) -> Bool {
        first <= port && port <= last
    }
}
