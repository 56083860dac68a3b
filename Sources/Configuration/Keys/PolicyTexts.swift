internal import CheckModel

/// The texts that keys of the policy hold.
enum PolicyTexts {
    static func option(_ text: String) throws(ValueRefusal) -> PolicySettings.Option {
        try word(text)
    }

    static func action(_ text: String) throws(ValueRefusal) -> PolicyRule.Action {
        try word(text)
    }

    static func transport(_ text: String) throws(ValueRefusal) -> Transport {
        try word(text)
    }

    static func nat64Prefix(_ text: String) throws(ValueRefusal) -> NAT64Prefix {
        do throws(AddressRangeError) {
            return try NAT64Prefix(AddressRange(parsing: text))
        } catch {
            throw ValueRefusal(sentence: error.detail)
        }
    }

    static func ports(_ text: String) throws(ValueRefusal) -> PortRange {
        do throws(PolicyRuleError) {
            return try PortRange(parsing: text)
        } catch {
            throw ValueRefusal(sentence: error.detail)
        }
    }

    private static func word<Value: RawRepresentable<String> & CaseIterable>(
        _ text: String
    ) throws(ValueRefusal) -> Value {
        guard let value = Value(rawValue: text) else { throw .noneOf(Value.allCases.map(\.rawValue)) }
        return value
    }
}
