/// The keys of one element of `policy.rules`.
enum RuleKey: String, CaseIterable {
    case action, cidr, path, host, ports, transports
}
