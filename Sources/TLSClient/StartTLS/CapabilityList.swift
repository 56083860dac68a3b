/// What a peer offers, one in a line, and whether TLS is among it.
struct CapabilityList {
    private(set) var hasTLS = false
    /// The lines as they came, as far as a failure shows them.
    private(set) var lines: ArraySlice<UInt8> = []

    /// - Parameter capability: what of the line names what is offered; nil where it names nothing.
    /// - Parameter name: what TLS is called, in capital letters.
    mutating func take(_ line: ArraySlice<UInt8>, capability: ArraySlice<UInt8>?, name: String) {
        if capability?.capitalWords.first == name { hasTLS = true }
        if !lines.isEmpty { lines += "\r\n".utf8 }
        lines = (lines + line).prefix(StartTLSLimits.shownBytes)
    }
}
