internal import CheckModel
internal import StrictJSON

/// An error that a document has already as a member, and where.
struct WrittenError {
    let report: ErrorReport
    let range: Range<Int>
}

/// Writes errors, as results have them and as the catalogue explains them.
enum ErrorEncoder {
    /// The member `error`.
    static func writeMember(_ error: ErrorReport, to writer: inout JSONWriter) {
        writer.member("error")
        writer.beginObject()
        writer.member("errno")
        writer.integer(error.errno.map { Int($0.rawValue) })
        writer.member("name")
        writer.string(error.name)
        writer.member("class")
        writer.string(error.errorClass.rawValue)
        writer.member("fault")
        writer.string(error.fault.rawValue)
        writer.member("source")
        writer.string(error.source.rawValue)
        writer.member("message")
        writer.string(error.message)
        writer.member("hint")
        writer.string(error.hint)
        writer.member("retryable")
        writer.bool(error.retryable)
        if let alert = error.alert { TLSEncoder.writeMembers(alert, to: &writer) }
        if let received = error.received {
            writer.member("received")
            writer.printable(received)
        }
        writer.endObject()
    }

    /// One entry of the catalogue.
    static func write(_ entry: ErrorCatalogueEntry, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("name")
        writer.string(entry.name)
        writer.member("errno")
        writer.integer(entry.errno.map { Int($0.rawValue) })
        writer.member("class")
        writer.string(entry.errorClass.rawValue)
        writer.member("fault")
        writer.string(entry.fault.rawValue)
        writer.member("retryable")
        writer.bool(entry.retryable)
        writer.member("message")
        writer.string(entry.message)
        writer.member("when")
        writer.string(entry.when)
        writer.member("linux")
        writer.string(entry.linux)
        writer.member("hint")
        writer.string(entry.hint)
        writer.member("manual_page")
        writer.bool(entry.inManualPage)
        writer.endObject()
    }
}
