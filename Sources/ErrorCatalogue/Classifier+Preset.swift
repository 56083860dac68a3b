// Classification of datagrams that are not an answer to the question of a preset.
extension Classifier {
    /// Returns the report of a check whose peer sent something, but no answer.
    /// - Parameters:
    ///   - preset: the name of the preset.
    ///   - flaw: what is wrong with the datagram, as a predicate.
    ///   - received: the beginning of the datagram.
    public static func presetMismatch(_ preset: String, flaw: String, received: [UInt8]) -> ErrorReport {
        let entry = ErrnoCatalogue.entry(for: .dialogMismatch)
        return ErrorReport(
            errno: nil, name: entry.name, errorClass: entry.errorClass, fault: entry.fault, source: entry.source,
            message: "The peer did not answer the question of the preset \(preset): its datagram \(flaw)",
            hint: Hints.presetMismatch, retryable: entry.retryable, received: received)
    }
}
