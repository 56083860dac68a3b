/// A query parameter.
public struct QueryParameter: Sendable, Equatable {
    /// Percent-decoded; as it was sent if it cannot be decoded.
    public let name: String
    /// Percent-decoded; nil if name or value has invalid percent-encoding, is not UTF-8, or contains a NUL.
    public let value: String?

    /// - Parameter encoded: the bytes between two `&`.
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
