/// Why a file of certificates or keys cannot be used: the end of a sentence about the file, without anything of a key in it.
public struct TLSMaterialError: Error, Hashable, Sendable {
    public let reason: String

    public init(_ reason: String) {
        self.reason = reason
    }
}
