/// Bytes that are never shown: not printed, not logged, not in a dump or a crash report's mirror.
package struct Secret: Sendable {
    private let bytes: [UInt8]

    package init(_ bytes: some Sequence<UInt8>) {
        self.bytes = Array(bytes)
    }

    /// The bytes themselves, for the one place that hands them to the kernel.
    package func reveal() -> [UInt8] { bytes }

    /// Whether both are the same, in a time that depends on the candidate's length alone.
    package func matches(_ candidate: some Collection<UInt8>) -> Bool {
        var difference: UInt8 = candidate.count == bytes.count ? 0 : 1
        var index = 0
        for byte in candidate {
            difference |= byte ^ (index < bytes.count ? bytes[index] : ~byte)
            index += 1
        }
        return difference == 0
    }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "‹secret›" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
