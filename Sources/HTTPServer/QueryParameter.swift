/// One parameter of a query.
public struct QueryParameter: Sendable, Equatable {
    /// Decoded; as it was sent where it cannot be.
    public let name: String
    /// Decoded; nil where the percent-encoding of name or value is broken, or what it encodes is no UTF-8 or has a NUL.
    public let value: String?

    /// - Parameter encoded: what stands between two `&`.
    init(encoded: ArraySlice<UInt8>, plusIsSpace: Bool) {
        let equals = encoded.firstIndex(of: UInt8(ascii: "=")) ?? encoded.endIndex
        let value = PercentCoding.decode(encoded[equals...].dropFirst(), plusIsSpace: plusIsSpace)
        if let name = PercentCoding.decode(encoded[..<equals], plusIsSpace: plusIsSpace) {
            self.name = name
            self.value = value
        } else {
            name = String(decoding: encoded[..<equals], as: UTF8.self)
            self.value = nil
        }
    }
}
